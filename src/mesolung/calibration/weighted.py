"""Weighted quantiles, means and shares: a subject counts by the chance of being seen."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]

# Fewer subjects than this, as effective size, tell no median.
LEAST_EFFECTIVE = 5.0


def quantile(values: Values, weights: Values, p: float) -> float:
    """Take a quantile of weighted values.

    Arguments:
        values: float64[n]; those that are nan count for nothing.
        weights: float64[n], not negative.
        p: probability.

    Returns:
        the value below which the share p of the weight lies, interpolated between mid-points of weight; nan
        without weight.
    """
    use = np.isfinite(values) & (weights > 0)
    if not use.any():
        return float("nan")
    order = np.argsort(values[use], kind="stable")
    v, w = values[use][order], weights[use][order]
    middle = (np.cumsum(w) - 0.5 * w) / w.sum()
    return float(np.interp(p, middle, v))


def median(values: Values, weights: Values) -> float:
    """Take the median of weighted values.

    Arguments:
        values, weights: as `quantile`.

    Returns:
        the median.
    """
    return quantile(values, weights, 0.5)


def mean(values: Values, weights: Values) -> float:
    """Take the mean of weighted values.

    Arguments:
        values, weights: as `quantile`.

    Returns:
        the mean; nan without weight.
    """
    use = np.isfinite(values) & (weights > 0)
    return float(np.average(values[use], weights=weights[use])) if use.any() else float("nan")


def deviation(values: Values, weights: Values) -> float:
    """Take the standard deviation of weighted values.

    Arguments:
        values, weights: as `quantile`.

    Returns:
        the standard deviation of the weighted distribution.
    """
    return float(np.sqrt(mean((values - mean(values, weights)) ** 2, weights)))


def effective(weights: Values) -> float:
    """Effective sample size of weights (Kish 1965).

    Arguments:
        weights: float64[n], not negative.

    Returns:
        between 0 and n.
    """
    total = float(weights.sum())
    return total * total / float((weights * weights).sum()) if total > 0 else 0.0
