"""Where a condition becomes true: how far it is from that, and at what time, where time alone decides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mesolung.engine.algebra import substitute
from mesolung.engine.derivative import slope
from mesolung.engine.evaluate import needed
from mesolung.engine.graph import Graph


@dataclass(frozen=True)
class Switch:
    """A comparison that time alone turns, at a moment that can be computed beforehand.

    ``moment`` is the expression of that time and ``gain`` that of the speed at which the comparison's larger
    side grows over the smaller one; neither varies with time, but an event may change them. ``strict`` tells
    that equality does not satisfy the comparison.
    """

    moment: int
    gain: int
    strict: bool


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
    """Find the comparisons inside expressions that only time turns, at a moment known beforehand.

    Arguments:
        graph: where the expressions live.
        nodes: the expressions.
        still: the states, as bits of ``Graph.depends``, that move in events only.

    Returns:
        One switch for each such comparison whose sides differ by something linear in time.
    """
    g = graph
    found: list[Switch] = []
    for node in needed(g, nodes):
        if g.op[node] not in ("lt", "le", "eq", "ne"):
            continue
        bits = g.depends[node]
        if not bits & Graph.TIME or bits & ~(still | Graph.TIME):
            continue
        a, b = g.args[node]
        past = g.sub(b, a)
        gain = slope(g, past, Graph.TIME)
        if g.depends[gain] & Graph.TIME or g.is_const(gain, 0.0):
            continue
        at_zero = substitute(g, [past], {g.time(): g.const(0.0)})[0]
        moment = g.neg(g.div(at_zero, gain))
        if not g.depends[moment] & Graph.TIME:
            found.append(Switch(moment, gain, g.op[node] == "lt"))
    return tuple(found)
