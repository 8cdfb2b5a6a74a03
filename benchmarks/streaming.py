"""One million subjects through `mesolung cohort`: peak memory, and time, at two sizes of the cohort.

    python -m benchmarks.streaming [--subjects 1000000] [--workers 2] [--json]

The model is that of examples/simeoni-2004 (6 states), each subject with its own four parameters and its own
row of doses (three), 29 output times, two outputs; once as rows of subjects, once as quantile bands. Each run
is a process of its own, whose peak resident memory the system tells; a tenth of the subjects is run besides,
so that growth would show. Times are of the wall clock, of the whole command.
"""

from __future__ import annotations

import argparse
import json
import platform
import resource
import subprocess
import sys
import tempfile
import time as clock
from pathlib import Path

import duckdb

from benchmarks.measure import processor

MODEL = Path(__file__).resolve().parent.parent / "examples" / "simeoni-2004" / "model.xml"
END, STEP = 28, 1
PROMISE = 1500.0

# A number between 0 and 1 that follows from the row alone.
UNIFORM = "(CAST(hash(i, {0}) AS DOUBLE) / 18446744073709551616.0)"


def tables(folder: Path, subjects: int) -> tuple[Path, Path]:
    """Make the tables of subjects and doses, in the database, so that they cost no memory here."""
    spread = ", ".join(
        f"{value} * exp({width} * ({UNIFORM.format(k)} - 0.5)) AS {name}"
        for k, (name, value, width) in enumerate(
            [("lambda0", 0.273, 0.5), ("lambda1", 0.814, 0.7), ("k2", 0.629, 0.9), ("x1", 0.055, 1.0)]
        )
    )
    people, doses = folder / f"subjects-{subjects}.parquet", folder / f"doses-{subjects}.parquet"
    with duckdb.connect() as connection:
        connection.execute("SET threads = 1; SET memory_limit = '256MB'")
        connection.execute(
            f"COPY (SELECT i AS id, {spread} FROM range({subjects}) AS r(i)) TO '{people}' (FORMAT parquet)"
        )
        connection.execute(
            f"COPY (SELECT i AS ID, 8 + 8 * {UNIFORM.format(5)} AS TIME, 30.0 AS AMT, 'central' AS CMT, "
            f"1 AS EVID, 2 AS ADDL, 4.0 AS II FROM range({subjects}) AS r(i)) TO '{doses}' (FORMAT parquet)"
        )
    return people, doses


def measure(folder: Path, subjects: int, bands: bool, workers: int) -> dict[str, object]:
    """Run one cohort in a process of its own.

    Arguments:
        folder: where files are made.
        subjects: how many.
        bands: quantile bands instead of rows.
        workers: threads.

    Returns:
        Subjects, form, seconds, peak memory and size of the results in MB, failed subjects.
    """
    people, doses = tables(folder, subjects)
    out = folder / f"out-{subjects}-{bands}.parquet"
    command = [sys.executable, "-m", "mesolung", "cohort", str(MODEL), str(people), "--doses", str(doses)]
    command += ["--end", str(END), "--step", str(STEP), "--outputs", "weight,concentration"]
    command += ["--workers", str(workers), "-o", str(out), "--json", *(["--bands"] if bands else [])]
    # The peak of all children so far only grows, so that the sizes are run from small to large.
    began = clock.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    seconds = clock.perf_counter() - began
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    size = out.stat().st_size / 2**20
    for path in (people, doses, out):
        path.unlink()
    return {
        "subjects": subjects,
        "form": "bands" if bands else "rows",
        "seconds": seconds,
        "peak MB so far": peak,
        "result MB": size,
        "failed": json.loads(done.stdout)["failed_subjects"],
    }


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description="Memory and time of a very large cohort.")
    parser.add_argument("--subjects", type=int, default=1_000_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    choice = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = [
            measure(Path(folder), count, bands, choice.workers)
            for count in (choice.subjects // 10, choice.subjects)
            for bands in (True, False)
        ]
    result = {"processor": processor(), "python": platform.python_version(), "workers": choice.workers}
    if choice.json:
        print(json.dumps({**result, "promised MB": PROMISE, "runs": rows}, indent=1))
        return
    print(f"{result['processor']}; {choice.workers} workers; Python {result['python']}")
    print("".join(f"{name:>16}" for name in rows[0]))
    for row in rows:
        print("".join(f"{v:>16.1f}" if isinstance(v, float) else f"{v!s:>16}" for v in row.values()))
    print(f"promised: at most {PROMISE:g} MB for a million")


if __name__ == "__main__":
    main()
