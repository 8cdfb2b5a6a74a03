"""All answers of a run, put together as the result's JSON has them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from mesolung.reading import Refusal
from mesolung.study.answers import analyses, arm_answer, contrast_answer, effect_answer, pairs
from mesolung.study.asked import ONSET_H, Asked, asked_of
from mesolung.study.observing import observe
from mesolung.study.replicates import ArmTrials
from mesolung.study.setting import Setting
from mesolung.study.study import Study
from mesolung.trial.analysis import Analysis

WITHOUT_EFFECT = ("win_ratio", "none")


class Listed(NamedTuple):
    """An endpoint of the plan with the contrast and the test that it is analysed by."""

    asked: Asked
    measure: str | None
    test: str | None


def answer(setting: Setting, arms: Mapping[str, ArmTrials]) -> tuple[dict[str, Any], list[str], list[Asked]]:
    """Answer a study: its arms, contrasts, effects and observations.

    Arguments:
        setting: of the run.
        arms: replicates of each arm.

    Returns:
        the objects of the result by key, warnings, and every endpoint that was reported.

    Raises:
        Refusal: for a study that counts from onset, of a disease whose courses have none.
    """
    study = setting.study
    _check_origin(study, arms)
    control = study.control.name if study.control else None
    listed = planned_endpoints(study)
    observed = [asked_of(study, o) for o in study.observations if o.form != "order"]
    asked = list({a.key: a for a in [*(line.asked for line in listed), *observed]}.values())
    warnings: list[str] = []
    contrasts: dict[str, dict[str, Any]] = {}
    effects: dict[str, dict[str, Any]] = {}
    for treated, other in pairs(arms, control):
        label = f"{treated} vs {other}"
        contrasts[label], effects[label] = {}, {}
        for one, measure, test in listed:
            if measure is None or measure == "none":
                continue
            done = analyses(arms[treated], arms[other], one, measure, test)
            contrasts[label][one.key] = contrast_answer(done, one)
            warnings += _zero_cells(f"{label}, {one.key}", done)
            if measure not in WITHOUT_EFFECT:
                effects[label][one.key] = effect_answer(arms[treated], arms[other], one, measure)
    warnings += [
        line for name, arm in sorted(arms.items()) for one in asked for line in _extremes(name, arm, one)
    ]
    observations, joint, short = observe(study, arms, setting.seed, control)
    warnings += short
    answers = {
        "arms": {
            name: {one.key: arm_answer(arm, one) for one in asked} for name, arm in sorted(arms.items())
        },
        "contrasts": contrasts,
        "effect": effects,
        "observations": observations,
        "joint": joint,
    }
    return answers, warnings, asked


def planned_endpoints(study: Study) -> list[Listed]:
    """List the endpoints of a study's plan, each with its contrast and test.

    Arguments:
        study: the validated study.

    Returns:
        in the file's order, the first is primary; the contrast is the endpoint's own where none is stated.
    """
    listed = []
    for line in study.endpoints:
        asked = asked_of(study, line)
        # A change crosses zero, where no ratio is: it is compared as a difference unless the study says so.
        usual = asked.row.default_contrast if line.as_ == "level" else "difference"
        listed.append(Listed(asked, line.contrast or usual, line.test))
    return listed


def _check_origin(study: Study, arms: Mapping[str, ArmTrials]) -> None:
    if study.origin == "onset" and not all(ONSET_H in arm.covariates for arm in arms.values()):
        raise Refusal(
            "times from onset: the courses of this disease have no onset of symptoms",
            file=study.file,
            line=study.line("origin"),
            found=study.origin,
            allowed="enrolment",
        )


def _extremes(name: str, arm: ArmTrials, one: Asked) -> list[str]:
    """What the arm's mean would be with every unsolved subject at the lowest, and at the highest value."""
    failed = np.isnan(arm.assigned(arm.outcomes.cumulative_hazard)).any(axis=2)
    low, high = one.row.lowest, one.row.highest
    if not failed.any() or low is None or high is None or one.as_ != "level":
        return []
    recorded = np.where(failed | arm.of_interest(one), arm.recorded(one), np.nan)
    ends = [float(np.nanmean(np.where(failed, end, recorded))) for end in (low, high)]
    return [
        f"{name}, {one.key}: {int(failed.sum())} of {failed.size} subjects are missing; the mean lies "
        f"between {ends[0]:.4g} and {ends[1]:.4g} whatever theirs were"
    ]


def _zero_cells(label: str, done: list[Analysis]) -> list[str]:
    share = float(np.mean([a.zero_cell for a in done]))
    if share == 0.0:
        return []
    return [
        f"{label}: nobody or everybody in an arm had the event in {100 * share:.3g} % of the trials, "
        "0.5 was added to their counts"
    ]
