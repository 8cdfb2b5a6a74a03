"""Write docs/science/relations.md from the record of the relations.

python tools/relations_page.py
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from page_tables import table_lines

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "src" / "mesolung" / "calibration"
RECORD, LOCK = FOLDER / "relations-score.json", FOLDER / "relations.json"
UNSEEN, KNOCKED = FOLDER / "relations-unseen.json", FOLDER / "knockouts.json"
PAGE = ROOT / "docs" / "science" / "relations.md"
TEXT = """# Published relations: what experiments found, and what the model says

Experiments on animals, lungs out of the body, cultures and the fate of cells print sizes, orders and
directions. All of them that may be fitted to are listed in
[relations.csv](../../src/mesolung/calibration/relations.csv): read in a publication or worked out from what
was read, never pooled, never recalled. The list was locked by its SHA-256 before anything was tuned to it; a
changed list needs a date and a reason.

```sh
python -m mesolung.calibration.relations --list
python -m mesolung.calibration.relations --score --write
python tools/relations_page.py
```

| Locked | Relations | SHA-256 | Reason |
|---|---|---|---|
{log}

A third of the relations of animals and cultures is kept apart (`split.csv`, group "unseen"). It is scored
once, at the end, by `--score --unseen`, whose record has its date; a second time is refused. {unseen}

## How each is judged

{rules}

A number that a control arm printed beside a treated arm's makes one relation of both, their ratio. A
comparison of two products, a level, or an illness without a product is listed too, and told apart.

## How many are met

Predictions are those of `mesolung validate` (one run a study, {draws} parameter draws, seed {seed}, posterior
{posterior}, {date}); those of cultures stand on [how cultures are answered](../cultures.md).
"Met by the rule" is of all relations of the class, whether the model answers them or not; the rule misses
every null, and every relation of two products, by construction.

{tables}

{third}## Knock-outs

`python -m mesolung.calibration.knockouts` switches off in the model what laboratories switched off
([how](../knockout.md#published)):

{knockouts}

## Why relations are not answered yet

{reasons}

## What is missed

{missed}
"""


def page(
    record: Mapping[str, Any],
    lock: Mapping[str, Any],
    unseen: Mapping[str, Any] | None,
    knocked: Mapping[str, Any],
) -> str:
    """Write the page.

    Arguments:
        record: what ``relations-score.json`` holds.
        lock: what ``relations.json`` holds.
        unseen: what ``relations-unseen.json`` holds; None before it is made.
        knocked: what ``knockouts.json`` holds.

    Returns:
        Markdown.
    """
    missed = [line for line in record["lines"] if line["verdict"] == "missed"]
    return TEXT.format(
        log="\n".join(
            f"| {one['date']} | {one['relations']} | `{one['sha256'][:12]}` | {one['reason']} |"
            for one in lock["log"]
        ),
        unseen="It has not been scored." if unseen is None else _unseen(unseen),
        rules="\n".join(_wrapped(f"- **{name}**: {said}.") for name, said in record["rules"].items()),
        draws=record["draws"],
        seed=record["seed"],
        posterior=", ".join(record["posterior"]) or "none yet",
        date=record["date"],
        tables="\n\n".join(f"**{part}**\n\n{_counts(part_)}" for part, part_ in record["summary"].items()),
        third="" if unseen is None else _third(unseen),
        knockouts=_knocked(knocked),
        reasons="\n".join(
            table_lines(("Reason", "Relations"), [(r, str(n)) for r, n in record["not_modelled"].items()])
        ),
        missed="\n".join(table_lines(HEADER, [_missed(line) for line in missed])) if missed else "Nothing.",
    )


HEADER = ("Relation", "Endpoint", "Class", "Published", "Model, median (90 %)")


def _counts(classes: Mapping[str, Mapping[str, Any]]) -> str:
    rows = [
        (
            name,
            str(c["relations"]),
            str(c["met"]),
            str(c["missed"]),
            str(c["not modelled yet"]),
            "–" if c["share_met"] is None else f"{100 * c['share_met']:.0f} %",
            "–" if c["rule_met_of_answered"] is None else str(c["rule_met_of_answered"]),
            "–" if c["rule_met_of_all"] is None else str(c["rule_met_of_all"]),
        )
        for name, c in classes.items()
    ]
    header = (
        "Class", "Relations", "Met", "Missed", "Not modelled yet", "Met of answered",
        "Met by the rule, of answered", "Met by the rule, of all",
    )  # fmt: skip
    return "\n".join(table_lines(header, rows))


def _missed(line: Mapping[str, Any]) -> tuple[str, ...]:
    published, told = line["published"], line["predicted"]
    if isinstance(published, list):
        return (line["relation"], line["endpoint"], line["class"], " < ".join(published), " < ".join(told))
    said = published if isinstance(published, str) else f"{published:.3g}"
    classes = line.get("classes")
    if classes:
        model = ", ".join(f"{name} {100 * share:.0f} %" for name, share in classes.items())
    else:
        model = f"{told[0]:.3g} ({told[1]:.3g} to {told[2]:.3g})"
    return line["relation"], line["endpoint"], line["class"], said, model


def _knocked(knocked: Mapping[str, Any]) -> str:
    rows = [
        (
            line["id"],
            line["endpoint"],
            line["off"],
            line["finding"] if line["value"] is None else f"{line['value']:g}",
            _left(line),
            line["verdict"],
        )
        for line in knocked["lines"]
    ]
    counts = [
        (finding, str(c["met"]), str(c["missed"]), str(c["not modelled yet"]))
        for finding, c in knocked["counts"].items()
    ]
    whole = table_lines(("Published", "Met", "Missed", "Not modelled yet"), counts)
    single = table_lines(("Knock-out", "Endpoint", "Off", "Published", "Effect left", "Verdict"), rows)
    return "\n".join([*whole, "", *single])


def _left(line: Mapping[str, Any]) -> str:
    if line["told"] is not None:
        return f"{line['told']:.2f}"
    return "–" if line["left"] is None else f"{100 * line['left']:.0f} %"


def _unseen(unseen: Mapping[str, Any]) -> str:
    counts = unseen["summary"]["effects, seen"]["all classes"]
    answered = counts["met"] + counts["missed"]
    return (
        f"It was scored on {unseen['date']}: {counts['met']} of {answered} answered relations were met"
        " ([below](#unseen_third)). " + _apart(unseen)
    )


def _third(unseen: Mapping[str, Any]) -> str:
    """The part that nothing was fitted to, as it fell."""
    missed = [line for line in unseen["lines"] if line["verdict"] == "missed"]
    apart = [
        (key, why, unseen["looked_at_verdicts"].get(key, "")) for key, why in unseen["looked_at"].items()
    ]
    parts = [
        "## The unseen third",
        '<a id="unseen_third"></a>',
        _wrapped(
            f"`python -m mesolung.calibration.relations --score --unseen`, {unseen['date']},"
            f" {unseen['draws']} draws. Each relation is scored once; what the model cannot answer yet is"
            " scored when it can, once."
        ),
        *(f"**{part}**\n\n{_counts(counts)}" for part, counts in unseen["summary"].items()),
        "### Missed",
        "\n".join(table_lines(HEADER, [_missed(line) for line in missed])) if missed else "Nothing.",
    ]
    if apart:
        parts += ["### Not counted", "\n".join(table_lines(("Relation", "Why", "Verdict"), apart))]
    return "\n\n".join(parts) + "\n\n"


def _apart(unseen: Mapping[str, Any]) -> str:
    known = unseen["looked_at"]
    if not known:
        return ""
    return (
        f"{len(known)} relations of it no longer test anything, since a law cites them or their direction was"
        " seen before a law was changed (`relations-looked-at.csv`): they are not counted."
    )


def _wrapped(text: str, width: int = 106) -> str:
    lines, line = [], ""
    for word in text.split():
        if line and len(line) + 1 + len(word) > width:
            lines.append(line)
            line = " "
        line = f"{line} {word}" if line.strip() or line == " " else word
    return "\n".join([*lines, line])


def main() -> int:
    """Write the page."""
    unseen = json.loads(UNSEEN.read_text(encoding="utf-8")) if UNSEEN.exists() else None
    record, lock, knocked = (json.loads(p.read_text(encoding="utf-8")) for p in (RECORD, LOCK, KNOCKED))
    PAGE.write_text(page(record, lock, unseen, knocked), encoding="utf-8")
    print(f"wrote {PAGE.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
