"""Published knock-outs beside the model's: what was lost, what was reduced, and what had to persist.

python -m mesolung.calibration.knockouts                a line a knock-out, and counts
python -m mesolung.calibration.knockouts --write        keeps the record
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mesolung.biology.assays import assays
from mesolung.biology.columns import named_rows, number_of, one_of, text_of, wrong
from mesolung.biology.mechanisms import Knockout, knockouts
from mesolung.calibration.kept_record import keep
from mesolung.calibration.options import at_least_one
from mesolung.calibration.relations.listing import endpoint_row
from mesolung.calibration.validation.predicted import base_setting, setting_of
from mesolung.execution import worker_count
from mesolung.reading import Refusal, Row
from mesolung.study import Study, read_study
from mesolung.study.catalogue import entry, groups
from mesolung.study.cultures import read_times, relative, solve_cultures
from mesolung.study.knockout import knock_out
from mesolung.study.modelled import modelled_part, not_modelled
from mesolung.study.possible import IN_VITRO

Values = NDArray[np.float64]
TABLE = Path(str(files("mesolung.calibration") / "knockouts.csv"))
RECORD = TABLE.with_name("knockouts.json")
COLUMNS = ("id", "study", "arm", "endpoint", "off", "finding", "value", "source", "status", "note")
LOST, REDUCED, PERSISTS, NUMBER = "lost", "reduced", "persists", "number"
FINDINGS = (LOST, REDUCED, PERSISTS, NUMBER)
MET, MISSED, ABSENT = "met", "missed", "not modelled yet"
# The part of the effect that is left without the mechanism, at most for what is lost or reduced, at least for
# what persists. An effect that is nothing with everything on can lose nothing.
AT_MOST = {LOST: 1.0 / 3.0, REDUCED: 0.75}
AT_LEAST = {PERSISTS: 0.5}
RULES = {
    LOST: "a third of the effect or less is left, mean over draws of the log ratio",
    REDUCED: "three quarters of the effect or less are left",
    PERSISTS: "half of the effect or more is left, on the same side",
    NUMBER: "the ratio of without to with lies within two-fold of the published one's distance from 1",
}
DRAWS = 100
# A log ratio that is the solver's rounding.
NOTHING = 1e-6
CONTACT = "contact"


@dataclass(frozen=True)
class Published:
    """A published knock-out.

    Attributes:
        id: of the row.
        study: name of the shipped file whose experiment it was part of.
        arm, endpoint: of that file.
        off: what was switched off.
        finding: lost, reduced, persists or number.
        value: of a number, the endpoint without the mechanism over that with it.
        source, status, note: where it was read, how, and what was said.
    """

    id: str
    study: str
    arm: str
    endpoint: str
    off: Knockout
    finding: str
    value: float | None
    source: str
    status: str
    note: str


@dataclass(frozen=True)
class Judged:
    """What became of a published knock-out.

    Attributes:
        published: the row.
        verdict: met, missed or not modelled yet.
        left: part of the effect that is left; None without an answer.
        with_all: mean over draws of the natural log of treated over untreated, everything on.
        reason: why there is no answer.
        told: the model's number where one was published.
    """

    published: Published
    verdict: str
    left: float | None = None
    with_all: float | None = None
    reason: str = ""
    told: float | None = None


def published(path: Path = TABLE) -> tuple[Published, ...]:
    """Read the published knock-outs.

    Arguments:
        path: the table.

    Returns:
        its rows.

    Raises:
        Refusal: for a row that cannot be used: no such study, arm or mechanism, or a result that nothing may
            be fitted to.
    """
    return tuple(named_rows(path, COLUMNS, _published, name="id").values())


def judge(rows: Sequence[Published], *, draws: int = DRAWS, seed: int = 1, workers: int = 1) -> list[Judged]:
    """Switch off in the model what was switched off in the laboratory.

    Arguments:
        rows: from `published`.
        draws, seed, workers: of the runs.

    Returns:
        a judgement a row, in order.
    """
    base = None
    found = []
    for row in rows:
        study = read_study(entry(row.study).path)
        part = modelled_part(study)
        reason = next(iter(not_modelled(study).values()), "not in the model")
        if part is None or row.arm not in {arm.name for arm in part.arms}:
            found.append(Judged(row, ABSENT, reason=reason))
            continue
        if study.kind != IN_VITRO:
            found.append(_of_subjects(row, study, draws, seed, workers))
            continue
        base = base or base_setting(part, draws=draws, seed=seed, workers=workers)
        readout = assays().readouts.get(row.endpoint)
        if readout is None or readout.reason:
            found.append(Judged(row, ABSENT, reason=readout.reason if readout else row.endpoint))
            continue
        setting = setting_of(base, part)
        time_h = read_times(setting, None)
        logs = []
        for off in ((), _switches(row)):
            reads, _ = solve_cultures(setting, off, arms=[row.arm], touching=CONTACT in row.off.id)
            logs.append(np.log(relative(part, reads, row.arm, row.endpoint, time_h, None)))
        found.append(judged(row, logs[0], logs[1]))
    return found


def judged(row: Published, on: Values, off: Values) -> Judged:
    """Judge a knock-out by `RULES`.

    Arguments:
        row: as published.
        on, off: float64[D], natural log of treated over untreated, with everything on and without.
    """
    known = np.isfinite(on) & np.isfinite(off)
    if not known.any():
        return Judged(row, ABSENT, reason="no draw has a finite answer")
    whole, without = float(on[known].mean()), float(off[known].mean())
    if row.finding == NUMBER:
        ours, theirs = without - whole, float(np.log(row.value or 1.0))
        met = ours * theirs > 0 and abs(np.log(ours / theirs)) <= np.log(2.0)
        return Judged(row, MET if met else MISSED, None, whole, told=float(np.exp(ours)))
    if not abs(whole) > NOTHING:
        return Judged(row, MISSED, None, whole)
    left = without / whole
    met = left >= AT_LEAST[row.finding] if row.finding in AT_LEAST else left <= AT_MOST[row.finding]
    return Judged(row, MET if met else MISSED, left, whole)


def record_of(found: Sequence[Judged], about: Mapping[str, Any]) -> dict[str, Any]:
    """Put judgements into a form that is kept.

    Arguments:
        found: from `judge`.
        about: what they were made with.
    """
    lines = [
        {
            "id": one.published.id,
            "study": one.published.study,
            "endpoint": one.published.endpoint,
            "off": one.published.off.id,
            "finding": one.published.finding,
            "value": one.published.value,
            "verdict": one.verdict,
            "told": None if one.told is None else round(one.told, 4),
            "left": None if one.left is None else round(one.left, 4),
            "log_ratio_with_all": None if one.with_all is None else round(one.with_all, 4),
            "reason": one.reason,
            "source": one.published.source,
        }
        for one in found
    ]
    counts = {
        finding: {
            verdict: sum(line["finding"] == finding and line["verdict"] == verdict for line in lines)
            for verdict in (MET, MISSED, ABSENT)
        }
        for finding in FINDINGS
    }
    known = hashlib.sha256(json.dumps(lines, sort_keys=True).encode()).hexdigest()
    return {**about, "rules": RULES, "counts": counts, "sha256": known, "lines": lines}


def _switches(row: Published) -> tuple[str, ...]:
    """A membrane takes all that needs touch, not the contact of the table alone."""
    return (*row.off.switches, *assays().apart) if CONTACT in row.off.id else row.off.switches


def _of_subjects(row: Published, study: Study, draws: int, seed: int, workers: int) -> Judged:
    """An experiment on subjects: the arm alone lacks the mechanism, the others keep it."""
    try:
        found = knock_out(study, [row.off], draws=draws, seed=seed, workers=workers, only=[row.arm])
    except Refusal as refusal:
        return Judged(row, ABSENT, reason=refusal.problem)
    # Knock-outs are told towards benefit; a published ratio is of the endpoint itself.
    sign = {"higher": 1.0, "lower": -1.0}[endpoint_row(row.endpoint).better]
    for line in found["endpoints"]:
        treated = line["comparison"].partition(" vs ")[0]
        if treated == row.arm and line["endpoint"].partition("@")[0] == row.endpoint:
            if row.finding == NUMBER and line["unit"] is not None:
                return Judged(row, ABSENT, reason=f"{row.endpoint} is compared by its difference")
            on, off = line["with_all"]["mean"], line["knockouts"][row.off.id]["without"]["mean"]
            return judged(row, sign * np.array([on]), sign * np.array([off]))
    return Judged(row, ABSENT, reason=f"{row.endpoint} of {row.arm} is not answered")


def _published(row: Row) -> Published:
    known = entry(text_of(row, "study"))
    study, used = read_study(known.path), groups(known.name)
    if row["arm"] not in {arm.name for arm in study.arms}:
        raise wrong(row, "arm", "is no arm of the study")
    for one in study.observations:
        if one.endpoint == row["endpoint"] and row["arm"] in one.arm and used[one.index] != "fit":
            raise wrong(row, "endpoint", "is of a result that nothing may be fitted to")
    (off,) = knockouts([text_of(row, "off")])
    finding = one_of(row, "finding", FINDINGS)
    value = number_of(row, "value")
    if (finding == NUMBER) != (value is not None):
        raise wrong(row, "value", "goes with a finding that is a number, and only with that")
    return Published(
        row["id"], known.name, row["arm"], text_of(row, "endpoint"), off, finding, value,
        text_of(row, "source"), one_of(row, "status", ("seen", "derived")), text_of(row, "note"),
    )  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Arguments:
        arguments: of the command line.

    Returns:
        0; knock-outs that are missed are a result, not an error.

    Raises:
        SystemExit: 2 for an option that cannot be.
    """
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        prog="python -m mesolung.calibration.knockouts", description=__doc__, formatter_class=raw
    )
    parser.add_argument("--draws", type=at_least_one, default=DRAWS)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=at_least_one, default=None)
    parser.add_argument("--json", action="store_true", help="print the record instead of lines")
    parser.add_argument("--write", action="store_true", help="keep the record")
    options = parser.parse_args(arguments)
    workers = worker_count(options.workers)
    found = judge(published(), draws=options.draws, seed=options.seed, workers=workers)
    about = {
        "command": "python -m mesolung.calibration.knockouts --write",
        "date": datetime.now(UTC).date().isoformat(),
        "draws": options.draws,
        "seed": options.seed,
    }
    record = record_of(found, about)
    if options.json:
        print(json.dumps(record, indent=1))
    else:
        for line in record["lines"]:
            left = "-" if line["left"] is None else f"{line['left']:.2f} of the effect left"
            if line["told"] is not None:
                left = f"{line['value']:g} published, {line['told']:.2f} told"
            print(f"{line['verdict']:17}{line['id']:22}{line['finding']:10}{left}  {line['reason']}")
        for finding, counts in record["counts"].items():
            print(f"{finding}: " + ", ".join(f"{n} {verdict}" for verdict, n in counts.items()))
    if options.write:
        keep(json.dumps(record, indent=1, allow_nan=False) + "\n", RECORD)
    return 0


if __name__ == "__main__":
    sys.exit(main())
