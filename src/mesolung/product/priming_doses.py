"""How far the dose and the time of a priming bring its effect, against the usual ones."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from mesolung.biology.columns import built_rows, number_of, one_of, required_of, text_of, wrong
from mesolung.biology.parameters import GRADES
from mesolung.product.described import Priming
from mesolung.reading import Row

COLUMNS = ("what", "agent", "unit", "half_dose", "usual_dose", "half_time", "usual_time", "source", "grade")
ANY = "any other"
# Units of a dose against ng/mL; a dose in any other moves nothing, and the card says so.
MASS = {"pg/mL": 1e-3, "ng/mL": 1.0, "ug/L": 1.0, "ug/mL": 1e3, "mg/L": 1e3}
_DOSE = re.compile(r"\s*(\d+(?:\.\d+)?(?:e[+-]?\d+)?)\s*([a-zµμ]+/[a-z]+)\s*", re.IGNORECASE)


@dataclass(frozen=True)
class Saturation:
    """A row of ``priming_doses.csv``.

    Attributes:
        half_dose, usual_dose: ng/mL, dose of half the effect, and that of the collected reports; None where
            no dose is told apart.
        half_time, usual_time: h, the same of its time.
        source, grade: where it comes from.
    """

    half_dose: float | None
    usual_dose: float | None
    half_time: float
    usual_time: float
    source: str
    grade: str


@cache
def saturations() -> Mapping[tuple[str, str], Saturation]:
    """Read ``priming_doses.csv``: (kind, agent) -> row.

    Raises:
        Refusal: for a table that cannot be used.
    """
    found: dict[tuple[str, str], Saturation] = {}
    for row, (key, one) in built_rows(files("mesolung.product") / "priming_doses.csv", COLUMNS, _saturation):
        if key in found:
            raise wrong(row, "agent", "stands twice")
        found[key] = one
    return MappingProxyType(found)


def _saturation(row: Row) -> tuple[tuple[str, str], Saturation]:
    doses = (number_of(row, "half_dose"), number_of(row, "usual_dose"))
    times = (required_of(row, "half_time"), required_of(row, "usual_time"))
    if any(value is not None and value <= 0.0 for value in (*doses, *times)):
        raise wrong(row, "half_time", "is not above 0")
    return (text_of(row, "what"), text_of(row, "agent")), Saturation(
        *doses, *times, text_of(row, "source"), one_of(row, "grade", GRADES)
    )


def priming_dose(one: Priming) -> float | None:
    """The dose of a priming in ng/mL; None where none is stated, or in a unit of no mass in a volume."""
    match = _DOSE.fullmatch(one.dose or "")
    if match is None:
        return None
    unit = re.sub("[µμ]", "u", match[2])
    factor = next((f for name, f in MASS.items() if name.casefold() == unit.casefold()), None)
    return None if factor is None else float(match[1]) * factor


def priming_strength(one: Priming) -> float:
    """How many times over a priming acts as it usually does.

    Arguments:
        one: of the lot file.

    Returns:
        1 where neither dose nor time is stated, or the table tells neither apart; else the product of
        (x / (x + half)) / (usual / (usual + half)) of what is stated.
    """
    row = _row(one)
    if row is None:
        return 1.0
    times = 1.0
    dose = priming_dose(one)
    if dose is not None and row.half_dose is not None and row.usual_dose is not None:
        times *= _part(dose, row.half_dose) / _part(row.usual_dose, row.half_dose)
    if one.time is not None:
        times *= _part(one.time, row.half_time) / _part(row.usual_time, row.half_time)
    return times


def is_dose_used(one: Priming) -> bool:
    """Tell whether a stated dose moves anything."""
    row = _row(one)
    return row is not None and row.half_dose is not None and priming_dose(one) is not None


def _row(one: Priming) -> Saturation | None:
    rows = saturations()
    return rows.get((one.kind, one.agent or ANY)) or rows.get((one.kind, ANY))


def _part(value: float, half: float) -> float:
    return value / (value + half)
