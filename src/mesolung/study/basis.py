"""What a run knows of the quantity that an observation is of: all that answering and scoring it need."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from mesolung.study.answers import analyses
from mesolung.study.asked import Asked
from mesolung.study.likelihoods import contrast_standard_error, standard_error
from mesolung.study.observation import BASELINE, Observation
from mesolung.study.pooled import Pool, pool, pools
from mesolung.study.replicates import ArmTrials
from mesolung.study.scores import (
    Score,
    score_contrast,
    score_direction,
    score_event_count,
    score_events,
    score_mean,
    score_median,
    score_order,
    score_value,
)
from mesolung.trial.contrasts import contrast
from mesolung.trial.estimates import is_geometric
from mesolung.trial.paired import analyse_against_baseline

Values = NDArray[np.float64]
T = TypeVar("T")

NOTHING: Values = np.empty(0)


@dataclass(frozen=True, eq=False)
class Basis:
    """Numbers by draw and by simulated trial, in the endpoint's unit; empty where a form has no use of them.

    Attributes:
        expected: float64[D], each draw's expected value: share, mean, contrast, events of the whole arm, or
            the difference that a direction is the sign of.
        spread: float64[D], each draw's variance: of the whole arm's events, else between subjects of the arm.
        simulated: float64[R], what simulated trials show: mean, median or contrast.
        p_values: float64[R], p of each simulated trial of a direction.
        shifts: float64[R], -1, 0 or 1: which way it lies.
        orders: arm -> float64[R], its mean in simulated trials, for an order.
        least: float64[1] or [D], smallest share that the subjects behind ``expected`` can tell from 0.
    """

    expected: Values = field(default_factory=NOTHING.copy)
    spread: Values = field(default_factory=NOTHING.copy)
    simulated: Values = field(default_factory=NOTHING.copy)
    p_values: Values = field(default_factory=NOTHING.copy)
    shifts: Values = field(default_factory=NOTHING.copy)
    orders: Mapping[str, Values] = field(default_factory=dict)
    least: Values = field(default_factory=lambda: np.zeros(1))


def basis_of(one: Observation, asked: Asked, arms: Mapping[str, ArmTrials], seed: int) -> Basis:
    """Take from simulated trials what an observation is scored by.

    Arguments:
        one: the observation.
        asked: its endpoint.
        arms: replicates of each arm.
        seed: keys who is among the subjects of an observation that states its n.
    """
    if one.form == "order":
        groups = pools([[arms[name]] for name in one.order], one.n, seed)
        means = {n: _statistic(g, asked, np.nanmean) for n, g in zip(one.order, groups, strict=True)}
        return Basis(orders=means)
    named = [arms[name] for name in one.arm]
    if one.form == "direction":
        return _direction(one, asked, named, arms, seed)
    if one.form == "contrast":
        return _contrast(one, asked, named, arms, seed)
    whole = pool(named, None, seed)
    if one.form == "events":
        # Death's and discharge's chances are known for each subject; others are counted among those solved.
        exact = asked.row.rule in ("death", "alive", "discharged")
        least = np.zeros(1) if exact else 1.0 / (2.0 * np.maximum(whole.evaluable(asked), 1.0))
        return Basis(expected=whole.expected(asked), least=least)
    if one.form == "event_count":
        n = one.n or whole.size
        return Basis(expected=n * whole.expected(asked), spread=n * whole.spread(asked))
    drawn = pool(named, one.n, seed)
    shown = _statistic(drawn, asked, np.nanmedian if one.form == "median" else np.nanmean)
    return Basis(expected=whole.expected(asked), spread=whole.spread(asked), simulated=shown)


def score_of(one: Observation, asked: Asked, basis: Basis) -> Score:
    """Score an observation, in the endpoint's unit.

    Arguments:
        one: the observation.
        asked: its endpoint.
        basis: from `basis_of`.
    """
    if one.form == "order":
        return score_order(one.order, basis.orders, asked.row.better)
    if one.form == "direction":
        return score_direction(stated(one.direction), basis.p_values, basis.shifts, one.alpha)
    if one.form == "events":
        return score_events(stated(one.events), stated(one.n), basis.expected, basis.least)
    if one.form == "event_count":
        return score_event_count(stated(one.event_count), basis.expected, basis.spread)
    error = error_of(one)
    if one.form == "contrast":
        measure = stated(one.contrast)
        return score_contrast(stated(one.value), error, measure, basis.expected, basis.simulated)
    if one.form == "mean":
        return score_mean(stated(one.mean), error, basis.expected, basis.simulated)
    if one.form == "median":
        return score_median(stated(one.median), basis.simulated, asked.row.scale)
    return score_value(stated(one.value), basis.simulated)


def error_of(one: Observation) -> float | None:
    """The standard error of a published mean or contrast (of its logarithm for a ratio); None without one.

    Arguments:
        one: the observation.
    """
    if one.form == "contrast":
        return contrast_standard_error(stated(one.value), stated(one.contrast), ci95=one.ci95, p=one.p)
    return standard_error(sd=one.sd, se=one.se, ci95=one.ci95, n=one.n) if one.form == "mean" else None


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


def _contrast(
    one: Observation,
    asked: Asked,
    named: Sequence[ArmTrials],
    arms: Mapping[str, ArmTrials],
    seed: int,
) -> Basis:
    ours, theirs = pools([named, [arms[stated(one.versus)]]], one.n, seed)
    measure = stated(one.contrast)
    estimates = np.array([a.estimate for a in analyses(ours, theirs, asked, measure, None)])
    geometric = is_geometric(measure, asked.row, asked.as_)
    risk = asked.of_risk(measure)
    expected = contrast(measure, ours.expected(risk, geometric), theirs.expected(risk, geometric))
    return Basis(expected=np.atleast_1d(expected), simulated=estimates)


def _direction(
    one: Observation,
    asked: Asked,
    named: Sequence[ArmTrials],
    arms: Mapping[str, ArmTrials],
    seed: int,
) -> Basis:
    if one.versus == BASELINE:
        group = pool(named, one.n, seed)
        level = group.recorded(replace(asked, as_="level"))
        start = group.recorded(
            replace(asked, time_h=0.0, as_="level", deaths=None, from_onset=False, time_unknown=False)
        )
        done = [analyse_against_baseline(a, b, asked.row) for a, b in zip(level, start, strict=True)]
        expected = NOTHING
    else:
        ours, theirs = pools([named, [arms[stated(one.versus)]]], one.n, seed)
        done = analyses(ours, theirs, asked, None, None)
        expected = ours.expected(asked) - theirs.expected(asked)
    return Basis(
        expected=expected,
        p_values=np.array([a.p_value for a in done]),
        shifts=np.array([a.shift for a in done], dtype=np.float64),
    )


def _statistic(group: Pool, asked: Asked, statistic: Callable[..., Values]) -> Values:
    values = group.recorded(asked)
    known = ~np.isnan(values).all(axis=1)
    result = np.full(values.shape[0], np.nan)
    result[known] = statistic(values[known], axis=1)
    return result
