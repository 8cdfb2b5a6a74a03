"""Where the entries of a sparse LU factor lie, and straight-line code that computes and uses it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from mesolung.engine.ir import Function, number
from mesolung.engine.ordering import elimination_order

# A straight line of more operations than this is cut: register allocation grows faster than its length.
PIECE = 500


@dataclass(frozen=True)
class Factor:
    """The pattern of L and U of a matrix without pivoting.

    ``order[k]`` is the row eliminated k-th; ``rows[k]`` the columns (counted in elimination order, ascending)
    of row k that may differ from zero; ``place[k, j]`` where that entry is stored.
    """

    order: tuple[int, ...]
    rows: tuple[tuple[int, ...], ...]
    place: dict[tuple[int, int], int]

    @property
    def entries(self) -> int:
        """Stored entries of L and U together."""
        return len(self.place)

    def place_of(self, i: int, j: int) -> int:
        """Where entry (i, j) of the matrix, in the model's order, is stored."""
        step = {row: k for k, row in enumerate(self.order)}
        return self.place[step[i], step[j]]


def factor_pattern(size: int, entries: Iterable[tuple[int, int]]) -> Factor:
    """Find the pattern of the LU factor in a fill-reducing order.

    Arguments:
        size: rows of the square matrix.
        entries: positions that may differ from zero; the diagonal is added.

    Returns:
        The pattern, with all fill.
    """
    pairs = sorted(entries)
    order = elimination_order(size, pairs)
    step = {row: k for k, row in enumerate(order)}
    rows: list[set[int]] = [{k} for k in range(size)]
    for i, j in pairs:
        rows[step[i]].add(step[j])
    for k in range(size):
        right = {j for j in rows[k] if j > k}
        for i in range(k + 1, size):
            if k in rows[i]:
                rows[i] |= right
    place: dict[tuple[int, int], int] = {}
    for k in range(size):
        for j in sorted(rows[k]):
            place[k, j] = len(place)
    return Factor(tuple(order), tuple(tuple(sorted(r)) for r in rows), place)


def factor_functions(factor: Factor) -> str:
    """Write ``@factor(ptr w, ptr g)`` and ``@resolve(ptr w, ptr b)``.

    Arguments:
        factor: the pattern.

    Returns:
        IR text. ``@factor`` adds g to the diagonal of w (entries at their places) and replaces w by its
        factor, with the reciprocals of the pivots; ``@resolve`` replaces b (in the model's order) by the
        solution.
    """
    return _factor(factor) + _resolve(factor)


class _Pieces:
    """Functions with the same arguments, called one after the other."""

    def __init__(self, name: str, arguments: tuple[str, ...]) -> None:
        self.name, self.arguments = name, arguments
        self.done: list[Function] = []
        self.begin()

    def begin(self) -> None:
        names = ", ".join(f"ptr noalias %{a}" for a in self.arguments)
        self.f = Function(f"{self.name}_{len(self.done)}", names)
        self.done.append(self.f)
        self.known: dict[tuple[str, int], str] = {}
        self.work = 0

    def room(self) -> None:
        if self.work >= PIECE:
            self.begin()

    def get(self, array: str, index: int) -> str:
        if (array, index) not in self.known:
            self.known[array, index] = self.f.load(f"%{array}", index)
        return self.known[array, index]

    def put(self, array: str, index: int, value: str) -> None:
        self.f.store(value, f"%{array}", index)
        self.known[array, index] = value

    def text(self) -> str:
        names = ", ".join(f"ptr noalias %{a}" for a in self.arguments)
        main = Function(self.name, names)
        for f in self.done:
            f.line("ret void")
            main.line(f"call void @{f.name}({', '.join(f'ptr %{a}' for a in self.arguments)})")
        main.line("ret void")
        return "".join(f.text() for f in self.done) + main.text()


def _factor(factor: Factor) -> str:
    p = _Pieces("factor", ("w", "g"))
    place = factor.place
    for i, row in enumerate(factor.rows):
        p.room()
        f = p.f
        entry = {j: p.get("w", place[i, j]) for j in row}
        entry[i] = f.op("fadd", entry[i], p.get("g", 0))
        for k in row:
            if k >= i:
                break
            entry[k] = f.op("fmul", entry[k], p.get("w", place[k, k]))
            minus = f.negative(entry[k])
            for j in factor.rows[k]:
                if j > k:
                    entry[j] = f.fma(minus, p.get("w", place[k, j]), entry[j])
                    p.work += 1
        entry[i] = f.op("fdiv", number(1.0), entry[i])
        for j in row:
            p.put("w", place[i, j], entry[j])
            p.work += 1
    return p.text()


def _resolve(factor: Factor) -> str:
    p = _Pieces("resolve", ("w", "b"))
    place, order = factor.place, factor.order
    steps = range(len(order))
    for i in [*steps, *(~k for k in reversed(steps))]:
        back = i < 0
        i = ~i if back else i
        p.room()
        f, total = p.f, p.get("b", order[i])
        inner = [j for j in factor.rows[i] if (j > i if back else j < i)]
        for j in inner:
            total = f.fma(f.negative(p.get("w", place[i, j])), p.get("b", order[j]), total)
        if back:
            total = f.op("fmul", total, p.get("w", place[i, i]))
        if inner or back:
            p.put("b", order[i], total)
        p.work += len(inner) + 1
    return p.text()
