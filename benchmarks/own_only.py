"""What is measured of the engine alone: vectors of half the width, and two threads against one."""

from __future__ import annotations

import time as clock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.measure import time_at
from benchmarks.one import curve
from benchmarks.peer_own import Own
from benchmarks.task import Task
from mesolung.population.events import stacked

Values = NDArray[np.float64]

# So many rows a thread keep both busy to the end.
ROWS_A_THREAD = 512
CHUNK = 64
WIDTHS = {8: "8 lanes (512 bits)", 4: "4 lanes (256 bits)", 2: "2 lanes (128 bits)"}


def lanes_and_threads(task: Task, reference: Values, sizes: Values, repeats: int) -> dict[str, Any]:
    """Measure the engine at each width that the processor has, and on two threads.

    Arguments:
        task, reference, sizes: as in `benchmarks.one.measure`.
        repeats: runs of which the median, or for threads the best, counts.

    Returns:
        ``widths``: ms a subject at the target error, by lanes; ``two_threads``: how many times faster two
        threads are than one, by the clock on the wall, so that it needs two idle cores.
    """
    own = Own(task)
    widths = {}
    for lanes, label in WIDTHS.items():
        if lanes <= own.model.lanes:
            points, _ = curve(Own(task, lanes), reference, sizes, repeats)
            widths[label] = time_at([(p["error"], p["ms"]) for p in points])
    return {"widths": widths, "two_threads": two_threads(own, repeats)}


def two_threads(own: Own, repeats: int) -> float:
    """How many times faster two threads solve the same rows than one does.

    Arguments:
        own: the engine with a task.
        repeats: of each, in turn; the best counts.

    Returns:
        the ratio of times on the wall.
    """
    task = own.task
    times = -(-2 * ROWS_A_THREAD // task.subjects)
    rows, initial = np.tile(task.rows, (times, 1)), np.tile(task.initial, (times, 1))
    events = stacked([task.events] * times, task.subjects)
    best = {1: float("inf"), 2: float("inf")}
    for _ in range(repeats):
        for workers in best:
            began = clock.perf_counter()
            own.model.solve(rows, task.times, initial, events, rtol=1e-5, workers=workers, chunk=CHUNK)
            best[workers] = min(best[workers], clock.perf_counter() - began)
    return best[1] / best[2]
