"""Reading the arms of a study: sizes, the control, treatments, and what each restates of the population."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mesolung.biology.tables import Measured, backgrounds
from mesolung.product.product import ALIVE, OF_CELLS, Product, ProductType
from mesolung.study.arm import UNKNOWN, Arm, DoseUnit, Treatment
from mesolung.study.injuries import NONE, read_assay, read_injuries
from mesolung.study.observation import BASELINE
from mesolung.study.place import HOURS, Place, listed
from mesolung.study.possible import IN_VITRO
from mesolung.study.table_one import read_baseline
from mesolung.study.times import read_times
from mesolung.study.usual_care import read_backgrounds, waiting_backgrounds
from mesolung.study.written import ArmTable, PopulationTable, StudyFile, TreatmentTable
from mesolung.units import quantity, same_dimension

VEHICLE = "vehicle"
DRUG = "drug"
# Units in which a dose of a product may be written, and is kept.
DOSE_UNITS: Mapping[ProductType, tuple[DoseUnit, ...]] = {
    **dict.fromkeys(OF_CELLS, ("cells", "cells/kg", "cells/kg PBW")),
    "ev": ("particles", "particles/kg", "cell-equivalents", "ug", "ug/kg", "mL"),
    "conditioned-medium": ("mL", "cell-equivalents", "ug", "ug/kg"),
    "drug": ("mg", "mg/kg", "mg/m2", "mL"),
    "vehicle": ("mL",),
}
# Beyond this no dose has been or could be made: a slip of the pen, not a plan.
LARGEST_DOSE: Mapping[DoseUnit, float] = {
    "cells": 1e12,
    "cells/kg": 1e10,
    "cells/kg PBW": 1e10,
    "particles": 1e16,
    "particles/kg": 1e15,
    "cell-equivalents": 1e12,
    "ug": 1e8,
    "ug/kg": 1e7,
    "mL": 1e4,
    "mg": 1e6,
    "mg/kg": 1e5,
    "mg/m2": 1e5,
}


def read_arms(
    written: StudyFile, place: Place, *, duration_h: float, names: Mapping[str, Measured]
) -> tuple[Arm, ...]:
    """Read all arms.

    Arguments:
        written: the study file; arms inherit from its population, injury and assay.
        place: of the list of arms.
        duration_h: length of the study, h.
        names: what may stand in table 1.

    Returns:
        the arms in the file's order.

    Raises:
        Refusal: for equal names, two controls, sizes that do not fit, or a treatment that cannot be.
    """
    arms, population = written.arm, written.population
    injuries = read_injuries(written.injury, Place(place.document, ("injury",)), duration_h)
    _check_names(arms, place)
    control = _control(arms, place)
    _check_sizes(arms, population, place)
    found = []
    for i, arm in enumerate(arms):
        at = place.at(i)
        if arm.assay is not None and written.kind != IN_VITRO:
            raise at.at("assay").refuse("an assay of subjects", allowed=f'kind = "{IN_VITRO}"')
        for k, t in enumerate(arm.treatment):
            if t.product.autologous and t.product.species not in (None, written.species):
                raise at.at("treatment", k, "product", "species").refuse(
                    "a subject's own cells of another species",
                    found=t.product.species,
                    allowed=f"{written.species}, or no autologous",
                )
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
                    if (
                        one := read_treatment(t, at.at("treatment", k), duration_h, written.kind)
                    ).product.type
                    != VEHICLE
                ),
                baseline=read_baseline(arm.baseline, at.at("baseline"), names, population.baseline),
                has_own_baseline=bool(arm.baseline),
                background=read_backgrounds(
                    arm.background, at.at("background"), duration_h, population.background
                ),
                has_own_background=bool(arm.background),
                injury=injuries
                if arm.injury is None
                else read_injuries(arm.injury, at.at("injury"), duration_h),
                has_own_injury=arm.injury is not None,
                assay=read_assay(arm.assay, at.at("assay"), written.assay),
            )
        )
    return tuple(found)


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
    if stated:
        return stated[0]
    untreated = [i for i, arm in enumerate(arms) if all(t.product.type == VEHICLE for t in arm.treatment)]
    # A sham arm, which is not ill, is no control of those that are.
    ill = [i for i in untreated if arms[i].injury != NONE]
    untreated = ill or untreated
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


def read_treatment(
    treatment: TreatmentTable, place: Place, duration_h: float, kind: str = "trial"
) -> Treatment:
    """Read a treatment.

    Arguments:
        treatment: as written.
        place: where it stands.
        duration_h: length of the study, h.
        kind: of the study; in a culture a product has no route, starts at 0 h, and its dose may be a ratio.

    Returns:
        the treatment, times in h, the dose in a unit of `DOSE_UNITS`.

    Raises:
        Refusal: for a dose, route, time or infusion that cannot be.
    """
    product, times = treatment.product, treatment.times
    if kind != IN_VITRO:
        for key in ("dose", "route", "times"):
            if getattr(treatment, key) is None:
                raise place.refuse(f"arm.treatment: {key} is missing")
    _check_product(treatment, place)
    dose, unit = (None, DOSE_UNITS[product.type][0])
    if treatment.dose is not None:
        dose, unit = _dose(treatment.dose, place.at("dose"), product)
    shortest, longest = _infusion(treatment.infusion, place.at("infusion"), duration_h)
    if times is None:
        moments: tuple[float, ...] = (0.0,)
    elif isinstance(times, str):
        moments = ()
    else:
        moments = read_times(times, place.at("times"), duration_h)
    return Treatment(
        product=product,
        dose=dose,
        dose_unit=unit,
        most=None if treatment.max is None else _most(treatment.max, place.at("max"), dose, unit),
        dose_basis=treatment.dose_basis,
        route=treatment.route,
        times_h=moments,
        infusion_h=shortest,
        longest_infusion_h=longest,
    )


def _check_product(treatment: TreatmentTable, place: Place) -> None:
    product = treatment.product
    if product.type not in (DRUG, VEHICLE) and treatment.route == "oral":
        raise place.at("route").refuse(
            f"{product.type} by mouth", found="oral", allowed="any other route; oral is for drugs"
        )
    if treatment.dose_basis == "viable" and product.type not in ALIVE:
        raise place.at("dose_basis").refuse(f"{product.type} has no viable part", allowed="no dose_basis")
    if product.type == DRUG:
        drugs = [*(n for n, row in backgrounds().items() if row.kind == DRUG), *waiting_backgrounds()]
        if product.name not in drugs:
            raise place.at("product", "name").refuse_name("drug", str(product.name), drugs)


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
    """The cap on a dose per kg: cells, or what else one subject gets."""
    whole = unit.partition("/")[0]
    if dose is not None and whole == unit:
        raise at.refuse("a cap on a dose that is the same for all", found=text, allowed="a dose per kg")
    most = at.amount(text, whole)
    highest = next(limit for known, limit in LARGEST_DOSE.items() if known == whole)
    if not 0 < most <= highest:
        raise at.refuse("impossible cap", found=text, allowed=f"more than 0, at most {highest:g} {whole}")
    return most


def _dose(text: str, at: Place, product: Product) -> tuple[float | None, DoseUnit]:
    units = DOSE_UNITS[product.type]
    if product.type == VEHICLE:
        volume = at.amount(text, "mL")
        if volume <= 0:
            raise at.refuse("negative or zero dose", found=text, allowed="more than 0")
        return None, "cells"
    if text.strip() == UNKNOWN:
        # The prior of an unknown dose of cells is per kg.
        return None, "cells/kg" if product.type in OF_CELLS else units[0]
    try:
        found = quantity(text)
    except ValueError:
        example = "100e6 cells" if product.type in OF_CELLS else f"5 {units[0]}"
        raise at.refuse("dose: wrong unit or no quantity", found=text, allowed=f'as "{example}"') from None
    unit: DoseUnit | None = next((u for u in units if _same(found.unit, u)), None)
    if unit is None:
        raise at.refuse(
            f"dose: a product of type {product.type} cannot have this unit", found=text, allowed=listed(units)
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
