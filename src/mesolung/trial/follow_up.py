"""Endpoints that are read off a subject's whole follow-up: events, slopes, progression."""

from __future__ import annotations

import numpy as np

from mesolung.trial.decline import PROGRESSION, SLOPES, compared, expected_slope, progression, slope
from mesolung.trial.endpoint_row import EndpointRow
from mesolung.trial.outcomes import Floats, Outcomes, Time
from mesolung.trial.recurrent import YEAR_H, events_until, expected_events, followed_until

HOURS_PER_DAY = 24.0
# Rules of events that come again, and of the hazard of death read as a rate.
EVENTS = ("count", "rate", "time_to", "death_rate")
# Rules that read a whole follow-up, whatever becomes of the subject.
OF_FOLLOW_UP = (*EVENTS, *SLOPES, *PROGRESSION)
# Rules that give days since enrolment, so that they need one end of follow-up for all.
DAYS = ("hospital_days", "days_off", "days_on")


def first_by_chance(outcomes: Outcomes, row: EndpointRow) -> Floats:
    """When an event first comes, were nobody to die, or is seen before a subject leaves: float64[n]."""
    name = row.outputs[0]
    if name not in outcomes.recurring:
        return outcomes.event_time(name)
    end = np.where(np.isnan(outcomes.event_hazard(name)[:, -1]), np.nan, outcomes.times[-1])
    first = events_until(outcomes, name, end, row.share).first_h
    if outcomes.lost_time is None:
        return first
    return np.where(first > outcomes.lost_time, np.inf, first)


def of_follow_up(outcomes: Outcomes, row: EndpointRow, time_h: Time) -> Floats:
    """What is read off a subject's whole follow-up: events, slopes and progression."""
    if row.rule in SLOPES:
        return compared(row, slope(outcomes, row, one_time(row, time_h)))
    if row.rule in PROGRESSION:
        time, came = progression(outcomes, row, one_time(row, time_h))
        if row.rule == "progression_time":
            return time / HOURS_PER_DAY
        return came if row.rule == "progressed" else 1.0 - came
    if row.name in outcomes.history and np.all(np.asarray(time_h) == 0.0):
        return np.asarray(outcomes.history[row.name])  # of the year before
    if row.rule == "death_rate":
        # As papers print it: deaths over the years that were planned, not over those lived.
        dead = outcomes.death_time <= time_h
        return np.where(np.isnan(followed_until(outcomes, time_h)), np.nan, dead / (time_h / YEAR_H))
    end = followed_until(outcomes, time_h)
    found = events_until(outcomes, row.outputs[0], end, row.share)
    if row.rule == "time_to":
        return np.minimum(found.first_h, end) / HOURS_PER_DAY
    if row.rule == "count":
        return found.count
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(end > 0, found.count / (end / YEAR_H), np.nan)


def expected_of_follow_up(
    outcomes: Outcomes, row: EndpointRow, time_h: Time, risk: Floats
) -> tuple[Floats, Floats]:
    """Expected value and weight of what is read off a whole follow-up, were nobody to leave.

    A rate's value is events over years and its weight the years, so that an arm's mean is all events over all
    years.
    """
    if row.rule in SLOPES:
        value, weight = expected_slope(outcomes, row, one_time(row, time_h))
        return compared(row, value), weight
    if row.rule in PROGRESSION:
        # Which visit shows a fall hangs on the error of the first one in all of them: it is not averaged.
        time, came = progression(outcomes, row, one_time(row, time_h))
        if row.rule == "progression_time":
            return time / HOURS_PER_DAY, np.ones_like(risk)
        fell = np.maximum(came, risk)
        return (fell if row.rule == "progressed" else 1.0 - fell), np.ones_like(risk)
    if row.name in outcomes.history and np.all(np.asarray(time_h) == 0.0):
        return np.asarray(outcomes.history[row.name]), np.ones_like(risk)
    if row.rule == "death_rate":
        return risk / (np.asarray(time_h) / YEAR_H), np.ones_like(risk)
    name = row.outputs[0]
    events, hours = expected_events(outcomes, name, time_h)
    if row.rule == "count":
        return row.share * events, np.ones_like(risk)
    if row.rule == "time_to":
        # Days without the event, death apart: the mean time up to the end of follow-up.
        free = outcomes.event_hazard(name) * row.share
        return _days_free(outcomes, free, one_time(row, time_h)), np.ones_like(risk)
    years = hours / YEAR_H
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(years > 0, row.share * events / years, np.nan), years


def _days_free(outcomes: Outcomes, hazard: Floats, time_h: float) -> Floats:
    free = np.exp(-hazard)
    width = np.clip((time_h - outcomes.times[:-1]) / np.diff(outcomes.times), 0.0, 1.0)
    width = width * np.diff(outcomes.times)
    return (0.5 * (free[:, :-1] + free[:, 1:]) * width).sum(axis=1) / HOURS_PER_DAY


def one_time(row: EndpointRow, time_h: Time) -> float:
    """The one end of follow-up that an endpoint needs for all subjects.

    Arguments:
        row: the endpoint.
        time_h: hours since enrolment.

    Raises:
        ValueError: where subjects have a time each.
    """
    if np.ndim(time_h) > 0:
        raise ValueError(f"{row.name} counts days since enrolment and needs one end of follow-up for all")
    return float(time_h)
