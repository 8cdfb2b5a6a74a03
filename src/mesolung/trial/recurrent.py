"""Events that come again: counts, rates and times to the first, off a subject's cumulative hazard."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from mesolung.streams import uniforms
from mesolung.trial.outcomes import Floats, Outcomes, Time

YEAR_H = 8766.0
HOURS_PER_DAY = 24.0
MOST = 400  # events of one subject; a hazard that brings more is none of a patient


@dataclass(frozen=True)
class Recurring:
    """Random numbers of the events of a cumulative hazard, the same under every arm.

    The k-th event comes where the hazard passes the sum of k exponential numbers of the subject.

    Attributes:
        seed: of the run.
        name: output that is the cumulative hazard.
        slots: S, replicates.
        subjects: M, subjects a replicate.
    """

    seed: int
    name: str
    slots: int
    subjects: int

    def uniform(self, number: int) -> Floats:
        """float64[S x M] in (0, 1), of the gap before an event; the first is that of an event that comes
        once.

        Arguments:
            number: 0 for the first event.
        """
        return self._drawn(f"event:{self.name}" + (f":{number}" if number else ""))

    def mark(self, number: int) -> Floats:
        """float64[S x M] in (0, 1), by which an event is severe or not; arguments as `uniform`."""
        return self._drawn(f"mark:{self.name}:{number}")

    def _drawn(self, purpose: str) -> Floats:
        return np.concatenate([uniforms(self.seed, purpose, s, self.subjects) for s in range(self.slots)])


class Events(NamedTuple):
    """Counted events of subjects: how many until each one's end, and the first."""

    count: Floats
    first_h: Floats


def events_until(outcomes: Outcomes, name: str, until_h: Floats, share: float = 1.0) -> Events:
    """Count the events of subjects.

    Arguments:
        outcomes: courses with the cumulative hazard among their outputs.
        name: of the hazard.
        until_h: float64[n], end of each subject's follow-up, h since enrolment; nan is not evaluable.
        share: of the events that count, as severe ones do.

    Returns:
        float64[n] events until the end, and float64[n] hours to the first, inf where none comes before the
        course ends; nan where the end is.

    Raises:
        KeyError: no such output, or one without random numbers.
    """
    hazard, draws = outcomes.event_hazard(name), outcomes.recurring[name]
    last = np.nanmax(hazard, axis=1, initial=0.0)
    threshold = np.zeros(outcomes.size)
    count, first = np.zeros(outcomes.size), np.full(outcomes.size, np.inf)
    for number in range(MOST):
        threshold = threshold - np.log(draws.uniform(number))
        who = np.flatnonzero(threshold <= last)
        if who.size == 0:
            break
        time = _crossing(outcomes.times, hazard[who], threshold[who])
        counted = draws.mark(number)[who] < share if share < 1.0 else np.ones(who.size, np.bool_)
        count[who] += counted & (time <= until_h[who])
        first[who] = np.where(counted, np.minimum(first[who], time), first[who])
    unknown = np.isnan(until_h)
    return Events(np.where(unknown, np.nan, count), np.where(unknown, np.nan, first))


def _crossing(times: Floats, hazard: Floats, threshold: Floats) -> Floats:
    """When each hazard reaches its threshold, which it does: float64[m]."""
    after = (hazard >= threshold[:, None]).argmax(axis=1)
    before = np.maximum(after - 1, 0)
    row = np.arange(threshold.size)
    low, high = hazard[row, before], hazard[row, after]
    with np.errstate(invalid="ignore", divide="ignore"):
        part = np.where(high > low, (threshold - low) / (high - low), 0.0)
    return times[before] + part * (times[after] - times[before])


def followed_until(outcomes: Outcomes, time_h: Time) -> Floats:
    """End of each subject's follow-up: a time, death, or leaving the trial: float64[n], h; nan is unknown.

    Arguments:
        outcomes: courses, and who leaves when.
        time_h: end of the trial's follow-up, h since enrolment.
    """
    end, _ = outcomes.time_to_death(time_h)
    return end if outcomes.lost_time is None else np.minimum(end, outcomes.lost_time)


def expected_events(outcomes: Outcomes, name: str, time_h: Time) -> tuple[Floats, Floats]:
    """Events and hours that a subject is expected to have before death and a time.

    Arguments:
        outcomes: courses with the cumulative hazard.
        name: of the hazard.
        time_h: h since enrolment.

    Returns:
        float64[n] events and float64[n] hours, over the chance of dying; nan where a course failed.
    """
    death = np.maximum.accumulate(outcomes.cumulative_hazard, axis=1)
    until = np.broadcast_to(np.asarray(time_h, dtype=np.float64), (outcomes.size,))[:, None]
    width = np.diff(outcomes.times)
    part = np.clip((until - outcomes.times[:-1]) / width, 0.0, 1.0)

    def met(hazard: Floats) -> Floats:
        return np.where(part == 0.0, 0.0, np.diff(hazard, axis=1) * part)

    lethal = met(death)
    alive = np.exp(-(np.cumsum(lethal, axis=1) - lethal))
    # Alive for so much of a step in which the hazard of death is constant.
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(lethal > 1e-12, -np.expm1(-lethal) / lethal, 1.0)
    step = met(outcomes.event_hazard(name))
    return (alive * mean * step).sum(axis=1), (alive * mean * part * width).sum(axis=1)
