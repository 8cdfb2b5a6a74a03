"""Candidates: untreated courses at the moments at which a study could enrol them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mesolung.biology.disease import Criterion, Onset
from mesolung.population.baseline import Seen
from mesolung.population.table_one import Target
from mesolung.population.twice import HAZARD


@dataclass(frozen=True)
class Candidates:
    """Courses at the moment they could be enrolled, draw by draw, in the one fixed order of the libraries.

    Attributes:
        disease: intp[n], number of the disease among those of the study, sorted by name.
        draw: intp[n], parameter draw of the course.
        course: intp[n], number of the course within its draw and disease.
        step: intp[n], index of the library's times at enrolment.
        weight: float64[n], chance of being alive then.
        values: baseline name -> float64[n].
    """

    disease: NDArray[np.intp]
    draw: NDArray[np.intp]
    course: NDArray[np.intp]
    step: NDArray[np.intp]
    weight: NDArray[np.float64]
    values: Mapping[str, NDArray[np.float64]]

    @property
    def identity(self) -> NDArray[np.intp]:
        """intp[n]; equal numbers are moments of one course."""
        courses, draws = int(self.course.max(initial=0)) + 1, int(self.draw.max(initial=0)) + 1
        return (self.disease * draws + self.draw) * courses + self.course


def find_candidates(
    seen: Seen,
    criteria: Sequence[Criterion],
    baselines: Sequence[str],
    delay_h: NDArray[np.float64],
    onset: Onset,
) -> Candidates:
    """Find each course's first eligible moment, let the delay to enrolment pass, and drop who no longer fits.

    Arguments:
        seen: untreated courses of a disease.
        criteria: bounds to keep, both at the first moment and at enrolment ("those improved drop out").
        baselines: observables and covariates whose values at enrolment are wanted.
        delay_h: float64[draws, courses, K], hours from the first eligible moment to enrolment; a course is
            a candidate at K moments, and counts once in every effective size.
        onset: nobody is enrolled before it.

    Returns:
        the candidates, of disease 0; the chance of having died before is in their weight, not their number.
    """
    library = seen.library
    ok: NDArray[np.bool_] = np.logical_and(~library.failed[:, :, None], library.times >= onset.time_h)
    if onset.observable is not None:
        ok &= np.maximum.accumulate(library.value(onset.observable) > onset.above, axis=2)
    for criterion in criteria:
        values = seen.value(criterion.name)
        ok &= (values >= criterion.lowest) & (values <= criterion.highest)
    first = ok.argmax(axis=2)
    interval = library.times[1] - library.times[0]
    step = first[:, :, None] + np.rint(delay_h / interval).astype(np.intp)
    inside = np.any(ok, axis=2, keepdims=True) & (step < library.times.size)
    draw, course, turn = np.nonzero(inside)
    step = step[draw, course, turn]
    still = ok[draw, course, step]
    draw, course, step = draw[still], course[still], step[still]
    at = {name: seen.value(name, draw, course, step) for name in baselines}
    # What is not known of a moment, as the year before of a course's first, cannot choose anybody.
    known = np.ones(draw.size, np.bool_)
    for values in at.values():
        known &= ~np.isnan(values)
    if not known.all():
        draw, course, step = draw[known], course[known], step[known]
        at = {name: values[known] for name, values in at.items()}
    alive = np.exp(-library.value(HAZARD, draw, course, step))
    return Candidates(np.zeros_like(draw), draw, course, step, alive, at)


def pooled(parts: Sequence[Candidates]) -> Candidates:
    """Put the candidates of several diseases together.

    Arguments:
        parts: one a disease, with the same baseline names.

    Returns:
        all of them, numbered by disease in the order given, draw by draw.
    """
    if len(parts) == 1:
        return parts[0]
    draw = np.concatenate([part.draw for part in parts])
    order = np.argsort(draw, kind="stable")

    def together(arrays: Sequence[NDArray]) -> NDArray:
        return np.concatenate(arrays)[order]

    return Candidates(
        together([np.full_like(part.draw, k) for k, part in enumerate(parts)]),
        draw[order],
        together([part.course for part in parts]),
        together([part.step for part in parts]),
        together([part.weight for part in parts]),
        {name: together([part.values[name] for part in parts]) for name in parts[0].values},
    )


def with_disease_shares(
    candidates: Candidates, shares: Mapping[str, float]
) -> tuple[Candidates, list[Target]]:
    """Make the share of each disease of a mixture one more line of table 1.

    Arguments:
        candidates: from `pooled`.
        shares: disease -> share, in the order of the candidates' numbers.

    Returns:
        the candidates with a yes or no for each disease, and the lines; none for a single disease.
    """
    if len(shares) == 1:
        return candidates, []
    lines = [Target(f"disease {name}", share=share, unit="fraction") for name, share in shares.items()]
    added = {line.name: (candidates.disease == k).astype(float) for k, line in enumerate(lines)}
    return replace(candidates, values={**candidates.values, **added}), lines
