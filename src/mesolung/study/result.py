"""What a run gives back: the JSON contract, the tables behind it, and the folder that holds both."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mesolung.study.study import Study

if TYPE_CHECKING:
    import pandas as pd

SIGNIFICANT_DIGITS = 12
TABLES = ("subjects", "bands", "survival", "waterfall", "traces")


@dataclass(frozen=True)
class Result:
    """A finished run of a study.

    Attributes:
        json: the object that ``mesolung run --json`` prints.
        manifest: inputs and their hash, assumed inputs, versions, seed, model hash, posterior id, timings,
            failures, enrolment (requested and achieved table 1) and parameter grades.
        study: the validated study.
        subjects: a row a randomised subject and replicate: covariates and endpoints.
        bands: a row an arm, output and time (h since enrolment): p05, p25, p50, p75, p95.
        survival: a row an arm and time: Kaplan-Meier bands, at risk and deaths as means a replicate.
        waterfall: a row an arm and stage of the effective dose, cells: p05, p50, p95.
        traces: the courses of a few subjects.
    """

    json: Mapping[str, Any]
    manifest: Mapping[str, Any]
    study: Study
    subjects: pd.DataFrame
    bands: pd.DataFrame
    survival: pd.DataFrame
    waterfall: pd.DataFrame
    traces: pd.DataFrame


def canonical(value: Any) -> Any:
    """Round an object for JSON, so that equal results print equal text.

    Arguments:
        value: nested mappings, sequences, numbers, texts.

    Returns:
        the same with 12 significant digits, NumPy numbers as Python's, and null for what is not finite.
    """
    if isinstance(value, Mapping):
        return {str(k): canonical(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [canonical(v) for v in value]
    if hasattr(value, "item") and not isinstance(value, str | bytes):
        value = value.item()
    if isinstance(value, float):
        if not math.isfinite(value):
            return None
        rounded = float(f"{value:.{SIGNIFICANT_DIGITS}g}")
        return int(rounded) if rounded.is_integer() and abs(rounded) < 1e15 else rounded
    return value


def json_text(value: Any) -> str:
    """Print an object as the JSON of the command line.

    Arguments:
        value: as `canonical`.

    Returns:
        one object, keys sorted, two spaces of indent, a newline at the end.
    """
    return json.dumps(canonical(value), sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def write_run_folder(result: Result, place: Path) -> None:
    """Write the files of a run into a folder that the caller makes appear whole.

    Arguments:
        result: a finished run.
        place: an existing, empty folder, as `mesolung.writing.whole_folder` gives.
    """
    import duckdb

    text = result.manifest["study_text"]
    for number, (path, lot) in enumerate(result.study.lots.items(), start=1):
        # The folder is whole by itself, wherever the lot files lie.
        own = f"lots/{number}-{Path(path).name}"
        (place / "lots").mkdir(exist_ok=True)
        (place / own).write_text(lot, encoding="utf-8")
        text = text.replace(f'"{path}"', f'"{own}"').replace(f"'{path}'", f'"{own}"')
    (place / "study.toml").write_text(text, encoding="utf-8")
    (place / "result.json").write_text(json_text(result.json), encoding="utf-8")
    (place / "manifest.json").write_text(json_text(result.manifest), encoding="utf-8")
    with duckdb.connect() as connection:
        for name in TABLES:
            connection.register("frame", getattr(result, name))
            connection.sql("select * from frame").write_parquet(str(place / f"{name}.parquet"))
            connection.unregister("frame")
