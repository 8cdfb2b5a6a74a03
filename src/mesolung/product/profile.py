"""What the body receives: from a product's description to cells, vesicles, factors and their properties."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mesolung.biology.tables import LUNG, Route
from mesolung.product.kinds import KINDS
from mesolung.product.lot import Lot
from mesolung.product.lot import product_identity as product_identity
from mesolung.product.priors import Laboratory
from mesolung.product.product import Product
from mesolung.product.received import Profile as Profile

# Beside the cells that it is to act on: nothing is lost on a way, and there is no complement.
BESIDE = Route(
    name="beside",
    live_cells_enter="",
    apoptotic_cells_enter=None,
    particles_enter="",
    soluble_enter=LUNG,
    delivered=1.0,
    absorbed=1.0,
    through_blood=False,
    source="assumed: put there",
    grade="C",
    meaning="beside the cells that it acts on",
)


def lot_profile(
    product: Product,
    *,
    key: str,
    draws: NDArray[np.intp],
    seed: int,
    route: Route | None = None,
    in_blood: bool | None = None,
    unit: str = "cells",
    typical: Mapping[str, NDArray[np.float64]] | None = None,
    laboratory: Laboratory | None = None,
) -> Profile:
    """Draw the lots that the replicates of a study give.

    Arguments:
        product: a product of a type in `KINDS`.
        key: of the parameter draws, keys the typical values.
        draws: intp[R], parameter draw of each replicate.
        seed: the study's seed.
        route: row of ``routes.csv``; None for a product that is put beside the cells it acts on.
        in_blood: whether cells meet complement on their way; None for what the route says.
        unit: of the dose, "/kg" left out.
        typical: parameter of the model -> float64[D], its typical value in each draw; without it a product
            has no dissolved factors.
        laboratory: what the laboratory's own lots say of a property; None for the tables alone.

    Returns:
        the profile, arrays of length R. A viability that the study states is the lot's, at its release;
        what happens between release and body is drawn all the same.

    Raises:
        KeyError: for a type without profile, or a unit that its dose cannot have.

    Source: product-side laws in docs/product.md; numbers in ``priors.csv`` and ``sources.csv``.
    """
    way = BESIDE if route is None else route
    if in_blood is not None:
        way = replace(way, through_blood=in_blood)
    lot = Lot(product, key, draws, seed, {} if typical is None else typical, laboratory or {})
    return KINDS[product.type].profile(lot, way, unit)
