"""A model as Python source, from the engine's own expression graph, for numba."""

from __future__ import annotations

import math
from collections import Counter

from mesolung.engine.evaluate import needed
from mesolung.engine.graph import Graph
from mesolung.engine.system import System

_INFIX = {
    "add": "+", "sub": "-", "mul": "*", "div": "/", "pow": "**",
    "lt": "<", "le": "<=", "eq": "==", "ne": "!=",
}  # fmt: skip
_CALLS = ("exp", "log", "sqrt", "floor", "ceil")
_WORDS = {
    "max": "max({}, {})", "min": "min({}, {})", "abs": "abs({})", "select": "({1} if {0} else {2})",
    "and": "({} and {})", "or": "({} or {})", "not": "(not {})",
}  # fmt: skip


def write_source(system: System) -> str:
    """Write a model as Python source.

    Arguments:
        system: the equations.

    Returns:
        the text of ``prepare(p, d, k)``, which fills in k[invariants] all that does not vary,
        ``rates(y, t, k, out)``, and ``jacobian(y, t, k, out)``, which fills a dense matrix [rate, state];
        ``INVARIANTS`` is the length of k.

    Raises:
        ValueError: for an operation that has no source.
    """
    graph = system.graph
    wanted = [*system.rates, *system.jacobian.values()]
    order = needed(graph, wanted)
    # What does not vary and is used by something that does.
    used = {a for n in order if not graph.invariant(n) for a in graph.args[n]} | set(wanted)
    fixed = {n: i for i, n in enumerate(n for n in order if graph.invariant(n) and n in used)}
    lines = [f"INVARIANTS = {max(1, len(fixed))}", "", "def prepare(p, d, k):"]
    body, values = _body(graph, list(fixed), {})
    lines += [*body, *(f"    k[{i}] = {value}" for i, value in enumerate(values)), "    return"]
    body, values = _body(graph, list(system.rates), fixed)
    lines += ["", "def rates(y, t, k, out):", *body]
    lines += [f"    out[{i}] = {rate}" for i, rate in enumerate(values)]
    body, values = _body(graph, list(system.jacobian.values()), fixed)
    lines += ["", "def jacobian(y, t, k, out):", *body]
    lines += [f"    out[{i}, {j}] = {entry}" for (i, j), entry in zip(system.jacobian, values, strict=True)]
    return "\n".join(lines) + "\n"


def _body(graph: Graph, roots: list[int], fixed: dict[int, int]) -> tuple[list[str], list[str]]:
    """Lines that compute what is used more than once, and the expressions of the roots."""
    order = _until(graph, roots, fixed)
    uses = Counter(a for n in order if n not in fixed for a in graph.args[n]) + Counter(roots)
    text: dict[int, str] = {}
    lines = []
    for node in order:
        if node in fixed:
            text[node] = f"k[{fixed[node]}]"
            continue
        text[node] = _expression(graph, node, text)
        if graph.args[node] and uses[node] > 1:
            lines.append(f"    n{node} = {text[node]}")
            text[node] = f"n{node}"
    return lines, [text[n] for n in roots]


def _until(graph: Graph, roots: list[int], fixed: dict[int, int]) -> list[int]:
    """What roots need, without what only ``fixed`` nodes need."""
    reached, stack = set(), list(roots)
    while stack:
        node = stack.pop()
        if node not in reached:
            reached.add(node)
            if node not in fixed:
                stack.extend(graph.args[node])
    return [n for n in needed(graph, roots) if n in reached]


def _expression(graph: Graph, node: int, text: dict[int, str]) -> str:
    op, value = graph.op[node], graph.value[node]
    parts = [text[a] for a in graph.args[node]]
    if op == "const":
        if not math.isfinite(value):
            return f"float('{value}')"
        return f"({value!r})" if value < 0.0 else repr(value)
    if op in ("state", "parameter", "derived"):
        return f"{ {'state': 'y', 'parameter': 'p', 'derived': 'd'}[op] }[{int(value)}]"
    if op == "time":
        return "t"
    if op == "truth":
        return str(bool(value))
    if op == "neg":
        return f"(-{parts[0]})"
    if op in _INFIX:
        return f"({parts[0]} {_INFIX[op]} {parts[1]})"
    if op in _CALLS:
        return f"math.{op}({parts[0]})"
    if op in _WORDS:
        return _WORDS[op].format(*parts)
    raise ValueError(f"no Python source for '{op}'")
