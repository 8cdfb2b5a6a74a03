"""Write the results of docs/calibration.md from the record of the comparison.

python tools/calibration_page.py            writes them between the two marks of the page
python tools/calibration_page.py --check    says whether they are what the record gives
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
RECORD = ROOT / "src" / "mesolung" / "calibration" / "checks.json"
PAGE = ROOT / "docs" / "calibration.md"
START, END = "<!-- results: start -->", "<!-- results: end -->"
VERDICTS = ("met", "missed", "not in the model")
Target = dict[str, Any]


def results(record: Mapping[str, Any]) -> str:
    """Write the results.

    Arguments:
        record: what ``checks.json`` holds.

    Returns:
        Markdown.
    """
    targets = record["targets"]
    sd = record["between_study_sd_of_logit_mortality"]
    studies = ", ".join(f"{k} {100 * v:.1f} %" for k, v in record["between_study_sd_from"].items())
    parts = [
        f"`{record['command']}`: {record['draws']} draws of `{record['posterior']}`, {record['courses']} "
        f"courses a draw and disease; parameters {record['parameters_sha256'][:12]}. Standard deviation of "
        f"logit mortality between studies: **{sd:.2f}** ({studies}).",
        "## Counts",
        _counts(targets),
        "## Endotoxin",
        _table(t for t in targets if t["family"] == "endotoxin"),
        "## Virus",
        _table(t for t in targets if t["family"] == "viral"),
        "## COVID-19 by day and outcome",
        _covid(targets),
        "## Usual care",
        _table(t for t in targets if t["family"] == "usual care"),
        "## Misses",
        _misses(targets),
    ]
    return "\n\n".join(parts)


def _counts(targets: Sequence[Target]) -> str:
    lines = ["| targets | use | met | missed | not in the model |", "|---|---|---|---|---|"]
    for family in dict.fromkeys(t["family"] for t in targets):
        for use in ("fit", "check"):
            own = [t["verdict"] for t in targets if t["family"] == family and t["use"] == use]
            if own:
                numbers = " | ".join(str(own.count(v)) for v in VERDICTS)
                lines.append(f"| {family} | {use} | {numbers} |")
    own = [t["verdict"] for t in targets if t["use"] != "context"]
    lines.append("| **all** | | " + " | ".join(f"**{own.count(v)}**" for v in VERDICTS) + " |")
    return "\n".join(lines)


def _table(targets: Iterable[Target]) -> str:
    lines = [
        "| target | use | published | met within | model | 5 to 95 % of draws | verdict |",
        "|---|" + "---|" * 6,
    ]
    for t in targets:
        bounds = f"{_n(t['low'])} to {_n(t['high'])}"
        draws = "" if t["model_low"] is None else f"{_n(t['model_low'])} to {_n(t['model_high'])}"
        unit = "" if t["unit"] in ("share", "ratio") else f" {t['unit']}"
        published = f"{_n(t['published'])}{unit}"
        cells = (t["name"], t["use"], published, bounds, _n(t["model"]), draws, _verdict(t))
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _covid(targets: Sequence[Target]) -> str:
    lines = [
        "| cohort | quantity | ratios to the first days met | ratios to critical survivors met "
        "| direction met | order met |",
        "|---|---|---|---|---|---|",
    ]
    own = [t for t in targets if t["family"] == "covid"]
    for cohort in dict.fromkeys(t["name"].split()[0] for t in own):
        mine = [t for t in own if t["name"].split()[0] == cohort]
        for quantity in dict.fromkeys(t["name"].split()[1] for t in mine):
            of = [t for t in mine if t["name"].split()[1] == quantity]
            if all(t["verdict"] == "not in the model" for t in of):
                continue
            cells = []
            for kind in ("course", "outcome", "direction", "order"):
                verdicts = [t["verdict"] for t in of if t["detail"]["kind"] == kind]
                cells.append(f"{verdicts.count('met')} of {len(verdicts)}" if verdicts else "none asked")
            lines.append(f"| {cohort} | {quantity} | " + " | ".join(cells) + " |")
    absent = sorted({t["name"].split()[1] for t in own if t["verdict"] == "not in the model"})
    if absent:
        lines.append(f"\nNot in the model as plasma levels: {', '.join(absent)}.")
    return "\n".join(lines)


def _misses(targets: Sequence[Target]) -> str:
    lines = []
    for t in targets:
        if t["verdict"] == "missed" and t["use"] != "context":
            note = f" ({t['note']})" if t["note"] else ""
            lines.append(
                f"- {t['name']}: model {_n(t['model'])}, published {_n(t['published'])} {t['unit']}{note}"
            )
    return "\n".join(lines) or "None."


def _verdict(target: Target) -> str:
    return f"context: {target['verdict']}" if target["use"] == "context" else target["verdict"]


def _n(value: float | None) -> str:
    return "none" if value is None else f"{value:.3g}"


def page_with(text: str, block: str) -> str:
    """Put results into a page.

    Arguments:
        text: the page, with both marks.
        block: Markdown.

    Returns:
        the page.
    """
    before, rest = text.split(START)
    _, after = rest.split(END)
    return f"{before}{START}\n{block}\n{END}{after}"


def main(arguments: Sequence[str]) -> int:
    """Run the command.

    Arguments:
        arguments: of the command line.

    Returns:
        0; 1 when the page is not what the record gives.
    """
    text = PAGE.read_text(encoding="utf-8")
    fresh = page_with(text, results(json.loads(RECORD.read_text(encoding="utf-8"))))
    if "--check" in arguments:
        print("as recorded" if text == fresh else "differs: python tools/calibration_page.py")
        return int(text != fresh)
    PAGE.write_text(fresh, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
