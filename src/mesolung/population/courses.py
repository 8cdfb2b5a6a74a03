"""Untreated courses of a disease: the rows and driver events that the engine solves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mesolung.biology.disease import Disease
from mesolung.engine import ADD_STATE, SET_PARAMETER, CompiledModel, EventTable
from mesolung.population.draws import Draws, individual_values, varying
from mesolung.population.events import joined, same_events
from mesolung.population.smoking import smoked
from mesolung.population.traits import SCORES, with_traits
from mesolung.streams import normals

# A course may be enrolled at any of so many moments, each after a delay of its own.
MOMENTS = 4


@dataclass(frozen=True)
class Courses:
    """Courses ready to be solved from health.

    Attributes:
        parameters: float64[n, P], columns as ``model.parameters``.
        events: driver events, times in hours since the start of the course.
        covariates: name -> float64[n].
    """

    parameters: NDArray[np.float64]
    events: EventTable
    covariates: Mapping[str, NDArray[np.float64]]


def courses_of_draw(model: CompiledModel, disease: Disease, draws: Draws, draw: int, count: int) -> Courses:
    """Make the first courses of a parameter draw.

    Arguments:
        model: the compiled biology.
        disease: drivers and covariates.
        draws: typical values.
        draw: number of the draw.
        count: how many courses; course i is the same however many are asked for.

    Returns:
        the courses, whose numbers depend on (posterior, draw, course) alone.
    """
    ids = [name for name in model.parameters if name in draws.parameters]
    z = {
        name: normals(draws.key, f"course:{name}", draw, count)
        for name in (*varying(draws, ids, treated=False), *disease.normals)
    }
    values = individual_values(draws, ids, np.full(count, draw), z)
    own = {name: normals(draws.key, f"course:trait:{name}", draw, count) for name in SCORES}
    covariates = with_traits({**disease.covariate_values(z), **smoked(disease, z)}, own)
    parameters = np.tile(model.default_parameters, (count, 1))
    column = {name: k for k, name in enumerate(model.parameters)}
    for name, value in {**values, **covariates}.items():
        if name in column:
            parameters[:, column[name]] = value
    return Courses(parameters, _driver_events(model, disease, z), covariates)


def delays(disease: Disease, key: str, draws: int, count: int) -> NDArray[np.float64]:
    """Standard scores of the times from the first eligible moment to enrolment.

    Arguments:
        disease: whose courses they are.
        key: of the parameter draws.
        draws, count: shape.

    Returns:
        float64[draws, count, MOMENTS], standard normal.
    """
    return np.stack(
        [
            np.stack([normals(key, f"course:delay{k}:{disease.name}", d, count) for k in range(MOMENTS)], -1)
            for d in range(draws)
        ]
    )


def _driver_events(
    model: CompiledModel, disease: Disease, z: Mapping[str, NDArray[np.float64]]
) -> EventTable:
    made = disease.events(z)
    parts = []
    for k, name in enumerate(made.names):
        own = made.target == k
        state = name in model.states
        place = (model.states if state else model.parameters).index(name)
        kind = ADD_STATE if state else SET_PARAMETER
        parts.append(same_events(kind, place, made.subject[own], made.time[own], made.value[own]))
    table = joined(parts)
    order = np.lexsort((table.time, table.subject))
    return EventTable(
        table.subject[order], table.time[order], table.kind[order], table.target[order], table.value[order]
    )
