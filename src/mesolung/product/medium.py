"""Conditioned medium as a product: factors at once, and the vesicles that the cells shed into it."""

from __future__ import annotations

from mesolung.biology.tables import Route
from mesolung.product.factors import risen
from mesolung.product.lot import Lot
from mesolung.product.received import Profile
from mesolung.product.vesicles import vesicle_parameters

PER_UNIT = {"mL": "cells_per_mL", "ug": "cells_per_ug"}


def conditioned_medium(lot: Lot, route: Route, unit: str) -> Profile:
    """Give conditioned medium.

    Arguments:
        lot: the lots.
        route: row of ``routes.csv``.
        unit: of the dose: "cell-equivalents", or one that converts to them through the lot.

    Returns:
        the profile; counted are the cells that it was made by.
    """
    arriving = lot.delivered(route) * lot.absorbed(route)
    return Profile(
        per_unit=lot.all(1.0) if unit == "cell-equivalents" else lot(PER_UNIT[unit]),
        viable=lot.all(0.0),
        lysed=lot.all(0.0),
        apoptotic=lot.all(0.0),
        delivered=lot.delivered(route),
        particles=arriving * lot("particles_per_cell") * lot("medium_ev_stored") * lot("ev_vesicle_share"),
        soluble={state: level * arriving for state, level in risen(lot, route).items()},
        parameters=vesicle_parameters(lot, lot.all(1.0)),
    )
