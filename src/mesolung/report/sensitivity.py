"""What a person reads of a sensitivity analysis: an HTML page, and a compact table for the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mesolung.report.analysis_page import Analysis
from mesolung.report.intervals import Bar, draw_bars, forest_layout
from mesolung.report.numbers import number, percent
from mesolung.report.shown import plain
from mesolung.report.style import PALETTE, SYMBOLS, Figure, plot_text
from mesolung.report.tables import Table, table
from mesolung.report.words import words_of

if TYPE_CHECKING:
    from rich.console import RenderableType

WIDTH = 100
# Rows of a figure and of the terminal's table; the page's tables hold more, the JSON all.
SHOWN, LISTED = 10, 40
EFFECT = "effect"
SIZES = ("Input", "Moves it by (90 %)", "Direction", "Spread", "Grade", "Contraction")
SHARES = ("Input", "Alone (90 %)", "With others (90 %)", "Grade", "Contraction")


def sensitivity_page(json: Mapping[str, Any], command: str) -> Analysis:
    """Put a sensitivity analysis into a page.

    Arguments:
        json: the object that `mesolung sensitivity --json` prints.
        command: what repeats it.
    """
    json = plain(json)
    figures, tables = [], []
    for place, entry in enumerate(ordered(json)):
        if entry["sobol"] is not None:
            figures.append(_share_figure(json, entry, place))
        if entry["morris"] is not None:
            figures.append(_size_figure(json, entry, place))
    tables.append(_ranges(json))
    tables.append(_inputs(json))
    return Analysis(
        kind="Sensitivity",
        asked="What moves which endpoint",
        study=json["study"],
        version=json["version"],
        headline=headline(json),
        command=command,
        said=[text for key, text in json["said"].items() if _applies(key, json)],
        warnings=json["warnings"],
        figures=figures,
        tables=tables,
        facts=_facts(json),
    )


def headline(json: Mapping[str, Any]) -> str:
    """What moves the first effect most, in one sentence.

    Arguments:
        json: of the analysis.
    """
    first = ordered(json)[0]
    title = _title(first)
    rows = _sorted(first)
    if not rows or not _weight(rows[0][1]):
        return f"{title}: nothing that was moved changes it."
    names = [key for key, one in rows[:3] if _weight(one)]
    said = f"{title} is moved most by {', '.join(names)}."
    advice = first["recommendation"]
    if advice is not None and advice["point"] is None:
        said += " It is told by what is assumed: a range, no single number, may be recommended."
    return said


def ordered(json: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Quantities, effects first.

    Arguments:
        json: of the analysis.
    """
    return sorted(json["quantities"], key=lambda entry: entry["kind"] != EFFECT)


def sensitivity_table(json: Mapping[str, Any]) -> RenderableType:
    """Show a sensitivity analysis in at most 100 columns.

    Arguments:
        json: of the analysis.
    """
    from rich.console import Group
    from rich.constrain import Constrain
    from rich.text import Text

    json = plain(json)
    parts: list[Any] = [Text(headline(json), style="bold")]
    for entry in ordered(json):
        parts.append(Text(f"\n{_title(entry)} ({_scale(entry)})", style="bold"))
        parts.append(Text(f"over draws {_range(entry)}"))
        if entry["recommendation"] is not None:
            parts.append(Text(advice_words(entry)))
        most = SHOWN if entry["kind"] == EFFECT else SHOWN // 2
        if entry["morris"] is not None and any(one["size"] for one in entry["morris"]["inputs"].values()):
            parts.append(_grid(size_table(json, entry, most)))
        if entry["sobol"] is not None and any(one["total"] for one in entry["sobol"]["inputs"].values()):
            parts.append(_grid(share_table(json, entry, most)))
    parts.append(Text(""))
    parts += [Text(text) for key, text in json["said"].items() if _applies(key, json)]
    parts += [Text(f"warning: {line}") for line in json["warnings"]]
    return Constrain(Group(*parts), WIDTH)


def advice_words(entry: Mapping[str, Any]) -> str:
    """What may be said of an effect, in one line.

    Arguments:
        entry: a quantity with a recommendation.
    """
    one = entry["recommendation"]
    told = f"contraction {percent(one['contraction'])}"
    span = f"{number(one['low'])} to {number(one['high'])}"
    if one["point"] is None:
        return f"recommendation: range {span}; no point ({told}, below 20 %)"
    return f"recommendation: {number(one['point'])} ({span}; {told})"


def size_table(json: Mapping[str, Any], entry: Mapping[str, Any], most: int) -> Table:
    """What each input moves, the strongest first.

    Arguments:
        json: of the analysis.
        entry: a quantity.
        most: rows.
    """
    inputs = {one["id"]: one for one in json["inputs"]}
    found = sorted(entry["morris"]["inputs"].items(), key=lambda item: -(item[1]["size"] or 0.0))
    rows = [
        (
            key,
            f"{number(one['size'])} ({number(one['low'])} to {number(one['high'])})",
            number(one["mean"]),
            number(one["spread"]),
            inputs[key]["grade"],
            percent(inputs[key]["contraction"]),
        )
        for key, one in found[:most]
        if one["size"]
    ]
    return table(f"Screening: {_title(entry)} ({_scale(entry)})", SIZES, rows, (1, 2, 3, 5))


def share_table(json: Mapping[str, Any], entry: Mapping[str, Any], most: int) -> Table:
    """Shares of the variance, the largest first.

    Arguments:
        json: of the analysis.
        entry: a quantity.
        most: rows.
    """
    inputs = {one["id"]: one for one in json["inputs"]}
    found = sorted(entry["sobol"]["inputs"].items(), key=lambda item: -(item[1]["total"] or 0.0))
    rows = [
        (
            key,
            f"{number(one['first'], 2)} ({number(one['first_low'], 2)} to {number(one['first_high'], 2)})",
            f"{number(one['total'], 2)} ({number(one['total_low'], 2)} to {number(one['total_high'], 2)})",
            inputs[key]["grade"],
            percent(inputs[key]["contraction"]),
        )
        for key, one in found[:most]
    ]
    return table(f"Shares of the variance: {_title(entry)}", SHARES, rows, (1, 2, 4))


def _grid(shown: Table) -> Any:
    from rich.table import Table as Grid
    from rich.text import Text

    grid = Grid(box=None, pad_edge=False, header_style="bold")
    for i, heading in enumerate(shown.header):
        grid.add_column(Text(heading), justify="right" if i in shown.numeric else "left", overflow="fold")
    for row in shown.rows:
        grid.add_row(*(Text(cell) for cell in row))
    return grid


def _size_figure(json: Mapping[str, Any], entry: Mapping[str, Any], place: int) -> Figure:
    found = sorted(entry["morris"]["inputs"].items(), key=lambda item: -(item[1]["size"] or 0.0))[:SHOWN]
    bars = [
        Bar(y, PALETTE[0], SYMBOLS[0], key, one["low"], one["size"], one["high"], hover=plot_text(key))
        for y, (key, one) in enumerate(found)
    ]
    values = [v for bar in bars for v in (bar.low, bar.middle, bar.high)]
    made, height = forest_layout(
        f"mean absolute change ({_scale(entry)})", [k for k, _ in found], values, log=False, zero=True
    )
    return Figure(
        id=f"screening-{place + 1}",
        title=f"Screening: {_title(entry)}",
        alt=f"What moves {_title(entry)}. " + "; ".join(f"{k}: {number(one['size'])}" for k, one in found),
        caption="Mark: mean absolute change over half of an input's distribution; line: 90 % of bootstrap "
        f"samples over {entry['morris']['kept']} paths.",
        data=draw_bars(bars),
        layout=made,
        table=size_table(json, entry, LISTED),
        height=height,
    )


def _share_figure(json: Mapping[str, Any], entry: Mapping[str, Any], place: int) -> Figure:
    found = sorted(entry["sobol"]["inputs"].items(), key=lambda item: -(item[1]["total"] or 0.0))[:SHOWN]
    bars = []
    for y, (key, one) in enumerate(found):
        for shift, part, colour, symbol in (
            (-0.1, "first", PALETTE[1], SYMBOLS[1]),
            (0.1, "total", PALETTE[0], SYMBOLS[0]),
        ):
            name = f"{key}, {'alone' if part == 'first' else 'with others'}"
            ends = one[f"{part}_low"], one[part], one[f"{part}_high"]
            bars.append(Bar(y + shift, colour, symbol, name, *ends, hover=plot_text(name)))
    values = [v for bar in bars for v in (bar.low, bar.middle, bar.high)]
    made, height = forest_layout(
        "share of the variance", [k for k, _ in found], values, log=False, null=0.0, zero=False
    )
    return Figure(
        id=f"shares-{place + 1}",
        title=f"Shares of the variance: {_title(entry)}",
        alt=f"Shares of the variance of {_title(entry)}. "
        + "; ".join(
            f"{k}: alone {number(one['first'], 2)}, in all {number(one['total'], 2)}" for k, one in found
        ),
        caption="Line: 90 % of bootstrap samples. Shares alone add up to 1 or less; what is missing is made "
        "by inputs together. A share a little below 0 is the estimate's error.",
        data=draw_bars(bars),
        layout=made,
        table=share_table(json, entry, LISTED),
        height=height,
        key="▲ alone   ● with others",
    )


def _sorted(entry: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    part = entry["sobol"] or entry["morris"]
    return sorted(part["inputs"].items(), key=lambda item: -_weight(item[1]))


def _weight(one: Mapping[str, Any]) -> float:
    return one.get("total", one.get("size")) or 0.0


def _ranges(json: Mapping[str, Any]) -> Table:
    rows = [
        (_title(e), _scale(e), _range(e), advice_words(e) if e["recommendation"] else "")
        for e in ordered(json)
    ]
    return table(
        "How far everything together spreads it", ("Quantity", "Unit", "Over draws", "Recommendation"), rows
    )


def _inputs(json: Mapping[str, Any]) -> Table:
    chosen = json["strongest"] or [key for key, _ in _sorted(ordered(json)[0])][:LISTED]
    known = {one["id"]: one for one in json["inputs"]}
    rows = [
        (key, known[key]["module"], known[key]["unit"], known[key]["grade"], known[key]["meaning"])
        for key in chosen
    ]
    return table("What the strongest inputs are", ("Input", "Module", "Unit", "Grade", "Meaning"), rows)


def _facts(json: Mapping[str, Any]) -> Table:
    rows: Sequence[tuple[str, str]] = [
        ("method", json["method"]),
        ("inputs", number(len(json["inputs"]))),
        ("uncertain parameters that reach no output of the study", number(json["unreached"])),
        ("paths", number(json["trajectories"])),
        ("samples", number(json["samples"])),
        ("points", number(json["points"])),
        ("subjects a point", number(json["subjects"])),
        ("seed", str(json["seed"])),
        ("posterior", str(json["posterior"])),
        ("model", str(json["model_sha256"])),
        ("study's inputs", str(json["inputs_sha256"])),
        ("subjects that could not be solved", number(json["failed_subjects"])),
    ]
    return table("How it was made", ("What", "Value"), rows)


def _applies(key: str, json: Mapping[str, Any]) -> bool:
    return key not in ("morris", "sobol") or json["method"] in (key, "both")


def _title(entry: Mapping[str, Any]) -> str:
    name = words_of([]).endpoint(entry["endpoint"])
    return f"effect on {name}, {entry['of']}" if entry["kind"] == EFFECT else f"{name}, {entry['of']}"


def _scale(entry: Mapping[str, Any]) -> str:
    if entry["kind"] == EFFECT:
        return (
            "log ratio, above 0 is better" if entry["unit"] is None else f"{entry['unit']}, above 0 is better"
        )
    return str(entry["unit"])


def _range(entry: Mapping[str, Any]) -> str:
    one = entry["over_draws"]
    return f"{number(one['p50'])} ({number(one['p05'])} to {number(one['p95'])}; {number(one['n'])} draws)"
