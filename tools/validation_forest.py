"""Draws published effects of cells beside what the model predicted of them: a forest for the README.

    python tools/validation_forest.py FOLDER [docs/images/validation-forest.svg]

FOLDER is what `mesolung validate trials --leave-one-out --out FOLDER` made.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from svg_panels import Series, rows_figure, rows_panel

from mesolung.report.numbers import is_number
from mesolung.report.validation_figures import place_of
from mesolung.report.validation_words import observed, predicted, what, who
from mesolung.report.words import Words, words_of

PICTURE = Path(__file__).resolve().parent.parent / "docs" / "images" / "validation-forest.svg"
HELD, FAILED, MODEL = "#1b7837", "#b2182b", "#9aa7b2"
# Half widths of the 90 % interval; what lies farther ends at the edge.
FARTHEST = 4.0
MOST_ROWS, MOST_LETTERS = 40, 76
WIDTH, LEFT = 1060, 640


def forest(found: Mapping[str, Any]) -> str:
    """Draw a validation of trials, the worst first, and what the model gains over constant effects.

    Arguments:
        found: of `validation.json`.

    Returns:
        SVG text.

    Raises:
        SystemExit: where no treated arm was scored with an interval.
    """
    lines = [one for one in found["observations"] if one.get("treatment") and place_of(one) is not None]
    if not lines:
        raise SystemExit("no treated arm was scored with an interval")
    blocks = [_trials(lines[:MOST_ROWS], len(lines))]
    if gains := _gains(found["skill"]):
        blocks.append(gains)
    legend = [
        ("line", MODEL, "predicted from all other trials, 90 %"),
        ("points", HELD, "published, inside"),
        ("points", FAILED, "published, outside"),
    ]
    return rows_figure(
        blocks, f"Published trials of cells beside predictions. {found['headline']}", legend, WIDTH
    )


def _trials(lines: Sequence[Mapping[str, Any]], count: int) -> tuple[str, int]:
    words = words_of([])
    rows = [_label(one, words) for one in lines]
    at = [max(-FARTHEST, min(FARTHEST, place_of(one) or 0.0)) for one in lines]
    numbers = list(range(len(rows)))
    bars = Series(numbers, [0.0] * len(rows), [-1.0] * len(rows), [1.0] * len(rows), MODEL, "points", True)

    def marks(failed: bool) -> Series:
        own = [k for k, one in enumerate(lines) if bool(one["failed"]) is failed]
        return Series(own, [at[k] for k in own], colour=FAILED if failed else HELD, kind="points")

    shown = "" if count <= len(lines) else f", {len(lines)} of {count}"
    text = rows_panel(
        f"Treated arms, the most surprising first{shown}",
        "published value, in half widths of the predicted 90 % interval from its median",
        rows, [bars, marks(False), marks(True)], (-FARTHEST, FARTHEST), width=WIDTH, left=LEFT,
    )  # fmt: skip
    return text, len(rows)


def _gains(skill: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> tuple[str, int] | None:
    """Log score gained over each constant effect, with two standard errors."""
    own = [
        (f"{treatment}, against {name} ({one['trials']} trials)", one["mean"], _twice(one))
        for treatment, by in skill.items()
        for name, one in by.items()
        if is_number(one["mean"])
    ]
    if not own:
        return None
    low = [mean - (error or 0.0) for _, mean, error in own]
    high = [mean + (error or 0.0) for _, mean, error in own]
    edge = 1.05 * max(1.0, *(abs(v) for v in (*low, *high)))
    series = Series(list(range(len(own))), [mean for _, mean, _ in own], low, high, kind="points")
    text = rows_panel(
        "Log score gained over a constant effect (right of 0: the model is better)",
        "nats a trial, two standard errors",
        [name for name, _, _ in own], [series], (-edge, edge), width=WIDTH, left=LEFT,
    )  # fmt: skip
    return text, len(own)


def _twice(one: Mapping[str, Any]) -> float | None:
    if not is_number(one["error"]):
        return None
    return 2.0 * (one["error"] ** 2 + (one["monte_carlo"] or 0.0) ** 2) ** 0.5


def _label(one: Mapping[str, Any], words: Words) -> str:
    name = f"{one['study']}: {who(one)}, {what(one, words)}"
    short = name if len(name) <= MOST_LETTERS else name[: MOST_LETTERS - 1] + "…"
    return f"{short} | {observed(one)}; predicted {predicted(one)}"


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path, help="what `mesolung validate` made")
    parser.add_argument("picture", type=Path, nargs="?", default=PICTURE)
    asked = parser.parse_args()
    found = json.loads((asked.folder / "validation.json").read_text(encoding="utf-8"))
    asked.picture.write_text(forest(found), encoding="utf-8")


if __name__ == "__main__":
    main()
