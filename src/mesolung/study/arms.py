"""Reading the arms of a study: sizes, the control, treatments, and what each restates of the population."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import get_args

from mesolung.biology.tables import Measured
from mesolung.study.arm import UNKNOWN, Arm, DoseUnit, Treatment
from mesolung.study.observation import BASELINE
from mesolung.study.place import HOURS, Place, listed
from mesolung.study.table_one import read_baseline
from mesolung.study.times import read_times
from mesolung.study.usual_care import read_backgrounds
from mesolung.study.written import ArmTable, PopulationTable, TreatmentTable
from mesolung.units import quantity, same_dimension

DOSE_UNITS: tuple[DoseUnit, ...] = get_args(DoseUnit)
VEHICLE = "vehicle"
# Beyond this no dose has been or could be made: a slip of the pen, not a plan.
LARGEST_DOSE: dict[DoseUnit, float] = {"cells": 1e12, "cells/kg": 1e10, "cells/kg PBW": 1e10}


def read_arms(
    arms: Sequence[ArmTable],
    population: PopulationTable,
    place: Place,
    *,
    duration_h: float,
    names: Mapping[str, Measured],
) -> tuple[Arm, ...]:
    """Read all arms.

    Arguments:
        arms: as written.
        population: as written; arms inherit from it.
        place: of the list of arms.
        duration_h: length of the study, h.
        names: what may stand in table 1.

    Returns:
        the arms in the file's order.

    Raises:
        Refusal: for equal names, two controls, sizes that do not fit, or a treatment that cannot be.
    """
    _check_names(arms, place)
    control = _control(arms, place)
    _check_sizes(arms, population, place)
    found = []
    for i, arm in enumerate(arms):
        at = place.at(i)
        _check_products(arm, at)
        found.append(
            Arm(
                name=arm.name,
                size=None if arm.size == UNKNOWN else arm.size,
                ratio=arm.ratio,
                control=i == control,
                # A carrier fluid has no effect in the model; it is checked and then left out.
                treatments=tuple(
                    one
                    for k, t in enumerate(arm.treatment)
                    if (one := read_treatment(t, at.at("treatment", k), duration_h)).product.type != VEHICLE
                ),
                baseline=read_baseline(arm.baseline, at.at("baseline"), names, population.baseline),
                has_own_baseline=bool(arm.baseline),
                background=read_backgrounds(
                    arm.background, at.at("background"), duration_h, population.background
                ),
                has_own_background=bool(arm.background),
            )
        )
    return tuple(found)


def _check_products(arm: ArmTable, place: Place) -> None:
    """One product an arm: the properties of two lots would have to be told apart in the body."""
    given = [(k, t.product) for k, t in enumerate(arm.treatment) if t.product.type != VEHICLE]
    for k, product in given[1:]:
        if product != given[0][1]:
            raise place.at("treatment", k, "product").not_yet(
                "another product in the same arm", "the arm's first product again"
            )


def _check_names(arms: Sequence[ArmTable], place: Place) -> None:
    seen: dict[str, int] = {}
    for i, arm in enumerate(arms):
        if arm.name in seen:
            raise place.at(i, "name").refuse("two arms of one name", found=arm.name, allowed="a name each")
        if arm.name == BASELINE:
            raise place.at(i, "name").refuse(
                "an arm's name means something else", found=arm.name, allowed=f"any name but {BASELINE}"
            )
        seen[arm.name] = i


def _control(arms: Sequence[ArmTable], place: Place) -> int | None:
    stated = [i for i, arm in enumerate(arms) if arm.control]
    if len(stated) > 1:
        raise place.at(stated[1], "control").refuse(
            "two controls", told=", ".join(arms[i].name for i in stated), allowed="control = true in one arm"
        )
    untreated = [i for i, arm in enumerate(arms) if all(t.product.type == VEHICLE for t in arm.treatment)]
    if stated:
        return stated[0]
    return untreated[0] if len(untreated) == 1 and arms[untreated[0]].control is None else None


def _check_sizes(arms: Sequence[ArmTable], population: PopulationTable, place: Place) -> None:
    for i, arm in enumerate(arms):
        if (arm.size is None) == (arm.ratio is None):
            raise place.at(i).refuse(
                f'arm "{arm.name}" has {"neither size nor" if arm.size is None else "both size and"} ratio',
                allowed="size in every arm, or ratio in every arm",
            )
        if (arm.size is None) != (arms[0].size is None):
            raise place.at(i, "ratio" if arm.size is None else "size").refuse(
                "some arms have a size and some a ratio", allowed="size in every arm, or ratio in every arm"
            )
    whole = Place(place.document, ("population", "size"))
    if arms[0].size is not None:
        if population.size in (None, UNKNOWN):
            return
        if any(arm.size == UNKNOWN for arm in arms):
            raise whole.refuse(
                "a size beside arms whose size is unknown",
                found=population.size,
                allowed="ratio in every arm",
            )
        total = sum(int(arm.size or 0) for arm in arms)
        if population.size != total:
            raise whole.refuse(
                "sizes do not add up", found=population.size, allowed=f"{total}, the arms together"
            )
        return
    if population.size is None or population.size == UNKNOWN:
        raise place.at(0, "ratio").refuse(
            "ratios without population.size",
            allowed='population.size, subjects in all; or size = "unknown" in every arm',
        )
    parts = sum(arm.ratio or 0.0 for arm in arms)
    for i, arm in enumerate(arms):
        if population.size * (arm.ratio or 0.0) / parts < 1:
            raise place.at(i, "ratio").refuse(
                f'arm "{arm.name}" would have no subject',
                found=arm.ratio,
                allowed="at least one subject an arm",
            )


def read_treatment(treatment: TreatmentTable, place: Place, duration_h: float) -> Treatment:
    """Read a treatment.

    Arguments:
        treatment: as written.
        place: where it stands.
        duration_h: length of the study, h.

    Returns:
        the treatment, times in h, the dose in cells or cells per kg.

    Raises:
        Refusal: for a dose, time or infusion that cannot be.
    """
    dose, unit = _dose(treatment.dose, place.at("dose"), treatment.product.type)
    shortest, longest = _infusion(treatment.infusion, place.at("infusion"), duration_h)
    times = treatment.times
    return Treatment(
        product=treatment.product,
        dose=dose,
        dose_unit=unit,
        most=None if treatment.max is None else _most(treatment.max, place.at("max"), dose, unit),
        dose_basis=treatment.dose_basis,
        route=treatment.route,
        times_h=() if isinstance(times, str) else read_times(times, place.at("times"), duration_h),
        infusion_h=shortest,
        longest_infusion_h=longest,
    )


def _infusion(
    written: str | list[str] | None, at: Place, duration_h: float
) -> tuple[float | None, float | None]:
    """The length of an administration, and the longest where a range is stated."""
    texts = [] if written is None else [written] if isinstance(written, str) else written
    found = []
    for text in texts:
        length = at.amount(text, HOURS, also=("min", "d"))
        if not 0 < length <= duration_h:
            raise at.refuse(
                "impossible infusion",
                found=text,
                allowed=f"more than 0 h, at most the duration, {duration_h:g} h",
            )
        found.append(length)
    if len(found) == 2 and not found[0] < found[1]:
        raise at.refuse("a range out of order", told=", ".join(texts), allowed="shorter before longer")
    return (found[0] if found else None), (found[1] if len(found) == 2 else None)


def _most(text: str, at: Place, dose: float | None, unit: DoseUnit) -> float:
    """The cap on a dose, cells."""
    if dose is not None and unit == "cells":
        raise at.refuse("a cap on a dose that is the same for all", found=text, allowed="a dose per kg")
    most = at.amount(text, "cells")
    if not 0 < most <= LARGEST_DOSE["cells"]:
        raise at.refuse(
            "impossible cap", found=text, allowed=f"more than 0, at most {LARGEST_DOSE['cells']:g} cells"
        )
    return most


def _dose(text: str, at: Place, product: str) -> tuple[float | None, DoseUnit]:
    if product == VEHICLE:
        volume = at.amount(text, "mL")
        if volume <= 0:
            raise at.refuse("negative or zero dose", found=text, allowed="more than 0")
        return None, "cells"
    if text.strip() == UNKNOWN:
        return None, "cells/kg"
    try:
        found = quantity(text)
    except ValueError:
        raise at.refuse("dose: wrong unit or no quantity", found=text, allowed='as "100e6 cells"') from None
    unit: DoseUnit | None = next((u for u in DOSE_UNITS if _same(found.unit, u)), None)
    if unit is None:
        raise at.refuse(
            f"dose: a product of type {product} cannot have this unit", found=text, allowed=listed(DOSE_UNITS)
        )
    dose = at.converted(found.value, found.unit, unit)
    if dose <= 0:
        raise at.refuse("negative or zero dose", found=text, allowed="more than 0")
    if dose > LARGEST_DOSE[unit]:
        raise at.refuse("impossible dose", found=text, allowed=f"at most {LARGEST_DOSE[unit]:g} {unit}")
    return dose, unit


def _same(written: str, unit: str) -> bool:
    try:
        return same_dimension(written, unit)
    except ValueError:
        return False
