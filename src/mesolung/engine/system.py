"""A model as the engine sees it: names, expressions, values; nothing of SBML and nothing of machine code."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from mesolung.engine.derivative import slope
from mesolung.engine.evaluate import evaluate, needed
from mesolung.engine.graph import Graph
from mesolung.engine.turning import Switch


@dataclass(frozen=True)
class Threshold:
    """A state falls below (or rises above) a bound, and states are set.

    ``condition`` is an expression of one state against a bound that does not vary; ``settings`` pairs a
    state's index with an expression that does not vary; ``met_at_start`` is what the condition counts as
    before time 0. One that ``pauses`` sets nothing: it stops a subject where its condition becomes true,
    which may be any condition; ``past`` is then how far it is beyond that and ``size`` what to judge that by
    (see `crossing.distance`).
    """

    name: str
    condition: int
    settings: tuple[tuple[int, int], ...]
    met_at_start: bool
    pauses: bool = False
    past: int | None = None
    size: int | None = None


@dataclass(frozen=True)
class Setting:
    """A state that an event sets to ``value``, times ``scale`` as it is when the event happens."""

    state: int
    value: int
    scale: int | None


@dataclass(frozen=True)
class Event:
    """Something that happens when a condition becomes true.

    ``condition``, ``delay`` and ``priority`` are expressions; an event without priority comes after those
    that have one. One that is not ``persistent`` does not happen when its condition is false again before its
    delay is over. ``values_at_trigger``: what is set is computed when the condition becomes true, and not
    after the delay. ``met_at_start`` is what the condition counts as before time 0. One that ``ends`` the
    subject sets nothing: the model holds no longer.
    """

    name: str
    condition: int
    settings: tuple[Setting, ...]
    delay: int | None
    priority: int | None
    persistent: bool
    values_at_trigger: bool
    met_at_start: bool
    ends: bool = False


@dataclass(frozen=True)
class System:
    """Ordinary differential equations with names.

    ``rates[i]`` is the rate of state i per time unit; ``initial`` and ``derived`` are expressions of
    parameters alone; ``laws`` are the observables. Every expression is a node of ``graph``.
    """

    graph: Graph
    states: tuple[str, ...]
    parameters: tuple[str, ...]
    observables: tuple[str, ...]
    constants: tuple[str, ...]
    rates: tuple[int, ...]
    laws: tuple[int, ...]
    initial: tuple[int, ...]
    derived: tuple[int, ...]
    thresholds: tuple[Threshold, ...]
    defaults: NDArray[np.float64]
    units: dict[str, str]
    # Events in general; there are then two pausing thresholds for each of `atoms`, and no other.
    events: tuple[Event, ...] = ()
    # What time alone turns in rates and triggers: such moments are step ends.
    switches: tuple[Switch, ...] = ()

    @cached_property
    def clashes(self) -> frozenset[tuple[int, int]]:
        """Pairs (a, b) of events where it matters whether a or b comes first when both are due."""
        return frozenset(
            (a, b)
            for a, one in enumerate(self.events)
            for b, other in enumerate(self.events)
            if a != b and (self._disturbs(one, other) or self._disturbs(other, one))
        )

    def _disturbs(self, one: Event, other: Event) -> bool:
        """Whether what one event sets changes what another that is due does."""
        bits = sum(1 << (s.state + 1) for s in one.settings)
        read = 0
        if not other.persistent:
            read |= self.graph.depends[other.condition]
        for s in other.settings:
            read |= 1 << (s.state + 1)
            if not other.values_at_trigger:
                read |= self.graph.depends[s.value]
        return bool(bits & read)

    @cached_property
    def atoms(self) -> tuple[int, ...]:
        """The comparisons that triggers consist of."""
        found: dict[int, None] = {}
        stack = [e.condition for e in reversed(self.events)]
        while stack:
            node = stack.pop()
            if self.graph.op[node] in ("and", "or", "not"):
                stack.extend(reversed(self.graph.args[node]))
            elif self.graph.op[node] != "truth":
                found[node] = None
        return tuple(found)

    @cached_property
    def looks(self) -> tuple[int, ...]:
        """What is computed beside the observables wherever a subject is looked at: event by event its delay,
        priority, and the value and scale of each setting; then moment and gain of each switch."""
        g, found = self.graph, []
        for e in self.events:
            found.append(g.const(0.0) if e.delay is None else e.delay)
            found.append(g.const(-math.inf) if e.priority is None else e.priority)
            for s in e.settings:
                found += [s.value, g.const(1.0) if s.scale is None else s.scale]
        for s in self.switches:
            found += [s.moment, s.gain]
        return tuple(found)

    def fingerprint(self) -> str:
        """Name the equations: systems with the same fingerprint have the same program."""
        g = self.graph
        watched = [n for t in self.thresholds for n in (t.condition, *(v for _, v in t.settings))]
        watched += [n for t in self.thresholds for n in (t.past, t.size) if n is not None]
        looks = self.looks
        nodes = needed(g, [*self.rates, *self.laws, *self.initial, *self.derived, *watched, *looks])
        content = (
            (len(self.states), len(self.parameters), len(self.constants)),
            (self.rates, self.laws, self.initial, self.derived, self.thresholds, looks),
            [(n, g.op[n], g.args[n], float(g.value[n]).hex()) for n in nodes],
        )
        return hashlib.sha256(repr(content).encode()).hexdigest()

    @cached_property
    def timed(self) -> bool:
        """Whether a rate depends on time itself."""
        return any(self.graph.depends[r] & Graph.TIME for r in self.rates)

    @cached_property
    def jacobian(self) -> dict[tuple[int, int], int]:
        """The derivative of rate i by state j for every pair (i, j) that is not always zero."""
        found: dict[tuple[int, int], int] = {}
        for i, rate in enumerate(self.rates):
            for j in range(len(self.states)):
                node = slope(self.graph, rate, 1 << (j + 1))
                if not self.graph.is_const(node, 0.0):
                    found[i, j] = node
        return found

    @cached_property
    def drift(self) -> tuple[int, ...]:
        """The derivative of each rate by time."""
        return tuple(slope(self.graph, rate, Graph.TIME) for rate in self.rates)

    def start(self, parameters: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Compute initial states and derived constants.

        Arguments:
            parameters: float64[..., parameters], in the model's units.

        Returns:
            initial states float64[..., states] and derived constants float64[..., constants].
        """
        none = np.zeros((*parameters.shape[:-1], 0))
        values = evaluate(self.graph, [*self.initial, *self.derived], none, parameters, none)
        table = np.stack(values, axis=-1) if values else none
        return table[..., : len(self.initial)], table[..., len(self.initial) :]
