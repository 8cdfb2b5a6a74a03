"""The engine beside libRoadRunner on the bundled model: time at equal error, from work-precision curves.

    python -m benchmarks.engine [--subjects 200] [--repeats 5] [--json]

Scaled error: max |y - ref| / (|ref| + 1e-3 max |ref of that state over subjects and times|) over states,
times and subjects; the reference is the engine at rtol 1e-10, and libRoadRunner at its tightest is held
against it. Times are processor time of one thread, so that other work on the machine counts little, and
medians; the time at error 1e-4 is interpolated between tolerances on logarithmic axes.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import tempfile
import time as clock
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import mesolung
from benchmarks.peers import RoadRunner
from benchmarks.scenario import bundled_sbml, bundled_scenario
from mesolung.engine import CompiledModel, compile_model

Values = NDArray[np.float64]
TARGET = 1e-4
OWN_TOLERANCES = (1e-3, 1e-4, 1e-5, 1e-6, 1e-7)
PEER_TOLERANCES = (1e-6, 1e-7, 1e-8)


def processor() -> str:
    """The processor's name."""
    info = Path("/proc/cpuinfo")
    names = (
        [line.split(":", 1)[1] for line in info.read_text().splitlines() if "model name" in line]
        if info.exists()
        else []
    )
    return " ".join((names or [platform.processor() or platform.machine()])[0].split())


def scaled_error(values: Values, reference: Values, sizes: Values) -> float:
    """The largest scaled error; arrays are [subjects, times, states], sizes [states]."""
    return float((np.abs(values - reference) / (np.abs(reference) + 1e-3 * sizes)).max())


def time_at(curve: Sequence[tuple[float, float]], error: float = TARGET) -> float:
    """Interpolate the time at an error from (error, time) pairs, on logarithmic axes.

    Arguments:
        curve: points of a work-precision curve.
        error: where.

    Returns:
        The time, NaN where the curve does not reach the error on both sides.
    """
    points = sorted((e, t) for e, t in curve)
    for (e0, t0), (e1, t1) in pairwise(points):
        if e0 <= error <= e1:
            part = (np.log(error) - np.log(e0)) / (np.log(e1) - np.log(e0))
            return float(np.exp(np.log(t0) + part * (np.log(t1) - np.log(t0))))
    return float("nan")


def curve(
    run: Callable[[float], tuple[float, Values]],
    tolerances: Sequence[float],
    repeats: int,
    check: Callable[[Values], float],
) -> list[dict[str, float]]:
    """Measure a work-precision curve: for each tolerance the error, and the median time of the repeats."""
    points = []
    for rtol in tolerances:
        results = [run(rtol) for _ in range(repeats)]
        points.append(
            {"rtol": rtol, "seconds": statistics.median(s for s, _ in results), "error": check(results[0][1])}
        )
    return points


def compile_times(sbml: str) -> dict[str, float]:
    """Seconds from text to code, without and with the cache, and from text to a first trajectory."""
    with tempfile.TemporaryDirectory() as folder:
        began = clock.perf_counter()
        model = compile_model(sbml, cache=Path(folder))
        model.solve(model.default_parameters[None, :], [0.0, 24.0])
        first = clock.perf_counter() - began
        warm = compile_model(sbml, cache=Path(folder))
    return {"first trajectory": first, "cold": model.compile_seconds, "from cache": warm.compile_seconds}


def measure(subjects: int, repeats: int) -> dict[str, object]:
    """Measure everything.

    Arguments:
        subjects: how many.
        repeats: runs of which the median counts.

    Returns:
        Processor, task, compile times and one row for each tool.
    """
    sbml = bundled_sbml()
    models = {
        lanes: compile_model(sbml, lanes=lanes) for lanes in (4, 8) if lanes <= compile_model(sbml).lanes
    }
    model = models[max(models)]
    task = bundled_scenario(model, sbml, subjects)
    events = task.events(model)

    def own(which: CompiledModel, rtol: float) -> tuple[float, Values]:
        began = clock.process_time()
        solution = which.solve(task.parameters, task.times, task.initial, events, rtol=rtol, max_steps=10**6)
        spent = clock.process_time() - began
        if solution.failures:
            raise RuntimeError(str(solution.failures[0]))
        return spent, solution.values

    reference = own(model, 1e-10)[1]
    sizes = np.abs(reference).max(axis=(0, 1)) + 1e-200

    def check(values: Values) -> float:
        return scaled_error(values, reference, sizes)

    rows = []
    for lanes, compiled in models.items():
        points = curve(lambda r, c=compiled: own(c, r), OWN_TOLERANCES, repeats, check)
        rows.append(
            _row(
                f"Mesolung, {lanes} lanes",
                mesolung.__version__,
                points,
                subjects,
                min(p["error"] for p in points),
            )
        )
    peer = RoadRunner(task, model, sizes)
    points = curve(lambda r: peer.run(r, subjects), PEER_TOLERANCES, repeats, check)
    rows.append(_row(peer.name, peer.version, points, subjects, check(peer.run(1e-9, subjects)[1])))
    for row in rows:
        row["ratio"] = rows[-1]["ms"] / row["ms"]  # type: ignore[operator]
    return {
        "processor": processor(),
        "python": platform.python_version(),
        "task": {
            "states": len(model.states),
            "parameters": len(model.parameters),
            "subjects": subjects,
            "days": float(task.times[-1] / 24.0),
            "outputs": len(task.times),
            "events a subject": len(task.doses),
        },
        "kernel": model.kernel_id,
        "compile seconds": compile_times(sbml),
        "target error": TARGET,
        "repeats": repeats,
        "tools": rows,
    }


def _row(
    tool: str, version: str, points: list[dict[str, float]], subjects: int, agreement: float
) -> dict[str, object]:
    for p in points:
        p["ms"] = p.pop("seconds") / subjects * 1e3
    ms = time_at([(p["error"], p["ms"]) for p in points])
    return {"tool": tool, "version": version, "ms": ms, "agreement": agreement, "points": points}


def show(result: dict[str, object]) -> str:
    """Set a result as text."""
    task = result["task"]
    lines = [
        f"{result['processor']}; one core; Python {result['python']}",
        ", ".join(f"{name} {value:g}" for name, value in task.items()),  # type: ignore[union-attr]
        "compile, s: " + ", ".join(f"{k} {v:.2f}" for k, v in result["compile seconds"].items()),  # type: ignore[union-attr]
        "",
        f"{'tool':<18}{'version':<10}{'ms/subject/core':>16}{'ratio':>8}{'agreement':>12}   rtol: error, ms",
    ]
    for row in result["tools"]:  # type: ignore[union-attr]
        points = "; ".join(f"{p['rtol']:.0e}: {p['error']:.1e}, {p['ms']:.3f}" for p in row["points"])
        lines.append(
            f"{row['tool']:<18}{row['version']:<10}{row['ms']:>16.3f}{row['ratio']:>8.1f}"
            f"{row['agreement']:>12.1e}   {points}"
        )
    lines += [
        "",
        f"ms at scaled error {result['target error']:g}, median of {result['repeats']};",
        "ratio: speed over the last row;",
        "agreement: smallest scaled error against the engine's reference at rtol 1e-10.",
    ]
    return "\n".join(lines)


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description="The engine beside libRoadRunner, at equal error.")
    parser.add_argument("--subjects", type=int, default=200)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    choice = parser.parse_args()
    result = measure(choice.subjects, choice.repeats)
    print(json.dumps(result, indent=1) if choice.json else show(result))


if __name__ == "__main__":
    main()
