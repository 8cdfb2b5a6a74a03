"""Intervals of simulated trials with what was observed, a row an arm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mesolung.report.comparison import Line, spread_of
from mesolung.report.intervals import SIMULATED, Bar, draw_bars, draw_observed, forest_layout
from mesolung.report.numbers import number
from mesolung.report.style import Figure, Look, plot_text
from mesolung.report.tables import Table, table
from mesolung.report.words import is_ratio


def comparison_figures(lines: Sequence[Line], look: Look) -> list[Figure]:
    """Figures of predicted against observed, one for each endpoint and axis.

    Arguments:
        lines: predictions and observations; directions and orderings, which have no axis, are left out.
        look: colours of the arms.

    Returns:
        The figures, in the order of the lines.
    """
    groups: dict[tuple[str, str], list[Line]] = {}
    for line in lines:
        if not line.directional and line.on_axis(line.predicted.get("p50")) is not None:
            groups.setdefault((line.title, line.axis_unit), []).append(line)
    return [_figure(i, title, unit, group, look) for i, ((title, unit), group) in enumerate(groups.items())]


def _inner(line: Line) -> tuple[float, float] | None:
    low, high = line.on_axis(line.predicted.get("p25")), line.on_axis(line.predicted.get("p75"))
    return None if low is None or high is None else (low, high)


def _figure(place: int, title: str, unit: str, group: Sequence[Line], look: Look) -> Figure:
    bars: list[Bar] = []
    points: list[tuple[float, float, tuple[float, float] | None, str]] = []
    for i, line in enumerate(group):
        p05, p50, p95 = (line.on_axis(line.predicted.get(k)) for k in ("p05", "p50", "p95"))
        words = f"{plot_text(line.arm)}<br>predicted {line.predicted_text()} {plot_text(line.unit_text())}"
        bars.append(
            Bar(
                i,
                look.colour(line.colour_arm),
                look.symbol(line.colour_arm),
                SIMULATED,
                p05,
                p50,
                p95,
                _inner(line),
                words,
            )
        )
        expected = _expected(line)
        if expected:
            words = f"{plot_text(line.arm)}<br>expected value {line.expected_text()} {plot_text(unit)}"
            bars.append(
                Bar(
                    i + 0.2,
                    look.colour(line.colour_arm),
                    look.symbol(line.colour_arm),
                    "expected value, 90 %",
                    *expected,
                    hover=words,
                    hollow=True,
                )
            )
        x = line.on_axis((line.observation or {}).get("observed"))
        if x is not None:
            # A printed spread would hide under the interval of simulated trials: it gets its own track.
            spread = spread_of(line)
            points.append(
                (
                    x,
                    i + 0.4 if spread else i,
                    spread,
                    f"{plot_text(line.arm)}<br>observed {line.observed_text()}",
                )
            )
    measure = group[0].measure
    ratio = is_ratio(measure)
    what = group[0].measure_words if measure else title
    labels = [f"{line.arm} (n = {number(line.n)})" if line.n is not None else line.arm for line in group]
    drawn = [v for b in bars for v in (b.low, b.middle, b.high)] + [
        v for p in points for v in (p[0], *(p[2] or ()))
    ]
    null = (1.0 if ratio else 0.0) if measure else None
    made, height = forest_layout(
        f"{plot_text(what)} ({unit})", labels, drawn, log=ratio, null=null, zero=unit == "%" and not measure
    )
    told = "; ".join(
        f"{line.arm}: predicted {line.predicted_text()}, observed {line.observed_text()}" for line in group
    )
    return Figure(
        id=f"comparison-{place + 1}",
        title=title[:1].upper() + title[1:],
        alt=f"Predicted and observed {title} by arm. {told}.",
        caption="Solid line: median and 90 % interval of simulated trials with the same number of "
        "patients (a thicker part, where drawn, is the 50 % interval). Dotted line: the value expected with "
        "endless patients. A line through the diamond is the spread as printed.",
        data=draw_bars(bars) + draw_observed(points),
        layout=made,
        table=comparison_table(group, "Predicted and observed"),
        height=height,
        key="   ".join(
            ["filled: simulated trials, 90 %"]
            + ["open: expected value, 90 %"] * any(b.hollow for b in bars)
            + ["◇ observed"] * bool(points)
        ),
    )


def _expected(line: Line) -> tuple[float, float, float] | None:
    found: Mapping[str, Any] = line.expected or {}
    factor = 100.0 if line.expected_unit == "fraction" else 1.0
    values = [found.get(k) for k in ("p05", "p50", "p95")]
    if any(v is None for v in values):
        return None
    return tuple(float(v) * factor for v in values)  # type: ignore[return-value,arg-type]


def comparison_table(lines: Sequence[Line], caption: str) -> Table:
    """The numbers of predicted against observed.

    Arguments:
        lines: what to show.
        caption: heading of the table.

    Returns:
        The table.
    """
    header = (
        "Arm",
        "Endpoint",
        "Unit",
        "Predicted median (90 %)",
        "Expected value (90 %)",
        "Observed",
        "n",
        "Inside 90 %",
        "Log score",
    )
    rows = [
        (
            line.arm,
            line.title,
            line.unit_text(),
            line.predicted_text(),
            line.expected_text(),
            line.observed_text(),
            number(line.n),
            line.inside_text(),
            number((line.observation or {}).get("log_score")),
        )
        for line in lines
    ]
    return table(caption, header, rows, (3, 4, 5, 6, 8))
