"""The manifest of a run: everything that is needed to repeat it and to judge it."""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from itertools import pairwise
from pathlib import Path
from typing import Any

from mesolung.population.draws import Draws
from mesolung.population.enrolment import BORROWING_WORTH_A_WARNING
from mesolung.population.library import Library
from mesolung.product.priors import lots_hash
from mesolung.study.animals import Animals
from mesolung.study.assumed import assumed_inputs, unknown_lots, wide_conversions
from mesolung.study.canonical import inputs_sha256
from mesolung.study.enrolled import population_of
from mesolung.study.enrolling import Panel
from mesolung.study.setting import Setting
from mesolung.study.simulating import Trials

OPEN_LABEL = (
    "not blinded: what patients and doctors expect is not modelled, which subjective endpoints would show"
)
NOT_RANDOMISED = (
    "not randomised: the simulated trial is; differences between arms at enrolment are table 1's alone"
)
OPEN_EXPERIMENT = "not blinded: what who knows the arm does to animals and readings is not modelled"
EXPERIMENT_NOT_RANDOMISED = "not randomised: the simulated experiment is"
# Share of failed subjects from which a run counts as failed.
FAILED_SHARE = 0.001
SPREAD_MISSED = 0.2
PACKAGES = ("mesolung", "numpy", "scipy", "llvmlite", "python-libsbml", "antimony", "pydantic", "pint")


def manifest_of(
    setting: Setting,
    libraries: Mapping[str, Library],
    panels: Mapping[str, Panel],
    trials: Trials,
    failed_run_in: int,
    clock: Mapping[str, float],
) -> dict[str, Any]:
    """Collect what a run rested on.

    Arguments:
        setting: of the run.
        libraries: untreated courses by disease.
        panels: arm -> its enrolled subjects.
        trials: the replicates, for their failures.
        failed_run_in: picked courses that failed on the way to enrolment.
        clock: stage -> moment of its end, seconds; "start" first.

    Returns:
        the manifest; "warnings" are for the result too.
    """
    study, draws = setting.study, setting.draws
    warnings = [
        f"{name}: {100 * panel.enrolment.borrowed:.0f} % of the weight of a draw's subjects is borrowed from "
        "neighbouring draws (above 25 %)"
        for name, panel in sorted(panels.items())
        if panel.enrolment.borrowed > BORROWING_WORTH_A_WARNING
    ]
    for name, panel in sorted(panels.items()):
        warnings += [
            f"{name}, {m.name}: the SD of the enrolled is {m.achieved_sd:.3g} {m.unit}, asked for was "
            f"{m.requested_sd:.3g}"
            for m in panel.enrolment.marginals
            if abs(m.achieved_sd - m.requested_sd) > SPREAD_MISSED * m.requested_sd
        ]
    warnings += [*wide_conversions(study), *unknown_lots(study), *noted(draws)]
    if not study.blinded:
        warnings.append(OPEN_LABEL)
    if not study.randomised:
        warnings.append(NOT_RANDOMISED)
    failures = {name: [asdict(f) for f in found] for name, found in trials.failures.items()}
    failed = sum(len(found) for found in failures.values())
    if failed:
        warnings.append(f"{failed} subjects could not be solved; their values are missing, not filled in")
    moments = list(clock.items())
    return {
        "schema": 1,
        "study_text": study.text,
        "study_file": Path(study.file).name if study.file else None,
        "inputs_sha256": inputs_sha256(study),
        "assumed_inputs": assumed_inputs(study),
        "versions": versions(),
        "seed": setting.seed,
        "replicates": setting.replicates,
        "draws": setting.scored,
        "model_sha256": setting.model_hash,
        "kernel": setting.model.kernel_id,
        "posterior": draws.posterior,
        "lot_tables": lots_hash(),
        "library": {
            "draws": next(iter(libraries.values())).failed.shape[0],
            "courses_per_draw": next(iter(libraries.values())).courses,
            "failed_courses": sum(int(library.failed.sum()) for library in libraries.values()),
        },
        "diseases": dict(study.diseases),
        "population": {
            name: population_of(setting, trials.arms[name], panels[name]) for name in sorted(panels)
        },
        "parameter_grades": dict(
            sorted(Counter(p.grade for p in draws.parameters.values() if not p.is_setting).items())
        ),
        "subjects_solved": trials.solved,
        "complete": failed < FAILED_SHARE * trials.solved or failed == 0,
        "failures": {"arms": failures, "run_in": failed_run_in, "library": _failed_courses(libraries)},
        "timings": {b[0]: b[1] - a[1] for a, b in pairwise(moments)},
        "warnings": warnings,
    }


def manifest_of_experiment(
    setting: Setting,
    animals: Animals,
    trials: Trials,
    clock: Mapping[str, float],
    texts: Mapping[str, str],
) -> dict[str, Any]:
    """Collect what a run of an experiment rested on.

    Arguments:
        setting: of the run.
        animals: its subjects.
        trials: the replicates, for their failures.
        clock: stage -> moment of its end, seconds; "start" first.
        texts: what it rested on beside the model -> SHA-256.

    Returns:
        the manifest, with the keys of `manifest_of`; there is no library and nobody is enrolled.
    """
    study, host = setting.study, animals.host
    failures = {name: [asdict(f) for f in found] for name, found in trials.failures.items()}
    failed = sum(len(found) for found in failures.values())
    warnings = [*unknown_lots(study), *noted(setting.draws)] + ([] if study.blinded else [OPEN_EXPERIMENT])
    warnings += [] if study.randomised else [EXPERIMENT_NOT_RANDOMISED]
    if failed:
        warnings.append(f"{failed} subjects could not be solved; their values are missing, not filled in")
    moments = list(clock.items())
    return {
        "schema": 1,
        "study_text": study.text,
        "study_file": Path(study.file).name if study.file else None,
        "inputs_sha256": inputs_sha256(study),
        "assumed_inputs": assumed_inputs(study),
        "versions": versions(),
        "seed": setting.seed,
        "replicates": setting.replicates,
        "draws": setting.scored,
        "model_sha256": setting.model_hash,
        "kernel": setting.model.kernel_id,
        "posterior": setting.draws.posterior,
        "lot_tables": lots_hash(),
        "diseases": dict(study.diseases),
        "species": host.name,
        "texts": dict(texts),
        "population": {},
        "parameter_grades": dict(
            sorted(Counter(p.grade for p in setting.draws.parameters.values() if not p.is_setting).items())
        ),
        "subjects_solved": trials.solved,
        "complete": failed < FAILED_SHARE * trials.solved or failed == 0,
        "failures": {"arms": failures, "run_in": animals.failed, "library": []},
        "timings": {b[0]: b[1] - a[1] for a, b in pairwise(moments)},
        "warnings": warnings,
    }


def noted(draws: Draws) -> list[str]:
    """What a user should know of the parameter draws, as warnings: nothing as a rule."""
    return [draws.note] if draws.note else []


def versions() -> dict[str, str | None]:
    """The versions of Python and of the packages that a run rests on, by name."""
    return {"python": platform.python_version(), **{p: _version(p) for p in PACKAGES}}


def _failed_courses(libraries: Mapping[str, Library]) -> list[dict[str, Any]]:
    """Untreated courses that could not be solved, by disease, draw and course."""
    return [
        {"disease": name, **failure} for name, library in libraries.items() for failure in library.failures
    ]


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
