"""libRoadRunner, restarted at each dose: quicker for it than dose events with triggers on time."""

from __future__ import annotations

import time as clock

import numpy as np
import roadrunner
from numpy.typing import NDArray

from benchmarks.peer import ATOL_OF_SIZE
from benchmarks.task import Leg, Task
from benchmarks.variants import with_numbers

Values = NDArray[np.float64]


class RoadRunner:
    """CVODE with a dense Jacobian by differences, code by LLVM; the model's own events are its own, too."""

    at_most: int | None = None
    any_task = True
    name = "libRoadRunner"
    how = "CVODE, restarted at doses, an absolute tolerance a state"
    tolerances = (1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10)

    def __init__(self, task: Task, sizes: Values) -> None:
        """Load the model; values are set before the clock starts."""
        self.version = str(roadrunner.__version__)
        self.task, self.sizes = task, sizes
        self.runner = roadrunner.RoadRunner(with_numbers(task.sbml))
        self.runner.selections = ["time", *task.states]

    def run(self, rtol: float, subjects: int | None = None) -> tuple[float, Values]:
        """See `benchmarks.peer.Peer`."""
        r, task = self.runner, self.task
        r.integrator.relative_tolerance = rtol
        r.integrator.maximum_num_steps = 10**6
        for state, size in zip(task.states, self.sizes, strict=True):
            r.integrator.setIndividualTolerance(state, rtol * ATOL_OF_SIZE * float(size))
        count = task.subjects if subjects is None else subjects
        values = np.empty((count, len(task.times), len(task.states)))
        spent = 0.0
        for i in range(count):
            r.resetToOrigin()
            for name, value in task.named(i).items():
                r[name] = value
            plan = [(leg, *_grid(leg, task.times)) for leg in task.legs(i)]
            began = clock.process_time()
            for leg, grid, rows in plan:
                for change in leg.changes:
                    target = (task.states if change.on_state else task.parameters)[change.target]
                    r[target] = (r[target] if change.adds else 0.0) + change.value
                if 0 in rows:
                    values[i, leg.outputs[rows.index(0)]] = [r[name] for name in task.states]
                if len(grid) > 1:
                    table = np.asarray(r.simulate(times=grid))
                    later = [k for k, row in enumerate(rows) if row > 0]
                    values[i, [leg.outputs[k] for k in later]] = table[[rows[k] for k in later], 1:]
            spent += clock.process_time() - began
        return spent, values


def _grid(leg: Leg, times: Values) -> tuple[list[float], list[int]]:
    """The times of a leg, and the row of each of its outputs among them."""
    grid = sorted({leg.start, leg.stop, *(float(times[k]) for k in leg.outputs)})
    return grid, [grid.index(float(times[k])) for k in leg.outputs]


def load(task: Task, sizes: Values) -> RoadRunner:
    """Load the model."""
    return RoadRunner(task, sizes)
