"""Laws as plain trees: read from libSBML once, so that checks can walk them quickly."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import libsbml

_OPERATIONS = {
    libsbml.AST_PLUS: "+",
    libsbml.AST_MINUS: "-",
    libsbml.AST_TIMES: "*",
    libsbml.AST_DIVIDE: "/",
    libsbml.AST_POWER: "^",
    libsbml.AST_FUNCTION_POWER: "^",
    libsbml.AST_FUNCTION_EXP: "exp",
    libsbml.AST_FUNCTION_LN: "ln",
    libsbml.AST_FUNCTION_ABS: "abs",
    libsbml.AST_FUNCTION_MIN: "min",
    libsbml.AST_FUNCTION_MAX: "max",
    libsbml.AST_FUNCTION_PIECEWISE: "piecewise",
}
_WRITTEN = {"+": " + ", "-": " - ", "*": " * ", "/": " / ", "^": "^"}


@dataclass(frozen=True)
class Expression:
    """A node of a law.

    Attributes:
        operation: "number", "name", "+", "-" (of one or two), "*", "/", "^", "exp", "ln", "log" (base and
            argument), "root" (degree and argument), "abs", "min", "max", "piecewise" (value, condition, ...,
            else), "time", or "other" for what is none of these.
        value: of a number.
        name: of a name; of "other", what it is.
        parts: operands.
    """

    operation: str
    value: float = 0.0
    name: str = ""
    parts: tuple[Expression, ...] = ()

    @cached_property
    def names(self) -> frozenset[str]:
        """The names that it mentions itself."""
        own = {self.name} if self.operation == "name" else set[str]()
        return frozenset(own.union(*(part.names for part in self.parts)))

    @cached_property
    def _hash(self) -> int:
        return hash((self.operation, self.value, self.name, self.parts))

    def __hash__(self) -> int:
        return self._hash  # kept: trees are looked up often

    def __str__(self) -> str:
        if self.operation == "number":
            return f"{self.value:g}"
        if self.operation in ("name", "time"):
            return self.name or "time"
        inside = [str(part) for part in self.parts]
        if self.operation in _WRITTEN and len(inside) > 1:
            wrapped = (
                f"({text})" if part.operation in "+-*/^" and part.parts else text
                for part, text in zip(self.parts, inside, strict=True)
            )
            return _WRITTEN[self.operation].join(wrapped)
        if self.operation == "-":
            return f"-({inside[0]})"
        return f"{self.name or self.operation}({', '.join(inside)})"


def read_expression(node: libsbml.ASTNode) -> Expression:
    """Read a law.

    Arguments:
        node: libSBML's tree of it.

    Returns:
        the same as a plain tree.
    """
    kind = node.getType()
    if kind == libsbml.AST_NAME_TIME:
        return Expression("time")
    if node.isNumber():
        return Expression("number", value=float(node.getValue()))
    if node.isName():
        return Expression("name", name=node.getName())
    parts = tuple(read_expression(node.getChild(i)) for i in range(node.getNumChildren()))
    if kind in _OPERATIONS:
        return Expression(_OPERATIONS[kind], parts=parts)
    if kind == libsbml.AST_FUNCTION_ROOT:
        return Expression("root", parts=parts if len(parts) == 2 else (Expression("number", 2.0), *parts))
    if kind == libsbml.AST_FUNCTION_LOG:
        return Expression("log", parts=parts if len(parts) == 2 else (Expression("number", 10.0), *parts))
    return Expression("other", name=node.getName() or "condition", parts=parts)


def terms(expression: Expression, laws: Mapping[str, Expression]) -> Iterator[Expression]:
    """List the terms of a sum; a name whose law is a sum counts as that sum."""
    if expression.operation == "+":
        for part in expression.parts:
            yield from terms(part, laws)
    elif expression.operation == "name" and laws.get(expression.name, expression).operation == "+":
        yield from terms(laws[expression.name], laws)
    else:
        yield expression


def factors(expression: Expression) -> Counter[Expression]:
    """Count the factors of a product; a power to a whole number is that many factors."""
    if expression.operation == "*":
        return sum((factors(part) for part in expression.parts), Counter())
    if expression.operation == "^":
        base, exponent = expression.parts
        if exponent.operation == "number" and exponent.value in range(1, 20):
            return Counter({factor: n * int(exponent.value) for factor, n in factors(base).items()})
    return Counter({expression: 1})
