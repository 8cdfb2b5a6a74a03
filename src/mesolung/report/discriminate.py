"""What a person reads of ranked experiments: an HTML page, and a compact table for the terminal."""

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

WIDTH = 110
SHOWN, LISTED = 12, 60
HEADER = (
    "Arms",
    "Reading",
    "n an arm (all)",
    "Gain, bits (90 %)",
    "Shift",
    "Decision turns (90 %)",
    "Power (90 %)",
)
NUMBERS = (2, 3, 4, 5, 6)


def discriminate_page(json: Mapping[str, Any], command: str) -> Analysis:
    """Put ranked experiments into a page.

    Arguments:
        json: the object that `mesolung discriminate --json` prints.
        command: what repeats it.
    """
    json = plain(json)
    return Analysis(
        kind="Experiments",
        asked="Which experiment tells most",
        study=json["study"],
        version=json["version"],
        headline=headline(json),
        command=command,
        said=list(json["said"].values()),
        warnings=json["warnings"],
        figures=[_figure(json, "gain", "information, bits"), _figure(json, "decision", "probability")],
        tables=[
            table(
                "Experiments, the most informative first", HEADER, _rows(json["experiments"], LISTED), NUMBERS
            ),
            _powers(json),
            _variants(json),
            _actions(json),
        ],
        facts=_facts(json),
    )


def headline(json: Mapping[str, Any]) -> str:
    """The experiment that tells most, in one sentence.

    Arguments:
        json: of the experiments.
    """
    if not json["experiments"] or not json["experiments"][0]["gain"]["value"]:
        return "No experiment considered tells the carriers apart."
    best = json["experiments"][0]
    return (
        f"{_arms(best)}, {_reading(best)}, {best['size']} an arm, tells most: "
        f"{number(best['gain']['value'], 2)} bits on what carries the effect; it changes what is recommended "
        f"with probability {number(best['decision']['value'], 2)}."
    )


def discriminate_table(json: Mapping[str, Any]) -> RenderableType:
    """Show the first experiments in at most 110 columns.

    Arguments:
        json: of the experiments.
    """
    from rich.console import Group
    from rich.constrain import Constrain
    from rich.table import Table as Grid
    from rich.text import Text

    json = plain(json)
    grid = Grid(box=None, pad_edge=False, header_style="bold")
    for i, heading in enumerate(HEADER):
        grid.add_column(Text(heading), justify="right" if i > 1 else "left", overflow="fold")
    for row in _rows(_best_of_arms(json["experiments"]), SHOWN):
        grid.add_row(*(Text(cell) for cell in row))
    weights = ", ".join(f"{one['name']} {number(one['weight'], 2)}" for one in json["variants"])
    actions = json["actions"]
    parts: list[Any] = [
        Text(headline(json), style="bold"),
        Text(f"\nweights before: {weights}"),
        Text(f"recommended before, for {_endpoint(actions['endpoint'])}: {actions['recommended']}\n"),
        Text("The best reading and size of each set of arms beside an untreated one; the page has the rest."),
        grid,
        Text(""),
        *(Text(text) for text in json["said"].values()),
        *(Text(f"left out: {line}") for line in json["warnings"]),
    ]
    return Constrain(Group(*parts), WIDTH)


def _best_of_arms(experiments: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The first of each set of arms, of experiments in an order."""
    first: dict[str, Mapping[str, Any]] = {}
    for one in experiments:
        first.setdefault(_arms(one), one)
    return list(first.values())


def _rows(experiments: Sequence[Mapping[str, Any]], most: int) -> list[tuple[str, ...]]:
    return [
        (
            _arms(one),
            _reading(one),
            f"{one['size']} ({one['subjects']})",
            _interval(one["gain"]),
            number(one["changed"]["value"], 2),
            _interval(one["decision"]),
            _interval(one["power"]),
        )
        for one in experiments[:most]
    ]


def _figure(json: Mapping[str, Any], key: str, unit: str) -> Figure:
    titles = {"gain": "Information on the carrier", "decision": "Probability that the decision turns"}
    # One line for each set of arms: its other readings and sizes would bear the same beginning of a name.
    shown = _best_of_arms(sorted(json["experiments"], key=lambda one: -one[key]["value"]))[:SHOWN]
    names = [f"{_arms(one)}: {_reading(one)}, {one['size']} an arm" for one in shown]
    bars = [
        Bar(
            y,
            PALETTE[0],
            SYMBOLS[0],
            name,
            one[key]["low"],
            one[key]["value"],
            one[key]["high"],
            hover=plot_text(name, 120),
        )
        for y, (one, name) in enumerate(zip(shown, names, strict=True))
    ]
    values = [v for bar in bars for v in (bar.low, bar.middle, bar.high)]
    made, height = forest_layout(unit, names, values, log=False, zero=True)
    rows = [(name, _interval(one[key])) for name, one in zip(names, shown, strict=True)]
    return Figure(
        id=f"experiments-{key}",
        title=titles[key],
        alt=f"{titles[key]}. " + "; ".join(f"{name}: {told}" for name, told in rows),
        caption="The best reading and size of each set of arms. "
        "Mark: expected value; line: 90 % Monte-Carlo interval over draws.",
        data=draw_bars(bars),
        layout=made,
        table=table(titles[key], ("Experiment", f"{unit} (90 %)"), rows, (1,)),
        height=height,
    )


def _powers(json: Mapping[str, Any]) -> Table:
    names = [one["name"] for one in json["variants"]]
    rows = [
        (
            f"{_arms(one)}: {_reading(one)}, {one['size']} an arm",
            *(number(one["power_of"][name]["value"], 2) for name in names),
        )
        for one in json["experiments"][:SHOWN]
    ]
    title = f"Power: probability that the true carrier reaches a weight of {number(json['bound'])}"
    return table(title, ("Experiment", *names), rows, range(1, len(names) + 1))


def _variants(json: Mapping[str, Any]) -> Table:
    first = json["experiments"][0]["reading"] if json["experiments"] else json["actions"]["endpoint"]
    arms = list(json["variants"][0]["shows"])
    rows = [
        (one["name"], percent(one["weight"]), *(number(one["shows"][arm].get(first)) for arm in arms))
        for one in json["variants"]
    ]
    title = f"What carriers would show: mean effect on {_endpoint(first)}, towards benefit"
    return table(title, ("Carrier", "Weight before", *arms), rows, range(1, len(arms) + 2))


def _actions(json: Mapping[str, Any]) -> Table:
    actions = json["actions"]
    unit = actions["unit"] or f"log {actions['measure'].replace('_', ' ')}"
    rows = [(name, number(value)) for name, value in actions["expected"].items()]
    title = f"Expected benefit before, {_endpoint(actions['endpoint'])} ({unit})"
    return table(title, ("What is given", "Benefit"), rows, (1,))


def _facts(json: Mapping[str, Any]) -> Table:
    rows = [
        ("parameter draws", number(json["draws"])),
        ("subjects a draw", number(json["subjects"])),
        ("seed", str(json["seed"])),
        ("bound of power", number(json["bound"])),
        ("least weight of a carrier", number(json["floor"])),
        ("posterior", str(json["posterior"])),
        ("model", str(json["model_sha256"])),
        ("study's inputs", str(json["inputs_sha256"])),
        ("subjects that could not be solved", number(json["failed_subjects"])),
    ]
    return table("How it was made", ("What", "Value"), rows)


def _arms(one: Mapping[str, Any]) -> str:
    return " + ".join(one["arms"])


def _reading(one: Mapping[str, Any]) -> str:
    return _endpoint(one["reading"])


def _endpoint(key: str) -> str:
    return words_of([]).endpoint(key)


def _interval(one: Mapping[str, Any]) -> str:
    return f"{number(one['value'], 2)} ({number(one['low'], 2)} to {number(one['high'], 2)})"
