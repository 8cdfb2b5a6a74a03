"""Samples that hold a share of what the model follows: a swab of the throat, and what saliva holds of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from mesolung.biology.columns import built_rows, names_of, one_of, required_of, text_of, wrong
from mesolung.reading import Row

SPECIMEN_COLUMNS = ("name", "endpoints", "output", "share", "source", "grade", "meaning")
GRADES = ("A", "B", "C")


@dataclass(frozen=True)
class Specimen:
    """A row of ``specimens.csv``.

    Attributes:
        name: of the sample.
        endpoints: what is measured in it.
        output: of the model, that these are read from.
        share: what a mL of the sample holds, relative to the output.
        source, grade: where that comes from, and how sure it is.
        meaning: in words.
    """

    name: str
    endpoints: tuple[str, ...]
    output: str
    share: float
    source: str
    grade: str
    meaning: str


@cache
def specimens() -> Mapping[str, Specimen]:
    """Read ``specimens.csv``.

    Returns:
        endpoint -> the sample that it is measured in.

    Raises:
        Refusal: for a table that cannot be used.
    """
    found: dict[str, Specimen] = {}
    for row, one in built_rows(files("mesolung.biology") / "specimens.csv", SPECIMEN_COLUMNS, _specimen):
        for name in one.endpoints:
            if name in found:
                raise wrong(row, "endpoints", f"hold {name} a second time")
            found[name] = one
    return MappingProxyType(found)


def _specimen(row: Row) -> Specimen:
    share = required_of(row, "share")
    if share <= 0:
        raise wrong(row, "share", "is not above 0")
    return Specimen(
        name=text_of(row, "name"),
        endpoints=names_of(row, "endpoints"),
        output=text_of(row, "output"),
        share=share,
        source=text_of(row, "source"),
        grade=one_of(row, "grade", GRADES),
        meaning=text_of(row, "meaning"),
    )
