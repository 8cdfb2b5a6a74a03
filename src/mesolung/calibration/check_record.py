"""The record of a comparison with all targets: what was run, and what came out."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from importlib.resources import files
from pathlib import Path
from typing import Any

from mesolung.biology.parameters import Parameters
from mesolung.calibration.between_studies import between_study_sd, mortalities
from mesolung.calibration.target_table import TABLES, digest
from mesolung.calibration.verdict import Finding
from mesolung.population.draws import Draws

RECORD = Path(str(files("mesolung.calibration") / "checks.json"))
DIGITS = 4


def record_of(
    findings: Iterable[Finding],
    counts: Mapping[str, Mapping[str, int]],
    table: Parameters,
    draws: Draws,
    courses: int,
    shown: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Put a comparison into a form that is kept.

    Arguments:
        findings: every target.
        counts: of their verdicts.
        table: the parameters compared.
        draws: their draws.
        courses: subjects of each draw in each cohort.
        shown: further courses for figures.

    Returns:
        what ``checks.json`` holds: no number that is not finite, four significant digits.
    """
    studies = mortalities()
    return {
        "command": "python -m mesolung.calibration.checks --write",
        "parameters_sha256": table.hash,
        "targets_sha256": {name: digest(name) for name in TABLES},
        "posterior": draws.posterior,
        "draws": draws.count,
        "courses": courses,
        "between_study_sd_of_logit_mortality": _plain(between_study_sd(studies)),
        "between_study_sd_from": {s.study: _plain(s.share) for s in studies},
        "counts": {family: dict(line) for family, line in counts.items()},
        "shown": _plain(dict(shown or {})),
        "targets": [_plain(asdict(finding)) for finding in findings],
    }


def text_of(record: Mapping[str, Any], listed: str = "targets") -> str:
    """Write a record, one target a line, so that a change is seen where it is.

    Arguments:
        record: from `record_of`, or another whose entries stand in a list.
        listed: key of that list.

    Returns:
        JSON text.
    """
    lines = []
    for key, value in record.items():
        if key == listed:
            rows = ",\n  ".join(json.dumps(entry, allow_nan=False) for entry in value)
            lines.append(f'"{key}": [\n  {rows}\n ]')
        else:
            lines.append(f'"{key}": {json.dumps(value, allow_nan=False)}')
    return "{\n " + ",\n ".join(lines) + "\n}\n"


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(v) for key, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None
    return value
