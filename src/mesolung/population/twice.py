"""Solving with a second try: a subject that fails is solved once more, at the tightest tolerance."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mesolung.engine import CompiledModel, EventTable, SubjectFailure
from mesolung.population.events import of_subjects

# Worst scaled error of a course about 2e-4, of the median subject 6e-6 (`make bench`).
RTOL = 1e-5
TIGHTEST_RTOL = 1e-8
# A library is looked at, not continued: its courses are kept in half precision and solved again once picked.
LIBRARY_RTOL = 1e-4
# The state that accumulates the hazard of death.
HAZARD = "HAZ"


def solve_twice(
    model: CompiledModel,
    parameters: NDArray[np.float64],
    times_h: NDArray[np.float64],
    initial: NDArray[np.float64] | None,
    events: EventTable,
    outputs: Sequence[str],
    *,
    workers: int,
    chunk: int,
    rtol: float = RTOL,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[NDArray[np.float64], tuple[SubjectFailure, ...]]:
    """Solve subjects, and those that fail once more at the tightest tolerance.

    Arguments:
        model: the compiled biology.
        parameters: float64[n, P].
        times_h: float64[T] or float64[n, T], hours.
        initial: float64[n, S], or None to start from health.
        events: of all subjects.
        outputs: names to keep.
        workers, chunk: threads, and subjects that one takes at a time.
        rtol: relative tolerance of the first try.
        progress: called with (done, total).

    Returns:
        float64[n, T, O], nan from a failure on, and the subjects that failed twice.
    """
    first = model.solve(
        parameters,
        times_h,
        initial=initial,
        events=events,
        outputs=outputs,
        rtol=rtol,
        workers=workers,
        chunk=chunk,
        progress=progress,
    )
    if not first.failures:
        return first.values, ()
    who = np.array([f.subject for f in first.failures])
    second = model.solve(
        parameters[who],
        times_h if times_h.ndim == 1 else times_h[who],
        initial=None if initial is None else initial[who],
        events=of_subjects(events, who),
        outputs=outputs,
        rtol=TIGHTEST_RTOL,
    )
    values = first.values.copy()
    values[who] = second.values
    return values, tuple(replace(f, subject=int(who[f.subject])) for f in second.failures)
