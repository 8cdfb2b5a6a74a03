"""What every tool is given: a model, rows of different parameters, starting values, doses, output times."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import libsbml
import numpy as np
from numpy.typing import NDArray

from mesolung.engine import ADD_PARAMETER, ADD_STATE, SET_STATE, CompiledModel, EventTable

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Change:
    """A dose, or a parameter that takes another value: what it is done to, whether it adds, and how much."""

    on_state: bool
    target: int
    adds: bool
    value: float

    def apply(self, states: Values, parameters: Values) -> None:
        """Carry it out on one subject's states and parameters, in place."""
        row = states if self.on_state else parameters
        row[self.target] = row[self.target] + self.value if self.adds else self.value


@dataclass(frozen=True)
class Leg:
    """A stretch of one subject's course without a dose in it.

    ``changes`` happen at its ``start``; ``outputs`` are the places of the output times from its start on and
    before its ``stop``, the last leg's stop included.
    """

    start: float
    stop: float
    changes: tuple[Change, ...]
    outputs: tuple[int, ...]


@dataclass(frozen=True)
class Threshold:
    """An event of the model itself: a state that falls below a bound is set to a value.

    ``bound`` is the place of a parameter, or a number where ``bound_is_number``.
    """

    state: int
    bound: float
    bound_is_number: bool
    value: float

    def level(self, parameters: Values) -> float:
        """The bound for one subject."""
        return self.bound if self.bound_is_number else float(parameters[int(self.bound)])


@dataclass(frozen=True)
class Task:
    """One model and its subjects.

    ``sbml``: the model; ``states``, ``parameters``: its names in the engine's order; ``rows``:
    float64[subjects, parameters]; ``initial``: float64[subjects, states]; ``derived``: the constants that the
    model computes from each row, by name; ``events``: doses; ``times``: float64[times], from 0;
    ``time_unit``: of the times.
    """

    name: str
    sbml: str
    states: tuple[str, ...]
    parameters: tuple[str, ...]
    rows: Values
    initial: Values
    derived: dict[str, Values]
    events: EventTable
    times: Values
    time_unit: str

    @property
    def subjects(self) -> int:
        """How many subjects."""
        return len(self.rows)

    def first(self, count: int) -> Task:
        """The same task for the first subjects alone.

        Arguments:
            count: how many; all where there are fewer.

        Returns:
            a task.
        """
        kept = self.events.subject < count
        columns = ("subject", "time", "kind", "target", "value")
        return Task(
            name=self.name,
            sbml=self.sbml,
            states=self.states,
            parameters=self.parameters,
            rows=self.rows[:count],
            initial=self.initial[:count],
            derived={name: values[:count] for name, values in self.derived.items()},
            events=EventTable(**{c: getattr(self.events, c)[kept] for c in columns}),
            times=self.times,
            time_unit=self.time_unit,
        )

    def fingerprint(self) -> str:
        """Name the task: tools that show the same sixteen digits were given the same numbers."""
        digest = hashlib.sha256(self.sbml.encode())
        arrays = [self.rows, self.initial, self.times]
        arrays += [self.events.subject, self.events.time, self.events.target, self.events.value]
        for array in arrays:
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()[:16]

    @cached_property
    def _legs(self) -> tuple[tuple[Leg, ...], ...]:
        return tuple(tuple(self._legs_of(i)) for i in range(self.subjects))

    def legs(self, subject: int) -> tuple[Leg, ...]:
        """One subject's course cut at its doses.

        Arguments:
            subject: which.

        Returns:
            the legs in order, the first from time 0.
        """
        return self._legs[subject]

    def _legs_of(self, subject: int) -> Iterator[Leg]:
        own = np.flatnonzero(self.events.subject == subject)
        own = own[np.argsort(self.events.time[own], kind="stable")]
        end = float(self.times[-1])
        when = self.events.time[own]
        starts = sorted({0.0, *(float(t) for t in when if t <= end)})
        for start, stop in zip(starts, [*starts[1:], end], strict=True):
            last = start == starts[-1]
            inside = (self.times >= start) & ((self.times <= stop) if last else (self.times < stop))
            changes = tuple(self._change(int(e)) for e in own[when == start])
            yield Leg(start, stop, changes, tuple(np.flatnonzero(inside).tolist()))

    def _change(self, event: int) -> Change:
        kind = int(self.events.kind[event])
        return Change(
            on_state=kind in (ADD_STATE, SET_STATE),
            target=int(self.events.target[event]),
            adds=kind in (ADD_STATE, ADD_PARAMETER),
            value=float(self.events.value[event]),
        )

    @cached_property
    def thresholds(self) -> tuple[Threshold, ...]:
        """The events of the model itself.

        Raises:
            ValueError: for an event that is not a state that falls below a bound and is set to a number.
        """
        model = libsbml.readSBMLFromString(self.sbml).getModel()
        return tuple(self._threshold(event) for event in model.getListOfEvents())

    def _threshold(self, event: libsbml.Event) -> Threshold:
        formula = event.getTrigger().getMath()
        setting = event.getEventAssignment(0)
        left, right = formula.getChild(0), formula.getChild(1)
        number = setting.getMath()
        known = (
            formula.getType() == libsbml.AST_RELATIONAL_LT
            and left.getName() in self.states
            and event.getNumEventAssignments() == 1
            and setting.getVariable() == left.getName()
            and number.isNumber()
            and (right.isNumber() or right.getName() in self.parameters)
        )
        if not known:
            raise ValueError(
                f"event '{event.getId()}': the benchmark serves states that fall below a bound alone"
            )
        bound = right.getValue() if right.isNumber() else self.parameters.index(right.getName())
        return Threshold(self.states.index(left.getName()), bound, right.isNumber(), number.getValue())

    def named(self, subject: int) -> dict[str, float]:
        """One subject's parameters, derived constants and starting values, by name."""
        row = dict(zip(self.parameters, self.rows[subject].tolist(), strict=True))
        row.update({name: float(values[subject]) for name, values in self.derived.items()})
        row.update(zip(self.states, self.initial[subject].tolist(), strict=True))
        return row


def make_task(
    name: str,
    model: CompiledModel,
    sbml: str,
    rows: Values,
    events: EventTable,
    times: Values,
    time_unit: str,
    initial: Values | None = None,
) -> Task:
    """Put a task together.

    Arguments:
        name: in tables.
        model, sbml: the model, compiled and as text.
        rows: float64[subjects, parameters].
        events: doses.
        times: float64[times], from 0.
        time_unit: of the times.
        initial: float64[subjects, states]; None for what the model gives.

    Returns:
        the task.
    """
    return Task(
        name=name,
        sbml=sbml,
        states=model.states,
        parameters=model.parameters,
        rows=rows,
        initial=model.initial(rows) if initial is None else initial,
        derived=model.derived(rows),
        events=events,
        times=times,
        time_unit=time_unit,
    )
