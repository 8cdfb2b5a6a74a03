"""Dissolved factors of what cells have conditioned: what they secrete in the body, made outside of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from mesolung.biology.columns import named_rows, one_of, text_of, yes_of
from mesolung.biology.parameters import GRADES
from mesolung.biology.tables import Route
from mesolung.product.lot import Lot
from mesolung.product.received import CELLS_PER_GCELL
from mesolung.reading import Row

COLUMNS = ("state", "secretion", "isolated", "source", "grade", "meaning")
RESTING = "secretion_resting"


@dataclass(frozen=True)
class Factor:
    """A row of ``factors.csv``.

    Attributes:
        secretion: model parameter of how much licensed cells secrete into the fluid of the whole lung.
        isolated: whether some of it comes along when vesicles are isolated.
        source, grade: why it is listed; the amount stands with the model's parameter.
        meaning: what it is.
    """

    secretion: str
    isolated: bool
    source: str
    grade: str
    meaning: str


@cache
def factors() -> Mapping[str, Factor]:
    """Read ``factors.csv``: state -> row; kynurenine is none, as cells that are not licensed make none.

    Raises:
        Refusal: for a table that cannot be used.
    """
    return named_rows(files("mesolung.product") / "factors.csv", COLUMNS, _factor, "state")


def risen(lot: Lot, route: Route) -> dict[str, NDArray[np.float64]]:
    """Work out how far the medium that one cell conditioned raises each factor in lung fluid.

    Arguments:
        lot: the lots; its typical values give the secretion.
        route: says whether it comes through the blood, from which little reaches lung fluid.

    Returns:
        state -> float64[R], in the state's unit, for all of it given at once. Cells of a culture are not
        licensed, and secrete as resting ones do in the body; a table of parameters without a factor's
        secretion leaves that factor out.
    """
    there = lot("conditioning_time") * lot("medium_stored") * lot.potency / CELLS_PER_GCELL
    if not route.airway:
        there = there * lot("soluble_from_blood")
    return {
        state: there * lot.parameter(row.secretion) * lot.parameter(RESTING)
        for state, row in factors().items()
        if row.secretion in lot.typical and RESTING in lot.typical
    }


def _factor(row: Row) -> Factor:
    return Factor(
        text_of(row, "secretion"),
        yes_of(row, "isolated"),
        text_of(row, "source"),
        one_of(row, "grade", GRADES),
        text_of(row, "meaning"),
    )
