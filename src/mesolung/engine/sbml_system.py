"""The parts of an SBML model put together as a `System`."""

from __future__ import annotations

from dataclasses import replace

import libsbml
import numpy as np

from mesolung.engine.crossing import distance, switches
from mesolung.engine.errors import EngineError
from mesolung.engine.sbml_events import events_of, thresholds_of
from mesolung.engine.sbml_meaning import Meaning
from mesolung.engine.sbml_names import Names
from mesolung.engine.system import Event, Setting, System, Threshold


def system_of(model: libsbml.Model) -> System:
    """Make the system of a model without submodels.

    Arguments:
        model: the model.

    Returns:
        The system.

    Raises:
        EngineError: for what the engine does not serve, by name.
    """
    names = Names(model)
    meaning = Meaning(names)
    g = meaning.graph
    rates = [meaning.rate(i) for i in range(len(names.states))]
    laws = [meaning.now(n) for n in names.observables]
    initial = [meaning.initial(i) for i in range(len(names.states))]
    derived = [meaning.first(n) for n in names.constants]
    thresholds = None if names.unknowns else thresholds_of(meaning)
    events = () if thresholds is not None else events_of(meaning)
    known = meaning.determined() if names.unknowns else {}
    rates, laws, initial, derived = (meaning.put_in(part, known) for part in (rates, laws, initial, derived))
    for node in (*initial, *derived):
        if not g.invariant(node):
            raise EngineError("a value at the start depends on what is known only later")
    events = tuple(_without_unknowns(meaning, e, known) for e in events)
    still = sum(1 << (i + 1) for i, r in enumerate(rates) if g.is_const(r, 0.0))
    turning = [*rates, *(e.condition for e in events), *(e.delay for e in events if e.delay is not None)]
    system = System(
        graph=g,
        states=tuple(names.states),
        parameters=tuple(names.parameters),
        observables=tuple(names.observables),
        constants=tuple(names.constants),
        rates=tuple(rates),
        laws=tuple(laws),
        initial=tuple(initial),
        derived=tuple(derived),
        thresholds=thresholds or (),
        defaults=np.array([names.defaults[n] for n in names.parameters], dtype=np.float64),
        units={n: names.unit(n) for n in (*names.states, *names.parameters, *names.observables)},
        events=events,
        switches=switches(g, turning, still),
    )
    if not events:
        return system
    return replace(system, thresholds=tuple(t for e in events for t in _watched(system, e)))


def _without_unknowns(meaning: Meaning, event: Event, known: dict[int, int]) -> Event:
    """An event with what algebraic rules determine written out."""
    if not known:
        return event

    def put(node: int | None) -> int | None:
        return None if node is None else meaning.put_in([node], known)[0]

    return replace(
        event,
        condition=put(event.condition),
        delay=put(event.delay),
        priority=put(event.priority),
        settings=tuple(Setting(s.state, put(s.value), put(s.scale)) for s in event.settings),  # type: ignore[arg-type]
    )


def _watched(system: System, event: Event) -> tuple[Threshold, Threshold]:
    """An event's trigger as two thresholds that pause a subject: the trigger is met, and no longer met."""
    g, both = system.graph, []
    for condition in (event.condition, g.invert(event.condition)):
        past, size = distance(g, condition)
        both.append(Threshold(event.name, condition, (), True, pauses=True, past=past, size=size))
    return both[0], both[1]
