"""Where the entries of a sparse LU factor lie."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from mesolung.engine.ordering import elimination_order


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

    @property
    def operations(self) -> int:
        """Multiplications and subtractions that compute the factor."""
        right = [sum(j > k for j in row) for k, row in enumerate(self.rows)]
        return sum(right[k] for i, row in enumerate(self.rows) for k in row if k < i)

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
