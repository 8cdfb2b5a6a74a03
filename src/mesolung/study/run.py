"""A study run: from the validated file to predicted arms, contrasts, effects and scored observations."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mesolung.biology.assemble import assemble
from mesolung.biology.conduct import custom
from mesolung.biology.disease import Disease, read_disease
from mesolung.biology.parameters import Parameters
from mesolung.biology.phenotypes import phenotypes
from mesolung.biology.tables import covariates, endpoints, output_of
from mesolung.engine import compile_model
from mesolung.execution import cache_folder
from mesolung.population.baseline import AGE_NOW, VENTILATED, observables_for
from mesolung.population.library import COURSES_PER_DRAW, DRAWS_AT_LEAST, LOG, Library, library_of
from mesolung.population.past import past_of
from mesolung.population.posterior import Posterior, Source, draws_for, most_draws
from mesolung.product.priors import priors_hash
from mesolung.study.animal_endpoints import EXPERIMENTS
from mesolung.study.answering import answer
from mesolung.study.arm import Arm
from mesolung.study.asked import Asked
from mesolung.study.canonical import inputs_sha256
from mesolung.study.culture_result import run_cultures
from mesolung.study.enrolling import Panel, enrol_panels
from mesolung.study.experiment import SHOWN_OF_EXPERIMENT, rests_on, simulate_experiment
from mesolung.study.manifest import manifest_of, manifest_of_experiment, versions
from mesolung.study.modelled import modelled_part
from mesolung.study.observing import subjects_for
from mesolung.study.possible import IN_VITRO
from mesolung.study.replicates import ArmTrials
from mesolung.study.result import Result
from mesolung.study.setting import Progress, Setting
from mesolung.study.simulating import SHOWN_OUTPUTS, SHOWN_OVER_YEARS, Trials, simulate, table_of, tables_one
from mesolung.study.study import Study
from mesolung.study.tables import (
    bands_table,
    empty_tables,
    subjects_table,
    survival_table,
    traces_table,
    waterfall_table,
)
from mesolung.study.unanswered import with_unanswered
from mesolung.study.ways import trial_sizes
from mesolung.study.years import lasts_for_years

EXPECTED_SUBJECTS = 64
EXPECTED_SUBJECTS_RELEASE = 256


def run_study(
    study: Study,
    *,
    replicates: int = 200,
    draws: int | None = None,
    seed: int = 1,
    workers: int = 1,
    release: bool = False,
    chunk: int = 1024,
    progress: Progress | None = None,
    source: Source = "auto",
    own: Posterior | None = None,
) -> Result:
    """Run a study: all of it that is modelled; the rest is answered as not modelled yet, with the reason.

    Arguments:
        study: from `mesolung.study.read_study`.
        replicates: whole trials to simulate.
        draws: parameter draws that the scores mix over; None for as many as replicates.
        seed: key of every stream but those of parameter draws and courses.
        workers: threads.
        chunk: subjects that a thread takes at a time.
        release: use 256 instead of 64 subjects for expected values.
        progress: called with (stage, done, total).
        source: of the parameter draws: "posterior", "prior", or "auto" for the stored posterior where it
            belongs to the tables as they are.
        own: a posterior to take them from instead, as one that `mesolung update` made; None for none.

    Returns:
        the result, the same for the same seed on any number of workers and with any chunk.

    Raises:
        Refusal: when nobody like the study's table 1 can be enrolled.
        RuntimeError: when too many untreated courses cannot be solved.
    """
    part = modelled_part(study)
    if part is None:
        return _nothing_modelled(study, replicates, draws or replicates, seed, source, own)
    clock = {"start": time.perf_counter()}
    setting = prepare(
        part,
        replicates=replicates,
        draws=draws,
        seed=seed,
        workers=workers,
        chunk=chunk,
        release=release,
        progress=progress,
        source=source,
        own=own,
    )
    if study.kind == IN_VITRO:
        return run_cultures(setting, study)
    clock["model"] = time.perf_counter()
    found = (_experiment if part.kind in EXPERIMENTS else _enrolled)(setting, clock)
    trials = found.trials
    setting.progress("analysis", 0, 0)
    answers, warnings, asked = answer(setting, trials.arms)
    clock["analysis"] = time.perf_counter()
    manifest = found.manifest(clock)
    manifest["inputs_sha256"] = inputs_sha256(study)
    answers["observations"], warnings = with_unanswered(study, answers["observations"], warnings)
    return Result(
        json=_json(setting, manifest, answers, warnings, trials),
        manifest=manifest,
        study=study,
        subjects=subjects_table(trials.arms, asked, found.subjects),
        bands=bands_table(trials.arms, shown := _shown(trials.arms, found.shown, _courses(asked))),
        survival=survival_table(trials.arms, part.duration_h),
        waterfall=_waterfall(part, trials),
        traces=traces_table(trials.arms, shown),
    )


@dataclass(frozen=True)
class _Simulated:
    """What a run made, whoever its subjects are.

    Attributes:
        trials: the replicates.
        subjects: arm -> what is known of its subjects, a column each.
        shown: outputs that every report of such a study shows.
        manifest: makes the manifest, given when each stage ended.
    """

    trials: Trials
    subjects: Mapping[str, Mapping[str, NDArray[Any]]]
    shown: tuple[str, ...]
    manifest: Callable[[Mapping[str, float]], dict[str, Any]]


def _enrolled(setting: Setting, clock: dict[str, float]) -> _Simulated:
    """Patients, enrolled from the library of untreated courses."""
    study = setting.study
    libraries = library_for(setting)
    clock["library"] = time.perf_counter()
    setting.progress("enrolment", 0, 0)
    panels, failed_run_in = enrol_panels(setting, tables_one(study), libraries)
    clock["enrolment"] = time.perf_counter()
    trials = simulate(setting, panels)
    clock["arms"] = time.perf_counter()
    own = {a.name: panels[table_of(study, a)] for a in study.arms}
    return _Simulated(
        trials,
        {name: _of_subjects(setting, panel) for name, panel in own.items()},
        (*SHOWN_OVER_YEARS, *SHOWN_OUTPUTS) if lasts_for_years(study) else SHOWN_OUTPUTS,
        lambda ended: manifest_of(setting, libraries, own, trials, failed_run_in, ended),
    )


def _experiment(setting: Setting, clock: dict[str, float]) -> _Simulated:
    """Animals or perfused lungs, injured in the experiment."""
    trials, animals = simulate_experiment(setting)
    clock["arms"] = time.perf_counter()
    traits = {
        "disease": np.full(animals.size.size, " + ".join(setting.study.disease_names)),
        **animals.covariates,
    }
    return _Simulated(
        trials,
        {arm.name: traits for arm in setting.study.arms},
        SHOWN_OF_EXPERIMENT,
        lambda ended: manifest_of_experiment(setting, animals, trials, ended, rests_on(setting.study)),
    )


def _nothing_modelled(
    study: Study, replicates: int, draws: int, seed: int, source: Source, own: Posterior | None
) -> Result:
    """The result of a study of which nothing is modelled yet: its observations, and why none is answered."""
    observations, warnings = with_unanswered(study, [], [])
    common = {
        "schema": 1,
        "replicates": replicates,
        "seed": seed,
        "posterior": draws_for(1, priors_hash(), source, own=own).posterior,
        "inputs_sha256": inputs_sha256(study),
    }
    manifest: dict[str, Any] = {
        **common,
        "study_text": study.text,
        "study_file": Path(study.file).name if study.file else None,
        "assumed_inputs": [],
        "versions": versions(),
        "draws": draws,
        "diseases": dict(study.diseases),
        "subjects_solved": 0,
        "complete": True,
        "failures": {"arms": {}, "run_in": 0, "library": []},
        "timings": {},
        "warnings": warnings,
    }
    json = {
        **common,
        "study": study.name,
        "version": manifest["versions"]["mesolung"],
        "failed_subjects": 0,
        "failed_replicates": 0,
        "assumed_inputs": [],
        "warnings": sorted(warnings),
        **{key: {} for key in ("arms", "contrasts", "effect")},
        "observations": observations,
        "joint": [],
    }
    return Result(json=json, manifest=manifest, study=study, **empty_tables())


def prepare(
    study: Study,
    *,
    replicates: int,
    draws: int | None = None,
    seed: int = 1,
    workers: int = 1,
    chunk: int = 1024,
    release: bool = False,
    parameters: Parameters | None = None,
    progress: Progress | None = None,
    source: Source = "auto",
    own: Posterior | None = None,
) -> Setting:
    """Compile the model and draw the parameters of a run.

    Arguments:
        study, replicates, draws, seed, workers, chunk, release, progress, source, own: as `run_study`.
        parameters: a table to use instead of the bundled one, with the draws of its own prior.

    Returns:
        what all parts of the run share.

    Raises:
        Refusal: for draws that are not stored, or more than are.
    """
    source, own = ("prior", None) if parameters is not None else (source, own)
    most = most_draws(source, own) or max(DRAWS_AT_LEAST, replicates, draws or 0)
    tell = progress or (lambda stage, done, total: None)
    tell("model", 0, 0)
    sizes = trial_sizes(study, seed)
    assembled = assemble(parameters)
    panel = EXPECTED_SUBJECTS_RELEASE if release else EXPECTED_SUBJECTS
    resampled = [subjects_for(o) for o in study.observations]
    # Of a stored posterior there are so many draws and no more; a replicate takes draw r modulo them.
    scored = draws or min(replicates, most)
    chosen = draws_for(max(min(DRAWS_AT_LEAST, most), scored), priors_hash(), source, parameters, own)
    return Setting(
        study=study,
        sizes=sizes,
        model=compile_model(assembled.sbml),
        model_hash=assembled.model_hash,
        diseases=diseases_of(study),
        draws=chosen,
        replicates=replicates,
        scored=scored,
        subjects=max(panel, sum(sizes.values()), *resampled),
        panel=panel,
        seed=seed,
        workers=workers,
        chunk=chunk,
        progress=tell,
    )


def diseases_of(study: Study) -> dict[str, Disease]:
    """The diseases of patients that a study enrols from, by name; none of an experiment, which sets its own.

    Arguments:
        study: validated.
    """
    if study.kind in EXPERIMENTS:
        return {}
    return {name: read_disease(name) for name in study.disease_names}


def library_for(
    setting: Setting, cache: Path | None = None, courses: int = COURSES_PER_DRAW
) -> dict[str, Library]:
    """Open or build the libraries of untreated courses that a run enrols from.

    Arguments:
        setting: of the run.
        cache: where they lie; None for the user's cache.
        courses: of each draw.

    Returns:
        a library by disease, with every observable that a table 1 may name.
    """
    model = setting.model
    known = {*model.observables, *model.states}
    made = {}
    for name, disease in setting.diseases.items():
        rows = {n: row for n, row in endpoints().items() if row.at_enrolment and name in row.diseases}
        scales = {output_of(n): row.scale for n, row in rows.items()}
        classes = [row.observable for row in phenotypes().values() if name in row.diseases]
        past = [one.output for one in past_of(1.0).values()]
        years = [*past, AGE_NOW] if custom(name, "visit_every") else []
        traits = [n for n, row in covariates().items() if name in row.diseases]
        wanted = [*scales, *traits, *classes, *observables_for(traits), *years]
        # A disease of years is not followed on a ventilator.
        wanted += [] if years else [VENTILATED]
        names = tuple(n for n in dict.fromkeys(wanted) if n in known)
        onset = [] if disease.onset.observable is None else [disease.onset.observable]
        # Bounds and onset are looked at in single precision, what is only raked to its distribution in half.
        exact = {*onset, VENTILATED, *years, *(c.name for c in disease.criteria)}
        made[name] = library_of(
            model,
            disease,
            setting.draws,
            tuple(dict.fromkeys([*names, *onset])),
            cache=cache or cache_folder("libraries"),
            workers=setting.workers,
            chunk=setting.chunk,
            progress=setting.progress,
            courses=courses,
            coarse={n: LOG if scales.get(n) == LOG else "linear" for n in names if n not in exact},
        )
    return made


def _of_subjects(setting: Setting, panel: Panel) -> dict[str, NDArray[Any]]:
    """Each subject's disease, and its traits and what else is known of it at enrolment."""
    return {"disease": np.array(list(setting.diseases))[panel.disease], **panel.covariates}


def _json(
    setting: Setting,
    manifest: Mapping[str, Any],
    answers: Mapping[str, Any],
    warnings: list[str],
    trials: Trials,
) -> dict[str, Any]:
    failed = sum(len(found) for found in trials.failures.values())
    return {
        "schema": 1,
        "study": setting.study.name,
        "replicates": setting.replicates,
        "seed": setting.seed,
        "version": manifest["versions"]["mesolung"],
        "posterior": setting.draws.posterior,
        "inputs_sha256": manifest["inputs_sha256"],
        "failed_subjects": failed,
        "failed_replicates": _failed_replicates(trials.arms),
        "assumed_inputs": [line["name"] for line in manifest["assumed_inputs"]],
        "warnings": sorted({*warnings, *manifest["warnings"]}),
        **answers,
    }


def _courses(asked: list[Asked]) -> list[str]:
    """Outputs whose course over time is of interest: those that an endpoint is the level of."""
    return [one.row.outputs[0] for one in asked if one.row.rule == "level"]


def _shown(arms: Mapping[str, ArmTrials], usual: tuple[str, ...], asked: list[str]) -> list[str]:
    names = dict.fromkeys([*usual, *asked])
    return [n for n in names if all(n in arm.outcomes.outputs for arm in arms.values())]


def _failed_replicates(arms: Mapping[str, ArmTrials]) -> int:
    flags = [np.isnan(arm.assigned(arm.outcomes.cumulative_hazard)).any(axis=(1, 2)) for arm in arms.values()]
    return int(np.any(flags, axis=0).sum())


def _waterfall(study: Study, trials: Trials):
    given = {name: g for name, g in trials.given.items() if g.doses}
    return waterfall_table(
        trials.arms,
        {name: g.doses for name, g in given.items()},
        {name: g.ends_h for name, g in given.items()},
        {a.name: _product_name(a) for a in study.arms},
    )


def _product_name(arm: Arm) -> str:
    called = {"cells": "cells", "control-cells": "fibroblasts"}
    alive = [t.product for t in arm.treatments if t.product.type in called]
    return " + ".join(f"{product.source} {called[product.type]}" for product in alive)
