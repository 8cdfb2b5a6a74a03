"""How trials of a disease of years are run: visits, drop-out, and which events count as severe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from mesolung.biology.columns import built_rows, one_of, required_of, text_of, wrong
from mesolung.reading import Row
from mesolung.units import UnitError, convert

COLUMNS = ("disease", "name", "value", "unit", "source", "grade", "meaning")
GRADES = ("A", "B", "C")
# Name of a row -> the unit that its value is kept in.
UNITS: Mapping[str, str] = {
    "visit_every": "h",
    "fev1_slope_from": "h",
    "fvc_slope_from": "h",
    "dropout_rate": "1/h",
    "dropout_by_decline": "1",
    "severe_share": "1",
    "admission_share": "1",
}


@dataclass(frozen=True)
class Custom:
    """A row of ``conduct.csv``.

    Attributes:
        value: in the unit that `UNITS` says.
        written, unit: the same as the table has it.
        source, grade: where it comes from, and how sure it is.
        meaning: in words.
    """

    value: float
    written: float
    unit: str
    source: str
    grade: str
    meaning: str


@cache
def conduct() -> Mapping[tuple[str, str], Custom]:
    """Read ``conduct.csv``.

    Returns:
        (disease, name) -> row.

    Raises:
        Refusal: for a table that cannot be used.
    """
    found: dict[tuple[str, str], Custom] = {}
    for row, one in built_rows(files("mesolung.biology") / "conduct.csv", COLUMNS, _custom):
        if (row["disease"], row["name"]) in found:
            raise wrong(row, "name", f"stands twice for {row['disease']}")
        found[row["disease"], row["name"]] = one
    return MappingProxyType(found)


def custom(disease: str, name: str, otherwise: float = 0.0) -> float:
    """Find how trials of a disease do something.

    Arguments:
        disease: of the study.
        name: of `UNITS`.
        otherwise: where the table has no such row.

    Returns:
        the value, in the unit that `UNITS` says.
    """
    row = conduct().get((disease, name))
    return otherwise if row is None else row.value


def _custom(row: Row) -> Custom:
    unit = UNITS[one_of(row, "name", tuple(UNITS))]
    text_of(row, "disease")
    value = written = required_of(row, "value")
    if value < 0:
        raise wrong(row, "value", "is negative")
    try:
        value = value if unit == "1" else convert(value, text_of(row, "unit"), unit)
    except UnitError:
        raise wrong(row, "unit", f"does not convert to {unit}") from None
    said = text_of(row, "source"), one_of(row, "grade", GRADES), text_of(row, "meaning")
    return Custom(value, written, row["unit"], *said)
