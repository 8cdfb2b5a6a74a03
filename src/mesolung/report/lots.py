"""What a person reads of a table of lots: medians, definitions side by side, and the lots."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from io import StringIO
from typing import TYPE_CHECKING, Any

from mesolung.report.numbers import UNKNOWN, number, percent
from mesolung.report.shown import plain
from mesolung.report.tables import Table, table

if TYPE_CHECKING:
    from rich.console import RenderableType

WIDTH = 100
SHOWN = 15  # lots of the terminal; the files hold all


def lots_grid(found: Mapping[str, Any]) -> RenderableType:
    """Show a table of lots in at most 100 columns.

    Arguments:
        found: the object that `mesolung lot TABLE.csv --json` prints.
    """
    from rich.console import Group
    from rich.constrain import Constrain
    from rich.table import Table as Grid
    from rich.text import Text

    found = plain(found)
    lots, none = found["lots"], found["nothing_measured"]
    said = f"{len(lots)} lots of {found['file']}"
    parts: list[Any] = [Text(said + (f"; of {len(none)} more nothing was measured" if none else ""), "bold")]
    for one in (_medians(found), _release(found), _lots(found)):
        grid = Grid(box=None, pad_edge=False, header_style="bold")
        for i, heading in enumerate(one.header):
            grid.add_column(Text(heading), justify="right" if i in one.numeric else "left", overflow="fold")
        for row in one.rows:
            grid.add_row(*(Text(cell) for cell in row))
        parts += [Text(f"\n{one.caption}", style="bold"), grid]
    parts += [Text(""), *(Text(f"repair: {line}") for line in found["repairs"])]
    parts.append(Text("Medians are over what was measured; limits of release and words are left out."))
    return Constrain(Group(*parts), WIDTH)


def lots_csv(found: Mapping[str, Any]) -> str:
    """Write a table of lots as CSV: a row a lot, shares in percent, an outcome for each specification.

    Arguments:
        found: as `lots_grid`.
    """
    markers = sorted({name for lot in found["lots"] for name in lot["markers"]})
    specs = [one["id"] for one in found["release"]]
    text = StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["lot", "viability (%)", *(f"{name} (%)" for name in markers), *specs])
    for lot in found["lots"]:
        shares = [lot["viability"], *(lot["markers"].get(name) for name in markers)]
        outcomes = {one["id"]: one["outcome"] for one in lot["release"]}
        rows.writerow(
            [
                lot["lot"],
                *("" if share is None else f"{100.0 * share:.6g}" for share in shares),
                *(outcomes[name] for name in specs),
            ]
        )
    return text.getvalue()


def _medians(found: Mapping[str, Any]) -> Table:
    rows = [
        (one["marker"], str(one["n"]), number(one["median"]), number(one["p05"]), number(one["p95"]))
        for one in found["medians"]
    ]
    header = ("What", "Values", "Median (%)", "5 % of values below (%)", "95 % below (%)")
    return table("What was measured", header, rows, (1, 2, 3, 4))


def _release(found: Mapping[str, Any]) -> Table:
    rows = [
        (one["name"], *(str(one[outcome]) for outcome in ("pass", "fail", "not tested")))
        for one in found["release"]
    ]
    header = ("Specification", "Lots that pass", "Fail", "Not fully tested")
    return table("Definitions side by side", header, rows, (1, 2, 3))


def _lots(found: Mapping[str, Any]) -> Table:
    lots: Sequence[Mapping[str, Any]] = found["lots"]
    rows = []
    for lot in lots[:SHOWN]:
        failed = [f"{one['id']}: {', '.join(one['failed'])}" for one in lot["release"] if one["failed"]]
        known = "" if lot["viability"] is None else percent(lot["viability"])
        tested = ", ".join(f"{name} {percent(share)}" for name, share in list(lot["markers"].items())[:5])
        rows.append((lot["lot"], known or UNKNOWN, tested or UNKNOWN, "; ".join(failed) or "nothing"))
    more = len(lots) - SHOWN
    caption = f"Lots (the first {SHOWN} of {len(lots)}; the files hold all)" if more > 0 else "Lots"
    return table(caption, ("Lot", "Viability", "Markers", "Fails"), rows, (1,))
