"""diffrax Kvaerno5, compiled by JAX for the CPU; doses by restarting at their times."""

from __future__ import annotations

from functools import partial
from importlib.metadata import version

import jax

jax.config.update("jax_enable_x64", True)

import diffrax  # noqa: E402  (only after double precision is switched on)
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402
from numpy.typing import NDArray  # noqa: E402

from benchmarks.peer import ATOL_OF_SIZE, floors  # noqa: E402
from benchmarks.source import write_source  # noqa: E402
from benchmarks.task import Task  # noqa: E402
from benchmarks.walk import LOOKS, Walk  # noqa: E402
from mesolung.engine.sbml import read_sbml  # noqa: E402

Values = NDArray[np.float64]


class Diffrax:
    """One subject at a time, jit-compiled: batched with vmap every lane waits for the slowest.

    States are scaled by their sizes, because its norm has one absolute tolerance for all of them.
    """

    any_task = True
    name = "diffrax"
    how = "Kvaerno5, jit on the CPU, scaled states, restarted at doses"
    tolerances = (1e-5, 1e-6, 1e-7, 1e-8, 1e-9)

    def __init__(self, task: Task, sizes: Values) -> None:
        """Write and compile the model."""
        self.version = f"{version('diffrax')}, JAX {version('jax')}"
        self.task, self.sizes = task, floors(sizes)
        words: dict[str, object] = {"jnp": jnp}
        exec(compile(write_source(read_sbml(task.sbml), "jnp"), "model.py", "exec"), words)
        prepare, rates = words["prepare"], words["rates"]
        scale = jnp.asarray(self.sizes)

        def law(t: float, y: jax.Array, k: jax.Array) -> jax.Array:
            return rates(t, y * scale, k) / scale  # type: ignore[operator]

        @partial(jax.jit)
        def stretch(
            y: jax.Array, p: jax.Array, d: jax.Array, start: float, grid: jax.Array, first: float, rtol: float
        ) -> jax.Array:
            found = diffrax.diffeqsolve(
                diffrax.ODETerm(law),
                diffrax.Kvaerno5(),
                start,
                grid[-1],
                first,
                y,
                args=prepare(p, d),  # type: ignore[operator]
                saveat=diffrax.SaveAt(ts=grid),
                stepsize_controller=diffrax.PIDController(rtol=rtol, atol=rtol * ATOL_OF_SIZE),
                max_steps=10**6,
            )
            return found.ys

        self._stretch = stretch
        self._derived, self._rtol = np.empty(len(task.derived)), 1e-6
        # One length of grid for all stretches, so that one compilation serves them.
        self._length = LOOKS * len(task.times) + 2
        self._advance(task.initial[0], task.rows[0], task.times[:2])

    def _advance(self, states: Values, parameters: Values, grid: Values) -> Values:
        padded = np.full(self._length, grid[-1])
        padded[: len(grid)] = grid
        first = 1e-4 * (grid[-1] - grid[0])
        scaled = self._stretch(
            states / self.sizes, parameters, self._derived, grid[0], padded, first, self._rtol
        )
        return np.array(scaled)[: len(grid)] * self.sizes

    def run(self, rtol: float, subjects: int | None = None) -> tuple[float, Values]:
        """See `benchmarks.peer.Peer`."""
        task = self.task
        self._rtol = rtol
        walk = Walk(task, self._advance)
        count = task.subjects if subjects is None else subjects
        values = np.empty((count, len(task.times), len(task.states)))
        for i in range(count):
            self._derived[:] = [v[i] for v in task.derived.values()]
            values[i] = walk.run(i)
        return walk.seconds, values


def load(task: Task, sizes: Values) -> Diffrax:
    """Compile the model."""
    return Diffrax(task, sizes)
