"""What a lot's cells regain in the body, hour by hour, as a figure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mesolung.report.numbers import number, percent
from mesolung.report.style import PALETTE, Figure, axis, layout
from mesolung.report.tables import table

LINES = (("secretion", "secretion", "solid"), ("licensing", "licensing", "dash"))
SHOWN = (0, 6, 12, 24, 48)  # h, rows of the table


def course_figure(card: Mapping[str, Any]) -> Figure | None:
    """Secretion and licensing of the cells against themselves once all is regained.

    Arguments:
        card: of the lot.

    Returns:
        the figure; None for a lot that has nothing to regain.
    """
    course = card.get("course")
    if not course:
        return None
    hours, traces, rows = course["hours"], [], []
    for place, (key, name, dash) in enumerate(LINES):
        band, colour = course[key], PALETTE[place]
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "x": [*hours, *hours[::-1]],
                "y": [100.0 * v for v in (*band["p95"], *band["p05"][::-1])],
                "fill": "toself",
                "fillcolor": colour,
                "opacity": 0.15,
                "line": {"width": 0},
                "hoverinfo": "skip",
                "showlegend": False,
            }
        )
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "x": list(hours),
                "y": [100.0 * v for v in band["mean"]],
                "name": f"{name}, mean of the lots",
                "line": {"color": colour, "width": 2.5, "dash": dash},
                "hovertemplate": f"{name}: %{{y:.0f}} % after %{{x:g}} h<extra></extra>",
            }
        )
    for hour in SHOWN:
        at = list(hours).index(hour)
        cells = (
            f"{percent(course[key]['mean'][at])} "
            f"({percent(course[key]['p05'][at])} to {percent(course[key]['p95'][at])})"
            for key, _, _ in LINES
        )
        rows.append((number(hour), *cells))
    first = rows[0]
    return Figure(
        id="course",
        title="What the cells regain in the body",
        alt=f"At first secretion {first[1]} and licensing {first[2]} of what they become.",
        caption="In percent of the same cells once all is regained; shaded: nine lots in ten. Cells live "
        "about a day in the lung: what comes back late comes back in few of them.",
        data=traces,
        layout=layout(
            xaxis=axis("hours in the body"),
            yaxis={**axis("of what they become (%)"), "range": [0, 105]},
            legend={"orientation": "h", "y": 1.12},
        ),
        table=table("Regained, mean (90 %)", ("Hours", "Secretion", "Licensing"), rows, (0, 1, 2)),
        height=320,
    )
