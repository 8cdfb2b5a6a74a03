"""The task that every tool gets: subjects of the bundled model, infected, treated, followed for 28 days."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mesolung.biology.assemble import assemble
from mesolung.biology.parameters import read_parameters
from mesolung.engine import ADD_STATE, SET_PARAMETER, CompiledModel, EventTable

Values = NDArray[np.float64]
DAY = 24.0


@dataclass(frozen=True)
class Dose:
    """Something that happens to all subjects at one time: a state or parameter, and the value for each
    subject."""

    time: float
    target: str
    adds: bool
    values: Values


@dataclass(frozen=True)
class Scenario:
    """The task.

    ``sbml``: the model; ``parameters``: float64[subjects, parameters]; ``initial``: float64[subjects,
    states]; ``doses``: in order of time, none of them at an output; ``times``: the outputs, h.
    """

    sbml: str
    parameters: Values
    initial: Values
    doses: tuple[Dose, ...]
    times: Values

    def events(self, model: CompiledModel) -> EventTable:
        """The doses as the engine takes them."""
        n = len(self.parameters)
        count = len(self.doses)
        return EventTable(
            subject=np.tile(np.arange(n), count),
            time=np.repeat([d.time for d in self.doses], n),
            kind=np.repeat([ADD_STATE if d.adds else SET_PARAMETER for d in self.doses], n),
            target=np.repeat(
                [(model.states if d.adds else model.parameters).index(d.target) for d in self.doses], n
            ),
            value=np.concatenate([d.values for d in self.doses]),
        )


def bundled_sbml() -> str:
    """The bundled model as SBML text."""
    return assemble().sbml


def bundled_scenario(model: CompiledModel, sbml: str, subjects: int = 200, seed: int = 2) -> Scenario:
    """Make the task for the bundled model.

    Arguments:
        model, sbml: the model, compiled and as text.
        subjects: how many.
        seed: which subjects.

    Returns:
        A viral pneumonia: an inoculum at time 0, organ failure from the insult for three days, dexamethasone
            daily for ten days, and two doses of 100 million cells. Parameters that differ between subjects do
            so with their spread of ``parameters.csv``, all positive ones by 10 % besides.
    """
    rng = np.random.default_rng(seed)
    spread = {row.id: row.between_subject or 0.0 for row in read_parameters().rows}
    table = np.tile(model.default_parameters, (subjects, 1))
    for k, name in enumerate(model.parameters):
        z = rng.standard_normal(subjects)
        if table[0, k] > 0.0 and not name.endswith("_extinct"):
            table[:, k] *= np.exp(z * max(0.1, min(0.5, spread.get(name, 0.0))))
    initial = model.initial(table)
    initial[:, model.states.index("VIR")] = 2e-4 * np.exp(0.7 * rng.standard_normal(subjects))
    failure = rng.lognormal(np.log(2.6 / 72.0), 0.5, subjects)
    doses = [
        Dose(108.0 + 0.5, "rate_OFX", False, failure),
        Dose(180.5, "rate_OFX", False, np.zeros(subjects)),
    ]
    doses += [
        Dose(DAY * day + 6.0, "DEX", True, rng.lognormal(np.log(6.0), 0.1, subjects)) for day in range(6, 16)
    ]
    doses += [
        Dose(DAY * day + 9.0, "MSC_blood", True, rng.lognormal(np.log(0.1), 0.1, subjects)) for day in (7, 10)
    ]
    return Scenario(
        sbml, table, initial, tuple(sorted(doses, key=lambda d: d.time)), np.linspace(0.0, 28 * DAY, 29)
    )
