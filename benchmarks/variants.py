"""The same SBML in forms that tools take: numbers for initial assignments, scaled states, dose events."""

from __future__ import annotations

import libsbml
import numpy as np
from numpy.typing import NDArray

from benchmarks.task import Change, Task

Values = NDArray[np.float64]

# A dose slot that a subject does not need is set to a time that never comes.
NEVER = 1e9
SCALED = "_scaled"


def with_numbers(sbml: str) -> str:
    """Replace initial assignments of parameters by numbers: each subject's are set from outside.

    Arguments:
        sbml: the model.

    Returns:
        SBML text.
    """
    document = libsbml.readSBMLFromString(sbml)
    _without_assignments(document.getModel())
    return libsbml.writeSBMLToString(document)


def _without_assignments(model: libsbml.Model) -> None:
    while model.getNumInitialAssignments():
        model.getParameter(model.removeInitialAssignment(0).getSymbol()).setValue(0.0)


def slots_of(task: Task) -> list[tuple[Change, int]]:
    """The kinds of dose in a task, and how often a subject has each of them after time 0.

    Arguments:
        task: the task.

    Returns:
        pairs of a change (its value is of no meaning) and the largest number of times that it happens.
    """
    counts: dict[tuple[bool, int, bool], int] = {}
    for i in range(task.subjects):
        own: dict[tuple[bool, int, bool], int] = {}
        for leg in task.legs(i):
            for change in leg.changes if leg.start > 0.0 else ():
                key = (change.on_state, change.target, change.adds)
                own[key] = own.get(key, 0) + 1
        for key, count in own.items():
            counts[key] = max(count, counts.get(key, 0))
    return [(Change(*key, value=0.0), count) for key, count in sorted(counts.items())]


def slot_names(task: Task) -> list[tuple[str, str, str, Change]]:
    """The dose slots of `with_doses`: parameters of time and of amount, target, and kind of change."""
    found = []
    for change, count in slots_of(task):
        target = (task.states if change.on_state else task.parameters)[change.target]
        for k in range(count):
            found.append((f"dose_time_{target}_{k}", f"dose_size_{target}_{k}", target, change))
    return found


def slot_values(task: Task, subject: int) -> dict[str, float]:
    """One subject's dose times and amounts, by the names of `slot_names`.

    Arguments:
        task: the task.
        subject: which.

    Returns:
        a time and an amount for each slot; a slot that the subject does not need never comes.
    """
    values: dict[str, float] = {}
    for when, size, _, _ in slot_names(task):
        values[when], values[size] = NEVER, 0.0
    used: dict[str, int] = {}
    for leg in task.legs(subject):
        for change in leg.changes if leg.start > 0.0 else ():
            target = (task.states if change.on_state else task.parameters)[change.target]
            k = used.get(target, 0)
            used[target] = k + 1
            values[f"dose_time_{target}_{k}"] = leg.start
            values[f"dose_size_{target}_{k}"] = change.value
    return values


def start_values(task: Task, subject: int) -> dict[str, float]:
    """One subject's values by name at time 0, after what happens at that time.

    Arguments:
        task: the task.
        subject: which.

    Returns:
        parameters, derived constants and states.
    """
    states, row = task.initial[subject].copy(), task.rows[subject].copy()
    for leg in task.legs(subject):
        for change in leg.changes if leg.start == 0.0 else ():
            change.apply(states, row)
    values = task.named(subject)
    values.update(zip(task.parameters, row.tolist(), strict=True))
    values.update(zip(task.states, states.tolist(), strict=True))
    return values


def with_doses(task: Task, sizes: Values) -> str:
    """Scale the states and add the dose events, for tools that have one absolute tolerance and events.

    Arguments:
        task: the task.
        sizes: float64[states], what each state is divided by.

    Returns:
        SBML text: state X becomes X = size * X_scaled, each dose slot an event at time >= dose_time that adds
        or sets dose_size; initial assignments are numbers.
    """
    document = libsbml.readSBMLFromString(task.sbml)
    model = document.getModel()
    _without_assignments(model)
    for state, size in zip(task.states, sizes.tolist(), strict=True):
        _scale(model, state, size)
    for event in model.getListOfEvents():
        for setting in event.getListOfEventAssignments():
            size = float(sizes[task.states.index(setting.getVariable())])
            _set_math(setting, f"({libsbml.formulaToL3String(setting.getMath())}) / {size!r}")
            setting.setVariable(setting.getVariable() + SCALED)
    for when, amount, target, change in slot_names(task):
        _add_dose(model, when, amount, target, change, task, sizes)
    return libsbml.writeSBMLToString(document)


def _scale(model: libsbml.Model, state: str, size: float) -> None:
    rule = model.getRateRule(state)
    if rule is None:
        raise ValueError(f"'{state}' has no rate rule; the benchmark serves states with a rate rule alone")
    extra = model.createParameter()
    extra.setId(state + SCALED)
    extra.setConstant(False)
    extra.setValue(0.0)
    rule.setVariable(state + SCALED)
    _set_math(rule, f"({libsbml.formulaToL3String(rule.getMath())}) / {size!r}")
    whole = model.createAssignmentRule()
    whole.setVariable(state)
    _set_math(whole, f"{size!r} * {state}{SCALED}")
    old = model.getParameter(state)
    if old is not None:
        old.setConstant(False)
        old.unsetValue()


def _add_dose(
    model: libsbml.Model, when: str, amount: str, target: str, change: Change, task: Task, sizes: Values
) -> None:
    for name in (when, amount):
        new = model.createParameter()
        new.setId(name)
        new.setConstant(True)
        new.setValue(NEVER if name == when else 0.0)
    variable, divisor = target, "1"
    if change.on_state:
        variable, divisor = target + SCALED, repr(float(sizes[change.target]))
    else:
        model.getParameter(target).setConstant(False)
    event = model.createEvent()
    event.setId(f"at_{when}")
    event.setUseValuesFromTriggerTime(True)
    trigger = event.createTrigger()
    trigger.setInitialValue(True)
    trigger.setPersistent(True)
    _set_math(trigger, f"time >= {when}")
    setting = event.createEventAssignment()
    setting.setVariable(variable)
    base = f"{variable} + " if change.adds else ""
    _set_math(setting, f"{base}{amount} / {divisor}")


def _set_math(element: libsbml.SBase, formula: str) -> None:
    tree = libsbml.parseL3Formula(formula)
    if tree is None:
        raise ValueError(libsbml.getLastParseL3Error())
    element.setMath(tree)
