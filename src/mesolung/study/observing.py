"""Published observations beside what the run predicted, each with its score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from mesolung.biology.tables import endpoints
from mesolung.streams import uniforms
from mesolung.study.answers import analyses, unit_of
from mesolung.study.likelihoods import contrast_standard_error, standard_error
from mesolung.study.observation import BASELINE, Observation
from mesolung.study.replicates import ArmTrials, Asked, arm_sizes
from mesolung.study.scores import (
    Score,
    joint_score,
    one_weight,
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
from mesolung.trial.estimates import is_geometric
from mesolung.trial.paired import analyse_against_baseline
from mesolung.units import convert

# Forms whose number has a unit, and the key that holds it.
VALUE_OF = {"mean": "mean", "median": "median", "value": "value", "contrast": "value"}
T = TypeVar("T")


def observe(
    study: Study, arms: Mapping[str, ArmTrials], seed: int, control: str | None
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Answer every observation of a study, and score arms together.

    Arguments:
        study: gives the observations.
        arms: replicates of each arm.
        seed: keys who is among the n subjects of an observation.
        control: name of the control arm, or None.

    Returns:
        the objects under ``observations`` (in the file's order) and under ``joint``.
    """
    rows: list[dict[str, Any]] = []
    together: dict[tuple[str, str], dict[str, list[NDArray[np.float64]]]] = {}
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
    return rows, joint


def _in_printed_unit(score: Score, one: Observation, asked: Asked) -> Score:
    """Move an answer from the endpoint's unit to the one that the study printed; ratios and counts have none.

    A density is per unit, so it is moved too.
    """
    ratio = one.form == "contrast" and is_ratio(stated(one.contrast))
    if one.unit is None or one.form not in VALUE_OF or ratio:
        return score
    unit, printed = unit_of(asked), one.unit

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
        least = 0.0 if asked.row.name in DEATH_ENDPOINTS else 1.0 / (2.0 * pooled[0].panel)
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
        n = one.n or int(_sizes(pooled).sum())
        return score_event_count(stated(one.event_count), n * expected, n * _spread(pooled, asked))
    return score_value(stated(one.value), _statistic(pooled, asked, one.n, seed, np.nanmean))


def _contrast(
    one: Observation, asked: Asked, pooled: Sequence[ArmTrials], arms: Mapping[str, ArmTrials]
) -> Score:
    other, measure, value = arms[stated(one.versus)], stated(one.contrast), stated(one.value)
    estimates = np.array([a.estimate for a in analyses(pooled[0], other, asked, measure, None)])
    error = contrast_standard_error(value, measure, ci95=one.ci95, p=one.p)
    geometric = is_geometric(measure, asked.row, asked.as_)
    ours, theirs = pooled[0].expected(asked, geometric), other.expected(asked, geometric)
    expected = np.atleast_1d(contrast(measure, ours, theirs))
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


def _sizes(pooled: Sequence[ArmTrials]) -> NDArray[np.float64]:
    return np.array([arm.members.shape[1] for arm in pooled], float)


def _expected(pooled: Sequence[ArmTrials], asked: Asked) -> NDArray[np.float64]:
    return np.average(np.stack([arm.expected(asked) for arm in pooled]), axis=0, weights=_sizes(pooled))


def _spread(pooled: Sequence[ArmTrials], asked: Asked) -> NDArray[np.float64]:
    # So many of each arm are pooled, so what differs between the arms' means adds no variance.
    return np.average(np.stack([arm.spread(asked) for arm in pooled]), axis=0, weights=_sizes(pooled))


def _values(pooled: Sequence[ArmTrials], asked: Asked, n: int | None, seed: int) -> NDArray[np.float64]:
    if n is None:
        return np.concatenate([arm.recorded(asked) for arm in pooled], axis=1)
    # Pooled arms share the n as they share the trial's subjects.
    ratios = {arm.name: float(arm.members.shape[1]) for arm in pooled}
    share = arm_sizes(dict.fromkeys(ratios), ratios, n)
    return np.concatenate([_drawn(arm, asked, share[arm.name], seed) for arm in pooled], axis=1)


def _drawn(arm: ArmTrials, asked: Asked, n: int, seed: int) -> NDArray[np.float64]:
    """float64[R, n]: n evaluable subjects of each replicate under an arm, its own first."""
    values, assigned = arm.everyone(asked)
    purpose, solved = f"resample:{arm.name}", values.shape[1]
    return np.stack(
        [
            resample(row, own, n, uniforms(seed, purpose, r, solved))
            for r, (row, own) in enumerate(zip(values, assigned, strict=True))
        ]
    )


def _statistic(pooled, asked: Asked, n: int | None, seed: int, statistic) -> NDArray[np.float64]:
    values = _values(pooled, asked, n, seed)
    known = ~np.isnan(values).all(axis=1)
    result = np.full(values.shape[0], np.nan)
    result[known] = statistic(values[known], axis=1)
    return result
