"""Predictions of published observations, and how well they did.

Arrays over draws (D) hold a draw's expected value, free of sampling noise; arrays over replicates (R) hold
the statistic of a simulated trial with the observation's number of subjects. A nan entry is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import factorial
from operator import itemgetter

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betainc, gammaincc

from mesolung.study.likelihoods import (
    contrast_log_likelihood,
    event_count_log_likelihood,
    events_log_likelihood,
    log_mixture,
    median_log_kernels,
    normal_log_likelihood,
    shares,
)
from mesolung.trial.outcomes import Floats

LEVELS = (0.05, 0.5, 0.95)
DIRECTIONS = ("lower", "none", "higher")


@dataclass(frozen=True)
class Bands:
    """The 5, 50 and 95 % quantiles of a prediction; None without any value."""

    p05: float | None
    p50: float | None
    p95: float | None


@dataclass(frozen=True, eq=False)
class Score:
    """One observation answered: what was predicted and how probable the observed value was.

    Attributes:
        statistic: "events", "mean", "median", "value", "contrast", "event_count", "direction" or "order".
        observed: the published value.
        p05, p50, p95: predictive quantiles of simulated trials in the observation's unit (None: no number).
        inside_90: whether the observed number lies from p05 to p95, both included (None: no number).
        log_score: natural log of the predictive probability or density; None where it is not scored, -inf
            where no draw allows the observed value.
        p_lower, p_none, p_higher: class probabilities of a direction, else None.
        log_likelihoods: float64[D or R], the terms that `log_score` mixes, for `joint_score`; None without.
    """

    statistic: str
    observed: float | str | tuple[str, ...]
    p05: float | None = None
    p50: float | None = None
    p95: float | None = None
    inside_90: bool | None = None
    log_score: float | None = None
    p_lower: float | None = None
    p_none: float | None = None
    p_higher: float | None = None
    log_likelihoods: Floats | None = None

    def as_json(self) -> dict[str, object]:
        """The keys of the result file that a score fills; class probabilities only for a direction."""
        names = ["statistic", "observed", "p05", "p50", "p95", "inside_90", "log_score"]
        if self.p_none is not None:
            names += ["p_lower", "p_none", "p_higher"]
        found = {name: getattr(self, name) for name in names}
        found["observed"] = list(self.observed) if isinstance(self.observed, tuple) else self.observed
        return found


@dataclass(frozen=True)
class Joint:
    """All arms of an endpoint scored together, and the treated arms given the control (None without one)."""

    log_score: float | None
    treated_given_control: float | None


def bands(values: ArrayLike, counts: bool = False) -> Bands:
    """Quantiles over replicates.

    Args:
        values: float64[R]; nan left out.
        counts: keep to values that occur (the smallest with at least that share at or below it), as numbers
            of events do; otherwise linear between order statistics.
    """
    array = np.asarray(values, dtype=np.float64)
    known = array[~np.isnan(array)]
    if known.size == 0:
        return Bands(None, None, None)
    low, middle, high = np.quantile(known, LEVELS, method="inverted_cdf" if counts else "linear")
    return Bands(float(low), float(middle), float(high))


def resampled_places(
    values: ArrayLike, assigned: ArrayLike, n: int, uniforms: ArrayLike, reserve: ArrayLike | None = None
) -> NDArray[np.intp]:
    """Who is in an arm of n evaluable subjects of one replicate, for an observation that states its n.

    Drawn without replacement: from those assigned to the arm while they suffice, and then from the
    replicate's other subjects, who were solved under the arm as well. Drawing a subject twice would make the
    statistic vary as that of a smaller arm.

    Args:
        values: float64[M], what each subject of the replicate records under the arm; nan (not evaluable) is
            taken last, as published n are of evaluable subjects.
        assigned: bool[M], who is assigned to the arm.
        n: subjects wanted.
        uniforms: float64[M]; a subject's own decides whether it is among the n.
        reserve: bool[M], which of the others come before the rest of them; None for all alike.

    Returns:
        intp[n], increasing places among the M; -1 beyond the number of subjects.
    """
    array = np.asarray(values, dtype=np.float64)
    others = ~np.asarray(assigned, dtype=np.bool_)
    later = np.zeros(array.shape, np.bool_) if reserve is None else others & ~np.asarray(reserve, np.bool_)
    order = np.lexsort((np.asarray(uniforms, dtype=np.float64), later, others, np.isnan(array)))
    picked = np.sort(order[:n]).astype(np.intp)
    return np.concatenate([picked, np.full(n - picked.size, -1, np.intp)])


def resample(values: ArrayLike, assigned: ArrayLike, n: int, uniforms: ArrayLike) -> Floats:
    """What an arm of n evaluable subjects of one replicate records.

    Args:
        values, assigned, n, uniforms: as `resampled_places`.

    Returns:
        float64[n]; nan beyond the number of evaluable subjects.
    """
    places = resampled_places(values, assigned, n, uniforms)
    return np.where(places < 0, np.nan, np.asarray(values, dtype=np.float64)[np.maximum(places, 0)])


def score_events(events: int, n: int, expected: ArrayLike, least: ArrayLike = 0.0) -> Score:
    """Subjects with an event: a mixture over draws of Binomial(n, expected), quantiles included.

    Subjects of a trial are drawn independently given the draw, so the number of events in a simulated trial
    of n subjects has exactly this distribution and needs no further simulation.

    Args:
        events: observed, 0 to n.
        n: subjects observed.
        expected: float64[D], expected share with the event.
        least: expected shares are kept from `least` to 1 - `least`. Where they are means of 0/1 values over m
            subjects (ventilation; not death, whose hazard is known), 1 / (2 m): none of m is not impossible.

    Raises:
        ValueError: events outside 0 to n, shares outside 0 to 1.
    """
    share = shares(expected, least)
    terms = events_log_likelihood(events, n, share)
    share = share[~np.isnan(share)]
    found = _binomial_bands(n, share) if share.size else Bands(None, None, None)
    return _number("events", events, found, log_mixture(terms), terms)


def score_mean(
    value: float, standard_error: float | None, expected: ArrayLike, simulated: ArrayLike
) -> Score:
    """A mean: a mixture over draws of Normal(expected, published standard error).

    Args:
        value: the published mean.
        standard_error: as `standard_error` gives it; None: answered, not scored.
        expected: float64[D], expected arm means.
        simulated: float64[R], arm means of simulated trials with the observation's n.
    """
    if standard_error is None:
        return _number("mean", value, bands(simulated), None, None)
    terms = normal_log_likelihood(value, standard_error, expected)
    return _number("mean", value, bands(simulated), log_mixture(terms), terms)


def score_median(value: float, simulated: ArrayLike, scale: str = "linear") -> Score:
    """A median: a kernel density of simulated medians of n subjects; its terms are over replicates.

    Args:
        value: the published median.
        simulated: float64[R], medians of simulated arms with the observation's n.
        scale: the endpoint's scale.
    """
    terms = median_log_kernels(value, simulated, scale)
    return _number("median", value, bands(simulated), log_mixture(terms), terms)


def score_contrast(
    value: float, standard_error: float | None, measure: str, expected: ArrayLike, simulated: ArrayLike
) -> Score:
    """A published contrast: Normal on the natural-log scale for a ratio, on its own scale for a difference.

    Args:
        value: the published contrast.
        standard_error: as `contrast_standard_error` gives it; None: answered, not scored.
        measure: the measure.
        expected: float64[D], expected contrasts.
        simulated: float64[R], estimates of simulated trials with the observation's n.
    """
    if standard_error is None:
        return _number("contrast", value, bands(simulated), None, None)
    terms = contrast_log_likelihood(value, standard_error, measure, expected)
    return _number("contrast", value, bands(simulated), log_mixture(terms), terms)


def score_event_count(count: float, expected: ArrayLike, variance: ArrayLike) -> Score:
    """Events of a whole arm (a subject can have several): a mixture over draws of negative binomials.

    Args:
        count: the published number of events.
        expected: float64[D], expected total of an arm with the observation's n.
        variance: float64[D], the variance of that total (n times the variance between subjects).
    """
    terms = event_count_log_likelihood(count, expected, variance)
    found = _count_bands(np.asarray(expected, np.float64), np.asarray(variance, np.float64))
    return _number("event_count", count, found, log_mixture(terms), terms)


def score_value(value: float, simulated: ArrayLike) -> Score:
    """A number printed without n or spread: answered, not scored.

    Args:
        value: the published number.
        simulated: float64[R], the arm's mean in simulated trials.
    """
    return _number("value", value, bands(simulated), None, None)


def score_direction(direction: str, p_values: ArrayLike, shifts: ArrayLike, alpha: float = 0.05) -> Score:
    """What the trial's own two-sided test would say: lower, none or higher.

    A class's probability is its share of simulated trials with a third of a trial added to each class: a
    class that none of R trials fell in is improbable, not impossible.

    Args:
        direction: the published class, "lower", "none" or "higher".
        p_values: float64[R], p of each simulated trial; nan (not testable) counts as "none".
        shifts: float64[R], -1, 0 or 1: which way the treated arm, or the level against baseline, lies.
        alpha: the trial's significance level.

    Raises:
        ValueError: an unknown direction.
    """
    if direction not in DIRECTIONS:
        raise ValueError(f"direction {direction!r}: expected one of {', '.join(DIRECTIONS)}")
    p, side = np.asarray(p_values, dtype=np.float64), np.asarray(shifts, dtype=np.float64)
    said = np.where(p < alpha, np.nan_to_num(side), 0.0)
    chance = [(float(np.sum(said == way)) + 1.0 / 3.0) / (said.size + 1.0) for way in (-1.0, 0.0, 1.0)]
    score = float(np.log(chance[DIRECTIONS.index(direction)]))
    lower, none, higher = chance
    return Score("direction", direction, log_score=score, p_lower=lower, p_none=none, p_higher=higher)


def score_order(order: Sequence[str], statistics: Mapping[str, ArrayLike], better: str) -> Score:
    """An ordering of arms: the probability that simulated trials show it.

    Tied arms share the orderings that they allow equally, and one trial is spread over all k! orderings, so
    that an ordering which no trial showed is improbable, not impossible.

    Args:
        order: names of arms, best first.
        statistics: name of arm -> float64[R], the arm's statistic in each simulated trial.
        better: "higher" or "lower".
    """
    values = np.array([np.asarray(statistics[name], dtype=np.float64) for name in order])
    values = values[:, ~np.isnan(values).any(axis=0)] * (1.0 if better == "higher" else -1.0)
    steps = np.diff(values, axis=0)
    shown = np.all(steps <= 0, axis=0).astype(np.float64)
    run = np.ones(values.shape[1])
    for step in steps:  # a run of t tied arms allows t! orderings: divide by 2, then 3 ...
        run = np.where(step == 0, run + 1.0, 1.0)
        shown /= run
    chance = (float(shown.sum()) + 1.0 / factorial(len(order))) / (values.shape[1] + 1.0)
    return Score("order", tuple(order), log_score=float(np.log(chance)))


def one_weight(versions: Sequence[ArrayLike]) -> Floats:
    """Terms of several versions of one result, which together weigh as much as one.

    Args:
        versions: float64[D] each, `Score.log_likelihoods` over the same draws.

    Returns:
        float64[D], their average; nan where a version's is.
    """
    return np.mean(np.stack([np.asarray(terms, dtype=np.float64) for terms in versions]), axis=0)


def joint_score(log_likelihoods: Mapping[str, ArrayLike | None], control: str | None) -> Joint:
    """Scores the arms of one endpoint and statistic together: a mixture over draws of products.

    Args:
        log_likelihoods: arm -> float64[D], `Score.log_likelihoods` of its observation, the same draws in
            each.
        control: the control arm; None, or an arm without an observation, gives no conditional score.

    Returns:
        The `Joint`. `treated_given_control` is the log of the ratio of the mixtures with and without the
        treated arms, over the same draws; None when the control has no observation, or is alone or
        impossible.
    """
    # The order of arms in the file must not reach the last digit of the sum: by name.
    scored = [
        (arm, terms) for arm, terms in sorted(log_likelihoods.items(), key=itemgetter(0)) if terms is not None
    ]
    if not scored:
        return Joint(None, None)
    terms = {arm: np.asarray(values, dtype=np.float64) for arm, values in scored}
    total = np.sum(list(terms.values()), axis=0)
    together = log_mixture(total)
    if control not in terms or len(terms) < 2 or together is None:
        return Joint(together, None)
    alone = log_mixture(terms[control][~np.isnan(total)])
    if alone is None or not np.isfinite(alone):
        return Joint(together, None)
    return Joint(together, together - alone)


def _number(
    statistic: str, observed: float, found: Bands, log_score: float | None, terms: Floats | None
) -> Score:
    inside = None if found.p05 is None or found.p95 is None else found.p05 <= observed <= found.p95
    return Score(
        statistic, observed, found.p05, found.p50, found.p95, inside, log_score, log_likelihoods=terms
    )


def _binomial_bands(n: int, share: Floats) -> Bands:
    def cumulative(k: int) -> float:
        # P(X <= k) by the regularised incomplete beta function, averaged over the draws.
        return 1.0 if k >= n else float(np.mean(1.0 - betainc(k + 1.0, float(n - k), share)))

    return Bands(*(_smallest(cumulative, level, n) for level in LEVELS))


def _count_bands(mean: Floats, variance: Floats) -> Bands:
    known = ~(np.isnan(mean) | np.isnan(variance))
    if not known.any():
        return Bands(None, None, None)
    mean, variance = mean[known], variance[known]
    # Beyond this many standard deviations (Chebyshev) less than 0.3 % of any draw remains.
    limit = int(np.max(mean + 20.0 * np.sqrt(np.maximum(variance, mean))) + 20.0)
    over = variance - mean > 1e-9 * np.maximum(mean, 1e-300)
    size = np.where(over, mean**2 / np.where(over, variance - mean, 1.0), 1.0)
    chance = size / (size + mean)

    def cumulative(k: int) -> float:
        return float(np.mean(np.where(over, betainc(size, k + 1.0, chance), gammaincc(k + 1.0, mean))))

    return Bands(*(_smallest(cumulative, level, limit) for level in LEVELS))


def _smallest(cumulative: Callable[[int], float], level: float, limit: int) -> int:
    """The smallest count with at least this probability at or below it, by bisection."""
    low, high = 0, limit
    while low < high:
        middle = (low + high) // 2
        # A quantile that rounding puts a hair above its level would otherwise move by a whole event.
        low, high = (low, middle) if cumulative(middle) >= level * (1.0 - 1e-12) else (middle + 1, high)
    return low
