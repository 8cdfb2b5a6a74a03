"""The parts of an SBML model put together as a `System`."""

from __future__ import annotations

from dataclasses import replace

import libsbml
import numpy as np

from mesolung.engine.errors import EngineError
from mesolung.engine.evaluate import needed
from mesolung.engine.sbml_events import events_of, thresholds_of
from mesolung.engine.sbml_meaning import Meaning
from mesolung.engine.sbml_names import Names
from mesolung.engine.system import Event, Setting, System, Threshold
from mesolung.engine.turning import distance, switches


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
    known = meaning.determined() if names.unknowns else {}
    rates, laws, initial, derived = (meaning.put_in(part, known) for part in (rates, laws, initial, derived))
    still = sum(1 << (i + 1) for i, r in enumerate(rates) if g.is_const(r, 0.0))
    general = names.unknowns or names.constraints or switches(g, rates, still)
    thresholds = None if general else thresholds_of(meaning)
    events = () if thresholds is not None else events_of(meaning)
    for node in (*initial, *derived):
        if not g.invariant(node):
            raise EngineError("a value at the start depends on what is known only later")
    _refuse_valueless(meaning, [*laws, *initial])
    events = tuple(_without_unknowns(meaning, e, known) for e in events)
    turning = [*rates, *(e.condition for e in events), *(e.delay for e in events if e.delay is not None)]
    _refuse_valueless(meaning, [*turning, *(s.value for e in events for s in e.settings)])
    _refuse_valueless(
        meaning, [n for t in thresholds or () for n in (t.condition, *dict(t.settings).values())]
    )
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
    _refuse_chance(system)
    return replace(system, thresholds=_watched(system))


def _refuse_valueless(meaning: Meaning, nodes: list[int]) -> None:
    """A parameter without a value is fine as long as nothing needs it."""
    g, names = meaning.graph, meaning.names
    for node in needed(g, nodes):
        if g.op[node] == "derived" and (name := names.constants[int(g.value[node])]) in names.valueless:
            raise EngineError(f"'{name}' has no value")


def _refuse_chance(system: System) -> None:
    """Refuse events that are always due at once, of the same priority, if their order matters."""
    for a, b in sorted(system.clashes):
        one, other = system.events[a], system.events[b]
        if one.condition == other.condition and one.priority is not None and one.priority == other.priority:
            raise EngineError(
                f"events '{one.name}' and '{other.name}' have the same trigger and priority: chance decides "
                "which comes first, and the engine does not serve that"
            )


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


def _watched(system: System) -> tuple[Threshold, ...]:
    """Every comparison in a trigger as two thresholds that pause a subject: it holds, it holds no more."""
    g, found = system.graph, []
    for node in system.atoms:
        for condition in (node, g.invert(node)):
            past, size = distance(g, condition)
            found.append(Threshold("", condition, (), True, pauses=True, past=past, size=size))
    return tuple(found)
