"""An order of elimination that keeps a sparse factor sparse: approximate minimum degree, written anew.

Method: P. R. Amestoy, T. A. Davis, I. S. Duff, An approximate minimum degree ordering algorithm, SIAM Journal
on Matrix Analysis and Applications 17 (1996) 886: a quotient graph in which an eliminated row becomes an
element, that absorbs the elements it touches, and degrees are bounded from above by sizes of sets instead of
being counted.
"""

from __future__ import annotations

from collections.abc import Iterable


def elimination_order(size: int, entries: Iterable[tuple[int, int]]) -> list[int]:
    """Choose the order in which rows and columns are eliminated.

    Arguments:
        size: rows of the square matrix.
        entries: positions (i, j) that may differ from zero, in any order; the pattern is taken as symmetric.

    Returns:
        The rows, first to be eliminated first. Equal patterns give equal orders; ties go to the lower index.
    """
    rows: list[set[int]] = [set() for _ in range(size)]
    for i, j in entries:
        if i != j:
            rows[i].add(j)
            rows[j].add(i)
    touching: list[set[int]] = [set() for _ in range(size)]  # elements that a remaining row belongs to
    members: dict[int, set[int]] = {}  # remaining rows of each element
    degree = [len(r) for r in rows]
    left = set(range(size))
    order: list[int] = []
    while left:
        pivot = min(left, key=lambda i: (degree[i], i))
        left.discard(pivot)
        order.append(pivot)
        absorbed = touching[pivot]
        front = set(rows[pivot]).union(*(members[e] for e in absorbed)) - {pivot}
        for e in absorbed:
            del members[e]
        members[pivot] = front
        # How much of each element lies outside the new one.
        outside: dict[int, int] = {}
        for i in front:
            touching[i] -= absorbed
            rows[i] -= front
            rows[i].discard(pivot)
            for e in touching[i]:
                outside[e] = outside.get(e, len(members[e])) - 1
        for i in sorted(front):
            bound = len(rows[i]) + len(front) - 1 + sum(outside[e] for e in touching[i])
            degree[i] = min(len(left) - 1, degree[i] + len(front) - 1, bound)
        covered = {e for e, n in outside.items() if n == 0}
        for i in front:
            touching[i] -= covered
            touching[i].add(pivot)
        for e in covered:
            del members[e]
    return order
