"""A trial of three years, 2 x 150 subjects: the time of one replicate, and of many, from a cached library.

    python -m benchmarks.chronic_trial [--replicates 1 200] [--workers 2] [--draws D --courses C] [--json]

The study is benchmarks/chronic-trial.toml. Every subject is solved under both arms (potential outcomes). The
library of untreated courses is built first where the cache does not hold it; its time is told apart, and so
is that of compiling the model. With ``--draws`` and ``--courses`` the library is made smaller than that of a
study, so that the script can be tried in minutes: what a replicate takes after enrolment does not follow its
size. Times are of the wall clock, in one process; libraries go to the cache, or where MESOLUNG_CACHE says.
"""

from __future__ import annotations

import argparse
import json
import platform
import time as clock
from pathlib import Path
from unittest.mock import patch

from benchmarks.measure import processor
from mesolung.study import read_study
from mesolung.study.run import run_study

STUDY = Path(__file__).resolve().parent / "chronic-trial.toml"
PROMISE_S = 60.0


def measure(replicates: int, workers: int) -> dict[str, float]:
    """Run the study once.

    Arguments:
        replicates: simulated trials.
        workers: threads.

    Returns:
        seconds by stage, of all stages but model and library as "trial", of the processor for all of them,
        and subjects that were solved.
    """
    began, worked = clock.perf_counter(), clock.process_time()
    result = run_study(read_study(STUDY), replicates=replicates, workers=workers)
    whole = clock.perf_counter() - began
    stages = dict(result.manifest["timings"])
    return {
        "replicates": float(replicates),
        **stages,
        "whole": whole,
        "processor": clock.process_time() - worked,
        "trial": sum(seconds for name, seconds in stages.items() if name not in ("model", "library")),
        "subjects": float(result.manifest["subjects_solved"]),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--replicates", type=int, nargs="+", default=[1, 200])
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--draws", type=int, help="draws of a smaller library")
    parser.add_argument("--courses", type=int, help="courses a draw of a smaller library")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    smaller = {}
    if asked.draws:
        smaller["mesolung.study.run.DRAWS_AT_LEAST"] = asked.draws
    if asked.courses:
        smaller["mesolung.population.library.COURSES_PER_DRAW"] = asked.courses
    patches = [patch(name, value) for name, value in smaller.items()]
    for one in patches:
        one.start()
    # The first run builds the library and compiles the model; it is not counted.
    measure(1, asked.workers)
    rows = [measure(count, asked.workers) for count in asked.replicates]
    for one in patches:
        one.stop()
    if asked.json:
        print(json.dumps({"processor": processor(), "python": platform.python_version(), "runs": rows}))
        return
    print(f"{processor()}, {asked.workers} threads; seconds without model and library")
    for row in rows:
        stages = ", ".join(f"{name} {row[name]:.1f}" for name in ("enrolment", "arms", "analysis"))
        said = ""
        if row["replicates"] == 1:
            said = f" (promised: less than {PROMISE_S:.0f})"
        busy = f"{row['processor']:.1f} s of processor with the model's start"
        print(f"{row['replicates']:4.0f} replicates: {row['trial']:.1f} s{said}; {stages}; {busy}")


if __name__ == "__main__":
    main()
