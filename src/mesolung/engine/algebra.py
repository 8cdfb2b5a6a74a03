"""Replacing parts of expressions, and solving equations that are linear in what they determine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mesolung.engine.derivative import slope
from mesolung.engine.evaluate import needed
from mesolung.engine.graph import LEAVES, Graph


def substitute(graph: Graph, nodes: Sequence[int], known: Mapping[int, int]) -> list[int]:
    """Write expressions anew with some nodes replaced by others.

    Arguments:
        graph: where the expressions live.
        nodes: the expressions.
        known: what stands for which node.

    Returns:
        The expressions in the order given; one without such a node is the same as before.
    """
    done = dict(known)
    for node in needed(graph, nodes):
        if node in done:
            continue
        args = tuple(done[a] for a in graph.args[node])
        same = graph.op[node] in LEAVES or args == graph.args[node]
        done[node] = node if same else _again(graph, graph.op[node], args)
    return [done[n] for n in nodes]


def _again(g: Graph, op: str, args: tuple[int, ...]) -> int:
    if op in ("lt", "le", "eq", "ne"):
        return g.compare(op, args[0], args[1])
    if op in ("exp", "log", "sqrt", "abs", "floor", "ceil"):
        return g.function(op, args[0])
    return {
        "add": g.add,
        "sub": g.sub,
        "neg": g.neg,
        "mul": g.mul,
        "div": g.div,
        "pow": g.power,
        "max": g.maximum,
        "min": g.minimum,
        "and": g.both,
        "or": g.either,
        "not": g.invert,
        "select": g.choose,
    }[op](*args)


def solve_linear(graph: Graph, equations: Sequence[int], unknowns: Sequence[int]) -> list[int] | None:
    """Solve equations, each an expression that is zero, for as many unknowns.

    Arguments:
        graph: where the expressions live.
        equations: the expressions.
        unknowns: indices of state leaves that stand for what is not known.

    Returns:
        The expression of each unknown, or None where an equation is not linear in the unknowns or the
        equations do not determine them. Method: elimination of one unknown after the other.
    """
    g = graph
    solved: dict[int, int] = {}
    rest = list(equations)
    bits = sum(1 << (u + 1) for u in unknowns)
    for unknown in unknowns:
        leaf = g.state(unknown)
        found = None
        for k, equation in enumerate(rest):
            gain = slope(g, equation, 1 << (unknown + 1))
            if not g.depends[gain] & bits and not g.is_const(gain, 0.0):
                found = k, gain
                break
        if found is None:
            return None
        equation = rest.pop(found[0])
        base = substitute(g, [equation], {leaf: g.const(0.0)})[0]
        value = g.neg(g.div(base, found[1]))
        rest = substitute(g, rest, {leaf: value})
        names = list(solved)
        solved = dict(zip(names, substitute(g, [solved[n] for n in names], {leaf: value}), strict=True))
        solved[unknown] = value
    values = [solved[u] for u in unknowns]
    return None if any(g.depends[v] & bits for v in values) else values
