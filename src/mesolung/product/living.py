"""Products given alive: mesenchymal cells, and fibroblasts as their controls."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from mesolung.biology.tables import Route
from mesolung.product.lot import Lot
from mesolung.product.received import Profile

MIST = ("nebulised", "inhaled")  # routes on which cells pass a nebuliser


def cells(lot: Lot, route: Route, unit: str) -> Profile:
    """Give mesenchymal cells.

    Arguments:
        lot: the lots; a viability that the study states is the lot's, at its release, and what happens
            between release and body is drawn all the same.
        route: row of ``routes.csv``.
        unit: of the dose, "cells".

    Returns:
        the profile.
    """
    frozen = bool(lot.product.cryopreserved)
    if lot.product.viability is not None:
        released = lot.all(lot.product.viability)
    else:
        released = lot("viability_cryopreserved" if frozen else "viability_fresh")
    viable = released * np.exp(-lot("hold_loss") * lot("hold_time"))
    if route.name in MIST:
        viable = viable * lot("nebulised_viability")
    odds = np.log(lot("lysis_frozen_odds")) if frozen else 0.0
    lysed = expit(logit(lot("complement_lysis")) + odds) if route.through_blood else lot.all(0.0)
    return Profile(
        per_unit=lot.all(1.0),
        viable=viable,
        lysed=lysed,
        apoptotic=lot("apoptotic_share"),
        delivered=lot.delivered(route),
        particles=lot.all(0.0),
        soluble={},
        parameters=cell_parameters(lot),
    )


def fibroblasts(lot: Lot, route: Route, unit: str) -> Profile:
    """Give fibroblasts: they come and die as mesenchymal cells do, are not licensed, and secrete little.

    Arguments and returns: as `cells`.
    """
    given = cells(lot, route, unit)
    little = lot("control_secretion")
    own = dict(given.parameters)
    for name in ("product_potency", "product_mito", "product_contact"):
        own[name] = own[name] * little
    own["product_efferocytosis"] = own["product_efferocytosis"] * lot("control_yield")
    own["product_licensing"] = lot.all(0.0)
    own["product_ido"] = lot.all(0.0)
    return Profile(
        given.per_unit,
        given.viable,
        given.lysed,
        given.apoptotic,
        given.delivered,
        given.particles,
        given.soluble,
        own,
    )


def cell_parameters(lot: Lot) -> dict[str, NDArray[np.float64]]:
    """Set what the model knows of the cells of a lot.

    Arguments:
        lot: the lots.

    Returns:
        parameter of module "product" -> float64[R], dimensionless, 1 = reference but for shares and switches.
    """
    lag = lot("licensing_frozen_lag") if lot.product.cryopreserved else lot.all(0.0)
    life = lot("licensing_life")
    return {
        "product_potency": lot.potency,
        # A cell that answers only after a lag has that much less of its life in the lung to be licensed.
        "product_licensing": life / (life + lag),
        "product_procoagulant": lot.traits.procoagulant * lot("procoagulant_lot"),
        "product_size": lot("size_lot"),
        "product_loss": lot("loss_lot"),
        "product_efferocytosis": lot("efferocytosis_lot"),
        "product_ev": lot("ev_lot"),
        "product_ev_size": lot("ev_size_lot"),
        "product_mito": lot("mito_lot"),
        "product_contact": lot("contact_lot"),
        "product_aggregates": lot("aggregates"),
        "product_tumour": lot("tumour", lot.product.source),
        "product_hla": lot.all(0.0 if lot.product.autologous else 1.0),
        # What a donor's cells sense of a host of another species is set with the host.
        "product_ido": lot.all(1.0),
        "product_cross_ifng": lot.all(1.0),
        "product_cross_tnf": lot.all(1.0),
        "product_cross_il1": lot.all(1.0),
    }
