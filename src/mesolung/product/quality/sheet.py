"""Text tables as laboratories export them: any of the usual encodings, delimiters and decimal signs."""

from __future__ import annotations

import csv
import io
import re
import stat
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import NoReturn

from mesolung.product.quality.measured import (
    DATE,
    NUMBER,
    SPREADSHEET,
    Mark,
    Measured,
    is_absent,
    mark_of,
    to_float,
)
from mesolung.product.quality.repair import RepairLog
from mesolung.reading import Refusal

LARGEST = 8 << 20  # bytes of a text table; the longest of the samples has 70 kB
MOST_ROWS = 500_000
DELIMITERS = ("\t", ";", ",", "|")
LOOKED_AT = 60  # lines by which the delimiter is found
_MARKS: dict[str | None, Mark] = {None: "", "<": "<", "≤": "<", "&lt;": "<", ">": ">", "≥": ">", "&gt;": ">"}


@dataclass(frozen=True, eq=False)
class Sheet:
    """A table of cells as text.

    Attributes:
        file: the file.
        rows: (line, cells) of every row that is not empty; blanks around cells are removed.
        delimiter: what separates cells.
        comma: whether decimals follow a comma.
        thousands: what separates thousands; "" for nothing.
        log: repairs, those of whoever reads the sheet included.
    """

    file: Path
    rows: tuple[tuple[int, tuple[str, ...]], ...]
    delimiter: str
    comma: bool
    thousands: str
    log: RepairLog

    def refuse(
        self, problem: str, line: int | None = None, found: object = None, allowed: object = None
    ) -> NoReturn:
        """Refuse the file, or a line of it."""
        raise Refusal(problem, file=self.file, line=line, found=found, allowed=allowed)

    def measured(self, cell: str, line: int, what: str, unit: str = "") -> Measured | None:
        """Read a cell that holds a value.

        Arguments:
            what: what the cell tells, as the refusal names it.
            unit: its unit, where the cell itself gives none.

        Returns:
            the value, marked where it is only a limit; None for a cell that says that nothing was measured.

        Raises:
            Refusal: for text, a date, an error of a spreadsheet, or a unit other than the column's.
        """
        if is_absent(cell):
            return None
        if SPREADSHEET.match(cell):
            self.refuse(f"{what}: an error of a spreadsheet", line, cell, "a number")
        if DATE.match(cell):
            self.refuse(f"{what}: a date where a number is expected", line, cell, "a number")
        if mark := mark_of(cell):
            side = "below" if mark == "<" else "above"
            self.log.add(
                "cells", cell, f"kept as a value {side} the limit of quantification, which is not named"
            )
            return Measured(None, unit, mark, cell, line)
        parts = NUMBER.match(cell)
        value = to_float(parts[2], self.comma, self.thousands) if parts else None
        if parts is None or value is None:
            self.refuse(f"{what}: not a number", line, cell, "a number, or a mark such as <0.5 or BLQ")
        own = parts[3].strip()
        if own and unit and _plain(own) != _plain(unit):
            self.refuse(f"{what}: another unit than its column's", line, cell, unit)
        if own and not re.match(r"^[%/A-Za-zµμ^0-9 .*()\-⁻¹²³°]+$", own):
            self.refuse(f"{what}: not a number", line, cell, "a number")
        return Measured(value, own or unit, _MARKS[parts[1]], cell, line)


def _plain(unit: str) -> str:
    return unit.replace(" ", "").replace("μ", "µ").casefold().removesuffix(".")


def read_sheet(path: str | PathLike[str], delimiters: tuple[str, ...] = DELIMITERS) -> Sheet:
    """Read a text table.

    Arguments:
        path: the file.
        delimiters: what may separate its cells.

    Returns:
        its rows as text, with a log of what was unusual in its encoding, delimiter and decimal sign.

    Raises:
        Refusal: for a file that is missing, too large, empty or no text, or whose commas
            can be read in two ways.
    """
    file = Path(path)
    log = RepairLog()
    text = read_text(file, log)
    named = re.match(r"sep=(.)\r?\n", text, re.IGNORECASE)
    if named and named[1] in DELIMITERS:
        delimiter, text, skipped = named[1], text[named.end() :], 1
        log.add("line 1", f"sep={delimiter}", "read as the delimiter")
    else:
        delimiter, skipped = _delimiter(text, delimiters), 0
    rows = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        for cells in reader:
            stripped = tuple(cell.strip() for cell in cells)
            if any(stripped):
                rows.append((reader.line_num + skipped, stripped))
            if len(rows) > MOST_ROWS:
                raise Refusal("too many rows", file=file, allowed=f"up to {MOST_ROWS}")
    except csv.Error as error:
        raise Refusal(f"not a table: {error}", file=file, line=reader.line_num + skipped) from None
    if not rows:
        raise Refusal("empty file", file=file)
    comma, thousands = _decimals(file, rows, delimiter, log)
    return Sheet(file, tuple(rows), delimiter, comma, thousands, log)


def read_text(file: Path, log: RepairLog) -> str:
    """Read a text file in UTF-8, UTF-16 or a western code page.

    Raises:
        Refusal: for a file that is missing, not a regular file, too large, empty, a workbook or no text.
    """
    try:
        about = file.stat()
        if not stat.S_ISREG(about.st_mode):
            raise Refusal("cannot be read", file=file, found="no regular file", allowed="a text file")
        if about.st_size > LARGEST:
            raise Refusal(
                "too large", file=file, found=f"{about.st_size} bytes", allowed=f"up to {LARGEST} bytes"
            )
        with file.open("rb") as stream:
            content = stream.read(LARGEST + 1)
    except FileNotFoundError:
        raise Refusal("no such file", file=file) from None
    except OSError as error:
        raise Refusal(f"cannot be read: {error.strerror or error}", file=file) from None
    except ValueError:
        raise Refusal("not a file name", file=repr(str(file))) from None
    if content.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise Refusal("an Excel workbook", file=file, allowed="the sheet saved as CSV or text")
    text = _decoded(file, content, log)
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise Refusal("not a text file", file=file, line=line, found="a NUL byte")
    if not text.strip():
        raise Refusal("empty file", file=file)
    return text


def _decoded(file: Path, content: bytes, log: RepairLog) -> str:
    wide = content[:2] in (b"\xff\xfe", b"\xfe\xff")
    evens, odds = content[:400:2], content[1:400:2]
    if not wide and len(content) > 3 and max(evens.count(0), odds.count(0)) > 0.7 * len(odds):
        log.add("encoding", "UTF-16 without a byte order mark", "read as UTF-16")
        content = (b"\xff\xfe" if odds.count(0) > evens.count(0) else b"\xfe\xff") + content
        wide = True
    elif wide:
        log.add("encoding", "UTF-16", "read as UTF-16")
    if wide:
        try:
            return content.decode("utf-16")
        except UnicodeDecodeError:
            raise Refusal(
                "not UTF-16 text, as it begins", file=file, found="an odd or broken character"
            ) from None
    if content.startswith(b"\xef\xbb\xbf"):
        log.add("encoding", "a byte order mark", "left out")
        content = content[3:]
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        found = f"byte 0x{content[error.start]:02x} on line {line}, not UTF-8"
    try:
        text = content.decode("cp1252")
        log.add("encoding", found, "read as Windows-1252")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
        log.add("encoding", found, "read as Latin-1")
    return text


def _delimiter(text: str, allowed: tuple[str, ...]) -> str:
    """The delimiter that splits most lines, and those most evenly; a comma where nothing tells."""
    lines = [line for line in text.splitlines()[: LOOKED_AT * 2] if line.strip()][:LOOKED_AT]

    def score(delimiter: str) -> tuple[float, float]:
        counts = [len(re.sub(r'"[^"]*"', "", line).split(delimiter)) - 1 for line in lines]
        most = max(set(counts), key=lambda c: (c > 0, counts.count(c)), default=0)
        return (sum(c > 0 for c in counts), counts.count(most) if most else 0)

    return max(allowed, key=score) if lines else ","


def _decimals(
    file: Path, rows: list[tuple[int, tuple[str, ...]]], delimiter: str, log: RepairLog
) -> tuple[bool, str]:
    """Whether a comma stands before decimals, and what separates thousands."""
    cells = [(line, cell.lstrip("<>≤≥ +-−").rstrip(" %")) for line, row in rows for cell in row]
    commas = [(n, c) for n, c in cells if "," in c and re.fullmatch(r"[\d.,' \u00a0]*\d(?:[eE][+-]?\d+)?", c)]
    if not commas:
        return False, ""
    grouped = r"\d{1,3}(?:,\d{3})+"
    # A comma that cannot separate thousands stands before decimals, and the other way round.
    decimal = next(((n, c) for n, c in commas if not re.fullmatch(grouped + r"(?:\.\d+)?", c)), None)
    group = next(((n, c) for n, c in commas if re.fullmatch(rf"{grouped},\d{{3}}|{grouped}\.\d+", c)), None)
    if decimal and group:
        raise Refusal(
            "a comma before decimals and between thousands",
            file=file,
            line=max(decimal[0], group[0]),
            found=f"{decimal[1]} and {group[1]}",
            allowed="one of them",
        )
    dotted = [(n, c) for n, c in cells if re.fullmatch(r"\d+\.\d+(?:[eE][+-]?\d+)?", c)]
    points = next(((n, c) for n, c in dotted if not re.fullmatch(r"\d{1,3}\.\d{3}", c)), None)
    if decimal and points:
        raise Refusal(
            "a comma and a point before decimals",
            file=file,
            line=max(decimal[0], points[0]),
            found=f"{decimal[1]} and {points[1]}",
            allowed="one of them",
        )
    if decimal:
        log.add("numbers", f"{decimal[1]} on line {decimal[0]}", "a comma is read as the decimal sign")
        return True, "."
    if group or points:
        line, found = group or commas[0]
        log.add("numbers", f"{found} on line {line}", "a comma is read as the separator of thousands")
        return False, ","
    line, found = commas[0]
    raise Refusal(
        "a comma that may stand before decimals or between thousands",
        file=file,
        line=line,
        found=found,
        allowed="numbers that leave no doubt, as 1234 or 1.234",
    )
