"""Measure one tool in a process of its own; called by `benchmarks.peers`, prints one line of JSON.

    python -m benchmarks.one TOOL FOLDER [--repeats R] [--cold]

With ``--repeats 0`` only the time at the target error is measured, with
``--cold`` only the first subject is solved, from whatever the cache folder holds.
"""

from __future__ import annotations

import argparse
import json
import pickle
import resource
import statistics
import sys
import time as clock
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.measure import TARGET, scaled_error, sizes_of, straight, time_at
from benchmarks.peer import ENTRIES, OWN, Peer
from benchmarks.task import Task
from mesolung.engine import ADD_STATE
from mesolung.population.events import joined, same_events

Values = NDArray[np.float64]

# What a first trajectory is solved with.
FIRST_RTOL = 1e-6
# A run longer than this is not repeated.
LONG_S = 30.0
# How far subjects, doses and outputs are multiplied to see what they cost.
PARTS = (0.125, 0.25, 0.5, 1.0)
DOSES = (0, 12, 24, 48)
OUTPUTS = (28, 56, 112, 224, 448)
# Slopes are of a curve's time at one tolerance, and of so many subjects at most.
SLOPE_SUBJECTS = 24
# A tool that takes longer than this for a subject is not given other tasks.
SLOW_S = 0.5
# In a quick comparison a tool that would take longer than this for all subjects gets fewer of them.
QUICK_S = 10.0
QUICK_SUBJECTS = 40
# Runs that are shorter than this are repeated, and the best of three counts.
SHORT_S = 0.5


def keep_task(folder: Path, task: Task, reference: Values) -> None:
    """Hand a task and its reference to other processes, so that none has compiled the model already.

    Arguments:
        folder: where; of this run alone.
        task: the task.
        reference: float64[subjects, times, states].
    """
    (folder / "task.pickle").write_bytes(pickle.dumps(task))
    np.save(folder / "reference.npy", reference)


def read_task(folder: Path) -> tuple[Task, Values, Values]:
    """Take a task from `keep_task`.

    Arguments:
        folder: where.

    Returns:
        the task, the reference float64[subjects, times, states], and the sizes of its states float64[states].
    """
    reference = np.load(folder / "reference.npy")
    return pickle.loads((folder / "task.pickle").read_bytes()), reference, sizes_of(reference)


def peak_memory() -> float:
    """The most memory that this process has had, MB."""
    status = Path("/proc/self/status")
    if status.exists():
        # Not from getrusage, which counts what the parent had before the program was loaded.
        line = next(x for x in status.read_text().splitlines() if x.startswith("VmHWM"))
        return int(line.split()[1]) / 1024.0
    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return size / (1024.0**2 if sys.platform == "darwin" else 1024.0)


def with_doses(task: Task, count: int) -> Task:
    """The task with so many doses more for everybody, evenly from a quarter to nine tenths of its time."""
    adds = task.events.kind == ADD_STATE
    target = int(np.bincount(task.events.target[adds]).argmax())
    amount = float(np.median(task.events.value[adds & (task.events.target == target)]))
    everybody, end = np.arange(task.subjects), float(task.times[-1])
    # Off the output times by an odd part of the distance between them.
    moments = np.linspace(0.25 * end, 0.9 * end, count) + 0.0137 * end / len(task.times)
    more = [same_events(ADD_STATE, target, everybody, t, np.full(task.subjects, amount)) for t in moments]
    return replace(task, events=joined([task.events, *more]))


def with_outputs(task: Task, count: int) -> Task:
    """The task with so many outputs after time 0."""
    return replace(task, times=np.linspace(0.0, float(task.times[-1]), count + 1))


def curve(
    peer: Peer, reference: Values, sizes: Values, repeats: int
) -> tuple[list[dict[str, float]], dict[str, str]]:
    """Measure a work-precision curve.

    Arguments:
        peer: the tool.
        reference, sizes: of its solution; float64[subjects, times, states] and float64[states].
        repeats: runs of which the median counts.

    Returns:
        for each tolerance the error and the median time, and the tolerances at which a subject could not be
        solved, each with the reason: a point that would leave subjects out is none.
    """
    points, failed = [], {}
    for rtol in peer.tolerances:
        try:
            points.append(point(peer, rtol, reference, sizes, repeats))
        except RuntimeError as problem:
            failed[f"{rtol:.0e}"] = str(problem)[:200]
    return points, failed


def point(peer: Peer, rtol: float, reference: Values, sizes: Values, repeats: int) -> dict[str, float]:
    """Measure one point of a curve: the median and the least of the repeats, ms a subject, and the error."""
    runs = [peer.run(rtol)]
    # A run of many seconds is an average already.
    runs += [peer.run(rtol) for _ in range(repeats - 1) if runs[0][0] < LONG_S]
    times = [seconds / len(reference) * 1e3 for seconds, _ in runs]
    error = scaled_error(runs[0][1], reference, sizes)
    return {
        "rtol": rtol,
        "error": error,
        "ms": statistics.median(times),
        "ms_best": min(times),
        "runs": len(runs),
    }


def bracket(peer: Peer, reference: Values, sizes: Values) -> list[dict[str, float]]:
    """Measure only the two neighbouring tolerances between which the target error lies, one run each.

    Starts at the second finest, and goes finer or coarser until the target is between two points.
    """
    levels = peer.tolerances
    k = len(levels) - 2
    found = {k: point(peer, levels[k], reference, sizes, 1)}
    down = 1 if found[k]["error"] > TARGET else -1
    while 0 <= k + down < len(levels):
        k += down
        found[k] = point(peer, levels[k], reference, sizes, 1)
        if (found[k]["error"] > TARGET) != (down == 1):
            break
    return [found[k] for k in sorted(found)]


def nearest(points: Sequence[dict[str, float]], error: float) -> float:
    """The coarsest tolerance whose error is below a limit, or the finest there is."""
    good = [p["rtol"] for p in points if p["error"] <= error]
    return max(good, default=min(p["rtol"] for p in points))


def slopes(peer: Peer, rtol: float) -> dict[str, Any]:
    """Measure what subjects, doses and outputs cost.

    Arguments:
        peer: the tool; its task is put back afterwards.
        rtol: tolerance to solve with.

    Returns:
        for subjects the ms in all, for doses and outputs, where the tool can be given another task, the ms a
        subject, by number; and for each the straight line through them.
    """
    task = peer.task
    counts = sorted({max(1, round(part * task.subjects)) for part in PARTS})
    times = [_best(peer, rtol, n) * 1e3 for n in counts]
    found: dict[str, Any] = {"subjects": {"count": counts, "ms": times, **straight(counts, times)}}
    if not peer.any_task or times[-1] > SLOW_S * 1e3 * counts[-1]:
        return found
    base = task.first(SLOPE_SUBJECTS)
    for name, numbers, make in (("doses", DOSES, with_doses), ("outputs", OUTPUTS, with_outputs)):
        times = []
        for number in numbers:
            peer.task = make(base, number)
            times.append(_best(peer, rtol, base.subjects) / base.subjects * 1e3)
        found[name] = {"count": list(numbers), "ms": times, **straight(numbers, times)}
    peer.task = task
    return found


def _best(peer: Peer, rtol: float, subjects: int) -> float:
    first = peer.run(rtol, subjects)[0]
    return first if first > SHORT_S else min(first, *(peer.run(rtol, subjects)[0] for _ in range(2)))


def measure(tool: str, task: Task, reference: Values, sizes: Values, repeats: int) -> dict[str, Any]:
    """Measure one tool.

    Arguments:
        tool: a name of `ENTRIES`.
        task: the task.
        reference, sizes: of its solution; float64[subjects, times, states] and float64[states].
        repeats: runs of which the median counts; 0 for no more than the time at the target error, from the
            two points of the curve around it.

    Returns:
        version, start from the cache, curve, time at the target error, slopes, and peak memory.
    """
    load = ENTRIES[tool].load()
    began = clock.perf_counter()
    peer = load(task, sizes)
    peer.run(FIRST_RTOL, 1)
    start = clock.perf_counter() - began
    at_most = peer.at_most or task.subjects
    if not repeats and at_most > QUICK_SUBJECTS and tool != OWN:
        few = peer.run(peer.tolerances[-2], QUICK_SUBJECTS // 10)[0] * 10 / QUICK_SUBJECTS
        at_most = QUICK_SUBJECTS if few * at_most > QUICK_S else at_most
    if at_most < task.subjects:
        # The error is then of these subjects alone: easier to reach, so the tool is not wronged.
        task, reference = task.first(at_most), reference[:at_most]
        peer.task = task
    failed: dict[str, str] = {}
    if repeats:
        points, failed = curve(peer, reference, sizes, repeats)
    else:
        points = bracket(peer, reference, sizes)
    at = time_at([(p["error"], p["ms"]) for p in points])
    found = {
        "tool": peer.name,
        "version": peer.version,
        "how": peer.how,
        "subjects": task.subjects,
        "warm_start_s": start,
        "points": points,
        "failed_at": failed,
        "ms": at,
        "agreement": min(p["error"] for p in points),
        "peak_memory_mb": peak_memory(),
    }
    if not repeats:
        return found
    found["slopes"] = slopes(peer, nearest(points, TARGET))
    if tool == OWN:
        from benchmarks.own_only import lanes_and_threads

        found.update(lanes_and_threads(task, reference, sizes, repeats))
    return found


def cold(tool: str, task: Task, sizes: Values) -> dict[str, Any]:
    """Measure the time from the model's text to a first trajectory; imports are not part of it."""
    load = ENTRIES[tool].load()
    began = clock.perf_counter()
    load(task, sizes).run(FIRST_RTOL, 1)
    return {"cold_start_s": clock.perf_counter() - began}


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description="Measure one tool; see benchmarks.peers.")
    parser.add_argument("tool", choices=list(ENTRIES))
    parser.add_argument("folder", type=Path, help="with the task and its reference")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--cold", action="store_true")
    choice = parser.parse_args()
    task, reference, sizes = read_task(choice.folder)
    if choice.cold:
        found = cold(choice.tool, task, sizes)
    else:
        found = measure(choice.tool, task, reference, sizes, choice.repeats)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
