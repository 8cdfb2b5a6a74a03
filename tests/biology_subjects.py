"""Subjects of the bundled biology for tests: drawn from the tables, with their course's driver events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from mesolung.biology import assemble
from mesolung.biology.disease import read_disease
from mesolung.biology.parameters import read_parameters
from mesolung.engine import ADD_STATE, SET_PARAMETER, CompiledModel, EventTable, compile_model
from mesolung.engine.evaluate import evaluate
from mesolung.engine.sbml import read_sbml
from mesolung.engine.system import System
from mesolung.streams import typical, vary

Values = NDArray[np.float64]
DAY = 24.0


@cache
def sbml() -> str:
    return assemble().sbml


@cache
def model() -> CompiledModel:
    return compile_model(sbml())


@cache
def system() -> System:
    return read_sbml(sbml())


# Rise with time whatever happens, and no other state's rate names them.
COUNTERS = (
    "HAZ", "DIS", "SEC", "HAZ_thrombosis", "HAZ_reaction", "HAZ_fever", "HAZ_DSA", "TUMOUR", "MARK_other",
    "HAZ_exacerbation", "HAZ_pneumonia", "HAZ_hyperglycaemia", "HAZ_myopathy", "AGED",
)  # fmt: skip
# Lost for good, and 0 in health: small airways, attachments, lung that is scar.
LASTING = ("NARROW", "EMPH", "SCAR")
# Specific memory of what was met: plasma cells live for years, and hold the antibody.
MEMORY = ("PC", "AB")


@dataclass(frozen=True)
class Subjects:
    parameters: Values
    events: EventTable

    @property
    def count(self) -> int:
        return len(self.parameters)

    def column(self, name: str) -> Values:
        return self.parameters[:, model().parameters.index(name)]

    def with_values(self, **values: float) -> Subjects:
        changed = self.parameters.copy()
        for name, value in values.items():
            changed[:, model().parameters.index(name)] = value
        return Subjects(changed, self.events)

    def with_dose(self, target: str, amount: float | Values, time: float | Values) -> Subjects:
        n = len(self.parameters)
        rows = np.arange(n)
        names = ([target] * n, np.broadcast_to(time, n), np.broadcast_to(amount, n))
        return Subjects(self.parameters, joined(self.events, events(rows, names[1], names[0], names[2])))

    def take(self, rows: NDArray[np.bool_]) -> Subjects:
        chosen = np.flatnonzero(rows)
        new = np.full(len(rows), -1)
        new[chosen] = np.arange(chosen.size)
        e = self.events
        keep = new[e.subject] >= 0
        kept = EventTable(new[e.subject[keep]], e.time[keep], e.kind[keep], e.target[keep], e.value[keep])
        return Subjects(self.parameters[chosen], kept)


def subjects(disease: str, count: int, *, seed: int = 1, uncertain: bool = True) -> Subjects:
    rng = np.random.default_rng(seed)
    values = np.tile(model().default_parameters, (count, 1))
    scores: dict[str, Values] = {}
    for row in read_parameters():
        if row.id not in model().parameters:
            continue
        uniform = rng.uniform(1e-6, 1 - 1e-6, count)
        value = np.full(count, row.value)
        if uncertain:
            value = typical(row.distribution, row.value, row.uncertainty, uniform)
        if row.between_subject:
            scores[row.id] = rng.standard_normal(count)
            value = vary(row.distribution, value, row.between_subject, scores[row.id])
        values[:, model().parameters.index(row.id)] = value
    kind = read_disease(disease)
    scores |= {name: rng.standard_normal(count) for name in kind.normals}
    values[:, model().parameters.index("age")] = kind.covariate_values(scores)["age"]
    made = kind.events(scores)
    return Subjects(values, events(made.subject, made.time, [made.names[i] for i in made.target], made.value))


def events(subject: NDArray[np.intp], time: Values, names: Sequence[str], value: Values) -> EventTable:
    states, parameters = model().states, model().parameters
    kind = [ADD_STATE if name in states else SET_PARAMETER for name in names]
    target = [states.index(name) if name in states else parameters.index(name) for name in names]
    whole = np.int64
    return EventTable(
        np.asarray(subject, whole),
        np.asarray(time),
        np.asarray(kind, whole),
        np.asarray(target, whole),
        np.asarray(value),
    )


def joined(*tables: EventTable) -> EventTable:
    return EventTable(
        *(
            np.concatenate([getattr(t, c) for t in tables])
            for c in ("subject", "time", "kind", "target", "value")
        )
    )


def course(group: Subjects, days: float, *, every: float = 0.5, outputs: Sequence[str] | None = None,
           initial: Values | None = None, rtol: float = 1e-5) -> Mapping[str, Values]:  # fmt: skip
    """Name -> [subject, time], with "time" in hours."""
    times = np.arange(0.0, days + 1e-9, every) * DAY
    names = tuple(outputs) if outputs else (*model().states, *model().observables)
    solution = model().solve(
        group.parameters, times, initial=initial, events=group.events, outputs=names, rtol=rtol
    )
    assert not solution.failures, solution.failures[0]
    return {"time": times, **{name: solution.values[:, :, i] for i, name in enumerate(names)}}


def sources(parameters: Values) -> Values:
    """Derived constants float64[n, C], in the order of system().constants."""
    s = system()
    zero = np.zeros((len(parameters), len(s.states)))
    return np.stack(
        evaluate(s.graph, s.derived, zero, parameters, np.zeros((len(parameters), len(s.constants)))), -1
    )


def states_of(run: Mapping[str, Values], step: int) -> Values:
    """The states of a course at one of its times, float64[n, S]."""
    return np.stack([run[name][:, step] for name in model().states], -1)


def initial(group: Subjects, **values: float | Values) -> Values:
    """The healthy states float64[n, S], some of them set."""
    start = model().initial(group.parameters)
    for name, value in values.items():
        start[:, model().states.index(name)] = value
    return start


def no_events() -> EventTable:
    whole, real = np.zeros(0, np.int64), np.zeros(0)
    return EventTable(whole, real, whole, whole, real)


def rates(states: Values, parameters: Values) -> Values:
    """Rates of change float64[n, S] by the plain evaluator, per hour."""
    s = system()
    return np.stack(evaluate(s.graph, s.rates, states, parameters, sources(parameters)), -1)
