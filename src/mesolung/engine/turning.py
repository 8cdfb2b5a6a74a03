"""Where a condition becomes true: how far it is from that, and at what time, where time alone decides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mesolung.engine.derivative import slope
from mesolung.engine.evaluate import needed
from mesolung.engine.graph import Graph


@dataclass(frozen=True)
class Switch:
    """Something that time alone turns, at a moment that can be computed beforehand.

    ``moment`` is the expression of the next such time. Where time itself is compared with a bound it is
    ``exact``; ``gain`` is then how fast the larger side grows over the smaller one, and ``strict`` tells that
    equality does not satisfy the comparison. Elsewhere it holds to within a few units in the last place, and
    where something is linear in pieces only as seen from the present piece.
    """

    moment: int
    gain: int
    strict: bool
    exact: bool


def distance(graph: Graph, condition: int) -> tuple[int, int]:
    """How far a condition is from turning, and the size to judge that by.

    Arguments:
        graph: where the condition lives.
        condition: the condition.

    Returns:
        The node of a number that is positive where the condition holds and negative where it does not, and
        continuous where its comparisons are of continuous values by size; and the node of the size of what
        is compared, 0 for what can only be halved.
    """
    g, op = graph, graph.op[condition]
    if op in ("lt", "le"):
        a, b = g.args[condition]
        return g.sub(b, a), g.add(g.function("abs", a), g.function("abs", b))
    if op == "not":
        past, size = distance(g, g.args[condition][0])
        return g.neg(past), size
    if op in ("and", "or"):
        (one, size_one), (other, size_other) = (distance(g, a) for a in g.args[condition])
        first = g.compare("lt", one, other) if op == "and" else g.compare("lt", other, one)
        return g.choose(first, one, other), g.choose(first, size_one, size_other)
    return g.choose(condition, g.const(1.0), g.const(-1.0)), g.const(0.0)


def switches(graph: Graph, nodes: Sequence[int], still: int) -> tuple[Switch, ...]:
    """Find what time alone turns inside expressions, at moments known beforehand.

    Arguments:
        graph: where the expressions live.
        nodes: the expressions.
        still: the states, as bits of ``Graph.depends``, that move in events only.

    Returns:
        One switch for each comparison, and for each whole part (floor, ceiling), of what is linear in time,
        at least in pieces.
    """
    g = graph
    found: list[Switch] = []
    for node in needed(g, nodes):
        bits = g.depends[node]
        if not bits & Graph.TIME or bits & ~(still | Graph.TIME) or node in g.smooth:
            continue
        if g.op[node] in ("lt", "le", "eq", "ne"):
            a, b = g.args[node]
            found += _comparison(g, a, b, g.op[node] == "lt")
        elif g.op[node] in ("floor", "ceil"):
            found += _whole_part(g, g.args[node][0])
    return tuple(found)


def _comparison(g: Graph, a: int, b: int, strict: bool) -> list[Switch]:
    past = g.sub(b, a)
    gain = slope(g, past, Graph.TIME)
    if g.is_const(gain, 0.0) or not g.is_const(slope(g, gain, Graph.TIME), 0.0):
        return []
    for one, other in ((a, b), (b, a)):
        if g.op[one] == "time" and not g.depends[other] & Graph.TIME:
            return [Switch(other, gain, strict, True)]
    return [Switch(g.sub(g.time(), g.div(past, gain)), gain, strict, False)]


def _whole_part(g: Graph, of: int) -> list[Switch]:
    """Where something reaches its next whole number."""
    gain = slope(g, of, Graph.TIME)
    if g.is_const(gain, 0.0) or not g.is_const(slope(g, gain, Graph.TIME), 0.0):
        return []
    up = g.add(g.function("floor", of), g.const(1.0))
    down = g.sub(g.function("ceil", of), g.const(1.0))
    goal = g.choose(g.compare("lt", g.const(0.0), gain), up, down)
    return [Switch(g.add(g.time(), g.div(g.sub(goal, of), gain)), gain, False, False)]
