"""Expressions as one hash-consed graph: each distinct operation exists once and is a number."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

# Leaves carry a number (a constant's value or an index); every other operation only its arguments.
LEAVES = ("const", "state", "parameter", "derived", "time", "truth")
CONDITIONS = ("lt", "le", "eq", "ne", "and", "or", "not", "truth")
COMMUTATIVE = ("add", "mul", "eq", "ne", "and", "or")


@dataclass
class Graph:
    """A growing set of expressions, each named by its index.

    ``op``, ``args`` and ``value`` are parallel lists over nodes. ``depends`` holds one bit per state, and bit
    ``TIME`` for time, so that a sparse derivative never visits an expression that does not vary.
    """

    op: list[str] = field(default_factory=list)
    args: list[tuple[int, ...]] = field(default_factory=list)
    value: list[float] = field(default_factory=list)
    depends: list[int] = field(default_factory=list)
    _known: dict[tuple[object, ...], int] = field(default_factory=dict)
    # Derivatives found so far, by node and what they are taken by; see `derivative`.
    slopes: dict[tuple[int, int], int] = field(default_factory=dict)
    # Comparisons and whole parts inside a function that is continuous where they turn.
    smooth: set[int] = field(default_factory=set)

    # Bit 0 is time, so that states can be added without limit above it.
    TIME = 1

    def _node(self, op: str, args: tuple[int, ...] = (), value: float = 0.0) -> int:
        if op in COMMUTATIVE and args[0] > args[1]:
            args = (args[1], args[0])
        # As text a constant keeps the sign of zero, and NaN is equal to itself.
        key = (op, args, float(value).hex())
        found = self._known.get(key)
        if found is not None:
            return found
        bits = 0
        for a in args:
            bits |= self.depends[a]
        if op == "state":
            bits = 1 << (int(value) + 1)
        elif op == "time":
            bits = self.TIME
        index = len(self.op)
        self.op.append(op)
        self.args.append(args)
        self.value.append(value)
        self.depends.append(bits)
        self._known[key] = index
        return index

    # ---- leaves ----
    def const(self, value: float) -> int:
        """A number."""
        return self._node("const", (), float(value))

    def state(self, index: int) -> int:
        """The value of state ``index``."""
        return self._node("state", (), index)

    def parameter(self, index: int) -> int:
        """The value of parameter ``index``."""
        return self._node("parameter", (), index)

    def derived(self, index: int) -> int:
        """The value of constant ``index`` that the model computes from parameters at the start."""
        return self._node("derived", (), index)

    def time(self) -> int:
        """Time since the start."""
        return self._node("time")

    def truth(self, value: bool) -> int:
        """True or false."""
        return self._node("truth", (), 1.0 if value else 0.0)

    # ---- what is known of a node ----
    def is_const(self, a: int, value: float | None = None) -> bool:
        """Whether a node is a number (and which)."""
        return self.op[a] == "const" and (value is None or self.value[a] == value)

    def is_condition(self, a: int) -> bool:
        """Whether a node is true or false instead of a number."""
        return self.op[a] in CONDITIONS

    def invariant(self, a: int) -> bool:
        """Whether a node depends on neither state nor time."""
        return self.depends[a] == 0

    # ---- arithmetic; each method simplifies what needs no knowledge of the model ----
    def add(self, a: int, b: int) -> int:
        """a + b, with what does not vary gathered on one side."""
        if self.is_const(a) and self.is_const(b):
            return self.const(self.value[a] + self.value[b])
        if self.is_const(a, 0.0):
            return b
        if self.is_const(b, 0.0):
            return a
        if self.op[b] == "neg":
            return self.sub(a, self.args[b][0])
        if self.op[a] == "neg":
            return self.sub(b, self.args[a][0])
        return self._node("add", (a, b))

    def sub(self, a: int, b: int) -> int:
        """a - b."""
        if self.is_const(a) and self.is_const(b):
            return self.const(self.value[a] - self.value[b])
        if self.is_const(b, 0.0):
            return a
        if self.is_const(a, 0.0):
            return self.neg(b)
        if a == b:
            return self.const(0.0)
        if self.op[b] == "neg":
            return self.add(a, self.args[b][0])
        return self._node("sub", (a, b))

    def neg(self, a: int) -> int:
        """-a."""
        if self.is_const(a):
            return self.const(-self.value[a])
        if self.op[a] == "neg":
            return self.args[a][0]
        if self.op[a] == "sub":
            return self.sub(self.args[a][1], self.args[a][0])
        return self._node("neg", (a,))

    def mul(self, a: int, b: int) -> int:
        """a b, with factors that do not vary gathered so that they are multiplied once a subject."""
        if self.is_const(a) and self.is_const(b):
            return self.const(self.value[a] * self.value[b])
        if self.is_const(b) or (self.invariant(b) and not self.invariant(a)):
            a, b = b, a
        if self.is_const(a, 0.0):
            return a
        if self.is_const(a, 1.0):
            return b
        if self.is_const(a, -1.0):
            return self.neg(b)
        if self.op[a] == "neg":
            return self.neg(self.mul(self.args[a][0], b))
        if self.op[b] == "neg":
            return self.neg(self.mul(a, self.args[b][0]))
        if self.op[b] == "mul" and not self.invariant(b):
            c, d = self._split(b)
            if c is not None:
                if self.invariant(a):
                    return self.mul(self.mul(a, c), d)
                e, f = self._split(a) if self.op[a] == "mul" else (None, a)
                if e is not None:
                    return self.mul(self.mul(e, c), self.mul(f, d))
                return self.mul(c, self.mul(a, d))
        if self.op[a] == "mul" and not self.invariant(a):
            c, d = self._split(a)
            if c is not None:
                return self.mul(c, self.mul(d, b))
        return self._node("mul", (a, b))

    def _split(self, product: int) -> tuple[int | None, int]:
        """Take a product that varies apart into its factor that does not vary, where it has one, and the
        rest."""
        c, d = self.args[product]
        if self.invariant(c):
            return c, d
        if self.invariant(d):
            return d, c
        return None, product

    def div(self, a: int, b: int) -> int:
        """a / b, as a times 1 / b where b varies or a does, so that rates and derivatives share the
        reciprocal."""
        if self.is_const(a) and self.is_const(b) and self.value[b] != 0.0:
            return self.const(self.value[a] / self.value[b])
        if self.is_const(b, 1.0):
            return a
        if self.is_const(a, 0.0) and not self.is_const(b, 0.0):
            return a
        if self.op[a] == "neg":
            return self.neg(self.div(self.args[a][0], b))
        if self.op[b] == "neg":
            return self.neg(self.div(a, self.args[b][0]))
        if self.invariant(a) and self.invariant(b):
            return self._node("div", (a, b))
        return self.mul(a, self._node("div", (self.const(1.0), b)))

    def is_reciprocal(self, a: int) -> bool:
        """Whether a node is 1 / b."""
        return self.op[a] == "div" and self.is_const(self.args[a][0], 1.0)

    def power(self, a: int, b: int) -> int:
        """a to the b: a whole number as exponent becomes multiplications, everything else needs a >= 0."""
        if self.is_const(b):
            exponent = self.value[b]
            if exponent == 0.0:
                return self.const(1.0)
            if exponent == 0.5:
                return self.sqrt(a)
            if abs(exponent) <= 64 and exponent == int(exponent):
                whole = self.whole_power(a, abs(int(exponent)))
                return whole if exponent > 0 else self.div(self.const(1.0), whole)
            if self.is_const(a) and self.value[a] > 0.0 and abs(exponent * math.log(self.value[a])) < 700.0:
                return self.const(self.value[a] ** exponent)
        return self._node("pow", (a, b))

    def whole_power(self, a: int, n: int) -> int:
        """a to the whole number n >= 1 by repeated squaring."""
        result: int | None = None
        square = a
        while n:
            if n & 1:
                result = square if result is None else self.mul(result, square)
            n >>= 1
            if n:
                square = self.mul(square, square)
        assert result is not None
        return result

    def function(self, name: str, a: int) -> int:
        """One of exp, log, sqrt, abs, floor, ceil of a."""
        return {"sqrt": self.sqrt, "exp": self.exp, "log": self.log}.get(
            name, lambda x: self._unary(name, x)
        )(a)

    def _unary(self, name: str, a: int) -> int:
        if self.is_const(a) and math.isfinite(self.value[a]):
            x = self.value[a]
            known = {"abs": abs, "floor": math.floor, "ceil": math.ceil}[name]
            return self.const(float(known(x)))
        return self._node(name, (a,))

    def exp(self, a: int) -> int:
        """e to the a."""
        if self.is_const(a) and abs(self.value[a]) < 700.0:
            return self.const(math.exp(self.value[a]))
        return self._node("exp", (a,))

    def log(self, a: int) -> int:
        """Natural logarithm of a."""
        if self.is_const(a) and self.value[a] > 0.0:
            return self.const(math.log(self.value[a]))
        return self._node("log", (a,))

    def sqrt(self, a: int) -> int:
        """Square root of a."""
        if self.is_const(a) and self.value[a] >= 0.0:
            return self.const(math.sqrt(self.value[a]))
        return self._node("sqrt", (a,))

    def maximum(self, a: int, b: int) -> int:
        """The larger of a and b; NaN where either is NaN."""
        return self._extreme("max", a, b)

    def minimum(self, a: int, b: int) -> int:
        """The smaller of a and b; NaN where either is NaN."""
        return self._extreme("min", a, b)

    def _extreme(self, op: str, a: int, b: int) -> int:
        if a == b:
            return a
        if self.is_const(a) and self.is_const(b):
            return self.const(
                max(self.value[a], self.value[b]) if op == "max" else min(self.value[a], self.value[b])
            )
        # The number stands first: the kernel returns the second argument where the comparison is undecided.
        if self.is_const(b):
            a, b = b, a
        return self._node(op, (a, b))

    # ---- conditions ----
    def compare(self, op: str, a: int, b: int) -> int:
        """a compared with b: op is lt, le, gt, ge, eq or ne."""
        if op in ("gt", "ge"):
            op, a, b = ("lt" if op == "gt" else "le"), b, a
        if self.is_const(a) and self.is_const(b):
            x, y = self.value[a], self.value[b]
            return self.truth({"lt": x < y, "le": x <= y, "eq": x == y, "ne": x != y}[op])
        return self._node(op, (a, b))

    def both(self, a: int, b: int) -> int:
        """a and b."""
        for x, y in ((a, b), (b, a)):
            if self.op[x] == "truth":
                return y if self.value[x] else x
        return self._node("and", (a, b))

    def either(self, a: int, b: int) -> int:
        """a or b."""
        for x, y in ((a, b), (b, a)):
            if self.op[x] == "truth":
                return x if self.value[x] else y
        return self._node("or", (a, b))

    def invert(self, a: int) -> int:
        """Not a."""
        if self.op[a] == "truth":
            return self.truth(not self.value[a])
        if self.op[a] == "not":
            return self.args[a][0]
        return self._node("not", (a,))

    def choose(self, condition: int, a: int, b: int) -> int:
        """a where the condition holds, b elsewhere."""
        if self.op[condition] == "truth":
            return a if self.value[condition] else b
        return a if a == b else self._node("select", (condition, a, b))
