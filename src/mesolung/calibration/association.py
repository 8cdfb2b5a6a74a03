"""How a quantity at baseline goes with an outcome: odds and risk ratios from weighted regressions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

Values = NDArray[np.float64]

ROUNDS = 50
ENOUGH = 1e-10


def odds_ratio(x: Values, chance: Values, weights: Values) -> float:
    """Fit a logistic regression of an outcome on one quantity.

    Arguments:
        x: float64[n], the quantity.
        chance: float64[n], expected outcome of each subject, 0 to 1.
        weights: float64[n], not negative.

    Returns:
        odds ratio for one unit of x; nan when it cannot be estimated.

    Source: iteratively reweighted least squares (McCullagh and Nelder 1989).
    """
    return _slope(x, chance, weights, logistic=True)


def risk_ratio(x: Values, chance: Values, weights: Values) -> float:
    """Fit a log-linear (Poisson) regression of an outcome on one quantity.

    Arguments:
        x, chance, weights: as `odds_ratio`.

    Returns:
        risk ratio for one unit of x; nan when it cannot be estimated.

    Source: as `odds_ratio`; for risks, Zou 2004 Am J Epidemiol.
    """
    return _slope(x, chance, weights, logistic=False)


def _slope(x: Values, chance: Values, weights: Values, *, logistic: bool) -> float:
    use = np.isfinite(x) & np.isfinite(chance) & (weights > 0)
    if use.sum() < 10 or np.ptp(x[use]) == 0.0:
        return float("nan")
    x, y, w = x[use] - np.average(x[use], weights=weights[use]), chance[use], weights[use]
    mean = float(np.average(y, weights=w))
    if not 0.0 < mean < 1.0:
        return float("nan")
    b = np.array([np.log(mean / (1.0 - mean)) if logistic else np.log(mean), 0.0])
    for _ in range(ROUNDS):
        eta = np.clip(b[0] + b[1] * x, -30.0, 30.0 if logistic else 3.0)
        fitted = expit(eta) if logistic else np.exp(eta)
        curve = w * (fitted * (1.0 - fitted) if logistic else fitted)
        gradient = np.array([(w * (y - fitted)).sum(), (w * (y - fitted) * x).sum()])
        hessian = np.array([[curve.sum(), (curve * x).sum()], [(curve * x).sum(), (curve * x * x).sum()]])
        if np.linalg.det(hessian) <= 0:
            return float("nan")
        step = np.linalg.solve(hessian, gradient)
        b = b + step
        if np.abs(step).max() < ENOUGH:
            break
    return float(np.exp(b[1]))


def rate_ratio(events: tuple[Values, Values], time: tuple[Values, Values]) -> float:
    """Pool the ratio of two rates over strata of time.

    Arguments:
        events: float64[strata], expected events of the exposed and of the others.
        time: float64[strata], time at risk of the exposed and of the others.

    Returns:
        Mantel-Haenszel rate ratio; nan when it cannot be estimated.

    Source: Rothman, Greenland and Lash 2008, Modern Epidemiology.
    """
    (d1, d0), (t1, t0) = events, time
    total = np.where(t1 + t0 > 0, t1 + t0, np.inf)
    below = float((d0 * t1 / total).sum())
    return float((d1 * t0 / total).sum()) / below if below > 0 else float("nan")
