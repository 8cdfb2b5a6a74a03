"""A model as DiffSL text, the language of diffsol, from the engine's own expression graph."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from mesolung.engine.evaluate import needed
from mesolung.engine.graph import Graph
from mesolung.engine.system import System

_INFIX = {"add": "+", "sub": "-", "mul": "*", "div": "/"}
_CALLS = {"pow": "pow", "exp": "exp", "log": "log", "sqrt": "sqrt", "abs": "abs", "max": "max", "min": "min"}


def write_diffsl(system: System, sizes: NDArray[np.float64]) -> str:
    """Write a model as DiffSL text.

    Arguments:
        system: the equations.
        sizes: float64[states], what each state is divided by: the solver has one absolute tolerance for all.

    Returns:
        the text. Its inputs are, in this order, all parameters, derived constants and starting values of the
        scaled states; its states are the scaled states. An expression that is used twice is written once,
        and one that does not vary has a name of its own, so that it is computed once a solve.

    Raises:
        ValueError: for an operation that DiffSL does not have.
    """
    graph = system.graph
    order = needed(graph, system.rates)
    uses = Counter(a for node in order for a in graph.args[node]) + Counter(system.rates)
    n = len(system.states)
    inputs = [f"p{i}" for i in range(len(system.parameters))]
    inputs += [f"c{i}" for i in range(len(system.constants))]
    inputs += [f"z{i}" for i in range(n)]
    known = dict(zip(inputs[: len(system.parameters)], system.defaults.tolist(), strict=True))
    lines = _tensor("in_i", (f"{name} = {known.get(name, 0.0)!r}" for name in inputs))
    lines += _tensor("u_i", (f"y{i} = z{i}" for i in range(n)))
    text: dict[int, str] = {}
    for node in order:
        text[node] = _expression(graph, node, text)
        if graph.op[node] == "state":
            i = int(graph.value[node])
            text[node] = f"s{i}"
            lines.append(f"s{i} {{ {float(sizes[i])!r} * y{i} }}")
        elif graph.args[node] and (uses[node] > 1 or graph.invariant(node)):
            lines.append(f"n{node} {{ {text[node]} }}")
            text[node] = f"n{node}"
    rates = (f"({text[rate]}) * {1.0 / float(sizes[i])!r}" for i, rate in enumerate(system.rates))
    return "\n".join([*lines, *_tensor("F_i", rates)]) + "\n"


def _tensor(head: str, items: Iterable[str]) -> list[str]:
    return [f"{head} {{", ",\n".join(f"  {item}" for item in items), "}"]


def _expression(graph: Graph, node: int, text: dict[int, str]) -> str:
    op, value = graph.op[node], graph.value[node]
    parts = [text[a] for a in graph.args[node]]
    if op == "const":
        return f"({value!r})" if value < 0.0 else repr(value)
    if op in ("parameter", "derived"):
        return f"{'p' if op == 'parameter' else 'c'}{int(value)}"
    if op == "state":
        return f"s{int(value)}"
    if op == "time":
        return "t"
    if op == "neg":
        return f"(-{parts[0]})"
    if op in _INFIX:
        return f"({parts[0]} {_INFIX[op]} {parts[1]})"
    if op in _CALLS:
        return f"{_CALLS[op]}({', '.join(parts)})"
    raise ValueError(f"DiffSL has no '{op}'")
