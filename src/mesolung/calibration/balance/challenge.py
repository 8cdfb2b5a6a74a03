"""The second pathogen: bacteria at set days after a therapy, on the same patients with and without it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mesolung.calibration.balance.therapies import DAY, NONE, THERAPIES, Given, give, inoculum
from mesolung.calibration.cohort import Cohort, chosen, with_doses
from mesolung.calibration.enrolled import Enrolled
from mesolung.population.events import joined

Values = NDArray[np.float64]
DAYS = (3.0, 7.0, 14.0)
PATHOGENS = {"NOS": "nosocomial bacteria", "BAC": "pneumonia bacteria"}
# assumed: the smallest power of ten that outgrows itself in a tenth of the patients without therapy at day 7;
# what everybody clears within hours tells of no defence. Resident macrophages are too spent for the one, and
# neutrophils too many for the other, to be challenged by the same number.
INOCULUM_MCFU = {"NOS": 10.0, "BAC": 1e4}
# Bacteria that pass the tube by themselves are off under the challenge: a therapy that spares ventilation
# would else seem to strengthen the defence.
OFF = "inoculation"
# Below this part of the inoculum it counts as cleared.
CLEARED = 0.01
WATCHED_D, FOLLOWED_D, REST_D = 14.0, 28.0, 45.0
# The declared signal of inflammation: the lung's drive and what the body feels of IL-6, each from 0 to 1.
SIGNAL = ("drive_share", "il6_response")
ANTIBODY = "AB"
# How fast phagocytes kill, relative to health: what a therapy does to it directly.
KILLING = "defence"
EVERY_H, CHALLENGE_EVERY_H = 6.0, 2.0
# States that keep what has happened, by their meaning: they are not to return.
MEMORY = ("PC", "AB", "SENS", "TUMOUR", "DIS", "MARK_lung", "MARK_liver", "MARK_spleen", "DNA_lung")
MEMORY_OF = "HAZ"
RETURNED = 0.05


@dataclass(frozen=True, eq=False)
class Course:
    """What one therapy's subjects show, nobody challenged and everybody challenged.

    Attributes:
        avoided: float64[m], area under the signal over 28 d, d.
        antibody: float64[m], antibody 28 d after the therapy.
        killing: day -> float64[m], how fast phagocytes kill, relative to health, nobody challenged.
        distance: state -> float64[m], how far from rest 45 d after it, relative to the illness's excursion.
        area, peak, clearance: (pathogen, day) -> float64[m]: natural log of the area under the pathogen over
            14 d (MCFU d) and of its peak (MCFU), and days to clearance, 14 at most.
    """

    avoided: Values
    antibody: Values
    killing: Mapping[float, Values]
    distance: Mapping[str, Values]
    area: Mapping[tuple[str, float], Values]
    peak: Mapping[tuple[str, float], Values]
    clearance: Mapping[tuple[str, float], Values]


def courses(
    enrolled: Enrolled,
    *,
    days: Sequence[float] = DAYS,
    therapies: Sequence[str] = THERAPIES,
    seed: int = 1,
    workers: int = 1,
    tell: Callable[[str], None] = lambda line: None,
) -> dict[str, Course]:
    """Treat and challenge the same subjects in every way.

    Arguments:
        enrolled: who; the therapy is given at enrolment.
        days: of the challenge, after the therapy.
        therapies: of `THERAPIES`, with none first.
        seed: of the lots.
        workers: threads.
        tell: called with a line before each therapy.

    Returns:
        therapy -> what it shows; subjects in the order of ``enrolled``.
    """
    group = chosen(enrolled.group, enrolled.rows)
    start = enrolled.group.times[enrolled.step].astype(np.float64)
    found: dict[str, Course] = {}
    scale: dict[str, Values] = {}
    for therapy in therapies:
        tell(therapy)
        given = give(group, therapy, start, seed)
        plain = _solved(given, start, (*SIGNAL, ANTIBODY, KILLING), FOLLOWED_D, workers)
        rest = _solved(given, start, _resting(group), REST_D, workers, every_h=DAY)
        health = group.model.initial(group.parameters)
        moved = _excursions(rest, start, health)
        if therapy == NONE:
            scale = moved
        challenged = {
            (pathogen, day): _challenged(given, start, pathogen, day, workers)
            for pathogen in PATHOGENS
            for day in days
        }
        found[therapy] = Course(
            _area(plain, np.sum([plain[n] for n in SIGNAL], axis=0), start, FOLLOWED_D) / DAY,
            _at(plain, plain[ANTIBODY], start + FOLLOWED_D * DAY),
            {day: _at(plain, plain[KILLING], start + day * DAY) for day in days},
            _distances(rest, start, health, {n: np.maximum(v, scale[n]) for n, v in moved.items()}),
            {key: c[0] for key, c in challenged.items()},
            {key: c[1] for key, c in challenged.items()},
            {key: c[2] for key, c in challenged.items()},
        )
    return found


def _resting(group: Cohort) -> tuple[str, ...]:
    return tuple(n for n in group.model.states if n not in MEMORY and not n.startswith(MEMORY_OF))


def _solved(
    given: Given,
    start: Values,
    names: Sequence[str],
    days: float,
    workers: int,
    every_h: float = EVERY_H,
) -> Cohort:
    """The subjects from health to some days after the therapy, with other outputs than they came with."""
    end = float(start.max()) + days * DAY
    times = np.arange(0.0, end + every_h, every_h)
    asked = replace(given.group, times=times, values=dict.fromkeys(names, np.empty(0)))
    return with_doses(asked, given.doses, workers=workers)


def _challenged(
    given: Given, start: Values, pathogen: str, day: float, workers: int
) -> tuple[Values, Values, Values]:
    at = start + day * DAY
    doses = joined([given.doses, inoculum(given.group, pathogen, at, INOCULUM_MCFU[pathogen])])
    rows = given.group.parameters.copy()
    rows[:, given.group.model.parameters.index(OFF)] = 0.0
    only = replace(given.group, parameters=rows)
    step = CHALLENGE_EVERY_H
    solved = _solved(Given(only, doses), start, tuple(PATHOGENS), day + WATCHED_D, workers, every_h=step)
    load = np.maximum(np.sum([solved[n] for n in PATHOGENS], axis=0), 0.0)
    area = _area(solved, load, at, WATCHED_D) / DAY
    inside = _inside(solved, at, WATCHED_D)
    peak = np.where(inside, load, 0.0).max(axis=1)
    # Cleared from the first moment on after which it stays below.
    least = CLEARED * INOCULUM_MCFU[pathogen]
    many = inside & (load > least)
    last = solved.times.size - 1 - many[:, ::-1].argmax(axis=1)
    until = np.where(many.any(axis=1), solved.times[last] + step - at, 0.0) / DAY
    return np.log(area + least), np.log(peak + least), np.clip(until, 0.0, WATCHED_D)


def _inside(solved: Cohort, from_h: Values, days: float) -> NDArray[np.bool_]:
    after = solved.times[None, :] - from_h[:, None]
    return (after >= 0.0) & (after <= days * DAY)


def _area(solved: Cohort, values: Values, from_h: Values, days: float) -> Values:
    """Area under a curve from a time of each subject's own on, h times the curve's unit."""
    step = float(solved.times[1] - solved.times[0])
    return step * np.where(_inside(solved, from_h, days), values, 0.0).sum(axis=1)


def _at(solved: Cohort, values: Values, at_h: Values) -> Values:
    place = np.minimum(np.searchsorted(solved.times, at_h), solved.times.size - 1)
    return values[np.arange(values.shape[0]), place]


def _excursions(rest: Cohort, start: Values, health: Values) -> dict[str, Values]:
    """How far each state is moved after the therapy's time: float64[m], the largest distance."""
    place = {name: k for k, name in enumerate(rest.model.states)}
    inside = _inside(rest, start, REST_D)
    return {
        name: np.where(inside, np.abs(values - health[:, place[name], None]), 0.0).max(axis=1)
        for name, values in rest.values.items()
        if name in place
    }


def _distances(rest: Cohort, start: Values, health: Values, scale: Mapping[str, Values]) -> dict[str, Values]:
    """Distance from rest at the end; of a state that the illness does not move, relative to its rest."""
    place = {name: k for k, name in enumerate(rest.model.states)}
    found = {}
    for name, excursion in scale.items():
        healthy = health[:, place[name]]
        away = np.abs(_at(rest, rest[name], start + REST_D * DAY) - healthy)
        least = np.maximum(np.maximum(excursion, np.median(excursion)), RETURNED * np.abs(healthy))
        found[name] = away / np.maximum(least, 1e-9)
    return found
