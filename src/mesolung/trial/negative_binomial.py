"""The negative binomial comparison of two samples of counts."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import fminbound
from scipy.special import chdtrc, gammaln, xlogy

from mesolung.trial.outcomes import Floats

# Variance = mean + dispersion * mean^2. Below 1e-6 the distribution is Poisson to within the rounding of
# gammaln.
DISPERSION_RANGE = (1e-6, 1e4)


def negative_binomial_test(first: ArrayLike, second: ArrayLike) -> float:
    """Likelihood-ratio test of equal means with one common dispersion, both hypotheses fitted by likelihood.

    With equal follow-up the best mean of an arm is its sample mean whatever the dispersion (Lawless 1987,
    Can J Stat 15:209), so each fit is a search in one dimension. Where no over-dispersion fits better, the
    Poisson likelihood takes its place.

    Args:
        first: float64[a], counts >= 0, without nan.
        second: float64[b], the same.

    Returns:
        Two-sided p from chi-squared with one degree of freedom; nan when an arm is empty.
    """
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if a.size == 0 or b.size == 0:
        return np.nan
    statistic = 2.0 * (_best_likelihood([a, b]) - _best_likelihood([np.concatenate([a, b])]))
    return float(chdtrc(1.0, max(statistic, 0.0)))


def _best_likelihood(groups: list[Floats]) -> float:
    """The greatest log-likelihood over one dispersion, each group at its own mean, without the y! terms."""
    tables = [np.unique(group, return_counts=True) for group in groups]
    means = [float(group.mean()) for group in groups]
    poisson = sum(
        float(np.sum(times * (xlogy(counts, mean) - mean)))
        for (counts, times), mean in zip(tables, means, strict=True)
    )

    def loss(log_dispersion: float) -> float:
        size = np.exp(-log_dispersion)
        total = 0.0
        for (counts, times), mean in zip(tables, means, strict=True):
            terms = gammaln(counts + size) - gammaln(size) + xlogy(counts, mean / (size + mean))
            total += float(np.sum(times * (terms - size * np.log1p(mean / size))))
        return -total

    low, high = np.log(DISPERSION_RANGE)
    found = fminbound(loss, low, high, xtol=1e-6)
    return max(poisson, -loss(np.asarray(found, dtype=np.float64).item()))
