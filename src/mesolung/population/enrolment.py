"""Enrolment: who of a library of untreated courses enters a study, when, and with what weight."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mesolung.biology.disease import Criterion, Onset
from mesolung.population.library import COURSES_PER_DRAW, Library
from mesolung.population.raking import achieved, effective_size, rake
from mesolung.population.table_one import Target
from mesolung.population.twice import HAZARD

POOL_BINS = 12
# Nobody is enrolled beyond these quantiles of what table 1 describes.
OUTERMOST = 0.002
DRAW_BINS = 3
DRAW_ROUNDS = 12
LEAST_EFFECTIVE_SIZE = 50.0
LARGEST_MISS = 0.1
BORROWING_WORTH_A_WARNING = 0.25


class CannotEnrol(Exception):
    """Raised when the library has nobody, or too few, like the study's table 1; the text says which line."""


@dataclass(frozen=True)
class Candidates:
    """Courses at the moment they could be enrolled, in the one fixed order of the library.

    Attributes:
        draw: intp[n], parameter draw of the course.
        course: intp[n], number of the course within its draw.
        step: intp[n], index of the library's times at enrolment.
        weight: float64[n], chance of being alive then.
        values: baseline name -> float64[n].
    """

    draw: NDArray[np.intp]
    course: NDArray[np.intp]
    step: NDArray[np.intp]
    weight: NDArray[np.float64]
    values: Mapping[str, NDArray[np.float64]]


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
class Enrolment:
    """The pool of a study arm, weighted to its table 1.

    Attributes:
        candidates: who may be picked.
        members: for each draw the indices into ``candidates``, in library order.
        cumulative: for each draw the cumulative weights of its members, ending at 1.
        effective: effective size of the pool over all draws.
        least: smallest effective size of a used draw's members, after borrowing.
        borrowed: mean share of a draw's weight that comes from neighbouring draws.
        marginals: how each line of table 1 is met by those who are enrolled, over the used draws.
    """

    candidates: Candidates
    members: tuple[NDArray[np.intp], ...]
    cumulative: tuple[NDArray[np.float64], ...]
    effective: float
    least: float
    borrowed: float
    marginals: tuple[Marginal, ...]

    def pick(self, draw: int, u: NDArray[np.float64]) -> NDArray[np.intp]:
        """Pick subjects by the inverse of the weighted distribution over courses.

        Arguments:
            draw: parameter draw.
            u: uniform numbers, one a subject; the same numbers serve every arm.

        Returns:
            intp, shape of ``u``: indices into ``candidates``.
        """
        place = np.searchsorted(self.cumulative[draw], u, side="right")
        return self.members[draw][np.minimum(place, self.members[draw].size - 1)]


def find_candidates(
    library: Library,
    criteria: Sequence[Criterion],
    baselines: Sequence[str],
    delay_h: NDArray[np.float64],
    onset: Onset,
) -> Candidates:
    """Find each course's first eligible moment, let the delay to enrolment pass, and drop who no longer fits.

    Arguments:
        library: untreated courses.
        criteria: bounds to keep, both at the first moment and at enrolment ("those improved drop out").
        baselines: observables and covariates whose values at enrolment are wanted.
        delay_h: float64[draws, courses, K], hours from the first eligible moment to enrolment; a course is
            a candidate at K moments, and counts once in every effective size.
        onset: nobody is enrolled before it.

    Returns:
        the candidates; the chance of having died before is in their weight, not in their number.
    """
    ok: NDArray[np.bool_] = np.logical_and(~library.failed[:, :, None], library.times >= onset.time_h)
    if onset.observable is not None:
        ok &= np.maximum.accumulate(library.value(onset.observable) > onset.above, axis=2)
    for criterion in criteria:
        values = library.value(criterion.name)
        ok &= (values >= criterion.lowest) & (values <= criterion.highest)
    first = ok.argmax(axis=2)
    interval = library.times[1] - library.times[0]
    step = first[:, :, None] + np.rint(delay_h / interval).astype(np.intp)
    inside = np.any(ok, axis=2, keepdims=True) & (step < library.times.size)
    draw, course, turn = np.nonzero(inside)
    step = step[draw, course, turn]
    still = ok[draw, course, step]
    draw, course, step = draw[still], course[still], step[still]
    at = {name: library.value(name, draw, course, step) for name in baselines}
    return Candidates(draw, course, step, np.exp(-library.value(HAZARD, draw, course, step)), at)


def enrol(
    candidates: Candidates,
    targets: Sequence[Target],
    distances: NDArray[np.float64],
    used: Sequence[int] | None = None,
) -> Enrolment:
    """Weight candidates so that, over the pool and within each draw, they look like table 1.

    Arguments:
        candidates: from `find_candidates`.
        targets: marginals of table 1.
        distances: float64[D, D] between draws; a draw whose own candidates weigh less than 50 borrows
            those of its nearest neighbours until they do not.
        used: draws that subjects will be picked from; None for all.

    Returns:
        the enrolment; a draw that is not used has no members.

    Raises:
        CannotEnrol: when the effective size over all draws is below 50 or a marginal is missed by more
            than 0.1 SD.
    """
    values = [candidates.values[t.name] for t in targets]
    inside = np.ones(candidates.weight.size, bool)
    for v, target in zip(values, targets, strict=True):
        if target.share is None:
            # The outermost bin has no outer edge of its own: one far outlier would move the mean of all.
            low, high = target.quantile(np.array([OUTERMOST, 1.0 - OUTERMOST]))
            inside &= (v >= max(low, target.lowest)) & (v <= min(high, target.highest))
    pool = rake(candidates.weight * inside, values, targets, bins=POOL_BINS)
    course = candidates.draw * COURSES_PER_DRAW + candidates.course
    effective = effective_size(_by_course(course, pool))
    _check(effective, [_marginal(t, v, pool) for t, v in zip(targets, values, strict=True)])

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
        chosen, weights = _members_of(d, by_draw, distances[d], pool, course, values, targets)
        order = np.argsort(chosen)
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
    )


def _members_of(
    d: int,
    by_draw: Sequence[NDArray[np.intp]],
    distance: NDArray[np.float64],
    pool: NDArray[np.float64],
    course: NDArray[np.intp],
    values: Sequence[NDArray[np.float64]],
    targets: Sequence[Target],
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    # No two draws share a course, so the sums of an effective size add up over draws.
    total = squares = 0.0
    parts: list[NDArray[np.intp]] = []
    chosen, weights = np.empty(0, np.intp), np.empty(0)
    for k in [d, *(int(k) for k in np.argsort(distance, kind="stable") if k != d)]:
        parts.append(by_draw[k])
        own = _by_course(course[by_draw[k]], pool[by_draw[k]])
        total, squares = total + own.sum(), squares + (own * own).sum()
        if total * total < LEAST_EFFECTIVE_SIZE * squares or squares == 0.0:
            continue
        chosen = np.concatenate(parts)
        # Once more within the draw: a site enrols people like its table 1, whatever is true of the disease.
        weights = rake(pool[chosen], [v[chosen] for v in values], targets, bins=DRAW_BINS, rounds=DRAW_ROUNDS)
        if effective_size(_by_course(course[chosen], weights)) >= LEAST_EFFECTIVE_SIZE:
            break
    return chosen, weights


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


def _check(effective: float, marginals: Sequence[Marginal]) -> None:
    for line in marginals:
        if not line.miss <= LARGEST_MISS:
            raise CannotEnrol(
                f"{line.name}: mean {line.requested_mean:.4g} (SD {line.requested_sd:.3g}) asked for, the "
                f"nearest in the library of courses is {line.achieved_mean:.4g} (SD {line.achieved_sd:.3g})"
            )
    if effective < LEAST_EFFECTIVE_SIZE:
        raise CannotEnrol(
            f"effective pool size {effective:.1f}, at least {LEAST_EFFECTIVE_SIZE:.0f} needed: hardly any "
            "course of this disease looks like this table 1"
        )
