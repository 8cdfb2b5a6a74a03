"""Rows of the evidence files, and numbers as the tables made from them show them."""

from __future__ import annotations

import csv
from pathlib import Path

Row = dict[str, str]


def rows_of(file: Path) -> list[Row]:
    """Read a CSV file.

    Arguments:
        file: with a header.

    Returns:
        its rows.
    """
    with file.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def shown(value: float) -> str:
    """Write a number with four significant digits.

    Arguments:
        value: any number.

    Returns:
        its text.
    """
    return f"{value:.4g}"
