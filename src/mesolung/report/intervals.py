"""Rows of intervals on one axis, with what was observed: the marks of a forest figure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import shorten, wrap
from typing import Any

from mesolung.report.style import INK, MUTED, axis, layout, padded, plot_text, ratio_ticks

SIMULATED = "simulated trials, 90 %"
# In px: from row to row, and for each line that a name needs beyond its first.
_ROW, _LINE = 70, 17
# In characters: a line of a name, and the longest name.
_WRAP, _LONGEST = 48, 240


@dataclass(frozen=True)
class Bar:
    """One interval of a forest figure, on its axis.

    Attributes:
        y: place, counted downwards.
        colour: hexadecimal.
        symbol: of the median.
        name: of what it is the interval.
        low, middle, high: the interval and its median.
        inner: a narrower interval drawn thicker, or None.
        hover: words shown on pointing at it.
        hollow: whether the mark is open and the line dotted.
    """

    y: float
    colour: str
    symbol: str
    name: str
    low: float | None
    middle: float | None
    high: float | None
    inner: tuple[float, float] | None = None
    hover: str = ""
    hollow: bool = False


def draw_bars(bars: Sequence[Bar]) -> list[dict[str, Any]]:
    """Draw intervals.

    Arguments:
        bars: what to draw; bars without a median are left out.

    Returns:
        plotly traces.
    """
    traces: list[dict[str, Any]] = []
    for bar in bars:
        if bar.middle is None:
            continue
        ends = (bar.middle if bar.low is None else bar.low, bar.middle if bar.high is None else bar.high)
        spans = [(ends, 1.6 if bar.hollow else 2.2)] + ([(bar.inner, 7.0)] if bar.inner else [])
        for (low, high), width in spans:
            traces.append(
                {
                    "type": "scatter",
                    "mode": "lines",
                    "x": [low, high],
                    "y": [bar.y, bar.y],
                    "hoverinfo": "skip",
                    "line": {"color": bar.colour, "width": width, "dash": "dot" if bar.hollow else "solid"},
                    "showlegend": False,
                }
            )
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": [bar.middle],
                "y": [bar.y],
                "name": bar.name,
                "text": [bar.hover],
                "hovertemplate": "%{text}<extra></extra>",
                "showlegend": False,
                "marker": {
                    "symbol": bar.symbol + ("-open" if bar.hollow else ""),
                    "size": 9 if bar.hollow else 11,
                    "color": bar.colour,
                    "line": {"color": bar.colour, "width": 2},
                },
            }
        )
    return traces


def draw_observed(
    points: Sequence[tuple[float, float, tuple[float, float] | None, str]],
) -> list[dict[str, Any]]:
    """Draw observed values as black diamonds, with the printed spread where there is one.

    Arguments:
        points: (x, y, spread or None, words shown on pointing at it).

    Returns:
        plotly traces.
    """
    if not points:
        return []
    spreads: list[dict[str, Any]] = [
        {
            "type": "scatter",
            "mode": "lines",
            "x": list(s),
            "y": [y, y],
            "line": {"color": INK, "width": 1.2},
            "hoverinfo": "skip",
            "showlegend": False,
        }
        for _, y, s, _ in points
        if s
    ]
    return [
        *spreads,
        {
            "type": "scatter",
            "mode": "markers",
            "name": "observed",
            "x": [p[0] for p in points],
            "y": [p[1] for p in points],
            "text": [p[3] for p in points],
            "showlegend": False,
            "hovertemplate": "%{text}<extra></extra>",
            "marker": {
                "symbol": "diamond",
                "size": 12,
                "color": "white",
                "line": {"color": INK, "width": 2.2},
            },
        },
    ]


def row_labels(labels: Sequence[str]) -> list[dict[str, Any]]:
    """Write each row's name above it, on as many lines as it needs, so that long names need no margin.

    Arguments:
        labels: a name a row, from above.

    Returns:
        plotly annotations.
    """
    return [
        {
            "xref": "paper",
            "x": 0,
            "xanchor": "left",
            "y": i,
            "yanchor": "bottom",
            "yshift": 9,
            "showarrow": False,
            "align": "left",
            "text": "<br>".join(f"<b>{plot_text(line)}</b>" for line in _wrapped(label)),
            "font": {"size": 12.5, "color": INK},
            "bgcolor": "rgba(255,255,255,0.8)",
        }
        for i, label in enumerate(labels)
    ]


def _wrapped(label: str) -> list[str]:
    return wrap(shorten(label, _LONGEST), _WRAP) or [""]


def forest_layout(
    title: str,
    labels: Sequence[str],
    values: Sequence[float | None],
    *,
    log: bool,
    null: float | None = None,
    zero: bool = False,
) -> tuple[dict[str, Any], int]:
    """Axes of a forest figure.

    Arguments:
        title: of the x axis, with its unit.
        labels: names of the rows.
        values: all that is drawn, for the ends of the axis.
        log: whether the x axis is logarithmic.
        null: where a line of no difference stands.
        zero: whether the axis starts at 0.

    Returns:
        (plotly layout, height in px).
    """
    rows = len(labels)
    more = _LINE * (max((len(_wrapped(label)) for label in labels), default=1) - 1)
    ends = padded([*values, null], log=log, zero=zero)
    x = axis(title, range=ends)
    if log and ends:
        x |= {"type": "log"} | ratio_ticks(10 ** ends[0], 10 ** ends[1])
    shapes = []
    if null is not None:
        shapes.append(
            {
                "type": "line",
                "xref": "x",
                "yref": "paper",
                "x0": null,
                "x1": null,
                "y0": 0,
                "y1": 1,
                "layer": "below",
                "line": {"color": MUTED, "width": 1, "dash": "dot"},
            }
        )
    made = layout(
        xaxis=x,
        yaxis={"range": [rows - 0.4, -0.5], "visible": False, "fixedrange": True},
        annotations=row_labels(labels),
        shapes=shapes,
        margin={"l": 14, "r": 18, "t": 6 + more, "b": 48},
    )
    return made, (_ROW + more) * rows + 64 + more
