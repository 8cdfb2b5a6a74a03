"""How cells of each source grow: doubling time, doublings a passage, cells at the start, vesicles shed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from mesolung.biology.columns import named_rows, one_of, required_of, text_of
from mesolung.biology.parameters import GRADES
from mesolung.reading import Row

COLUMNS = (
    "source",
    "doubling_time",
    "spread",
    "doublings_per_passage",
    "start_cells",
    "ev_yield",
    "basis",
    "grade",
)


@dataclass(frozen=True)
class Growth:
    """A row of ``growth.csv``.

    Attributes:
        doubling_time: of a young culture, h.
        spread: SD of its natural logarithm between donors and protocols.
        doublings_per_passage: from one passage to the next.
        start_cells: that the isolation gives.
        ev_yield: vesicles shed by a cell against bone marrow.
        basis, grade: where the numbers come from; ``basis`` begins with "assumed" where there are no data.
    """

    doubling_time: float
    spread: float
    doublings_per_passage: float
    start_cells: float
    ev_yield: float
    basis: str
    grade: str


@cache
def growth() -> Mapping[str, Growth]:
    """Read ``growth.csv``: source -> row.

    Raises:
        Refusal: for a table that cannot be used.
    """
    return named_rows(files("mesolung.product") / "growth.csv", COLUMNS, _growth, "source")


def _growth(row: Row) -> Growth:
    return Growth(
        required_of(row, "doubling_time"),
        required_of(row, "spread"),
        required_of(row, "doublings_per_passage"),
        required_of(row, "start_cells"),
        required_of(row, "ev_yield"),
        text_of(row, "basis"),
        one_of(row, "grade", GRADES),
    )
