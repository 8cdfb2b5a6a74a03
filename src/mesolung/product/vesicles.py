"""Vesicles as a product: particles that arrive, how many are vesicles, what their cargo still does."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from mesolung.biology.tables import Route
from mesolung.product.factors import factors, risen
from mesolung.product.killed import not_living
from mesolung.product.lot import Lot, product_identity
from mesolung.product.priors import read_priors
from mesolung.product.product import Product
from mesolung.product.received import Profile
from mesolung.streams import normals

REFERENCE_NM = 120.0  # diameter at which product_ev_size is 1
FREEZER = -15.0  # C, at or below which a store counts as frozen
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
    per_unit = lot("ev_count") if unit == "particles" else particles_per(lot, unit)
    arriving = lot.delivered(route) * lot.absorbed(route)
    along = _odds(lot("ev_co_isolates"), lot.shift("ev_co_isolates"))
    cells = along / lot("particles_per_cell")  # whose protein comes along with one particle
    return Profile(
        per_unit=per_unit,
        viable=lot.all(0.0),
        lysed=lot.all(0.0),
        apoptotic=lot.all(0.0),
        delivered=lot.delivered(route),
        particles=arriving * stored(lot) * _odds(lot("ev_vesicle_share"), lot.shift("ev_vesicle_share")),
        soluble={
            name: level * cells * arriving
            for name, level in risen(lot, route).items()
            if factors()[name].isolated
        },
        parameters=vesicle_parameters(lot, lot("ev_cargo_stored")),
    )


def particles_per(lot: Lot, unit: str) -> NDArray[np.float64]:
    """Particles in a unit of the dose: float64[R]; by the lot's own count where its file has one.

    Arguments:
        lot: the lots.
        unit: of `PER_UNIT`.
    """
    stated = stated_particles(lot.product, unit)
    if stated is None:
        return lot(PER_UNIT[unit])
    said = lot.product.vesicles
    cv = (said.particles_cv if said else None) or read_priors()["particle_cv"].value
    counted = normals(lot.seed, f"lot:particles:{product_identity(lot.product)}", 0, lot.draws.size)
    return stated * lot("ev_count") * np.exp(cv * counted)


def stated_particles(product: Product, unit: str) -> float | None:
    """Particles in a unit of the dose as the lot file has them; None where it does not say.

    Arguments:
        product: of vesicles.
        unit: of the dose.
    """
    said = product.vesicles
    if said is None or not said.particles:
        return None
    if unit == "ug":
        return said.particles / said.protein if said.protein else None
    return said.particles if unit == "mL" else None


def stored(lot: Lot) -> NDArray[np.float64]:
    """Share of the particles that storage leaves: float64[R]; by time and temperature where these are stated.

    Arguments:
        lot: the lots.
    """
    said = lot.product.vesicles
    if said is None or said.stored is None:
        return lot("ev_stored")
    frozen = said.storage_temperature is not None and said.storage_temperature <= FREEZER
    return np.exp(-lot("ev_decay_frozen" if frozen else "ev_decay_cold") * said.stored)


def _odds(share: NDArray[np.float64], shift: NDArray[np.float64]) -> NDArray[np.float64]:
    return expit(logit(share) + shift) if np.any(shift) else share


def vesicle_parameters(lot: Lot, cargo: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """Set the parameters of a product without cells: nothing of what cells do, and what its vesicles do.

    Arguments:
        lot: the lots.
        cargo: float64[R], share of the cargo's activity that is left.

    Returns:
        parameter of module "product" -> float64[R], dimensionless. The potency is that of the vesicles.
    """
    own = {**not_living(lot), "product_potency": lot.potency * cargo}
    said = lot.product.vesicles
    if said is not None and said.size is not None:
        cv = read_priors()["size_cv"].value
        sized = normals(lot.seed, f"lot:particle size:{product_identity(lot.product)}", 0, lot.draws.size)
        own["product_ev_size"] = said.size / REFERENCE_NM * np.exp(cv * sized)
    return own
