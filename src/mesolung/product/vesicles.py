"""Vesicles as a product: particles that arrive, how many are vesicles, what their cargo still does."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mesolung.biology.tables import Route
from mesolung.product.factors import factors, risen
from mesolung.product.killed import not_living
from mesolung.product.lot import Lot
from mesolung.product.received import Profile

PER_UNIT = {"ug": "particles_per_ug", "mL": "particles_per_mL", "cell-equivalents": "particles_per_cell"}


def vesicles(lot: Lot, route: Route, unit: str) -> Profile:
    """Give vesicles.

    Arguments:
        lot: the lots.
        route: row of ``routes.csv``.
        unit: of the dose: "particles", or one that converts to them through the lot.

    Returns:
        the profile; counted are particles. The dissolved protein that came along with them is a term of its
        own, that of the cells that shed so many; small molecules do not come along.
    """
    per_unit = lot("ev_count") if unit == "particles" else lot(PER_UNIT[unit])
    arriving = lot.delivered(route) * lot.absorbed(route)
    cells = lot("ev_co_isolates") / lot("particles_per_cell")  # whose protein comes along with one particle
    return Profile(
        per_unit=per_unit,
        viable=lot.all(0.0),
        lysed=lot.all(0.0),
        apoptotic=lot.all(0.0),
        delivered=lot.delivered(route),
        particles=arriving * lot("ev_stored") * lot("ev_vesicle_share"),
        soluble={
            name: level * cells * arriving
            for name, level in risen(lot, route).items()
            if factors()[name].isolated
        },
        parameters=vesicle_parameters(lot, lot("ev_cargo_stored")),
    )


def vesicle_parameters(lot: Lot, cargo: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """Set the parameters of a product without cells: nothing of what cells do, and what its vesicles do.

    Arguments:
        lot: the lots.
        cargo: float64[R], share of the cargo's activity that is left.

    Returns:
        parameter of module "product" -> float64[R], dimensionless. The potency is that of the vesicles.
    """
    return {**not_living(lot), "product_potency": lot.potency * cargo}
