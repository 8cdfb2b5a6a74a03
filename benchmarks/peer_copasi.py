"""COPASI (LSODA) through its Python bindings; doses are events of the model."""

from __future__ import annotations

import time as clock

import COPASI
import numpy as np
from numpy.typing import NDArray

from benchmarks.peer import ATOL_OF_SIZE
from benchmarks.task import Task
from benchmarks.variants import SCALED, slot_values, start_values, with_doses

Values = NDArray[np.float64]


class Copasi:
    """COPASI's deterministic time course, timed around the task's own processing.

    States are scaled by their sizes, because it has one absolute tolerance for all of them.
    """

    at_most: int | None = None
    any_task = False
    name = "COPASI"
    how = "LSODA, scaled states, doses as events"
    tolerances = (1e-4, 1e-5, 1e-6, 1e-7, 1e-8)

    def __init__(self, task: Task, sizes: Values) -> None:
        """Load the model."""
        self.version = str(COPASI.__version__)
        self.task, self.sizes = task, sizes
        self.root = COPASI.CRootContainer.addDatamodel()
        if not self.root.importSBMLFromString(with_doses(task, self.sizes)):
            raise RuntimeError(f"COPASI did not take the model: {COPASI.CCopasiMessage.getAllMessageText()}")
        self.model = self.root.getModel()
        values = self.model.getModelValues()
        self.quantities = {values.get(k).getSBMLId(): values.get(k) for k in range(values.size())}
        self.course = self.root.getTask("Time-Course")
        problem = self.course.getProblem()
        problem.setModel(self.model)
        problem.setAutomaticStepSize(False)
        problem.setStepNumber(len(task.times) - 1)
        problem.setDuration(float(task.times[-1]))
        problem.setTimeSeriesRequested(True)
        problem.setOutputEvent(False)
        self.course.setMethodType(COPASI.CTaskEnum.Method_deterministic)
        self.columns: list[int] | None = None

    def run(self, rtol: float, subjects: int | None = None) -> tuple[float, Values]:
        """See `benchmarks.peer.Peer`."""
        method = self.course.getMethod()
        method.getParameter("Relative Tolerance").setDblValue(rtol)
        method.getParameter("Absolute Tolerance").setDblValue(rtol * ATOL_OF_SIZE)
        method.getParameter("Max Internal Steps").setUIntValue(10**6)
        task = self.task
        count = task.subjects if subjects is None else subjects
        values = np.empty((count, len(task.times), len(task.states)))
        spent = 0.0
        for i in range(count):
            self._set(i)
            began = clock.process_time()
            done = self.course.process(True)
            spent += clock.process_time() - began
            if not done:
                raise RuntimeError(f"COPASI, subject {i}: {COPASI.CCopasiMessage.getAllMessageText()}")
            values[i] = self._series() * self.sizes
        return spent, values

    def _set(self, subject: int) -> None:
        named = {**start_values(self.task, subject), **slot_values(self.task, subject)}
        changed = COPASI.ObjectStdVector()
        sizes = dict(zip(self.task.states, self.sizes.tolist(), strict=True))
        for name, value in named.items():
            quantity = self.quantities[name + SCALED if name in sizes else name]
            quantity.setInitialValue(value / sizes.get(name, 1.0))
            changed.append(quantity.getInitialValueReference())
        self.model.updateInitialValues(changed)

    def _series(self) -> Values:
        series = self.course.getTimeSeries()
        if self.columns is None:
            titles = {series.getSBMLId(k, self.root): k for k in range(series.getNumVariables())}
            self.columns = [titles[name + SCALED] for name in self.task.states]
        rows = range(series.getRecordedSteps())
        table = [[series.getConcentrationData(r, k) for k in self.columns] for r in rows]
        return np.array(table)


def load(task: Task, sizes: Values) -> Copasi:
    """Load the model."""
    return Copasi(task, sizes)
