"""From picked candidates to subjects at enrolment: their untreated course is solved again up to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mesolung.biology.disease import Disease
from mesolung.engine import ADD_PARAMETER, SET_PARAMETER, CompiledModel, EventTable
from mesolung.population.courses import courses_of_draw
from mesolung.population.draws import TREATMENT_MODULES, Draws, individual_values, varying
from mesolung.population.events import joined, of_subjects, shifted, where
from mesolung.population.library import Library
from mesolung.population.traits import PHYSIOLOGY
from mesolung.population.twice import HAZARD, solve_twice
from mesolung.streams import normals


@dataclass(frozen=True)
class RunIn:
    """Distinct (draw, course, moment) triples at enrolment.

    Attributes:
        parameters: float64[k, P], after the switches that the course has thrown so far.
        states: float64[k, S], cumulative hazard set to 0.
        pending: driver events still to come, hours since enrolment.
        covariates: name -> float64[k].
        failed: bool[k], courses that could not be solved again.
    """

    parameters: NDArray[np.float64]
    states: NDArray[np.float64]
    pending: EventTable
    covariates: Mapping[str, NDArray[np.float64]]
    failed: NDArray[np.bool_]


def run_in(
    model: CompiledModel,
    disease: Disease,
    draws: Draws,
    library: Library,
    places: NDArray[np.intp],
    *,
    workers: int,
    chunk: int,
) -> RunIn:
    """Solve distinct courses from health to enrolment.

    Arguments:
        model: the compiled biology.
        disease: drivers and covariates.
        draws: parameter draws.
        library: gives the times.
        places: intp[k, 3], rows (draw, course, step), distinct.
        workers, chunk: threads, and subjects that one takes at a time.

    Returns:
        the subjects at enrolment, in the order of ``places``.
    """
    k = places.shape[0]
    parameters = np.empty((k, len(model.parameters)))
    covariates: dict[str, NDArray[np.float64]] = {}
    events: list[EventTable] = []
    for draw in np.unique(places[:, 0]):
        rows = np.flatnonzero(places[:, 0] == draw)
        made = courses_of_draw(model, disease, draws, int(draw), library.courses)
        chosen = places[rows, 1]
        parameters[rows] = made.parameters[chosen]
        for name, values in made.covariates.items():
            if name == PHYSIOLOGY:
                continue
            covariates.setdefault(name, np.empty(k))[rows] = values[chosen]
        events.append(of_subjects(made.events, chosen, rows))
    everything = joined(events)
    start = library.times[places[:, 2]]
    before = everything.time < start[everything.subject]
    found, failures = solve_twice(
        model,
        parameters,
        start[:, None],
        None,
        where(everything, before),
        model.states,
        workers=workers,
        chunk=chunk,
    )
    states = found[:, 0, :]
    states[:, model.states.index(HAZARD)] = 0.0
    failed = np.zeros(k, bool)
    failed[[f.subject for f in failures]] = True
    later = where(everything, ~before)
    return RunIn(
        _after_switches(parameters, where(everything, before)),
        states,
        shifted(later, -start[later.subject]),
        covariates,
        failed,
    )


def run_in_mixture(
    model: CompiledModel,
    kinds: Sequence[tuple[Disease, Library]],
    draws: Draws,
    places: NDArray[np.intp],
    *,
    workers: int,
    chunk: int,
) -> RunIn:
    """Solve distinct courses of one or several diseases from health to enrolment.

    Arguments:
        model: the compiled biology.
        kinds: diseases, each with its library.
        draws: parameter draws.
        places: intp[k, 4], rows (number of the disease, draw, course, step), distinct.
        workers, chunk: threads, and subjects that one takes at a time.

    Returns:
        the subjects at enrolment, in the order of ``places``; a covariate that a disease lacks is nan there.
    """
    k = places.shape[0]
    parameters, states = np.empty((k, len(model.parameters))), np.empty((k, len(model.states)))
    failed = np.zeros(k, bool)
    covariates: dict[str, NDArray[np.float64]] = {}
    pending = []
    for number, (disease, library) in enumerate(kinds):
        rows = np.flatnonzero(places[:, 0] == number)
        if rows.size == 0:
            continue
        found = run_in(model, disease, draws, library, places[rows, 1:], workers=workers, chunk=chunk)
        parameters[rows], states[rows], failed[rows] = found.parameters, found.states, found.failed
        for name, values in found.covariates.items():
            covariates.setdefault(name, np.full(k, np.nan))[rows] = values
        pending.append(of_subjects(found.pending, np.arange(rows.size), rows))
    return RunIn(parameters, states, joined(pending), covariates, failed)


def _after_switches(parameters: NDArray[np.float64], thrown: EventTable) -> NDArray[np.float64]:
    result = parameters.copy()
    for subject, kind, target, value in zip(
        thrown.subject, thrown.kind, thrown.target, thrown.value, strict=True
    ):
        if kind == SET_PARAMETER:
            result[subject, target] = value
        elif kind == ADD_PARAMETER:
            result[subject, target] += value
    return result


def with_own_draw(
    model: CompiledModel,
    draws: Draws,
    parameters: NDArray[np.float64],
    draw: NDArray[np.intp],
    seed: int,
    subjects: int,
) -> NDArray[np.float64]:
    """Give subjects the treatment parameters of their own draw, wherever their course was borrowed from.

    Arguments:
        model: gives the places of parameters.
        draws: typical values.
        parameters: float64[n, P] of the courses, replicate after replicate.
        draw: intp[n], the replicate's draw.
        seed: keys how subjects differ in them.
        subjects: subjects a replicate.

    Returns:
        float64[n, P], a copy.
    """
    result = parameters.copy()
    ids = [
        i
        for i in model.parameters
        if i in draws.parameters and draws.parameters[i].module in TREATMENT_MODULES
    ]
    z = {
        name: np.concatenate(
            [normals(seed, f"subject:{name}", slot, subjects) for slot in range(draw.size // subjects)]
        )
        for name in varying(draws, ids, treated=True)
    }
    for name, values in individual_values(draws, ids, draw, z).items():
        result[:, model.parameters.index(name)] = values
    return result
