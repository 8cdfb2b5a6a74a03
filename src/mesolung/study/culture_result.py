"""The result of a culture's study: arms against their own wells without the product."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mesolung.biology.assays import assays
from mesolung.streams import normals
from mesolung.study.answers import pairs, quantiles
from mesolung.study.asked import Asked, asked_of
from mesolung.study.basis import score_of
from mesolung.study.canonical import inputs_sha256
from mesolung.study.cultured import well_of
from mesolung.study.cultures import WHOLE, Read, basis_of_culture, read_times, relative, solve_cultures
from mesolung.study.manifest import noted, versions
from mesolung.study.observing import entry_of, in_printed_unit
from mesolung.study.result import Result
from mesolung.study.setting import Setting
from mesolung.study.study import Study
from mesolung.study.tables import empty_tables
from mesolung.study.unanswered import with_unanswered

Values = NDArray[np.float64]
PERCENT_OF_CONTROL = "percent"


def run_cultures(setting: Setting, study: Study) -> Result:
    """Run a culture's study.

    Arguments:
        setting: of the part of the study that is modelled.
        study: the whole study.

    Returns:
        the result: an arm's reading is a percentage of the same wells without the product; a well a draw.
    """
    begun = time.perf_counter()
    part = setting.study
    reads, failed = solve_cultures(setting)
    asked = _asked(part)
    control = part.control.name if part.control else None
    arms = {name: _arm(setting, reads, name, asked) for name in sorted(reads)}
    contrasts: dict[str, Any] = {}
    effects: dict[str, Any] = {}
    for treated, other in pairs(reads, control):
        label = f"{treated} vs {other}"
        both = {a.key: _compared(setting, reads, treated, other, a) for a in asked}
        contrasts[label] = {key: found[0] for key, found in both.items()}
        effects[label] = {key: found[1] for key, found in both.items()}
    answered = []
    for one in part.observations:
        of = asked_of(part, one)
        score = score_of(one, of, basis_of_culture(one, setting, reads))
        answered.append(entry_of(one, of, in_printed_unit(score, one, of)))
    observations, warnings = with_unanswered(study, answered, noted(setting.draws))
    assumed = assumed_of(part)
    common = {
        "schema": 1,
        "replicates": setting.replicates,
        "seed": setting.seed,
        "posterior": setting.draws.posterior,
        "inputs_sha256": inputs_sha256(study),
    }
    manifest: dict[str, Any] = {
        **common,
        "study_text": study.text,
        "study_file": Path(study.file).name if study.file else None,
        "assumed_inputs": assumed,
        "versions": versions(),
        "model_sha256": setting.model_hash,
        "draws": setting.scored,
        "diseases": {},
        "subjects_solved": setting.scored * (2 * len(reads)),
        "complete": failed == 0,
        "failures": {"arms": {}, "run_in": failed, "library": []},
        "timings": {"wells": time.perf_counter() - begun},
        "warnings": warnings,
    }
    json = {
        **common,
        "study": study.name,
        "version": manifest["versions"]["mesolung"],
        "failed_subjects": failed,
        "failed_replicates": 0,
        "assumed_inputs": [line["name"] for line in assumed],
        "warnings": sorted(warnings),
        "arms": arms,
        "contrasts": contrasts,
        "effect": effects,
        "observations": observations,
        "joint": [],
    }
    return Result(json=json, manifest=manifest, study=study, **empty_tables())


def assumed_of(study: Study) -> list[dict[str, Any]]:
    """List what a culture's study does not say and the table of assays supplies.

    Arguments:
        study: the part that is modelled.
    """
    table = assays().culture
    found = [
        {"name": "culture.wells", "value": table["wells"], "unit": "wells", "why": table["wells_why"]},
        {"name": "culture.density", "value": 1e6, "unit": "cells/mL", "why": table["fluid_why"]},
    ]
    wells = [well_of(study, arm) for arm in study.arms if arm.treatments]
    if any(well.ratio is None for well in wells):
        low, high = table["ratio"]
        found.append(
            {"name": "culture.ratio", "value": f"{low:g} to {high:g}", "unit": "", "why": table["ratio_why"]}
        )
    if any(one.time_h is None for one in study.observations):
        low, high = table["read_h"]
        found.append(
            {"name": "culture.time", "value": f"{low:g} to {high:g}", "unit": "h", "why": table["read_why"]}
        )
    return found


def _asked(study: Study) -> list[Asked]:
    lines = [*study.endpoints, *study.observations]
    return list({a.key: a for a in (asked_of(study, line) for line in lines)}.values())


def _arm(
    setting: Setting, reads: Mapping[str, Read], name: str, asked: list[Asked]
) -> dict[str, dict[str, Any]]:
    found = {}
    for one in asked:
        ratio = relative(setting.study, reads, name, one.row.name, read_times(setting, one.time_h), None)
        expected = _shown_as(one, ratio)
        shown = _shown_as(one, ratio * np.exp(_noise(setting, name, one)))
        found[one.key] = {
            "unit": PERCENT_OF_CONTROL,
            "n": int(assays().culture["wells"]),
            "mean": float(np.nanmean(shown)),
            **quantiles(shown),
            "expected": quantiles(expected),
        }
    return found


def _compared(
    setting: Setting, reads: Mapping[str, Read], treated: str, other: str, one: Asked
) -> tuple[dict[str, Any], dict[str, Any]]:
    time_h = read_times(setting, one.time_h)
    ratio = relative(setting.study, reads, treated, one.row.name, time_h, other)
    readout = assays().readouts[one.row.name]
    sign = {"lower": -1.0, "higher": 1.0}.get(one.row.better, 0.0) * (-1.0 if readout.inhibition else 1.0)
    error = _error()
    shown = np.log(ratio) + _noise(setting, treated, one)
    better = float(np.mean(sign * np.log(ratio) > 0.0)) if sign else float("nan")
    success = float(np.mean(sign * shown > 1.96 * error)) if sign else float("nan")
    return (
        {"measure": "ratio", **quantiles(np.exp(shown)), "p_success": success},
        {"measure": "ratio", **quantiles(ratio), "p_benefit": better},
    )


def _shown_as(one: Asked, ratio: Values) -> Values:
    return WHOLE * (1.0 - ratio) if assays().readouts[one.row.name].inhibition else WHOLE * ratio


def _noise(setting: Setting, name: str, one: Asked) -> Values:
    return _error() * normals(setting.seed, f"culture:{name}:{one.row.name}", 0, setting.scored)


def _error() -> float:
    table = assays().culture
    return float(table["well_sd"]) * float(np.sqrt(2.0 / int(table["wells"])))
