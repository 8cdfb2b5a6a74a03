"""Freeze the scientific outputs that tests/test_baseline.py compares with: `python tools/update_baseline.py`.

Changing them is a decision: say what changed and why under "Numbers change" in CHANGELOG.md.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mesolung.study import read_study
from mesolung.study.result import json_text
from mesolung.study.run import run_study

ROOT = Path(__file__).resolve().parent.parent
BASELINE = ROOT / "tests" / "baseline.json"
REPLICATES = 40
ANSWERS = ("posterior", "inputs_sha256", "arms", "contrasts", "effect", "observations", "joint")
TIMES_H = (0.0, 168.0, 336.0, 672.0)


def frozen(workers: int = 2) -> dict[str, Any]:
    """Run the example and pick what is frozen of it.

    Arguments:
        workers: threads; they change nothing.

    Returns:
        the answers, and medians of the courses at a few times.
    """
    result = run_study(
        read_study(ROOT / "examples" / "lanzoni-2021.toml"), replicates=REPLICATES, workers=workers
    )
    rows = result.bands[result.bands.time_h.isin(TIMES_H)]
    courses: dict[str, dict[str, float]] = {}
    for row in rows.to_dict("records"):
        courses.setdefault(f"{row['arm']}: {row['output']}", {})[f"{row['time_h']:g}"] = row["p50"]
    waterfall = {row["stage"]: row["p50"] for row in result.waterfall.to_dict("records")}
    return {**{k: result.json[k] for k in ANSWERS}, "median_courses": courses, "median_dose": waterfall}


if __name__ == "__main__":
    BASELINE.write_text(json_text(frozen()), encoding="utf-8")
    print(f"wrote {BASELINE.relative_to(ROOT)}")
