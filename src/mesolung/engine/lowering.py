"""From expressions to straight-line functions of vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from mesolung.engine.factor import PIECE
from mesolung.engine.graph import LEAVES, Graph
from mesolung.engine.ir import Function, number

ARGUMENTS = ("y", "p", "t", "a", "b", "s")
_BINARY = {"add": "fadd", "sub": "fsub", "mul": "fmul", "div": "fdiv"}
_COMPARE = {"lt": "olt", "le": "ole", "eq": "oeq", "ne": "une"}


@dataclass(frozen=True)
class Output:
    """Where the value of an expression goes: element ``index`` of argument ``a`` or ``b``, or added to it."""

    array: str
    index: int
    node: int
    add: bool = False


@dataclass
class Lowering:
    """Writes functions ``(y, p, t, a, b, s)``: states, parameters, time, two results, scratch.

    Expressions that do not vary are computed once a subject by ``@prepare`` and kept behind the parameters
    and derived constants in p. ``kept`` lists them; ``scratch`` is the largest number of vectors that a
    function keeps in s between its pieces.
    """

    graph: Graph
    parameters: int
    constants: int
    kept: dict[int, int] = field(default_factory=dict)
    scratch: int = 0

    @property
    def width(self) -> int:
        """Vectors in p: parameters, derived constants, kept expressions."""
        return self.parameters + self.constants + len(self.kept)

    def function(self, name: str, outputs: Sequence[Output], keep: bool = True) -> str:
        """Write one function.

        Arguments:
            name: its name.
            outputs: the expressions and where they go.
            keep: whether expressions that do not vary are taken from p instead of computed.

        Returns:
            IR text, split into pieces of about ``PIECE`` operations.
        """
        return _Writer(self, name, keep).write(outputs)

    def preparation(self) -> str:
        """Write ``@prepare``: every kept expression, from parameters and derived constants; call it last."""
        base = self.parameters + self.constants
        outputs = [Output("a", base + slot, node) for node, slot in self.kept.items()]
        return self.function("prepare", outputs, keep=False)


class _Writer:
    def __init__(self, lowering: Lowering, name: str, keep: bool) -> None:
        self.low, self.g, self.name, self.keep = lowering, lowering.graph, name, keep
        self.pieces: list[Function] = []
        self.values: dict[int, str] = {}

    def write(self, outputs: Sequence[Output]) -> str:
        order, self.fused = self._plan(outputs)
        # Which piece computes each node, and which nodes a later piece needs.
        piece_of = {node: i // PIECE for i, node in enumerate(order)}
        wanted: dict[int, list[Output]] = {}
        for out in outputs:
            wanted.setdefault(out.node, []).append(out)
        across = {
            a for node in order for a in self._uses(node) if a in piece_of and piece_of[a] < piece_of[node]
        }
        self.slot = {node: i for i, node in enumerate(sorted(across))}
        self.low.scratch = max(self.low.scratch, len(self.slot))
        self._begin()
        for i, node in enumerate(order):
            if i and i % PIECE == 0:
                self._begin()
            self.values[node] = self._compute(node)
            if node in self.slot:
                self._keep(node)
            for out in wanted.pop(node, []):
                self._put(out)
        for rest in wanted.values():
            for out in rest:
                self._put(out)
        return self._text()

    def _leaf(self, node: int) -> bool:
        """Whether a node is loaded or written down instead of computed here."""
        return self.g.op[node] in LEAVES or (
            self.keep and self.g.invariant(node) and not self.g.is_condition(node)
        )

    def _plan(self, outputs: Sequence[Output]) -> tuple[list[int], set[int]]:
        """Order the nodes to compute, and find the products that become part of a fused multiply-add."""
        nodes: list[int] = []
        stop: set[int] = set()
        for node in self._reached([o.node for o in outputs]):
            (stop.add(node) if self._leaf(node) else nodes.append(node))
        uses: dict[int, int] = {}
        for node in nodes:
            for a in self.g.args[node]:
                uses[a] = uses.get(a, 0) + 1
        for out in outputs:
            uses[out.node] = uses.get(out.node, 0) + 1
        fused: set[int] = set()
        inside = set(nodes)
        for node in nodes:
            if self.g.op[node] in ("add", "sub"):
                for a in reversed(self.g.args[node]):
                    if a in inside and self.g.op[a] == "mul" and uses[a] == 1:
                        fused.add(a)
                        break
        return self._gathered([n for n in nodes if n not in fused]), fused

    def _gathered(self, nodes: list[int]) -> list[int]:
        """Powers of one base one after the other, so that they share its logarithm."""
        g = self.g
        powers: dict[int, list[int]] = {}
        for node in nodes:
            # An exponent that is only loaded is there as early as the base.
            if g.op[node] == "pow" and self._leaf(g.args[node][1]):
                powers.setdefault(g.args[node][0], []).append(node)
        order: list[int] = []
        for node in nodes:
            if g.op[node] != "pow" or not self._leaf(g.args[node][1]):
                order.append(node)
            else:
                order.extend(powers.pop(g.args[node][0], []))
        return order

    def _reached(self, roots: list[int]) -> list[int]:
        """As `needed`, but not below what is loaded."""
        order: list[int] = []
        seen: set[int] = set()
        for root in roots:
            stack = [(root, False)]
            while stack:
                node, ready = stack.pop()
                if ready:
                    order.append(node)
                elif node not in seen:
                    seen.add(node)
                    stack.append((node, True))
                    if not self._leaf(node):
                        stack.extend((a, False) for a in reversed(self.g.args[node]) if a not in seen)
        return order

    def _uses(self, node: int) -> list[int]:
        found: list[int] = []
        for a in self.g.args[node]:
            found.extend(self.g.args[a] if a in self.fused else [a])
        return found

    # ---- one piece ----
    def _begin(self) -> None:
        arguments = ", ".join(f"ptr noalias %{a}" for a in ARGUMENTS)
        self.f = Function(f"{self.name}_{len(self.pieces)}", arguments)
        self.pieces.append(self.f)
        self.values = {}
        self.logs: dict[int, tuple[str, str]] = {}

    def _text(self) -> str:
        main = Function(self.name, ", ".join(f"ptr noalias %{a}" for a in ARGUMENTS))
        call = ", ".join(f"ptr %{a}" for a in ARGUMENTS)
        for piece in self.pieces:
            piece.line("ret void")
            main.line(f"call void @{piece.name}({call})")
        main.line("ret void")
        return "".join(p.text() for p in self.pieces) + main.text()

    def _keep(self, node: int) -> None:
        value = self.values[node]
        if self.g.is_condition(node):
            value = self.f.select(value, number(1.0), number(0.0))
        self.f.store(value, "%s", self.slot[node])

    def _put(self, out: Output) -> None:
        value = self._value(out.node)
        if self.g.is_condition(out.node):
            value = self.f.select(value, number(1.0), number(0.0))
        if out.add:
            value = self.f.op("fadd", self.f.load(f"%{out.array}", out.index), value)
        self.f.store(value, f"%{out.array}", out.index)

    def _value(self, node: int) -> str:
        if node not in self.values:
            self.values[node] = self._fetch(node)
        return self.values[node]

    def _fetch(self, node: int) -> str:
        """A value that this piece has not computed: a leaf, or something an earlier piece left in scratch."""
        g, f = self.g, self.f
        if node in self.slot:
            value = f.load("%s", self.slot[node])
            return f.compare("une", value, number(0.0)) if g.is_condition(node) else value
        op, index = g.op[node], g.value[node]
        if op == "const":
            return number(index)
        if op == "truth":
            return f"splat (i1 {'true' if index else 'false'})"
        if op == "state":
            return f.load("%y", int(index))
        if op == "time":
            return f.load("%t")
        if op == "parameter":
            return f.load("%p", int(index))
        if op == "derived":
            return f.load("%p", self.low.parameters + int(index))
        slot = self.low.kept.setdefault(node, len(self.low.kept))
        return f.load("%p", self.low.parameters + self.low.constants + slot)

    def _compute(self, node: int) -> str:
        g, f, op, args = self.g, self.f, self.g.op[node], self.g.args[node]
        if op in ("add", "sub"):
            fused = [a for a in args if a in self.fused]
            if fused:
                return self._fused(op, args, fused[-1])
        v = [self._value(a) for a in args]
        if op in _BINARY:
            return f.op(_BINARY[op], v[0], v[1])
        if op == "neg":
            return f.negative(v[0])
        if op in ("sqrt", "floor", "ceil", "abs"):
            return f.intrinsic("fabs" if op == "abs" else op, v[0])
        if op in ("exp", "log"):
            return f.value(f"call $V @lane_{op}($V {v[0]})")
        if op == "pow":
            return self._power(args[0], v[0], v[1])
        if op in ("max", "min"):
            best = f.larger(v[0], v[1]) if op == "max" else f.smaller(v[0], v[1])
            # The instruction lets the second NaN through; the first needs help unless it is a number.
            return best if g.is_const(args[0]) else f.select(f.compare("uno", v[0], v[0]), v[0], best)
        if op in _COMPARE:
            return f.compare(_COMPARE[op], v[0], v[1])
        if op in ("and", "or"):
            return f.op(op, v[0], v[1], "$M")
        if op == "not":
            return f.op("xor", v[0], "splat (i1 true)", "$M")
        assert op == "select", op
        return f.select(v[0], v[1], v[2])

    def _power(self, base: int, x: str, y: str) -> str:
        f = self.f
        if base not in self.logs:
            pair = f.value(f"call {{ $V, $V }} @lane_log_of_power($V {x})")
            parts = [f.value(f"extractvalue {{ $V, $V }} {pair}, {k}") for k in (0, 1)]
            self.logs[base] = (parts[0], parts[1])
        high, low = self.logs[base]
        return f.value(f"call $V @lane_power_of_log($V {high}, $V {low}, $V {x}, $V {y})")

    def _fused(self, op: str, args: tuple[int, ...], product: int) -> str:
        f = self.f
        x, y = (self._value(a) for a in self.g.args[product])
        if args[1] == product:
            other = self._value(args[0])
            return f.fma(x if op == "add" else f.negative(x), y, other)
        other = self._value(args[1])
        return f.fma(x, y, other if op == "add" else f.negative(other))
