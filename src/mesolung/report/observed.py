"""Marks of what was observed: hollow diamonds in an arm's colour, and their entry in the legend."""

from __future__ import annotations

from typing import Any

from mesolung.report.style import MUTED


def observed_mark(x: float, y: float | None, colour: str, text: str, size: int = 11) -> dict[str, Any]:
    """Mark one observation.

    Arguments:
        x, y: its place, in the units of the axes.
        colour: of its arm.
        text: shown beside the pointer, safe for plotly.
        size: of the mark, px.

    Returns:
        a plotly trace without an entry in the legend.
    """
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [x],
        "y": [y],
        "showlegend": False,
        "marker": _diamond(size, colour, 2.4),
        "text": [text],
        "hovertemplate": "%{text}<extra></extra>",
    }


def observed_key(size: int = 11) -> dict[str, Any]:
    """Give the legend's entry for all observations, in no arm's colour.

    Arguments:
        size: of the mark, px.

    Returns:
        a plotly trace that draws nothing.
    """
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [None],
        "y": [None],
        "name": "observed",
        "marker": _diamond(size, MUTED, 2.2),
    }


def _diamond(size: int, colour: str, width: float) -> dict[str, Any]:
    return {
        "symbol": "diamond",
        "size": size,
        "color": "white",
        "line": {"color": colour, "width": width},
    }
