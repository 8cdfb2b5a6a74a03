"""Write the tables of docs/evidence.md from the shipped evidence.

    python tools/evidence_page.py            # write them
    python tools/evidence_page.py --check    # only say whether they are current

Only what stands between the two marks of a table is touched. It needs no evidence folder.
"""

from __future__ import annotations

import csv
import json
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

from page_tables import Marked, table_text

from mesolung.study.catalogue import FOLDERS, entries, groups, place

SHOWN = 40  # reasons of the page; the file has them all
WHAT = {
    "trials": "trials of cells and vesicles in humans",
    "usual-care": "usual care of acute disease, and hospital cohorts by day",
    "natural-history": "the course of chronic disease, and levels in health and disease",
    "drugs": "drugs without cells",
    "animals": "animals and lungs out of the body",
    "in-vitro": "laboratory assays",
    "endotoxin": "endotoxin given to volunteers",
    "viral-load": "virus of the airways by day",
    "fate": "where given cells go",
}


def kinds_table() -> str:
    """Studies and observations by kind of evidence."""
    rows = []
    for folder in FOLDERS:
        of = [one for one in entries() if one.folder == folder]
        observed = sum(one.observations for one in of)
        rows.append((folder, WHAT[folder], len(of), observed, sum(one.numbers for one in of)))
    rows.append(("all", "", *(sum(row[k] for row in rows) for k in (2, 3, 4))))
    return table_text(("kind", "what", "studies", "observations", "with n or spread, or a direction"), rows)


def diseases_table() -> str:
    """Studies and observations by disease and kind."""
    diseases = sorted({one.disease for one in entries()})
    rows = []
    for disease in diseases:
        of = [one for one in entries() if one.disease == disease]
        by = Counter(one.folder for one in of)
        where = ", ".join(f"{folder} {by[folder]}" for folder in FOLDERS if by[folder])
        rows.append((disease or "none (assays)", len(of), sum(one.observations for one in of), where))
    return table_text(("disease", "studies", "observations", "files by kind"), rows)


def rows_table() -> str:
    """Rows of the evidence by file: read, observed, left out."""
    account = json.loads((place() / "evidence.json").read_text(encoding="utf-8"))
    counts = {**account["evidence"], **{f"all {kind}": of for kind, of in account["totals"].items()}}
    rows = [
        (
            file, of["rows"], of["observed"], of["excluded"],
            f"{of['of these observed']} of {of['with number and n']}",
        )
        for file, of in counts.items()
    ]  # fmt: skip
    return table_text(("file", "rows", "observed", "excluded", "with a number and an n: observed"), rows)


def reasons_table() -> str:
    """The commonest reasons for which a row is no observation."""
    with (place() / "exclusions.csv").open(encoding="utf-8", newline="") as stream:
        lines = list(csv.DictReader(stream))
    found: Counter[str] = Counter()
    files: dict[str, set[str]] = {}
    for line in lines:
        found[line["reason"]] += int(line["count"])
        files.setdefault(line["reason"], set()).add(line["file"].removeprefix("timecourses/"))
    rows = [(count, reason, ", ".join(sorted(files[reason]))) for reason, count in found.most_common(SHOWN)]
    return table_text(("rows", "reason", "files"), rows)


def split_table() -> str:
    """Observations by group of the split."""
    rows = []
    for folder in FOLDERS:
        by: Counter[str] = Counter()
        for one in entries():
            if one.folder == folder:
                by.update("left out" if g.startswith("loo:") else g for g in groups(one.name))
        rows.append((folder, by["fit"], by["unseen"], by["left out"]))
    rows.append(("all", *(sum(row[k] for row in rows) for k in (1, 2, 3))))
    return table_text(("kind", "fit", "unseen", "left out one by one"), rows)


TABLES: Mapping[str, Callable[[], str]] = {
    "kinds": kinds_table,
    "diseases": diseases_table,
    "rows": rows_table,
    "reasons": reasons_table,
    "split": split_table,
}


PAGE = Marked(Path(__file__).resolve().parent.parent / "docs" / "evidence.md", "evidence_page.py", TABLES)


if __name__ == "__main__":
    sys.exit(PAGE.main(sys.argv[1:]))
