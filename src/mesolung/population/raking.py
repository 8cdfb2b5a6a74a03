"""Raking: weights that make a pool of candidates look like a table 1."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mesolung.population.table_one import Target

# Longest step of a tilt, and turns that follow the ranks as the weights move.
LONGEST_TILT = 0.5
TURNS = 3
# Rounds end when no share and no mean is further from its goal, relative to a share.
CONVERGED = 1e-5


@dataclass(frozen=True)
class Tilt:
    """A product of two centred ranks whose weighted mean is to be ``goal``: a rank correlation.

    Attributes:
        score: float64[n], product of the standardised ranks of two quantities.
        goal: its weighted mean.
    """

    score: NDArray[np.float64]
    goal: float


def effective_size(weights: NDArray[np.float64]) -> float:
    """Effective sample size of a weighted pool (Kish 1965): (sum w)^2 / sum w^2.

    Arguments:
        weights: float64[n], not negative.

    Returns:
        Between 0 (no weight at all) and n.
    """
    total = float(weights.sum())
    return total * total / float((weights * weights).sum()) if total > 0 else 0.0


def bins_of(values: NDArray[np.float64], target: Target, bins: int) -> NDArray[np.intp]:
    """Sort candidates into bins of equal share of the target, that is by rank.

    Arguments:
        values: float64[n], in the target's unit.
        target: the marginal.
        bins: how many; a yes/no line always has two.

    Returns:
        intp[n], bin of each candidate.
    """
    if target.share is not None:
        return (values >= 0.5).astype(np.intp)
    edges = target.quantile(np.arange(1, bins) / bins)
    return np.searchsorted(edges, values).astype(np.intp)


def rake(
    start: NDArray[np.float64],
    values: Sequence[NDArray[np.float64]],
    targets: Sequence[Target],
    *,
    bins: int,
    rounds: int = 60,
    tilts: Sequence[Tilt] = (),
) -> NDArray[np.float64]:
    """Adjust weights, one constraint after another, until every marginal has its target shares.

    Arguments:
        start: float64[n], weights to begin with.
        values: for each target, float64[n] of the candidates, in its unit.
        targets: marginals to meet.
        bins: bins a marginal.
        rounds: most rounds over all marginals.
        tilts: rank correlations to meet besides; each round takes one Newton step of an exponential tilt.

    Returns:
        float64[n], summing to 1; all 0 when nobody has weight. The share of a bin without candidates goes to
        the nearest that has some (values pile up at 0, or nobody is so ill): whether the marginal was met is
        measured afterwards, by `achieved`.

    Source: iterative proportional fitting, Deming and Stephan 1940, doi 10.1214/aoms/1177731829; with tilts
    it is cyclic I-projection, Csiszar 1975, doi 10.1214/aop/1176996454: of all weights that meet the
    constraints the nearest to those at the start.
    """
    result = np.zeros_like(start)
    heavy = np.flatnonzero(start > 0)
    if heavy.size == 0:
        return result
    # Who has no weight at the start never gets any.
    weights = start[heavy] / start[heavy].sum()
    tilts = [Tilt(tilt.score[heavy], tilt.goal) for tilt in tilts]
    members = [bins_of(v[heavy], t, bins) for v, t in zip(values, targets, strict=True)]
    goals = [_goal(m, t, weights, bins) for m, t in zip(members, targets, strict=True)]
    for _ in range(rounds):
        largest = 0.0
        for member, goal in zip(members, goals, strict=True):
            mass = np.bincount(member, weights, minlength=goal.size)
            factor = np.divide(goal, mass, out=np.zeros(goal.size), where=mass > 0)
            largest = max(largest, float(np.abs(factor[mass > 0] - 1.0).max(initial=0.0)))
            weights = weights * factor[member]
        total = weights.sum()
        if not total > 0:
            return result
        weights /= total
        for tilt in tilts:
            weights, off = _tilted(weights, tilt)
            largest = max(largest, off)
        if largest < CONVERGED:
            break
    result[heavy] = weights
    return result


def _goal(
    member: NDArray[np.intp], target: Target, weights: NDArray[np.float64], bins: int
) -> NDArray[np.float64]:
    """Share of each bin that somebody is in."""
    if target.share is not None:
        there = np.bincount(member, weights, minlength=2) > 0
        return np.where(there, [1.0 - target.share, target.share], 0.0)
    there = np.flatnonzero(np.bincount(member, weights, minlength=bins) > 0)
    if there.size == 0:
        return np.zeros(bins)
    nearest = there[np.abs(np.arange(bins)[:, None] - there).argmin(axis=1)]
    return np.bincount(nearest, minlength=bins) / bins


def _tilted(weights: NDArray[np.float64], tilt: Tilt) -> tuple[NDArray[np.float64], float]:
    """Weights after a Newton step of an exponential tilt, and how far the mean had been from its goal."""
    # Not by a library's dot product, whose rounding may follow the number of its threads.
    parts = weights * tilt.score
    mean = float(parts.sum())
    variance = float((parts * tilt.score).sum()) - mean * mean
    if variance <= 0.0:
        return weights, 0.0
    step = float(np.clip((tilt.goal - mean) / variance, -LONGEST_TILT, LONGEST_TILT))
    weights = weights * np.exp(step * tilt.score)
    return weights / weights.sum(), abs(tilt.goal - mean)


def rake_with_ranks(
    start: NDArray[np.float64],
    values: Sequence[NDArray[np.float64]],
    targets: Sequence[Target],
    pairs: Sequence[tuple[NDArray[np.float64], NDArray[np.float64], float]],
    *,
    bins: int,
    rounds: int = 60,
) -> NDArray[np.float64]:
    """Rake to marginals and to Spearman correlations together.

    Arguments:
        start, values, targets, bins, rounds: as `rake`.
        pairs: (values float64[n], values float64[n], Spearman correlation) of quantities.

    Returns:
        float64[n], summing to 1; whether each correlation was met is measured afterwards, by `spearman`.
    """
    weights = rake(start, values, targets, bins=bins, rounds=rounds)
    if not pairs or not weights.any():
        return weights
    goals = [rho for _, _, rho in pairs]
    for _ in range(TURNS):
        # Ranks belong to the weights, which the tilt moves: each turn starts where the last one ended, and
        # aims beside the goal by what the last one missed.
        scores = [_score(a, b, weights) for a, b, _ in pairs]
        tilts = [Tilt(score, goal) for score, goal in zip(scores, goals, strict=True)]
        weights = rake(weights, values, targets, bins=bins, rounds=rounds, tilts=tilts)
        missed = [rho - spearman(a, b, weights) for a, b, rho in pairs]
        if max(map(abs, missed)) < 0.005:
            break
        goals = [float(np.clip(g + m, -1.0, 1.0)) for g, m in zip(goals, missed, strict=True)]
    return weights


def spearman(a: NDArray[np.float64], b: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    """Weighted rank correlation.

    Arguments:
        a, b: float64[n].
        weights: float64[n], summing to 1.

    Returns:
        Spearman's rho, mid-ranks for ties; nan when one of the two does not vary.
    """
    x, y = _ranks(a, weights), _ranks(b, weights)
    if x is None or y is None:
        return float("nan")
    return float((weights * x * y).sum())


def _score(
    a: NDArray[np.float64], b: NDArray[np.float64], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    x, y = _ranks(a, weights), _ranks(b, weights)
    return np.zeros_like(weights) if x is None or y is None else x * y


def _ranks(values: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Weighted mid-ranks with mean 0 and variance 1; None when they do not vary."""
    _, place = np.unique(values, return_inverse=True)
    place = place.reshape(-1)
    mass = np.bincount(place, weights)
    rank = (np.cumsum(mass) - 0.5 * mass)[place]
    rank = rank - (weights * rank).sum()
    deviation = float(np.sqrt((weights * rank * rank).sum()))
    return rank / deviation if deviation > 1e-12 else None


def achieved(values: NDArray[np.float64], weights: NDArray[np.float64]) -> tuple[float, float]:
    """Weighted mean and standard deviation of what was enrolled.

    Arguments:
        values: float64[n].
        weights: float64[n], summing to 1.

    Returns:
        (mean, standard deviation), in the unit of ``values``.
    """
    mean = float(np.dot(weights, values))
    return mean, float(np.sqrt(max(np.dot(weights, (values - mean) ** 2), 0.0)))
