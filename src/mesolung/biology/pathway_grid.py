"""How the states of one module stand in rows and columns: those that act on one another as neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from math import ceil, hypot

# A step to the next column is this much longer than one to the next row.
WIDE = 1.25
# What a line along a row or column costs for passing over a state that stands between its ends.
OVER = 1.0
# The order of the text is kept where lines do not ask for another: cost of the distance from it.
OWN_PLACE = 0.02

Grid = list[list[str]]
EMPTY = ""


def arranged(states: Sequence[str], edges: Sequence[tuple[str, str]], columns: int) -> Grid:
    """Arrange states so that the lines between them are short.

    From the order of the text, two places are exchanged for as long as that makes the lines shorter.

    Arguments:
        states: in the order of the text.
        edges: (source, target) pairs among them.
        columns: states in a row, at most.

    Returns:
        rows of states, `EMPTY` where a place of the last rows is free.
    """
    rows = ceil(len(states) / columns)
    places = [*states, *[EMPTY] * (rows * columns - len(states))]
    home = {state: k for k, state in enumerate(states)}
    place = dict(home)
    near: dict[str, list[str]] = {state: [] for state in states}
    for source, target in dict.fromkeys(tuple(sorted(edge)) for edge in edges):
        near[source].append(target)
        near[target].append(source)

    def cost(state: str) -> float:
        if state == EMPTY:
            return 0.0
        own = OWN_PLACE * _length(place[state], home[state], columns)
        return own + sum(_length(place[state], place[other], columns) for other in near[state])

    def swap(i: int, k: int) -> None:
        places[i], places[k] = places[k], places[i]
        for j in (i, k):
            if places[j] != EMPTY:
                place[places[j]] = j

    better = True
    while better:
        better = False
        for i, k in combinations(range(len(places)), 2):
            a, b = places[i], places[k]
            before = cost(a) + cost(b)
            swap(i, k)
            if cost(a) + cost(b) < before - 1e-9:
                better = True
            else:
                swap(i, k)
    return [places[r * columns : (r + 1) * columns] for r in range(rows)]


def _length(a: int, b: int, columns: int) -> float:
    down, across = abs(a // columns - b // columns), abs(a % columns - b % columns)
    between = max(down, across) - 1 if not down or not across else 0
    return hypot(down, WIDE * across) + OVER * max(between, 0)
