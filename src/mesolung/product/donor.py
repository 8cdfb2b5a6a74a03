"""What the donor's species and kinship set: which of the host's cytokines act, and foreign antigens."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from mesolung.biology.columns import built_rows, named_rows, one_of, required_of, text_of, wrong
from mesolung.biology.parameters import GRADES
from mesolung.product.lot import Lot
from mesolung.reading import Row

DONOR_COLUMNS = ("donor", "ido", "source", "grade")
REACTIVITY_COLUMNS = ("ligand", "host", "donor", "acts", "source", "grade")
LIGANDS = ("ifng", "tnf", "il1")
HUMAN = "human"


@cache
def donors() -> Mapping[str, float]:
    """Read ``donors.csv``.

    Returns:
        species -> 1 where its cells suppress by indoleamine dioxygenase, as human ones do, 0 where by nitric
        oxide.

    Raises:
        Refusal: for a table that cannot be used.
    """
    return named_rows(files("mesolung.product") / "donors.csv", DONOR_COLUMNS, _ido, "donor")


@cache
def reactivity() -> Mapping[tuple[str, str, str], float]:
    """Read ``reactivity.csv``.

    Returns:
        (ligand, host, donor) -> share of its effect that the host's ligand has on the donor's cells. Pairs
        that are not listed, and one species, have 1.

    Raises:
        Refusal: for a table that cannot be used.
    """
    found = {}
    table = files("mesolung.product") / "reactivity.csv"
    for row, acts in built_rows(table, REACTIVITY_COLUMNS, _acts):
        found[row["ligand"], row["host"], row["donor"]] = acts
    return found


def donor_of(species: str | None, host: str) -> str:
    """Say whose cells a product is made of.

    Arguments:
        species: as the study states it; None where it does not.
        host: species of the subjects.

    Returns:
        a species; where it is not stated human, which most products for animals are, too.
    """
    return species or HUMAN


def donor_parameters(lot: Lot, host: str) -> dict[str, NDArray[np.float64]]:
    """Set what the donor decides.

    Arguments:
        lot: the lots.
        host: species of the subjects.

    Returns:
        product_hla (0 for the subject's own cells, else 1), product_ido and product_cross_*, float64[R] each.
    """
    donor = donor_of(lot.product.species, host)
    found = {f"product_cross_{name}": reactivity().get((name, host, donor), 1.0) for name in LIGANDS}
    found["product_hla"] = 0.0 if lot.product.autologous else 1.0
    found["product_ido"] = donors()[donor]
    return {name: lot.all(value) for name, value in found.items()}


def _ido(row: Row) -> float:
    text_of(row, "source")
    one_of(row, "grade", GRADES)
    return _share(row, "ido")


def _acts(row: Row) -> float:
    one_of(row, "ligand", LIGANDS)
    text_of(row, "source")
    one_of(row, "grade", GRADES)
    for column in ("host", "donor"):
        one_of(row, column, tuple(donors()))
    return _share(row, "acts")


def _share(row: Row, column: str) -> float:
    value = required_of(row, column)
    if not 0.0 <= value <= 1.0:
        raise wrong(row, column, "is no share, from 0 to 1")
    return value
