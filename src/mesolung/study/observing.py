"""Published observations beside what the run predicted, each with its score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from mesolung.biology.tables import endpoints
from mesolung.streams import uniforms
from mesolung.study.answers import analyses
from mesolung.study.likelihoods import contrast_standard_error, standard_error
from mesolung.study.observation import Observation
from mesolung.study.replicates import ArmTrials, Asked
from mesolung.study.scores import (
    Score,
    joint_score,
    resample,
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
from mesolung.trial.endpoints import DEATH_ENDPOINTS
from mesolung.trial.paired import analyse_against_baseline
from mesolung.units import convert

BASELINE = "baseline"
DENSITIES = ("mean", "median", "contrast")
T = TypeVar("T")


def observe(
    study: Study, arms: Mapping[str, ArmTrials], seed: int, control: str | None
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Answer every observation of a study, and score arms together.

    Arguments:
        study: gives the observations.
        arms: replicates of each arm.
        seed: keys the resampling where an observation has another n than its arm.
        control: name of the control arm, or None.

    Returns:
        the objects under ``observations`` (in the file's order) and under ``joint``.
    """
    rows: list[dict[str, Any]] = []
    together: dict[tuple[str, str], dict[str, NDArray[np.float64] | None]] = {}
    for one in study.observations:
        asked = Asked(endpoints()[one.endpoint], one.time_h, one.as_, one.deaths)
        score = _in_printed_unit(_score(one, asked, arms, seed), one, asked)
        name = one.arm[0] if len(one.arm) == 1 else list(one.arm)
        rows.append(
            {
                "index": one.index,
                "arm": name,
                "endpoint": Asked(asked.row, asked.time_h).key,
                "as": one.as_,
                "where": None,
                "versus": one.versus,
                "version": one.source.version if one.source else None,
                "n": one.n,
                **score.as_json(),
            }
        )
        if one.versus is None and len(one.arm) == 1 and score.log_likelihoods is not None:
            together.setdefault((asked.key, score.statistic), {})[one.arm[0]] = score.log_likelihoods
    joint = []
    for (key, _), terms in sorted(together.items()):
        found = joint_score(terms, control)
        joint.append(
            {
                "endpoint": key,
                "log_score": found.log_score,
                "treated_given_control": found.treated_given_control,
            }
        )
    return rows, joint


def _in_printed_unit(score: Score, one: Observation, asked: Asked) -> Score:
    """Move a density to the unit that the study printed; probabilities and ratios have none."""
    ratio = one.form == "contrast" and is_ratio(stated(one.contrast))
    if one.unit is None or score.log_score is None or one.form not in DENSITIES or ratio:
        return score
    shift = float(np.log(convert(1.0, one.unit, endpoints()[asked.row.name].unit)))
    terms = None if score.log_likelihoods is None else score.log_likelihoods + shift
    return replace(score, log_score=score.log_score + shift, log_likelihoods=terms)


def _score(one: Observation, asked: Asked, arms: Mapping[str, ArmTrials], seed: int) -> Score:
    if one.form == "order":
        means = {name: _statistic([arms[name]], asked, None, seed, np.nanmean) for name in one.order}
        return score_order(one.order, means, asked.row.better)
    pooled = [arms[name] for name in one.arm]
    if one.form == "direction":
        return _direction(one, asked, pooled, arms)
    if one.form == "contrast":
        return _contrast(one, asked, pooled, arms)
    expected = _expected(pooled, asked)
    if one.form == "events":
        # Death's chance is known for each subject; other events are counted among the subjects solved.
        solved = pooled[0].outcomes.size / pooled[0].slots
        least = 0.0 if asked.row.name in DEATH_ENDPOINTS else 1.0 / (2.0 * solved)
        return score_events(stated(one.events), stated(one.n), expected, least)
    if one.form == "mean":
        error = standard_error(sd=one.sd, se=one.se, ci95=one.ci95, n=one.n)
        return score_mean(
            stated(one.mean), error, expected, _statistic(pooled, asked, one.n, seed, np.nanmean)
        )
    if one.form == "median":
        medians = _statistic(pooled, asked, one.n, seed, np.nanmedian)
        return score_median(stated(one.median), medians, asked.row.scale)
    if one.form == "event_count":
        n = one.n or pooled[0].members.shape[1]
        spread = np.nanvar(_values(pooled, asked, None, seed), axis=1)
        draws = min(expected.size, spread.size)
        return score_event_count(stated(one.event_count), n * expected[:draws], n * spread[:draws])
    return score_value(stated(one.value), _statistic(pooled, asked, one.n, seed, np.nanmean))


def _contrast(
    one: Observation, asked: Asked, pooled: Sequence[ArmTrials], arms: Mapping[str, ArmTrials]
) -> Score:
    other, measure, value = arms[stated(one.versus)], stated(one.contrast), stated(one.value)
    estimates = np.array([a.estimate for a in analyses(pooled[0], other, asked, measure, None)])
    error = contrast_standard_error(value, measure, ci95=one.ci95, p=one.p)
    expected = np.atleast_1d(contrast(measure, _expected(pooled, asked), other.expected(asked)))
    return score_contrast(value, error, measure, expected, estimates)


def _direction(
    one: Observation, asked: Asked, pooled: Sequence[ArmTrials], arms: Mapping[str, ArmTrials]
) -> Score:
    if one.versus == BASELINE:
        level = pooled[0].recorded(Asked(asked.row, asked.time_h, "level", asked.deaths))
        start = pooled[0].recorded(Asked(asked.row, 0.0))
        done = [analyse_against_baseline(a, b, asked.row) for a, b in zip(level, start, strict=True)]
    else:
        done = analyses(pooled[0], arms[stated(one.versus)], asked, None, None)
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


def _expected(pooled: Sequence[ArmTrials], asked: Asked) -> NDArray[np.float64]:
    sizes = np.array([arm.members.shape[1] for arm in pooled], float)
    return np.average(np.stack([arm.expected(asked) for arm in pooled]), axis=0, weights=sizes)


def _values(pooled: Sequence[ArmTrials], asked: Asked, n: int | None, seed: int) -> NDArray[np.float64]:
    values = np.concatenate([arm.recorded(asked) for arm in pooled], axis=1)
    if n is None or n == values.shape[1]:
        return values
    purpose = f"resample:{'+'.join(sorted(arm.name for arm in pooled))}"
    return np.stack([resample(row, n, uniforms(seed, purpose, r, n)) for r, row in enumerate(values)])


def _statistic(pooled, asked: Asked, n: int | None, seed: int, statistic) -> NDArray[np.float64]:
    values = _values(pooled, asked, n, seed)
    known = ~np.isnan(values).all(axis=1)
    result = np.full(values.shape[0], np.nan)
    result[known] = statistic(values[known], axis=1)
    return result
