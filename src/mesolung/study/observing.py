"""Published observations beside what the run predicted, each with its score."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mesolung.study.answers import unit_of
from mesolung.study.asked import Asked, asked_of
from mesolung.study.basis import basis_of, score_of, stated
from mesolung.study.challenged import is_sham
from mesolung.study.observation import Observation
from mesolung.study.replicates import ArmTrials
from mesolung.study.scores import Score, joint_score, one_weight
from mesolung.study.study import Study
from mesolung.study.unscored import status_of
from mesolung.trial.contrasts import is_ratio
from mesolung.units import convert

# Forms whose number has a unit, and the key that holds it.
VALUE_OF = {"mean": "mean", "median": "median", "value": "value", "contrast": "value"}
FOR_A_FILTER = 3  # so many times the published subjects are solved where only some are asked of
# Forms whose simulated statistic is of the published number of subjects.
RESAMPLED = ("mean", "median", "value", "contrast", "direction", "order")


def observe(
    study: Study, arms: Mapping[str, ArmTrials], seed: int, control: str | None
) -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[str]]:
    """Answer every observation of a study, and score arms together.

    Arguments:
        study: gives the observations.
        arms: replicates of each arm.
        seed: keys who is among the n subjects of an observation.
        control: name of the control arm, or None.

    Returns:
        the objects under ``observations`` (in the file's order) and under ``joint``, and warnings.
    """
    rows: list[dict[str, Any]] = []
    warnings: list[str] = []
    together: dict[tuple[str, str], dict[str, list[NDArray[np.float64]]]] = {}
    for one in study.observations:
        asked = asked_of(study, one)
        score = in_printed_unit(score_of(one, asked, basis_of(one, asked, arms, seed)), one, asked)
        warnings += _too_few(one, asked, arms)
        rows.append(entry_of(one, asked, score))
        single = one.versus is None and len(one.arm) == 1 and not is_sham(study, one.arm[0])
        if single and score.log_likelihoods is not None:
            found = together.setdefault((asked.key, score.statistic), {})
            found.setdefault(one.arm[0], []).append(score.log_likelihoods)
    joint = []
    for (key, _), terms in sorted(together.items()):
        both = joint_score({arm: one_weight(versions) for arm, versions in terms.items()}, control)
        joint.append(
            {
                "endpoint": key,
                "log_score": both.log_score,
                "treated_given_control": both.treated_given_control,
            }
        )
    return rows, joint, warnings


def entry_of(one: Observation, asked: Asked, score: Score) -> dict[str, Any]:
    """The object of one answered observation under ``observations`` of the result.

    Arguments:
        one: the observation.
        asked: its endpoint.
        score: in the printed unit.
    """
    return {
        "index": one.index,
        "arm": one.arm[0] if len(one.arm) == 1 else list(one.arm),
        "endpoint": asked.plain_key,
        "as": one.as_,
        "where": one.where.text if one.where else None,
        "versus": one.versus,
        "version": one.source.version if one.source else None,
        "n": one.n,
        **score.as_json(),
        **status_of(one, score),
    }


def subjects_for(one: Observation) -> int:
    """How many subjects a replicate has to solve for an observation to be answered of the published number.

    Arguments:
        one: the observation.

    Returns:
        subjects; 0 where the arms' own do.
    """
    if one.form not in RESAMPLED or one.n is None:
        return 0
    return one.n * (FOR_A_FILTER if one.where else 1)


def _too_few(one: Observation, asked: Asked, arms: Mapping[str, ArmTrials]) -> list[str]:
    """Say where fewer subjects could be evaluated than were published, so that the interval is too wide."""
    if one.form not in RESAMPLED or one.n is None:
        return []
    names = {*one.arm, *one.order, *([one.versus] if one.versus in arms else [])}
    chosen = [arms[name] for name in names]
    wanted = {arm.name: one.n * arm.size / sum(a.size for a in chosen) for arm in chosen}
    short = [
        (arm.name, int(np.median((~np.isnan(arm.everyone(asked)[0])).sum(axis=1))))
        for arm in sorted(chosen, key=lambda a: a.name)
    ]
    return [
        f"observation {one.index} ({asked.key}): {name} has {found} such subjects in a simulated trial, "
        f"{math.ceil(wanted[name])} were published"
        for name, found in short
        if found < math.floor(wanted[name])
    ]


def in_printed_unit(score: Score, one: Observation, asked: Asked) -> Score:
    """Move an answer from the endpoint's unit to the one that the study printed; ratios and counts have none.

    A density is per unit, so it is moved too.

    Arguments:
        score: in the endpoint's unit.
        one: the observation.
        asked: its endpoint.
    """
    ratio = one.form == "contrast" and is_ratio(stated(one.contrast))
    unit, printed = unit_of(asked), one.unit
    if printed is None or printed == unit or one.form not in VALUE_OF or ratio:
        return score

    def moved(value: float | None) -> float | None:
        return None if value is None else convert(value, unit, printed)

    shift = float(np.log(convert(1.0, printed, unit)))
    return replace(
        score,
        observed=convert(float(stated(getattr(one, VALUE_OF[one.form]))), unit, printed),
        p05=moved(score.p05),
        p50=moved(score.p50),
        p95=moved(score.p95),
        log_score=None if score.log_score is None else score.log_score + shift,
        log_likelihoods=None if score.log_likelihoods is None else score.log_likelihoods + shift,
    )
