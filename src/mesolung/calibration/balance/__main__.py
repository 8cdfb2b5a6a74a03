"""Balance against suppression: a second pathogen after cells, dexamethasone, tocilizumab or nothing.

python -m mesolung.calibration.balance                 a line a therapy
python -m mesolung.calibration.balance --write         keeps the record
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
from mesolung.calibration.balance.challenge import (
    CLEARED,
    DAYS,
    FOLLOWED_D,
    INOCULUM_MCFU,
    MEMORY,
    REST_D,
    SIGNAL,
    WATCHED_D,
    courses,
)
from mesolung.calibration.balance.therapies import NONE, SAID
from mesolung.calibration.balance.verdicts import CLASSES, RULES, furthest, per_draw, record_of
from mesolung.calibration.kept_record import record_command
from mesolung.calibration.patients import Patients
from mesolung.engine import compile_model
from mesolung.population.draws import draw_prior
from mesolung.product.priors import priors_hash

DRAWS, COURSES = 100, 24
RECORD = Path(str(files("mesolung.calibration") / "balance.json"))
WHO = "covid supported"  # COVID-19 with P/F at or below 300 mmHg, at the usual delay after it


def challenge(draws: int, per_draw_courses: int, *, seed: int, workers: int) -> dict[str, Any]:
    """Run the challenge.

    Arguments:
        draws: parameter draws.
        per_draw_courses: courses of each, of which those are treated that become ill enough.
        seed: of the lots.
        workers: threads.

    Returns:
        the record.
    """
    assembled = assemble()
    model = compile_model(assembled.sbml)
    prior = draw_prior(draws, priors_hash())
    enrolled = Patients(model, prior, per_draw_courses, workers).enrolled(WHO)
    found = courses(enrolled, seed=seed, workers=workers, tell=lambda t: print(t, file=sys.stderr))
    lines = per_draw(found, enrolled.draw, enrolled.weight)
    body = {
        "therapies": record_of(lines),
        "furthest_from_rest": {t: furthest(c, enrolled.weight) for t, c in found.items()},
    }
    text = json.dumps(body, sort_keys=True)
    return {
        "command": f"python -m mesolung.calibration.balance --draws {draws} --courses {per_draw_courses} "
        f"--seed {seed} --write",
        "date": datetime.now(UTC).date().isoformat(),
        "posterior": prior.posterior,
        "model_sha256": assembled.model_hash,
        "parameters_sha256": read_parameters().hash,
        "draws": draws,
        "draws_with_patients": len(set(enrolled.draw.tolist())),
        "patients": int(enrolled.size),
        "who": WHO,
        "given": SAID,
        "signal": list(SIGNAL),
        "inoculum_MCFU": INOCULUM_MCFU,
        "cleared_below": CLEARED,
        "days": list(DAYS),
        "watched_d": WATCHED_D,
        "followed_d": FOLLOWED_D,
        "rest_d": REST_D,
        "not_to_return": list(MEMORY),
        "rules": RULES,
        "sha256": hashlib.sha256(text.encode()).hexdigest(),
        **body,
    }


def table_of(record: Mapping[str, Any]) -> list[str]:
    """Write a record as lines of text.

    Arguments:
        record: from `challenge`.
    """
    names = list(next(iter(record["therapies"].values()))["probability"])
    lines = [f"{'therapy':15}{'avoided':>24}{'bacteria (ratio)':>26}" + "".join(f"{n:>16}" for n in names)]
    for therapy, one in record["therapies"].items():
        a, b = one["avoided"], [2.718281828459045**x for x in one["lost"]]
        share = "".join(f"{one['probability'][n]:>16.0%}" for n in names)
        lines.append(
            f"{therapy:15}{f'{a[0]:.1%} ({a[1]:.1%} to {a[2]:.1%})':>24}"
            f"{f'{b[0]:.2f} ({b[1]:.2f} to {b[2]:.2f})':>26}{share}"
        )
    lines.append(f"against {NONE}; median and 90 % over {record['draws_with_patients']} draws")
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
        name="mesolung.calibration.balance",
        about=__doc__,
        draws=DRAWS,
        courses=COURSES,
        make=challenge,
        lines=table_of,
        text=_text,
        to=RECORD,
    )


def _text(record: Mapping[str, Any]) -> str:
    return json.dumps(record, indent=1, allow_nan=False) + "\n"


__all__ = ["CLASSES", "RECORD", "challenge", "main", "table_of"]

if __name__ == "__main__":
    sys.exit(main())
