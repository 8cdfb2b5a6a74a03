"""Which state moves which: signs of the derivatives of the rate laws, through all rules between."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import libsbml
import numpy as np
from numpy.typing import NDArray

from mesolung.biology.assemble import Assembled

Values = NDArray[np.floating[Any]]

RAISES, LOWERS, BOTH = "raises", "lowers", "both"
# So many points of the state space are looked at, from a rule that knows no chance (a Weyl sequence).
POINTS = 96
# A sign that holds in so many of the points where there is any influence is the sign of the dependency.
ALMOST_ALL = 0.9
# What is smaller than this part of the largest influence on the same law is rounding.
LEAST = 1e-12
_STEP = 0.6180339887498949


@dataclass(frozen=True)
class Dependency:
    """The rate law of one state holds another state, directly or through rules.

    Attributes:
        source, target: states.
        sign: `RAISES`, `LOWERS`, or `BOTH` where it depends on the other states.
        direct: whether the rate law itself names the source.
        through: rules that the rate law names and that hold the source, in the model's order.
    """

    source: str
    target: str
    sign: str
    direct: bool
    through: tuple[str, ...]


class _Dual(NamedTuple):
    """A value at all points, and its derivatives to the states that it depends on."""

    value: Values
    slopes: dict[str, Values]


def dependencies(model: Assembled) -> tuple[Dependency, ...]:
    """Find what each rate law depends on, and in which direction.

    A state's influence on its own rate is left out. A dependency that is zero at all points looked at is kept
    as `BOTH`, since the law names it. The same model gives the same answer everywhere.

    Arguments:
        model: the assembled model, whose sources ``src_X`` need no value: they do not depend on states.

    Returns:
        the dependencies, by target in the model's order, then by source.

    Raises:
        ValueError: for a formula with an operation that is not known.
    """
    sbml = libsbml.readSBMLFromString(model.sbml).getModel()
    reader = _Reader(sbml, model.states)
    found: list[Dependency] = []
    for target in model.states:
        tree = reader.rates[target]
        slopes = reader.dual(tree).slopes
        named = _names(tree)
        largest = max((float(np.max(np.abs(s))) for s in slopes.values()), default=0.0)
        for source in model.states:
            if source == target or source not in slopes:
                continue
            through = tuple(n for n in reader.rules if n in named and source in reader.reach(n))
            sign = _sign(slopes[source], largest)
            found.append(Dependency(source, target, sign, source in named, through))
    return tuple(found)


def _sign(slope: Values, largest: float) -> str:
    up = int(np.count_nonzero(slope > LEAST * largest))
    down = int(np.count_nonzero(slope < -LEAST * largest))
    if not up + down:
        return BOTH
    share = up / (up + down)
    return RAISES if share >= ALMOST_ALL else LOWERS if share <= 1.0 - ALMOST_ALL else BOTH


def _names(tree: libsbml.ASTNode) -> frozenset[str]:
    own = {tree.getName()} if tree.isName() else set()
    return frozenset(own.union(*(_names(tree.getChild(i)) for i in range(tree.getNumChildren()))))


class _Reader:
    """The laws of one model, evaluated with derivatives at all points at once."""

    def __init__(self, model: libsbml.Model, states: tuple[str, ...]) -> None:
        laws = list(model.getListOfRules())
        self.rates = {law.getVariable(): law.getMath() for law in laws if law.isRate()}
        self.rules = {law.getVariable(): law.getMath() for law in laws if law.isAssignment()}
        self.starts = {a.getSymbol(): a.getMath() for a in model.getListOfInitialAssignments()}
        self.numbers = {p.getId(): p.getValue() for p in model.getListOfParameters()}
        self.known: dict[str, _Dual] = {}
        self.reached: dict[str, frozenset[str]] = {}
        for k, state in enumerate(states):
            healthy = self._healthy(state)
            relative = model.getParameter(state).getUnits() == "dimensionless"
            self.known[state] = _Dual(_spread(healthy, relative, k), {state: np.ones(POINTS)})

    def reach(self, name: str) -> frozenset[str]:
        """States that a rule depends on."""
        if name not in self.reached:
            self.reached[name] = frozenset(self.dual_of(name).slopes)
        return self.reached[name]

    def _healthy(self, state: str) -> float:
        if state in self.starts:
            return float(self.dual(self.starts[state]).value[0])
        return self.numbers[state]

    def dual_of(self, name: str) -> _Dual:
        """A name's value and derivatives; sources and what a study switches on count as constants."""
        if name not in self.known:
            if name in self.rules:
                self.known[name] = self.dual(self.rules[name])
            elif name in self.starts and not name.startswith("src_"):
                self.known[name] = self.dual(self.starts[name])
            else:
                self.known[name] = _constant(self.numbers.get(name, 0.0))
        return self.known[name]

    def dual(self, tree: libsbml.ASTNode) -> _Dual:
        """Evaluate a formula with its derivatives."""
        if tree.isNumber():
            return _constant(tree.getValue())
        if tree.getType() == libsbml.AST_NAME:
            return self.dual_of(tree.getName())
        kind = tree.getType()
        parts = [self.dual(tree.getChild(i)) for i in range(tree.getNumChildren())]
        if kind in _JOINS:
            return _JOINS[kind](parts)
        if tree.isRelational() or tree.isLogical():
            return _constant(1.0)
        raise ValueError(f"a formula holds {tree.getName() or tree.getOperatorName()}, which is not known")


def _spread(healthy: float, dimensionless: bool, k: int) -> Values:
    """Values that a state may have: from about health to a size where its effects saturate.

    Dimensionless states are shares, scores or relative sizes, which disease lowers from 1 or raises from 0.
    """
    even = ((np.arange(1, POINTS + 1) + 7 * k) * (_STEP + 0.137 * k)) % 1.0
    if dimensionless:
        return 0.02 + 0.96 * even * (healthy or 1.0)
    return (healthy or 1.0) * 10.0 ** (-0.1 + 2.1 * even)


def _constant(value: float) -> _Dual:
    return _Dual(np.full(POINTS, value), {})


def _linear(value: Values, *terms: tuple[Values | float, _Dual]) -> _Dual:
    slopes: dict[str, Values] = {}
    for factor, part in terms:
        for name, slope in part.slopes.items():
            own = np.nan_to_num(factor * slope, nan=0.0, posinf=0.0, neginf=0.0)
            slopes[name] = slopes[name] + own if name in slopes else own
    return _Dual(np.nan_to_num(value), slopes)


def _sum(parts: list[_Dual]) -> _Dual:
    return _linear(sum((p.value for p in parts), np.zeros(POINTS)), *((1.0, p) for p in parts))


def _product(parts: list[_Dual]) -> _Dual:
    total = _constant(1.0)
    for part in parts:
        total = _linear(total.value * part.value, (part.value, total), (total.value, part))
    return total


def _minus(parts: list[_Dual]) -> _Dual:
    if len(parts) == 1:
        return _linear(-parts[0].value, (-1.0, parts[0]))
    return _linear(parts[0].value - parts[1].value, (1.0, parts[0]), (-1.0, parts[1]))


def _divide(parts: list[_Dual]) -> _Dual:
    over, under = parts
    with np.errstate(all="ignore"):
        return _linear(
            over.value / under.value, (1.0 / under.value, over), (-over.value / under.value**2, under)
        )


def _power(parts: list[_Dual]) -> _Dual:
    base, exponent = parts
    with np.errstate(all="ignore"):
        value = base.value**exponent.value
        by_base = exponent.value * base.value ** (exponent.value - 1.0)
        return _linear(value, (by_base, base), (value * np.log(base.value), exponent))


def _root(parts: list[_Dual]) -> _Dual:
    degree, inside = parts if len(parts) == 2 else (_constant(2.0), parts[0])
    return _power([inside, _divide([_constant(1.0), degree])])


def _exp(parts: list[_Dual]) -> _Dual:
    with np.errstate(all="ignore"):
        value = np.exp(parts[0].value)
    return _linear(value, (value, parts[0]))


def _ln(parts: list[_Dual]) -> _Dual:
    with np.errstate(all="ignore"):
        return _linear(np.log(parts[-1].value), (1.0 / parts[-1].value, parts[-1]))


def _abs(parts: list[_Dual]) -> _Dual:
    return _linear(np.abs(parts[0].value), (np.sign(parts[0].value), parts[0]))


def _extreme(pick: Callable[[Values, Values], NDArray[np.bool_]]) -> Callable[[list[_Dual]], _Dual]:
    def join(parts: list[_Dual]) -> _Dual:
        best = parts[0]
        for part in parts[1:]:
            first = pick(best.value, part.value)
            best = _linear(np.where(first, best.value, part.value), (first * 1.0, best), (~first * 1.0, part))
        return best

    return join


def _pieces(parts: list[_Dual]) -> _Dual:
    """All branches count: which of them holds is a matter of the point, what they depend on is not."""
    return _sum(parts[::2])


def _tanh(parts: list[_Dual]) -> _Dual:
    value = np.tanh(parts[0].value)
    return _linear(value, (1.0 - value**2, parts[0]))


_JOINS: Mapping[int, Callable[[list[_Dual]], _Dual]] = {
    libsbml.AST_PLUS: _sum,
    libsbml.AST_TIMES: _product,
    libsbml.AST_MINUS: _minus,
    libsbml.AST_DIVIDE: _divide,
    libsbml.AST_POWER: _power,
    libsbml.AST_FUNCTION_POWER: _power,
    libsbml.AST_FUNCTION_ROOT: _root,
    libsbml.AST_FUNCTION_EXP: _exp,
    libsbml.AST_FUNCTION_LN: _ln,
    libsbml.AST_FUNCTION_LOG: _ln,
    libsbml.AST_FUNCTION_ABS: _abs,
    libsbml.AST_FUNCTION_TANH: _tanh,
    libsbml.AST_FUNCTION_MAX: _extreme(lambda a, b: a >= b),
    libsbml.AST_FUNCTION_MIN: _extreme(lambda a, b: a <= b),
    libsbml.AST_FUNCTION_PIECEWISE: _pieces,
}
