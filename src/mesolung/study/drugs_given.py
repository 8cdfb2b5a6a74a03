"""Drugs as treatments of an arm: usual care that everybody in the arm receives."""

from __future__ import annotations

import numpy as np

from mesolung.biology.tables import PER_KG, backgrounds, reserved
from mesolung.study.arm import Arm, Treatment
from mesolung.study.population import Background
from mesolung.units import UnitError, convert

DRUG = "drug"
FIRST_EFFECT_H = 1.0
EVEN = 0.05  # share of the interval by which doses may come early or late


def drugs_of(arm: Arm) -> tuple[Treatment, ...]:
    """The treatments of an arm that are drugs."""
    return tuple(t for t in arm.treatments if t.product.type == DRUG)


def why_not_drug(treatment: Treatment) -> str | None:
    """Tell why a drug cannot be given as the study says.

    Arguments:
        treatment: of type drug.

    Returns:
        the reason, or None.
    """
    name = str(treatment.product.name)
    row = backgrounds().get(name)
    if row is None:
        return f'drug "{name}" waits for {reserved()["background", name]}'
    if treatment.dose is not None and _dose(treatment) is None:
        return f"{name} in {treatment.dose_unit}, which is no dose in {row.amount_unit}"
    gaps = np.diff(treatment.times_h)
    if gaps.size and float(np.ptp(gaps)) > EVEN * float(gaps.mean()):
        return f"{name} at intervals that differ"
    return None


def with_drugs_as_care(arm: Arm) -> Arm:
    """Put the drugs among the treatments of an arm into its usual care.

    Arguments:
        arm: whose drugs can be given, as `why_not_drug` says.

    Returns:
        the arm; a drug without a dose or schedule has the usual ones, and one that the population receives
        too is given as the arm has it.
    """
    drugs = drugs_of(arm)
    if not drugs:
        return arm
    care = dict(arm.background)
    for drug in drugs:
        care[str(drug.product.name)] = _care(drug)
    kept = tuple(t for t in arm.treatments if t.product.type != DRUG)
    return arm.model_copy(update={"treatments": kept, "background": dict(sorted(care.items()))})


def _care(drug: Treatment) -> Background:
    times, row = drug.times_h, backgrounds()[str(drug.product.name)]
    every = float(np.diff(times).mean()) if len(times) > 1 else None
    # Doses one by one act until the next would come; a single one for the drug's usual interval.
    length = None if not times else len(times) * (every or row.every_h or 24.0)
    found = _dose(drug)
    return Background(
        share=1.0,
        dose=None if found is None else found[0],
        per_kg=found is not None and found[1],
        # What is measured at enrolment is measured before the first dose.
        start_h=(times[0] if times else 0.0) + (FIRST_EFFECT_H if row.how == "occupancy" else 0.0),
        duration_h=length,
        every_h=every,
    )


def _dose(drug: Treatment) -> tuple[float, bool] | None:
    """The dose in the table's unit, and whether it is one per kg; None where it has none or does not fit."""
    if drug.dose is None:
        return None
    per_kg = drug.dose_unit.endswith(PER_KG)
    row = backgrounds()[str(drug.product.name)]
    try:
        return convert(drug.dose, drug.dose_unit.removesuffix(PER_KG), row.amount_unit), per_kg
    except UnitError:
        return None
