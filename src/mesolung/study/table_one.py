"""Reading table 1: lines of the study file as distributions in base units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mesolung.biology.phenotypes import phenotypes
from mesolung.biology.specimens import specimens
from mesolung.biology.tables import Endpoint, Measured, covariates, endpoints
from mesolung.study.place import Place, listed
from mesolung.study.population import Distribution
from mesolung.study.possible import HUMAN, planned_covariates, planned_endpoints, possible_traits
from mesolung.study.written import DistributionTable
from mesolung.units import convert

ANIMAL, WEIGHT = "animal", "weight"
LOCATION = ("mean", "sd", "median", "iqr", "share")


def baseline_names(diseases: Sequence[str], species: str) -> dict[str, Measured]:
    """Find what of table 1 the model serves.

    Arguments:
        diseases, species: of the study.

    Returns:
        name -> row of the endpoint or covariate table, or of a phenotype, that all the diseases have.
    """
    rows: dict[str, Measured] = {**covariates(), **_phenotypes()}
    # A sample's level follows from the model's own: nobody is enrolled by it.
    rows.update(
        (name, row)
        for name, row in endpoints().items()
        if row.at_enrolment and species in row.species and name not in specimens()
    )
    if species != HUMAN:
        # Of animals the model knows the weight alone.
        return {n: row for n, row in possible_traits(diseases, species, ANIMAL).items() if n == WEIGHT}
    return {name: row for name, row in rows.items() if all(d in row.diseases for d in diseases)}


def traits_possible(diseases: Sequence[str], species: str, kind: str) -> dict[str, Measured]:
    """Find what may stand in table 1, whether the model serves it or not.

    Arguments:
        diseases, species, kind: of the study.

    Returns:
        name -> row, those that the model serves as it has them.
    """
    return {**possible_traits(diseases, species, kind), **baseline_names(diseases, species)}


def _phenotypes() -> dict[str, Measured]:
    return {
        name: Measured(name, row.label, "fraction", ("fraction", "percent"), "binary", 0.0, 1.0, row.diseases)
        for name, row in phenotypes().items()
    }


def read_baseline(
    lines: Mapping[str, Any],
    place: Place,
    names: Mapping[str, Measured],
    inherited: Mapping[str, Any] | None = None,
) -> dict[str, Distribution]:
    """Read a table 1.

    Arguments:
        lines: as written.
        place: of the table.
        names: from `traits_possible`.
        inherited: lines of the population as written, for an arm's table.

    Returns:
        name -> distribution in the row's base unit, names sorted; the inherited lines are among them.

    Raises:
        Refusal: for an unknown name, a wrong unit, or a distribution that cannot be.
    """
    above = inherited or {}
    result = {}
    for name in sorted({*lines, *above}):
        at = place.at(name) if name in lines else Place(place.document, ("population", "baseline", name))
        row = names.get(name)
        if row is None:
            known = {**covariates(), **endpoints()}
            if name in known or name in planned_covariates() or name in planned_endpoints():
                raise at.refuse(
                    f"{name} has no value at enrolment in this disease", allowed=listed(sorted(names))
                )
            raise at.unknown("baseline", name, names)
        own = _table(lines[name], at, row) if name in lines else DistributionTable()
        result[name] = read_distribution(_inherit(own, above.get(name), at, row), at, row)
    return result


def _table(line: Any, at: Place, row: Measured) -> DistributionTable:
    """A line in its long form: a bare number is a share, or a mean that has no unit; a text is a mean."""
    if isinstance(line, DistributionTable):
        return line
    if isinstance(line, str):
        number = at.amount(line, row.unit, row=row)
        if not is_trait(row):
            return DistributionTable(mean=number, unit=row.unit)
        line = number
    if is_trait(row):
        if not 0 <= line <= 1:
            raise at.refuse(f"{row.name}: impossible share", found=line, allowed="0 to 1")
        return DistributionTable(share=line)
    if is_plain(row.unit):
        return DistributionTable(mean=line)
    raise at.refuse(f"{row.name}: a number without a unit", found=line, allowed=f'as "{line:g} {row.unit}"')


def _inherit(own: DistributionTable, above: Any, at: Place, row: Measured) -> DistributionTable:
    if above is None:
        return own
    base = _table(above, at, row)
    if own.unit is not None:
        at.at("unit").converted(1.0, own.unit, row.unit, row=row)
    # The two may be written in different units: they are put together in the row's.
    kept = _in_unit_of(row, base, base.unit)
    stated = _in_unit_of(row, own, own.unit or base.unit)
    if any(key in stated for key in LOCATION):
        # Location and spread are replaced together; a mean alone moves the distribution and keeps its SD.
        drop = [key for key in LOCATION if not (key == "sd" and set(LOCATION) & stated.keys() == {"mean"})]
        kept = {key: value for key, value in kept.items() if key not in drop}
    return DistributionTable(**{**kept, **stated})


def _in_unit_of(row: Measured, line: DistributionTable, written: str | None) -> dict[str, Any]:
    """What a line states, with its numbers in the row's unit."""
    stated = {key: value for key, value in line if value is not None}
    if is_trait(row) or written is None:
        return stated

    def number(value: Any) -> Any:
        return [number(v) for v in value] if isinstance(value, list) else convert(value, written, row.unit)

    return {**{key: number(value) for key, value in stated.items() if key != "unit"}, "unit": row.unit}


def read_distribution(line: DistributionTable, at: Place, row: Measured) -> Distribution:
    """Read one line of table 1.

    Arguments:
        line: as written.
        at: its place.
        row: of the table that declares the quantity: name, unit, accepted units, lowest, highest.

    Returns:
        the distribution in the row's unit.

    Raises:
        Refusal: when it has no unit, a wrong one, or cannot be.
    """
    _check_form(line, at, row)
    if line.share is not None:
        return Distribution(share=line.share, unit=row.unit)
    if line.unit is None and not is_plain(row.unit):
        raise at.refuse(f"{row.name}: unit is missing", allowed=listed(row.accepted_units))
    unit = row.unit if line.unit is None else line.unit

    def value(key: str, number: float) -> float:
        return at.at(key).converted(number, unit, row.unit, row=row)

    def known(key: str) -> float | None:
        number = getattr(line, key)
        return None if number is None else value(key, number)

    if line.unit is not None:
        at.at("unit").converted(1.0, unit, row.unit, row=row)
    found = Distribution(
        mean=known("mean"),
        sd=known("sd"),
        median=known("median"),
        iqr=None if line.iqr is None else (value("iqr", line.iqr[0]), value("iqr", line.iqr[1])),
        min=known("min"),
        max=known("max"),
        unit=row.unit,
    )
    _check_possible(found, at, row)
    return found


def _check_form(line: DistributionTable, at: Place, row: Measured) -> None:
    stated = [key for key in LOCATION if getattr(line, key) is not None]
    forms = ([], ["mean"], ["mean", "sd"], ["median", "iqr"], ["share"])
    if stated not in forms:
        allowed = "mean with sd, median with iqr, mean alone, share alone, or only min or max"
        raise at.refuse(f"{row.name}: no distribution", told=" and ".join(stated), allowed=allowed)
    if "share" in stated and not is_trait(row):
        raise at.at("share").refuse(f"{row.name} is a quantity and has no share", allowed="mean, median")
    if is_trait(row) and stated != ["share"]:
        raise at.refuse(f"{row.name} is a yes or no", allowed="share, 0 to 1")
    if "share" in stated and (line.min is not None or line.max is not None or line.unit is not None):
        raise at.refuse(f"{row.name}: a share has no min, max or unit", allowed="share alone")
    if not stated and line.min is None and line.max is None:
        raise at.refuse(f"{row.name}: an empty line", allowed="mean, median with iqr, share, min or max")


def _check_possible(found: Distribution, at: Place, row: Measured) -> None:
    name, unit = row.name, row.unit
    low = -float("inf") if row.lowest is None else row.lowest
    high = float("inf") if row.highest is None else row.highest
    for key in ("mean", "median", "min", "max"):
        number = getattr(found, key)
        if number is not None and not low <= number <= high:
            raise at.at(key).refuse(
                f"{name}: impossible {key}", told=f"{number:g} {unit}", allowed=f"{low:g} to {high:g} {unit}"
            )
    for quartile in found.iqr or ():
        if not low <= quartile <= high:
            raise at.at("iqr").refuse(
                f"{name}: impossible quartile",
                told=f"{quartile:g} {unit}",
                allowed=f"{low:g} to {high:g} {unit}",
            )
    if found.sd is not None and found.sd > (high - low):
        raise at.at("sd").refuse(
            f"{name}: impossible sd", told=f"{found.sd:g} {unit}", allowed=f"less than {high - low:g} {unit}"
        )
    if (
        found.iqr is not None
        and found.median is not None
        and not (found.iqr[0] <= found.median <= found.iqr[1] and found.iqr[0] < found.iqr[1])
    ):
        raise at.refuse(
            f"{name}: quantiles out of order",
            told=f"first quartile {found.iqr[0]:g}, median {found.median:g}, third {found.iqr[1]:g}",
            allowed="increasing",
        )
    if found.min is not None and found.max is not None and found.min >= found.max:
        raise at.refuse(
            f"{name}: min > max" if found.min > found.max else f"{name}: min = max",
            told=f"min {found.min:g}, max {found.max:g}",
            allowed="min below max",
        )
    for key, number in _centre(found):
        if found.min is not None and number <= found.min:
            raise at.refuse(
                f"{name}: {key} not above min", told=f"{number:g}", allowed=f"above {found.min:g} {unit}"
            )
        if found.max is not None and number >= found.max:
            raise at.refuse(
                f"{name}: {key} not below max", told=f"{number:g}", allowed=f"below {found.max:g} {unit}"
            )


def _centre(found: Distribution) -> list[tuple[str, float]]:
    """The numbers of a distribution that lie inside its bounds."""
    lines = [("mean", found.mean), ("median", found.median), *(("quartile", q) for q in found.iqr or ())]
    return [(key, number) for key, number in lines if number is not None]


def is_plain(unit: str) -> bool:
    """Whether a quantity may be written without its unit: points, fractions, ratios."""
    return unit in ("points", "fraction")


def is_trait(row: Measured) -> bool:
    """Whether a row is a yes or no that a share of subjects has."""
    if isinstance(row, Endpoint):
        return row.type == "binary"
    # A covariate has no type; what is a fraction of one subject can only be yes or no.
    return row.unit == "fraction"
