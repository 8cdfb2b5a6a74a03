"""The record of the ladder: what every step moved, and its targets beside the model, for one table."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from mesolung.calibration.ladder_step import Evaluated, Outcome, Step
from mesolung.calibration.moves import Move
from mesolung.calibration.written_values import Tables

RECORD = Path(str(files("mesolung.calibration") / "ladder.json"))
COMMAND = "python -m mesolung.calibration.ladder --fit"
DIGITS = 6

Entry = dict[str, Any]


def read_record(path: Path = RECORD) -> dict[str, Any]:
    """Read the record.

    Arguments:
        path: of the file.

    Returns:
        what it holds; a record without steps where there is no file.
    """
    if not path.is_file():
        return {"command": COMMAND, "steps": {}}
    return json.loads(path.read_text(encoding="utf-8"))


def entry_of(step: Step, tables: Tables, found: Evaluated, seed: int) -> Entry:
    """Record an evaluation.

    Arguments:
        step: whose it is.
        tables: what was evaluated.
        found: the targets beside the model.
        seed: of the ladder.

    Returns:
        hashes of table, diseases and modules, size, seed, and every target with the model's value.
    """
    return {
        "title": step.title,
        "parameters_sha256": tables.parameters.hash,
        "diseases_sha256": tables.diseases_hash,
        "modules_sha256": tables.modules_hash,
        "seed": seed,
        "draws": step.draws,
        "courses": step.courses,
        "targets": [
            {
                "name": c.name,
                "published": _plain(c.published),
                "tolerance": _plain(c.tolerance),
                "model": _plain(c.model),
                "unit": c.unit,
                "source": c.source,
            }
            for c in found.compared
        ],
    }


def fit_of(before: Tables, after: Tables, moves: Sequence[Move], outcome: Outcome) -> Entry:
    """Record a fit.

    Arguments:
        before, after: the tables around it.
        moves: what the step may move.
        outcome: of the fit.

    Returns:
        "moved": move -> values before and after, and "cost" before and after, with the rounds.
    """
    return {
        "moved": {
            m.name: {"before": _plain(before.value(m)), "after": _plain(after.value(m))} for m in moves
        },
        "cost": {"before": _plain(outcome.before), "after": _plain(outcome.after)},
        "rounds": outcome.rounds,
    }


def with_entry(
    record: Mapping[str, Any], number: int, entry: Entry, fit: Entry | None = None
) -> dict[str, Any]:
    """Put a step into the record.

    Arguments:
        record: as it is.
        number: of the step.
        entry: from `entry_of`.
        fit: from `fit_of`; None keeps what the record says of the step's last fit.

    Returns:
        a new record, whose hashes are those of the entry.
    """
    steps = dict(record.get("steps", {}))
    old = steps.get(str(number), {})
    kept = {k: old[k] for k in ("moved", "cost", "rounds") if k in old} if fit is None else fit
    steps[str(number)] = {**entry, **kept}
    return {
        "command": COMMAND,
        "seed": entry["seed"],
        "parameters_sha256": entry["parameters_sha256"],
        "diseases_sha256": entry["diseases_sha256"],
        "modules_sha256": entry["modules_sha256"],
        "steps": dict(sorted(steps.items())),
    }


def text_of(record: Mapping[str, Any]) -> str:
    """Write the record.

    Arguments:
        record: any.

    Returns:
        JSON with a newline at the end.
    """
    return json.dumps(record, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def mismatch(record: Mapping[str, Any], number: int, tables: Tables) -> str:
    """Say why a step's record is not of the present tables.

    Arguments:
        record: as read.
        number: of the step.
        tables: the present ones.

    Returns:
        one clause; "" when the record is of these tables.
    """
    entry = record.get("steps", {}).get(str(number))
    if entry is None:
        return "has no record"
    if entry["parameters_sha256"] != tables.parameters.hash:
        return "was recorded for another parameters.csv"
    if entry["diseases_sha256"] != tables.diseases_hash:
        return "was recorded for other diseases"
    if entry["modules_sha256"] != tables.modules_hash:
        return "was recorded for other modules"
    return ""


def _plain(value: float | list[float]) -> Any:
    if isinstance(value, list):
        return [_plain(v) for v in value]
    return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None
