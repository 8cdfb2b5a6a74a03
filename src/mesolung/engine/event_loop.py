"""Subjects whose model has events in general: solved from event to event, all subjects of a chunk in rounds.

The kernel solves each subject up to where a trigger turns, or to the next moment that is known beforehand: a
dose, an event whose delay is over, a switch of time. What happens there is worked off by `happening`. Every
value comes from the kernel, so that a subject's numbers depend on neither its neighbours nor on NumPy.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mesolung.engine.cohort import Answer, Chunk, Problem, spans_of
from mesolung.engine.events import EventTable
from mesolung.engine.happening import Happenings, Subject
from mesolung.engine.kernel import Kernel
from mesolung.engine.layout import (
    ADD_PARAMETER,
    ADD_STATE,
    DONE,
    PAUSED,
    SET_PARAMETER,
    SET_STATE,
    TOO_MANY_STEPS,
    Layout,
)
from mesolung.engine.system import System
from mesolung.execution import map_chunks

Values = NDArray[np.float64]
Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Machine:
    """A compiled model: its equations, its code, and how the code uses memory."""

    system: System
    kernel: Kernel
    layout: Layout
    lanes: int


def solve_with_events(
    machine: Machine,
    problem: Problem,
    workers: int,
    chunk: int,
    progress: Callable[[int, int], None] | None,
) -> Answer:
    """Solve all subjects of a model that has events in general; as `solve_cohort` does for others.

    Arguments:
        machine: the compiled model.
        problem: the subjects.
        workers: threads.
        chunk: subjects that a thread takes at a time, at most.
        progress: called with chunks done and chunks in all.

    Returns:
        The results, which depend on neither workers nor chunk.
    """
    n = len(problem.parameters)
    values = np.full((n, problem.times.shape[-1], len(problem.wanted)), np.nan)
    status, steps, rejected = (np.zeros(n, dtype=np.int64) for _ in range(3))
    stop_time = np.zeros(n)

    def one(span: tuple[int, int]) -> dict[int, Values]:
        a, b = span
        rounds = _Rounds(machine, problem, a, b, values[a:b])
        rounds.run()
        status[a:b], steps[a:b], rejected[a:b] = rounds.status, rounds.steps, rounds.rejected
        stop_time[a:b] = [s.time for s in rounds.subjects]
        return {a + int(i): rounds.state[i].copy() for i in np.flatnonzero(rounds.status)}

    stops: dict[int, Values] = {}
    for found in map_chunks(one, spans_of(n, workers, chunk, machine.lanes), workers, progress):
        stops.update(found)
    return Answer(values, status, steps, rejected, stop_time, stops)


class _Rounds:
    """The subjects of one chunk, taken from event to event."""

    def __init__(self, machine: Machine, problem: Problem, a: int, b: int, values: Values) -> None:
        self.machine, self.system, self.problem = machine, machine.system, problem
        self.table = problem.parameters[a:b]
        self.own = self.table.copy()
        self.rows = problem.first_event[a : b + 1]
        self.times = np.broadcast_to(
            problem.times if problem.times.ndim == 1 else problem.times[a:b], (b - a, problem.times.shape[-1])
        )
        chunk = Chunk(machine.kernel, machine.layout, machine.lanes, self.table)
        self.state = chunk.initial() if problem.initial is None else problem.initial[a:b].copy()
        self.values = values
        self.status, self.steps, self.rejected = (np.zeros(b - a, dtype=np.int64) for _ in range(3))
        self.subjects = [
            Subject(met=[e.met_at_start for e in self.system.events], dose=int(self.rows[i]))
            for i in range(b - a)
        ]
        self.happenings = Happenings(self.system, len(problem.wanted))
        looks = len(self.system.states) + len(self.system.laws) + np.arange(len(self.system.looks))
        self.looking = np.concatenate([problem.wanted, looks]).astype(np.int64)

    def run(self) -> None:
        """Solve every subject to its last output, or to where it fails."""
        live = np.arange(len(self.table))
        while self.times.shape[1] and len(live):
            for i in live:
                self._doses(int(i))
            looks = self._settle(live)
            live = np.array(
                [i for i in live if not self.status[i] and self._emit(int(i), looks[int(i)])], dtype=np.int64
            )
            if len(live):
                self._segment(live, looks)
            live = live[self.status[live] == DONE]

    # ---- one moment ----
    def _doses(self, i: int) -> None:
        """Doses that are due."""
        s, events = self.subjects[i], self.problem.events
        while s.dose < self.rows[i + 1] and events.time[s.dose] <= s.time:
            kind, target, value = events.kind[s.dose], events.target[s.dose], events.value[s.dose]
            array = self.state if kind in (ADD_STATE, SET_STATE) else self.own
            array[i, target] = value + (array[i, target] if kind in (ADD_STATE, ADD_PARAMETER) else 0.0)
            s.dose += 1

    def _settle(self, live: Rows) -> dict[int, Values]:
        """Let events happen until none is due; the last look at each subject."""
        looks: dict[int, Values] = {}
        while len(live):
            found, met = self._look(live)
            for k, i in enumerate(live):
                looks[int(i)] = found[k]
                subject, state = self.subjects[int(i)], self.state[i]
                self.status[i] = self.happenings.act(subject, found[k], met[k], state, self.problem.max_steps)
            again = self.status[live] == PAUSED
            self.status[live[again]] = DONE
            live = live[again]
        return looks

    def _emit(self, i: int, look: Values) -> bool:
        """Keep outputs up to now; whether there are more to come."""
        s, times = self.subjects[i], self.times[i]
        while s.output < len(times) and times[s.output] <= s.time:
            self.values[i, s.output] = look[: len(self.problem.wanted)]
            s.output += 1
        return s.output < len(times)

    # ---- from one moment to the next ----
    def _segment(self, live: Rows, looks: dict[int, Values]) -> None:
        """Solve to each subject's next known moment, or to where a trigger turns before."""
        doses = self.problem.events.time
        for i in live:
            s = self.subjects[int(i)]
            dose = [float(doses[s.dose])] if s.dose < self.rows[i + 1] else []
            self.happenings.aim(s, looks[int(i)], [float(self.times[i, -1]), *dose])
        live = np.array(
            [i for i in live if self.subjects[int(i)].time < self.subjects[int(i)].end], dtype=np.int64
        )
        if not len(live):
            return
        wanted: list[Values] = []
        for i in live:
            s = self.subjects[int(i)]
            rest = self.times[i, s.output :]
            wanted.append(rest[rest < s.end])
        width = max(len(w) for w in wanted) + 1
        times = np.stack(
            [
                np.concatenate([w, np.full(width - len(w), self.subjects[int(i)].end)])
                for i, w in zip(live, wanted, strict=True)
            ]
        )
        values, answer = self._call(live, times, self.problem.wanted, ends=times[:, -1])
        for k, i in enumerate(live):
            s = self.subjects[int(i)]
            s.time = float(answer["stop_time"][k])
            before = int((wanted[k] < s.time).sum())
            self.values[i, s.output : s.output + before] = values[k, :before]
            s.output += before
            self.state[i] = answer["stop_state"][k]
            self.steps[i] += answer["steps"][k]
            self.rejected[i] += answer["rejected"][k]
            status = int(answer["status"][k])
            if status not in (DONE, PAUSED):
                self.status[i] = status
            elif self.steps[i] >= self.problem.max_steps:
                self.status[i] = TOO_MANY_STEPS
            elif s.time == s.end:
                s.time = s.next

    # ---- what the kernel says ----
    def _look(self, live: Rows) -> tuple[Values, NDArray[np.bool_]]:
        """What is wanted and what events and switches need, at each subject's time; which trigger is met."""
        times = np.array([[self.subjects[int(i)].time] for i in live])
        values, answer = self._call(live, times, self.looking)
        return values[:, 0], self.happenings.truth(answer["stop_met"][:, ::2] > 0.0)

    def _call(
        self, live: Rows, times: Values, wanted: Rows, ends: Values | None = None
    ) -> tuple[Values, dict[str, NDArray[Any]]]:
        n, layout = len(live), self.machine.layout
        start = np.array([self.subjects[int(i)].time for i in live])
        # Derived constants follow from the parameters at time 0: what has changed since is set anew.
        who, which = np.nonzero(self.own[live] != self.table[live])
        events = EventTable(
            who, start[who], np.full(len(who), SET_PARAMETER), which, self.own[live[who], which]
        )
        if ends is not None:
            # Outputs lie inside steps: nothing is added there so that a step ends where the segment does.
            nothing = np.zeros(n)
            rows = np.arange(n)
            kinds, targets = np.full(n, ADD_STATE), np.zeros(n, dtype=np.int64)
            events = EventTable(
                np.concatenate([who, rows]),
                np.concatenate([events.time, ends]),
                np.concatenate([events.kind, kinds]),
                np.concatenate([events.target, targets]),
                np.concatenate([events.value, nothing]),
            )
        events, first = events.sorted(n, len(self.system.states), len(self.system.parameters))
        problem = replace(self.problem, events=events, wanted=wanted)
        values = np.empty((n, times.shape[1], len(wanted)))
        answer: dict[str, NDArray[Any]] = {
            **{name: np.zeros(n, dtype=np.int64) for name in ("status", "steps", "rejected")},
            "stop_time": np.zeros(n),
            "stop_state": np.empty((n, layout.states)),
            "stop_met": np.zeros((n, max(1, layout.thresholds))),
        }
        chunk = Chunk(self.machine.kernel, layout, self.machine.lanes, np.ascontiguousarray(self.table[live]))
        chunk.solve(
            problem,
            np.ascontiguousarray(self.state[live]),
            np.ascontiguousarray(times),
            first,
            start,
            values=values,
            **answer,
        )
        return values, answer
