"""Enrolment: who of the candidates of a library enters a study, and with what weight."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mesolung.population.candidates import Candidates
from mesolung.population.raking import achieved, effective_size, rake, rake_with_ranks, spearman
from mesolung.population.table_one import RankCorrelation, Target

POOL_BINS = 12
# Nobody is enrolled beyond these quantiles of what table 1 describes.
OUTERMOST = 0.002
DRAW_BINS = 3
DRAW_ROUNDS = 12
LEAST_EFFECTIVE_SIZE = 50.0
LARGEST_MISS = 0.1
LARGEST_CORRELATION_MISS = 0.1
BORROWING_WORTH_A_WARNING = 0.25


class CannotEnrol(Exception):
    """Raised when the library has nobody, or too few, like the study's table 1; the text says which line."""


@dataclass(frozen=True)
class Marginal:
    """How one line of table 1 was met: moments in the quantity's unit, ``miss`` in standard deviations."""

    name: str
    unit: str
    requested_mean: float
    requested_sd: float
    achieved_mean: float
    achieved_sd: float
    miss: float


@dataclass(frozen=True)
class Association:
    """How a rank correlation of table 1 was met."""

    first: str
    second: str
    requested: float
    achieved: float


@dataclass(frozen=True)
class Enrolment:
    """The pool of a study arm, weighted to its table 1.

    Attributes:
        candidates: who may be picked.
        members: for each draw the indices into ``candidates``, disease by disease, in library order.
        cumulative: for each draw the cumulative weights of its members, ending at 1.
        effective: effective size of the pool over all draws.
        least: smallest effective size of a used draw's members, after borrowing.
        borrowed: mean share of a draw's weight that comes from neighbouring draws.
        marginals: how each line of table 1 is met by those who are enrolled, over the used draws.
        associations: how each correlation is, likewise.
    """

    candidates: Candidates
    members: tuple[NDArray[np.intp], ...]
    cumulative: tuple[NDArray[np.float64], ...]
    effective: float
    least: float
    borrowed: float
    marginals: tuple[Marginal, ...]
    associations: tuple[Association, ...] = ()

    def pick(
        self, draw: int, u: NDArray[np.float64], disease: NDArray[np.intp] | None = None
    ) -> NDArray[np.intp]:
        """Pick subjects by the inverse of the weighted distribution over courses.

        Arguments:
            draw: parameter draw.
            u: uniform numbers, one a subject; the same numbers serve every arm.
            disease: intp, shape of ``u``: the disease that each subject has; None where there is one.

        Returns:
            intp, shape of ``u``: indices into ``candidates``.
        """
        members, cumulative = self.members[draw], self.cumulative[draw]
        last: NDArray[np.intp] | int = members.size - 1
        if disease is not None:
            # Members stand disease by disease: a subject's own are one stretch of the distribution.
            kinds = self.candidates.disease[members]
            ends = np.searchsorted(kinds, np.arange(int(kinds[-1]) + 1), side="right")
            edges = np.concatenate([[0.0], cumulative[ends - 1]])
            u = edges[disease] + u * (edges[disease + 1] - edges[disease])
            last = ends[disease] - 1
        place = np.searchsorted(cumulative, u, side="right")
        return members[np.minimum(place, last)]


@dataclass(frozen=True)
class _Pool:
    """What raking needs of all candidates: lines, pairs of quantities, and which moments are a course."""

    values: Sequence[NDArray[np.float64]]
    targets: Sequence[Target]
    pairs: Sequence[tuple[NDArray[np.float64], NDArray[np.float64], float]]
    course: NDArray[np.intp]
    disease: NDArray[np.intp]
    diseases: int

    def raked(
        self, weights: NDArray[np.float64], chosen: NDArray[np.intp] | slice, *, bins: int, rounds: int = 60
    ) -> NDArray[np.float64]:
        return rake_with_ranks(
            weights[chosen],
            [v[chosen] for v in self.values],
            self.targets,
            [(a[chosen], b[chosen], rho) for a, b, rho in self.pairs],
            bins=bins,
            rounds=rounds,
        )


def enrol(
    candidates: Candidates,
    targets: Sequence[Target],
    distances: NDArray[np.float64],
    used: Sequence[int] | None = None,
    correlations: Sequence[RankCorrelation] = (),
) -> Enrolment:
    """Weight candidates so that, over the pool and within each draw, they look like table 1.

    Arguments:
        candidates: from `mesolung.population.candidates`.
        targets: marginals of table 1.
        distances: float64[D, D] between draws; a draw whose own candidates weigh less than 50 borrows
            those of its nearest neighbours until they do not.
        used: draws that subjects will be picked from; None for all.
        correlations: of quantities of table 1.

    Returns:
        the enrolment; a draw that is not used has no members.

    Raises:
        CannotEnrol: when the effective size over all draws is below 50, a marginal is missed by more than
            0.1 SD or a correlation by more than 0.1.
    """
    values = [candidates.values[t.name] for t in targets]
    inside = np.ones(candidates.weight.size, bool)
    for v, target in zip(values, targets, strict=True):
        if target.share is None:
            # The outermost bin has no outer edge of its own: one far outlier would move the mean of all.
            low, high = target.quantile(np.array([OUTERMOST, 1.0 - OUTERMOST]))
            # What piles up at a bound, as days of ventilation at 0, belongs to the line.
            inside &= ((v >= low) | (v == target.lowest)) & ((v <= high) | (v == target.highest))
            inside &= (v >= target.lowest) & (v <= target.highest)
    pairs = [(candidates.values[c.first], candidates.values[c.second], c.rho) for c in correlations]
    course = candidates.identity
    diseases = int(candidates.disease.max(initial=0)) + 1
    whole = _Pool(values, targets, pairs, course, candidates.disease, diseases)
    pool = whole.raked(candidates.weight * inside, slice(None), bins=POOL_BINS)
    effective = effective_size(_by_course(course, pool))
    met = [_marginal(t, v, pool) for t, v in zip(targets, values, strict=True)]
    if correlations and not all(line.miss <= LARGEST_MISS for line in met):
        _tell_apart(whole, candidates, candidates.weight * inside, correlations)
    _check(effective, met, _associations(correlations, candidates, pool))

    count = distances.shape[0]
    members = [np.empty(0, np.intp)] * count
    cumulative = [np.empty(0)] * count
    borrowed = []
    enrolled = np.zeros_like(pool)
    least = np.inf
    weighted = np.flatnonzero(pool > 0)
    # Candidates come draw by draw, so each draw's are one stretch.
    by_draw = np.split(weighted, np.searchsorted(candidates.draw[weighted], np.arange(1, count)))
    for d in range(count) if used is None else used:
        chosen, weights = _members_of(d, by_draw, distances[d], pool, whole)
        order = np.lexsort((chosen, candidates.disease[chosen]))
        members[d] = chosen[order]
        cumulative[d] = np.cumsum(weights[order])
        borrowed.append(float(weights[candidates.draw[chosen] != d].sum()))
        enrolled[chosen] += weights
        least = min(least, effective_size(_by_course(course[chosen], weights)))
    enrolled /= enrolled.sum()
    marginals = tuple(_marginal(t, v, enrolled) for t, v in zip(targets, values, strict=True))
    return Enrolment(
        candidates,
        tuple(members),
        tuple(cumulative),
        effective,
        float(least),
        float(np.mean(borrowed)),
        marginals,
        tuple(_associations(correlations, candidates, enrolled)),
    )


def _members_of(
    d: int,
    by_draw: Sequence[NDArray[np.intp]],
    distance: NDArray[np.float64],
    pool: NDArray[np.float64],
    whole: _Pool,
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    # No two draws share a course, so the sums of an effective size add up over draws.
    total = squares = 0.0
    parts: list[NDArray[np.intp]] = []
    chosen, weights = np.empty(0, np.intp), np.empty(0)
    for k in [d, *(int(k) for k in np.argsort(distance, kind="stable") if k != d)]:
        parts.append(by_draw[k])
        own = _by_course(whole.course[by_draw[k]], pool[by_draw[k]])
        total, squares = total + own.sum(), squares + (own * own).sum()
        if total * total < LEAST_EFFECTIVE_SIZE * squares or squares == 0.0:
            continue
        chosen = np.concatenate(parts)
        # Once more within the draw: a site enrols people like its table 1, whatever is true of the disease.
        weights = whole.raked(pool, chosen, bins=DRAW_BINS, rounds=DRAW_ROUNDS)
        # Every disease of a mixture has somebody, whose course its subjects can follow.
        if np.bincount(whole.disease[chosen], minlength=whole.diseases).min() == 0:
            continue
        if effective_size(_by_course(whole.course[chosen], weights)) >= LEAST_EFFECTIVE_SIZE:
            break
    return chosen, weights


def _associations(
    correlations: Sequence[RankCorrelation], candidates: Candidates, weights: NDArray[np.float64]
) -> list[Association]:
    return [
        Association(
            c.first,
            c.second,
            c.rho,
            spearman(candidates.values[c.first], candidates.values[c.second], weights),
        )
        for c in correlations
    ]


def _by_course(course: NDArray[np.intp], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    _, place = np.unique(course, return_inverse=True)
    return np.bincount(place.reshape(-1), weights).astype(np.float64)


def _marginal(target: Target, values: NDArray[np.float64], weights: NDArray[np.float64]) -> Marginal:
    mean, sd = target.moments()
    got_mean, got_sd = achieved(
        (values >= 0.5).astype(float) if target.share is not None else values, weights
    )
    scale = sd if sd > 0 else 1.0
    miss = abs(got_mean - mean) / scale
    return Marginal(target.name, target.unit, mean, sd, got_mean, got_sd, miss)


def _tell_apart(
    whole: _Pool,
    candidates: Candidates,
    weights: NDArray[np.float64],
    correlations: Sequence[RankCorrelation],
) -> None:
    """Refuse correlations that table 1 is missed for, when without them it would be met."""
    plain = rake(weights, whole.values, whole.targets, bins=POOL_BINS)
    _check(np.inf, [_marginal(t, v, plain) for t, v in zip(whole.targets, whole.values, strict=True)], ())
    pairs = _associations(correlations, candidates, plain)
    worst = max(pairs, key=lambda p: abs(p.achieved - p.requested))
    raise CannotEnrol(
        f"{worst.first} and {worst.second}: rank correlation {worst.requested:.2f} asked for, but the "
        f"courses that are like the rest of table 1 have {worst.achieved:.2f} and cannot be weighted so far"
    )


def _check(effective: float, marginals: Sequence[Marginal], associations: Sequence[Association]) -> None:
    for line in marginals:
        if not line.miss <= LARGEST_MISS:
            raise CannotEnrol(
                f"{line.name}: mean {line.requested_mean:.4g} (SD {line.requested_sd:.3g}) asked for, the "
                f"nearest in the library of courses is {line.achieved_mean:.4g} (SD {line.achieved_sd:.3g})"
            )
    for pair in associations:
        if not abs(pair.achieved - pair.requested) <= LARGEST_CORRELATION_MISS:
            raise CannotEnrol(
                f"{pair.first} and {pair.second}: rank correlation {pair.requested:.2f} asked for, the "
                f"nearest in the library of courses is {pair.achieved:.2f}"
            )
    if effective < LEAST_EFFECTIVE_SIZE:
        raise CannotEnrol(
            f"effective pool size {effective:.1f}, at least {LEAST_EFFECTIVE_SIZE:.0f} needed: hardly any "
            "course of this disease looks like this table 1"
        )
