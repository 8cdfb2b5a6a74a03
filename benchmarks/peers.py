"""The engine beside its peers: same SBML, same subjects, same dose events, time at equal error.

    python -m benchmarks.peers [--tasks acute influenza] [--tools ...] [--subjects 200] [--repeats 5]
        [--warm] [--store | --add]
    python -m benchmarks.peers --quick [--json]

Each tool runs in a process of its own, one thread. Time is processor time a subject; the scaled error is
max |y - ref| / (|ref| + 1e-3 max|ref of that state over subjects and times|) over states and times, the
reference the engine's own at rtol 1e-10, which every tool's finest solution is held against. Times are
interpolated at scaled error 1e-4 on each tool's own curve, so that nothing is compared at unequal error.
"""

from __future__ import annotations

import argparse
import datetime as dt
import hashlib
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.measure import TARGET, processor
from benchmarks.one import keep_task
from benchmarks.peer import ENTRIES, OWN
from benchmarks.task import Task
from benchmarks.tasks import TASKS
from mesolung.engine import compile_model

STORED = Path(__file__).parent / "results" / "peers.json"
REFERENCE_RTOL = 1e-10
QUICK_TOOLS = (OWN, "roadrunner", "diffsol")
ONE_THREAD = {
    **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS"), "1"),
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
    "JAX_PLATFORMS": "cpu",
}
# A tool that has not finished after so many seconds is reported as such.
PATIENCE_S = 5400.0


def keep_reference(task: Task, folder: Path) -> dict[str, Any]:
    """Solve a task at the reference's tolerance and keep both for the other processes.

    Arguments:
        task: the task.
        folder: where.

    Returns:
        a description of the task.
    """
    model = compile_model(task.sbml)
    solution = model.solve(
        task.rows, task.times, task.initial, task.events, rtol=REFERENCE_RTOL, max_steps=10**6
    )
    if solution.failures:
        raise RuntimeError(f"the reference cannot be solved: {solution.failures[0]}")
    keep_task(folder, task, solution.values)
    return {
        "fingerprint": task.fingerprint(),
        "states": len(task.states),
        "parameters": len(task.parameters),
        "parameters_that_differ": int((task.rows != task.rows[0]).any(axis=0).sum()),
        "subjects": task.subjects,
        "end": float(task.times[-1]),
        "time_unit": task.time_unit,
        "outputs": len(task.times),
        "doses_a_subject": len(task.events) / task.subjects,
        "thresholds": len(task.thresholds),
        "kernel": model.kernel_id,
    }


def run_tool(
    tool: str, folder: Path, repeats: int, cold: bool, cache: Path | None = None, patience: float = PATIENCE_S
) -> dict[str, Any]:
    """Measure one tool in a process of its own.

    Arguments:
        tool: its name.
        folder: of `keep_reference`.
        repeats: as in `compare`.
        cold: only the first trajectory.
        cache: a folder for compiled models; None for the user's.
        patience: seconds after which it is stopped.

    Returns:
        what `benchmarks.one` printed, or {"failed": why}.
    """
    command = [sys.executable, "-m", "benchmarks.one", tool, str(folder), "--repeats", str(repeats)]
    command += ["--cold"] if cold else []
    root = str(Path(__file__).resolve().parent.parent)
    path = os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {**os.environ, **ONE_THREAD, "PYTHONPATH": path}
    if cache is not None:
        environment["MESOLUNG_CACHE"] = str(cache)
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, env=environment, timeout=patience, check=False
        )
    except subprocess.TimeoutExpired:
        return {"failed": f"not finished after {patience:.0f} s"}
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode or not lines:
        last = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
        return {"failed": last[:300]}
    return json.loads(lines[-1])


def compare(
    name: str,
    tools: Sequence[str],
    subjects: int,
    repeats: int,
    start: bool = True,
    patience: float = PATIENCE_S,
) -> dict[str, Any]:
    """Compare tools on one task.

    Arguments:
        name: of the task.
        tools: names of `ENTRIES`; the engine is always among them.
        subjects: how many.
        repeats: runs of which the median counts; 0 for no more than the time at the target error.
        start: whether the cold start is measured, too.
        patience: seconds that a tool has, for each of the two.

    Returns:
        the task, a row for each tool, and the tools that are absent or failed, each with the reason.
    """
    task = TASKS[name](subjects)
    rows: dict[str, Any] = {}
    absent: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        about = keep_reference(task, folder)
        for tool in dict.fromkeys([OWN, *tools]):
            reason, first, found = ENTRIES[tool].absent(), {}, {}
            if reason is None:
                print(f"{name}: {ENTRIES[tool].label}", file=sys.stderr, flush=True)
                cache = folder / f"cache-{tool}" if start else None
                first = run_tool(tool, folder, 1, True, cache, patience) if start else {}
                found = (
                    first if "failed" in first else run_tool(tool, folder, repeats, False, cache, patience)
                )
                reason = found.get("failed")
            if reason is not None:
                absent[tool] = reason
                continue
            rows[tool] = {**first, **found}
    return {"task": about, "tools": rows, "absent": absent}


def ratio(result: Mapping[str, Any]) -> tuple[float | None, str | None]:
    """How many times faster than the fastest peer the engine is, at the target error.

    Arguments:
        result: of `compare`.

    Returns:
        the ratio and the peer's name; None where no peer or not the engine reaches the target error.
    """
    times = {tool: row["ms"] for tool, row in result["tools"].items() if row.get("ms")}
    own = times.pop(OWN, None)
    if own is None or not times:
        return None, None
    fastest = min(times, key=lambda tool: times[tool])
    return times[fastest] / own, fastest


def with_hash(result: dict[str, Any]) -> dict[str, Any]:
    """Add the hash of everything else to a result, so that a figure can name the numbers that it shows.

    Arguments:
        result: anything that JSON can hold.

    Returns:
        a copy with ``hash``: the first sixteen digits of the SHA-256 of the rest as JSON with sorted keys.
    """
    rest = {key: value for key, value in result.items() if key != "hash"}
    return {**rest, "hash": hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()[:16]}


def everything(
    tasks: Sequence[str], tools: Sequence[str], subjects: int, repeats: int, start: bool, patience: float
) -> dict[str, Any]:
    """Run the whole benchmark.

    Arguments:
        tasks, tools: names.
        subjects, repeats, start, patience: as in `compare`.

    Returns:
        the result with its hash.
    """
    compared = {name: compare(name, tools, subjects, repeats, start, patience) for name in tasks}
    return with_hash(
        {
            "schema": 1,
            "date": dt.datetime.now(dt.UTC).date().isoformat(),
            "processor": processor(),
            "cores": os.cpu_count(),
            "system": f"{platform.system()} {platform.machine()}",
            "python": platform.python_version(),
            "load_at_end": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
            "target_error": TARGET,
            "repeats": repeats,
            "tasks": compared,
        }
    )


def quick(subjects: int, task: str = "acute") -> dict[str, Any]:
    """Compare with libRoadRunner and pydiffsol, on the bundled model in less than a minute.

    Arguments:
        subjects: how many.
        task: name of the task.

    Returns:
        ``ratio_to_fastest_peer`` and ``scaled_error`` (at which times are compared), the fastest peer, ms a
        subject of each tool and on how many of the subjects (a slow one gets fewer), and what is absent.
    """
    result = compare(task, QUICK_TOOLS, subjects, 0, start=False)
    times_faster, fastest = ratio(result)
    return {
        "ratio_to_fastest_peer": times_faster,
        "scaled_error": TARGET,
        "fastest_peer": fastest,
        "ms_per_subject": {tool: row["ms"] for tool, row in result["tools"].items()},
        "subjects": {tool: row["subjects"] for tool, row in result["tools"].items()},
        "agreement": {tool: row["agreement"] for tool, row in result["tools"].items()},
        "versions": {tool: row["version"] for tool, row in result["tools"].items()},
        "absent": result["absent"],
        "task": result["task"],
        "processor": processor(),
    }


def show(result: Mapping[str, Any]) -> str:
    """Set a result as text.

    Arguments:
        result: of `everything`.

    Returns:
        lines for a terminal.
    """
    lines = [f"{result['date']}; {result['processor']}; one thread; Python {result['python']}"]
    for name, compared in result["tasks"].items():
        about = compared["task"]
        faster, fastest = ratio(compared)
        lines += [
            "",
            f"{name}: {about['states']} states, {about['subjects']} subjects, {about['outputs']} outputs, "
            f"{about['doses_a_subject']:g} events a subject; task {about['fingerprint']}",
            f"{'tool':<16}{'version':<18}{'ms':>9}{'ratio':>8}{'cold s':>9}{'warm s':>9}{'MB':>7}"
            "  rtol: error, ms",
        ]
        own = compared["tools"].get(OWN, {}).get("ms")
        for row in compared["tools"].values():
            points = "; ".join(f"{p['rtol']:.0e}: {p['error']:.1e}, {p['ms']:.3g}" for p in row["points"])
            against = row["ms"] / own if own and row["ms"] else None
            cells = [_cell(row["ms"], 9, 3), _cell(against, 8, 1), _cell(row.get("cold_start_s"), 9, 2)]
            cells += [_cell(row["warm_start_s"], 9, 2), _cell(row["peak_memory_mb"], 7, 0)]
            lines.append(f"{row['tool']:<16}{row['version']:<18}{''.join(cells)}  {points}")
        if faster is not None and fastest is not None:
            lines.append(f"{faster:.1f} times as fast as the fastest peer, {ENTRIES[fastest].label}")
        lines += [f"absent: {ENTRIES[tool].label}: {why}" for tool, why in compared["absent"].items()]
    lines += ["", f"ms: processor time a subject at scaled error {result['target_error']:g}"]
    return "\n".join(lines)


def _cell(value: float | None, width: int, digits: int) -> str:
    return f"{value:>{width}.{digits}f}" if value is not None else f"{'-':>{width}}"


def store(result: Mapping[str, Any], file: Path = STORED) -> None:
    """Keep a result; an older one is replaced whole.

    Arguments:
        result: of `everything`.
        file: where.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_name(f".{file.name}.{os.getpid()}")
    unfinished.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    unfinished.replace(file)


def added(result: Mapping[str, Any], stored: Mapping[str, Any]) -> dict[str, Any]:
    """Put the peers of a smaller run beside those of the stored one.

    Arguments:
        result: of `everything`, on tasks of which the stored result has the same.
        stored: the result to add to.

    Returns:
        the stored result with the new peers' rows; the engine's row stays the stored one but for its widths
        and threads, which nothing is compared with.

    Raises:
        ValueError: when a task, the processor or the target is another one.
    """
    same = ("processor", "target_error", "python")
    tasks = {name: {**compared} for name, compared in stored["tasks"].items()}
    for name, compared in result["tasks"].items():
        if any(result[key] != stored[key] for key in same) or compared["task"] != tasks[name]["task"]:
            raise ValueError(f"{name}: measured on another machine or another task than the stored result")
        tools = {tool: row for tool, row in compared["tools"].items() if tool != OWN}
        own = compared["tools"].get(OWN, {})
        again = {key: own[key] for key in ("widths", "two_threads") if key in own}
        tools[OWN] = {**tasks[name]["tools"][OWN], **again}
        absent = {**tasks[name]["absent"], **compared["absent"]}
        tasks[name]["tools"] = {**tasks[name]["tools"], **tools}
        tasks[name]["absent"] = {tool: why for tool, why in absent.items() if tool not in tools}
    return with_hash({**stored, "tasks": tasks})


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description="The engine beside its peers, at equal error.")
    parser.add_argument("--tasks", nargs="+", choices=list(TASKS), default=list(TASKS))
    parser.add_argument("--tools", nargs="+", choices=list(ENTRIES), default=list(ENTRIES))
    parser.add_argument("--subjects", type=int, default=200)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument(
        "--warm", action="store_true", help="without cold starts; takes models compiled before"
    )
    parser.add_argument("--patience", type=float, default=PATIENCE_S, help="seconds that a tool has")
    parser.add_argument("--quick", action="store_true", help="libRoadRunner and pydiffsol alone, in a minute")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    parser.add_argument("--store", action="store_true", help=f"keep the result in {STORED.name}")
    parser.add_argument(
        "--add", action="store_true", help=f"keep the peers' rows beside those of {STORED.name}"
    )
    choice = parser.parse_args()
    if choice.subjects < 1 or choice.repeats < 1:
        parser.error(f"--subjects and --repeats are at least 1 (found {choice.subjects}, {choice.repeats})")
    if choice.quick:
        found = quick(choice.subjects)
        print(json.dumps(found) if choice.json else json.dumps(found, indent=1))
        return
    result = everything(
        choice.tasks, choice.tools, choice.subjects, choice.repeats, not choice.warm, choice.patience
    )
    if choice.add:
        store(added(result, json.loads(STORED.read_text(encoding="utf-8"))))
    elif choice.store:
        store(result)
    print(json.dumps(result, indent=1) if choice.json else show(result))


if __name__ == "__main__":
    main()
