"""How a quantity at baseline goes with an outcome: odds and risk ratios from weighted regressions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

Values = NDArray[np.float64]
Strata = NDArray[np.intp]

ROUNDS = 50
ENOUGH = 1e-10
LEAST = 10


def odds_ratio(x: Values, chance: Values, weights: Values, stratum: Strata | None = None) -> float:
    """Fit a logistic regression of an outcome on one quantity, within strata.

    Arguments:
        x: float64[n], the quantity.
        chance: float64[n], expected outcome of each subject, 0 to 1.
        weights: float64[n], not negative.
        stratum: intp[n], subjects are compared with those of their own stratum; None for one stratum.

    Returns:
        odds ratio for one unit of x; nan when it cannot be estimated.

    Source: iteratively reweighted least squares (McCullagh and Nelder 1989).
    """
    return _slope(x, chance, weights, stratum, logistic=True)


def risk_ratio(x: Values, chance: Values, weights: Values, stratum: Strata | None = None) -> float:
    """Fit a log-linear (Poisson) regression of an outcome on one quantity, within strata.

    Arguments:
        x, chance, weights, stratum: as `odds_ratio`.

    Returns:
        risk ratio for one unit of x; nan when it cannot be estimated.

    Source: as `odds_ratio`; for risks, Zou 2004 Am J Epidemiol.
    """
    return _slope(x, chance, weights, stratum, logistic=False)


def within_strata(x: Values, weights: Values, stratum: Strata) -> tuple[Values, Values]:
    """Take means within strata away.

    Arguments:
        x: float64[n].
        weights: float64[n], not negative.
        stratum: intp[n].

    Returns:
        float64[n] deviations from the stratum's weighted mean, and float64[n] that mean; nan without weight.
    """
    _, place = np.unique(stratum, return_inverse=True)
    known = np.where(np.isfinite(x), weights, 0.0)
    total = np.bincount(place, known)
    sums = np.bincount(place, known * np.nan_to_num(x))
    mean = np.divide(sums, total, out=np.full(total.size, np.nan), where=total > 0)[place]
    return x - mean, mean


def _slope(x: Values, chance: Values, weights: Values, stratum: Strata | None, *, logistic: bool) -> float:
    stratum = np.zeros(x.size, np.intp) if stratum is None else stratum
    x, _ = within_strata(x, weights, stratum)
    _, share = within_strata(chance, weights, stratum)
    use = np.isfinite(x) & np.isfinite(chance) & (weights > 0) & (share > 0.0) & (share < 1.0)
    if use.sum() < LEAST or np.ptp(x[use]) == 0.0:
        return float("nan")
    x, y, w, share = x[use], chance[use], weights[use], share[use]
    # Each stratum has an intercept near its own share; what is common to all is fitted.
    offset = np.log(share / (1.0 - share)) if logistic else np.log(share)
    b = np.zeros(2)
    for _ in range(ROUNDS):
        eta = np.clip(offset + b[0] + b[1] * x, -30.0, 30.0 if logistic else 3.0)
        fitted = expit(eta) if logistic else np.exp(eta)
        curve = w * (fitted * (1.0 - fitted) if logistic else fitted)
        gradient = np.array([(w * (y - fitted)).sum(), (w * (y - fitted) * x).sum()])
        hessian = np.array([[curve.sum(), (curve * x).sum()], [(curve * x).sum(), (curve * x * x).sum()]])
        if np.linalg.det(hessian) <= 0:
            return float("nan")
        step = np.linalg.solve(hessian, gradient)
        b = b + step
        if np.abs(step).max() < ENOUGH:
            return float(np.exp(b[1]))
    return float("nan")


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
