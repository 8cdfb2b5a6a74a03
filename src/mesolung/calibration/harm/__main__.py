"""Harm in single trials beside what the model expects of their dose, route and product.

python -m mesolung.calibration.harm                 a line a counted harm, and usual products
python -m mesolung.calibration.harm --write         keeps the record
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mesolung.biology import assemble
from mesolung.biology.parameters import read_parameters
from mesolung.calibration.check_record import text_of
from mesolung.calibration.harm.judging import JudgedRow, judge_row, pooled_bounds
from mesolung.calibration.harm.rows import HarmRow, context, harm_rows
from mesolung.calibration.harm.scenarios import SCENARIOS, expectations
from mesolung.calibration.kept_record import record_command
from mesolung.calibration.patients import Patients
from mesolung.calibration.validation.predicted import Predicted, base_setting, predict
from mesolung.engine import compile_model
from mesolung.population.draws import draw_prior
from mesolung.population.library import Library
from mesolung.product.priors import priors_hash
from mesolung.study import read_study
from mesolung.study.catalogue import entry, split_sha256
from mesolung.study.modelled import modelled_part

DRAWS, COURSES = 16, 8
WHO = "covid supported"
RECORD = Path(str(files("mesolung.calibration") / "harm.json"))
# Published shares of new antibody to the donor (doi 10.3390/jcm10132991, 10.1002/sctm.17-0031).
ANTIBODY_LOW, ANTIBODY_HIGH = 0.05, 0.34


def judged_rows(rows: Sequence[HarmRow], *, draws: int, seed: int, workers: int) -> list[JudgedRow]:
    """Expect and judge every row.

    Arguments:
        rows: from `harm_rows`.
        draws, seed, workers: of the runs, one a study.

    Returns:
        the rows, judged, in order.
    """
    names = list(dict.fromkeys(row.study for row in rows if not row.reason))
    studies = {name: read_study(entry(name).path) for name in names}
    parts = [part for study in studies.values() if (part := modelled_part(study)) is not None]
    found: dict[str, Predicted] = {}
    if parts:
        base = base_setting(parts[0], draws=draws, seed=seed, workers=workers)
        # Patients of these draws and no others: a library of all takes minutes for a few expected shares.
        base = replace(base, draws=draw_prior(draws, priors_hash()))
        libraries: dict[str, Library] = {}
        for name, study in studies.items():
            print(name, file=sys.stderr)
            found[name] = predict(study, base, libraries=libraries)
    return [judge_row(row, _expected(row, found.get(row.study))) for row in rows]


def _expected(row: HarmRow, told: Predicted | None) -> NDArray[np.float64] | None:
    base = None if told is None else told.bases.get(row.observation)
    return None if base is None else base.own.expected


def record_of(draws: int, courses: int, *, seed: int, workers: int) -> dict[str, Any]:
    """Compare all rows and expect the harms of usual products.

    Arguments:
        draws: parameter draws.
        courses: of each draw, of which those are treated that become ill enough.
        seed: of the runs.
        workers: threads.

    Returns:
        the record.
    """
    rows = judged_rows(harm_rows(), draws=draws, seed=seed, workers=workers)
    prior = draw_prior(draws, priors_hash())
    enrolled = Patients(compile_model(assemble().sbml), prior, courses, workers).enrolled(WHO)
    usual = expectations(enrolled, seed=seed, workers=workers, tell=lambda t: print(t, file=sys.stderr))
    lines = [_line(one) for one in rows]
    # Only of harms that no trial saw: to leave out those that did would be to choose.
    treated = [one.row for one in rows if one.row.treated]
    seen = {row.harm for row in treated if row.events}
    nobody = {h: sum(r.n for r in treated if r.harm == h) for h in {r.harm for r in treated} - seen}
    body = {
        "scenarios": {name: {"said": SCENARIOS[name].said, "shares": found} for name, found in usual.items()},
        "context": [asdict(one) for one in context()],
        "without_an_event": {h: [n, pooled_bounds({h: n})[h]] for h, n in sorted(nobody.items())},
        "lines": lines,
    }
    known = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
    return {
        "command": f"python -m mesolung.calibration.harm --draws {draws} --courses {courses} --seed {seed} "
        "--write",
        "date": datetime.now(UTC).date().isoformat(),
        "posterior": prior.posterior,
        "split_sha256": split_sha256(),
        "model_sha256": assemble().model_hash,
        "parameters_sha256": read_parameters().hash,
        "draws": draws,
        "patients": int(enrolled.size),
        "who": WHO,
        "antibody": [ANTIBODY_LOW, ANTIBODY_HIGH],
        "sha256": known,
        **body,
    }


def table_of(record: Mapping[str, Any]) -> list[str]:
    """Write a record as lines of text.

    Arguments:
        record: from `record_of`.
    """
    lines = []
    for one in record["lines"]:
        told = "-" if one["expected"] is None else "{:.3f} ({:.3f} to {:.3f})".format(*one["expected"])
        lines.append(
            f"{one['study']:28}{one['harm']:30}{one['events']:>3} of {one['n']:<5}"
            f"{one['low']:.2f} to {one['high']:.2f}  {told:28}{one['agreement']:24}{one['label']}"
        )
    for name, one in record["scenarios"].items():
        shares = "; ".join(f"{harm} {s[0]:.3g}" for harm, s in one["shares"].items())
        lines.append(f"{name:15}{shares}")
    return lines


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Arguments:
        arguments: of the command line.

    Returns:
        0, whatever falls out; 2 for a refusal.

    Raises:
        SystemExit: 2 for an option that cannot be.
    """
    return record_command(
        arguments,
        name="mesolung.calibration.harm",
        about=__doc__,
        draws=DRAWS,
        courses=COURSES,
        make=record_of,
        lines=table_of,
        text=_text,
        to=RECORD,
    )


def _text(record: Mapping[str, Any]) -> str:
    return text_of(record, "lines")


def _line(one: JudgedRow) -> dict[str, Any]:
    return {
        **asdict(one.row),
        "low": _short(one.low),
        "high": _short(one.high),
        "bound": None if one.bound is None else _short(one.bound),
        "expected": None if one.expected is None else [_short(v) for v in one.expected],
        "agreement": one.agreement,
        "label": one.label,
    }


def _short(value: float) -> float:
    return float(f"{value:.4g}")


if __name__ == "__main__":
    sys.exit(main())
