"""Tables in pages written by hand: how they are written, where they stand, and whether they are current."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Marked:
    """A page of which only the tables between marks are written by a tool.

    Attributes:
        path: of the page.
        tool: file name of the tool, as its marks and its advice say it.
        tables: name in the marks -> makes the table's Markdown.
    """

    path: Path
    tool: str
    tables: Mapping[str, Callable[[], str]]

    def current(self, text: str) -> str:
        """Put the tables as they are now into the text of the page.

        Arguments:
            text: of the page, with the marks of every table.

        Raises:
            ValueError: where a mark is missing.
        """
        for name, table in self.tables.items():
            start, end = f"<!-- {name}: written by tools/{self.tool} -->", f"<!-- end of {name} -->"
            before, _, rest = text.partition(start)
            _, found, after = rest.partition(end)
            if not found:
                raise ValueError(f"{self.path.name} has no marks of the table {name}")
            text = f"{before}{start}\n\n{table()}\n{end}{after}"
        return text

    def main(self, arguments: Sequence[str]) -> int:
        """Write the page, or only check it.

        Arguments:
            arguments: ``--check`` or nothing.

        Returns:
            exit status: 1 where a check finds the page out of date.
        """
        text = self.path.read_text(encoding="utf-8")
        wanted = self.current(text)
        if "--check" in arguments:
            print("current" if text == wanted else f"out of date: python tools/{self.tool}")
            return int(text != wanted)
        self.path.write_text(wanted, encoding="utf-8")
        print(f"wrote {self.path.name}")
        return 0


def table_text(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Write a table as Markdown, its rule with spaces, and a line end after it.

    Arguments:
        header: of the columns.
        rows: cells; a bar in one becomes a slash.
    """
    return "\n".join(_line(line) for line in (header, ["---"] * len(header), *rows)) + "\n"


def table_lines(header: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    """Write a table as lines of Markdown, its rule without spaces.

    Arguments:
        header, rows: as `table_text`.
    """
    return [_line(header), "|" + "---|" * len(header), *(_line(row) for row in rows)]


def _line(cells: Sequence[object]) -> str:
    return f"| {' | '.join(str(cell).replace('|', '/') for cell in cells)} |"
