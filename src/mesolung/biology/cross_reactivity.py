"""Which cytokines of a host act on a donor's cells, and by which enzyme those cells hold T cells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from mesolung.biology.columns import built_rows, one_of, required_of, text_of, wrong
from mesolung.biology.parameters import GRADES
from mesolung.biology.species import species_names
from mesolung.reading import Row

COLUMNS = ("donor", "host", "ligand", "acts", "source", "grade")
EVERY = "every"
# Ligand of the table -> parameter of the product that it sets.
PARAMETER_OF: Mapping[str, str] = MappingProxyType(
    {
        "IFNG": "product_cross_ifng",
        "TNF": "product_cross_tnf",
        "IL1B": "product_cross_il1",
        "IDO": "product_ido",
    }
)


@dataclass(frozen=True)
class CrossReactivity:
    """A row of ``cross_reactivity.csv``.

    Attributes:
        acts: share of the effect within a species, 0 to 1; for IDO, whether the donor's cells use it.
        source, grade: as in the table of parameters.
    """

    acts: float
    source: str
    grade: str


@cache
def cross_reactivities() -> Mapping[tuple[str, str, str], CrossReactivity]:
    """Read ``cross_reactivity.csv``.

    Returns:
        (donor, host, ligand) -> row; a donor or host may be "every".

    Raises:
        Refusal: for a table that cannot be used.
    """
    found: dict[tuple[str, str, str], CrossReactivity] = {}
    for row, one in built_rows(files("mesolung.biology") / "cross_reactivity.csv", COLUMNS, _row):
        key = (row["donor"], row["host"], row["ligand"])
        if key in found:
            raise wrong(row, "donor", "stands twice with this host and ligand")
        found[key] = one
    return MappingProxyType(found)


def _row(row: Row) -> CrossReactivity:
    for column in ("donor", "host"):
        one_of(row, column, (EVERY, *species_names()))
    one_of(row, "ligand", tuple(PARAMETER_OF))
    acts = required_of(row, "acts")
    if not 0.0 <= acts <= 1.0:
        raise wrong(row, "acts", "is not between 0 and 1")
    return CrossReactivity(acts, text_of(row, "source"), one_of(row, "grade", tuple(GRADES)))


def cross_reactivity(donor: str, host: str) -> dict[str, float]:
    """Tell what a donor's cells sense of a host.

    Arguments:
        donor: species of the cells.
        host: species that they are given to.

    Returns:
        product parameter -> 0 to 1. Within a species everything acts; whether IDO is used is the donor's.

    Raises:
        KeyError: for species of which the table says nothing.
    """
    table = cross_reactivities()
    found = {}
    for ligand, parameter in PARAMETER_OF.items():
        if donor == host and ligand != "IDO":
            found[parameter] = 1.0
            continue
        keys = ((donor, host), (donor, EVERY), (EVERY, EVERY))
        found[parameter] = next(table[d, h, ligand].acts for d, h in keys if (d, h, ligand) in table)
    return found
