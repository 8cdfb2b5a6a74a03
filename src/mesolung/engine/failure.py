"""Why a subject could not be solved: its fastest state, and the parameter to look at."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mesolung.engine.errors import SubjectFailure
from mesolung.engine.evaluate import evaluate, needed
from mesolung.engine.events import EventTable
from mesolung.engine.layout import (
    ADD_PARAMETER,
    BAD_DELAY,
    BAD_SETTING,
    CHANCE,
    CONSTRAINT,
    NOT_A_NUMBER,
    SET_PARAMETER,
    STEP_TOO_SMALL,
    TOO_MANY_EVENTS,
)
from mesolung.engine.system import System

Values = NDArray[np.float64]


def describe(
    system: System,
    subject: int,
    status: int,
    time: float,
    state: Values,
    parameters: Values,
    events: EventTable,
    max_steps: int,
) -> SubjectFailure:
    """Describe a failure from where it happened.

    Arguments:
        system: the equations.
        subject: the subject's row.
        status: how it ended; see `layout`.
        time: where it stopped.
        state: float64[states] there.
        parameters: float64[parameters] at time 0.
        events: all events in order.
        max_steps: the limit that was set.

    Returns:
        The failure in words.
    """
    own = parameters.copy()
    for row in np.flatnonzero((events.subject == subject) & (events.time <= time)):
        if events.kind[row] == SET_PARAMETER:
            own[events.target[row]] = events.value[row]
        elif events.kind[row] == ADD_PARAMETER:
            own[events.target[row]] += events.value[row]
    _, derived = system.start(parameters)
    rates = np.array(evaluate(system.graph, system.rates, state, own, derived, time))
    with np.errstate(all="ignore"):
        speed = np.abs(rates) / (np.abs(state) + 1e-12)
    # A rate that is not a number is faster than any.
    fastest = int(np.argmax(np.where(np.isfinite(speed), speed, np.inf)))
    event, status = divmod(status, 16)
    if status == NOT_A_NUMBER:
        reason = "a rate is not a number"
    elif status == STEP_TOO_SMALL:
        reason = "the step became too small"
    elif status == BAD_DELAY:
        reason = f"the delay of event '{system.events[event].name}' is negative or not a number"
    elif status == BAD_SETTING:
        reason = f"event '{system.events[event].name}' sets what is not a number"
    elif status == CHANCE:
        reason = (
            f"event '{system.events[event].name}' and another of the same priority are due at once: chance "
            "decides which comes first, and the engine does not serve that"
        )
    elif status == CONSTRAINT:
        reason = f"{system.events[event].name} of the model is broken"
    elif status == TOO_MANY_EVENTS:
        reason = f"more than {max_steps} events"
    else:
        reason = f"more than {max_steps} steps"
    return SubjectFailure(subject, time, reason, system.states[fastest], _suspect(system, fastest, own))


def _suspect(system: System, state: int, parameters: Values) -> str:
    """The parameter of a state's law that is furthest, as a factor, from the model's own value."""
    g = system.graph
    derived = [int(g.value[n]) for n in needed(g, [system.rates[state]]) if g.op[n] == "derived"]
    nodes = needed(g, [system.rates[state], *(system.derived[d] for d in derived)])
    used = sorted({int(g.value[n]) for n in nodes if g.op[n] == "parameter"})
    if not used:
        return "none"
    a, b = parameters[used], system.defaults[used]
    with np.errstate(all="ignore"):
        away = np.abs(np.log(np.abs(a) / np.abs(b)))
    away = np.where(a == b, 0.0, np.where((np.sign(a) != np.sign(b)) | ~np.isfinite(away), np.inf, away))
    return system.parameters[used[int(np.argmax(away))]]
