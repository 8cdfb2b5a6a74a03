"""The account of every row of the evidence: which observation it became, or why it became none."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

Row = dict[str, str]
FIRST = 2  # row 1 of a file is its header
NUMBER = re.compile(r"[+-]?[0-9][0-9.]*(?:[eE][+-]?[0-9]+)?")


@dataclass
class Ledger:
    """Rows of the evidence as they are read, used and left out.

    Attributes:
        folder: of the evidence.
        files: file -> its rows, as read.
        used: (file, row) -> (study, observation's key), every one that stands on it.
        left: (file, row) -> why it is no observation.
        keys: (file, row) -> what the row is of, for the list of exclusions.
    """

    folder: Path
    files: dict[str, list[Row]] = field(default_factory=dict)
    used: dict[tuple[str, int], list[tuple[str, str]]] = field(default_factory=dict)
    left: dict[tuple[str, int], str] = field(default_factory=dict)
    keys: dict[tuple[str, int], str] = field(default_factory=dict)

    def rows(self, file: str) -> list[tuple[int, Row]]:
        """Read a file of the evidence.

        Arguments:
            file: relative to the evidence folder.

        Returns:
            (row number as an editor shows it, row) in order.
        """
        if file not in self.files:
            with (self.folder / file).open(encoding="utf-8", newline="") as stream:
                self.files[file] = list(csv.DictReader(stream))
        return list(enumerate(self.files[file], FIRST))

    def use(self, rows: Iterable[tuple[str, int]], study: str, key: str) -> None:
        """Note that an observation stands on rows."""
        for row in rows:
            self.used.setdefault(row, []).append((study, key))

    def leave(self, file: str, row: int, key: str, reason: str) -> None:
        """Note why a row is no observation; ValueError for a second reason or an empty one."""
        if not reason or (file, row) in self.left:
            raise ValueError(f"{file} row {row}: {reason!r} after {self.left.get((file, row))!r}")
        self.left[(file, row)] = reason
        self.keys[(file, row)] = key

    def check(self) -> None:
        """Refuse a row that is neither used nor left out, or both.

        Raises:
            ValueError: naming the first rows.
        """
        every = {(file, i) for file, rows in self.files.items() for i in range(FIRST, FIRST + len(rows))}
        forgotten = sorted(every - self.used.keys() - self.left.keys())
        twice = sorted(self.used.keys() & self.left.keys())
        if forgotten or twice:
            raise ValueError(f"rows without a place: {forgotten[:20]}; with two: {twice[:20]}")

    def counts(self, file: str) -> dict[str, int]:
        """Count the rows of a file.

        Arguments:
            file: read before.

        Returns:
            rows; observed; left out; with a number and an n, and how many of these are observed.
        """
        found: Counter[str] = Counter()
        for i, row in self.rows(file):
            observed = (file, i) in self.used
            countable = counted(file, row)
            found["rows"] += 1
            found["observed"] += observed
            found["excluded"] += not observed
            found["with number and n"] += countable
            found["of these observed"] += countable and observed
        return dict(found)


# File -> the columns in which a number and a number of subjects stand.
NUMBERS = {
    "trials-acute.csv": (("value",), ("denominator", "n_arm")),
    "trials-chronic.csv": (("value",), ("n_arm",)),
    "usual-care-acute.csv": (("value",), ("n",)),
    "natural-history-chronic.csv": (("value",), ("n",)),
    "animal-acute.csv": (("value",), ("n",)),
    "animal-chronic.csv": (
        ("healthy_value", "disease_value", "treated_value", "effect_value"), ("n_per_group",),
    ),
    "human-endotoxin.csv": (("value_pg_per_mL",), ("n",)),
    "viral-load.csv": (("value_copies_per_mL",), ()),
}  # fmt: skip


# Arithmetic on rows of other files: to count it would count them twice.
DERIVED = ("timecourses/summary-bins.csv",)


def counted(file: str, row: Row) -> bool:
    """Whether a row prints a number and how many subjects it is of, and was seen.

    Arguments:
        file: it stands in.
        row: of that file.

    Returns:
        False for recalled and pooled rows, too.
    """
    if (
        file in DERIVED
        or row.get("status", "seen") not in ("seen", "derived", "")
        or "pooled" in row.get("use", "")
    ):
        return False
    values, sizes = NUMBERS.get(file, (("value",), ("n",)))
    has_number = any(NUMBER.match(row.get(column, "").lstrip("~<>")) for column in values)
    # A row of the viral loads is of one patient, though no column says so.
    return has_number and (not sizes or any(re.search("[0-9]", row.get(column, "")) for column in sizes))


def ranges(rows: Iterable[int]) -> str:
    """Write row numbers shortly.

    Arguments:
        rows: numbers.

    Returns:
        as "2-5; 9".
    """
    found: list[list[int]] = []
    for row in sorted(rows):
        if found and row == found[-1][1] + 1:
            found[-1][1] = row
        else:
            found.append([row, row])
    return "; ".join(f"{a}" if a == b else f"{a}-{b}" for a, b in found)
