"""The same task in libRoadRunner (CVODE), timed around its own calls."""

from __future__ import annotations

import time as clock

import libsbml
import numpy as np
from numpy.typing import NDArray

from benchmarks.scenario import Scenario
from mesolung.engine import CompiledModel

Values = NDArray[np.float64]


class RoadRunner:
    """libRoadRunner, restarted at each dose: that is faster for it than events with triggers on time.

    Every value is set before the clock starts, and tolerances are relative to each state's size as the
    engine's are.
    """

    name = "libRoadRunner"

    def __init__(self, scenario: Scenario, model: CompiledModel, sizes: Values) -> None:
        """Load the model.

        Arguments:
            scenario: the task.
            model: the same model compiled by the engine, for its names and derived constants.
            sizes: float64[states], the largest value of each state.
        """
        import roadrunner

        self.version = roadrunner.__version__
        self.scenario, self.states, self.sizes = scenario, model.states, sizes
        self.runner = roadrunner.RoadRunner(_with_values(scenario))
        self.runner.selections = ["time", *model.states]
        derived = model.derived(scenario.parameters)
        self.rows: list[dict[str, float]] = []
        for i in range(len(scenario.parameters)):
            row = dict(zip(model.parameters, scenario.parameters[i].tolist(), strict=True))
            row.update({name: float(values[i]) for name, values in derived.items()})
            row.update(zip(model.states, scenario.initial[i].tolist(), strict=True))
            self.rows.append(row)
        self.plan = self._plan()

    def _plan(self) -> list[tuple[list[float], list[int]]]:
        """Pieces between doses: the times that are asked for, and the outputs among them."""
        stops = sorted({d.time for d in self.scenario.doses} | {float(self.scenario.times[-1])})
        pieces, at = [], 0.0
        for stop in stops:
            outputs = [k for k, t in enumerate(self.scenario.times) if at < t <= stop]
            times = sorted({at, stop, *(float(self.scenario.times[k]) for k in outputs)})
            pieces.append((times, outputs))
            at = stop
        return pieces

    def run(self, rtol: float, subjects: int) -> tuple[float, Values]:
        """Solve the first subjects.

        Arguments:
            rtol: relative tolerance; the absolute one of each state is 1e-3 of it, relative to the state's
                size.
            subjects: how many.

        Returns:
            Processor seconds spent on simulation and doses, and float64[subjects, times, states].
        """
        r, s = self.runner, self.scenario
        r.integrator.relative_tolerance = rtol
        r.integrator.maximum_num_steps = 10**6
        for state, size in zip(self.states, self.sizes, strict=True):
            r.integrator.setIndividualTolerance(state, rtol * 1e-3 * max(float(size), 1e-6))
        values = np.empty((subjects, len(s.times), len(self.states)))
        spent = 0.0
        for i in range(subjects):
            r.resetToOrigin()
            for name, value in self.rows[i].items():
                r[name] = value
            values[i, 0] = s.initial[i]
            began = clock.process_time()
            for times, outputs in self.plan:
                table = np.asarray(r.simulate(times=times))
                values[i, outputs] = table[[times.index(s.times[k]) for k in outputs], 1:]
                for dose in s.doses:
                    if dose.time == times[-1]:
                        old = r[dose.target] if dose.adds else 0.0
                        r[dose.target] = old + float(dose.values[i])
            spent += clock.process_time() - began
        return spent, values


def _with_values(scenario: Scenario) -> str:
    """The model with values in place of initial assignments: each subject's are set from outside."""
    document = libsbml.readSBMLFromString(scenario.sbml)
    model = document.getModel()
    while model.getNumInitialAssignments():
        model.getParameter(model.removeInitialAssignment(0).getSymbol()).setValue(0.0)
    return libsbml.writeSBMLToString(document)
