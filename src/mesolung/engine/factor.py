"""Straight-line code that computes a sparse LU factor and solves with it."""

from __future__ import annotations

from mesolung.engine.indexed import indexed_functions
from mesolung.engine.ir import Function, number
from mesolung.engine.pattern import Factor

# A straight line of more operations than this is cut: register allocation grows faster than its length.
PIECE = 500
# A factor of more operations than this works by an index table: slower by a third, but compiled at once.
STRAIGHT = 20_000


def factor_functions(factor: Factor, straight: int = STRAIGHT) -> str:
    """Write ``@factor(ptr w, ptr g)`` and ``@resolve(ptr w, ptr b)``.

    Arguments:
        factor: the pattern.
        straight: operations above which an index table is used.

    Returns:
        IR text. ``@factor`` adds g to the diagonal of w (entries at their places) and replaces w by its
        factor, with the reciprocals of the pivots; ``@resolve`` replaces b (in the model's order) by the
        solution.
    """
    if factor.operations > straight:
        return indexed_functions(factor)
    return _factor(factor) + _resolve(factor)


class _Pieces:
    """Functions with equal arguments, called one after the other; elements stay in registers within each."""

    def __init__(self, name: str, arguments: tuple[str, ...]) -> None:
        self.name, self.arguments = name, arguments
        self.done: list[Function] = []
        self._begin()

    def _begin(self) -> None:
        names = ", ".join(f"ptr noalias %{a}" for a in self.arguments)
        self.f = Function(f"{self.name}_{len(self.done)}", names)
        self.done.append(self.f)
        self.known: dict[tuple[str, int], str] = {}
        self.changed: set[tuple[str, int]] = set()
        self.work = 0

    def _end(self) -> None:
        for array, index in sorted(self.changed):
            self.f.store(self.known[array, index], f"%{array}", index)
        self.f.line("ret void")

    def get(self, array: str, index: int) -> str:
        if (array, index) not in self.known:
            self.known[array, index] = self.f.load(f"%{array}", index)
        return self.known[array, index]

    def put(self, array: str, index: int, value: str) -> None:
        """Change an element; a place where the straight line may be cut."""
        self.known[array, index] = value
        self.changed.add((array, index))
        self.work += 1
        if self.work >= PIECE:
            self._end()
            self._begin()

    def text(self) -> str:
        self._end()
        names = ", ".join(f"ptr noalias %{a}" for a in self.arguments)
        main = Function(self.name, names)
        for f in self.done:
            main.line(f"call void @{f.name}({', '.join(f'ptr %{a}' for a in self.arguments)})")
        main.line("ret void")
        return "".join(f.text() for f in self.done) + main.text()


def _factor(factor: Factor) -> str:
    p = _Pieces("factor", ("w", "g"))
    place = factor.place
    for i, row in enumerate(factor.rows):
        p.put("w", place[i, i], p.f.op("fadd", p.get("w", place[i, i]), p.get("g", 0)))
        for k in row:
            if k >= i:
                break
            p.put("w", place[i, k], p.f.op("fmul", p.get("w", place[i, k]), p.get("w", place[k, k])))
            for j in factor.rows[k]:
                if j > k:
                    minus = p.f.negative(p.get("w", place[i, k]))
                    entry = p.f.fma(minus, p.get("w", place[k, j]), p.get("w", place[i, j]))
                    p.put("w", place[i, j], entry)
        p.put("w", place[i, i], p.f.op("fdiv", number(1.0), p.get("w", place[i, i])))
    return p.text()


def _resolve(factor: Factor) -> str:
    p = _Pieces("resolve", ("w", "b"))
    place, order = factor.place, factor.order
    steps = range(len(order))
    for i in [*steps, *(~k for k in reversed(steps))]:
        back = i < 0
        i = ~i if back else i
        for j in [j for j in factor.rows[i] if (j > i if back else j < i)]:
            minus = p.f.negative(p.get("w", place[i, j]))
            p.put("b", order[i], p.f.fma(minus, p.get("b", order[j]), p.get("b", order[i])))
        if back:
            p.put("b", order[i], p.f.op("fmul", p.get("b", order[i]), p.get("w", place[i, i])))
    return p.text()
