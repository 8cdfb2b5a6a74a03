"""Write docs/science/decisions-by-variant.md and docs/images/decisions.svg from the record of the variants.

python tools/decisions_page.py
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from page_tables import table_lines
from svg_panels import Panel, Series, figure

ROOT = Path(__file__).resolve().parent.parent
RECORD = ROOT / "src" / "mesolung" / "calibration" / "decisions.json"
PAGE = ROOT / "docs" / "science" / "decisions-by-variant.md"
IMAGE = ROOT / "docs" / "images" / "decisions.svg"
COLOUR, QUIET = "#0072B2", "#888888"
DRAWN = "P/F"
NEITHER, FIRST, SECOND = "no difference", "first", "second"
NULL = "null"


def lines_of(record: Mapping[str, Any], decision: str, measure: str) -> list[Mapping[str, Any]]:
    """Lines of one decision and measure, in the order of the variants."""
    return [x for x in record["lines"] if x["decision"] == decision and x["measure"] == measure]


def picture(record: Mapping[str, Any]) -> str:
    """Draw the contrast of each decision in P/F, a row a variant.

    Arguments:
        record: what ``decisions.json`` holds.

    Returns:
        SVG text.
    """
    panels = []
    for decision, (first, second) in record["decisions"].items():
        found = lines_of(record, decision, DRAWN)
        ends = [v for x in found for v in (x["low"], x["high"])]
        least, most = min(-2.0, *ends), max(2.0, *ends)
        room = 0.08 * (most - least)
        series = [Series([0.0, 0.0], [-0.5, len(found) - 0.5], kind="dashed")]
        for told in (True, False):
            own = [(k, x) for k, x in enumerate(found) if (x["answer"] != NEITHER) == told]
            if not own:
                continue
            for k, x in own:
                series.append(Series([x["low"], x["high"]], [k, k], colour=COLOUR if told else QUIET))
            xs, ys = [x["mean"] for _, x in own], [float(k) for k, _ in own]
            series.append(Series(xs, ys, colour=COLOUR if told else QUIET, kind="points", hollow=not told))
        panels.append(
            Panel(
                f"{decision.capitalize()}: {first} | {second}",
                "P/F, mmHg (right: the second is better)",
                "",
                series,
                (least - room, most + room),
                (-0.5, len(found) - 0.5),
                rows=[x["variant"] for x in found],
                width=380,
                height=230,
                left=100,
            )
        )
    legend = [("points", COLOUR, "a difference"), ("rings", QUIET, "no difference beyond noise")]
    return figure(
        panels, 3, "What decides between two choices, by variant of what carries the effect", legend
    )


PAGE_TEXT = """# Decisions by variant

What carries the effect of cells is not known ([decision
0011](../decisions/0011-what-cells-do-is-not-one-model.md)). A conclusion that holds whatever carries it
is worth more than one that hangs on one carrier. Here each choice of those who plan a trial is put to
the model with one carrier on at a time, with all, and with none. Nothing of it is advice: no trial of
cells has moved a number here, and the sizes are those of assumed gains.

Written from `src/mesolung/calibration/decisions.json` by `python tools/decisions_page.py`; the record by
`{command}` ({date}, posterior {posterior}).

![Contrasts by decision and variant](../images/decisions.svg)

Mean and 90 % of the draws. Right of 0 the second choice is better.

## The experiment

{patients} patients of {draws} draws with COVID-19 and P/F at or below 300 mmHg; the same patients, lots
and draws on both sides of every contrast. Soluble factors evenly mixed act in every variant but
*{null}*; every harm acts in all.

{variant_lines}

What is given:

{given_lines}

A contrast is the second choice's benefit against no cells minus the first's: {measure_words}. Halves by
IL-6 at enrolment are the *inflamed* and the *hypo-inflammatory*; with a steroid both sides have
dexamethasone, 6 mg a day for 10 d.

**No difference** is told where the mean over draws lies within {errors:g} Monte-Carlo errors of 0, or is
smaller than what would matter (assumed: {smallest_words}).

## Which variant each decision hangs on

{summary}

## What may be recommended

{advice}

## Deaths avoided, percentage points

{deaths}

## P/F, mmHg

{oxygen}

## Inflammation, % of the untreated

{inflammation}

Mean over draws (Monte-Carlo error); **bold** where a difference is told. Above 0 the second choice is
better. The 90 % interval of the draws stands in the figure and the record.

## How to read it

- A decision on which all variants but *{null}* agree still hangs on there being an effect at all:
  *{null}* holds a third to a half of the prior.
- The dose: effects grow with the dose in every carrier because each is a saturating law whose half lies
  above a clinical dose; that is an assumption of each law, and animals that were worse off with more (an
  inverted dose response) speak against it. Where nothing acts, more cells only harm.
- Living or dead, cells or vesicles: the one contrast that carriers could turn round. Efferocytosis needs
  no living cell.
- So many answers are told that a few are chance: at two errors about one in twenty of those without a
  difference, as a lone answer in one measure may be.
- Gains are at typical values, one each: what a variant carries is not scaled so that variants have one
  size of effect. Signs, and what is no difference, are what to take from here.
- Patients are of one disease, at one time of it. Dead patients are followed on for P/F and inflammation.
"""


def page(record: Mapping[str, Any]) -> str:
    """Write the page.

    Arguments:
        record: what ``decisions.json`` holds.

    Returns:
        Markdown.
    """
    smallest, measures = record["smallest"], record["measures"]
    units = {"deaths": "percentage points of deaths", "P/F": "mmHg", "inflammation": "% of inflammation"}
    return PAGE_TEXT.format(
        command=record["command"],
        date=record["date"],
        posterior=record["posterior"],
        patients=record["patients"],
        draws=record["draws"],
        errors=record["errors"],
        null=NULL,
        variant_lines="\n".join(f"- **{n}**: {said}" for n, said in record["variants"].items()),
        given_lines="\n".join(f"- **{n}**: {said}" for n, said in record["given"].items()),
        measure_words="; ".join(measures.values()),
        smallest_words=", ".join(f"{smallest[m]:g} {units[m]}" for m in measures),
        summary="\n".join(_summary(record)),
        advice="\n".join(_advice(record)),
        deaths="\n".join(_numbers(record, "deaths")),
        oxygen="\n".join(_numbers(record, "P/F")),
        inflammation="\n".join(_numbers(record, "inflammation")),
    )


NOT_YET = """How far data narrowed the slope of each decision has not been computed for this record: no choice
may be recommended by a number. The command above computes it."""


def _advice(record: Mapping[str, Any]) -> list[str]:
    """By decision and measure: a point where the slope contracted enough, else the range alone."""
    found = record.get("recommendations")
    if not found:
        return [NOT_YET]
    rows = []
    for decision, (first, second) in record["decisions"].items():
        for x in (one for one in found if one["decision"] == decision):
            point = "no point" if x["point"] is None else f"**{x['point']:.2f}**"
            rows.append(
                [
                    f"{second} against {first}",
                    x["measure"],
                    f"{point} ({x['low']:.2f} to {x['high']:.2f})",
                    f"{100 * x['contraction']:.0f} %",
                    f"{100 * x['second_better']:.0f} %",
                ]
            )
    learnt = record["learnt_from"]
    same = learnt == record["posterior"]
    told = "no posterior is stored, so that nothing was learnt" if same else f"learnt from {learnt}"
    header = ("", "measure", "slope (90 % of draws)", "contraction", "draws in which the second is better")
    return [
        f"{record['rule']} Every draw with the carriers that it has; {told}.",
        "",
        *table_lines(header, rows),
    ]


def _summary(record: Mapping[str, Any]) -> list[str]:
    rows = []
    for decision, (first, second) in record["decisions"].items():
        cells = [decision]
        for measure in record["measures"]:
            parts = []
            found = lines_of(record, decision, measure)
            for answer, words in ((FIRST, first), (SECOND, second), (NEITHER, NEITHER)):
                who = [x["variant"] for x in found if x["answer"] == answer]
                if len(who) == len(found):
                    parts.append(f"**{words}** in all")
                elif who:
                    parts.append(f"**{words}**: {', '.join(who)}")
            cells.append("; ".join(parts))
        cells.append(_verdict(record, decision))
        rows.append(cells)
    return table_lines(("decision", *record["measures"], "hangs on"), rows)


def _verdict(record: Mapping[str, Any], decision: str) -> str:
    """What the three measures say together: agree, hang on the carrier, turn round, or nothing."""
    found = [x for x in record["lines"] if x["decision"] == decision and x["variant"] != NULL]
    answers = {x["answer"] for x in found}
    if answers == {NEITHER}:
        return "nothing is told in any variant"
    if {FIRST, SECOND} <= answers:
        return "the sign turns with the carrier or the measure"
    told = {x["variant"] for x in found if x["answer"] != NEITHER}
    every = {x["variant"] for x in found}
    if told == every:
        null = {x["answer"] for x in record["lines"] if x["decision"] == decision and x["variant"] == NULL}
        turned = "; turned round where nothing does" if null - answers else ""
        return f"that anything acts: every carrier says the same{turned}"
    silent = [v for v in record["variants"] if v in every - told]
    if len(silent) > len(told):
        return f"told only with {' or '.join(v for v in record['variants'] if v in told)}"
    return f"one sign where told; nothing is told with {' or '.join(silent)}"


def _numbers(record: Mapping[str, Any], measure: str) -> list[str]:
    variants = list(record["variants"])
    rows = []
    for decision, (first, second) in record["decisions"].items():
        cells = [f"{second} against {first}"]
        for x in lines_of(record, decision, measure):
            number = f"{round(x['mean'], 2) + 0.0:.2f} ({x['error']:.2f})"
            cells.append(number if x["answer"] == NEITHER else f"**{number}**")
        rows.append(cells)
    return table_lines(("", *variants), rows)


def main() -> int:
    """Write both files."""
    record = json.loads(RECORD.read_text(encoding="utf-8"))
    PAGE.write_text(page(record), encoding="utf-8")
    IMAGE.write_text(picture(record), encoding="utf-8")
    print(f"wrote {PAGE.name}, {IMAGE.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
