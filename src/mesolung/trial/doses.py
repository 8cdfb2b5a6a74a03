"""Doses as events: what is given, when, and into which compartment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from mesolung.biology.tables import routes
from mesolung.engine import ADD_PARAMETER, ADD_STATE, SET_PARAMETER, CompiledModel, EventTable
from mesolung.population.events import joined, same_events
from mesolung.product.received import CELLS_PER_GCELL as CELLS_PER_GCELL

RATE = "rate_"
BOLUSES = 4  # of an infusion into a state that has no rate of infusion


def cell_doses(
    model: CompiledModel,
    *,
    route: str,
    times_h: Sequence[float],
    infusion_h: float | NDArray[np.float64],
    live: NDArray[np.float64],
    apoptotic: NDArray[np.float64],
) -> EventTable:
    """Turn administrations of cells into events.

    Arguments:
        model: gives the places of states and rates.
        route: name of a row of ``routes.csv``, which says what the cells enter.
        times_h: starts of the administrations, hours since enrolment.
        infusion_h: length of each, hours; 0 is a bolus; float64[n] above 0 where subjects differ.
        live: float64[n], cells of one administration that reach the compartment alive, a subject each.
        apoptotic: float64[n], cells that arrive apoptotic.

    Returns:
        events of all subjects.

    Raises:
        KeyError: when there is no such route.
    """
    row = routes()[route]
    entered = ((row.live_cells_enter, live), (row.apoptotic_cells_enter, apoptotic))
    amounts = {state: cells / CELLS_PER_GCELL for state, cells in entered if state is not None}
    return product_doses(model, amounts=amounts, times_h=times_h, infusion_h=infusion_h)


def product_doses(
    model: CompiledModel,
    *,
    amounts: Mapping[str, NDArray[np.float64]],
    times_h: Sequence[float],
    infusion_h: float | NDArray[np.float64],
) -> EventTable:
    """Turn administrations of a product into events.

    Arguments:
        model: gives the places of states and rates.
        amounts: state -> float64[n], what one administration puts into it, a subject each, in its unit.
        times_h: starts of the administrations, hours since enrolment.
        infusion_h: length of each, hours; 0 is a bolus; float64[n] above 0 where subjects differ.

    Returns:
        events of all subjects. A state without a ``rate_`` parameter receives an infusion as boluses, evenly
        over its length.
    """
    parts = []
    for state, amount in amounts.items():
        for start in times_h:
            parts.append(infusion(model, state, start, infusion_h, amount))
    return joined(parts)


def infusion(
    model: CompiledModel,
    state: str,
    start_h: float,
    length_h: float | NDArray[np.float64],
    amount: NDArray[np.float64],
) -> EventTable:
    """Give an amount into a state, at once or at a constant rate.

    Arguments:
        model: gives the places of the state and of its ``rate_`` parameter.
        state: name of the state.
        start_h: hours.
        length_h: hours; 0 gives it at once; float64[n] above 0 where subjects differ.
        amount: float64[n], a subject each, in the state's unit.

    Returns:
        events, ordered by subject.
    """
    subjects = np.arange(amount.size)
    if np.ndim(length_h) == 0 and length_h <= 0:
        return same_events(ADD_STATE, model.states.index(state), subjects, start_h, amount)
    if RATE + state not in model.parameters:
        place, middles = model.states.index(state), (np.arange(BOLUSES) + 0.5) / BOLUSES
        return joined(
            [
                same_events(ADD_STATE, place, subjects, start_h + m * length_h, amount / BOLUSES)
                for m in middles
            ]
        )
    rate = model.parameters.index(RATE + state)
    return joined(
        [
            same_events(ADD_PARAMETER, rate, subjects, start_h, amount / length_h),
            same_events(ADD_PARAMETER, rate, subjects, start_h + length_h, -amount / length_h),
        ]
    )


def drug_doses(
    model: CompiledModel,
    *,
    target: str,
    subjects: NDArray[np.intp],
    dose: NDArray[np.float64],
    start_h: float,
    duration_h: float,
    every_h: float,
) -> EventTable:
    """Give a drug of usual care: repeated doses into a state, or a parameter switched on and off.

    Arguments:
        model: gives the places.
        target: a state (receives ``dose`` every ``every_h``) or a parameter (is 1 while the drug is given).
        subjects: intp[m], who receives it.
        dose: float64[m], in the state's unit; not used for a parameter.
        start_h, duration_h, every_h: hours.

    Returns:
        events of those subjects.

    Raises:
        KeyError: when the model has no such state or parameter.
    """
    if target in model.states:
        place = model.states.index(target)
        times = start_h + np.arange(max(int(np.ceil(duration_h / every_h - 1e-9)), 1)) * every_h
        return joined([same_events(ADD_STATE, place, subjects, t, dose) for t in times])
    if target not in model.parameters:
        raise KeyError(target)
    place = model.parameters.index(target)
    one = np.ones(subjects.size)
    return joined(
        [
            same_events(SET_PARAMETER, place, subjects, start_h, one),
            same_events(SET_PARAMETER, place, subjects, start_h + duration_h, 0.0 * one),
        ]
    )
