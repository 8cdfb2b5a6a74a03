"""What a person reads of knock-outs: one HTML page, and a compact table for the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mesolung.report.answer import BANNER
from mesolung.report.html import page_html
from mesolung.report.intervals import Bar, draw_bars, forest_layout
from mesolung.report.numbers import number, percent
from mesolung.report.shown import plain
from mesolung.report.style import PALETTE, SYMBOLS, Figure, plot_text
from mesolung.report.tables import Table, table
from mesolung.report.words import words_of

if TYPE_CHECKING:
    from rich.console import RenderableType

WIDTH = 100
HEADER = (
    "Switched off",
    "Carried, mean (90 % over draws)",
    "Monte-Carlo error",
    "Share of the effect",
    "Acts in",
)


def knockout_html(json: Mapping[str, Any], command: str) -> str:
    """Make the page of knock-outs.

    Arguments:
        json: the object that `mesolung knockout --json` prints.
        command: what repeats it.

    Returns:
        HTML with plotly.js inside; the same text for the same knock-outs.
    """
    json = plain(json)
    return page_html(
        "knockout.html",
        study=json["study"],
        headline=headline(json),
        banner=BANNER,
        version=json["version"],
        figures=[figure_of(json, place) for place in range(len(json["endpoints"]))],
        said=json["said"],
        facts=_facts(json),
        switches=_switches(json),
        warnings=json["warnings"],
        command=command,
    )


def write_knockout(json: Mapping[str, Any], path: str | Path, command: str) -> None:
    """Write the page of knock-outs.

    Arguments:
        json, command: as `knockout_html`.
        path: the file to make.

    Raises:
        Refusal: when the file exists or cannot be written.
    """
    from mesolung.writing import whole_file

    page = knockout_html(json, command)
    with whole_file(path) as place:
        place.write_text(page, encoding="utf-8")


def headline(json: Mapping[str, Any]) -> str:
    """What carries the first endpoint, in one sentence.

    Arguments:
        json: of the knock-outs.
    """
    first = json["endpoints"][0]
    title = f"{_title(first)}, {first['comparison']}"
    whole = first["with_all"]
    if whole["mean"] is None:
        return f"{title}: no draw has an effect."
    single = {k["id"]: k["label"] for k in json["knockouts"] if not _is_set(k["id"])}
    told = [(c["carried"]["mean"], single[i], c) for i, c in first["knockouts"].items() if i in single]
    told = [line for line in told if line[0] is not None]
    if not told:
        return f"{title}: what all effects together carry stands below."
    mean, label, most = max(told, key=lambda line: line[0])
    error = most["carried"]["monte_carlo"] or 0.0
    if mean <= 2.0 * error:
        return f"{title}: no single mechanism carries more than the Monte-Carlo error."
    share = "" if most["share"] is None else f", {percent(most['share'])} of the mean effect"
    return f"{title}: {label} carries most{share}."


def figure_of(json: Mapping[str, Any], place: int) -> Figure:
    """The figure of one endpoint: a row a mechanism, what carries most on top.

    Arguments:
        json: of the knock-outs.
        place: of the endpoint.
    """
    entry = json["endpoints"][place]
    labels = {k["id"]: k["label"] for k in json["knockouts"]}
    rows = sorted(labels, key=lambda i: -(entry["knockouts"][i]["carried"]["mean"] or 0.0))
    bars, names = [], []
    for y, key in enumerate(rows):
        c = entry["knockouts"][key]["carried"]
        colour = PALETTE[1] if _is_set(key) else PALETTE[0]
        symbol = SYMBOLS[1] if _is_set(key) else SYMBOLS[0]
        hover = f"{plot_text(labels[key])}<br>{_interval(c)}"
        bars.append(Bar(y, colour, symbol, labels[key], c["p05"], c["mean"], c["p95"], hover=hover))
        names.append(labels[key])
    drawn = [v for b in bars for v in (b.low, b.middle, b.high)]
    made, height = forest_layout(f"carried ({_scale(entry)})", names, drawn, log=False, null=0.0)
    whole = entry["with_all"]
    return Figure(
        id=f"knockout-{place + 1}",
        title=f"{_title(entry)}: {entry['comparison']}",
        alt=f"What each mechanism carries of the effect on {_title(entry)}. "
        + "; ".join(f"{labels[i]}: {_interval(entry['knockouts'][i]['carried'])}" for i in rows),
        caption=f"With everything on the effect is {_interval(whole)} ({_scale(entry)}, above 0 is better). "
        "Mark: mean over draws of what is lost without the mechanism; line: 90 % of the draws.",
        data=draw_bars(bars),
        layout=made,
        table=table_of(json, place),
        height=height,
        key="● one mechanism   ▲ several together",
    )


def table_of(json: Mapping[str, Any], place: int) -> Table:
    """The numbers of one endpoint.

    Arguments:
        json: of the knock-outs.
        place: of the endpoint.
    """
    entry = json["endpoints"][place]
    labels = {k["id"]: k["label"] for k in json["knockouts"]}
    rows = [
        (
            labels[i],
            _interval(c["carried"]),
            number(c["carried"]["monte_carlo"]),
            "-" if c["share"] is None else percent(c["share"]),
            "-" if c["acting"] is None else f"{percent(c['acting'])} of draws",
        )
        for i, c in entry["knockouts"].items()
    ]
    return table(f"What carries {_title(entry)}, {entry['comparison']}", HEADER, rows, (1, 2, 3, 4))


def knockout_table(json: Mapping[str, Any]) -> RenderableType:
    """Show knock-outs in at most 100 columns.

    Arguments:
        json: of the knock-outs.
    """
    from rich.console import Group
    from rich.constrain import Constrain
    from rich.table import Table as Grid
    from rich.text import Text

    json = plain(json)
    parts: list[Any] = [Text(headline(json), style="bold")]
    for place, entry in enumerate(json["endpoints"]):
        shown = table_of(json, place)
        parts.append(Text(f"\n{_title(entry)}, {entry['comparison']} ({_scale(entry)}, above 0 is better)"))
        parts.append(Text(f"everything on: {_interval(entry['with_all'])}"))
        grid = Grid(box=None, pad_edge=False, header_style="bold")
        for i, heading in enumerate(shown.header):
            grid.add_column(Text(heading), justify="right" if i in shown.numeric else "left", overflow="fold")
        for row in shown.rows:
            grid.add_row(*(Text(cell) for cell in row))
        parts.append(grid)
    parts.append(Text(f"\n{json['said']['monte_carlo']}"))
    parts += [Text(f"warning: {line}") for line in json["warnings"]]
    return Constrain(Group(*parts), WIDTH)


def _is_set(key: str) -> bool:
    return key in ("all", "all-soluble") or "+" in key


def _title(entry: Mapping[str, Any]) -> str:
    return words_of([]).endpoint(entry["endpoint"])


def _scale(entry: Mapping[str, Any]) -> str:
    return "log ratio" if entry["unit"] is None else f"difference, {entry['unit']}"


def _interval(c: Mapping[str, Any]) -> str:
    if c["mean"] is None:
        return "-"
    return f"{number(c['mean'])} ({number(c['p05'])} to {number(c['p95'])})"


def _facts(json: Mapping[str, Any]) -> Table:
    rows = [
        ("parameter draws", number(json["draws"])),
        ("panels a draw", number(json["replicates"])),
        ("subjects a panel", number(json["subjects"])),
        ("seed", str(json["seed"])),
        ("posterior", str(json["posterior"])),
        ("model", str(json["model_sha256"])),
        ("inputs", str(json["inputs_sha256"])),
        ("subjects that could not be solved", number(json["failed_subjects"])),
    ]
    return table("How it was made", ("What", "Value"), rows)


def _switches(json: Mapping[str, Any]) -> Table:
    rows = [(k["id"], k["label"], ", ".join(k["switches"])) for k in json["knockouts"]]
    return table("What was set to 0", ("Name", "Mechanism", "Parameters"), rows)
