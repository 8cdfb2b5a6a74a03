"""Functions of MathML beyond exp, log and powers, written in the operations that the kernel has.

Sine and cosine take the nearest multiple of pi/2 away in three parts (W. J. Cody and W. Waite, Software
Manual for the Elementary Functions, 1980) and sum Taylor's series of what remains; the arctangent halves its
argument's angle twice by arctan x = 2 arctan(x / (1 + sqrt(1 + x^2))) before it sums its series. Errors are a
few units in the last place of the result or of 1, whichever is larger.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from mesolung.engine.graph import Graph

# pi/2 in three parts; the first two have 33 bits, so that their products with a whole number below 2^20 are
# exact.
_HALF_PI = (
    float.fromhex("0x1.921fb54400000p+0"),
    float.fromhex("0x1.0b4611a600000p-34"),
    float.fromhex("0x1.3198a2e037073p-69"),
)
# Beyond this angle too few digits would be left: the result is not a number.
_LARGEST_ANGLE = 2.0**20


def _series(g: Graph, z: int, coefficients: list[float]) -> int:
    """c0 + c1 z + c2 z^2 + ..."""
    total = g.const(coefficients[-1])
    for c in reversed(coefficients[:-1]):
        total = g.add(g.const(c), g.mul(total, z))
    return total


def _sine(g: Graph, x: int, quarters: int) -> int:
    """sin(x + quarters * pi/2)."""
    c = g.const
    k = g.function("floor", g.add(g.mul(c(2.0 / math.pi), x), c(0.5)))
    r = x
    for part in _HALF_PI:
        r = g.sub(r, g.mul(c(part), k))
    z = g.mul(r, r)
    odd = _series(g, z, [(-1.0) ** n / math.factorial(2 * n + 1) for n in range(9)])
    even = _series(g, z, [(-1.0) ** n / math.factorial(2 * n) for n in range(10)])
    k = g.add(k, c(float(quarters)))
    quarter = g.sub(k, g.mul(c(4.0), g.function("floor", g.mul(c(0.25), k))))
    half = g.sub(quarter, g.mul(c(2.0), g.function("floor", g.mul(c(0.5), quarter))))
    value = g.choose(g.compare("lt", half, c(0.5)), g.mul(r, odd), even)
    value = g.choose(g.compare("lt", quarter, c(1.5)), value, g.neg(value))
    near = g.compare("le", g.function("abs", x), c(_LARGEST_ANGLE))
    return g.choose(near, value, c(math.nan))


def _sin(g: Graph, x: int) -> int:
    return _sine(g, x, 0)


def _cos(g: Graph, x: int) -> int:
    return _sine(g, x, 1)


def _tan(g: Graph, x: int) -> int:
    return g.div(_sin(g, x), _cos(g, x))


def _arctan(g: Graph, x: int) -> int:
    c, size = g.const, g.function("abs", x)
    large = g.compare("lt", c(1.0), size)
    a = g.choose(large, g.div(c(1.0), g.maximum(c(1.0), size)), size)
    for _ in range(2):
        a = g.div(a, g.add(c(1.0), g.sqrt(g.add(c(1.0), g.mul(a, a)))))
    series = _series(g, g.mul(a, a), [(-1.0) ** n / (2 * n + 1) for n in range(12)])
    angle = g.mul(c(4.0), g.mul(a, series))
    angle = g.choose(large, g.sub(c(math.pi / 2), angle), angle)
    return g.choose(g.compare("lt", x, c(0.0)), g.neg(angle), angle)


def _arcsin(g: Graph, x: int) -> int:
    one = g.const(1.0)
    beside = g.sqrt(g.mul(g.sub(one, x), g.add(one, x)))
    return g.mul(g.const(2.0), _arctan(g, g.div(x, g.add(one, beside))))


def _arccos(g: Graph, x: int) -> int:
    one = g.const(1.0)
    return g.mul(g.const(2.0), _arctan(g, g.sqrt(g.div(g.sub(one, x), g.add(one, x)))))


def _sinh(g: Graph, x: int) -> int:
    up = g.exp(x)
    z = g.mul(x, x)
    # Near zero the exponentials cancel.
    near = g.mul(x, _series(g, z, [1.0 / math.factorial(2 * n + 1) for n in range(8)]))
    far = g.mul(g.const(0.5), g.sub(up, g.exp(g.neg(x))))
    return g.choose(g.compare("lt", z, g.const(1.0)), near, far)


def _cosh(g: Graph, x: int) -> int:
    return g.mul(g.const(0.5), g.add(g.exp(x), g.exp(g.neg(x))))


def _tanh(g: Graph, x: int) -> int:
    # Beyond 20 it is 1 to the last digit, and the exponentials would overflow.
    near = g.maximum(g.const(-20.0), g.minimum(g.const(20.0), x))
    return g.div(_sinh(g, near), _cosh(g, near))


def _near_one_log(g: Graph, x: int) -> int:
    """log(1 + x), also for small x (W. Kahan's correction of the rounded sum)."""
    one = g.const(1.0)
    u = g.add(one, x)
    # (u - 1) is what the sum has really added.
    added = g.sub(u, one)
    known = g.mul(g.log(u), g.div(x, added))
    return g.choose(g.compare("eq", added, g.const(0.0)), x, known)


def _arcsinh(g: Graph, x: int) -> int:
    c, size = g.const, g.function("abs", x)
    z = g.mul(size, size)
    beside = g.div(z, g.add(c(1.0), g.sqrt(g.add(z, c(1.0)))))
    value = _near_one_log(g, g.add(size, beside))
    return g.choose(g.compare("lt", x, c(0.0)), g.neg(value), value)


def _arccosh(g: Graph, x: int) -> int:
    one = g.const(1.0)
    return g.log(g.add(x, g.sqrt(g.mul(g.sub(x, one), g.add(x, one)))))


def _arctanh(g: Graph, x: int) -> int:
    # By size: near -1 the sum inside the logarithm would cancel.
    c, size = g.const, g.function("abs", x)
    inside = g.div(g.mul(c(2.0), size), g.sub(c(1.0), size))
    value = g.mul(c(0.5), _near_one_log(g, inside))
    return g.choose(g.compare("lt", x, c(0.0)), g.neg(value), value)


_PLAIN: dict[str, Callable[[Graph, int], int]] = {
    "sin": _sin,
    "cos": _cos,
    "tan": _tan,
    "arcsin": _arcsin,
    "arccos": _arccos,
    "arctan": _arctan,
    "sinh": _sinh,
    "cosh": _cosh,
    "tanh": _tanh,
    "arcsinh": _arcsinh,
    "arccosh": _arccosh,
    "arctanh": _arctanh,
}
# The others are these of the inverse, or the inverse of these.
_INVERSE = {"csc": "sin", "sec": "cos", "cot": "tan", "csch": "sinh", "sech": "cosh", "coth": "tanh"}
FUNCTIONS = (*_PLAIN, *_INVERSE, *(f"arc{name}" for name in _INVERSE))


def function(graph: Graph, name: str, x: int) -> int:
    """Write a function of MathML.

    Arguments:
        graph: where it is written.
        name: one of `FUNCTIONS`.
        x: its argument.

    Returns:
        The node. Outside a function's domain, and for the sine and its kin beyond an angle of 2^20, the value
        is not a number.
    """
    before = len(graph.op)
    value = _write(graph, name, x)
    graph.smooth.update(n for n in range(before, len(graph.op)) if graph.op[n] in ("lt", "le", "eq", "floor"))
    return value


def _write(g: Graph, name: str, x: int) -> int:
    if name in _PLAIN:
        return _PLAIN[name](g, x)
    one = g.const(1.0)
    if name in _INVERSE:
        return g.div(one, _PLAIN[_INVERSE[name]](g, x))
    if name == "arccot":
        # Of zero it is a right angle.
        return g.choose(g.compare("eq", x, g.const(0.0)), g.const(math.pi / 2), _arctan(g, g.div(one, x)))
    return _PLAIN["arc" + _INVERSE[name.removeprefix("arc")]](g, g.div(one, x))


def power(graph: Graph, base: int, exponent: int) -> int:
    """base to the exponent, also for a negative base where the exponent is whole but not written down.

    Arguments:
        graph: where it is written.
        base, exponent: nodes.

    Returns:
        The node. A negative base to something that is not whole is not a number.
    """
    g, c = graph, graph.const
    # A Hill term's max(x, 0) is never negative.
    positive = g.op[base] == "max" and g.is_const(g.args[base][0]) and g.value[g.args[base][0]] >= 0.0
    if g.is_const(exponent) or positive:
        return g.power(base, exponent)
    half = g.mul(c(0.5), exponent)
    odd = g.choose(g.compare("eq", g.function("floor", half), half), c(1.0), c(-1.0))
    whole = g.compare("eq", g.function("floor", exponent), exponent)
    sign = g.choose(g.compare("lt", base, c(0.0)), g.choose(whole, odd, c(math.nan)), c(1.0))
    return g.mul(sign, g.power(g.function("abs", base), exponent))


def factorial(graph: Graph, x: int) -> int:
    """n! of a whole number from 0 to 170; not a number for anything else."""
    g = graph

    def among(low: int, high: int) -> int:
        if low == high:
            value = g.const(float(math.factorial(low)))
            return g.choose(g.compare("eq", x, g.const(float(low))), value, g.const(math.nan))
        middle = (low + high) // 2
        below = g.compare("lt", x, g.const(middle + 0.5))
        return g.choose(below, among(low, middle), among(middle + 1, high))

    return among(0, 170)


def quotient(graph: Graph, a: int, b: int) -> int:
    """The whole part of a / b, towards zero."""
    g = graph
    ratio = g.div(a, b)
    whole = g.function("floor", g.function("abs", ratio))
    return g.choose(g.compare("lt", ratio, g.const(0.0)), g.neg(whole), whole)


def remainder(graph: Graph, a: int, b: int) -> int:
    """What a leaves when b is taken away a whole number of times; it has the sign of a."""
    g = graph
    return g.sub(a, g.mul(b, quotient(g, a, b)))
