"""What a visit's measurement differs from what is true that day: standard deviations by endpoint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from mesolung.biology.columns import built_rows, names_of, one_of, required_of, text_of, wrong
from mesolung.biology.rows import Error as Error
from mesolung.reading import Row

COLUMNS = ("endpoint", "quantity", "sd", "unit", "scale", "per", "diseases", "source", "grade", "meaning")
GRADES = ("A", "B", "C")
SCALES = ("linear", "log")


@dataclass(frozen=True)
class Measurement:
    """A row of ``measurement.csv``.

    Attributes:
        error: what a visit adds.
        unit: of the error's standard deviation, "1" on the log scale.
        source, grade: where that comes from, and how sure it is.
        meaning: in words.
    """

    error: Error
    unit: str
    source: str
    grade: str
    meaning: str


@cache
def measurements() -> Mapping[tuple[str, str], Measurement]:
    """Read ``measurement.csv``.

    Returns:
        (endpoint, disease) -> what its visits add.

    Raises:
        Refusal: for a table that cannot be used.
    """
    found: dict[tuple[str, str], Measurement] = {}
    for row, one in built_rows(files("mesolung.biology") / "measurement.csv", COLUMNS, _measurement):
        for disease in names_of(row, "diseases"):
            if (row["endpoint"], disease) in found:
                raise wrong(row, "diseases", f"hold {disease} a second time for {row['endpoint']}")
            found[row["endpoint"], disease] = one
    return MappingProxyType(found)


def _measurement(row: Row) -> Measurement:
    sd, scale = required_of(row, "sd"), one_of(row, "scale", SCALES)
    if sd <= 0:
        raise wrong(row, "sd", "is not above 0")
    text_of(row, "endpoint")
    if scale == "log" and (row["per"] or row["unit"] != "1"):
        raise wrong(row, "unit", "of an error on the log scale is 1, and it is per nothing")
    return Measurement(
        error=Error(text_of(row, "quantity"), sd, scale, row["per"] or None),
        unit=text_of(row, "unit"),
        source=text_of(row, "source"),
        grade=one_of(row, "grade", GRADES),
        meaning=text_of(row, "meaning"),
    )
