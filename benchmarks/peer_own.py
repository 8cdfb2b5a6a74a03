"""Mesolung's engine itself, one thread, through its public interface."""

from __future__ import annotations

import time as clock

import numpy as np
from numpy.typing import NDArray

import mesolung
from benchmarks.task import Task
from mesolung.engine import compile_model

Values = NDArray[np.float64]


class Own:
    """The engine with a task; ``how`` names the lanes."""

    at_most: int | None = None
    any_task = True
    name = "Mesolung"
    version = mesolung.__version__
    tolerances = (1e-3, 1e-4, 1e-5, 1e-6, 1e-7)

    def __init__(self, task: Task, lanes: int | None = None) -> None:
        """Compile.

        Arguments:
            task: the task.
            lanes: subjects in a vector; None for what the processor holds.
        """
        self.task = task
        self.model = compile_model(task.sbml, lanes=lanes)
        self.how = f"{self.model.lanes} lanes, one thread"

    def run(self, rtol: float, subjects: int | None = None) -> tuple[float, Values]:
        """See `benchmarks.peer.Peer`; the time is that of the whole call, doses and outputs included."""
        task = self.task if subjects is None else self.task.first(subjects)
        began = clock.process_time()
        found = self.model.solve(task.rows, task.times, task.initial, task.events, rtol=rtol, max_steps=10**6)
        spent = clock.process_time() - began
        if found.failures:
            raise RuntimeError(str(found.failures[0]))
        return spent, found.values


def load(task: Task, sizes: Values, lanes: int | None = None) -> Own:
    """Compile the model; the engine sets its own absolute tolerances."""
    del sizes
    return Own(task, lanes)
