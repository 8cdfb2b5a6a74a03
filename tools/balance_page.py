"""Write docs/science/balance.md and docs/images/balance.svg from the record of the challenge.

python tools/balance_page.py
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from page_tables import table_lines
from svg_panels import Panel, Series, figure

ROOT = Path(__file__).resolve().parent.parent
RECORD = ROOT / "src" / "mesolung" / "calibration" / "balance.json"
PAGE = ROOT / "docs" / "science" / "balance.md"
IMAGE = ROOT / "docs" / "images" / "balance.svg"
COLOURS = {"cells": "#009E73", "dexamethasone": "#D55E00", "tocilizumab": "#0072B2"}
PATHOGENS = {"NOS": "nosocomial bacteria", "BAC": "pneumonia bacteria"}
ASIDE_D = {"cells": -0.35, "dexamethasone": 0.0, "tocilizumab": 0.35}


def picture(record: Mapping[str, Any]) -> str:
    """Draw inflammation avoided against bacteria, draw by draw, and bacteria by day of the challenge.

    Arguments:
        record: what ``balance.json`` holds.

    Returns:
        SVG text.
    """
    therapies = record["therapies"]
    top = max(max(math.exp(x) for row in one["draws"] for x in row[1:]) for one in therapies.values())
    low = min(min(math.exp(x) for row in one["draws"] for x in row[1:]) for one in therapies.values())
    by_draw = [_by_draw(therapies, k, name, (low / 1.1, top * 1.1)) for k, name in enumerate(PATHOGENS)]
    by_day = [_by_day(record, name) for name in PATHOGENS]
    legend = [("points", COLOURS[t], t) for t in therapies]
    title = "Inflammation avoided and bacteria under a second challenge, by therapy"
    return figure([*by_draw, *by_day], 2, title, legend)


def _by_draw(therapies: Mapping[str, Any], place: int, pathogen: str, ends: tuple[float, float]) -> Panel:
    series = [Series([-100.0, 100.0], [1.0, 1.0], kind="dashed")]
    for therapy, one in therapies.items():
        x = [100.0 * row[0] for row in one["draws"]]
        y = [math.exp(row[1 + place]) for row in one["draws"]]
        series.append(Series(x, y, colour=COLOURS[therapy], kind="points", hollow=True))
    left = min(-5.0, *(100.0 * row[0] for one in therapies.values() for row in one["draws"]))
    right = max(100.0 * row[0] for one in therapies.values() for row in one["draws"])
    series[0] = Series([left, right], [1.0, 1.0], kind="dashed")
    return Panel(
        PATHOGENS[pathogen].capitalize(),
        "inflammation avoided, %",
        "area under bacteria, ratio",
        series,
        (left, 1.05 * right),
        ends,
        y_log=True,
        width=380,
        height=280,
    )


def _by_day(record: Mapping[str, Any], pathogen: str) -> Panel:
    series = [Series([0.0, 16.0], [1.0, 1.0], kind="dashed")]
    drawn = []
    for therapy, one in record["therapies"].items():
        rows = [[math.exp(x) for x in one[f"area {pathogen} {day:g}"]] for day in record["days"]]
        drawn += [x for row in rows for x in row]
        days = [day + ASIDE_D[therapy] for day in record["days"]]
        middle, low, high = ([row[k] for row in rows] for k in range(3))
        series.append(Series(days, middle, low, high, COLOURS[therapy], "points"))
    return Panel(
        f"{PATHOGENS[pathogen].capitalize()}, by day",
        "day of the challenge after therapy",
        "area under bacteria, ratio",
        series,
        (0.0, 16.0),
        (min(drawn) / 1.1, max(drawn) * 1.1),
        y_log=True,
        width=380,
        height=280,
    )


PAGE_TEXT = """# Balance or suppression

Do cells calm inflammation without weakening the defence, where other drugs trade one for the other? The
claim is put to a test here, in both directions: what falls out is reported, whichever way it falls.
Everything on this page rests on priors that no trial of cells has moved; nothing of it is advice.

Written from `src/mesolung/calibration/balance.json` by `python tools/balance_page.py`; the record by
`{command}` ({date}, posterior {posterior}).

![Inflammation avoided and bacteria under a second challenge](../images/balance.svg)

Above: a ring a parameter draw; right is less inflammation, up is more bacteria than without therapy.
Below: medians and 90 % of the draws by day of the challenge.

## The experiment

{patients} patients of {draws_with_patients} draws with COVID-19 and P/F at or below 300 mmHg are given,
at enrolment:

{given_lines}

The same patients are then infected a second time, {day_words} days after the therapy: {inocula}. Each
number of bacteria is the smallest power of ten that outgrows itself in a tenth of the untreated at day 7.
Bacteria that pass the tube by themselves are off, so that a therapy which spares ventilation is not
credited with a defence; that cough comes back without a tube is left in. Those who would have died are
followed on.

**Inflammation**: the area over {followed_d:g} d under {signal_words} (the lung's drive and what the body
feels of IL-6, each from 0 to 1), nobody infected again. **Defence**: the area under the bacteria over
{watched_d:g} d, their peak, days until they stay below {cleared_words} of the inoculum, what phagocytes
kill, and antibody 28 d after the therapy.

## What falls out

{main_table}

Median and 90 % of the draws, against none. A ratio above 1 is more bacteria, geometric mean over patients
and days.

## Probability

{probability_table}

{rule_lines}

With {draws_with_patients} draws the Monte-Carlo error of a probability is at most {error:.0f} points. The
null variant (cells do nothing in humans, a third to a half of the prior) is among the draws: it is most
of "no effect".

## By challenge

{challenge_table}

Killing is what phagocytes do to bacteria relative to none, nobody infected again: the direct part of a
therapy. The rest is indirect: fewer neutrophils and activated macrophages in a calmer lung, or a cough
that comes back sooner.

## Return to rest

States further from rest than 5 % of their excursion {rest_d:g} d after the therapy, beyond those without
therapy, median (90 % of the draws): {rest_words}. Furthest from rest, as a share of the excursion:

{furthest_lines}

States that keep what has happened (antibody, plasma cells, sensitisation, labels, cumulative hazards) are
not asked to return.

## What it depends on

- `gain_clearance` is two-sided, PGE2 lowers and LL-37 and mitochondria raise killing: the sign of what
  cells do to the defence is prior, not finding.
- Steroids raise ventilator-associated pneumonia in observation (hazard ratio 1.29, 1.05 to 1.58); that
  number was not used here.
- Thresholds (2 % of the signal, 10 % of the bacteria), inocula and days are assumed; the rings above show
  what other thresholds would give.
"""


def page(record: Mapping[str, Any]) -> str:
    """Write the page.

    Arguments:
        record: what ``balance.json`` holds.

    Returns:
        Markdown.
    """
    therapies = record["therapies"]
    header = (
        "Therapy",
        "Inflammation avoided",
        *(f"Bacteria, {p} (ratio)" for p in PATHOGENS),
        "Antibody (ratio)",
    )
    rows = [
        (
            name,
            _percent(one["avoided"]),
            *(_ratio([math.exp(x) for x in one[f"lost {p}"]]) for p in PATHOGENS),
            _ratio(one["antibody"]),
        )
        for name, one in therapies.items()
    ]
    challenges = (("both", "probability"), *((PATHOGENS[p], f"probability {p}") for p in PATHOGENS))
    shares = [
        (name, what, *(f"{100 * share:.0f} %" for share in one[key].values()))
        for name, one in therapies.items()
        for what, key in challenges
    ]
    classes = next(iter(therapies.values()))["probability"]
    inocula = (f"{PATHOGENS[n]} ({n}) {amount:g} MCFU" for n, amount in record["inoculum_MCFU"].items())
    return PAGE_TEXT.format(
        **{key: value for key, value in record.items() if key not in ("therapies", "rules")},
        given_lines="\n".join(f"- **{name}**: {said}" for name, said in record["given"].items()),
        day_words=", ".join(f"{day:g}" for day in record["days"]),
        inocula="; ".join(inocula),
        signal_words=" + ".join(f"`{n}`" for n in record["signal"]),
        cleared_words=f"{100 * record['cleared_below']:g} %",
        main_table="\n".join(table_lines(header, rows)),
        probability_table="\n".join(table_lines(("Therapy", "Challenge", *classes), shares)),
        rule_lines="\n".join(f"- **{name}**: {said}" for name, said in record["rules"].items()),
        error=50 / math.sqrt(record["draws_with_patients"]),
        challenge_table="\n".join(_by_challenge(record)),
        rest_words="; ".join(f"{n} {_ratio(one['not_returned'])}" for n, one in therapies.items()),
        furthest_lines="\n".join(
            f"- {name}: " + ", ".join(f"`{s}` {x:.2g}" for s, x in far)
            for name, far in record["furthest_from_rest"].items()
        ),
    )


def _by_challenge(record: Mapping[str, Any]) -> list[str]:
    header = (
        "Therapy",
        "Bacteria",
        "Day",
        "Area (ratio)",
        "Peak (ratio)",
        "Longer until cleared, d",
        "Killing (ratio)",
    )
    rows = [
        (
            name,
            PATHOGENS[p],
            f"{day:g}",
            _ratio([math.exp(x) for x in one[f"area {p} {day:g}"]]),
            _ratio([math.exp(x) for x in one[f"peak {p} {day:g}"]]),
            _ratio(one[f"clearance {p} {day:g}"]),
            _ratio(one[f"killing {day:g}"]),
        )
        for name, one in record["therapies"].items()
        for p in PATHOGENS
        for day in record["days"]
    ]
    return table_lines(header, rows)


def _percent(values: Sequence[float]) -> str:
    middle, low, high = (0.0 if abs(v) < 0.005 else 100 * v for v in values)
    return f"{middle:.0f} % ({low:.0f} to {high:.0f})"


def _ratio(values: Sequence[float]) -> str:
    middle, low, high = (0.0 if abs(v) < 0.005 else v for v in values)
    return f"{middle:.2f} ({low:.2f} to {high:.2f})"


def main() -> int:
    """Write both files."""
    record = json.loads(RECORD.read_text(encoding="utf-8"))
    PAGE.write_text(page(record), encoding="utf-8")
    IMAGE.write_text(picture(record), encoding="utf-8")
    print(f"wrote {PAGE.name}, {IMAGE.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
