"""Tables of cell counters: viability, counts and dilution."""

from __future__ import annotations

from dataclasses import dataclass
from os import PathLike
from pathlib import Path

from mesolung.product.quality.columns import Header, find_header
from mesolung.product.quality.measured import Measured
from mesolung.product.quality.populations import share
from mesolung.product.quality.repair import Repair
from mesolung.product.quality.sheet import Sheet, read_sheet

_EACH = r"(?: ?cells?)?(?: ?(?:density|conc(?:entration|\.)?|/ ?ml|per ml))"
NAMES = {
    "sample": (r"samples?(?: ?(?:id|name))?", r"lot(?: ?(?:id|no\.?))?", r"batch", r"name", r"id"),
    "viable_per_ml": (rf"(?:total )?(?:viable|live){_EACH}", r"(?:viable|live)(?: cells)? [\[(].*ml[\])]"),
    "viability": (r"viability|viab\.?|viable(?: cells)?|percent viab\w*|live|cell viability",),
    "total_per_ml": (rf"total{_EACH}|(?:cell )?(?:density|concentration|conc\.?)|total",),
    "total_cells": (r"(?:total )?(?:cell )?counts?|total (?:cells|cell count)(?: counted)?|cells counted",),
    "viable_cells": (r"(?:viable|live) (?:cell )?counts?|(?:viable|live) cells(?: counted)?",),
    "dilution": (r"dilution(?: factor)?|dil\.?(?: factor)?",),
    "method": (r"(?:viability )?(?:method|stain|dye|assay)",),
}
PER_ML = {
    "cells/ml": 1.0,
    "/ml": 1.0,
    "per ml": 1.0,
    "cells per ml": 1.0,
    "x10^6/ml": 1e6,
    "x10^6 cells/ml": 1e6,
    "x10^6": 1e6,
    "10^6/ml": 1e6,
    "10^6 cells/ml": 1e6,
    "1e6/ml": 1e6,
    "1e6 cells/ml": 1e6,
    "e6/ml": 1e6,
    "million/ml": 1e6,
    "m/ml": 1e6,
    "cells/µl": 1e3,
    "/µl": 1e3,
}


@dataclass(frozen=True)
class CellCount:
    """One count of one sample.

    Attributes:
        sample: its name; "" where the table names none.
        total_per_ml, viable_per_ml: cells/mL, as the counter gives them.
        viability_percent: viable of all cells, %.
        dilution: factor by which the sample was thinned.
        method: what tells dead cells, as trypan blue or AO/DAPI; "" where the table does not say.
        total_cells, viable_cells: cells that were counted.
        line: line of the file.
    """

    sample: str
    total_per_ml: Measured | None
    viable_per_ml: Measured | None
    viability_percent: Measured | None
    dilution: Measured | None
    method: str
    total_cells: Measured | None
    viable_cells: Measured | None
    line: int


@dataclass(frozen=True)
class CellCounts:
    """A table of a cell counter.

    Attributes:
        file: the file.
        rows: the counts, in the order of the file.
        repairs: what was unusual.
    """

    file: Path
    rows: tuple[CellCount, ...]
    repairs: tuple[Repair, ...]


def read_counts(path: str | PathLike[str]) -> CellCounts:
    """Read a cell counter's table.

    Arguments:
        path: text with a column of viability or of a count, a row per sample; or two columns, name and value.

    Returns:
        the counts as they stand: nothing is derived from a dilution, as counters differ in whether they did.

    Raises:
        Refusal: for no such column, a concentration without its unit, a negative count, a viability outside
            0 to 100 %, or more viable cells than cells.
    """
    sheet = read_sheet(path)
    needed = [("viability", "viable_per_ml", "total_per_ml", "total_cells")]
    header = find_header(sheet, NAMES, needed)
    if header is not None and len(header.columns) == 1 and len(header.titles) == 2:
        sheet, header = _turned(sheet), None
        header = find_header(sheet, NAMES, needed)
    if header is None:
        line, titles = sheet.rows[0]
        sheet.refuse(
            "no table of cell counts",
            line,
            ", ".join(titles),
            "a column of viability, cells/mL or cells counted",
        )
    rows = [_row(sheet, header, line, cells) for line, cells in sheet.rows[header.row + 1 :]]
    if not rows:
        sheet.refuse("a table without rows", header.line, "a header alone")
    return CellCounts(sheet.file, tuple(rows), sheet.log.entries)


def _turned(sheet: Sheet) -> Sheet:
    """A list of name and value as a table of one row."""
    pairs = [(cells[0].rstrip(" :"), cells[1] if len(cells) > 1 else "") for _, cells in sheet.rows]
    names, values = zip(*pairs, strict=True)
    line = sheet.rows[0][0]
    return Sheet(
        sheet.file, ((line, names), (line, values)), sheet.delimiter, sheet.comma, sheet.thousands, sheet.log
    )


def _row(sheet: Sheet, header: Header, line: int, cells: tuple[str, ...]) -> CellCount:
    if len(cells) > len(header.titles) and any(cells[len(header.titles) :]):
        sheet.refuse("wrong number of cells", line, len(cells), len(header.titles))
    viability = share(sheet, header.cell(cells, "viability"), line, "viability")
    stated = viability is None or "%" in header.titles[header.columns["viability"]] + viability.text
    if viability is not None and not stated and viability.value is not None and 0 < viability.value <= 1:
        sheet.refuse("viability: percent or fraction", line, viability.text, "a title with %")
    total, viable = (_per_ml(sheet, header, cells, line, what) for what in ("total_per_ml", "viable_per_ml"))
    counted, living = (_plain(sheet, header, cells, line, what) for what in ("total_cells", "viable_cells"))
    for more, less in ((total, viable), (counted, living)):
        if more and less and more.known and less.known and (less.value or 0) > (more.value or 0) * 1.0001:
            sheet.refuse("more viable cells than cells", line, less.text, f"up to {more.text}")
    dilution = _plain(sheet, header, cells, line, "dilution")
    if dilution is not None and dilution.known and (dilution.value or 0) < 1:
        sheet.refuse("dilution below 1", line, dilution.text, "1 or more")
    sample, method = header.cell(cells, "sample"), header.cell(cells, "method")
    return CellCount(sample, total, viable, viability, dilution, method, counted, living, line)


def _plain(sheet: Sheet, header: Header, cells: tuple[str, ...], line: int, what: str) -> Measured | None:
    found = sheet.measured(header.cell(cells, what), line, what.replace("_", " "))
    if found is not None and found.value is not None and found.value < 0:
        sheet.refuse(f"{what.replace('_', ' ')}: negative", line, found.text, "0 or more")
    return found


def _per_ml(sheet: Sheet, header: Header, cells: tuple[str, ...], line: int, what: str) -> Measured | None:
    found = _plain(sheet, header, cells, line, what)
    if found is None:
        return None
    title = header.titles[header.columns[what]]
    unit = found.unit or header.units[what] or ("/ml" if "ml" in title.casefold() else "")
    plain = unit.casefold().replace("×", "x").replace("⁶", "^6").replace("μ", "µ").replace("x 10", "x10")
    plain = plain.replace("x10e6", "x10^6").replace("x106", "x10^6").replace(" / ", "/").strip()
    if plain not in PER_ML:
        problem = "unit missing" if not unit else "unit that is not read"
        sheet.refuse(f"{what.replace('_', ' ')}: {problem}", line, unit or title, ", ".join(list(PER_ML)[:6]))
    value = None if found.value is None else found.value * PER_ML[plain]
    return Measured(value, "cells/mL", found.mark, found.text, line)
