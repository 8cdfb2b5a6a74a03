"""Which row of usual care is which target: the map ``calibration_usual_care.csv`` applied to the evidence."""

from __future__ import annotations

import re
from pathlib import Path

from evidence_rows import Row, rows_of, shown

MAP = Path(__file__).resolve().parent / "calibration_usual_care.csv"
# Columns of the map whose cells are numbers, and columns of the evidence in which they have to stand.
NUMBERS = ("value", "low", "high", "n")
PRINTED = ("arm_or_stratum", "value", "unit", "spread", "p_or_effect", "n", "notes")
# Shares are written as hundredths, sizes of classes as halves and thirds; 15.5 is the middle of 10 and 21,
# 173 the sum of 117 and 56, 40 % what 60 % leave.
ALLOWED = {100.0, 2.0, 3.0, 15.5, 40.0, 173.0}


def usual_care(folder: Path) -> list[Row]:
    """Map the rows of usual care that the model can be asked about.

    Arguments:
        folder: of the evidence.

    Returns:
        rows of ``usual-care.csv``.
    """
    return _mapped(folder)[0]


def usual_care_unused(folder: Path) -> list[Row]:
    """List the rows of usual care that the model is not compared with, and why.

    Arguments:
        folder: of the evidence.

    Returns:
        rows of ``usual-care-unused.csv``.
    """
    return _mapped(folder)[1]


def _mapped(folder: Path) -> tuple[list[Row], list[Row]]:
    published = rows_of(folder / "usual-care-acute.csv")
    physiology = [_as_usual_care(r) for r in rows_of(folder / "physiology.csv")]
    found: dict[int, int] = {}
    used, unused = [], []
    for line in rows_of(MAP):
        among = physiology if line["key"] == "physiology" else published
        matches = [k for k, r in enumerate(among) if _matches(line, r)]
        exact = [k for k in matches if among[k]["variable"] == line["variable"]]
        matches = exact or matches
        if not line["measure"]:
            for k in matches:
                found[k] = found.get(k, 0) + 1
                unused.append(_unused(among[k], line["reason"]))
            continue
        if len(matches) != 1:
            raise ValueError(f"{len(matches)} rows of evidence for {line}")
        if among is published:
            found[matches[0]] = 1
        row = among[matches[0]]
        study = [r for r in published if r["key"] == row["key"]] if among is published else [row]
        used.append(_used(line, row, study))
    missing = [r for k, r in enumerate(published) if k not in found]
    if missing:
        raise ValueError(f"rows of evidence without a target or a reason: {missing}")
    return used, unused


def _as_usual_care(row: Row) -> Row:
    source = {"key": "physiology", "arm_or_stratum": "", "treatment": "", "timepoint": "", "population": ""}
    words = {"first_author": row["source"], "year": "", "journal": "", "doi": "", "p_or_effect": ""}
    return {
        **source, **words, "variable": row["quantity"], "value": row["value"], "spread": row["spread"],
        "n": row["n"], "unit": row["unit"], "notes": row["note"], "status": row["status"],
    }  # fmt: skip


def _matches(line: Row, row: Row) -> bool:
    columns = {
        "arm": "arm_or_stratum", "treatment": "treatment", "variable": "variable", "time": "timepoint",
        "population": "population",
    }  # fmt: skip
    return line["key"] == row["key"] and all(
        row[theirs].startswith(line[ours]) for ours, theirs in columns.items() if line[ours]
    )


def _source(row: Row) -> str:
    author = row["first_author"].split(" (verify")[0].replace("(verify)", "").strip(" ,(")
    doi = f"doi {row['doi']}" if row["doi"] else ""
    return " ".join(part for part in (author, row["year"], row["journal"], doi) if part)


def _used(line: Row, row: Row, study: list[Row]) -> Row:
    if row["status"] != "seen":
        raise ValueError(f"a target needs a seen value: {line}")
    printed = {
        float(t) for other in study for c in PRINTED for t in re.findall(r"[0-9]+(?:\.[0-9]+)?", other[c])
    }
    for column in ("value", "low", "high", "n"):
        for token in re.split(r"[-*/]", line[column]):
            if token and float(token) not in printed | ALLOWED:
                raise ValueError(f"{column} {token} is not printed in the study of {line}")
    keep = ("cohort", "stratum", "measure", "observable", "day", "rule")
    return {
        "key": line["key"], "population": line["population"],
        **{c: line[c] for c in keep}, **{c: _calculated(line[c]) for c in NUMBERS},
        "unit": line["unit"], "use": line["use"], "source": _source(row), "status": row["status"],
        "note": line["reason"],
    }  # fmt: skip


def _unused(row: Row, reason: str) -> Row:
    return {
        "key": row["key"], "population": row["population"], "arm": row["arm_or_stratum"],
        "variable": row["variable"], "time": row["timepoint"], "status": row["status"], "reason": reason,
    }  # fmt: skip


def _calculated(text: str) -> str:
    """Work out products, quotients and one difference, as the map writes them."""
    if not text:
        return ""
    total = 0.0
    for k, term in enumerate(text.split("-")):
        value = 1.0
        for operator, token in re.findall(r"([*/]?)([0-9.]+)", term):
            value = value / float(token) if operator == "/" else value * float(token)
        total = value if k == 0 else total - value
    return shown(total)
