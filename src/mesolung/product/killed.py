"""Products of cells that are dead when they are given: apoptotic and heat-killed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mesolung.biology.tables import Route
from mesolung.product.living import cell_parameters
from mesolung.product.lot import Lot
from mesolung.product.received import Profile

# What only a living cell does; a dead one that lies in the lung is told apart by what it reprograms alone.
OF_THE_LIVING = (
    "product_potency",
    "product_licensing",
    "product_ev",
    "product_mito",
    "product_contact",
    "product_transformation",
)
REGAINED = ("product_asleep", "product_drift")


def apoptotic(lot: Lot, route: Route, unit: str) -> Profile:
    """Give cells made apoptotic: phagocytes find and engulf them, no living cell comes with them.

    Arguments:
        lot: the lots.
        route: row of ``routes.csv``.
        unit: of the dose, "cells".

    Returns:
        the profile.
    """
    return _dead(lot, route, found=lot("apoptotic_purity"), yielded=lot("apoptotic_yield"))


def heat_killed(lot: Lot, route: Route, unit: str) -> Profile:
    """Give heat-killed cells: engulfed as others are, yet phagocytes learn little from them.

    Arguments and returns: as `apoptotic`.
    """
    return _dead(lot, route, found=lot.all(1.0), yielded=lot("heat_killed_yield"))


def _dead(lot: Lot, route: Route, *, found: NDArray[np.float64], yielded: NDArray[np.float64]) -> Profile:
    own = not_living(lot)
    own["product_efferocytosis"] = own["product_efferocytosis"] * yielded
    nothing = lot.all(0.0)
    return Profile(
        per_unit=lot.all(1.0),
        viable=nothing,
        lysed=nothing,
        apoptotic=found,
        delivered=lot.delivered(route),
        particles=nothing,
        soluble={},
        parameters=own,
    )


def not_living(lot: Lot) -> dict[str, NDArray[np.float64]]:
    """Set the parameters of a product that holds no living cell: nothing of what these do.

    Arguments and returns: as `mesolung.product.living.cell_parameters`.
    """
    return {**cell_parameters(lot), **{name: lot.all(0.0) for name in (*OF_THE_LIVING, *REGAINED)}}
