"""What the evidence's rows are called in a study file: the tables ``evidence/names-*.csv``."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

# Hosts of addresses that last; mirrors and proxies are told by the DOI alone.
LASTING = (
    "ncbi.nlm.nih.gov", "biomedcentral.com", "springer", "ersjournals.com", "nature.com", "bmj.com",
    "repository.cam.ac.uk", "seekingalpha.com", "pure.qub.ac.uk", "frontiersin.org",
)  # fmt: skip
TABLES = Path(__file__).resolve().parent / "evidence"


@dataclass(frozen=True)
class Named:
    """A line of a table of names.

    Attributes:
        text: of the row's quantity; key, arm: of the rows it is for, all when empty.
        endpoint: names in a study file, joined by +; empty for a text that is left out.
        as_: "", "change" or "percent_change".
        how: how its number is to be read, empty where the row's own columns say it.
        reason: why it is left out.
    """

    text: str
    key: str
    arm: str
    endpoint: str
    as_: str
    how: str
    reason: str


class Names:
    """A table of names; every line has to be of use."""

    def __init__(self, table: str) -> None:
        with (TABLES / table).open(encoding="utf-8", newline="") as stream:
            lines = list(csv.DictReader(stream))
        self.table = table
        self.lines = [
            Named(r["text"], r["key"], r["arm"], r["endpoint"], r["as"], r["how"], r["reason"]) for r in lines
        ]
        self.by_text: dict[str, list[Named]] = {}
        for line in self.lines:
            self.by_text.setdefault(line.text, []).append(line)
        self.found: set[Named] = set()

    def of(self, text: str, key: str, arm: str) -> Named:
        """Find the line of a row, the most particular one.

        Arguments:
            text, key, arm: of the row.

        Returns:
            the line.

        Raises:
            KeyError: when no line is of this row.
        """
        fits = [
            line
            for line in self.by_text.get(text, ())
            if line.key in ("", key) and (not line.arm or arm == line.arm or arm.startswith(line.arm + "*"))
        ]
        if not fits:
            raise KeyError(f"{self.table}: {text!r} of {key}, {arm!r}")
        best = max(fits, key=lambda line: (bool(line.key), bool(line.arm)))
        self.found.add(best)
        return best

    def check(self) -> None:
        """Refuse lines that no row needed."""
        idle = [line.text for line in self.lines if line not in self.found]
        if idle:
            raise ValueError(f"{self.table}: lines of no row: {idle}")


def source_of(row: Mapping[str, str], *, recalled: str = "", doi: str = "doi") -> dict[str, str]:
    """Say where a row's number was read.

    Arguments:
        row: of the evidence.
        recalled: names of its columns that were recalled.
        doi: the column of the DOI.

    Returns:
        doi, with the address where that lasts, or the address alone where no DOI was seen; and the status.
    """
    written = row.get(doi, "")
    remembered = "memory" in written or "doi" in recalled.split("; ")
    remembered |= "doi from memory" in row.get("notes", "")
    if written.startswith("10.") and not remembered and row.get("doi_status") != "memory":
        found = {"doi": written.split(" ")[0]}
        # The paper may not be where the number was read: a review's table, a release, a repository.
        if any(host in row.get("url", "") for host in LASTING):
            found["url"] = row["url"]
    elif row.get("url"):
        found = {"url": row["url"].replace("https:///", "https://")}
    else:
        found = {}
    return {**found, "status": "seen"}
