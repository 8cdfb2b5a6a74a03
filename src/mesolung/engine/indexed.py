"""The sparse factor by an index table: for matrices whose straight line would take too long to compile.

The same operations in the same order as the straight line, so the same bits; the places come from a table.
"""

from __future__ import annotations

from collections.abc import Iterator

from mesolung.engine.ir import Function, number
from mesolung.engine.pattern import Factor


def indexed_functions(factor: Factor) -> str:
    """Write ``@factor(ptr w, ptr g)`` and ``@resolve(ptr w, ptr b)`` as loops over tables.

    Arguments:
        factor: the pattern.

    Returns:
        IR text; what the functions do is said where the straight line is written.
    """
    tables = (("factor_table", _factor_table(factor)), ("resolve_table", _resolve_table(factor)))
    text = []
    for name, table in tables:
        words = list(table)
        values = ", ".join(f"i32 {word}" for word in words)
        text.append(f"@{name} = internal constant [{len(words)} x i32] [{values}]\n")
    return "".join(text) + _factor(factor) + _resolve(factor)


def _factor_table(factor: Factor) -> Iterator[int]:
    place = factor.place
    for i, row in enumerate(factor.rows):
        left = [k for k in row if k < i]
        yield place[i, i]
        yield len(left)
        for k in left:
            right = [j for j in factor.rows[k] if j > k]
            yield place[i, k]
            yield place[k, k]
            yield len(right)
            for j in right:
                yield place[i, j]
                yield place[k, j]


def _resolve_table(factor: Factor) -> Iterator[int]:
    place, order = factor.place, factor.order
    steps = range(len(order))
    for i in steps:
        yield from _row(factor, i, [j for j in factor.rows[i] if j < i])
    for i in reversed(steps):
        yield place[i, i]
        yield from _row(factor, i, [j for j in factor.rows[i] if j > i])


def _row(factor: Factor, i: int, columns: list[int]) -> Iterator[int]:
    yield factor.order[i]
    yield len(columns)
    for j in columns:
        yield factor.place[i, j]
        yield factor.order[j]


class _Reader:
    """Takes one word of a table after the other."""

    def __init__(self, f: Function, table: str) -> None:
        self.f, self.table = f, table
        self.at = f.variable("i64", "0")

    def next(self) -> str:
        f = self.f
        at = f.load(self.at, 0, "i64")
        place = f.value(f"getelementptr i32, ptr @{self.table}, i64 {at}")
        f.store(f.op("add", at, "1", "i64"), self.at, 0, "i64")
        return f.value(f"zext i32 {f.value(f'load i32, ptr {place}, align 4')} to i64")


def _factor(factor: Factor) -> str:
    f = Function("factor", "ptr noalias %w, ptr noalias %g")
    words = _Reader(f, "factor_table")
    with f.loop(len(factor.order)):
        pivot = words.next()
        f.store(f.op("fadd", f.load("%w", pivot), f.load("%g")), "%w", pivot)
        with f.loop(words.next()):
            place, above = words.next(), words.next()
            part = f.op("fmul", f.load("%w", place), f.load("%w", above))
            f.store(part, "%w", place)
            minus = f.negative(part)
            with f.loop(words.next()):
                target, source = words.next(), words.next()
                f.store(f.fma(minus, f.load("%w", source), f.load("%w", target)), "%w", target)
        f.store(f.op("fdiv", number(1.0), f.load("%w", pivot)), "%w", pivot)
    f.line("ret void")
    return f.text()


def _resolve(factor: Factor) -> str:
    f = Function("resolve", "ptr noalias %w, ptr noalias %b")
    words = _Reader(f, "resolve_table")
    for back in (False, True):
        with f.loop(len(factor.order)):
            pivot = words.next() if back else "0"
            place = words.next()
            total = f.variable("$V", number(0.0))
            f.store(f.load("%b", place), total)
            with f.loop(words.next()):
                entry, other = words.next(), words.next()
                minus = f.negative(f.load("%w", entry))
                f.store(f.fma(minus, f.load("%b", other), f.load(total)), total)
            value = f.load(total)
            f.store(f.op("fmul", value, f.load("%w", pivot)) if back else value, "%b", place)
    f.line("ret void")
    return f.text()
