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
        "figures": [_effects(meaning), _limits(meaning)],
        "tables": [_effect_table(meaning), _limit_table(meaning)],
    }


def _title(line: Mapping[str, Any]) -> str:
    scale = "log ratio" if line["unit"] is None else line["unit"]
    return f"{words_of([]).endpoint(line['endpoint'])}, {line['comparison']} ({scale})"


def _band(band: Mapping[str, Any]) -> str:
    return f"{number(band['mean'])} ({number(band['p05'])} to {number(band['p95'])})"


def _effects(meaning: Mapping[str, Any]) -> Figure:
    bars, labels, y = [], [], 0
    for line in meaning["effects"]:
        for key, name, colour, symbol in (
            ("reference", "reference lot", MUTED, SYMBOLS[1]),
            ("lot", "this lot", PALETTE[0], SYMBOLS[0]),
        ):
            band = line[key]
            label = f"{_title(line)}: {name}"
            bars.append(
                Bar(
                    y,
                    colour,
                    symbol,
                    name,
                    band["p05"],
                    band["mean"],
                    band["p95"],
                    hover=f"{plot_text(label)}<br>{_band(band)}",
                )
            )
            labels.append(label)
            y += 1
    values = [v for b in bars for v in (b.low, b.middle, b.high)]
    made, height = forest_layout("benefit", labels, values, log=False, null=0.0)
    return Figure(
        id="meaning-effect",
        title="Benefit with this lot and with the reference lot",
        alt="; ".join(
            f"{_title(e)}: {_band(e['lot'])} against {_band(e['reference'])}" for e in meaning["effects"]
        ),
        caption="Mark: mean over draws; line: 90 % of the draws. Above 0 the cells help.",
        data=draw_bars(bars),
        layout=made,
        table=_effect_table(meaning),
        height=height,
    )


def _limits(meaning: Mapping[str, Any]) -> Figure:
    traces = []
    for place, (name, rows) in enumerate(meaning["limits"].items()):
        traces.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "x": [100.0 * row["lost"] for row in rows],
                "y": [row["effect"] for row in rows],
                "text": [f"{name} at least {number(row['limit'])}" for row in rows],
                "hovertemplate": "%{text}: %{x:.0f} % of lots lost, benefit %{y:.3g}<extra></extra>",
                "name": name,
                "line": {"color": PALETTE[place], "width": 2, "dash": ("solid", "dash")[place % 2]},
                "marker": {"symbol": SYMBOLS[place], "size": 8},
            }
        )
    first = meaning["effects"][0]
    return Figure(
        id="meaning-limits",
        title="An acceptance limit: lots lost against benefit gained",
        alt="Benefit of accepted lots against the share of lots lost, for limits on viability and potency.",
        caption=f"Benefit: {_title(first)}, mean over the accepted lots. Each mark is a limit; the "
        "Monte-Carlo error stands in the table.",
        data=traces,
        layout=layout(xaxis=axis("lots lost (%)"), yaxis=axis("benefit of accepted lots")),
        table=_limit_table(meaning),
        height=360,
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
