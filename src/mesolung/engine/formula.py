"""From the formulas of SBML (a libSBML syntax tree) to the engine's graph."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from itertools import pairwise

import libsbml

from mesolung.engine.errors import EngineError
from mesolung.engine.functions import FUNCTIONS, factorial, function, power, quotient, remainder
from mesolung.engine.graph import Graph

Lookup = Callable[[str], int]

# How the time symbol, and the rate of a name, are asked of a lookup: no name of SBML holds a space.
TIME = " time"
RATE_OF = "rate of "

_RELATIONS = {
    libsbml.AST_RELATIONAL_LT: "lt",
    libsbml.AST_RELATIONAL_LEQ: "le",
    libsbml.AST_RELATIONAL_GT: "gt",
    libsbml.AST_RELATIONAL_GEQ: "ge",
    libsbml.AST_RELATIONAL_EQ: "eq",
    libsbml.AST_RELATIONAL_NEQ: "ne",
}
_FUNCTIONS = {
    libsbml.AST_FUNCTION_EXP: "exp",
    libsbml.AST_FUNCTION_LN: "log",
    libsbml.AST_FUNCTION_ABS: "abs",
    libsbml.AST_FUNCTION_FLOOR: "floor",
    libsbml.AST_FUNCTION_CEILING: "ceil",
}
_FURTHER = {getattr(libsbml, f"AST_FUNCTION_{name.upper()}"): name for name in FUNCTIONS}
# How many arguments the others take, at least and at most.
_ARGUMENTS = {
    libsbml.AST_MINUS: (1, 2),
    libsbml.AST_DIVIDE: (2, 2),
    libsbml.AST_POWER: (2, 2),
    libsbml.AST_FUNCTION_POWER: (2, 2),
    libsbml.AST_FUNCTION_ROOT: (1, 2),
    libsbml.AST_FUNCTION_LOG: (1, 2),
    libsbml.AST_FUNCTION_QUOTIENT: (2, 2),
    libsbml.AST_FUNCTION_REM: (2, 2),
    libsbml.AST_FUNCTION_FACTORIAL: (1, 1),
    libsbml.AST_FUNCTION_RATE_OF: (1, 1),
    libsbml.AST_FUNCTION_MAX: (1, math.inf),
    libsbml.AST_FUNCTION_MIN: (1, math.inf),
    libsbml.AST_FUNCTION_PIECEWISE: (1, math.inf),
    libsbml.AST_LOGICAL_NOT: (1, 1),
    libsbml.AST_LOGICAL_IMPLIES: (2, 2),
    **dict.fromkeys((*_FUNCTIONS, *_FURTHER), (1, 1)),
    **dict.fromkeys(_RELATIONS, (2, math.inf)),
}
_CONSTANTS = {
    libsbml.AST_CONSTANT_E: math.e,
    libsbml.AST_CONSTANT_PI: math.pi,
    libsbml.AST_NAME_AVOGADRO: 6.02214179e23,
}


class FormulaReader:
    """Turns formulas into nodes of a graph, with function definitions replaced by what they stand for."""

    def __init__(self, graph: Graph, model: libsbml.Model) -> None:
        self.graph = graph
        self.definitions = {f.getId(): f for f in model.getListOfFunctionDefinitions()}

    def number(self, tree: libsbml.ASTNode, lookup: Lookup, where: str) -> int:
        """Read a formula that gives a number.

        Arguments:
            tree: the formula.
            lookup: the node of a name; called with `TIME` for the time symbol, and with `RATE_OF` before a
                name for its rate.
            where: what the formula belongs to, for messages.

        Returns:
            The node.

        Raises:
            EngineError: for an operation that the engine does not serve, by name.
        """
        node = self._read(tree, lookup, where)
        if self.graph.is_condition(node):
            return self.graph.choose(node, self.graph.const(1.0), self.graph.const(0.0))
        return node

    def condition(self, tree: libsbml.ASTNode, lookup: Lookup, where: str) -> int:
        """Read a formula that is true or false; see `number`."""
        node = self._read(tree, lookup, where)
        if self.graph.is_condition(node):
            return node
        return self.graph.compare("ne", node, self.graph.const(0.0))

    def _read(self, tree: libsbml.ASTNode, lookup: Lookup, where: str) -> int:
        g, kind = self.graph, tree.getType()
        parts = [tree.getChild(i) for i in range(tree.getNumChildren())]

        least, most = _ARGUMENTS.get(kind, (0, math.inf))
        if not least <= len(parts) <= most:
            raise EngineError(f"{where}: '{_name(tree)}' has {len(parts)} arguments")

        def number(i: int) -> int:
            return self.number(parts[i], lookup, where)

        if tree.isNumber():
            return g.const(tree.getValue())
        if kind == libsbml.AST_NAME:
            return lookup(tree.getName())
        if kind == libsbml.AST_NAME_TIME:
            return lookup(TIME)
        if kind in _CONSTANTS:
            return g.const(_CONSTANTS[kind])
        if kind in (libsbml.AST_CONSTANT_TRUE, libsbml.AST_CONSTANT_FALSE):
            return g.truth(kind == libsbml.AST_CONSTANT_TRUE)
        if kind == libsbml.AST_PLUS:
            return self._sum(tree, lookup, where)
        if kind == libsbml.AST_TIMES:
            return self._product(tree, lookup, where)
        if kind == libsbml.AST_MINUS:
            return g.neg(number(0)) if len(parts) == 1 else g.sub(number(0), number(1))
        if kind == libsbml.AST_DIVIDE:
            return g.div(number(0), number(1))
        if kind in (libsbml.AST_POWER, libsbml.AST_FUNCTION_POWER):
            return power(g, number(0), number(1))
        if kind == libsbml.AST_FUNCTION_ROOT:
            degree, x = (g.const(2.0), number(0)) if len(parts) == 1 else (number(0), number(1))
            return g.power(x, g.div(g.const(1.0), degree))
        if kind == libsbml.AST_FUNCTION_LOG:
            base, x = (g.const(10.0), number(0)) if len(parts) == 1 else (number(0), number(1))
            return g.div(g.log(x), g.log(base))
        if kind in _FUNCTIONS:
            return g.function(_FUNCTIONS[kind], number(0))
        if kind in _FURTHER:
            return function(g, _FURTHER[kind], number(0))
        if kind == libsbml.AST_FUNCTION_QUOTIENT:
            return quotient(g, number(0), number(1))
        if kind == libsbml.AST_FUNCTION_REM:
            return remainder(g, number(0), number(1))
        if kind == libsbml.AST_FUNCTION_FACTORIAL:
            return factorial(g, number(0))
        if kind == libsbml.AST_FUNCTION_RATE_OF and parts[0].getType() == libsbml.AST_NAME:
            return lookup(RATE_OF + parts[0].getName())
        if kind in (libsbml.AST_FUNCTION_MAX, libsbml.AST_FUNCTION_MIN):
            return self._extreme(kind, [number(i) for i in range(len(parts))])
        if kind == libsbml.AST_FUNCTION_PIECEWISE:
            return self._piecewise(parts, lookup, where)
        if kind in _RELATIONS or tree.isLogical():
            return self._logical(kind, parts, lookup, where)
        if kind == libsbml.AST_FUNCTION and tree.getName() in self.definitions:
            return self._call(tree, [self._read(p, lookup, where) for p in parts], where)
        if kind == libsbml.AST_FUNCTION_DELAY:
            raise EngineError(f"{where}: the engine does not serve 'delay'")
        raise EngineError(f"{where}: the engine does not serve '{_name(tree)}'")

    def _flat(self, tree: libsbml.ASTNode, kind: int) -> list[libsbml.ASTNode]:
        """The terms of a sum, or factors of a product, that is written as nested pairs."""
        found: list[libsbml.ASTNode] = []
        stack = [tree]
        while stack:
            top = stack.pop()
            if top.getType() == kind:
                stack.extend(top.getChild(i) for i in reversed(range(top.getNumChildren())))
            else:
                found.append(top)
        return found

    def _sum(self, tree: libsbml.ASTNode, lookup: Lookup, where: str) -> int:
        g = self.graph
        terms = [self.number(t, lookup, where) for t in self._flat(tree, libsbml.AST_PLUS)]
        total = g.const(0.0)
        # What does not vary is added first, so that it is added once a subject.
        for t in sorted(terms, key=lambda t: not g.invariant(t)):
            total = g.add(total, t)
        return total

    def _product(self, tree: libsbml.ASTNode, lookup: Lookup, where: str) -> int:
        g = self.graph
        factors = [self.number(t, lookup, where) for t in self._flat(tree, libsbml.AST_TIMES)]
        total = g.const(1.0)
        for f in sorted(factors, key=lambda f: not g.invariant(f)):
            total = g.mul(total, f)
        return total

    def _extreme(self, kind: int, values: list[int]) -> int:
        join = self.graph.maximum if kind == libsbml.AST_FUNCTION_MAX else self.graph.minimum
        total = values[0]
        for v in values[1:]:
            total = join(total, v)
        return total

    def _piecewise(self, parts: list[libsbml.ASTNode], lookup: Lookup, where: str) -> int:
        g = self.graph
        # Without an "otherwise" the value is undefined where no condition holds.
        last = self.number(parts[-1], lookup, where) if len(parts) % 2 else g.const(math.nan)
        for i in reversed(range(0, len(parts) - 1, 2)):
            met = self.condition(parts[i + 1], lookup, where)
            last = self._choose(met, self.number(parts[i], lookup, where), last)
        return last

    def _choose(self, met: int, a: int, b: int) -> int:
        """A choice, written as max or min where it is one: those are a single instruction."""
        g = self.graph
        if g.op[met] in ("lt", "le"):
            small, large = g.args[met]
            if (a, b) == (large, small):
                return g.maximum(a, b)
            if (a, b) == (small, large):
                return g.minimum(a, b)
        return g.choose(met, a, b)

    def _logical(self, kind: int, parts: list[libsbml.ASTNode], lookup: Lookup, where: str) -> int:
        g = self.graph
        if kind in _RELATIONS:
            values = [self.number(p, lookup, where) for p in parts]
            total = g.truth(True)
            for a, b in pairwise(values):
                total = g.both(total, g.compare(_RELATIONS[kind], a, b))
            return total
        values = [self.condition(p, lookup, where) for p in parts]
        if kind == libsbml.AST_LOGICAL_NOT:
            return g.invert(values[0])
        if kind == libsbml.AST_LOGICAL_IMPLIES:
            return g.either(g.invert(values[0]), values[1])
        total = values[0] if values else g.truth(kind == libsbml.AST_LOGICAL_AND)
        for v in values[1:]:
            if kind == libsbml.AST_LOGICAL_AND:
                total = g.both(total, v)
            elif kind == libsbml.AST_LOGICAL_OR:
                total = g.either(total, v)
            else:
                total = g.either(g.both(total, g.invert(v)), g.both(g.invert(total), v))
        return total

    def _call(self, tree: libsbml.ASTNode, values: list[int], where: str) -> int:
        definition = self.definitions[tree.getName()]
        names = [definition.getArgument(i).getName() for i in range(definition.getNumArguments())]
        if len(names) != len(values):
            raise EngineError(f"{where}: function '{definition.getId()}' takes {len(names)} arguments")
        bound: Mapping[str, int] = dict(zip(names, values, strict=True))

        def inside(name: str) -> int:
            if name not in bound:
                raise EngineError(f"function '{definition.getId()}': unknown name '{name.strip()}'")
            return bound[name]

        if definition.getBody() is None:
            raise EngineError(f"function '{definition.getId()}' has no formula")
        return self._read(definition.getBody(), inside, where)


def _name(tree: libsbml.ASTNode) -> str:
    return tree.getName() or tree.getOperatorName() or libsbml.formulaToL3String(tree)
