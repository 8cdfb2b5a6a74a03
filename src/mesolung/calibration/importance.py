"""Weights of draws by importance, their tail smoothed; and whether they may be trusted."""

from __future__ import annotations

import math
from dataclasses import dataclass
from importlib import import_module

import numpy as np
from numpy.typing import NDArray

from mesolung.reading import Refusal

Values = NDArray[np.float64]
# Above it the largest weights have no finite mean of use: the draws have to be made anew.
# Source: Vehtari et al. 2024 J Mach Learn Res 25(72), "Pareto smoothed importance sampling".
RELIABLE = 0.7
# With fewer draws in the tail than five no shape can be told; ArviZ takes a fifth of the draws.
LEAST_DRAWS = 25
# A draw that does not allow the data stands this many nats below the best one, which is a weight of 0.
IMPOSSIBLE = 700.0


@dataclass(frozen=True, eq=False)
class Weights:
    """Weights of draws.

    Attributes:
        values: float64[n], sum 1.
        khat: shape of the tail of the raw weights; infinite with fewer than `LEAST_DRAWS` draws, where it
            cannot be told, and -infinite where all weights are equal.
    """

    values: Values
    khat: float

    @property
    def effective(self) -> float:
        """Number of equal draws that they are worth: 1 / sum of squares."""
        return float(1.0 / np.sum(self.values**2))

    @property
    def reliable(self) -> bool:
        """Whether the shape of the tail allows them."""
        return self.khat <= RELIABLE

    @property
    def shape(self) -> float | None:
        """`khat` as a record keeps it: None where it is no finite number."""
        return self.khat if math.isfinite(self.khat) else None


def smoothed(log_weights: Values) -> Weights:
    """Weigh draws, the largest weights smoothed by a generalised Pareto distribution.

    Arguments:
        log_weights: float64[n], natural log, up to a constant; -infinite for a draw that is impossible.

    Returns:
        the weights; equal ones where nothing tells draws apart.

    Raises:
        Refusal: where ArviZ is not installed, or where every draw is impossible.

    Source: Pareto smoothed importance sampling, Vehtari et al. 2024 J Mach Learn Res 25(72), as in ArviZ.
    """
    raw = np.asarray(log_weights, np.float64)
    best = float(np.max(raw, initial=-np.inf))
    if not np.isfinite(best):
        raise Refusal("no draw allows these data", allowed="data that at least one draw allows")
    raw = np.maximum(raw - best, -IMPOSSIBLE)
    if np.ptp(raw) == 0.0:
        return Weights(np.full(raw.size, 1.0 / raw.size), -math.inf)
    arviz = arviz_for_weights()
    logs, khat = arviz.psislw(raw.copy())
    values = np.exp(np.asarray(logs) - np.max(logs))
    return Weights(values / values.sum(), float(khat) if raw.size >= LEAST_DRAWS else math.inf)


def arviz_for_weights():
    """The library that smooths weights.

    Raises:
        Refusal: where it is not installed; whoever needs it asks before anything is run.
    """
    try:
        return import_module("arviz")
    except ImportError as error:
        raise Refusal(
            "arviz is not installed", found=str(error), allowed='pip install "mesolung[fit]"'
        ) from None


def equal_draws(weights: Values, count: int, u: float) -> NDArray[np.intp]:
    """Pick draws by their weights, each as often as its weight says, give or take one.

    Arguments:
        weights: float64[n], sum 1.
        count: how many to pick.
        u: uniform number that starts the comb.

    Returns:
        intp[count], numbers of draws, ascending: copies of a draw stand together. Equal weights pick every
        draw once where as many are picked.

    Source: systematic resampling, Kitagawa 1996 J Comput Graph Stat 5:1, doi 10.1080/10618600.1996.10474692.
    """
    n = weights.size
    if count == n and np.ptp(weights) < 1e-12 / n:
        return np.arange(n, dtype=np.intp)
    places = (np.arange(count) + u) / count
    return np.minimum(np.searchsorted(np.cumsum(weights), places), n - 1).astype(np.intp)
