"""The misses of the recorded comparison with published targets, as the page of misfits lists them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mesolung.biology.parameters import Parameters

RECORD = Path("src/mesolung/calibration/checks.json")
MISSED, ABSENT = "missed", "not in the model"
CONTEXT = "context"
ALL = "all"  # what the record calls the sum of all families


def misfit_parts(root: Path, table: Parameters) -> dict[str, str]:
    """Write the generated parts of the page of misfits.

    Arguments:
        root: the top of the repository.
        table: parameters of the package, to say whether the record is of them.

    Returns:
        "counts" and "misses" -> Markdown; both say so where no comparison has been recorded.
    """
    file = root / RECORD
    if not file.is_file():
        none = f"No comparison is recorded: there is no `{RECORD.as_posix()}`."
        return {"counts": none, "misses": none}
    record = json.loads(file.read_text(encoding="utf-8"))
    return {"counts": _counts(record, table), "misses": _misses(record)}


def _counts(record: Mapping[str, Any], table: Parameters) -> str:
    of_these = record["parameters_sha256"] == table.hash
    said = "of the parameters as they are" if of_these else "of an older table of parameters: run it again"
    between = record.get("between_study_sd_of_logit_mortality")
    lines = [f"`{record['command']}`, {record['draws']} draws of {record['courses']} courses, {said}."]
    if between is not None:
        lines[0] += f" SD of logit mortality between studies: {between:g}."
    # A family has a line of counts, by verdict, or by use and verdict; every key becomes a column.
    columns = list(dict.fromkeys(key for line in record["counts"].values() for key in line))
    lines += ["", "| family | " + " | ".join(columns) + " |", "|---|" + "---|" * len(columns)]
    for family, line in sorted(record["counts"].items(), key=lambda item: item[0] == ALL):
        lines.append(f"| {family} | " + " | ".join(str(line.get(key, 0)) for key in columns) + " |")
    return "\n".join(lines)


def _misses(record: Mapping[str, Any]) -> str:
    counted = [t for t in record["targets"] if t["use"] != CONTEXT]
    lines: list[str] = []
    for family in dict.fromkeys(t["family"] for t in counted):
        own = [t for t in counted if t["family"] == family and t["verdict"] == MISSED]
        lines += [f"### {family}", ""]
        if own:
            lines += [
                "| target | use | published | should lie in | model | unit | note |",
                "|---|---|---|---|---|---|---|",
            ]
            lines += [_row(target) for target in own]
        else:
            lines.append("Nothing missed.")
        lines.append("")
    # Targets of one quantity share the first two words of their names (cohort, quantity) and the note.
    absent = Counter(
        (t["family"], " ".join(t["name"].split()[:2]), t["note"])
        for t in record["targets"]
        if t["verdict"] == ABSENT
    )
    if absent:
        lines += ["### Not in the model", ""]
    for (family, quantity, note), count in absent.items():
        targets = "target" if count == 1 else "targets"
        lines.append(f"- {family}, {_cell(quantity)}, {count} {targets}: {_cell(note) or 'no such quantity'}")
    return "\n".join(lines).rstrip()


def _row(target: Mapping[str, Any]) -> str:
    model = _number(target["model"])
    if target["model_low"] is not None:
        model += f" ({_number(target['model_low'])} to {_number(target['model_high'])})"
    cells = (
        _cell(target["name"]),
        target["use"],
        _number(target["published"]),
        f"{_number(target['low'])} to {_number(target['high'])}",
        model,
        target["unit"],
        _cell(target["note"]),
    )
    return "| " + " | ".join(cells) + " |"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
