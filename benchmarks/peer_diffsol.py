"""pydiffsol, from DiffSL text of the engine's expression graph; doses by restarting at their times."""

from __future__ import annotations

from importlib.metadata import version

import numpy as np
import pydiffsol
from numpy.typing import NDArray

from benchmarks.diffsl import write_diffsl
from benchmarks.peer import ATOL_OF_SIZE
from benchmarks.task import Task
from benchmarks.walk import Walk
from mesolung.engine.sbml import read_sbml

Values = NDArray[np.float64]


class Diffsol:
    """BDF with a sparse Jacobian and LLVM: of its methods and matrices the quickest on the bundled model.

    States are scaled by their sizes, because the solver has one absolute tolerance for all of them.
    """

    at_most: int | None = None
    any_task = True
    name = "pydiffsol"
    how = "BDF, sparse (faer), LLVM, scaled states, restarted at doses"
    tolerances = (1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10)

    def __init__(self, task: Task, sizes: Values) -> None:
        """Write and compile the model."""
        self.version = version("pydiffsol")
        self.task, self.sizes = task, sizes
        self.code = write_diffsl(read_sbml(task.sbml), self.sizes)
        self.ode = pydiffsol.Ode(
            self.code, matrix_type=pydiffsol.faer_sparse, ode_solver=pydiffsol.bdf, jit_backend=pydiffsol.llvm
        )
        self._inputs = np.empty(len(task.parameters) + len(task.derived) + len(task.states))

    def _advance(self, states: Values, parameters: Values, grid: Values) -> Values:
        p, inputs = len(parameters), self._inputs
        inputs[:p] = parameters
        inputs[len(inputs) - len(states) :] = states / self.sizes
        self.ode.t0 = float(grid[0])
        solved = self.ode.solve_dense(inputs, grid).ys
        return solved.T * self.sizes

    def run(self, rtol: float, subjects: int | None = None) -> tuple[float, Values]:
        """See `benchmarks.peer.Peer`."""
        task = self.task
        self.ode.rtol, self.ode.atol = rtol, rtol * ATOL_OF_SIZE
        # As a user without further knowledge would: the default first step of 1 is too long after a dose.
        self.ode.h0 = 1e-4 * float(task.times[-1]) / len(task.times)
        walk = Walk(task, self._advance)
        count = task.subjects if subjects is None else subjects
        values = np.empty((count, len(task.times), len(task.states)))
        p = len(task.parameters)
        for i in range(count):
            self._inputs[p : p + len(task.derived)] = [v[i] for v in task.derived.values()]
            values[i] = walk.run(i)
        return walk.seconds, values


def load(task: Task, sizes: Values) -> Diffsol:
    """Compile the model."""
    return Diffsol(task, sizes)
