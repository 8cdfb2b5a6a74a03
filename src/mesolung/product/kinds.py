"""What the model knows of each type of product, and what stands in for what a study does not say of it."""

from __future__ import annotations

from collections.abc import Mapping
from math import exp

from mesolung.product.killed import apoptotic, heat_killed
from mesolung.product.living import cells, fibroblasts
from mesolung.product.medium import PER_UNIT as MEDIUM_PER_UNIT
from mesolung.product.medium import conditioned_medium
from mesolung.product.priors import read_priors
from mesolung.product.product import Product, ProductType
from mesolung.product.received import Kind
from mesolung.product.vesicles import PER_UNIT as VESICLE_PER_UNIT
from mesolung.product.vesicles import stated_particles, vesicles

LIVE, DYING, PARTICLES = "live_cells_enter", "apoptotic_cells_enter", "particles_enter"
OF_LIVING = ("hold_time", "complement_lysis", "apoptotic_share")
OF_VESICLES = ("ev_stored", "ev_cargo_stored", "ev_vesicle_share", "ev_co_isolates")
OF_MEDIUM = ("conditioning_time", "medium_stored", "medium_ev_stored", "particles_per_cell")
KINDS: Mapping[ProductType, Kind] = {
    "cells": Kind(cells, LIVE, OF_LIVING),
    "control-cells": Kind(fibroblasts, LIVE, (*OF_LIVING, "control_secretion", "control_yield")),
    "apoptotic-cells": Kind(apoptotic, DYING, ("apoptotic_purity", "apoptotic_yield")),
    "heat-killed-cells": Kind(heat_killed, DYING, ("heat_killed_yield",)),
    "ev": Kind(vesicles, PARTICLES, OF_VESICLES),
    "conditioned-medium": Kind(conditioned_medium, PARTICLES, OF_MEDIUM),
}
# Conversions of a dose to what is counted: type -> unit -> prior.
CONVERSIONS: Mapping[ProductType, Mapping[str, str]] = {
    "ev": {"particles": "ev_count", **VESICLE_PER_UNIT},
    "conditioned-medium": MEDIUM_PER_UNIT,
}
COUNTED: Mapping[ProductType, str] = {"ev": "particles", "conditioned-medium": "cell-equivalents"}
# A conversion whose 90 % interval spans more than this is told with the result.
WIDE = 10.0
NINETY = 2.0 * 1.6448536269514722  # width of the 90 % interval of a normal distribution, in its SD


def conversion(kind: ProductType, unit: str, product: Product | None = None) -> tuple[str, float] | None:
    """Find how a dose is converted to what is counted, and how far the conversion spans.

    Arguments:
        kind: type of the product.
        unit: of the dose, "/kg" left out.
        product: whose own file may count its particles.

    Returns:
        the prior, and the upper over the lower end of the 90 % interval of lots; None where nothing is
        converted.
    """
    prior = CONVERSIONS.get(kind, {}).get(unit)
    if prior is None:
        return None
    if product is not None and kind == "ev" and stated_particles(product, unit) is not None:
        prior = "ev_count"
    row = read_priors()[prior]
    spread = (float(row.uncertainty) ** 2 + row.between_lot**2) ** 0.5
    return prior, exp(NINETY * spread)


def stated_priors(product: Product) -> frozenset[str]:
    """Name the priors that the tables of a lot file take the place of.

    Arguments:
        product: validated.
    """
    found = set()
    if product.hold and product.hold.time is not None:
        found.add("hold_time")
    if product.vesicles and product.vesicles.stored is not None:
        found.add("ev_stored")
    return frozenset(found)
