"""The year before a moment of an untreated course: exacerbations that came in it, and what was lost in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mesolung.population.library import Library
from mesolung.streams import uniforms

YEAR_H = 8766.0
EXACERBATION_HAZARD = "HAZ_exacerbation"
Values = NDArray[np.float64]
Places = NDArray[np.intp] | None


@dataclass(frozen=True)
class Past:
    """What of the year before is asked.

    Attributes:
        output: that it is read from: a cumulative hazard, or a quantity.
        counted: whether it is a number of events, else a relative fall in percent.
        share: of the events that count.
    """

    output: str
    counted: bool
    share: float = 1.0


def value_before(
    library: Library, past: Past, key: str, draw: Places, course: Places, step: Places
) -> Values:
    """Read what happened in the year before moments of courses.

    Events of a course come where its cumulative hazard passes sums of exponential numbers of its own, so that
    two moments of one course agree on when they came.

    Arguments:
        library: untreated courses.
        past: what is asked.
        key: of the parameter draws, keys the courses' own numbers.
        draw, course, step: intp[n] places; without them everything is returned.

    Returns:
        float64[n], or float64[D, C, T]: events, or the fall in percent of the level a year before; nan less
        than a year after the first moment that the library keeps.
    """
    values = library.value(past.output)
    draws, courses, steps = values.shape
    lag = max(1, round(YEAR_H / (library.times[1] - library.times[0])))
    if draw is None or course is None or step is None:
        rows = values.reshape(draws * courses, steps)
        numbers = np.divmod(np.arange(draws * courses), courses)
        return _of_rows(rows, *numbers, courses, past, key, lag).reshape(values.shape)
    # Somebody picked twice is looked up once: a year of events costs more than a place.
    pairs, of = np.unique(draw * courses + course, return_inverse=True)
    own = np.divmod(pairs, courses)
    return _of_rows(values[own], *own, courses, past, key, lag)[of, step]


def _of_rows(
    rows: Values,
    draw: NDArray[np.intp],
    course: NDArray[np.intp],
    courses: int,
    past: Past,
    key: str,
    lag: int,
) -> Values:
    """Of courses, float64[n, T], at each moment: float64[n, T]."""
    if lag >= rows.shape[1]:
        return np.full(rows.shape, np.nan)
    if past.counted:
        passed = _events(rows - rows[:, :1], draw, course, courses, key, past)
        known = passed[:, lag:] - passed[:, :-lag]
    else:
        with np.errstate(divide="ignore", invalid="ignore"):
            known = 100.0 * (1.0 - rows[:, lag:] / rows[:, :-lag])
    return np.concatenate([np.full((rows.shape[0], lag), np.nan), known], axis=1)


def _events(
    hazard: Values, draw: NDArray[np.intp], course: NDArray[np.intp], courses: int, key: str, past: Past
) -> Values:
    """Events that counted since the first moment kept: float64[n, T]."""
    found = np.zeros(hazard.shape)
    last, threshold = np.fmax.reduce(hazard, axis=1), np.zeros(hazard.shape[0])
    active, number = np.arange(hazard.shape[0]), 0
    while active.size:
        own = draw[active], course[active]
        threshold[active] -= np.log(_numbers(key, f"course:event:{past.output}:{number}", *own, courses))
        marks = _numbers(key, f"course:mark:{past.output}:{number}", *own, courses)
        counts = marks < past.share
        again = last[active] >= threshold[active]
        active, counts = active[again], counts[again]
        found[active] += (hazard[active] >= threshold[active, None]) & counts[:, None]
        number += 1
    return found


def _numbers(
    key: str, purpose: str, draw: NDArray[np.intp], course: NDArray[np.intp], courses: int
) -> Values:
    """The courses' own numbers of a purpose, float64[n] in (0, 1)."""
    out = np.empty(draw.size)
    for d in np.unique(draw):
        mine = draw == d
        out[mine] = uniforms(key, purpose, int(d), courses)[course[mine]]
    return out


def past_of(severe_share: float) -> Mapping[str, Past]:
    """The names of the year before that a study can choose its subjects by.

    Arguments:
        severe_share: share of exacerbations that bring a subject to hospital.

    Returns:
        name -> what it is.
    """
    counted = Past(EXACERBATION_HAZARD, counted=True)
    return {
        "exacerbations_12_months": counted,
        "exacerbation_rate": counted,
        "hospitalisations_12_months": Past(EXACERBATION_HAZARD, counted=True, share=severe_share),
        "fvc_fall_12_months": Past("fvc", counted=False),
        "fev1_fall_12_months": Past("fev1", counted=False),
    }
