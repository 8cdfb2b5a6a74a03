"""Vesicles as a product: particles that arrive, how many are vesicles, what their cargo still does."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from mesolung.biology.tables import Route
from mesolung.product.attributes import share_error
from mesolung.product.factors import factors, risen
from mesolung.product.killed import not_living
from mesolung.product.lot import Lot, product_identity
from mesolung.product.priors import read_priors
from mesolung.product.product import Product
from mesolung.product.quantities import measured
from mesolung.product.received import Profile
from mesolung.streams import normals

REFERENCE_NM = 120.0  # diameter at which product_ev_size is 1
CAPSULE = "encapsulation"
NODES = 15  # of the quadrature over diameters
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
    along = _odds(lot("ev_co_isolates"), lot.shift("ev_co_isolates") + impurity(lot))
    cells = along / lot("particles_per_cell")  # whose protein comes along with one particle
    return Profile(
        per_unit=per_unit,
        viable=lot.all(0.0),
        lysed=lot.all(0.0),
        apoptotic=lot.all(0.0),
        delivered=lot.delivered(route),
        particles=arriving * stored(lot) * vesicle_share(lot),
        soluble={
            name: level * cells * arriving
            for name, level in risen(lot, route).items()
            if factors()[name].isolated
        },
        parameters=vesicle_parameters(lot, lot("ev_cargo_stored")),
        release=released_over(lot),
    )


def impurity(lot: Lot) -> NDArray[np.float64]:
    """Log odds by which protein beside a particle brings dissolved protein: float64[R], 0 unmeasured.

    Arguments:
        lot: the lots.
    """
    found = stated_particles(lot.product, "ug")
    if found is None:
        return lot.all(0.0)
    return -lot("purity_co_isolates") * np.log(found / read_priors()["particles_per_ug"].value)


def vesicle_share(lot: Lot) -> NDArray[np.float64]:
    """Share of the counted particles that are vesicles: float64[R].

    Arguments:
        lot: the lots. At least as many are vesicles as carry the commonest tetraspanin, with the error of it.
    """
    share = _odds(lot("ev_vesicle_share"), lot.shift("ev_vesicle_share"))
    said = lot.product.vesicles
    carried = [measured(v) for v in (said.CD9, said.CD63, said.CD81) if v is not None] if said else []
    if not carried:
        return share
    most = max(carried, key=lambda one: one.value)
    error = normals(lot.seed, f"lot:tetraspanin:{product_identity(lot.product)}", 0, lot.draws.size)
    return np.maximum(share, np.minimum(most.value + share_error(most, "marker_sd") * error, 1.0))


def released_over(lot: Lot) -> NDArray[np.float64] | None:
    """Hours over which a capsule lets go of the vesicles, evenly: float64[R]; None without a capsule.

    Arguments:
        lot: the lots.
    """
    shells = [one for one in lot.product.engineering if one.kind == CAPSULE]
    if not shells:
        return None
    stated = [one.release for one in shells if one.release is not None]
    return lot.all(max(stated)) if stated else lot("capsule_release")


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
        size = said.size / REFERENCE_NM * np.exp(cv * sized)
        own["product_ev_size"] = size if said.size_sd is None else passing(size, said.size_sd / said.size)
    return own


def passing(size: NDArray[np.float64], cv: float) -> NDArray[np.float64]:
    """Find the one diameter that passes mucus as a distribution of diameters does on average.

    Arguments:
        size: float64[R], median diameter, 1 = 120 nm.
        cv: coefficient of variation of the diameters, of a lognormal distribution.

    Returns:
        float64[R]. Passage goes with 1 / (1 + size^3), the law of the model.
    """
    nodes, weights = np.polynomial.hermite_e.hermegauss(NODES)
    sizes = size[:, None] * np.exp(np.sqrt(np.log1p(cv**2)) * nodes)
    mean = (1.0 / (1.0 + sizes**3)) @ (weights / weights.sum())
    return np.cbrt(1.0 / mean - 1.0)
