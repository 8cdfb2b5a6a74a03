"""A validation in which every trial is predicted from the others: what was learnt from each, and refits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from mesolung.calibration.posterior.forward_human import HUMAN_EFFECT
from mesolung.calibration.posterior.leaving_out import STAGE, human_effect_without
from mesolung.calibration.posterior.leaving_out import trials_of as learnt_trials
from mesolung.calibration.posterior.stages import stages
from mesolung.calibration.validation.bias import chosen
from mesolung.calibration.validation.folder import STUDIES, Bench, File, predict_folder
from mesolung.calibration.validation.left_out import CARE, HUMAN, LeftOut, Refit, kind_of, leave_out
from mesolung.calibration.validation.lines import Subject, lines_of
from mesolung.calibration.validation.treatment import trial_of
from mesolung.calibration.validation.widths import widths_of
from mesolung.population.posterior import Posterior, read_posterior
from mesolung.study.setting import Progress
from mesolung.study.study import Study

CARE_STAGE, VOLUNTEERS_STAGE = "usual-care", "endotoxin"
FIT = "fit"
HEALTHY = "healthy"


def leave_one_out(
    files: Sequence[File],
    subjects: Sequence[Subject],
    *,
    bias: str,
    draws: int,
    release: bool = False,
    seed: int = 1,
    workers: int = 1,
    progress: Progress | None = None,
    bench: Bench | None = None,
) -> tuple[LeftOut, dict[str, Any]]:
    """Predict each human trial of cells, and each study of usual care, from all others of its kind.

    Arguments:
        files: of the folder.
        subjects: their predictions, all with the same draws.
        bias: that scores allow for, as `mesolung.calibration.validation.validate.score`.
        draws, release, seed, workers, progress: of the predictions, for those that are made anew.
        bench: what those predictions were made with; None to make it where it is needed.

    Returns:
        the studies to score, and what the validation's JSON says of the leaving out: by which weights, which
        trials need a refit, and the widths of usual care.

    Raises:
        Refusal: where ArviZ is not installed.
    """
    stored = _stored(subjects)
    learnt: dict[str, set[str]] = {}
    refit: Refit | None = None
    if stored is not None:
        done = stored.manifest.get("stages", {})
        learnt[CARE] = {
            trial_of(s.study)
            for s in subjects
            if kind_of(s.study) == CARE and FIT in s.used.values() and stage_of_care(s.study) in done
        }
        if STAGE in done:
            learnt[HUMAN] = set(learnt_trials())
            # Only what the trial's weights were of is predicted anew.
            keys = {s.key for s in subjects if kind_of(s.study) == HUMAN and s.predicted.bases}
            own = [file for file in files if file.key in keys]
            refit = _refit(own, stored, draws, release, seed, workers, progress, bench or Bench())
    found = leave_out(
        subjects,
        learnt=learnt,
        human_discrepancy=stages()[STAGE].discrepancy,
        care_discrepancy=stages()[CARE_STAGE].discrepancy,
        seed=seed,
        refit=refit,
        progress=progress,
    )
    care = [
        line
        for subject in found.subjects
        if kind_of(subject.study) == CARE
        for line in lines_of(subject, chosen(bias), seed)
        if line.counts
    ]
    return found, {**found.record(), "usual_care": widths_of(care)}


def stage_of_care(study: Study) -> str:
    """The last stage of a calibration that learns from studies of usual care like one.

    Arguments:
        study: of usual care.

    Returns:
        the stage of its chronic disease, that of volunteers, or that of acute disease.
    """
    names = set(study.disease_names)
    chronic = [stage.name for stage in stages().values() if stage.group == "chronic" and stage.name in names]
    if chronic:
        return chronic[-1]
    return VOLUNTEERS_STAGE if names == {HEALTHY} else CARE_STAGE


def _stored(subjects: Sequence[Subject]) -> Posterior | None:
    """The stored posterior where the predictions were made with it."""
    names = {s.predicted.about.get("posterior") for s in subjects} - {None}
    found = read_posterior()
    return found if found is not None and names == {found.id} else None


def _refit(
    files: Sequence[File],
    stored: Posterior,
    draws: int,
    release: bool,
    seed: int,
    workers: int,
    progress: Progress | None,
    bench: Bench,
) -> Refit | None:
    """How a trial is predicted from a fit without it: its stored likelihood is left out of the last stage."""
    if HUMAN_EFFECT not in stored.names:
        return None
    column = stored.names.index(HUMAN_EFFECT)

    def tell(stage: str, done: int, total: int) -> None:
        # Files of one trial are counted by the trials that are predicted anew.
        if progress is not None and stage != STUDIES:
            progress(stage, done, total)

    def of(trial: str) -> Sequence[Subject] | None:
        effect = human_effect_without(trial)
        if effect.size != stored.count:
            return None
        values = np.array(stored.draws)
        values[:, column] = effect
        own = [file for file in files if trial_of(file.study) == trial]
        return predict_folder(
            own, release=release, draws=draws, seed=seed, workers=workers, progress=tell,
            own=replace(stored, draws=values), bench=bench,
        )[0]  # fmt: skip

    return of


def with_record(json: Mapping[str, Any], record: Mapping[str, Any]) -> dict[str, Any]:
    """A validation's JSON that says that every trial was left out in turn.

    Arguments:
        json: of the validation of the studies that were left out.
        record: from `leave_one_out`.
    """
    return {**json, "leave_one_out": dict(record)}
