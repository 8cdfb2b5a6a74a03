"""Published observations beside what the run predicted, each with its score."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from mesolung.study.answers import analyses, unit_of
from mesolung.study.asked import Asked, asked_of
from mesolung.study.likelihoods import contrast_standard_error, standard_error
from mesolung.study.observation import BASELINE, Observation
from mesolung.study.pooled import Pool, pool, pools
from mesolung.study.replicates import ArmTrials
from mesolung.study.scores import (
    Score,
    joint_score,
    one_weight,
    score_contrast,
    score_direction,
    score_event_count,
    score_events,
    score_mean,
    score_median,
    score_order,
    score_value,
)
from mesolung.study.study import Study
from mesolung.trial.contrasts import contrast, is_ratio
from mesolung.trial.estimates import is_geometric
from mesolung.trial.paired import analyse_against_baseline
from mesolung.units import convert

# Forms whose number has a unit, and the key that holds it.
VALUE_OF = {"mean": "mean", "median": "median", "value": "value", "contrast": "value"}
FOR_A_FILTER = 3  # so many times the published subjects are solved where only some are asked of
# Forms whose simulated statistic is of the published number of subjects.
RESAMPLED = ("mean", "median", "value", "contrast", "direction", "order")
T = TypeVar("T")


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
        score = _in_printed_unit(_score(one, asked, arms, seed), one, asked)
        warnings += _too_few(one, asked, arms)
        name = one.arm[0] if len(one.arm) == 1 else list(one.arm)
        rows.append(
            {
                "index": one.index,
                "arm": name,
                "endpoint": asked.plain_key,
                "as": one.as_,
                "where": one.where.text if one.where else None,
                "versus": one.versus,
                "version": one.source.version if one.source else None,
                "n": one.n,
                **score.as_json(),
            }
        )
        if one.versus is None and len(one.arm) == 1 and score.log_likelihoods is not None:
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


def _in_printed_unit(score: Score, one: Observation, asked: Asked) -> Score:
    """Move an answer from the endpoint's unit to the one that the study printed; ratios and counts have none.

    A density is per unit, so it is moved too.
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


def _score(one: Observation, asked: Asked, arms: Mapping[str, ArmTrials], seed: int) -> Score:
    if one.form == "order":
        groups = pools([[arms[name]] for name in one.order], one.n, seed)
        means = {n: _statistic(g, asked, np.nanmean) for n, g in zip(one.order, groups, strict=True)}
        return score_order(one.order, means, asked.row.better)
    named = [arms[name] for name in one.arm]
    if one.form == "direction":
        return _direction(one, asked, named, arms, seed)
    if one.form == "contrast":
        return _contrast(one, asked, named, arms, seed)
    whole = pool(named, None, seed)
    if one.form == "events":
        # Death's and discharge's chances are known for each subject; others are counted among those solved.
        exact = asked.row.rule in ("death", "alive", "discharged")
        least = 0.0 if exact else 1.0 / (2.0 * np.maximum(whole.evaluable(asked), 1.0))
        return score_events(stated(one.events), stated(one.n), whole.expected(asked), least)
    if one.form == "event_count":
        n = one.n or whole.size
        return score_event_count(stated(one.event_count), n * whole.expected(asked), n * whole.spread(asked))
    drawn = pool(named, one.n, seed)
    if one.form == "mean":
        error = standard_error(sd=one.sd, se=one.se, ci95=one.ci95, n=one.n)
        means = _statistic(drawn, asked, np.nanmean)
        return score_mean(stated(one.mean), error, whole.expected(asked), means)
    if one.form == "median":
        return score_median(stated(one.median), _statistic(drawn, asked, np.nanmedian), asked.row.scale)
    return score_value(stated(one.value), _statistic(drawn, asked, np.nanmean))


def _contrast(
    one: Observation,
    asked: Asked,
    named: Sequence[ArmTrials],
    arms: Mapping[str, ArmTrials],
    seed: int,
) -> Score:
    ours, theirs = pools([named, [arms[stated(one.versus)]]], one.n, seed)
    measure, value = stated(one.contrast), stated(one.value)
    estimates = np.array([a.estimate for a in analyses(ours, theirs, asked, measure, None)])
    error = contrast_standard_error(value, measure, ci95=one.ci95, p=one.p)
    geometric = is_geometric(measure, asked.row, asked.as_)
    expected = contrast(measure, ours.expected(asked, geometric), theirs.expected(asked, geometric))
    return score_contrast(value, error, measure, np.atleast_1d(expected), estimates)


def _direction(
    one: Observation,
    asked: Asked,
    named: Sequence[ArmTrials],
    arms: Mapping[str, ArmTrials],
    seed: int,
) -> Score:
    if one.versus == BASELINE:
        group = pool(named, one.n, seed)
        level = group.recorded(replace(asked, as_="level"))
        start = group.recorded(
            replace(asked, time_h=0.0, as_="level", deaths=None, from_onset=False, time_unknown=False)
        )
        done = [analyse_against_baseline(a, b, asked.row) for a, b in zip(level, start, strict=True)]
    else:
        ours, theirs = pools([named, [arms[stated(one.versus)]]], one.n, seed)
        done = analyses(ours, theirs, asked, None, None)
    p = np.array([a.p_value for a in done])
    return score_direction(stated(one.direction), p, np.array([a.shift for a in done]), one.alpha)


def stated(value: T | None) -> T:
    """Take a number that the reader has made sure is there.

    Arguments:
        value: of an observation.

    Returns:
        the value.

    Raises:
        ValueError: when it is missing all the same, as in a study that was not read from a file.
    """
    if value is None:
        raise ValueError("an observation lacks a number that its form needs")
    return value


def _statistic(
    group: Pool, asked: Asked, statistic: Callable[..., NDArray[np.float64]]
) -> NDArray[np.float64]:
    values = group.recorded(asked)
    known = ~np.isnan(values).all(axis=1)
    result = np.full(values.shape[0], np.nan)
    result[known] = statistic(values[known], axis=1)
    return result
