"""Raking: weights that make a pool of candidates look like a table 1."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mesolung.population.table_one import Target


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
) -> NDArray[np.float64]:
    """Adjust weights, one marginal after another, until every marginal has its target shares.

    Arguments:
        start: float64[n], weights to begin with.
        values: for each target, float64[n] of the candidates, in its unit.
        targets: marginals to meet.
        bins: bins a marginal.
        rounds: most rounds over all marginals.

    Returns:
        float64[n], summing to 1; all 0 when nobody has weight. A bin without candidates gets no
        weight: whether the marginal was met is measured afterwards, by `achieved`.

    Source: iterative proportional fitting, Deming and Stephan 1940, doi 10.1214/aoms/1177731829.
    """
    weights = start / start.sum() if start.sum() > 0 else np.zeros_like(start)
    members = [bins_of(v, t, bins) for v, t in zip(values, targets, strict=True)]
    for _ in range(rounds):
        largest = 0.0
        for member, target in zip(members, targets, strict=True):
            count = 2 if target.share is not None else bins
            mass = np.bincount(member, weights, minlength=count)
            goal = (
                np.full(count, 1.0 / count)
                if target.share is None
                else np.array([1.0 - target.share, target.share])
            )
            goal = np.where(mass > 0, goal, 0.0)
            factor = np.divide(goal, mass, out=np.zeros(count), where=mass > 0)
            largest = max(largest, float(np.abs(factor[mass > 0] - 1.0).max(initial=0.0)))
            weights = weights * factor[member]
            if weights.sum() > 0:
                weights = weights / weights.sum()
        if largest < 1e-6:
            break
    return weights


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
