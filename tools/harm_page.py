"""Write docs/science/rare-harms.md from the record of harm in single trials.

python tools/harm_page.py
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from page_tables import table_lines

ROOT = Path(__file__).resolve().parent.parent
RECORD = ROOT / "src" / "mesolung" / "calibration" / "harm.json"
PAGE = ROOT / "docs" / "science" / "rare-harms.md"
ABSENT = "not modelled"
WORDS = {
    "fever": "fever",
    "infusion_reaction": "reaction to the infusion",
    "thromboembolism": "thrombosis or embolism",
    "donor_specific_antibody": "donor-specific antibody",
    "secondary_infection": "infection",
    "dose_limiting_toxicity": "dose-limiting toxicity",
    "related_adverse_event": "related adverse event",
    "related_serious_adverse_event": "related serious adverse event",
    "adverse_event": "any adverse event",
    "serious_adverse_event": "serious adverse event",
    "arrhythmia": "arrhythmia",
    "malignancy": "malignancy",
}
RESTS_ON = {
    "fever": "2 of 9 within a day of infusion; the rest of it is the illness",
    "infusion_reaction": "trials without one",
    "thromboembolism": "nothing that was counted after cells; the illness's own is a guess",
    "donor_specific_antibody": "reviews, 5 to 34 %",
    "secondary_infection": "trials of drugs; that cells change it is of open sign",
}

PAGE_TEXT = """# Rare harms

What single trials counted, what that can tell at most, and what the model expects of the same dose,
route and product. The laws stand in [harm](harm.md). Pools and reviews are context: nothing is compared
with them, nothing was fitted to them, and they may hold the same studies again.

Written from `src/mesolung/calibration/harm.json` by `python tools/harm_page.py`; the record by
`{command}` ({date}, posterior {posterior}).

- **Interval**: 95 %, Clopper and Pearson. **Bound**: 3/n where nobody had an event (rule of three).
- **Expected**: mean over {draws} draws of the share that the model expects in that arm, with 90 % of the
  draws.
- **Informative**: somebody had an event of a kind that the model has. **Uninformative beyond its
  bound**: nobody had, or the harm is thrombosis or malignancy. "Not larger than the bound" is all that
  can be said, of cells and of the model. **Of no stated kind**: a mixture that no part of the model is.
- Thrombosis and malignancy after cells are **uninformative beyond their bound whatever the model says**.
  The index of tumour risk is never a probability.

## Single trials of patients whom the model has

{rows}

## What all of them together cannot exclude

Subjects given cells or vesicles, of harms that no trial of the list saw, and the bound of the sum. No
estimate: doses, products and follow-up differ.

{together}

No trial that may be looked at reports thrombosis, antibody to the donor, malignancy or arrhythmia as
such: for these no n stands behind the model's numbers.

## What the model expects of usual products

{patients} patients of {draws} draws with COVID-19 and P/F at or below 300 mmHg; shares of patients with
the event, mean over draws (90 %), the dead followed on.

{usual}

{scenario_lines}

Fever after 1e9 cells is the same law carried beyond the doses that it rests on (1e8 to 4e8).

Antibody to the donor within half a year of one allogeneic dose: {antibody} % of patients, published
{published} %: {verdict}. Without a mismatch there is none ({autologous} %); {edited} % with a fifth of
it; a second course after 90 d adds to {second} %.

## What each number rests on

{rests}

## Context: pools, reviews, case reports

{context}
"""


def page(record: Mapping[str, Any]) -> str:
    """Write the page.

    Arguments:
        record: what ``harm.json`` holds.

    Returns:
        Markdown.
    """
    scenarios = record["scenarios"]
    late = "donor-specific antibody, 180 d"
    usual = scenarios["usual"]["shares"][late][0]
    low, high = record["antibody"]
    return PAGE_TEXT.format(
        command=record["command"],
        date=record["date"],
        posterior=record["posterior"],
        draws=record["draws"],
        patients=record["patients"],
        rows="\n".join(_rows(record["lines"])),
        together="\n".join(
            table_lines(
                ("harm", "n", "bound"),
                [
                    (WORDS[h], f"0 of {n}", f"{100 * bound:.1f} %")
                    for h, (n, bound) in record["without_an_event"].items()
                ],
            )
        ),
        usual="\n".join(_usual(scenarios)),
        scenario_lines="\n".join(f"- **{name}**: {one['said']}" for name, one in scenarios.items()),
        antibody=f"{100 * usual:.0f}",
        published=f"{100 * low:.0f} to {100 * high:.0f}",
        verdict="inside" if low <= usual <= high else "**outside**",
        autologous=f"{100 * scenarios['autologous']['shares'][late][0]:.0f}",
        edited=f"{100 * scenarios['HLA edited']['shares'][late][0]:.0f}",
        second=f"{100 * scenarios['second course']['shares'][late][0]:.0f}",
        rests="\n".join(f"- {WORDS[h]}: {said}" for h, said in RESTS_ON.items()),
        context="\n".join(_context(record["context"])),
    )


def _rows(lines: Sequence[Mapping[str, Any]]) -> list[str]:
    header = ["study", "arm", "harm", "events", "followed, d", "interval", "bound"]
    header += ["expected", "agreement", "label"]
    rows = []
    for x in lines:
        day = "-" if x["followed_d"] is None else f"{x['followed_d']:g}"
        bound = "-" if x["bound"] is None else f"{100 * x['bound']:.0f} %"
        row = [f"`{x['study']}`", x["arm"], WORDS[x["harm"]], f"{x['events']} of {x['n']}", day]
        row += [f"{100 * x['low']:.0f} to {100 * x['high']:.0f} %", bound]
        told = "-" if x["expected"] is None else _share(x["expected"])
        rows.append([*row, told, x["agreement"], x["label"]])
    return table_lines(header, rows)


def _usual(scenarios: Mapping[str, Any]) -> list[str]:
    harms = list(next(iter(scenarios.values()))["shares"])
    rows = [[name, *(_share(one["shares"][h]) for h in harms)] for name, one in scenarios.items()]
    return table_lines(["given", *harms], rows)


def _context(lines: Sequence[Mapping[str, Any]]) -> list[str]:
    rows = []
    for x in lines:
        value = "-" if x["value"] is None else f"{x['value']:g}"
        ends = "-" if x["low"] is None else f"{x['low']:g} to {x['high']:g}"
        rows.append(
            [WORDS[x["harm"]], f"{x['kind']}: {x['what']}", value, ends, x["unit"], x["basis"], x["source"]]
        )
    return table_lines(("harm", "what", "value", "interval", "unit", "basis", "source"), rows)


def _share(values: Sequence[float]) -> str:
    mean, low, high = (100 * v for v in values)
    digits = 1 if high < 10 else 0
    if high < 0.05:
        return "0 %"
    return f"{mean:.{digits}f} % ({low:.{digits}f} to {high:.{digits}f})"


def main() -> int:
    """Write the page."""
    record = json.loads(RECORD.read_text(encoding="utf-8"))
    PAGE.write_text(page(record), encoding="utf-8")
    print(f"wrote {PAGE.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
