"""Figures of a lot's card: dose, properties before and after its assays, radar, gates, sizes of particles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from mesolung.report.intervals import Bar, draw_bars, forest_layout
from mesolung.report.numbers import number
from mesolung.report.plan import Plan
from mesolung.report.style import GRID, MUTED, PALETTE, SYMBOLS, Figure, Look, axis, layout, plot_text
from mesolung.report.tables import table
from mesolung.report.waterfall import waterfall_figures

NAMES: Mapping[str, str] = {
    "potency": "secretion and cargo",
    "licensing": "licensing",
    "loss": "death rate in the lung",
    "efferocytosis": "phagocytes reprogrammed",
    "size": "diameter",
    "procoagulant": "clotting",
    "mito": "mitochondria donated",
    "contact": "contact with other cells",
    "hla": "foreign to the host",
    "homing": "retention in injured lung",
    "engraftment": "engraftment",
}
DOSE = (
    "Bar: nine lots in ten that are like this one as far as it is described; stroke: median, also in words; "
    "in brackets the change of the median from the stage above. One dose into a vein; logarithmic axis."
)
FARTHEST = 3.0  # the radar's edge: beyond it a lot is as far as it gets


def dose_figure(card: Mapping[str, Any]) -> Figure:
    """What one dose loses from the bag to the lung, and what the rest is worth.

    Arguments:
        card: of the lot.
    """
    what = "particles" if card["product"].get("type") == "ev" else "cells"
    rows = [
        {"arm": "One dose", "product": f"{what} counted to {what} of the reference", **stage}
        for stage in card["dose"]
    ]
    made = replace(waterfall_figures(rows, Plan(), Look(("One dose",)))[0], caption=DOSE)
    if what == "cells":
        return made
    title = {**made.layout["xaxis"]["title"], "text": "particles (number)"}
    words = {**made.layout, "xaxis": {**made.layout["xaxis"], "title": title}}
    notes = made.table
    header = tuple(h.replace("(cells)", "(particles)") for h in notes.header)
    return replace(
        made,
        alt=made.alt.replace("Cells of the whole course", "Particles of one dose"),
        layout=words,
        table=table(notes.caption, header, notes.rows, (1, 2, 3, 4)),
    )


def properties_figure(card: Mapping[str, Any]) -> Figure:
    """Properties against the reference, before the assays and with them.

    Arguments:
        card: of the lot.
    """
    bars, labels, rows = [], [], []
    for y, (name, bands) in enumerate(card["properties"].items()):
        label = NAMES.get(str(name), str(name))
        labels.append(label)
        for shift, colour, symbol, when, key in (
            (-0.12, MUTED, SYMBOLS[1], "before its assays", "prior"),
            (0.12, PALETTE[0], SYMBOLS[0], "with its assays", "now"),
        ):
            band = bands[key]
            hover = f"{plot_text(label)}, {when}<br>{_band(band)}"
            bars.append(
                Bar(y + shift, colour, symbol, label, band["p05"], band["p50"], band["p95"], hover=hover)
            )
        rows.append((label, _band(bands["prior"]), _band(bands["now"])))
    values = [v for b in bars for v in (b.low, b.middle, b.high)]
    made, height = forest_layout("against the reference lot (ratio)", labels, values, log=True, null=1.0)
    return Figure(
        id="properties",
        title="Properties against the reference",
        alt="Properties of the lot against the reference. " + "; ".join(f"{r[0]}: {r[2]}" for r in rows),
        caption="Line: nine lots in ten that are like this one as far as it is described; 1: the reference, "
        "a fresh lot at passage 4.",
        data=draw_bars(bars),
        layout=made,
        table=table(
            "Properties, median and 90 %", ("Property", "Before its assays", "With its assays"), rows
        ),
        height=height,
        key="▲ before its assays   ● with its assays",
    )


def radar_figure(card: Mapping[str, Any]) -> Figure | None:
    """The lot among earlier lots.

    Arguments:
        card: of the lot.

    Returns:
        the figure; None where there are too few axes for one.
    """
    radar = card["radar"]
    axes = radar["axes"]
    if len(axes) < 3:
        return None
    traces = []
    for place, (name, ratios) in enumerate(radar["lots"].items()):
        own = place == 0
        drawn = [min(r, FARTHEST) for r in ratios]
        traces.append(
            {
                "type": "scatterpolar",
                "mode": "lines+markers",
                "r": [*drawn, drawn[0]],
                "theta": [*axes, axes[0]],
                "name": plot_text(name, 24),
                # Colour, dash and symbol tell the other lots apart, whose lines lie on one another.
                "line": {
                    "color": PALETTE[0] if own else PALETTE[1 + (place - 1) % (len(PALETTE) - 1)],
                    "width": 3 if own else 1.6,
                    "dash": "solid" if own else ("dot", "dash", "dashdot", "longdash")[place % 4],
                },
                "marker": {
                    "size": 8 if own else 6,
                    "symbol": SYMBOLS[0 if own else 1 + (place - 1) % (len(SYMBOLS) - 1)],
                },
                "hovertemplate": "%{theta}: %{r:.2f}<extra>%{fullData.name}</extra>",
            }
        )
    rows = [(name, *(number(r) for r in ratios)) for name, ratios in radar["lots"].items()]
    return Figure(
        id="radar",
        title="Among earlier lots",
        alt="Median of each property against " + radar["reference"] + "; outwards is better.",
        caption=f"Medians against {radar['reference']}; outwards is better, 1 is that lot, the edge is "
        f"{FARTHEST:g} or more. Medians hide how little is known: the intervals stand beside.",
        data=traces[::-1],
        layout=layout(
            polar={
                "radialaxis": {"range": [0, FARTHEST], "gridcolor": GRID, "tickvals": [1, 2, 3]},
                "angularaxis": {"gridcolor": GRID},
            },
            legend={"orientation": "h", "y": -0.12, "font": {"size": 12}},
            margin={"l": 90, "r": 90, "t": 30, "b": 40},
        ),
        table=table("Medians, more is better", ("Lot", *axes), rows, tuple(range(1, len(axes) + 1))),
        height=430,
    )


def gate_figures(gates: Sequence[Mapping[str, Any]]) -> list[Figure]:
    """Histograms and dot plots of gated events.

    Arguments:
        gates: of the card's quality files: name, x and y of the events shown, share, events, and the edge.

    Returns:
        a figure each.
    """
    found = []
    for place, gate in enumerate(gates):
        inside = {"color": PALETTE[0], "size": 3, "opacity": 0.5}
        outside = {"color": MUTED, "size": 3, "opacity": 0.35}
        traces: list[dict[str, Any]] = []
        for kept, name, marker in ((False, "outside", outside), (True, "inside", inside)):
            points = [
                (x, y) for x, y, k in zip(gate["x"], gate["y"], gate["inside"], strict=True) if k == kept
            ]
            traces.append(
                {
                    "type": "scattergl" if len(points) > 5000 else "scatter",
                    "mode": "markers",
                    "x": [p[0] for p in points],
                    "y": [p[1] for p in points],
                    "name": name,
                    "marker": marker,
                    "hoverinfo": "skip",
                }
            )
        shapes = []
        if gate.get("edge") is not None:
            shapes = [
                {
                    "type": "line",
                    "x0": gate["edge"],
                    "x1": gate["edge"],
                    "yref": "paper",
                    "y0": 0,
                    "y1": 1,
                    "line": {"color": PALETTE[1], "width": 2, "dash": "dash"},
                }
            ]
        rows = [
            (gate["name"], gate["parent"], number(gate["percent"]), f"{gate['count']:,}", f"{gate['of']:,}")
        ]
        found.append(
            Figure(
                id=f"gate-{place + 1}",
                title=f"{gate['name']}: {number(gate['percent'])} % of {gate['parent']}",
                alt=f"{gate['name']}: {gate['count']} of {gate['of']} events of {gate['parent']}.",
                caption=f"{len(gate['x']):,} of {gate['of']:,} events are drawn"
                + ("; the broken line is the gate." if shapes else "."),
                data=traces,
                layout=layout(
                    xaxis=axis(gate["x_label"]),
                    yaxis=axis(gate["y_label"]),
                    shapes=shapes,
                    legend={"orientation": "h", "y": 1.12, "itemsizing": "constant"},
                ),
                table=table("Events", ("Population", "Of", "Percent", "Events", "Out of"), rows, (2, 3, 4)),
                height=320,
            )
        )
    return found


def sizes_figure(sizes: Sequence[Mapping[str, Any]]) -> Figure | None:
    """Sizes of particles.

    Arguments:
        sizes: of the card's quality files: name, nm and particles per mL of each bin.

    Returns:
        the figure; None without sizes.
    """
    if not sizes:
        return None
    traces = [
        {
            "type": "scatter",
            "mode": "lines",
            "x": list(one["nm"]),
            "y": list(one["per_ml"]),
            "name": plot_text(one["name"]),
            "line": {"color": PALETTE[i % len(PALETTE)], "width": 2},
        }
        for i, one in enumerate(sizes)
    ]
    rows = [
        (one["name"], number(one["mean_nm"]), number(one["mode_nm"]), number(one["concentration_per_ml"]))
        for one in sizes
    ]
    return Figure(
        id="sizes",
        title="Sizes of the particles",
        alt="; ".join(f"{r[0]}: mean {r[1]} nm, {r[3]} per mL" for r in rows),
        caption="As the instrument's own file has it; another instrument counts another number.",
        data=traces,
        layout=layout(xaxis=axis("diameter (nm)"), yaxis=axis("particles per mL in a bin")),
        table=table(
            "Particles", ("Measurement", "Mean (nm)", "Mode (nm)", "Particles per mL"), rows, (1, 2, 3)
        ),
        height=340,
    )


def _band(band: Mapping[str, Any]) -> str:
    if band["p05"] == band["p95"]:
        return number(band["p50"])
    return f"{number(band['p50'])} ({number(band['p05'])} to {number(band['p95'])})"
