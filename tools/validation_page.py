"""Writes the numbers of a validation into a page of docs, the failures first.

python tools/validation_page.py runs/validate-usual-care-1        after the command that made that folder
python tools/validation_page.py runs/validate-drugs-1 --page docs/validation-chronic.md --block drugs
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from mesolung.report.tables import Table
from mesolung.report.validation import sentences
from mesolung.report.validation_words import (
    bias_table,
    joint_table,
    observation_table,
    part_table,
    reason_table,
    skill_table,
    term_table,
    unscored_table,
)
from mesolung.report.words import words_of

PAGE = Path(__file__).resolve().parent.parent / "docs" / "validation.md"
START, END = "<!-- numbers{}: start -->", "<!-- numbers{}: end -->"
MOST_ROWS = 60


def numbers(found: dict[str, Any], command: str) -> str:
    """Tell a validation in Markdown.

    Arguments:
        found: the validation's JSON.
        command: what made it.
    """
    words = words_of([])
    model = sorted({str(one["posterior"]) for one in found["studies"] if one["posterior"]})
    made = f"Command: `{command}` (version {found['version']}, posterior {', '.join(model)})"
    parts = [f"**{found['headline']}**", "\n\n".join(sentences(found)), made]
    failed = observation_table(found, words, True)
    parts.append("### What failed\n\n" + (markdown(failed) if failed else "No scored observation did."))
    joint = joint_table(found, words)
    for made in (skill_table(found), bias_table(found), part_table(found), joint, term_table(found)):
        if made is not None:
            parts.append(markdown(made))
    held = observation_table(found, words, False)
    if held:
        parts.append("### What held\n\n" + markdown(held))
    refused = [f"- {one['study']}: {one['refused']}" for one in found["studies"] if one["refused"]]
    if refused:
        parts.append("### Studies that could not be run\n\n" + "\n".join(refused))
    reasons = reason_table(found)
    for made in (reasons, unscored_table(found)):
        if made is not None:
            parts.append(markdown(made))
    return "\n\n".join(parts)


def markdown(made: Table) -> str:
    """Write a table in Markdown.

    Arguments:
        made: the table; beyond 60 rows only the first are written.
    """
    rule = ["---:" if i in made.numeric else "---" for i in range(len(made.header))]
    lines = [f"**{made.caption}**", "", _row(made.header), _row(rule)]
    lines += [_row(row) for row in made.rows[:MOST_ROWS]]
    if len(made.rows) > MOST_ROWS:
        lines += ["", f"The first {MOST_ROWS} of {len(made.rows)} rows; the HTML page has them all."]
    return "\n".join(lines)


def _row(cells: Any) -> str:
    return "| " + " | ".join(str(cell).replace("|", "/").replace("\n", " ") for cell in cells) + " |"


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="what `mesolung validate` made")
    parser.add_argument("--page", type=Path, default=PAGE, help="page with the marks (docs/validation.md)")
    parser.add_argument("--block", default="", help="name in the marks, where a page has several")
    asked = parser.parse_args()
    folder, name = asked.folder, f" {asked.block}" if asked.block else ""
    found = json.loads((folder / "validation.json").read_text(encoding="utf-8"))
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    start, end = START.format(name), END.format(name)
    before, rest = asked.page.read_text(encoding="utf-8").split(start)
    _, after = rest.split(end)
    told = numbers(found, manifest["command"])
    asked.page.write_text(f"{before}{start}\n\n{told}\n\n{end}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
