"""Where the boxes of the pathway map stand: modules in bands of the body, states in a grid within each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, hypot

from mesolung.biology.pathway_grid import EMPTY, Grid, arranged

# Bands from top to bottom. A module that no band names stands in the band of the lung's cells.
BANDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "given and in the blood",
        ("fate", "vesicles", "effects", "harm", "drugs", "systemic", "coagulation"),
    ),
    ("lung: immune cells and mediators", ("innate", "mediators", "adaptive")),
    ("lung: airways and what years bring", ("airway", "emphysema", "ageing", "exacerbation")),
    (
        "lung: pathogens, tissue and what follows",
        ("pathogen", "barrier", "fibrosis", "gas_exchange", "support", "outcome"),
    ),
)
OPEN_BAND = 1

# Lengths in px; the page is scaled to A3, 420 mm x 297 mm.
NODE_W, NODE_H = 92.0, 24.0
LINE_H = 11.0
TEXT_W = 122.0
GAP_X, GAP_Y = 20.0, 20.0
PAD, TITLE_H = 8.0, 30.0
GUTTER = 30.0
WIDEST_GUTTER = 150.0
MARGIN = 30.0
BAND_TITLE = 24.0
HEADER, LEGEND = 78.0, 88.0
A3 = (420.0, 297.0)
LETTER = 5.3  # width of a letter of the small text
NARROWEST, WIDEST, TRIED = 900, 3200, 20


@dataclass(frozen=True)
class Box:
    """A rectangle: left, top, width, height, and how far text that belongs to it reaches below."""

    x: float
    y: float
    w: float
    h: float
    below: float = 0.0

    @property
    def centre(self) -> tuple[float, float]:
        """Its centre."""
        return self.x + self.w / 2.0, self.y + self.h / 2.0

    def edge_towards(self, point: tuple[float, float], gap: float = 0.0) -> tuple[float, float]:
        """Find where the line from the centre to a point leaves the rectangle, or the text below it.

        Arguments:
            point: where the line goes.
            gap: how far beyond the edge.

        Returns:
            the place on the edge, the centre where the point is the centre.
        """
        cx, cy = self.centre
        dx, dy = point[0] - cx, point[1] - cy
        if not dx and not dy:
            return cx, cy
        down = self.h / 2.0 + gap + (self.below if dy > 0.0 else 0.0)
        share = min(
            (self.w / 2.0 + gap) / abs(dx) if dx else float("inf"),
            down / abs(dy) if dy else float("inf"),
        )
        return cx + dx * share, cy + dy * share


@dataclass(frozen=True)
class Layout:
    """Places of everything on the page.

    Attributes:
        width, height: of the page, with the proportions of A3.
        nodes: state -> its shape; the text of what acts on it stands below.
        modules: module -> its box.
        bands: (title, box) from top to bottom.
        legend: where the legend stands.
    """

    width: float
    height: float
    nodes: Mapping[str, Box]
    modules: Mapping[str, Box]
    bands: tuple[tuple[str, Box], ...]
    legend: Box


def wrapped(words: Sequence[str]) -> list[list[str]]:
    """Break words into lines as wide as the text of a state.

    Arguments:
        words: in order; none is broken.

    Returns:
        lines of words.
    """
    lines: list[list[str]] = []
    used = TEXT_W + 1.0
    for word in words:
        width = (len(word) + 1) * LETTER
        if used + width > TEXT_W + LETTER:
            lines.append([])
            used = 0.0
        lines[-1].append(word)
        used += width
    return lines


def layout(
    members: Mapping[str, Sequence[str]], lines: Mapping[str, int], edges: Sequence[tuple[str, str]]
) -> Layout:
    """Place modules and their states.

    Of many page widths the one is taken whose page comes nearest to the proportions of A3; the rest of the
    page is spread over the gutters. The same model gives the same page everywhere.

    Arguments:
        members: module -> its states, in the model's order.
        lines: state -> lines of text below it.
        edges: (source, target) of all lines.

    Returns:
        the places.
    """
    bands = _bands(list(members))
    heights = {s: NODE_H + 4.0 + LINE_H * lines[s] for states in members.values() for s in states}
    heights[EMPTY] = 0.0

    def height(width: float) -> float:
        rows = [_columns(band, members, heights, width) for _, band in bands]
        tall = [max(_height(_plain(members[m], n), heights) for m, n in row.items()) for row in rows]
        return HEADER + LEGEND + sum(tall) + (BAND_TITLE + GUTTER) * len(bands)

    widths = [float(w) for w in range(NARROWEST, WIDEST, TRIED)]
    fits = [w for w in widths if all(_least(band) <= w - 2 * MARGIN for _, band in bands)] or widths[-1:]
    best = min(fits, key=lambda w: (max(w, height(w) * A3[0] / A3[1]), w))
    grids = {}
    for _, band in bands:
        for module, n in _columns(band, members, heights, best).items():
            own = set(members[module])
            grids[module] = arranged(members[module], [e for e in edges if own.issuperset(e)], n)
    return _placed(bands, grids, heights, best)


def _bands(modules: list[str]) -> list[tuple[str, list[str]]]:
    named = {m for _, band in BANDS for m in band}
    others = [m for m in modules if m not in named]
    found = []
    for k, (title, band) in enumerate(BANDS):
        row = [m for m in band if m in modules] + (others if k == OPEN_BAND else [])
        if row:
            found.append((title, row))
    return found


def _module_width(columns: int) -> float:
    return 2 * PAD + columns * TEXT_W + (columns - 1) * GAP_X


def _least(band: list[str]) -> float:
    return _module_width(1) * len(band) + GUTTER * (len(band) - 1)


def _plain(states: Sequence[str], columns: int) -> Grid:
    return [list(states[i : i + columns]) for i in range(0, len(states), columns)]


def _height(grid: Grid, heights: Mapping[str, float]) -> float:
    return TITLE_H + PAD + sum(max(heights[s] for s in row) for row in grid) + GAP_Y * (len(grid) - 1)


def _columns(
    band: list[str], members: Mapping[str, Sequence[str]], heights: Mapping[str, float], width: float
) -> dict[str, int]:
    """Give the tallest module of a band more columns for as long as the band stays within the page."""
    columns = dict.fromkeys(band, 1)
    room = width - 2 * MARGIN - GUTTER * (len(band) - 1)
    while True:
        tallest = max(band, key=lambda m: _height(_plain(members[m], columns[m]), heights))
        states = len(members[tallest])
        # As many more as it takes to have a row less.
        rows = ceil(states / columns[tallest]) - 1
        if rows < 1:
            return columns
        more = {**columns, tallest: ceil(states / rows)}
        if sum(_module_width(n) for n in more.values()) > room:
            return columns
        columns = more


def _placed(
    bands: list[tuple[str, list[str]]], grids: Mapping[str, Grid], heights: Mapping[str, float], width: float
) -> Layout:
    tall = [max(_height(grids[m], heights) for m in band) for _, band in bands]
    needed = HEADER + LEGEND + sum(tall) + (BAND_TITLE + GUTTER) * len(bands)
    page_h = max(needed, width * A3[1] / A3[0])
    page_w = page_h * A3[0] / A3[1]
    nodes: dict[str, Box] = {}
    modules: dict[str, Box] = {}
    placed: list[tuple[str, Box]] = []
    y = HEADER
    for (title, band), high in zip(bands, tall, strict=True):
        free = page_w - 2 * MARGIN - sum(_module_width(len(grids[m][0])) for m in band)
        # A band with few modules keeps them together; the others fill the page.
        gutter = min(free / max(len(band) - 1, 1), WIDEST_GUTTER)
        x = MARGIN + (free - gutter * (len(band) - 1)) / 2.0
        placed.append((title, Box(MARGIN / 2, y, page_w - MARGIN, BAND_TITLE + high + GUTTER * 0.5)))
        y += BAND_TITLE
        for module in band:
            own = _height(grids[module], heights)
            box = Box(x, y + (high - own) / 2.0, _module_width(len(grids[module][0])), own)
            modules[module] = box
            nodes.update(_nodes(grids[module], heights, box))
            x += box.w + gutter
        y += high + GUTTER + (page_h - needed) / len(bands)
    legend = Box(MARGIN, page_h - LEGEND + 8, page_w - 2 * MARGIN, LEGEND - 20)
    return Layout(page_w, page_h, nodes, modules, tuple(placed), legend)


def _nodes(grid: Grid, heights: Mapping[str, float], box: Box) -> dict[str, Box]:
    found = {}
    y = box.y + TITLE_H
    for row in grid:
        for k, state in enumerate(row):
            if state != EMPTY:
                x = box.x + PAD + k * (TEXT_W + GAP_X) + (TEXT_W - NODE_W) / 2.0
                found[state] = Box(x, y, NODE_W, NODE_H, heights[state] - NODE_H)
        y += max(heights[s] for s in row) + GAP_Y
    return found


def distance(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Measure the distance of two points."""
    return hypot(a[0] - b[0], a[1] - b[1])
