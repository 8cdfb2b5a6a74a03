"""CSV tables of the package and of users, with the line of every row."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from mesolung.reading.refusal import Refusal


@dataclass(frozen=True)
class Row:
    """One row of a table.

    Attributes:
        values: column -> text, surrounding blanks removed.
        line: line of the file on which the row ends, from 1.
    """

    values: Mapping[str, str]
    line: int

    def __getitem__(self, column: str) -> str:
        return self.values[column]


def read_table(resource: Path | Traversable, columns: Sequence[str]) -> list[Row]:
    """Read a CSV table whose columns are known.

    Arguments:
        resource: a file, or a resource of the package.
        columns: the columns that the table must have, no more and no fewer, in any order.

    Returns:
        the rows in the order of the file.

    Raises:
        Refusal: for a file that cannot be read or is no UTF-8 text, an unclosed quotation mark, other
            columns, or a row of another length.
    """
    reader = csv.reader(io.StringIO(_text(resource), newline=""), strict=True)
    try:
        return _rows(reader, resource, columns)
    except csv.Error as error:
        raise Refusal(f"not a CSV table: {error}", file=str(resource), line=reader.line_num) from None


def _text(resource: Path | Traversable) -> str:
    try:
        content = resource.read_bytes()
        return content.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        found = f"byte 0x{error.object[error.start]:02x}"
        raise Refusal("not UTF-8 text", file=str(resource), line=line, found=found) from None
    except OSError as error:
        raise Refusal(f"cannot be read: {error.strerror}", file=str(resource)) from None


def _rows(reader: Any, resource: Path | Traversable, columns: Sequence[str]) -> list[Row]:
    header = [cell.strip() for cell in next(reader, [])]
    if sorted(header) != sorted(columns):
        raise Refusal(
            "wrong columns", file=str(resource), line=1, found=", ".join(header), allowed=", ".join(columns)
        )
    rows = []
    for cells in reader:
        if not cells:
            continue
        if len(cells) != len(header):
            raise Refusal(
                "wrong number of cells",
                file=str(resource),
                line=reader.line_num,
                found=len(cells),
                allowed=len(header),
            )
        rows.append(Row(dict(zip(header, (c.strip() for c in cells), strict=True)), reader.line_num))
    return rows
