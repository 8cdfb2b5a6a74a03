"""Derivatives of expressions, exact where they exist and one-sided at a kink."""

from __future__ import annotations

from mesolung.engine.evaluate import needed
from mesolung.engine.graph import Graph

# Below this no quotient x^n / x is formed, so that a power at zero has the slope zero and not 0/0.
_TINY = 1e-300


def slope(graph: Graph, node: int, bit: int) -> int:
    """Differentiate an expression.

    Arguments:
        graph: where the expression lives and its derivative is made.
        node: the expression.
        bit: what to differentiate by: ``Graph.TIME`` or ``1 << (state + 1)``.

    Returns:
        The node of the derivative. At the kink of max, min and abs, and at a switch of a piecewise law, it is
        the derivative of the branch that the value is taken from. A power x^n with n > 0 that is not a whole
        number has the slope 0 at x = 0 (1 where n is 1), also where the true slope is infinite: a state at
        zero then stays solvable, and the error estimate of the step guards the accuracy.
    """
    if not graph.depends[node] & bit:
        return graph.const(0.0)
    if (node, bit) not in graph.slopes:
        # Arguments first: an expression may be deeper than Python's stack.
        for inner in needed(graph, [node]):
            new = graph.depends[inner] & bit and (inner, bit) not in graph.slopes
            if new and not graph.is_condition(inner):
                graph.slopes[inner, bit] = _slope(graph, inner, bit)
    return graph.slopes[node, bit]


def _slope(g: Graph, node: int, bit: int) -> int:
    op, args = g.op[node], g.args[node]
    if op in ("state", "time"):
        return g.const(1.0)
    if op in ("floor", "ceil"):
        return g.const(0.0)
    if op == "select":
        condition, a, b = args
        return g.choose(condition, slope(g, a, bit), slope(g, b, bit))
    d = [slope(g, a, bit) for a in args]
    a = args[0]
    b = args[1] if len(args) > 1 else a
    if op == "add":
        return g.add(d[0], d[1])
    if op == "sub":
        return g.sub(d[0], d[1])
    if op == "neg":
        return g.neg(d[0])
    if op == "mul":
        for over, d_top in ((a, d[1]), (b, d[0])):
            if g.is_reciprocal(over):
                # (x/y)' = (x' - (x/y) y') / y uses the quotient and the reciprocal again.
                below = g.args[over][1]
                return g.mul(over, g.sub(d_top, g.mul(node, slope(g, below, bit))))
        return g.add(g.mul(d[0], b), g.mul(a, d[1]))
    if op == "div":
        return g.div(g.sub(d[0], g.mul(node, d[1])), b)
    if op == "exp":
        return g.mul(node, d[0])
    if op == "log":
        return g.div(d[0], a)
    if op == "sqrt":
        half = g.div(g.const(0.5), g.maximum(g.const(_TINY), node))
        return g.mul(half, d[0])
    if op == "abs":
        return g.choose(g.compare("lt", a, g.const(0.0)), g.neg(d[0]), d[0])
    if op == "max":
        return g.choose(g.compare("lt", b, a), d[0], d[1])
    if op == "min":
        return g.choose(g.compare("lt", a, b), d[0], d[1])
    if op == "pow":
        return _slope_of_power(g, node, a, b, d[0], d[1])
    raise AssertionError(f"no derivative of {op}")


def _slope_of_power(g: Graph, node: int, base: int, exponent: int, d_base: int, d_exponent: int) -> int:
    zero, one, tiny = g.const(0.0), g.const(1.0), g.const(_TINY)
    above = g.compare("lt", zero, base)
    total = zero
    if not g.is_const(d_base, 0.0):
        at_zero = g.choose(g.compare("eq", exponent, one), one, zero)
        ratio = g.mul(exponent, g.div(node, g.maximum(tiny, base)))
        total = g.mul(g.choose(above, ratio, at_zero), d_base)
    if not g.is_const(d_exponent, 0.0):
        grown = g.mul(node, g.log(g.maximum(tiny, base)))
        total = g.add(total, g.mul(g.choose(above, grown, zero), d_exponent))
    return total
