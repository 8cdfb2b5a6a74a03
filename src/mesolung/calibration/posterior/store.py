"""The stored posterior: a table of draws, a table and a record a stage, and the manifest over them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mesolung.biology.parameters import Parameters
from mesolung.calibration.posterior.ensemble import DIGITS, Ensemble
from mesolung.calibration.posterior.outcome import Outcome
from mesolung.calibration.posterior.stages import resting_on, stages
from mesolung.calibration.written_values import replace_together
from mesolung.population.posterior import (
    DRAWS,
    MANIFEST,
    NUMBER,
    OPEN,
    SCHEMA,
    VARIANT,
    WEIGHT,
    Posterior,
    modules_digest,
    numbers_digest,
)
from mesolung.reading import Refusal

Values = NDArray[np.float64]
STAGES = "stages"
CARRIERS = (
    "gain_EV", "gain_contact", "gain_efferocytosis", "gain_mito", "gain_niche",
)  # fmt: skip
NOTHING_ON = "none"
REPEAT = "mesolung calibrate --stage all makes it anew"


@dataclass(frozen=True, eq=False)
class Stored:
    """What stands in a folder of a posterior.

    Attributes:
        folder: of it.
        records: stage -> its record, of the stages that are done.
        values: stage -> id -> float64[n], what each of them moved.
        files: stage -> name -> text of its further tables.
    """

    folder: Path
    records: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, Values]] = field(default_factory=dict)
    files: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def ensemble(self, table: Parameters, count: int, of: Sequence[str]) -> Ensemble:
        """The ensemble after some stages.

        Arguments:
            table: of parameters.
            count: members.
            of: stages, in order; a later one's numbers stand over an earlier one's.

        Raises:
            Refusal: for a stage that was done with another number of members.
        """
        made = Ensemble(table, count)
        for name in of:
            values = self.values[name]
            other = next((len(v) for v in values.values()), count)
            if other != count:
                raise Refusal(
                    f"stage {name} was done with another number of draws",
                    found=str(count),
                    allowed=f"--draws {other}, or --stage {name} anew",
                )
            made = made.with_values(values)
        return made


def read_store(folder: Path) -> Stored:
    """Read the stages of a stored posterior.

    Arguments:
        folder: of it; it may be empty or missing.

    Raises:
        Refusal: for a stage that cannot be read.
    """
    records, values, others = {}, {}, {}
    final: dict[str, Values] | None = None
    for name in stages():
        path = folder / STAGES / f"{name}.json"
        if not path.is_file():
            continue
        try:
            records[name] = json.loads(path.read_text(encoding="utf-8"))
            if final is None:
                final = _columns(folder / DRAWS)
            # What a later stage moved again stands in the stage's own table, all else among the draws.
            own = _columns(folder / STAGES / f"{name}.csv")
            values[name] = {n: own[n] if n in own else final[n] for n in records[name]["moved"]}
            others[name] = {
                file: (folder / STAGES / file).read_text(encoding="utf-8")
                for file in records[name].get("files", [])
            }
        except (OSError, ValueError, KeyError, StopIteration) as error:
            raise Refusal(f"a stage cannot be read: {error}", file=path, allowed=REPEAT) from None
    return Stored(folder, records, values, others)


def with_stage(stored: Stored, name: str, record: Mapping[str, Any], outcome: Outcome) -> Stored:
    """Put a finished stage in, and take those out that rested on the one before.

    Arguments:
        stored: as it stands.
        name: of the stage.
        record: of it.
        outcome: of it.
    """
    gone = {name, *resting_on(name)}
    whole = {**record, "files": sorted(outcome.files), "moved": list(outcome.values)}

    def kept(old: Mapping[str, Any], new: Any) -> dict[str, Any]:
        found = {k: v for k, v in old.items() if k not in gone} | {name: new}
        return {k: found[k] for k in stages() if k in found}

    return Stored(
        stored.folder,
        kept(stored.records, whole),
        kept(stored.values, outcome.values),
        kept(stored.files, outcome.files),
    )


def write_store(stored: Stored, table: Parameters, count: int, about: Mapping[str, Any]) -> Posterior:
    """Write a posterior: all its files, or none of them.

    Arguments:
        stored: the stages.
        table: of parameters.
        count: draws.
        about: command, seed, date and what else the manifest is to say.

    Returns:
        the posterior.
    """
    ensemble = stored.ensemble(table, count, list(stored.values))
    names = tuple(name for name in table.ids if name in ensemble.moved)
    draws = np.stack([ensemble.moved[n] for n in names], axis=1) if names else np.empty((count, 0))
    variants = variants_of(ensemble)
    made = Posterior(draws, names, np.full(count, 1.0 / count), variants)
    carriers = [c for c in CARRIERS if c in table]
    manifest = {
        "schema": SCHEMA,
        "id": made.id,
        "parameters_sha256": table.hash,
        "parameters_numbers": numbers_digest(table),
        "modules_sha256": modules_digest(),
        **about,
        "draws": count,
        "parameters": len(names),
        "carriers": {
            c: {
                "prior_on": 1.0 - _spike(table, c),
                "on": float(np.mean(ensemble.values(c) != 0.0)),
            }
            for c in carriers
        },
        "variants": {v: {"share": variants.count(v) / count} for v in sorted(set(variants))},
        OPEN: [name for name in stages() if name not in stored.records],
        "stages": {
            name: {k: v for k, v in record.items() if k != "checks"}
            for name, record in stored.records.items()
        },
    }
    folder = stored.folder
    (folder / STAGES).mkdir(parents=True, exist_ok=True)
    texts = {folder / MANIFEST: _json(manifest), folder / DRAWS: draws_text(made)}
    for name, record in stored.records.items():
        texts[folder / STAGES / f"{name}.json"] = _json(record)
        own = stored.values[name]
        again = {n: v for n, v in own.items() if not np.array_equal(v, ensemble.moved[n])}
        texts[folder / STAGES / f"{name}.csv"] = _columns_text(again, count)
        for file, text in stored.files[name].items():
            texts[folder / STAGES / file] = text
    replace_together(texts, {})
    for path in (folder / STAGES).iterdir():
        if path not in texts and path.suffix in (".json", ".csv"):
            path.unlink()
    return Posterior(draws, names, made.weights, variants, manifest)


def variants_of(ensemble: Ensemble) -> tuple[str, ...]:
    """Which carriers of effect are on in each member.

    Arguments:
        ensemble: the members.

    Returns:
        n labels: ids joined by "+", or "none".
    """
    on = {c: ensemble.values(c) != 0.0 for c in CARRIERS if c in ensemble.table}
    return tuple(
        "+".join(c for c, flags in on.items() if flags[d]) or NOTHING_ON for d in range(ensemble.count)
    )


def _spike(table: Parameters, name: str) -> float:
    row = table[name]
    return float(row.uncertainty.split(";")[0]) if row.distribution.startswith("spike-") else 0.0


def _columns(path: Path) -> dict[str, Values]:
    with path.open(encoding="utf-8", newline="") as stream:
        reader = csv.reader(stream)
        head = next(reader)
        kept = [k for k, name in enumerate(head) if name not in (NUMBER, WEIGHT, VARIANT)]
        rows = np.array([[float(row[k]) for k in kept] for row in reader])
    return {head[k]: rows[:, i] for i, k in enumerate(kept)} if rows.size else {}


def _columns_text(values: Mapping[str, Values], count: int) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([NUMBER, *values])
    for d in range(count):
        writer.writerow([d, *(f"{v[d]:.{DIGITS}g}" for v in values.values())])
    return out.getvalue()


def draws_text(made: Posterior) -> str:
    """The table of draws of a posterior, a row a draw.

    Arguments:
        made: the posterior; its values are printed with so many digits as an ensemble keeps.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([NUMBER, WEIGHT, VARIANT, *made.names])
    for d in range(made.count):
        numbers = (f"{v:.{DIGITS}g}" for v in made.draws[d])
        writer.writerow([d, repr(float(made.weights[d])), made.variants[d], *numbers])
    return out.getvalue()


def _json(value: Any) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
