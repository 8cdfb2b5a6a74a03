"""Registered predictions beside what their trials reported, in the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mesolung.report.shown import plain
from mesolung.report.validation_words import mark, observed, plus_minus, predicted, what, who
from mesolung.report.words import words_of

if TYPE_CHECKING:
    from rich.console import RenderableType


def register_table(records: Sequence[Mapping[str, Any]]) -> RenderableType:
    """Show what became of registered predictions, wrong ones first.

    Arguments:
        records: an object an entry, as ``mesolung register --score --json`` has them.
    """
    from rich import box
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    words = words_of([])
    found = plain(list(records))
    waiting = [one for one in found if not one["observations"]]
    scored = sorted((one for one in found if one["observations"]), key=lambda one: -one["failed"])
    wrong = sum(one["failed"] > 0 for one in scored)
    parts: list[Any] = [
        Text(
            f"{len(found)} registered, {len(scored)} with observations, {wrong} of them wrong somewhere",
            style="bold",
        )
    ]
    for one in scored:
        title = f"{one['number']:04d} {one['registered'][:10]} {one['study']} (version {one['version']})"
        made = Table(
            title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold"
        )
        for heading in ("Arm", "Endpoint", "Predicted (90 %)", "Observed", "In 90 %", "Log score"):
            made.add_column(Text(heading), overflow="fold")
        for line in sorted(one["observations"], key=lambda line: not line["failed"]):
            cells = (
                who(line),
                what(line, words),
                predicted(line),
                observed(line),
                mark(line),
                plus_minus(line.get("log_score"), line.get("log_score_error")),
            )
            made.add_row(*(Text(cell) for cell in cells))
        parts.append(made)
        parts += [Text(said) for said in one["not_predicted"]]
    parts += [
        Text(f"{one['number']:04d} {one['registered'][:10]} {one['study']}: no observation has arrived")
        for one in waiting
    ]
    return Group(*parts)
