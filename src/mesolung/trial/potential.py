"""Potential outcomes: every subject solved under an arm, whether or not it will be assigned to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mesolung.engine import CompiledModel, EventTable, SubjectFailure
from mesolung.population.events import joined, of_subjects
from mesolung.population.twice import HAZARD, solve_twice


@dataclass(frozen=True)
class Enrolled:
    """Subjects at enrolment, before any arm.

    Attributes:
        parameters: float64[n, P], columns as ``model.parameters``.
        states: float64[n, S], columns as ``model.states``; the cumulative hazard is 0.
        pending: events of the untreated course that are still to come, hours since enrolment.
        course: intp[n]; subjects with the same number came from the same course at the same moment.
    """

    parameters: NDArray[np.float64]
    states: NDArray[np.float64]
    pending: EventTable
    course: NDArray[np.intp]


@dataclass(frozen=True)
class ArmCourses:
    """Solved courses of an arm.

    Attributes:
        times: float64[T], hours since enrolment.
        outputs: name -> float64[n, T]; nan where a subject failed.
        failures: subjects that failed at the tightest tolerance too.
    """

    times: NDArray[np.float64]
    outputs: Mapping[str, NDArray[np.float64]]
    failures: tuple[SubjectFailure, ...]


def solve_arm(
    model: CompiledModel,
    enrolled: Enrolled,
    *,
    times_h: NDArray[np.float64],
    outputs: tuple[str, ...],
    parameters: Mapping[str, NDArray[np.float64]],
    events: EventTable,
    same: NDArray[np.intp],
    workers: int,
    chunk: int,
    progress: Callable[[int, int], None] | None = None,
) -> ArmCourses:
    """Solve subjects under one arm, each distinct course once.

    Arguments:
        model: the compiled biology.
        enrolled: the subjects.
        times_h: float64[T], output times since enrolment.
        outputs: states and observables to keep; the cumulative hazard is added.
        parameters: model parameters that the arm's product sets, float64[n] each.
        events: doses and background drugs.
        same: intp[n]; subjects with the same number have the same parameters, states and events, and are
            solved once (an untreated course that several subjects follow).
        workers, chunk: threads, and subjects that one takes at a time.
        progress: called with (done, total) subjects.

    Returns:
        the courses, one for every subject.
    """
    names = outputs if HAZARD in outputs else (*outputs, HAZARD)
    rows = enrolled.parameters.copy()
    for name, value in parameters.items():
        rows[:, model.parameters.index(name)] = value
    _, first, back = np.unique(same, return_index=True, return_inverse=True)
    everything = of_subjects(joined([enrolled.pending, events]), first)
    values, failures = solve_twice(
        model,
        rows[first],
        times_h,
        enrolled.states[first],
        everything,
        names,
        workers=workers,
        chunk=chunk,
        progress=progress,
    )
    return ArmCourses(
        times_h,
        {name: values[back, :, k] for k, name in enumerate(names)},
        # A course that several subjects follow fails all of them.
        tuple(_renumbered(f, int(i)) for f in failures for i in np.flatnonzero(back == f.subject)),
    )


def _renumbered(failure: SubjectFailure, subject: int) -> SubjectFailure:
    return replace(failure, subject=subject)
