"""Figures of a validation: predictions beside observations, the gain over constant effects, the PIT."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from mesolung.report.intervals import Bar, draw_bars, draw_observed, forest_layout
from mesolung.report.numbers import is_number, number
from mesolung.report.style import CONTROL, INK, PALETTE, Figure, axis, layout, plot_text
from mesolung.report.tables import table
from mesolung.report.validation_words import observed, plus_minus, predicted, what, who
from mesolung.report.words import Words

ROWS = 40
FARTHEST = 4.0
FAILED = PALETTE[1]
HELD = CONTROL


def forest_figure(json: Mapping[str, Any], words: Words) -> Figure | None:
    """Where observed values lie in their predicted intervals, the failures first.

    Arguments:
        json: of the validation.
        words: labels of endpoints.

    Returns:
        the figure; None without an observation that has an interval.
    """
    own = [line for line in json["observations"] if place_of(line) is not None][:ROWS]
    if not own:
        return None
    bars, points, labels, rows = [], [], [], []
    for i, line in enumerate(own):
        colour = FAILED if line["failed"] else HELD
        name = f"{line['study']}: {who(line)}, {what(line, words)}"
        words_of_it = f"predicted {predicted(line)}, observed {observed(line)}"
        inner = line.get("interval_50")
        half = None if inner is None else (_scaled(line, inner[0]) or 0.0, _scaled(line, inner[1]) or 0.0)
        bars.append(
            Bar(
                i, colour, "square", "prediction", -1.0, 0.0, 1.0, half, f"{plot_text(name)}<br>{words_of_it}"
            )
        )
        at = max(-FARTHEST, min(FARTHEST, place_of(line) or 0.0))
        points.append((at, float(i), None, f"{plot_text(name)}<br>{words_of_it}"))
        labels.append(name)
        rows.append((name, predicted(line), observed(line), number(place_of(line))))
    made, height = forest_layout(
        "observed, in half widths of the 90 % interval from the predicted median",
        labels,
        [-FARTHEST / 2, FARTHEST / 2, *(p[0] for p in points)],
        log=False,
        null=0.0,
    )
    more = len([1 for line in json["observations"] if place_of(line) is not None])
    return Figure(
        id="forest",
        title=f"Predicted and observed, the most surprising first ({len(own)} of {more})",
        alt="Forest of observed values within predicted intervals; the table under it has the numbers.",
        caption="Each row is one published number on its own scale: the line is the 90 % interval of "
        "simulated trials with the same number of patients, from -1 to 1, its thick part the 50 % interval; "
        f"the diamond is what was observed, at most {FARTHEST:g} half widths away. Orange rows failed.",
        data=draw_bars(bars) + draw_observed(points),
        layout=made,
        table=table(
            "Predicted and observed",
            ("Observation", "Predicted (90 %)", "Observed", "Half widths away"),
            rows,
            (1, 2, 3),
        ),
        height=height,
        key="line: prediction, 90 %   ◇ observed",
    )


def skill_figure(json: Mapping[str, Any]) -> Figure | None:
    """How much better the model's log score is than each constant effect's.

    Arguments:
        json: of the validation.

    Returns:
        the figure; None without treated arms.
    """
    bars, labels, rows = [], [], []
    for treatment, found in json["skill"].items():
        for name, one in found.items():
            total = (
                math.hypot(one["error"] or 0.0, one["monte_carlo"] or 0.0)
                if is_number(one["error"])
                else None
            )
            i, mean = len(labels), one["mean"]
            if not is_number(mean):
                continue
            low, high = (None, None) if total is None else (mean - 2 * total, mean + 2 * total)
            bars.append(
                Bar(
                    i,
                    HELD,
                    "square",
                    "gain",
                    low,
                    mean,
                    high,
                    None,
                    f"{number(mean)} nats, {one['trials']} trials",
                )
            )
            labels.append(f"{treatment}, against {name} ({one['trials']} trials)")
            rows.append((treatment, name, plus_minus(mean, one["error"], one["monte_carlo"]), one["verdict"]))
    if not labels:
        return None
    drawn = [v for b in bars for v in (b.low, b.middle, b.high)]
    made, height = forest_layout("log score gained a trial (nats)", labels, drawn, log=False, null=0.0)
    return Figure(
        id="skill",
        title="The model against constant effects",
        alt="Paired differences in log score with two standard errors; the table under it has the numbers.",
        caption="Right of 0 the model is better. The line is two standard errors over trials, Monte-Carlo "
        "error included; one trial has none. Beyond it, and with enough trials, skill is claimed.",
        data=draw_bars(bars),
        layout=made,
        table=table(
            "Log score gained", ("Treatment", "Against", "Gain (SE, Monte-Carlo SE)", "Verdict"), rows, (2,)
        ),
        height=height,
    )


def pit_figure(json: Mapping[str, Any]) -> Figure | None:
    """Histogram of the probability integral transform: flat where predictions are right.

    Arguments:
        json: of the validation.

    Returns:
        the figure; None without values.
    """
    pit = json["summary"]["pit"]
    if not pit["observations"]:
        return None
    bins = pit["bins"]
    width = 1.0 / len(bins)
    middle = [width * (i + 0.5) for i in range(len(bins))]
    made = layout(
        xaxis=axis("share of the prediction below the observed value", range=[0, 1]),
        yaxis=axis("observations", rangemode="tozero"),
        bargap=0.05,
        shapes=[
            {
                "type": "line",
                "xref": "paper",
                "x0": 0,
                "x1": 1,
                "y0": pit["observations"] / len(bins),
                "y1": pit["observations"] / len(bins),
                "line": {"color": INK, "width": 1, "dash": "dot"},
            }
        ],
    )
    rows = [
        (f"{number(width * i)} to {number(width * (i + 1))}", number(count)) for i, count in enumerate(bins)
    ]
    return Figure(
        id="pit",
        title="Probability integral transform",
        alt="Histogram; the table under it has the numbers.",
        caption="Flat (dotted line) where predictions are right; heaped at the ends where they are too "
        "narrow, in the middle where they are too wide. Counts are spread over their step at random.",
        data=[{"type": "bar", "x": middle, "y": bins, "marker": {"color": PALETTE[0]}, "hoverinfo": "y"}],
        layout=made,
        table=table("Histogram", ("From, to", "Observations"), rows, (1,)),
        height=280,
    )


def place_of(line: Mapping[str, Any]) -> float | None:
    """How far an observation lies from its predicted median, in half widths of the 90 % interval on its side.

    Arguments:
        line: an observation of the validation's JSON.

    Returns:
        None for what has no interval or stands in no score.
    """
    value = line.get("observed")
    known = line["scored"] and is_number(value) and line.get("interval_90")
    return _scaled(line, value) if known else None


def _scaled(line: Mapping[str, Any], value: Any) -> float | None:
    """A value in half widths of the 90 % interval from the median, each side by its own."""
    low, high = line["interval_90"]
    middle = line.get("p50")
    if not (is_number(middle) and is_number(low) and is_number(high) and is_number(value)):
        return None
    away = float(value) - float(middle)  # type: ignore[arg-type]
    half = (high - middle) if away >= 0 else (middle - low)
    if half <= 0:
        return 0.0 if away == 0 else math.copysign(FARTHEST, away)
    return away / half
