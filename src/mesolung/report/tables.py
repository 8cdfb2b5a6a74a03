"""A table as the page shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Table:
    """A table of text.

    Attributes:
        caption: what it holds.
        header: a heading a column.
        rows: text, a cell a column.
        numeric: indices of columns of numbers, which are set to the right.
        headed: whether the first column names its row.
    """

    caption: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    numeric: frozenset[int] = frozenset()
    headed: bool = True


def table(
    caption: str, header: Sequence[str], rows: Sequence[Sequence[str]], numeric: Sequence[int] = ()
) -> Table:
    """Make a table.

    Arguments:
        caption, header, rows: as `Table`.
        numeric: indices of columns of numbers.

    Returns:
        The table.
    """
    return Table(caption, tuple(header), tuple(tuple(r) for r in rows), frozenset(numeric))
