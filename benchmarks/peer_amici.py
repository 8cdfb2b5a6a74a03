"""AMICI by its own clock; its code is compiled by the system's C++ compiler and kept in the cache."""

from __future__ import annotations

import hashlib
import shutil
import sys
from importlib.metadata import version

import amici
import numpy as np
from amici.importers.sbml import SbmlImporter
from amici.sim import sundials
from numpy.typing import NDArray

from benchmarks.peer import ATOL_OF_SIZE
from benchmarks.task import Task
from benchmarks.variants import SCALED, slot_values, start_values, with_doses
from mesolung.execution import cache_folder

Values = NDArray[np.float64]


class Amici:
    """CVODES with KLU and an analytic sparse Jacobian in C++; doses are events of the model with known times.

    States are scaled by their sizes, because it has one absolute tolerance for all of them.
    """

    at_most: int | None = None
    any_task = False
    name = "AMICI"
    how = "CVODES, KLU, scaled states, doses as events; its own clock (cpu_time)"
    tolerances = (1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10)

    def __init__(self, task: Task, sizes: Values) -> None:
        """Import and compile, or load what was compiled before."""
        self.version = version("amici")
        # To powers of 4, so that a task with a few subjects more does not mean minutes of compiling again.
        self.task, self.sizes = task, 4.0 ** np.round(np.log(sizes) / np.log(4.0))
        self.compiled_now = False
        self.model = self._module().get_model()
        self.solver = self.model.create_solver()
        self.model.set_timepoints(task.times.tolist())
        self.solver.set_max_steps(10**6)
        ids = list(self.model.get_state_ids())
        self._order = [ids.index(name + SCALED) for name in task.states]
        # The rest are parameters that a dose event sets, which AMICI makes states of.
        self._others = [(k, name) for k, name in enumerate(ids) if not name.endswith(SCALED)]
        self._parameters = [name.removeprefix("amici_") for name in self.model.get_free_parameter_ids()]

    def _module(self) -> object:
        text = with_doses(self.task, self.sizes)
        key = hashlib.sha256(f"{self.version}{text}".encode()).hexdigest()[:16]
        folder = cache_folder("benchmark-amici") / key
        name = f"task_{key}"
        if not (folder / "done").exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            (folder / "model.xml").write_text(text, encoding="utf-8")
            importer = SbmlImporter(str(folder / "model.xml"))
            importer.sbml2amici(name, str(folder / "code"), generate_sensitivity_code=False, verbose=False)
            (folder / "done").touch()
            self.compiled_now = True
        sys.path.insert(0, str(folder / "code"))
        return amici.import_model_module(name, str(folder / "code"))

    def run(self, rtol: float, subjects: int | None = None) -> tuple[float, Values]:
        """See `benchmarks.peer.Peer`; the time is what AMICI reports, without its Python interface."""
        task = self.task
        self.solver.set_relative_tolerance(rtol)
        self.solver.set_absolute_tolerance(rtol * ATOL_OF_SIZE)
        count = task.subjects if subjects is None else subjects
        values = np.empty((count, len(task.times), len(task.states)))
        spent = 0.0
        for i in range(count):
            named = {**start_values(task, i), **slot_values(task, i)}
            self.model.set_free_parameters([named[name] for name in self._parameters])
            first = np.empty(len(self._order) + len(self._others))
            first[self._order] = [named[name] for name in task.states] / self.sizes
            for k, name in self._others:
                first[k] = named[name]
            self.model.set_initial_state(first.tolist())
            found = sundials.run_simulation(self.model, self.solver)
            if found.status != sundials.AMICI_SUCCESS:
                raise RuntimeError(f"AMICI: subject {i} ended with status {found.status}")
            spent += float(found.cpu_time) * 1e-3
            values[i] = np.asarray(found.x)[:, self._order] * self.sizes
        return spent, values


def load(task: Task, sizes: Values) -> Amici:
    """Import and compile the model."""
    return Amici(task, sizes)
