"""Error, time at an error, and the machine: what every figure of the benchmark is made of."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]

# Times are compared at this scaled error.
TARGET = 1e-4
# Besides its relative error, a state may be wrong by so much of the largest value that it has for anybody.
OF_LARGEST = 1e-3
# No state counts as smaller than this: one that is 0 for everybody has no size of its own, and a tool that
# finds 1e-37 in its place is not wrong.
SMALLEST = 1e-12


def sizes_of(reference: Values) -> Values:
    """The largest value of each state over subjects and times.

    Arguments:
        reference: float64[subjects, times, states].

    Returns:
        float64[states], at least `SMALLEST`.
    """
    return np.maximum(np.abs(reference).max(axis=(0, 1)), SMALLEST)


def scaled_error(values: Values, reference: Values, sizes: Values) -> float:
    """The largest scaled error: |y - ref| / (|ref| + 1e-3 max|ref of that state|).

    Arguments:
        values, reference: float64[subjects, times, states].
        sizes: from `sizes_of`.

    Returns:
        the error, infinite where a value is not a number.
    """
    error = np.abs(values - reference) / (np.abs(reference) + OF_LARGEST * sizes)
    return float(error.max()) if np.isfinite(error).all() else float("inf")


def time_at(curve: Sequence[tuple[float, float]], error: float = TARGET) -> float | None:
    """Interpolate the time at an error, on logarithmic axes.

    Arguments:
        curve: (error, time) of each tolerance.
        error: where.

    Returns:
        the least time with which the curve reaches the error: of all pairs of neighbouring points that lie on
        both sides of it, the quickest. None where the curve does not reach it on both sides.
    """
    points = sorted((e, t) for e, t in curve if np.isfinite(e) and e > 0.0)
    found = []
    for (e0, t0), (e1, t1) in pairwise(points):
        if e0 <= error <= e1:
            part = 0.0 if e1 == e0 else (np.log(error) - np.log(e0)) / (np.log(e1) - np.log(e0))
            found.append(float(np.exp(np.log(t0) + part * (np.log(t1) - np.log(t0)))))
    return min(found, default=None)


def straight(sizes: Sequence[float], times: Sequence[float]) -> dict[str, float]:
    """How well times follow a straight line in a size.

    Arguments:
        sizes, times: of two or more measurements.

    Returns:
        ``each``: time for one more of the size; ``deviation``: how far a time is from the line at most, as a
        part of the longest time.
    """
    each, start = np.polyfit(sizes, times, 1)
    away = np.abs(np.asarray(times) - (start + each * np.asarray(sizes)))
    return {"each": float(each), "deviation": float(away.max() / max(times))}


def processor() -> str:
    """The processor's name, and the widest of its instruction sets that matters here."""
    info = Path("/proc/cpuinfo")
    text = info.read_text() if info.exists() else ""
    names = [line.split(":", 1)[1] for line in text.splitlines() if line.startswith("model name")]
    flags = next((line.split() for line in text.splitlines() if line.startswith("flags")), [])
    kinds = {"avx512f": "AVX-512", "avx2": "AVX2"}
    widest = next((label for flag, label in kinds.items() if flag in flags), platform.machine())
    return f"{' '.join((names or [platform.processor() or platform.machine()])[0].split())} ({widest})"
