"""What a lot would mean in a study, as the card shows it: its effect beside the reference's, and limits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mesolung.report.intervals import Bar, draw_bars, forest_layout
from mesolung.report.numbers import number, percent
from mesolung.report.style import MUTED, PALETTE, SYMBOLS, Figure, axis, layout, plot_text
from mesolung.report.tables import table
from mesolung.report.words import words_of


def meaning_parts(meaning: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Make sentences, figures and tables of a lot's meaning.

    Arguments:
        meaning: of the card; None when no study was asked for.

    Returns:
        "sentences", "figures", "tables"; None without a study.
    """
    if not meaning:
        return None
    return {
        "sentences": meaning["said"],
        "figures": [*_effects(meaning), *([_limits(meaning)] if meaning["limits"] else [])],
        "tables": [_effect_table(meaning), *([_limit_table(meaning)] if meaning["limits"] else [])],
    }


def _title(line: Mapping[str, Any]) -> str:
    scale = "log ratio" if line["unit"] is None else line["unit"]
    return f"{words_of([]).endpoint(line['endpoint'])}, {line['comparison']} ({scale})"


def _band(band: Mapping[str, Any]) -> str:
    return f"{number(band['mean'])} ({number(band['p05'])} to {number(band['p95'])})"


def _effects(meaning: Mapping[str, Any]) -> list[Figure]:
    """A figure for each endpoint: each has a scale of its own."""
    figures = []
    for place, line in enumerate(meaning["effects"], start=1):
        bars, labels = [], []
        for y, (key, name, colour, symbol) in enumerate(
            (
                ("lot", "this lot", PALETTE[0], SYMBOLS[0]),
                ("reference", "the reference lot", MUTED, SYMBOLS[1]),
                ("difference", "this lot minus the reference", PALETTE[1], SYMBOLS[2]),
            )
        ):
            band = line[key]
            hover = f"{plot_text(name)}<br>{_band(band)}"
            bars.append(Bar(y, colour, symbol, name, band["p05"], band["mean"], band["p95"], hover=hover))
            labels.append(name)
        values = [v for b in bars for v in (b.low, b.middle, b.high)]
        scale = "log ratio" if line["unit"] is None else line["unit"]
        made, height = forest_layout(f"benefit ({scale})", labels, values, log=False, null=0.0)
        figures.append(
            Figure(
                id=f"meaning-effect-{place}",
                title=f"Benefit: {_title(line)}",
                alt=f"{_title(line)}: {_band(line['lot'])} against {_band(line['reference'])}",
                caption="Mark: mean over draws; line: 90 % of the draws. Above 0 the cells help.",
                data=draw_bars(bars),
                layout=made,
                table=_effect_table(meaning),
                height=height,
            )
        )
    return figures


def _limits(meaning: Mapping[str, Any]) -> Figure:
    traces = []
    for place, (name, rows) in enumerate(meaning["limits"].items()):
        known = [row for row in rows if row["gained"] is not None]
        traces.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "x": [100.0 * row["lost"] for row in known],
                "y": [row["gained"] for row in known],
                "error_y": {"type": "data", "array": [2.0 * (row["monte_carlo"] or 0.0) for row in known]},
                "text": [f"{name} at least {number(row['limit'])}" for row in known],
                "hovertemplate": "%{text}: %{x:.0f} % of lots lost, gained %{y:.3g}<extra></extra>",
                "name": name,
                "line": {"color": PALETTE[place], "width": 2, "dash": ("solid", "dash")[place % 2]},
                "marker": {"symbol": SYMBOLS[place], "size": 8},
            }
        )
    zero = {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": 0, "y1": 0}
    first = meaning["effects"][0]
    return Figure(
        id="meaning-limits",
        title="An acceptance limit: lots lost against benefit gained",
        alt="Benefit gained against the share of lots lost, for limits on viability and on a potency assay.",
        caption=f"Gained: {_title(first)}, mean of accepted lots minus that of all. Each mark is a limit; "
        "bars are two Monte-Carlo errors: one that reaches 0 has gained nothing that can be told.",
        data=traces,
        layout=layout(
            xaxis=axis("lots lost (%)"),
            yaxis=axis("benefit gained"),
            shapes=[{**zero, "line": {"color": MUTED, "width": 1, "dash": "dot"}}],
        ),
        table=_limit_table(meaning),
        height=380,
    )


def _effect_table(meaning: Mapping[str, Any]) -> Any:
    rows = [
        (_title(e), _band(e["lot"]), _band(e["reference"]), _band(e["difference"]))
        for e in meaning["effects"]
    ]
    header = ("Benefit", "This lot (90 %)", "Reference lot (90 %)", "Difference (90 %)")
    return table("Benefit in the study", header, rows, (1, 2, 3))


def _limit_table(meaning: Mapping[str, Any]) -> Any:
    rows = [
        (
            name,
            number(row["limit"]),
            percent(row["lost"]),
            number(row["effect"]),
            number(row["gained"]),
            number(row["monte_carlo"]),
        )
        for name, lines in meaning["limits"].items()
        for row in lines
    ]
    header = ("Limit on", "At least", "Lots lost", "Benefit of accepted", "Gained", "Monte-Carlo error")
    return table("Acceptance limits", header, rows, (1, 2, 3, 4, 5))
