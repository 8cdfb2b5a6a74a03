"""The shipped tables of published summaries that the model is compared with."""

from __future__ import annotations

import csv
import hashlib
import io
from importlib.resources import files

FOLDER = "targets"
TABLES = ("endotoxin.csv", "covid-courses.csv", "viral.csv", "usual-care.csv", "usual-care-unused.csv")
# Written by hand from what is published, not made from the evidence files.
WRITTEN = ("chronic.csv",)


Row = dict[str, str]


def rows_of(table: str) -> list[Row]:
    """Read a table.

    Arguments:
        table: its file name, one of `TABLES` or `WRITTEN`.

    Returns:
        its rows, column -> text.
    """
    return list(csv.DictReader(io.StringIO(_text(table))))


def digest(table: str) -> str:
    """Give the SHA-256 of a table's text.

    Arguments:
        table: its file name.

    Returns:
        64 hexadecimal digits.
    """
    return hashlib.sha256(_text(table).encode()).hexdigest()


def number(text: str) -> float:
    """Read a cell.

    Arguments:
        text: a number, or nothing.

    Returns:
        the number; nan for an empty cell.
    """
    return float(text) if text else float("nan")


def _text(table: str) -> str:
    return (files("mesolung.calibration") / FOLDER / table).read_text(encoding="utf-8")
