"""Derivatives are exact, kinks have one side, the order keeps the factor sparse and the factor solves."""

import numpy as np
import pytest
import sympy

from mesolung.engine.derivative import slope
from mesolung.engine.evaluate import evaluate
from mesolung.engine.graph import Graph
from mesolung.engine.ordering import elimination_order
from mesolung.engine.pattern import factor_pattern


def value(g: Graph, node: int, *states: float) -> float:
    none = np.zeros(0)
    return float(evaluate(g, [node], np.array(states, dtype=float), none, none)[0])


def test_equal_expressions_are_one_node() -> None:
    g = Graph()
    x, y = g.state(0), g.state(1)
    assert g.add(x, y) == g.add(y, x) and g.mul(x, y) == g.mul(y, x) and g.sub(x, y) != g.sub(y, x)
    assert g.power(x, g.const(4.0)) == g.mul(g.mul(x, x), g.mul(x, x))
    assert g.op[g.power(x, g.const(0.5))] == "sqrt" and g.op[g.power(x, g.const(1.5))] == "pow"
    assert g.add(x, g.const(0.0)) == x and g.mul(x, g.const(0.0)) == g.const(0.0)
    assert g.const(0.0) != g.const(-0.0)


def test_what_does_not_vary_is_gathered() -> None:
    g = Graph()
    x, p, q = g.state(0), g.parameter(0), g.parameter(1)
    for product in (g.mul(g.mul(p, x), q), g.mul(p, g.mul(x, q)), g.mul(g.mul(q, x), p)):
        assert g.op[product] == "mul" and sorted(g.args[product]) == sorted((x, g.mul(p, q)))


Pair = tuple[int, sympy.Expr]


def combined(g: Graph, kind: int, one: Pair, two: Pair) -> Pair:
    """A new expression from two, in the graph and in sympy."""
    (m, s), (n, t) = one, two
    positive, with_positive = g.add(g.const(1.0), g.mul(m, m)), 1 + s * s
    if kind == 0:
        return g.add(m, n), s + t
    if kind == 1:
        return g.sub(m, n), s - t
    if kind == 2:
        return g.mul(m, n), s * t
    if kind == 3:
        return g.div(m, g.add(g.const(3.0), g.mul(n, n))), s / (3 + t * t)
    if kind == 4:
        return g.exp(g.neg(g.mul(m, m))), sympy.exp(-s * s)
    if kind == 5:
        return g.log(positive), sympy.log(with_positive)
    if kind == 6:
        exponent = g.div(n, g.add(g.const(1.0), g.mul(n, n)))
        return g.power(positive, exponent), with_positive ** (t / (1 + t * t))
    return g.sqrt(positive), sympy.sqrt(with_positive)


def test_derivatives_agree_with_sympy() -> None:
    rng = np.random.default_rng(5)
    a, b = sympy.symbols("a b", positive=True)
    for trial in range(60):
        g = Graph()
        pool: list[Pair] = [(g.state(0), a), (g.state(1), b), (g.const(1.5), sympy.Float(1.5))]
        for _ in range(12):
            one, two = (pool[i] for i in rng.integers(0, len(pool), 2))
            pool.append(combined(g, int(rng.integers(0, 8)), one, two))
        node, expression = pool[-1]
        at = rng.uniform(0.5, 1.5, 2)
        for k, symbol in enumerate((a, b)):
            exact = float(sympy.diff(expression, symbol).evalf(25, subs={a: at[0], b: at[1]}))
            found = value(g, slope(g, node, 1 << (k + 1)), *at)
            assert found == pytest.approx(exact, rel=1e-9, abs=1e-12), trial


def test_kinks_have_the_slope_of_the_branch_that_is_taken() -> None:
    g = Graph()
    x, zero = g.state(0), g.const(0.0)
    bit = 1 << 1
    for node, left, at, right in (
        (g.maximum(zero, x), 0.0, 1.0, 1.0),
        (g.minimum(x, zero), 1.0, 1.0, 0.0),
        (g.function("abs", x), -1.0, 1.0, 1.0),
        (g.choose(g.compare("lt", x, zero), g.mul(x, g.const(3.0)), x), 3.0, 1.0, 1.0),
    ):
        assert [value(g, slope(g, node, bit), v) for v in (-2.0, 0.0, 2.0)] == [left, at, right]


def test_powers_at_zero_have_a_finite_slope() -> None:
    g = Graph()
    x, bit = g.maximum(g.const(0.0), g.state(0)), 1 << 1
    for exponent, at_zero in ((1.7, 0.0), (2.0, 0.0), (1.0, 1.0), (0.7, 0.0)):
        node = g._node("pow", (x, g.const(exponent)))
        assert value(g, slope(g, node, bit), 0.0) == at_zero
        assert value(g, slope(g, node, bit), -1.0) == 0.0
        assert value(g, slope(g, node, bit), 2.0) == pytest.approx(
            exponent * 2.0 ** (exponent - 1), rel=1e-14
        )


def random_pattern(rng: np.random.Generator, size: int) -> list[tuple[int, int]]:
    return [(i, int(j)) for i in range(size) for j in rng.choice(size, 3)]


def test_the_factor_solves() -> None:
    rng = np.random.default_rng(9)
    for size in (1, 2, 7, 40):
        pattern = random_pattern(rng, size)
        factor = factor_pattern(size, pattern)
        assert sorted(factor.order) == list(range(size))
        matrix = np.zeros((size, size))
        for i, j in pattern:
            matrix[i, j] = rng.standard_normal()
        matrix += 10 * np.eye(size)
        # Elimination in this order must never leave the pattern.
        work = matrix[np.ix_(factor.order, factor.order)]
        for k in range(size):
            work[k + 1 :, k] /= work[k, k]
            work[k + 1 :, k + 1 :] -= np.outer(work[k + 1 :, k], work[k, k + 1 :])
        filled = {(int(i), int(j)) for i, j in np.argwhere(work != 0.0)}
        assert filled <= set(factor.place)
        assert sorted(factor.place.values()) == list(range(factor.entries))


def fill(order: list[int], size: int, pattern: list[tuple[int, int]]) -> int:
    near = [set() for _ in range(size)]
    for i, j in pattern:
        if i != j:
            near[i].add(j)
            near[j].add(i)
    total = 0
    for k in order:
        total += len(near[k])
        for i in near[k]:
            near[i] |= near[k] - {i}
            near[i].discard(k)
    return total


def test_the_order_keeps_the_factor_sparse() -> None:
    # An arrow has no fill when its head goes last, a grid far less than in its natural order.
    arrow = [pair for i in range(1, 30) for pair in ((0, i), (i, 0))]
    assert fill(elimination_order(30, arrow), 30, arrow) == 29
    side = 12
    grid = [(side * r + c, side * r + c + 1) for r in range(side) for c in range(side - 1)]
    grid += [(side * r + c, side * (r + 1) + c) for r in range(side - 1) for c in range(side)]
    grid += [(j, i) for i, j in grid]
    size = side * side
    order = elimination_order(size, grid)
    assert sorted(order) == list(range(size))
    assert fill(order, size, grid) < 0.65 * fill(list(range(size)), size, grid)
    assert order == elimination_order(size, list(reversed(grid)))


def test_what_only_reads_or_only_drives_makes_no_fill() -> None:
    # One state is driven by all others and one drives them all: as a symmetric pattern that would fill up.
    pairs = [(0, i) for i in range(2, 20)] + [(i, 1) for i in range(2, 20)]
    assert factor_pattern(20, pairs).entries == 20 + len(pairs)
