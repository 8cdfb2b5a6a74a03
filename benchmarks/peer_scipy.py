"""SciPy's LSODA with rates and Jacobian compiled by numba; doses by restarting at their times."""

from __future__ import annotations

import math

import numba
import numpy as np
import scipy
from numpy.typing import NDArray
from scipy.integrate import odeint

from benchmarks.peer import ATOL_OF_SIZE
from benchmarks.source import write_source
from benchmarks.task import Task
from benchmarks.walk import Walk
from mesolung.engine.sbml import read_sbml

Values = NDArray[np.float64]


class SciPy:
    """`scipy.integrate.odeint`, whose loop over steps and outputs is compiled, with an analytic Jacobian."""

    at_most: int | None = None
    any_task = True
    name = "SciPy + numba"
    how = "odeint (LSODA), numba rates and dense analytic Jacobian, restarted at doses"
    tolerances = (1e-5, 1e-6, 1e-7, 1e-8, 1e-9)

    def __init__(self, task: Task, sizes: Values) -> None:
        """Write and compile the model."""
        self.version = f"{scipy.__version__} + {numba.__version__}"
        self.task, self.sizes = task, sizes
        words: dict[str, object] = {"math": math}
        exec(compile(write_source(read_sbml(task.sbml)), "model.py", "exec"), words)
        prepare, rates, slopes = (numba.njit(words[n]) for n in ("prepare", "rates", "jacobian"))
        n = len(task.states)
        self._k = np.empty(int(words["INVARIANTS"]))  # type: ignore[call-overload]
        self._derived = np.empty(len(task.derived))
        self._prepare = prepare

        @numba.njit
        def law(y: Values, t: float, k: Values) -> Values:
            out = np.empty(n)
            rates(y, t, k, out)
            return out

        @numba.njit
        def matrix(y: Values, t: float, k: Values) -> Values:
            out = np.zeros((n, n))
            slopes(y, t, k, out)
            return out

        self._law, self._matrix = law, matrix
        self._rtol, self._atol = 1e-6, self.sizes
        # Compiled now, so that no first call is slower than the others.
        prepare(task.rows[0], self._derived, self._k)
        law(task.initial[0], 0.0, self._k)
        matrix(task.initial[0], 0.0, self._k)

    def _advance(self, states: Values, parameters: Values, grid: Values) -> Values:
        self._prepare(parameters, self._derived, self._k)
        return odeint(
            self._law,
            states,
            grid,
            args=(self._k,),
            Dfun=self._matrix,
            rtol=self._rtol,
            atol=self._atol,
            tcrit=[grid[-1]],
            mxstep=10**6,
        )

    def run(self, rtol: float, subjects: int | None = None) -> tuple[float, Values]:
        """See `benchmarks.peer.Peer`."""
        task = self.task
        self._rtol, self._atol = rtol, rtol * ATOL_OF_SIZE * self.sizes
        walk = Walk(task, self._advance)
        count = task.subjects if subjects is None else subjects
        values = np.empty((count, len(task.times), len(task.states)))
        for i in range(count):
            self._derived[:] = [v[i] for v in task.derived.values()]
            values[i] = walk.run(i)
        return walk.seconds, values


def load(task: Task, sizes: Values) -> SciPy:
    """Compile the model."""
    return SciPy(task, sizes)
