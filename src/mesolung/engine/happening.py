"""What happens at one moment: which triggers are met, which event is due, what it sets, what comes next.

As SBML tells it (M. Hucka and others, Journal of Integrative Bioinformatics 16 (2019) 20190021, sections 4.11
and 4.12): an event is triggered when its condition becomes true, waits for its delay, and of those that are
due the one of highest priority happens; then every trigger is looked at again.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mesolung.engine.evaluate import needed
from mesolung.engine.layout import (
    BAD_DELAY,
    BAD_SETTING,
    CHANCE,
    CONSTRAINT,
    DONE,
    PAUSED,
    TOO_MANY_EVENTS,
    of_event,
)
from mesolung.engine.system import System

Values = NDArray[np.float64]
Truth = NDArray[np.bool_]

# By how many units in the last place the moment of a switch may be wrong; steps keep clear of it.
UNSURE = 16.0


@dataclass(frozen=True)
class Due:
    """An event that has been triggered: when it happens, and what it sets if that is known already."""

    when: float
    turn: int
    event: int
    values: Values | None


@dataclass
class Subject:
    """Where one subject stands: its time, which triggers were met last, what waits, and how far it has come
    in outputs and doses. A segment goes to ``end``, and the subject then stands at ``next``."""

    time: float = 0.0
    met: list[bool] = field(default_factory=list)
    queue: list[Due] = field(default_factory=list)
    output: int = 0
    dose: int = 0
    happened: int = 0
    triggered: int = 0
    next: float = 0.0
    end: float = 0.0


class Happenings:
    """The events and switches of a system, at work on looks: rows of numbers that the kernel computed."""

    def __init__(self, system: System, first: int) -> None:
        """Find where in a look everything lies.

        Arguments:
            system: the equations.
            first: where in a look `System.looks` begins.
        """
        self.system = system
        self.places: list[int] = []
        for event in system.events:
            self.places.append(first)
            first += 2 + 2 * len(event.settings)
        self.first_switch = first
        g = system.graph
        self._logic = [n for n in needed(g, [e.condition for e in system.events]) if g.is_condition(n)]

    def truth(self, atoms: Truth) -> Truth:
        """Which trigger is met, from the comparisons as the kernel sees them.

        Arguments:
            atoms: bool[subjects, atoms].

        Returns:
            bool[subjects, events].
        """
        g = self.system.graph
        known = {node: atoms[:, k] for k, node in enumerate(self.system.atoms)}
        join = {"and": np.logical_and, "or": np.logical_or}
        for node in self._logic:
            args = g.args[node]
            if node in known:
                continue
            if g.op[node] == "truth":
                known[node] = np.full(len(atoms), bool(g.value[node]))
            elif all(a in known for a in args):
                known[node] = (
                    ~known[args[0]] if g.op[node] == "not" else join[g.op[node]](*(known[a] for a in args))
                )
        found = [known[e.condition] for e in self.system.events]
        return np.stack(found, axis=1) if found else np.zeros((len(atoms), 0), dtype=np.bool_)

    def act(self, s: Subject, look: Values, met: Truth, state: Values, limit: int) -> int:
        """Notice what has turned, and let one event happen.

        Arguments:
            s: the subject; its queue changes.
            look: the numbers as they are now.
            met: which triggers are met now.
            state: float64[states] of the subject; it changes.
            limit: how many events may happen to a subject.

        Returns:
            PAUSED where an event has happened, so that the subject is to be looked at again; DONE where none
            is due; else why the subject cannot go on.
        """
        for e, event in enumerate(self.system.events):
            if met[e] and not s.met[e]:
                delay = float(look[self.places[e]])
                if event.ends or not 0.0 <= delay < math.inf:
                    return of_event(CONSTRAINT if event.ends else BAD_DELAY, e)
                values = self._settings(e, look) if event.values_at_trigger else None
                s.queue.append(Due(s.time + delay, s.triggered, e, values))
                s.triggered += 1
            elif not met[e] and not event.persistent:
                s.queue = [d for d in s.queue if d.event != e]
            s.met[e] = bool(met[e])
        due = [d for d in s.queue if d.when <= s.time]
        if not due:
            return DONE
        s.happened += 1
        if s.happened > limit:
            return TOO_MANY_EVENTS
        first = min(due, key=lambda d: (-self._priority(d, look), d.when, d.turn))
        if self._by_chance(first, due, look):
            return of_event(CHANCE, first.event)
        s.queue.remove(first)
        return self._happen(first, look, state)

    def _priority(self, due: Due, look: Values) -> float:
        priority = float(look[self.places[due.event] + 1])
        return -math.inf if math.isnan(priority) else priority

    def _by_chance(self, first: Due, due: list[Due], look: Values) -> bool:
        """Whether SBML demands that chance decides which event is first, and it matters."""
        rank = self._priority(first, look)
        return rank > -math.inf and any(
            (first.event, d.event) in self.system.clashes and self._priority(d, look) == rank for d in due
        )

    def _settings(self, event: int, look: Values) -> Values:
        at = self.places[event] + 2
        return look[at : at + 2 * len(self.system.events[event].settings) : 2].copy()

    def _happen(self, due: Due, look: Values, state: Values) -> int:
        """Set what an event sets: all at once, from what is true before."""
        values = self._settings(due.event, look) if due.values is None else due.values
        scales = look[self.places[due.event] + 3 :: 2]
        for k, setting in enumerate(self.system.events[due.event].settings):
            value = values[k] if setting.scale is None else values[k] * scales[k]
            if math.isnan(value):
                return of_event(BAD_SETTING, due.event)
            state[setting.state] = value
        return PAUSED

    def aim(self, s: Subject, look: Values, known: list[float]) -> None:
        """Find the next moment of a subject that is known beforehand.

        Arguments:
            s: the subject; ``end`` and ``next`` change, and ``time`` where nothing lies between.
            look: the numbers as they are now.
            known: the last output and the next dose.
        """
        turns = [m for m in self._turns(look[self.first_switch :]) if s.time < m < math.inf]
        s.next = min([m for m in [*known, *(d.when for d in s.queue)] if m > s.time] + turns)
        # What time switches there must not be seen by a step that leads to it.
        s.end = s.next - 2.0 * UNSURE * math.ulp(s.next) if s.next in turns else s.next
        if s.end <= s.time:
            s.time = s.end = s.next

    def _turns(self, found: Values) -> list[float]:
        """When switches turn: the moment, and right after it where equality does not count yet, or counts
        still; of one that is not exact, a little later than it can be."""
        turns: list[float] = []
        for k, switch in enumerate(self.system.switches):
            moment, gain = float(found[2 * k]), float(found[2 * k + 1])
            if not switch.exact:
                turns.append(moment + UNSURE * math.ulp(moment))
                continue
            turns.append(moment)
            if switch.strict == (gain > 0.0):
                turns.append(math.nextafter(moment, math.inf))
        return turns
