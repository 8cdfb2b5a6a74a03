"""Writes what the stored posterior learnt, and what it did not, into docs/posterior.md and its figure.

python tools/posterior_page.py            after stages of `mesolung calibrate`
python tools/posterior_page.py --check    whether the page is what the stored posterior gives
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from svg_panels import Series, rows_figure, rows_panel

from mesolung.biology.parameters import read_parameters
from mesolung.calibration.contraction import LEAST
from mesolung.calibration.posterior.calibrate import status_of
from mesolung.calibration.posterior.diagnostics import Learnt, learnt
from mesolung.calibration.posterior.store import CARRIERS
from mesolung.population.posterior import Posterior, read_posterior
from mesolung.report.numbers import number

ROOT = Path(__file__).resolve().parent.parent
PAGE, PICTURE = ROOT / "docs" / "posterior.md", ROOT / "docs" / "images" / "posterior.svg"
HEAD = """Written by `python tools/posterior_page.py` from `src/mesolung/biology/posterior/`; what a
posterior is and how it is made:
[calibration](calibration.md#the-posterior-what-was-learnt-from-what-and-what-was-not). Research use;
not for the treatment of a patient."""
INSIDE = """Inside: the share of a stage's numbers within 5 to 95 % of what the draws predict of them,
the error of a published number included, before and after it learnt from them. It checks the fit and
validates nothing: that is done on the page on [validation](validation.md)."""
SILENT = """Parameters by the last stage that could move them, and how many of them data narrowed by
less than a fifth of their variance; some of those that were narrowed least are named."""
WEIGHTS = """What carries an effect of cells is not known; each carrier is on in some draws and off in
others. Weights come from how each set of carriers predicts a laboratory from all others. A weight near
the prior's means that experiments do not tell. The likelihood was used to the power {power:g}."""
SIZE = """Chance that cells do nothing at all in patients: {none_prior:.2f} before trials in patients,
{none_after:.2f} after {trials} of them. The table holds the natural log of how likely each trial's
published effects are by the size of the human effect, 1 being that of the laboratory: a difference of 1
between columns is weak, of 3 strong."""
SHOWN, OUTSIDE = 25, 40
PRIOR, POSTERIOR = "#9aa7b2", "#1f5fa8"


def page(posterior: Posterior, stages: Sequence[dict[str, Any]]) -> str:
    """Tell the posterior in Markdown.

    Arguments:
        posterior: the stored one.
        stages: from `mesolung.calibration.posterior.calibrate.status_of`.
    """
    found = learnt(posterior)
    done = [one for one in stages if one["record"] is not None]
    parts = [
        "# The posterior in numbers",
        HEAD,
        _short(posterior, found, done),
        "## Stage by stage",
        _stages(stages),
        INSIDE,
        "## What was learnt most",
        f"![The {SHOWN} parameters narrowed most, before and after](images/posterior.svg)",
        _parameters(found[:SHOWN]),
        "## What was not learnt",
        _silent(found),
        *_carriers(done),
        *_human(done),
        "## What still misses after the fit",
        _outside(done),
    ]
    return "\n\n".join(parts) + "\n"


def _short(posterior: Posterior, found: Sequence[Learnt], done: Sequence[dict[str, Any]]) -> str:
    much = sum(one.contraction >= LEAST for one in found)
    half = sum(one.contraction >= 0.5 for one in found)
    moving = sum(p.distribution != "fixed" and bool(p.uncertainty) for p in read_parameters())
    names = ", ".join(one["stage"] for one in done)
    said = (
        f"`{posterior.id}`: {posterior.count} draws; stages done: {names}.\n"
        f"Of {moving} parameters that have an uncertainty {len(found)} stood in some stage; data narrowed\n"
        f"{much} of them by a fifth of their variance or more, {half} by half or more. **All others\n"
        "are what they were: a guess with a spread.**"
    )
    left = ", ".join(posterior.open)
    if left:
        said += (
            f"\n\nOpen: {left}. Until they are done runs keep the prior;\n"
            "`--draws-from posterior` takes what is learnt so far."
        )
    return said


def _stages(stages: Sequence[dict[str, Any]]) -> str:
    rows = []
    for one in stages:
        record = one["record"]
        if record is None:
            rows.append([one["stage"], one["about"], "not done", "", "", "", "", ""])
            continue
        rows.append(
            [
                one["stage"], one["about"], record["date"], str(record["moved_count"]),
                str(record["numbers"]),
                _percent(record["inside_90_before"]), _percent(record["inside_90_after"]),
                number(record["seconds"] / 60.0, 2),
            ]
        )  # fmt: skip
    head = ("stage", "learns from", "done", "parameters", "numbers", "inside before", "after", "minutes")
    return _table(head, rows)


def _parameters(found: Sequence[Learnt]) -> str:
    rows = [
        [f"`{one.name}`", one.meaning, one.stage, one.grade, _triple(one.prior), _triple(one.posterior),
         one.unit, f"{one.contraction:.2f}", f"{one.moved:+.1f}"]
        for one in found
    ]  # fmt: skip
    head = (
        "parameter",
        "meaning",
        "stage",
        "grade",
        "prior (5 to 95 %)",
        "posterior",
        "unit",
        "contraction",
        "moved, SD",
    )
    return _table(head, rows)


def _silent(found: Sequence[Learnt]) -> str:
    rows = []
    for stage in dict.fromkeys(one.stage for one in found):
        own = [one for one in found if one.stage == stage]
        little = [one for one in own if one.contraction < LEAST]
        rows.append([stage, str(len(own)), str(len(little)), ", ".join(f"`{o.name}`" for o in little[-8:])])
    return SILENT + "\n\n" + _table(("stage", "parameters", "hardly learnt", "among them"), rows)


def _carriers(done: Sequence[dict[str, Any]]) -> list[str]:
    record = next((one["record"] for one in done if "carriers" in one["record"]), None)
    if record is None:
        return []
    rows = [
        [f"`{name}`", f"{own['prior_on']:.2f}", f"{own['weight_on']:.2f}"]
        for name, own in record["carriers"].items()
        if name in CARRIERS
    ]
    variants = sorted(record["variants"].items(), key=lambda pair: -pair[1]["weight"])[:10]
    best = [[label, f"{v['prior']:.3f}", f"{v['weight']:.3f}"] for label, v in variants]
    silent = record.get("unanswered") or []
    told = [f"The model says nothing of: {', '.join(silent)}."] if silent else []
    return [
        "## Which carriers",
        WEIGHTS.format(**record),
        _table(("carrier", "chance of being on, prior", "posterior"), rows),
        _table(("carriers on (the ten weightiest sets)", "prior", "weight"), best),
        *told,
    ]


def _human(done: Sequence[dict[str, Any]]) -> list[str]:
    record = next((one["record"] for one in done if "none_after" in one["record"]), None)
    if record is None:
        return []
    lines = [one for one in record["checks"] if "log_predictive_at_0" in one]
    keys = [key for key in lines[0] if key.startswith("log_predictive_at_")] if lines else []
    rows = [[one["name"], *(f"{one[key]:.2f}" for key in keys)] for one in lines]
    silent = record.get("unanswered") or []
    told = [f"The model says nothing of: {', '.join(silent)}."] if silent else []
    head = ("trial", *(key.removeprefix("log_predictive_at_") for key in keys))
    return ["## The size of the human effect", SIZE.format(**record), _table(head, rows), *told]


def _outside(done: Sequence[dict[str, Any]]) -> str:
    own = [
        (one["stage"], line)
        for one in done
        for line in one["record"]["checks"]
        if line.get("inside_after") is False
    ]
    counted = sum(line.get("inside_after") is not None for one in done for line in one["record"]["checks"])
    rows = [
        [stage, line["name"], f"{number(line['published'])} {line['unit']}", _triple(line["after"])]
        for stage, line in own[:OUTSIDE]
    ]
    said = f"{len(own)} of {counted} numbers lie outside 5 to 95 % of what the draws predict after the fit."
    more = [f"The first {OUTSIDE} of them."] if len(own) > OUTSIDE else []
    return "\n\n".join([" ".join([said, *more]), _table(("stage", "number", "published", "posterior"), rows)])


def picture(posterior: Posterior) -> str:
    """Draw 90 % of the draws before and after, for the parameters that were narrowed most.

    Arguments:
        posterior: the stored one.
    """
    found = learnt(posterior)[:SHOWN]
    rows = [f"{one.name} ({one.stage})" for one in found]

    def series(of: Callable[[str], Any], colour: str, hollow: bool) -> Series:
        low, middle, high = np.quantile([of(one.name) for one in found], (0.05, 0.5, 0.95), axis=1).tolist()
        return Series(list(range(len(found))), middle, low, high, colour, "points", hollow)

    prior, after = series(posterior.latent_prior, PRIOR, True), series(posterior.latent, POSTERIOR, False)
    title, axis = "What data narrowed most", "standard deviations of the prior from its middle"
    text = rows_panel(title, axis, rows, [prior, after], (-3.0, 3.0), left=330)
    legend = [
        ("rings", PRIOR, "prior, 5 to 95 % of draws"),
        ("points", POSTERIOR, "posterior, 5 to 95 % of draws"),
    ]
    return rows_figure([(text, len(rows))], "Parameters before and after learning from data", legend)


def _triple(values: Sequence[float]) -> str:
    return f"{number(values[1])} ({number(values[0])} to {number(values[2])})"


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.0f} %"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(c).replace("|", "/") for c in line) + " |" for line in lines)


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; status 1 where a page is stale")
    check = parser.parse_args().check
    posterior = read_posterior()
    if posterior is None:
        sys.exit("no posterior is stored: mesolung calibrate --stage acute")
    made = {PAGE: page(posterior, status_of()), PICTURE: picture(posterior)}
    stale = [p for p, text in made.items() if not p.exists() or p.read_text(encoding="utf-8") != text]
    if check:
        for path in stale:
            print(f"stale: {path.relative_to(ROOT)}")
        sys.exit(1 if stale else 0)
    for path, text in made.items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
