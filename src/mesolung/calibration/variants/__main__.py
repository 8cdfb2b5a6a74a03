"""Which variant each decision hangs on: contrasts with one carrier of effect at a time, all, and none.

python -m mesolung.calibration.variants                 a line a decision and variant
python -m mesolung.calibration.variants --write         keeps the record
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

from mesolung.biology import assemble
from mesolung.biology.parameters import read_parameters
from mesolung.calibration.check_record import text_of
from mesolung.calibration.contraction import RULE
from mesolung.calibration.kept_record import record_command
from mesolung.calibration.patients import Patients
from mesolung.calibration.variants.contrasts import (
    ERRORS,
    MEASURES,
    SMALLEST,
    contrasts,
    summed_up,
)
from mesolung.calibration.variants.decisions import (
    CARRIERS,
    DECISIONS,
    GIVEN,
    SAID_OF_VARIANTS,
    VARIANTS,
    Decision,
)
from mesolung.calibration.variants.recommended import recommendations
from mesolung.engine import compile_model
from mesolung.population.draws import draw_prior
from mesolung.population.posterior import draws_for
from mesolung.product.priors import priors_hash

DRAWS, COURSES = 32, 12
WHO = "covid supported"
RECORD = Path(str(files("mesolung.calibration") / "decisions.json"))
# The piece that is run again wherever the record is tested.
PIECE_DRAWS, PIECE_COURSES, PIECE_DECISION, PIECE_VARIANT = 2, 6, "route", "niche"


def lines_of(
    decisions: Sequence[Decision],
    variants: Sequence[str],
    draws: int,
    courses: int,
    *,
    seed: int = 1,
    workers: int = 1,
) -> tuple[list[dict[str, Any]], int]:
    """Run decisions in variants.

    Arguments:
        decisions, variants: which.
        draws, courses: parameter draws, and courses of each; who of them becomes ill enough is treated.
        seed: of the lots.
        workers: threads.

    Returns:
        a line a decision, variant and measure; and the number of patients.
    """
    prior = draw_prior(draws, priors_hash())
    enrolled = Patients(compile_model(assemble().sbml), prior, courses, workers).enrolled(WHO)
    table = read_parameters()
    typical = {gain: table[gain].value for gain in CARRIERS.values()}
    found = contrasts(
        enrolled,
        decisions,
        variants,
        typical,
        seed=seed,
        workers=workers,
        tell=lambda line: print(line, file=sys.stderr),
    )
    lines = [
        {"decision": d, "variant": v, "measure": m, **summed_up(values, m)}
        for d, by_variant in found.items()
        for v, by_measure in by_variant.items()
        for m, values in by_measure.items()
    ]
    return lines, int(enrolled.size)


def recommended(draws: int, courses: int, *, seed: int = 1, workers: int = 1) -> list[dict[str, Any]]:
    """Say of each decision whether a point may be recommended, by how far data narrowed its slope.

    Arguments:
        draws, courses, seed, workers: as of `lines_of`.

    Returns:
        a record a decision and measure, from `recommendations`.
    """
    model = compile_model(assemble().sbml)
    prior = draw_prior(draws, priors_hash())
    learnt = draws_for(draws, priors_hash())
    same = learnt.posterior == prior.posterior
    return recommendations(
        Patients(model, prior, courses, workers).enrolled(WHO),
        None if same else Patients(model, learnt, courses, workers).enrolled(WHO),
        DECISIONS,
        seed=seed,
        workers=workers,
        tell=lambda line: print(line, file=sys.stderr),
    )


def piece() -> list[dict[str, Any]]:
    """Run the small piece that a test compares with the record's."""
    chosen = [d for d in DECISIONS if d.name == PIECE_DECISION]
    return lines_of(chosen, (PIECE_VARIANT,), PIECE_DRAWS, PIECE_COURSES)[0]


def digest(lines: Sequence[Mapping[str, Any]]) -> str:
    """SHA-256 of lines.

    Arguments:
        lines: from `lines_of`.
    """
    return hashlib.sha256(json.dumps(list(lines), sort_keys=True).encode()).hexdigest()


def record_of(draws: int, courses: int, *, seed: int, workers: int) -> dict[str, Any]:
    """Run all decisions in all variants.

    Arguments:
        draws, courses, seed, workers: as of `lines_of`.

    Returns:
        the record.
    """
    lines, patients = lines_of(DECISIONS, VARIANTS, draws, courses, seed=seed, workers=workers)
    small = piece()
    advice = recommended(draws, courses, seed=seed, workers=workers)
    return {
        "command": f"python -m mesolung.calibration.variants --draws {draws} --courses {courses} "
        f"--seed {seed} --write",
        "date": datetime.now(UTC).date().isoformat(),
        "posterior": draw_prior(1, priors_hash()).posterior,
        "model_sha256": assemble().model_hash,
        "parameters_sha256": read_parameters().hash,
        "draws": draws,
        "patients": patients,
        "who": WHO,
        "variants": SAID_OF_VARIANTS,
        "given": {name: said for name, (_, said) in GIVEN.items()},
        "decisions": {d.name: [d.first, d.second] for d in DECISIONS},
        "measures": MEASURES,
        "smallest": SMALLEST,
        "errors": ERRORS,
        "learnt_from": draws_for(1, priors_hash()).posterior,
        "rule": RULE,
        "recommendations": advice,
        "piece": {"lines": small, "sha256": digest(small)},
        "sha256": digest(lines),
        "lines": lines,
    }


def table_of(record: Mapping[str, Any]) -> list[str]:
    """Write a record as lines of text.

    Arguments:
        record: from `record_of`.
    """
    found = []
    for line in record["lines"]:
        first, second = record["decisions"][line["decision"]]
        answer = {"first": first, "second": second}.get(line["answer"], line["answer"])
        numbers = f"{line['mean']:>9.2f} ({line['low']:.2f} to {line['high']:.2f})"
        found.append(f"{line['decision']:18}{line['variant']:15}{line['measure']:14}{numbers:36}{answer}")
    for one in record["recommendations"]:
        point = "no point" if one["point"] is None else f"{one['point']:.2f}"
        span = f"{point} ({one['low']:.2f} to {one['high']:.2f})"
        contracted = f"contraction {100 * one['contraction']:.0f} %"
        found.append(f"{one['decision']:18}{'as drawn':15}{one['measure']:14}{span:36}{contracted}")
    return found


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
        name="mesolung.calibration.variants",
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


if __name__ == "__main__":
    sys.exit(main())
