"""One observation scored: log score, CRPS, PIT, intervals, and the Monte-Carlo error of each.

The error comes from leaving out blocks of parameter draws in turn (a jackknife over draws): all studies use
the same draws, so that what is summed over observations is summed block by block, their dependence kept.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from mesolung.calibration.validation.mixtures import (
    binomial_each,
    counted,
    counts_crps,
    events_each,
    log_mixture_by_block,
    normal_crps_by_block,
    sample_crps,
)
from mesolung.study.basis import Basis, error_of, score_of
from mesolung.study.likelihoods import shares
from mesolung.study.observation import Observation
from mesolung.study.scores import DIRECTIONS, Score
from mesolung.trial.contrasts import is_ratio

Values = NDArray[np.float64]
Bools = NDArray[np.bool_]
BLOCKS = 20
# The interval of 50 % and that of 90 %, by the tails that they leave.
LEVELS = {"50": (0.25, 0.75), "90": (0.05, 0.95)}


@dataclass(frozen=True, eq=False)
class Scored:
    """How well one observation was predicted; None where its form has no such number.

    Attributes:
        score: as `mesolung run` gives it, in the endpoint's unit.
        log_scores: float64[1 + K], log score with all draws, then with each block of draws left out.
        crps: float64[1 + K], in the endpoint's unit, events, on the natural log for a ratio, or a ranked
            probability score for a direction.
        pit: probability of less than the observed value, with a random part of its own for counts.
        pit_error: its Monte-Carlo standard error.
        intervals: "50", "90" -> (low, high), of simulated trials.
        inside: "50", "90" -> whether the observed value lies inside, both ends included.
        nominal: "50", "90" -> chance of that if the prediction is right; more than 50 or 90 % for counts.
        flips: "50", "90" -> chance that more draws would say the opposite.
        tail: smaller of the chances of as little and of as much as was observed, twice; of a direction or
            order its probability. The smaller, the more surprising.
    """

    score: Score
    log_scores: Values | None = None
    crps: Values | None = None
    pit: float | None = None
    pit_error: float | None = None
    intervals: dict[str, tuple[float, float]] | None = None
    inside: dict[str, bool] | None = None
    nominal: dict[str, float] | None = None
    flips: dict[str, float] | None = None
    tail: float | None = None


def jackknife_error(values: Values) -> float:
    """Monte-Carlo standard error from values with blocks of draws left out.

    Arguments:
        values: float64[1 + K], the first with all draws.

    Source: Efron and Tibshirani 1993, An Introduction to the Bootstrap, chapter 11.
    """
    left = values[1:]
    if left.size < 2 or not np.all(np.isfinite(left)):
        return float("nan")
    return float(np.sqrt((left.size - 1.0) / left.size * np.sum((left - left.mean()) ** 2)))


def blocks_of(count: int, draws: int) -> tuple[NDArray[np.intp], int]:
    """The block of draws that each entry belongs to, and how many blocks there are.

    Arguments:
        count: entries, by draw or by simulated trial (trial r uses draw r mod ``draws``).
        draws: D.

    Returns:
        intp[count], and K: 20, or D where that is less.
    """
    return (np.arange(count) % max(draws, 1)) % _blocks(draws), _blocks(draws)


def score_briefly(one: Observation, asked: Any, basis: Basis, draws: int) -> Scored:
    """Score an observation by its log score alone.

    Arguments:
        one, asked, basis, draws: as `score_observation`.
    """
    if one.form == "direction":
        return _of_direction(one, asked, basis, score_of(one, asked, basis), draws, 0.5)
    score = score_of(one, asked, basis)
    return Scored(score, log_scores(score, draws))


def score_observation(one: Observation, asked: Any, basis: Basis, draws: int, u: float) -> Scored:
    """Score an observation in every way.

    Arguments:
        one: the observation.
        asked: its endpoint.
        basis: its prediction, moved by a bias or not.
        draws: D.
        u: uniform number that spreads the PIT of a count or direction over its step.
    """
    score = score_of(one, asked, basis)
    if one.form == "order":
        return _of_order(one, asked, basis, score, draws)
    if one.form == "direction":
        return _of_direction(one, asked, basis, score, draws, u)
    if one.form in ("events", "event_count"):
        return _of_counts(one, basis, score, draws, u)
    return _of_value(one, basis, score, draws)


def log_scores(score: Score, draws: int) -> Values | None:
    """Log score of a mixture with all draws, and with each block left out.

    Arguments:
        score: with its terms.
        draws: D.
    """
    terms = score.log_likelihoods
    if terms is None or score.log_score is None:
        return None
    return log_mixture_by_block(terms, *blocks_of(terms.size, draws))


def _of_counts(one: Observation, basis: Basis, score: Score, draws: int, u: float) -> Scored:
    if one.form == "events":
        n = int(one.n or 0)
        share = shares(basis.expected, basis.least)
        known = ~np.isnan(share)
        each, limit, observed = binomial_each(share[known], n), n, float(one.events or 0)
    else:
        known = ~(np.isnan(basis.expected) | np.isnan(basis.spread))
        mean, variance = basis.expected[known], basis.spread[known]
        each, observed = events_each(mean, variance), float(one.event_count or 0)
        top = mean + 20.0 * np.sqrt(np.maximum(variance, mean)) + 20.0
        limit = int(np.max(top, initial=observed))
    if not known.any():
        return Scored(score)
    draw = np.flatnonzero(known)

    ends = each(np.array([observed - 1.0, observed]))
    under, upto = (float(v) for v in ends.mean(axis=0))
    between = ends[:, 0] + u * (ends[:, 1] - ends[:, 0])
    k = counted(limit)
    components = each(k)
    table = components.mean(axis=0)
    intervals, inside, nominal, flips = {}, {}, {}, {}
    for name, (low, high) in LEVELS.items():
        a, b = (min(int(np.searchsorted(table, q * (1.0 - 1e-12))), k.size - 1) for q in (low, high))
        intervals[name] = (float(k[a]), float(k[b]))
        inside[name] = bool(k[a] <= observed <= k[b])
        nominal[name] = float(table[b] - (table[a - 1] if a > 0 else 0.0))
        flips[name] = max(
            _undecided(upto, low, float(ends[:, 1].std()), known.sum()),
            _undecided(under, high, float(ends[:, 0].std()), known.sum()),
        )
    return Scored(
        score,
        log_scores(score, draws),
        _by_block(lambda keep: counts_crps(observed, k, components[keep].mean(axis=0)), draw, draws),
        float(between.mean()),
        float(between.std() / np.sqrt(between.size)),
        intervals or None,
        inside or None,
        nominal or None,
        flips or None,
        float(min(1.0, 2.0 * min(upto, 1.0 - under))),
    )


def kept_all(draw: NDArray[np.intp], left: int, draws: int) -> Bools:
    """Which draws stay: all for ``left`` 0, else those outside block ``left`` - 1.

    Arguments:
        draw: intp[n], numbers of draws.
        left: 0, or 1 + the block that is left out.
        draws: D.
    """
    if left == 0:
        return np.ones(draw.size, bool)
    return (draw % max(draws, 1)) % _blocks(draws) != left - 1


def _blocks(draws: int) -> int:
    return min(BLOCKS, max(draws, 1))


def _undecided(reached: float, level: float, spread: float, count: int) -> float:
    """Chance that the true probability lies on the other side of a level, from its Monte-Carlo error."""
    error = spread / np.sqrt(max(count, 1))
    return float(ndtr(-abs(reached - level) / error)) if error > 0 else 0.0


def _of_value(one: Observation, basis: Basis, score: Score, draws: int) -> Scored:
    """A mean, a median, a contrast or a bare value."""
    log = one.form == "contrast" and is_ratio(str(one.contrast))
    observed = float(score.observed)  # type: ignore[arg-type]
    simulated = basis.simulated
    known = np.isfinite(simulated) & ((simulated > 0) if log else True)
    shown, trial = simulated[known], np.flatnonzero(known)
    target = observed
    if log:
        shown, target = np.log(shown), (float(np.log(observed)) if observed > 0 else -np.inf)
    intervals, inside, nominal, flips = {}, {}, {}, {}
    if shown.size > 1:
        for name, (low, high) in LEVELS.items():
            a, b = (float(q) for q in np.quantile(simulated[known], (low, high)))
            intervals[name], inside[name], nominal[name] = (a, b), a <= observed <= b, high - low
            reached = float(np.mean(shown <= target))
            near = [_undecided(reached, q, float(np.sqrt(q * (1.0 - q))), shown.size) for q in LEVELS[name]]
            flips[name] = max(near)
    error = error_of(one)
    crps, pit, pit_error = None, None, None
    centres = basis.expected
    if error is not None and centres.size:
        usable = np.isfinite(centres) & ((centres > 0) if log else True)
        at, draw = centres[usable], np.flatnonzero(usable)
        at = np.log(at) if log else at
        if at.size:
            each = ndtr((target - at) / error)
            pit, pit_error = float(each.mean()), float(each.std() / np.sqrt(each.size))
            block = (draw % max(draws, 1)) % _blocks(draws)
            crps = normal_crps_by_block(target, at, error, block, _blocks(draws))
    elif one.form == "median" and shown.size > 1:
        each = (shown < target) + 0.5 * (shown == target)
        pit, pit_error = float(each.mean()), float(each.std() / np.sqrt(each.size))
        crps = _by_block(lambda keep: sample_crps(target, shown[keep]), trial, draws)
    tail = None if pit is None else min(1.0, 2.0 * min(pit, 1.0 - pit))
    if tail is None and shown.size > 1:
        low = float(np.mean(shown <= target))
        tail = min(1.0, 2.0 * min(low, 1.0 - low) + 1.0 / shown.size)
    return Scored(
        score,
        log_scores(score, draws),
        crps,
        pit,
        pit_error,
        intervals or None,
        inside or None,
        nominal or None,
        flips or None,
        tail,
    )


def _by_block(of: Callable[[Bools], float], draw: NDArray[np.intp], draws: int) -> Values:
    found = []
    for left in range(_blocks(draws) + 1):
        keep = kept_all(draw, left, draws)
        found.append(of(keep) if keep.sum() > 1 else np.nan)
    return np.array(found)


def _of_direction(one: Observation, asked: Any, basis: Basis, score: Score, draws: int, u: float) -> Scored:
    trial = np.arange(basis.p_values.size)
    found, ranked = [], []
    place = DIRECTIONS.index(str(one.direction))
    for left in range(_blocks(draws) + 1):
        keep = kept_all(trial, left, draws)
        part = score_of(one, asked, replace(basis, p_values=basis.p_values[keep], shifts=basis.shifts[keep]))
        found.append(float(part.log_score or 0.0))
        chance = np.cumsum([part.p_lower or 0.0, part.p_none or 0.0])
        ranked.append(float(np.sum((chance - np.array([place <= 0, place <= 1])) ** 2)))
    chance = np.array([score.p_lower, score.p_none, score.p_higher], dtype=np.float64)
    under = float(chance[:place].sum())
    error = float(np.sqrt(chance[place] * (1.0 - chance[place]) / max(trial.size, 1)))
    pit = under + u * float(chance[place])
    return Scored(score, np.array(found), np.array(ranked), pit, error, tail=float(chance[place]))


def _of_order(one: Observation, asked: Any, basis: Basis, score: Score, draws: int) -> Scored:
    trial = np.arange(next(iter(basis.orders.values())).size)
    found = []
    for left in range(_blocks(draws) + 1):
        keep = kept_all(trial, left, draws)
        part = score_of(one, asked, replace(basis, orders={k: v[keep] for k, v in basis.orders.items()}))
        found.append(float(part.log_score or 0.0))
    return Scored(score, np.array(found), tail=float(np.exp(found[0])))
