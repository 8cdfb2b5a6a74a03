"""The value of expressions in NumPy: slow, plain, and the reference that tests hold the kernel against."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mesolung.engine.graph import Graph

Values = NDArray[np.float64]


def evaluate(
    graph: Graph,
    nodes: Sequence[int],
    states: Values,
    parameters: Values,
    derived: Values,
    time: float = 0.0,
) -> list[Values]:
    """Evaluate expressions for one subject or many.

    Arguments:
        graph: where the expressions live.
        nodes: the expressions.
        states, parameters, derived: values by index along the last axis, in the model's units.
        time: time since the start.

    Returns:
        One array per expression, of the shape of the arguments without their last axis.
    """
    memo: dict[int, Values] = {}
    leaves = {"state": states, "parameter": parameters, "derived": derived}
    shape = np.broadcast_shapes(states.shape[:-1], parameters.shape[:-1])
    for node in needed(graph, nodes):
        op, value = graph.op[node], graph.value[node]
        if op in leaves:
            memo[node] = leaves[op][..., int(value)]
        elif op in ("const", "truth"):
            memo[node] = np.asarray(value if op == "const" else bool(value))
        elif op == "time":
            memo[node] = np.asarray(time)
        else:
            with np.errstate(all="ignore"):
                memo[node] = _OPERATIONS[op](*(memo[a] for a in graph.args[node]))
    return [np.broadcast_to(memo[n], shape).astype(np.float64) for n in nodes]


def needed(graph: Graph, nodes: Sequence[int]) -> list[int]:
    """List the nodes that others need, arguments before the operations that use them.

    Arguments:
        graph: where the expressions live.
        nodes: the expressions wanted.

    Returns:
        Each node once, in an order in which they can be computed; equal graphs give equal orders.
    """
    order: list[int] = []
    seen: set[int] = set()
    for root in nodes:
        stack = [(root, False)]
        while stack:
            node, ready = stack.pop()
            if ready:
                order.append(node)
            elif node not in seen:
                seen.add(node)
                stack.append((node, True))
                stack.extend((a, False) for a in reversed(graph.args[node]) if a not in seen)
    return order


def _power(a: Values, b: Values) -> Values:
    return np.where(np.asarray(a) < 0.0, np.nan, np.power(np.abs(a), b))


_OPERATIONS = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.divide,
    "neg": np.negative,
    "pow": _power,
    "exp": np.exp,
    "log": np.log,
    "sqrt": np.sqrt,
    "abs": np.abs,
    "floor": np.floor,
    "ceil": np.ceil,
    "max": np.maximum,
    "min": np.minimum,
    "lt": np.less,
    "le": np.less_equal,
    "eq": np.equal,
    "ne": np.not_equal,
    "and": np.logical_and,
    "or": np.logical_or,
    "not": np.logical_not,
    "select": np.where,
}
