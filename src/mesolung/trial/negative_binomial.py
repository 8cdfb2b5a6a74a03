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
RATE_STEPS = 30


def negative_binomial_test(
    first: ArrayLike,
    second: ArrayLike,
    first_years: ArrayLike | None = None,
    second_years: ArrayLike | None = None,
) -> float:
    """Likelihood-ratio test of equal means with one common dispersion, both hypotheses fitted by likelihood.

    With equal follow-up the best mean of an arm is its sample mean whatever the dispersion (Lawless 1987,
    Can J Stat 15:209), so each fit is a search in one dimension. Where no over-dispersion fits better, the
    Poisson likelihood takes its place. With unequal follow-up a subject's mean is the arm's rate times its
    years, and the rate that is most likely at a dispersion is found by iteration.

    Args:
        first: float64[a], counts >= 0, without nan.
        second: float64[b], the same.
        first_years, second_years: float64[a] and float64[b] above 0, a subject's follow-up; None for equal.

    Returns:
        Two-sided p from chi-squared with one degree of freedom; nan when an arm is empty.
    """
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if a.size == 0 or b.size == 0:
        return np.nan
    if first_years is not None and second_years is not None:
        years = [np.asarray(first_years, dtype=np.float64), np.asarray(second_years, dtype=np.float64)]
        if np.ptp(np.concatenate(years)) > 0.0:
            apart = _best_with_years(list(zip((a, b), years, strict=True)))
            together = _best_with_years([(np.concatenate([a, b]), np.concatenate(years))])
            return float(chdtrc(1.0, max(2.0 * (apart - together), 0.0)))
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


def _best_with_years(groups: list[tuple[Floats, Floats]]) -> float:
    """As `_best_likelihood`, each subject's mean its group's rate times its years."""

    def likelihood(size: float) -> float:
        total = 0.0
        for counts, years in groups:
            rate = _rate(counts, years, size)
            mean = rate * years
            if np.isinf(size):
                total += float(np.sum(xlogy(counts, mean) - mean))
                continue
            terms = gammaln(counts + size) - gammaln(size) + xlogy(counts, mean / (size + mean))
            total += float(np.sum(terms - size * np.log1p(mean / size)))
        return total

    low, high = np.log(DISPERSION_RANGE)
    found = fminbound(lambda x: -likelihood(float(np.exp(-x))), low, high, xtol=1e-6)
    return max(likelihood(np.inf), likelihood(float(np.exp(-np.asarray(found).item()))))


def _rate(counts: Floats, years: Floats, size: float) -> float:
    """The most likely rate a year at a dispersion: Newton's steps on the logarithm, from the crude rate."""
    rate = float(counts.sum() / years.sum())
    if rate == 0.0 or np.isinf(size):
        return rate
    for _ in range(RATE_STEPS):
        mean = rate * years
        score = float(np.sum((counts - mean) / (1.0 + mean / size)))
        slope = float(np.sum(mean * (1.0 + counts / size) / (1.0 + mean / size) ** 2))
        step = score / slope
        rate *= float(np.exp(np.clip(step, -2.0, 2.0)))
        if abs(step) < 1e-10:
            break
    return rate
