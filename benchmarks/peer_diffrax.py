"""diffrax Kvaerno5, compiled by JAX for the CPU; doses by restarting at their times."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.metadata import version

import jax

jax.config.update("jax_enable_x64", True)

import diffrax  # noqa: E402  (only after double precision is switched on)
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402
from numpy.typing import NDArray  # noqa: E402

from benchmarks.peer import ATOL_OF_SIZE  # noqa: E402
from benchmarks.task import Task  # noqa: E402
from benchmarks.walk import LOOKS, Walk  # noqa: E402
from mesolung.engine.evaluate import needed  # noqa: E402
from mesolung.engine.sbml import read_sbml  # noqa: E402
from mesolung.engine.system import System  # noqa: E402

Values = NDArray[np.float64]


_OPERATIONS: dict[str, Callable[..., jax.Array]] = {
    "add": jnp.add, "sub": jnp.subtract, "mul": jnp.multiply, "div": jnp.divide, "neg": jnp.negative,
    "pow": jnp.power, "exp": jnp.exp, "log": jnp.log, "sqrt": jnp.sqrt, "abs": jnp.abs, "floor": jnp.floor,
    "ceil": jnp.ceil, "max": jnp.maximum, "min": jnp.minimum, "lt": jnp.less, "le": jnp.less_equal,
    "eq": jnp.equal, "ne": jnp.not_equal, "and": jnp.logical_and, "or": jnp.logical_or,
    "not": jnp.logical_not, "select": lambda c, a, b: jnp.where(c > 0.5, a, b),
}  # fmt: skip


def layered(
    system: System, nodes: Sequence[int]
) -> Callable[[jax.Array, jax.Array, jax.Array, jax.Array], jax.Array]:
    """Write expressions for JAX: all equal operations of one depth of the expression graph as one on vectors.

    With an operation for each expression the bundled model takes XLA more than a quarter of an hour.

    Arguments:
        system: the equations.
        nodes: the expressions.

    Returns:
        a function of time, states, parameters and derived constants that gives their values.
    """
    graph = system.graph
    order = needed(graph, nodes)
    states, parameters = len(system.states), len(system.parameters)
    start = {"state": 0, "parameter": states, "derived": states + parameters}
    time_at = states + parameters + len(system.constants)
    numbers = [n for n in order if graph.op[n] in ("const", "truth")]
    place = {n: time_at + 1 + k for k, n in enumerate(numbers)}
    depth: dict[int, int] = {}
    layers: dict[tuple[int, str], list[int]] = {}
    for n in order:
        op, args = graph.op[n], graph.args[n]
        if op in start:
            place[n] = start[op] + int(graph.value[n])
        elif op == "time":
            place[n] = time_at
        depth[n] = 1 + max((depth[a] for a in args), default=-1)
        if args:
            layers.setdefault((depth[n], op), []).append(n)
    end = time_at + 1 + len(numbers)
    for key in sorted(layers):
        for n in layers[key]:
            place[n], end = end, end + 1
    plan = []
    for level in sorted({level for level, _ in layers}):
        parts = []
        for op in sorted(op for at, op in layers if at == level):
            columns = zip(*(graph.args[n] for n in layers[level, op]), strict=True)
            parts.append((_OPERATIONS[op], [np.array([place[a] for a in column]) for column in columns]))
        plan.append(parts)
    fixed = jnp.asarray([graph.value[n] for n in numbers])
    wanted = np.array([place[node] for node in nodes])

    def law(t: jax.Array, y: jax.Array, p: jax.Array, d: jax.Array) -> jax.Array:
        values = jnp.concatenate([y, p, d, jnp.reshape(jnp.asarray(t, float), (1,)), fixed])
        for parts in plan:
            found = [operation(*(values[c] for c in columns)).astype(float) for operation, columns in parts]
            # Without the barrier XLA fuses layer into layer: minutes of compiling, and much computed twice.
            values = jax.lax.optimization_barrier(jnp.concatenate([values, *found]))
        return values[wanted]

    return law


class Diffrax:
    """One subject at a time, jit-compiled: batched with vmap every subject waits for the slowest.

    States are scaled by their sizes, because its norm has one absolute tolerance for all of them.
    """

    any_task = False
    at_most: int | None = 4
    name = "diffrax"
    how = "Kvaerno5, jit on the CPU, scaled states, restarted at doses"
    tolerances = (1e-6, 1e-7, 1e-8, 1e-9)

    def __init__(self, task: Task, sizes: Values) -> None:
        """Write and compile the model."""
        self.version = f"{version('diffrax')}, JAX {version('jax')}"
        self.task, self.sizes = task, sizes
        system = read_sbml(task.sbml)
        rates, entries = layered(system, system.rates), layered(system, list(system.jacobian.values()))
        scale, n = jnp.asarray(self.sizes), len(task.states)
        rows, columns = np.array(list(system.jacobian), dtype=int).reshape(-1, 2).T

        # With the analytic Jacobian, and not JAX's own, which goes through every operation for every state.
        @jax.custom_jvp
        def law(t: jax.Array, y: jax.Array, p: jax.Array, d: jax.Array) -> jax.Array:
            return rates(t, y * scale, p, d) / scale

        @law.defjvp
        def law_jvp(at: tuple[jax.Array, ...], moved: tuple[jax.Array, ...]) -> tuple[jax.Array, jax.Array]:
            t, y, p, d = at
            matrix = jnp.zeros((n, n)).at[rows, columns].set(entries(t, y * scale, p, d))
            return law(t, y, p, d), (matrix * scale[None, :] / scale[:, None]) @ moved[1]

        @jax.jit
        def stretch(
            y: jax.Array, p: jax.Array, d: jax.Array, start: float, grid: jax.Array, first: float, rtol: float
        ) -> jax.Array:
            found = diffrax.diffeqsolve(
                diffrax.ODETerm(lambda t, y, fixed: law(jnp.asarray(t, float), y, *fixed)),
                diffrax.Kvaerno5(),
                start,
                grid[-1],
                first,
                y,
                args=(p, d),
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
