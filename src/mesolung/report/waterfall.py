"""From the cells counted to the cells at work: what is lost at each stage of a dose."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from mesolung.report.numbers import UNKNOWN, cells, is_number, number
from mesolung.report.plan import Plan, in_plan_order
from mesolung.report.style import GRID, INK, MUTED, Figure, Look, axis, layout, padded, plot_text
from mesolung.report.tables import table

STAGES = ("counted", "viable", "delivered alive", "retained in lung", "licensed")
Rows = Sequence[Mapping[str, Any]]


def waterfall_figures(rows: Rows, plan: Plan, look: Look) -> list[Figure]:
    """A figure for each arm and product.

    Arguments:
        rows: of the table of stages, in cells of a whole course of doses.
        plan: gives the order of the arms.
        look: colours of the arms.

    Returns:
        The figures.
    """
    figures = []
    for arm in in_plan_order((str(r["arm"]) for r in rows), plan):
        mine = [r for r in rows if str(r["arm"]) == arm]
        for product in dict.fromkeys(_product(r) for r in mine):
            stages = sorted((r for r in mine if _product(r) == product), key=_place)
            if any(is_number(r.get("p50")) for r in stages):
                figures.append(_figure(f"waterfall-{len(figures) + 1}", arm, product, stages, look))
    return figures


def _product(row: Mapping[str, Any]) -> str:
    product = row.get("product")
    return product if isinstance(product, str) else ""


def _place(row: Mapping[str, Any]) -> int:
    stage = str(row.get("stage"))
    return STAGES.index(stage) if stage in STAGES else len(STAGES)


def kept(before: Any, after: Any) -> str:
    """What a stage loses of the stage before it, medians compared.

    Arguments:
        before, after: cells.

    Returns:
        Text as "−12 %".
    """
    if not (is_number(before) and is_number(after)) or before <= 0:
        return UNKNOWN
    change = 100.0 * (float(after) / float(before) - 1.0)
    return f"{'−' if change < 0 else '+'}{number(abs(change))} %" if abs(change) >= 0.005 else "no loss"


def _figure(place: str, arm: str, product: str, rows: Rows, look: Look) -> Figure:
    names = [str(r["stage"]) for r in rows]
    highest = max(float(r["p95"]) for r in rows if is_number(r.get("p95")))
    floor = max(
        min((float(r["p05"]) for r in rows if is_number(r.get("p05")) and r["p05"] > 0), default=1.0),
        highest * 1e-8,
    )
    losses = [UNKNOWN, *(kept(a.get("p50"), b.get("p50")) for a, b in pairwise(rows))]
    colour = look.colour(arm)
    low, middle, high = ([_at_least(r.get(q), floor) for r in rows] for q in ("p05", "p50", "p95"))
    traces: list[dict[str, Any]] = []
    for i, name in enumerate(names):
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "x": [low[i], high[i]],
                "y": [i, i],
                "showlegend": False,
                "line": {"color": look.shade(arm, 0.35), "width": 13},
                "hoverinfo": "skip",
            }
        )
        p05, p50, p95 = (cells(rows[i].get(q)) for q in ("p05", "p50", "p95"))
        hover = f"{plot_text(name)}<br>{p50} ({p05} to {p95})"
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": [middle[i]],
                "y": [i],
                "showlegend": False,
                "marker": {"symbol": "line-ns", "size": 22, "line": {"color": colour, "width": 3.5}},
                "text": [hover],
                "hovertemplate": "%{text}<extra></extra>",
            }
        )
    traces.append(
        {
            "type": "scatter",
            "mode": "lines",
            "x": middle,
            "y": list(range(len(rows))),
            "showlegend": False,
            "line": {"color": MUTED, "width": 1, "dash": "dot"},
            "hoverinfo": "skip",
        }
    )
    notes = []
    for i, name in enumerate(names):
        words = f"<b>{plot_text(name)}</b>  {cells(rows[i].get('p50'))}"
        if i:
            words += f"  ({losses[i]})"
        notes.append(
            {
                "xref": "paper",
                "x": 0,
                "xanchor": "left",
                "y": i,
                "yshift": 21,
                "text": words,
                "align": "left",
                "showarrow": False,
                "font": {"size": 12.5, "color": INK},
            }
        )
    title = f"{arm}: {product}" if product else arm
    body = [
        (
            str(r["stage"]),
            number(r.get("p50"), 4),
            number(r.get("p05"), 4),
            number(r.get("p95"), 4),
            losses[i],
        )
        for i, r in enumerate(rows)
    ]
    header = ("Stage", "Median (cells)", "5 % (cells)", "95 % (cells)", "Loss from the stage before")
    return Figure(
        id=place,
        title=title,
        alt=f"Cells of the whole course at each stage, {title}. "
        + "; ".join(f"{n}: {cells(r.get('p50'))}" for n, r in zip(names, rows, strict=True))
        + ".",
        caption="Bar: 90 % of simulated patients and lots; stroke: median, also in words; in brackets the "
        "change of the median from the stage above. All doses of the course together; logarithmic axis.",
        data=traces,
        layout=layout(
            xaxis=axis(
                "cells (number)", type="log", range=padded([*low, *high], log=True), **_ticks(low, high)
            ),
            yaxis={
                "range": [len(rows) - 0.5, -0.75],
                "tickvals": list(range(len(rows))),
                "showticklabels": False,
                "gridcolor": GRID,
                "zeroline": False,
                "fixedrange": True,
                "visible": True,
                "title": {"text": ""},
            },
            annotations=notes,
            margin={"l": 14, "r": 18, "t": 8, "b": 48},
        ),
        table=table(f"Effective dose, {title}", header, body, (1, 2, 3, 4)),
        height=60 * len(rows) + 70,
    )


def _ticks(low: Sequence[float | None], high: Sequence[float | None]) -> dict[str, Any]:
    """Label decades in words; a third of them where they are many, and twos and fives where they are few."""
    found = [v for v in (*low, *high) if v is not None]
    first, last = math.floor(math.log10(min(found))), math.ceil(math.log10(max(found)))
    steps = (1, 2, 5) if last - first <= 1 else (1, 3) if last - first <= 2 else (1,)
    every = 1 if last - first <= 4 else 3
    values = [s * 10.0**d for d in range(first, last + 1) if d % every == 0 for s in steps]
    return {"tickvals": values, "ticktext": [cells(v) for v in values]}


def _at_least(value: Any, floor: float) -> float | None:
    return max(float(value), floor) if is_number(value) else None
