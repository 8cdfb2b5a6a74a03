"""Write docs/credibility.md from what the repository holds: judgements, tables, records, scores.

python tools/credibility_page.py                     writes the page
python tools/credibility_page.py --append FOLDER     adds a validation's scores to the history first
python tools/credibility_page.py --ranked FOLDER     keeps the ranking of a sensitivity analysis first
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from page_tables import table_lines

from mesolung.biology.parameters import GRADES, read_parameters
from mesolung.calibration.validation.bias import biases
from mesolung.calibration.validation.treatment import CELLS
from mesolung.reading import Refusal

ROOT = Path(__file__).resolve().parent.parent
DOCS, KEPT = ROOT / "docs", ROOT / "src" / "mesolung" / "calibration"
SAID, HISTORY, PAGE = DOCS / "credibility.toml", DOCS / "score-history.csv", DOCS / "credibility.md"
RANKED = DOCS / "assumptions-ranked.json"
MISFITS = DOCS / "science" / "known-misfits.md"
COLUMNS = (
    "version", "date", "posterior", "part", "observations", "inside_90", "inside_90_right", "inside_50",
    "trials", "skill", "skill_error", "skill_without_bias", "skill_small_study", "headline", "command",
)  # fmt: skip
LEVELS = ("low", "medium", "high")
# Influence and consequence together; the larger a decision hangs on the model, and the worse it is if wrong.
RISK = {
    ("low", "low"): "low", ("low", "medium"): "low", ("low", "high"): "medium",
    ("medium", "low"): "low", ("medium", "medium"): "medium", ("medium", "high"): "high",
    ("high", "low"): "medium", ("high", "medium"): "high", ("high", "high"): "high",
}  # fmt: skip
STATUS = ("shown", "in part", "open")
NOT_YET = "not yet computed"
MOST = 10
COMMAND = (
    "mesolung sensitivity examples/cord-cells-in-ards.toml --json > src/mesolung/calibration/sensitivity.json"
)

PAGE_TEXT = """# Credibility

What the model is asked, how much hangs on it, what stands behind it, and what does not. In the form of
ICH M15 (assessment table) and ASME V&V 40-2018 (factors of credibility). Research use; no medical device,
not for the treatment of a patient.

Written by `python tools/credibility_page.py` from `docs/credibility.toml`, the tables of the package, the
records of `src/mesolung/calibration` and `docs/score-history.csv`.

**What is not claimed.** {first}

## Questions

Risk is of a decision that the model's answer would be part of: influence of the model and consequence of a
wrong decision together.

{questions}

## Evidence, by factor of credibility

{counts}

{factors}

## Assumptions

{graded} parameters carry a grade (definitions and settings do not): {grades}.

{modules}

Assumed numbers (grade C) that move the effect most: {strongest}

## Misfits

Where the model disagrees with what was published stands in [known misfits](science/known-misfits.md), with
what follows from it. In short: {misfits}.

{records}

## Score history

A row a release and part of the evidence. *Right* is what a right model would cover: counts come in steps.
Skill is the difference in log score of treated arms given their control from the best of three constant
effects, nats a trial; above 0 is better.

{history}

## The headline effect and the small-study term

Small trials show larger effects; how much of that is bias is not known. The term is {term}
({status}). It enters scores and the fit to trials, never a predicted effect.

{skill}

{headline}
"""


def page(
    said: Mapping[str, Any],
    history: Sequence[Mapping[str, str]],
    ranked: Mapping[str, Any] | None = None,
) -> str:
    """Write the page.

    Arguments:
        said: what ``credibility.toml`` holds.
        history: rows of ``score-history.csv``.
        ranked: from `ranking_of`; None where nothing is kept.

    Returns:
        Markdown.

    Raises:
        Refusal: for a word that is not allowed, or a file that does not exist.
    """
    _check(said)
    table = read_parameters()
    graded = table.graded
    term = biases()["small_study"]
    grades = ", ".join(
        f"{sum(r.grade == g for r in graded)} of grade {g} ({words}; "
        f"{100 * sum(r.grade == g for r in graded) / len(graded):.0f} %)"
        for g, words in GRADES.items()
    )
    return PAGE_TEXT.format(
        first=_first(history),
        questions="\n\n".join(_question(one) for one in said["question"]),
        counts=_counts(said["factor"]),
        factors="\n".join(_factors(said["factor"])),
        graded=len(graded),
        grades=grades,
        modules="\n".join(_modules(graded)),
        strongest=_strongest(ranked),
        misfits="; ".join(_misfits()),
        records="\n".join(_records()),
        history="\n".join(_history(history)),
        term=f"{term.mean:g} standard errors of the comparison, SD {term.sd:g}",
        status=term.status,
        skill="\n".join(_skill(history)),
        headline="\n".join(_headline(said["headline"])),
    )


def read_history(path: Path = HISTORY) -> list[dict[str, str]]:
    """Read the score history.

    Arguments:
        path: the table.

    Returns:
        its rows, oldest first.

    Raises:
        Refusal: for other columns, a number that is none, or a row that stands twice.
    """
    with path.open(encoding="utf-8", newline="") as lines:
        reader = csv.DictReader(lines)
        if tuple(reader.fieldnames or ()) != COLUMNS:
            raise Refusal("not the score history", file=path, line=1, allowed=",".join(COLUMNS))
        rows = list(reader)
    seen = set()
    for number, row in enumerate(rows, start=2):
        key = (row["version"], row["posterior"], row["part"])
        if key in seen:
            raise Refusal("stands twice", file=path, line=number, found=", ".join(key))
        seen.add(key)
        for column in COLUMNS[4:13]:
            try:
                float(row[column] or 0.0)
            except ValueError:
                raise Refusal(f"{column} is no number", file=path, line=number, found=row[column]) from None
    return rows


def row_of(found: Mapping[str, Any], manifest: Mapping[str, Any], date: str) -> dict[str, str]:
    """Make a row of the history of a validation.

    Arguments:
        found: its ``validation.json``.
        manifest: its ``manifest.json``.
        date: of the day, as 2026-11-21.

    Returns:
        the row.
    """
    summary, skill = found["summary"], found["skill_by_bias"]
    part = manifest["command"].removeprefix("mesolung validate").strip() or "all"
    posteriors = sorted({str(one["posterior"]) for one in found["studies"] if one["posterior"]})
    now, without, small = (_least(skill.get(name, {})) for name in (found["bias"], "none", "small_study"))
    numbers = {
        "observations": summary["observations"],
        "inside_90": summary["coverage"]["90"]["inside"],
        "inside_90_right": summary["coverage"]["90"]["expected"],
        "inside_50": summary["coverage"]["50"]["inside"],
        "trials": summary["trials"],
        "skill": now.get("mean"),
        "skill_error": now.get("error"),
        "skill_without_bias": without.get("mean"),
        "skill_small_study": small.get("mean"),
    }
    words = {
        "version": found["version"], "date": date, "posterior": " ".join(posteriors), "part": part,
        "headline": found["headline"], "command": manifest["command"],
    }  # fmt: skip
    return words | {name: "" if value is None else f"{value:.3g}" for name, value in numbers.items()}


def _least(by_treatment: Mapping[str, Any]) -> Mapping[str, Any]:
    """The difference from the best of the constant effects, of cells or of the first treatment."""
    found = by_treatment.get(CELLS) or next(iter(by_treatment.values()), {})
    return min(found.values(), key=lambda one: one["mean"], default={})


def appended(rows: Sequence[Mapping[str, str]], row: Mapping[str, str]) -> str:
    """The history with one more row; the same release, posterior and part is not told twice.

    Arguments:
        rows: of the history.
        row: from `row_of`.

    Returns:
        CSV text.

    Raises:
        Refusal: where the release has that part already.
    """
    key = ("version", "posterior", "part")
    if any(all(old[k] == row[k] for k in key) for old in rows):
        raise Refusal("the history has that release and part already", found=", ".join(row[k] for k in key))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([one[name] for name in COLUMNS] for one in (*rows, row))
    return text.getvalue()


def _check(said: Mapping[str, Any]) -> None:
    for one in said["question"]:
        for key in ("influence", "consequence"):
            if one[key] not in LEVELS:
                raise Refusal(f"{key} of a question", file=SAID, found=one[key], allowed=", ".join(LEVELS))
    for one in said["factor"]:
        if one["status"] not in STATUS:
            raise Refusal("status of a factor", file=SAID, found=one["status"], allowed=", ".join(STATUS))
    for one in (*said["question"], *said["factor"]):
        for name in one["evidence"]:
            if not (ROOT / name).is_file():
                raise Refusal("no such file", file=SAID, found=name)


def _first(history: Sequence[Mapping[str, str]]) -> str:
    with_cells = [row for row in history if row["skill"]]
    if not with_cells:
        return (
            "That the model predicts effects of cells in patients better than a constant effect: no release "
            "has scored it. " + history[-1]["headline"]
        )
    return with_cells[-1]["headline"]


def _question(one: Mapping[str, Any]) -> str:
    risk = RISK[one["influence"], one["consequence"]]
    rows = [
        ("Context of use", one["context"]),
        ("Model influence", f"{one['influence']}: {one['influence_why']}"),
        ("Consequence of a wrong decision", f"{one['consequence']}: {one['consequence_why']}"),
        ("Model risk", f"**{risk}**"),
        ("Technical criteria", one["criteria"]),
        ("Evaluation", one["evaluation"]),
        ("Stands in", ", ".join(_link(name) for name in one["evidence"])),
    ]
    return "\n".join(table_lines(("Question of interest", one["question"]), rows))


def _link(name: str) -> str:
    place = Path(name)
    to = place.relative_to("docs") if place.parts[0] == "docs" else Path("..") / place
    return f"[{place.name}]({to.as_posix()})"


def _counts(factors: Sequence[Mapping[str, Any]]) -> str:
    said = ", ".join(f"{sum(f['status'] == s for f in factors)} {s}" for s in STATUS)
    return f"{len(factors)} factors: {said}."


def _factors(factors: Sequence[Mapping[str, Any]]) -> list[str]:
    rows = [
        (f["group"], f["name"], f["status"], f["said"], ", ".join(_link(name) for name in f["evidence"]))
        for f in factors
    ]
    return table_lines(("Part", "Factor", "Status", "What stands behind it", "Where"), rows)


def _modules(graded: Sequence[Any]) -> list[str]:
    names = sorted({row.module for row in graded})
    rows = []
    for name in names:
        own = [row for row in graded if row.module == name]
        counts = [sum(row.grade == g for row in own) for g in GRADES]
        rows.append((name, *(str(n) for n in counts), f"{100 * counts[-1] / len(own):.0f} %"))
    return table_lines(("Module", *GRADES, "assumed"), rows)


def ranking_of(found: Mapping[str, Any], command: str) -> dict[str, Any]:
    """What is kept of a sensitivity analysis: the assumed inputs that move its first effect most.

    Arguments:
        found: its ``sensitivity.json``.
        command: what repeats it.

    Returns:
        the record.

    Raises:
        Refusal: for an analysis without the screening of an effect.
    """
    effects = [q for q in found["quantities"] if q["kind"] == "effect" and q["morris"]]
    if not effects:
        raise Refusal(
            "holds no screening of an effect", file="sensitivity.json", allowed="--method morris or both"
        )
    first = effects[0]
    known = {one["id"]: one for one in found["inputs"]}
    order = sorted(first["morris"]["inputs"].items(), key=lambda item: (-(item[1]["size"] or 0.0), item[0]))
    places = [(place, name, one) for place, (name, one) in enumerate(order, 1) if known[name]["grade"] == "C"]
    return {
        "command": command,
        "study": found["study"],
        "posterior": found["posterior"],
        "effect": f"{first['endpoint']}, {first['of']}",
        "unit": first["unit"] or "log ratio",
        "trajectories": found["trajectories"],
        "inputs": len(order),
        "assumed": [
            {
                "id": name,
                "place": place,
                "module": known[name]["module"],
                "size": float(f"{one['size']:.3g}"),
                "low": float(f"{one['low']:.3g}"),
                "high": float(f"{one['high']:.3g}"),
                "meaning": known[name]["meaning"],
            }
            for place, name, one in places[:MOST]
        ],
    }


def _strongest(ranked: Mapping[str, Any] | None) -> str:
    if ranked is None:
        return f"{NOT_YET} (`{COMMAND}`)."
    rows = [
        (
            str(one["place"]),
            f"`{one['id']}`",
            one["module"],
            f"{one['size']:g} ({one['low']:g} to {one['high']:g})",
            one["meaning"],
        )
        for one in ranked["assumed"]
    ]
    header = ("Place", "Parameter", "Module", f"moves it by, {ranked['unit']} (90 %)", "Meaning")
    about = (
        f"{ranked['effect']}, in *{ranked['study']}*; place among {ranked['inputs']} uncertain inputs. "
        f"`{ranked['command']}` ({ranked['trajectories']} paths, posterior {ranked['posterior']}; "
        "[how](sensitivity.md))."
    )
    return "\n".join([about, "", *table_lines(header, rows)])


def _misfits() -> Iterator[str]:
    """The bold words that open each misfit of the part written by hand."""
    for line in MISFITS.read_text(encoding="utf-8").splitlines():
        if line.startswith("## How the comparison stands"):
            return
        if line.startswith("- **"):
            title = line.removeprefix("- **").partition("**")[0].rstrip(".").strip()
            yield title[0].lower() + title[1:]


def _records() -> list[str]:
    rows = []
    checks = _kept("checks.json")
    for family, counts in checks["counts"].items():
        if family != "all":
            rows.append((f"targets: {family}", *_verdicts(counts, "not in the model")))
    found = _kept("knockouts.json")["counts"]
    rows.append(("published knock-outs", *_verdicts(_summed(found), "not modelled yet")))
    for file, name in (
        ("relations-score.json", "relations, fit part"),
        ("relations-unseen.json", "unseen part"),
    ):
        counts = _kept(file)["summary"]["effects, seen"]["all classes"]
        rows.append((f"animals and cultures: {name}", *_verdicts(counts, "not modelled yet")))
    return table_lines(("Comparison", "Met", "Missed", "Not modelled"), rows)


def _kept(name: str) -> dict[str, Any]:
    return json.loads((KEPT / name).read_text(encoding="utf-8"))


def _summed(by_finding: Mapping[str, Mapping[str, int]]) -> dict[str, int]:
    keys = next(iter(by_finding.values()))
    return {key: sum(counts[key] for counts in by_finding.values()) for key in keys}


def _verdicts(counts: Mapping[str, Any], absent: str) -> tuple[str, str, str]:
    return str(counts["met"]), str(counts["missed"]), str(counts[absent])


def _history(rows: Sequence[Mapping[str, str]]) -> list[str]:
    header = (
        "Release",
        "Date",
        "Posterior",
        "Part",
        "Scored",
        "Inside 90 %",
        "Right",
        "Inside 50 %",
        "Skill (SE)",
    )
    told = []
    for row in rows:
        skill = f"{row['skill']} ({row['skill_error'] or '-'})" if row["skill"] else "-"
        told.append(
            (
                row["version"],
                row["date"],
                row["posterior"],
                f"`{row['part']}`",
                row["observations"],
                *(_percent(row[name]) for name in ("inside_90", "inside_90_right", "inside_50")),
                skill,
            )
        )
    return table_lines(header, told)


def _percent(text: str) -> str:
    return f"{100 * float(text):.0f} %" if text else "-"


def _skill(history: Sequence[Mapping[str, str]]) -> list[str]:
    scored = [row for row in history if row["skill"]]
    if not scored:
        cells = (("no bias", NOT_YET), ("small-study term alone", NOT_YET), ("all terms", NOT_YET))
        told = (
            "Skill under it (`mesolung validate trials`, then `tools/credibility_page.py --append FOLDER`):"
        )
    else:
        last = scored[-1]
        cells = (
            ("no bias", last["skill_without_bias"] or NOT_YET),
            ("small-study term alone", last["skill_small_study"] or NOT_YET),
            ("as validated", last["skill"]),
        )
        told = f"Skill under it, release {last['version']}, nats a trial:"
    return [told, "", *table_lines(("Bias allowed for", "Skill"), cells)]


def _headline(said: Mapping[str, Any]) -> list[str]:
    rows = []
    for one in said["row"]:
        value = NOT_YET
        if "value" in one:
            value = f"{one['value']:.2f} ({one['low']:.2f} to {one['high']:.2f})"
        rows.append((one["term"], value))
    return [
        f"{said['effect'][0].upper()}{said['effect'][1:]} (`{said['command']}`):",
        "",
        *table_lines(("Term", "Effect"), rows),
    ]


def made() -> str:
    """The page as it should stand now."""
    said = tomllib.loads(SAID.read_text(encoding="utf-8"))
    kept = json.loads(RANKED.read_text(encoding="utf-8")) if RANKED.is_file() else None
    return page(said, read_history(), kept)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the page, after adding a validation to the history where one is named."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--append", type=Path, metavar="FOLDER", help="of mesolung validate --out")
    parser.add_argument("--ranked", type=Path, metavar="FOLDER", help="of mesolung sensitivity --out")
    parser.add_argument("--command", default="mesolung sensitivity", help="what made that folder")
    options = parser.parse_args(arguments)
    try:
        if options.append is not None:
            found, manifest = (
                json.loads((options.append / name).read_text(encoding="utf-8"))
                for name in ("validation.json", "manifest.json")
            )
            today = datetime.now(UTC).date().isoformat()
            text = appended(read_history(), row_of(found, manifest, today))
            HISTORY.write_text(text, encoding="utf-8")
        if options.ranked is not None:
            text = (options.ranked / "sensitivity.json").read_text(encoding="utf-8")
            ranked = ranking_of(json.loads(text), options.command)
            RANKED.write_text(json.dumps(ranked, indent=1) + "\n", encoding="utf-8")
        PAGE.write_text(made(), encoding="utf-8")
    except Refusal as refusal:
        print(f"credibility_page: {refusal}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"credibility_page: {error}", file=sys.stderr)
        return 2
    print(f"wrote {PAGE.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
