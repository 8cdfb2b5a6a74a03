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
) -> NDArray[np.float64]:
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
    interval = library.times[1] - library.times[0]
    lag = max(1, round(YEAR_H / interval))
    if lag >= library.times.size:
        everything = np.full(values.shape, np.nan)
    elif past.counted:
        passed = _events(values - values[:, :, :1], key, past.output, past.share)
        everything = _later(passed[:, :, lag:] - passed[:, :, :-lag], lag)
    else:
        with np.errstate(divide="ignore", invalid="ignore"):
            everything = _later(100.0 * (1.0 - values[:, :, lag:] / values[:, :, :-lag]), lag)
    return everything if draw is None else everything[draw, course, step]


def _later(known: NDArray[np.float64], lag: int) -> NDArray[np.float64]:
    unknown = np.full((*known.shape[:2], lag), np.nan)
    return np.concatenate([unknown, known], axis=2)


def _events(hazard: NDArray[np.float64], key: str, name: str, share: float) -> NDArray[np.float64]:
    """Events that counted since the first moment kept: float64[D, C, T]."""
    draws, courses, _ = hazard.shape
    found = np.zeros(hazard.shape)
    threshold = np.zeros((draws, courses))
    number = 0
    while True:
        u, mark = (
            np.stack([uniforms(key, f"course:{what}:{name}:{number}", d, courses) for d in range(draws)])
            for what in ("event", "mark")
        )
        threshold -= np.log(u)
        came = hazard >= threshold[:, :, None]
        if not came.any():
            return found
        found += came & (mark < share)[:, :, None]
        number += 1


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
