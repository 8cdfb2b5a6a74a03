"""Columns of a table found by the names that laboratories give them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mesolung.product.quality.sheet import Sheet

SEARCHED = 30  # rows in which a header may stand, after a title and a batch record's head


@dataclass(frozen=True)
class Header:
    """Where the columns of a table are.

    Attributes:
        row: index of the header among the sheet's rows.
        line: its line in the file.
        columns: what is read -> index of its column.
        units: what is read -> unit in the header, "" where it names none.
        titles: the header as it stands.
    """

    row: int
    line: int
    columns: Mapping[str, int]
    units: Mapping[str, str]
    titles: tuple[str, ...]

    def cell(self, cells: Sequence[str], what: str) -> str:
        """The cell of a row under a column; "" where the table has no such column or the row no such cell."""
        j = self.columns.get(what)
        return cells[j] if j is not None and j < len(cells) else ""


def find_header(
    sheet: Sheet, names: Mapping[str, Sequence[str]], needed: Sequence[str | tuple[str, ...]]
) -> Header | None:
    """Find the row that names the columns.

    Arguments:
        names: what is read -> patterns of its title, with its unit in brackets or without; the first that
            fits counts.
        needed: what must be there; of a tuple, one.

    Returns:
        the columns; None where no row names those that are needed.

    Raises:
        Refusal: for two columns of one meaning.
    """
    for i, (line, cells) in enumerate(sheet.rows[:SEARCHED]):
        columns: dict[str, int] = {}
        units: dict[str, str] = {}
        twice = None
        for j, cell in enumerate(cells):
            title, unit = split_unit(cell)
            # "Total cells/mL" is a title of its own; "Size/nm" is a title with its unit.
            whole = " ".join(cell.split())
            if not any(_named(title, patterns) for patterns in names.values()):
                title, unit = split_slash(title, unit)
            for what, patterns in names.items():
                if _named(title, patterns) or _named(whole, patterns):
                    if what in columns:
                        twice = (cells[columns[what]], cell)
                    else:
                        columns[what], units[what] = j, unit
                    break
        if all(any(one in columns for one in ((n,) if isinstance(n, str) else n)) for n in needed):
            if twice:
                sheet.refuse("two columns of one meaning", line, f"{twice[0]} and {twice[1]}", "one of them")
            unread = [cell for j, cell in enumerate(cells) if cell and j not in columns.values()]
            if unread:
                sheet.log.add("columns", ", ".join(unread), "not read")
            return Header(i, line, columns, units, cells)
    return None


def _named(title: str, patterns: Sequence[str]) -> bool:
    return any(re.fullmatch(pattern, title, re.IGNORECASE) for pattern in patterns)


def split_unit(title: str) -> tuple[str, str]:
    """Part a column's title from its unit, which stands in brackets or as a percent sign."""
    text = " ".join(title.split())
    match = re.fullmatch(r"(.*?)\s*[\[(]\s*([^\])]*)\s*[\])]", text)
    if match and match[1]:
        return match[1].strip(), match[2].strip()
    match = re.fullmatch(r"(?:%\s*(.+)|(.+?)\s*%)", text)
    if match:
        return (match[1] or match[2]).strip(), "%"
    return text, ""


def split_slash(title: str, unit: str) -> tuple[str, str]:
    """Part a column's title from the unit after a slash; one that has a unit stays."""
    match = re.fullmatch(r"(.+?)\s*/\s*(µ?m?[lL]|n?m|cm-?3)", title)
    return (match[1].strip(), f"/{match[2]}") if match and not unit else (title, unit)
