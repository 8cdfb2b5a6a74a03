"""Events of an SBML model: simple thresholds for the kernel, or events in general."""

from __future__ import annotations

import libsbml

from mesolung.engine.errors import EngineError
from mesolung.engine.sbml_meaning import Meaning
from mesolung.engine.system import Event, Setting, Threshold


def thresholds_of(meaning: Meaning) -> tuple[Threshold, ...] | None:
    """Read all events as thresholds: one state against a bound that does not vary, and states that are set.

    Arguments:
        meaning: the model's names.

    Returns:
        The thresholds, or None where an event is more than that.
    """
    found = [_threshold(meaning, e) for e in _with_trigger(meaning)]
    simple = [t for t in found if t is not None]
    return tuple(simple) if len(simple) == len(found) else None


def events_of(meaning: Meaning) -> tuple[Event, ...]:
    """Read all events.

    Arguments:
        meaning: the model's names.

    Returns:
        The events.

    Raises:
        EngineError: for what the engine does not serve, by name.
    """
    events = [_event(meaning, e) for e in _with_trigger(meaning)]
    events += [_constraint(meaning, c, i) for i, c in enumerate(meaning.names.constraints)]
    return tuple(events)


def _with_trigger(meaning: Meaning) -> list[libsbml.Event]:
    # Without a formula the trigger is never met.
    return [
        e for e in meaning.names.model.getListOfEvents() if e.isSetTrigger() and e.getTrigger().isSetMath()
    ]


def _label(event: libsbml.Event) -> str:
    return event.getId() or event.getName()


def _threshold(meaning: Meaning, event: libsbml.Event) -> Threshold | None:
    g, n, name = meaning.graph, meaning.names, f"event '{_label(event)}'"
    if event.isSetDelay() or event.isSetPriority():
        return None
    trigger = event.getTrigger()
    condition = meaning.formulas.condition(trigger.getMath(), meaning.now, name)
    sides = g.args[condition]
    one_state = g.op[condition] in ("lt", "le") and sorted(
        "state" if g.op[s] == "state" else "bound" if g.invariant(s) else "other" for s in sides
    ) == ["bound", "state"]
    if not one_state:
        return None
    settings: list[tuple[int, int]] = []
    for assignment in event.getListOfEventAssignments():
        target = assignment.getVariable()
        if not assignment.isSetMath() or target not in n.index:
            return None
        value = meaning.formulas.number(assignment.getMath(), meaning.now, name)
        if not g.invariant(value):
            return None
        settings.append((n.index[target], value))
    return Threshold(event.getId(), condition, tuple(settings), _met_at_start(event))


def _met_at_start(event: libsbml.Event) -> bool:
    trigger = event.getTrigger()
    return trigger.getInitialValue() if trigger.isSetInitialValue() else True


def _event(meaning: Meaning, event: libsbml.Event) -> Event:
    n, name = meaning.names, f"event '{_label(event)}'"
    trigger = event.getTrigger()

    def number(tree: libsbml.ASTNode) -> int:
        return meaning.formulas.number(tree, meaning.now, name)

    settings: list[Setting] = []
    for assignment in event.getListOfEventAssignments():
        if not assignment.isSetMath():
            continue
        target, value = assignment.getVariable(), number(assignment.getMath())
        if target in n.amounts:
            size = meaning.now(n.species[target].getCompartment())
            settings.append(Setting(n.amounts[target], value, size))
        elif target in n.index:
            settings.append(Setting(n.index[target], value, None))
        else:
            raise EngineError(f"{name}: '{target}' is determined by a rule and cannot be set")
    delayed = event.isSetDelay() and event.getDelay().isSetMath()
    ranked = event.isSetPriority() and event.getPriority().isSetMath()
    return Event(
        name=_label(event),
        condition=meaning.formulas.condition(trigger.getMath(), meaning.now, name),
        settings=tuple(settings),
        delay=number(event.getDelay().getMath()) if delayed else None,
        priority=number(event.getPriority().getMath()) if ranked else None,
        persistent=trigger.getPersistent() if trigger.isSetPersistent() else True,
        values_at_trigger=event.getUseValuesFromTriggerTime(),
        met_at_start=_met_at_start(event),
    )


def _constraint(meaning: Meaning, tree: libsbml.ASTNode, index: int) -> Event:
    """A constraint as an event that ends the subject when it is broken."""
    name = f"constraint {index + 1}"
    broken = meaning.graph.invert(meaning.formulas.condition(tree, meaning.now, name))
    return Event(name, broken, (), None, None, True, True, False, ends=True)
