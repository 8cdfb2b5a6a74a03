"""Endpoints of subjects: one number per subject from its course, its death and its discharge."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mesolung.trial.decline import FALLS, PROGRESSION, SLOPES, chance_of_fall, fallen
from mesolung.trial.discharge import discharge_probability, expected_hospital_days
from mesolung.trial.endpoint_row import EndpointRow as EndpointRow
from mesolung.trial.follow_up import DAYS as DAYS
from mesolung.trial.follow_up import (
    OF_FOLLOW_UP,
    expected_of_follow_up,
    first_by_chance,
    of_follow_up,
    one_time,
)
from mesolung.trial.outcomes import Floats, Outcomes, Time
from mesolung.trial.support import HOURS_PER_DAY, first_time, free_days, present
from mesolung.trial.visits import measured

DEATH_ENDPOINTS = ("mortality", "survival")
# How an endpoint is read off a course, as the endpoint table says.
RULES = (
    "level", "present", "occurred", "happened", "death", "alive", "discharged", "hospital_days", "days_off",
    "days_on", "count", "rate", "time_to", "death_rate", *SLOPES, *FALLS, *PROGRESSION,
)  # fmt: skip


class _Read(NamedTuple):
    """What a subject records if it is alive and if it is dead by the time; nan is not evaluable."""

    alive: Floats
    dead: Floats


def endpoint_values(
    outcomes: Outcomes,
    row: EndpointRow,
    time_h: Time | None = None,
    as_: str = "level",
    deaths: str | None = None,
) -> Floats:
    """What a trial records for each subject.

    By the row's rule: "level", the output between outputs, on the log scale where the table says so, times
    the share of it that the sample holds;
    "present", 1 where every output stands at its level or above at the time; "occurred", 1 where the output
    first got there after enrolment and not after the time or death (who is there already at enrolment is not
    at risk, nan); "happened", likewise for an event whose cumulative hazard is the output, which comes to a
    subject by chance; "death" and "alive", 1 or 0 at the time; "discharged", 1 for who has gone home alive;
    "hospital_days", days to that, all days for who is still there; "days_off" and "days_on", days without and
    with a support since enrolment (fractions of a day, output linear between outputs and crossing 0.5).
    Of events that come again: "count", "rate" a year of follow-up, and "time_to" the first (days, the end of
    follow-up where none came); "death_rate", deaths over the
    years asked for. Over the visits: "slope" a year, and
    whether it is "slope_below" or "slope_above" the endpoint's; "falls" and "holds", whether the output fell
    by the endpoint's amount since enrolment; "progressed", "progression_free" and "progression_time" (days)
    of the first visit with such a fall, or death. A level, and what is read at visits, has the error of its
    measurement where the trial has visits; who left the trial is not evaluable after it.

    Args:
        outcomes: the subjects' courses.
        row: the endpoint.
        time_h: hours since enrolment, one for all or one a subject (outside the outputs: not evaluable);
            default the last output.
        as_: "level", "change" (level - baseline) or "percent_change" (100 (level / baseline - 1)); the first
            output is the baseline.
        deaths: what the dead count as: "survivors" (nan), "worst" (the table's value at death, else the worst
            bound), "zero"; default the table's rule, else "survivors". It replaces the level, and a change is
            then taken from it. Mortality and survival have their own rule. What happened before death
            ("occurred", "happened", "discharged", days to discharge) still counts, but not among survivors.

    Returns:
        float64[n] in the endpoint's unit (percent for "percent_change"); nan is not evaluable: dead under
        "survivors", a failed course, or a percentage of a baseline of 0.

    Raises:
        KeyError: an output that the courses lack.
        ValueError: a time outside the outputs, an unknown rule, `as_` or `deaths`, "worst" without a value or
            bound, a change of an endpoint that has no baseline.
    """
    time_h = float(outcomes.times[-1]) if time_h is None else time_h
    known = outcomes.inside(time_h)  # a death by day 60 cannot be read off a 28-day course
    unknown = np.isnan(outcomes.death_time) & np.isnan(outcomes.death_probability(time_h)) | ~known
    dead = outcomes.death_time <= time_h
    if row.rule in ("death", "alive"):
        _refuse_change(row, as_)
        happened = dead if row.rule == "death" else ~dead
        return np.where(unknown, np.nan, happened.astype(np.float64))
    if row.rule in OF_FOLLOW_UP:
        _refuse_change(row, as_)
        return np.where(unknown, np.nan, of_follow_up(outcomes, row, time_h))
    read = _if_alive_if_dead(outcomes, row, time_h, as_, deaths, shown=True)
    if outcomes.lost_time is not None and row.rule in ("level", "present", *FALLS):
        unknown |= ~dead & (outcomes.lost_time < time_h)
    return np.where(unknown, np.nan, np.where(dead, read.dead, read.alive))


def expected_values(
    outcomes: Outcomes,
    row: EndpointRow,
    time_h: Time | None = None,
    as_: str = "level",
    deaths: str | None = None,
    logarithm: bool = False,
) -> tuple[Floats, Floats]:
    """Each subject's expected endpoint over its own death, survival and discharge, and its weight.

    With P = 1 - exp(-H): mortality P; an endpoint that gives the dead a value, (1 - P) alive + P dead; one of
    survivors, the value alive weighted by 1 - P. Discharge and death compete as
    `mesolung.trial.discharge` says. No death is drawn, so the arm's mean carries no sampling noise.

    Args:
        outcomes, row, time_h, as_, deaths: as in `endpoint_values`.
        logarithm: expect the natural logarithm instead, of which a geometric mean is made; values of 0 or
            less stand where `raised` puts them.

    Returns:
        float64[n] values and float64[n] weights (0 where not evaluable).

    Raises:
        KeyError, ValueError: as in `endpoint_values`.
    """
    time_h = float(outcomes.times[-1]) if time_h is None else time_h
    outcomes.inside(time_h)
    risk = outcomes.death_probability(time_h)
    own = row.rule in ("death", "alive", *OF_FOLLOW_UP)
    at_death = np.nan if own else value_of_death(row, deaths, time_h)
    survivors = np.isnan(at_death)
    weights = np.where(survivors, 1.0 - risk, np.ones_like(risk))
    if row.rule in ("death", "alive"):
        _refuse_change(row, as_)
        values, weights = (risk if row.rule == "death" else 1.0 - risk), np.ones_like(risk)
    elif row.rule == "discharged":
        _refuse_change(row, as_)
        values = discharge_probability(outcomes, time_h, beside_death=not survivors)
    elif row.rule == "hospital_days":
        _refuse_change(row, as_)
        values = expected_hospital_days(outcomes, one_time(row, time_h), at_death)
    elif row.rule in OF_FOLLOW_UP:
        _refuse_change(row, as_)
        values, weights = expected_of_follow_up(outcomes, row, time_h, risk)
    elif row.rule == "happened":
        _refuse_change(row, as_)
        values = _chance(outcomes, row, time_h, at_death, beside_death=not survivors)
    elif row.rule == "occurred" and not survivors:
        _refuse_change(row, as_)
        values = _expected_occurrence(outcomes, row, time_h, at_death, risk)
    else:
        alive, dead = _if_alive_if_dead(outcomes, row, time_h, as_, deaths)
        if logarithm:
            alive, dead = (np.log(x) for x in raised((alive, dead), row))
        # The dead of a change have a value only where they have a baseline.
        values = alive if survivors else (1.0 - risk) * alive + risk * dead
    missing = np.isnan(values) | np.isnan(weights)
    return np.where(missing, np.nan, values), np.where(missing, 0.0, weights)


def raised(series: tuple[Floats, ...], row: EndpointRow) -> tuple[Floats, ...]:
    """Raise values of 0 or less to the least that can be told, so that a logarithm can be taken.

    That is the table's `lowest` where positive, else the smallest positive value of all the series.

    Args:
        series: float64 arrays of any length; nan stays.
        row: the endpoint.

    Returns:
        the series, positive or nan.
    """
    pooled = np.concatenate(series)
    bound = row.lowest
    floor = bound if bound is not None and bound > 0 else float(pooled[pooled > 0].min(initial=np.inf))
    floor = floor if np.isfinite(floor) else 1.0  # nothing is positive: all are equal on this scale
    return tuple(np.where(x <= 0, floor, x) for x in series)


def value_of_death(row: EndpointRow, deaths: str | None = None, time_h: Time | None = None) -> float:
    """The level that a dead subject counts as; nan when only survivors are evaluated.

    Args:
        row: the endpoint.
        deaths: "survivors", "worst" or "zero"; default the table's rule, else "survivors".
        time_h: end of follow-up, the worst value of days in hospital and on a support.

    Raises:
        ValueError: an unknown rule, or "worst" for an endpoint with neither a value at death nor a worst
            bound.
    """
    rule = deaths or row.deaths or "survivors"
    if rule == "survivors":
        return np.nan
    if rule == "zero":
        return 0.0
    if rule != "worst":
        raise ValueError(f"deaths = {rule!r}: expected survivors, worst or zero")
    if row.rule in DAYS and row.better == "lower" and time_h is not None:
        return one_time(row, time_h) / HOURS_PER_DAY
    bounds = (0.0, 1.0) if row.type == "binary" else (row.lowest, row.highest)
    for value in (row.value_at_death, bounds[1] if row.better == "lower" else bounds[0]):
        if value is not None and np.isfinite(value):
            return float(value)
    raise ValueError(f"{row.name} has no value at death and no worst bound, so deaths = 'worst' has no value")


def _if_alive_if_dead(
    outcomes: Outcomes, row: EndpointRow, time_h: Time, as_: str, deaths: str | None, *, shown: bool = False
) -> _Read:
    """The value of each subject if alive and if dead at `time_h`; a dead value of nan is not evaluable.

    With ``shown`` it is what the visits measure, else what is true, or its chance.
    """
    at_death = np.full(outcomes.size, value_of_death(row, deaths, time_h))
    if row.rule in FALLS:
        _refuse_change(row, as_)
        fell = (fallen if shown else chance_of_fall)(outcomes, row, time_h)
        return _Read(fell if row.rule == "falls" else 1.0 - fell, at_death)
    if row.rule != "level":
        _refuse_change(row, as_)
        return _off_a_rule(outcomes, row, time_h, at_death)
    name = row.outputs[0]
    level = row.share * outcomes.output_at(name, time_h, row.scale)
    if shown:
        level = measured(outcomes, row, name, time_h, level)
    if as_ == "level":
        return _Read(level, at_death)
    baseline = row.share * outcomes.output(name)[:, 0]
    if shown:
        baseline = measured(outcomes, row, name, 0.0, baseline)
    if as_ == "change":
        return _Read(level - baseline, at_death - baseline)
    if as_ == "percent_change":
        base = np.where(baseline == 0, np.nan, baseline)
        return _Read(100.0 * (level / base - 1.0), 100.0 * (at_death / base - 1.0))
    raise ValueError(f"as = {as_!r}: expected level, change or percent_change")


def _off_a_rule(outcomes: Outcomes, row: EndpointRow, time_h: Time, at_death: Floats) -> _Read:
    if row.rule == "present":
        # The level is one of the sample: the output has to reach as much more as the sample holds less.
        above = tuple(level / row.share for level in row.above)
        return _Read(present(outcomes, row.outputs, above, time_h), at_death)
    if row.rule in ("occurred", "happened"):
        chance = row.rule == "happened"
        name = row.outputs[0]
        first = first_by_chance(outcomes, row) if chance else first_time(outcomes, name, row.above[0])
        came = np.where(np.isnan(first), np.nan, (first <= time_h).astype(np.float64))
        # What came before death has come, whatever death counts as; a nan of survivors stays.
        before_death = np.where(np.isnan(first), np.nan, (first <= outcomes.death_time).astype(np.float64))
        dead = np.where(np.isnan(at_death), np.nan, np.maximum(before_death, at_death))
        return _Read(came, dead)
    if row.rule == "discharged":
        home = (outcomes.discharge_time <= time_h).astype(np.float64)
        home = np.where(np.isnan(outcomes.discharge_time), np.nan, home)
        return _Read(home, np.where(np.isnan(at_death), np.nan, home))
    days = one_time(row, time_h) / HOURS_PER_DAY
    if row.rule == "hospital_days":
        stay = np.minimum(outcomes.discharge_time / HOURS_PER_DAY, days)
        went_home = np.isfinite(outcomes.discharge_time)
        return _Read(stay, np.where(went_home & ~np.isnan(at_death), stay, at_death))
    if row.rule not in ("days_off", "days_on"):
        raise ValueError(f"{row.name}: rule {row.rule!r}, expected one of {', '.join(RULES)}")
    off = free_days(outcomes, row.outputs[0], one_time(row, time_h))
    return _Read(off if row.rule == "days_off" else days - off, at_death)


def _expected_occurrence(
    outcomes: Outcomes, row: EndpointRow, time_h: Time, at_death: float, risk: Floats
) -> Floats:
    """Chance to have had it by the time, where the dead count it if it came first, else as `at_death`."""
    first = first_time(outcomes, row.outputs[0], row.above[0])
    came = first <= time_h
    moment = np.where(came, first, outcomes.times[0])
    reached = 1.0 - outcomes.death_probability(moment)
    # With it: alive when it came, or dead before. Without it: dead by the time, or nothing.
    value = np.where(came, reached + (1.0 - reached) * at_death, risk * at_death)
    return np.where(np.isnan(first), np.nan, value)


def _chance(
    outcomes: Outcomes, row: EndpointRow, time_h: Time, at_death: float, beside_death: bool
) -> Floats:
    """Chance that an event came by the time; beside death, that it came before it, else ``at_death``.

    nan for a time outside the outputs and for a course that failed before it.
    """
    hours, death = outcomes.times, outcomes.cumulative_hazard
    until = np.broadcast_to(np.asarray(time_h, dtype=np.float64), (outcomes.size,))[:, None]
    # The hazard stands still after the time asked for; within a step both hazards are constant.
    event = row.share * outcomes.event_hazard(row.outputs[0])
    inside = np.clip((until - hours[:-1]) / np.diff(hours), 0.0, 1.0)
    inside[~outcomes.inside(time_h)] = np.nan

    def met(hazard: Floats) -> Floats:
        # What is not known of a later step does not matter.
        return np.where(inside == 0.0, 0.0, np.diff(hazard, axis=1) * inside)

    step = met(event)
    if not beside_death:
        return -np.expm1(-step.sum(axis=1))
    lethal = met(np.maximum.accumulate(death, axis=1))
    both = step + lethal
    free = np.exp(-(np.cumsum(both, axis=1) - both))
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(both == 0.0, 0.0, step / both)
    came = (free * -np.expm1(-both) * share).sum(axis=1)
    return came + at_death * (free * -np.expm1(-both) * (1.0 - share)).sum(axis=1)


def _refuse_change(row: EndpointRow, as_: str) -> None:
    if as_ != "level":
        raise ValueError(f"{row.name} has no baseline, so it has a level only, not as = {as_!r}")
