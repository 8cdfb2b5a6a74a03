"""Times to an event: Kaplan-Meier curves, the log-rank test, the hazard ratio."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtrc

from mesolung.trial.outcomes import Floats


@dataclass(frozen=True, eq=False)
class SurvivalCurve:
    """A Kaplan-Meier curve on a grid of times.

    Attributes:
        time_h: float64[G], hours.
        at_risk: float64[G], subjects with an event or censoring at or after the time (n at time 0).
        deaths: float64[G], events up to and including the time.
        survival: float64[G], estimated share without the event just after the time.
    """

    time_h: Floats
    at_risk: Floats
    deaths: Floats
    survival: Floats


@dataclass(frozen=True, eq=False)
class SurvivalBands:
    """Curves of replicate trials, float64[G]: mean numbers at risk and dead, quantiles of survival."""

    time_h: Floats
    at_risk: Floats
    deaths: Floats
    survival_p05: Floats
    survival_p50: Floats
    survival_p95: Floats


@dataclass(frozen=True)
class LogRank:
    """The comparison of two arms' times to an event.

    Attributes:
        p_value: two-sided log-rank p; nan when an arm is empty, 1 without events.
        observed: events in each arm.
        expected: events expected in each arm under equal hazards.
        hazard_ratio: first arm over second.
        zero_cell: true when the Cox estimate does not exist (an arm without events, or arms that do not
            overlap) and the ratio of observed to expected events with 0.5 added to all four stands in for it.
    """

    p_value: float
    observed: tuple[float, float]
    expected: tuple[float, float]
    hazard_ratio: float
    zero_cell: bool


def kaplan_meier(time: ArrayLike, event: ArrayLike, grid: ArrayLike) -> SurvivalCurve:
    """Product-limit estimate; a subject censored at the time of a death is still at risk then.

    Args:
        time: float64[n], hours of follow-up; nan left out.
        event: bool[n], whether follow-up ended in the event.
        grid: float64[G], hours at which to read the curve, increasing.

    Returns:
        The `SurvivalCurve`; survival is nan when there are no subjects.
    """
    times, died, points = np.asarray(time, np.float64), np.asarray(event, bool), np.asarray(grid, np.float64)
    known = ~np.isnan(times)
    times, died = times[known], died[known]
    ordered = np.sort(times)
    event_times, deaths = np.unique(times[died], return_counts=True)
    at_risk = times.size - np.searchsorted(ordered, event_times, side="left")
    curve = np.concatenate([[1.0 if times.size else np.nan], np.cumprod(1.0 - deaths / at_risk)])
    passed = np.searchsorted(event_times, points, side="right")
    total = np.concatenate([[0.0], np.cumsum(deaths)])
    remaining = times.size - np.searchsorted(ordered, points, side="left")
    return SurvivalCurve(points, remaining.astype(np.float64), total[passed], curve[passed])


def survival_bands(curves: Sequence[SurvivalCurve]) -> SurvivalBands:
    """Summarises one arm's curves over replicate trials on their common grid.

    Args:
        curves: at least one curve, all on the same grid.

    Returns:
        Means of the counts and the 5, 50 and 95 % quantiles of survival at each time.

    Raises:
        ValueError: no curves, or grids that differ.
    """
    if not curves or any(not np.array_equal(curve.time_h, curves[0].time_h) for curve in curves):
        raise ValueError("survival_bands needs at least one curve and the same grid for all")
    survival = np.array([curve.survival for curve in curves])
    kept = survival[~np.isnan(survival).any(axis=1)]
    empty = np.full((3, survival.shape[1]), np.nan)
    low, middle, high = np.quantile(kept, [0.05, 0.5, 0.95], axis=0) if len(kept) else empty
    at_risk = np.mean([curve.at_risk for curve in curves], axis=0)
    deaths = np.mean([curve.deaths for curve in curves], axis=0)
    return SurvivalBands(curves[0].time_h, at_risk, deaths, low, middle, high)


def log_rank(time1: ArrayLike, event1: ArrayLike, time2: ArrayLike, event2: ArrayLike) -> LogRank:
    """Log-rank test and Cox hazard ratio of the first arm over the second.

    The test is Mantel's with the hypergeometric variance; the hazard ratio maximises Cox's partial likelihood
    with Efron's treatment of ties (Efron 1977, JASA 72:557).

    Args:
        time1, time2: float64[a], float64[b], hours of follow-up; nan left out.
        event1, event2: bool[a], bool[b].

    Returns:
        The `LogRank`.
    """
    first, second = _known(time1, event1), _known(time2, event2)
    if first[0].size == 0 or second[0].size == 0:
        return LogRank(np.nan, (0.0, 0.0), (0.0, 0.0), np.nan, False)
    moments = np.unique(np.concatenate([first[0][first[1]], second[0][second[1]]]))
    (n1, d1), (n2, d2) = _counts(*first, moments), _counts(*second, moments)
    n, d = n1 + n2, d1 + d2
    expected = float(np.sum(d * n1 / n))
    variance = float(np.sum(d * (n1 / n) * (n2 / n) * (n - d) / np.maximum(n - 1.0, 1.0)))
    observed = (float(d1.sum()), float(d2.sum()))
    p_value = float(chdtrc(1.0, (observed[0] - expected) ** 2 / variance)) if variance > 0 else 1.0
    wanted = (expected, sum(observed) - expected)
    log_ratio = _cox(n1, n2, d1, d2) if min(observed) > 0 else None
    if log_ratio is not None:
        return LogRank(p_value, observed, wanted, float(np.exp(log_ratio)), False)
    ratio = ((observed[0] + 0.5) / (wanted[0] + 0.5)) / ((observed[1] + 0.5) / (wanted[1] + 0.5))
    return LogRank(p_value, observed, wanted, ratio, True)


def _known(time: ArrayLike, event: ArrayLike) -> tuple[Floats, np.ndarray]:
    times, died = np.asarray(time, np.float64), np.asarray(event, bool)
    known = ~np.isnan(times)
    return times[known], died[known]


def _counts(time: Floats, died: np.ndarray, moments: Floats) -> tuple[Floats, Floats]:
    """Subjects at risk just before each event time, and events at it."""
    at_risk = time.size - np.searchsorted(np.sort(time), moments, side="left")
    deaths = np.bincount(np.searchsorted(moments, time[died]), minlength=moments.size)
    return at_risk.astype(np.float64), deaths.astype(np.float64)


def _cox(n1: Floats, n2: Floats, d1: Floats, d2: Floats) -> float | None:
    """The log hazard ratio by Newton's method, or None when the likelihood has no maximum."""
    deaths = (d1 + d2).astype(np.intp)
    start = np.repeat(np.cumsum(deaths) - deaths, deaths)
    part = (np.arange(start.size) - start) / np.repeat(deaths, deaths)  # 0, 1/d, 2/d ... are gone
    risk1 = np.repeat(n1, deaths) - part * np.repeat(d1, deaths)
    risk2 = np.repeat(n2, deaths) - part * np.repeat(d2, deaths)
    events, beta = float(d1.sum()), 0.0
    for _ in range(50):
        share = risk1 * np.exp(beta) / (risk1 * np.exp(beta) + risk2)
        score, information = events - float(share.sum()), float(np.sum(share * (1.0 - share)))
        if information < 1e-10:
            return None
        # The likelihood is concave; a bounded step keeps Newton from jumping past its maximum.
        step = float(np.clip(score / information, -2.0, 2.0))
        beta += step
        if abs(beta) > 15.0:
            return None
        if abs(step) < 1e-12 * max(1.0, abs(beta)):
            return beta
    return beta
