"""What the body receives of a product: living and dying cells, vesicles, factors, and their properties."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mesolung.biology.tables import Route
from mesolung.product.lot import Lot

# Cells in a Gcell, and particles in a Gparticle.
CELLS_PER_GCELL = 1e9


@dataclass(frozen=True)
class Profile:
    """One lot a replicate, as the body meets it by one route.

    What is counted of a product is its cells; of vesicles its particles; of conditioned medium the cells
    that it was made by.

    Attributes:
        per_unit: float64[R], how many of what is counted a unit of the dose holds.
        viable: float64[R], share of the counted cells that are alive when they are given.
        lysed: float64[R], share of the viable cells that complement destroys on contact with blood.
        apoptotic: float64[R], share of the non-viable cells that phagocytes find and engulf.
        delivered: float64[R], share of the cells that arrives where the route puts them.
        particles: float64[R], particles that arrive and act as reference ones, for one that is counted.
        soluble: state -> float64[R], rise of a factor in lung fluid for one that is counted, pM; or, of cells
            that remember an earlier licensing, how many they are, Gcell.
        parameters: model parameters of module "product", each float64[R], dimensionless or 1/h.
        release: float64[R], hours over which a capsule lets go of what was given; None for at once.
    """

    per_unit: NDArray[np.float64]
    viable: NDArray[np.float64]
    lysed: NDArray[np.float64]
    apoptotic: NDArray[np.float64]
    delivered: NDArray[np.float64]
    particles: NDArray[np.float64]
    soluble: Mapping[str, NDArray[np.float64]]
    parameters: Mapping[str, NDArray[np.float64]]
    release: NDArray[np.float64] | None = None


@dataclass(frozen=True)
class Kind:
    """What the model knows of a type of product.

    Attributes:
        profile: (lot, route, unit of the dose) -> what the body receives.
        enters: the column of ``routes.csv`` that its main part takes.
        assumed: priors that stand in for what a study does not state, listed with every run.
    """

    profile: Callable[[Lot, Route, str], Profile]
    enters: str
    assumed: tuple[str, ...]
