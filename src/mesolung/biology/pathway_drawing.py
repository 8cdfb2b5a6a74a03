"""The pathway map as SVG text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from html import escape
from math import sqrt

from mesolung.biology.dependencies import BOTH, LOWERS, RAISES, Dependency
from mesolung.biology.pathway import KINDS, Node, Pathways
from mesolung.biology.pathway_layout import A3, LINE_H, NODE_H, Box, Layout, distance, layout, wrapped
from mesolung.biology.pathway_style import (
    CLASSES,
    DRIVER,
    MEANINGS,
    SIGNS,
    WORDS,
    arrowheads,
    rectangle,
    shape,
    style_sheet,
)
from mesolung.biology.pathway_words import short_words

SMALL_NAME = 10  # letters; longer names are set smaller
LONG_SIZE, LONG_NAME = 10.5, 122.0  # px; size times letters of the longest names that a shape holds
WORTH_READING = (
    "Each line stands for a state in the rate law of another, directly or through rules. "
    "Below a state: what acts on it from other modules."
)

Point = tuple[float, float]
Words = list[tuple[str, str]]


def drawn(map_: Pathways) -> str:
    """Draw the map.

    Arguments:
        map_: states and dependencies.

    Returns:
        SVG text, A3 wide.
    """
    members: dict[str, list[str]] = {}
    for node in map_.nodes.values():
        members.setdefault(node.module, []).append(node.name)
    words = {name: _words(node, map_) for name, node in map_.nodes.items()}
    lines = {name: len(wrapped([word for word, _ in found])) for name, found in words.items()}
    places = layout(members, lines, [(e.source, e.target) for e in map_.edges])
    return "\n".join(
        [
            *_head(map_, places),
            *_bands(places),
            *_between_modules(map_, places),
            *_boxes(map_, places),
            *_bundles(map_, places),
            *_within_modules(map_, places),
            *(line for node in map_.nodes.values() for line in _node(node, map_, places, words[node.name])),
            *_legend(map_, places),
            "</svg>",
            "",
        ]
    )


def _words(node: Node, map_: Pathways) -> Words:
    """What stands below a state: drivers, then what acts on it from other modules; (word, class)."""
    drivers = [(f"»{name}", "r") for name in node.drivers]
    acting = [e for e in map_.edges if e.target == node.name and map_.nodes[e.source].module != node.module]
    return drivers + [
        (f"{SIGNS[sign]}{name}", f"{CLASSES[sign]} h" if short else CLASSES[sign])
        for name, sign, short in short_words(acting, map_.shorthands)
    ]


def _head(map_: Pathways, places: Layout) -> Iterator[str]:
    title = f"Mesolung: {map_.title}"
    size = min(25.0, (places.width - 60.0) / (0.68 * len(title)))
    yield '<?xml version="1.0" encoding="UTF-8"?>'
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{A3[0]:g}mm" height="{A3[1]:g}mm" '
        f'viewBox="0 0 {places.width:.0f} {places.height:.0f}" '
        f'font-family="DejaVu Sans, Verdana, Arial, sans-serif">'
    )
    yield f"<title>Pathway map: {escape(map_.title)}</title>"
    yield from style_sheet(map_.nodes)
    yield from arrowheads()
    yield f'<rect width="{places.width:.0f}" height="{places.height:.0f}" fill="#fff"/>'
    yield f'<text x="30" y="36" font-size="{size:.1f}" font-weight="bold">{escape(title)}</text>'
    yield f'<text x="30" y="58" font-size="13">{WORTH_READING}</text>'


def _bands(places: Layout) -> Iterator[str]:
    for title, box in places.bands:
        yield f'<rect {rectangle(box)} rx="10" fill="#f4f6f7"/>'
        at = f'x="{box.x + 12:.1f}" y="{box.y + 17:.1f}"'
        yield f'<text {at} font-size="13" style="fill:#5b6670">{escape(title)}</text>'


def _boxes(map_: Pathways, places: Layout) -> Iterator[str]:
    for module, box in places.modules.items():
        at = f'x="{box.x + 10:.1f}" y="{box.y + 19:.1f}"'
        yield f"<g><title>{escape(f'{module}: {map_.headers.get(module, module)}')}</title>"
        yield f'<rect {rectangle(box)} rx="8" fill="#fff" stroke="#8b98a3"/>'
        yield f'<text {at} font-size="16" font-weight="bold">{module}</text></g>'


def _between_modules(map_: Pathways, places: Layout) -> Iterator[str]:
    """One arrow for all dependencies of a pair of modules, as wide as they are many."""
    for (source, target), edges in _pairs(map_).items():
        a, b = _ports(places, source, target)
        signs = [e.sign for e in edges]
        most = max((RAISES, LOWERS, BOTH), key=signs.count)
        told = ", ".join(f"{SIGNS[s]}{signs.count(s)}" for s in (RAISES, LOWERS, BOTH) if s in signs)
        c, width = CLASSES[most], 1.0 + 1.1 * sqrt(len(edges))
        yield (
            f'<path class="a e{c}" stroke-width="{width:.1f}" marker-end="url(#m{c}a)" d="M{_p(a)}L{_p(b)}">'
            f"<title>{source} on {target}: {told}</title></path>"
        )


def _pairs(map_: Pathways) -> Mapping[tuple[str, str], list[Dependency]]:
    pairs: dict[tuple[str, str], list[Dependency]] = {}
    for edge in map_.edges:
        pair = map_.nodes[edge.source].module, map_.nodes[edge.target].module
        if pair[0] != pair[1]:
            pairs.setdefault(pair, []).append(edge)
    return pairs


def _ports(places: Layout, source: str, target: str) -> tuple[Point, Point]:
    """Where the arrow between two modules leaves and arrives; the two of a pair stand side by side."""
    a, b = places.modules[source], places.modules[target]
    left = _left(a.centre, b.centre)
    return _moved(a.edge_towards(b.centre), left, -9.0), _moved(b.edge_towards(a.centre, 3.0), left, -9.0)


def _bundles(map_: Pathways, places: Layout) -> Iterator[str]:
    """Every dependency between modules as a faint line that follows the arrow of its pair."""
    for (source, target), edges in _pairs(map_).items():
        a, b = _ports(places, source, target)
        middle = _between(a, b, 0.5)
        for e in edges:
            start = places.nodes[e.source].edge_towards(a)
            end = places.nodes[e.target].edge_towards(b)
            way = f"M{_p(start)}C{_p(_between(start, a, 0.6))} {_p(a)} {_p(middle)}S{_p(b)} {_p(end)}"
            yield _line(e, "x", way)


def _within_modules(map_: Pathways, places: Layout) -> Iterator[str]:
    for e in map_.edges:
        if map_.nodes[e.source].module != map_.nodes[e.target].module:
            continue
        a, b = places.nodes[e.source], places.nodes[e.target]
        # Set off and bowed to the left of its way, so that both directions of a pair can be seen.
        left = _left(a.centre, b.centre)
        start = _moved(a.edge_towards(b.centre), left, 5.0)
        end = _moved(b.edge_towards(a.centre, 2.0), left, 5.0)
        middle = _moved(_between(start, end, 0.5), left, min(0.2 * distance(start, end), 30.0))
        head = f' marker-end="url(#m{CLASSES[e.sign]})"'
        yield _line(e, "i", f"M{_p(start)}Q{_p(middle)} {_p(end)}", head)


def _line(e: Dependency, kind: str, way: str, extra: str = "") -> str:
    through = f", through {', '.join(e.through)}" if e.through else ""
    told = escape(f"{e.source} {WORDS[e.sign]} {e.target}{through}")
    names = f"{kind} e{CLASSES[e.sign]} f-{e.source} t-{e.target}"
    return f'<path class="{names}"{extra} d="{way}"><title>{told}</title></path>'


def _node(node: Node, map_: Pathways, places: Layout, words: Words) -> Iterator[str]:
    box = places.nodes[node.name]
    x, _ = box.centre
    line = f'stroke="{DRIVER}" stroke-width="2.4"' if node.drivers else 'stroke="#555"'
    long = len(node.name)
    size = "" if long <= SMALL_NAME else f' style="font-size:{min(LONG_SIZE, LONG_NAME / long):.1f}px"'
    yield f'<g id="s-{node.name}"><title>{escape(_told(node, map_))}</title>'
    yield shape(node.kind, box, line)
    yield f'<text class="n" x="{x:.1f}" y="{box.y + 16.5:.1f}"{size}>{node.name}</text>'
    classes = dict(words)
    for k, row in enumerate(wrapped([word for word, _ in words])):
        spans = " ".join(f'<tspan class="{classes[word]}">{escape(word)}</tspan>' for word in row)
        yield f'<text class="s" x="{x:.1f}" y="{box.y + NODE_H + 3 + LINE_H * (k + 0.8):.1f}">{spans}</text>'
    yield "</g>"


def _told(node: Node, map_: Pathways) -> str:
    comes = [f"{SIGNS[e.sign]}{e.source}" for e in map_.edges if e.target == node.name]
    acts = [f"{SIGNS[e.sign]}{e.target}" for e in map_.edges if e.source == node.name]
    told = [f"{node.name}: {node.meaning} ({node.unit}), {node.place}"]
    told += [f"acted on by {' '.join(comes)}"] if comes else []
    told += [f"acts on {' '.join(acts)}"] if acts else []
    told += [f"drivers: {', '.join(node.drivers)}"] if node.drivers else []
    return "\n".join(told)


def _legend(map_: Pathways, places: Layout) -> Iterator[str]:
    """Entries one after another, in as many rows as they need."""
    entries: list[tuple[float, str, str]] = []
    for kind in KINDS:
        entries.append((30.0, shape(kind, Box(0.0, -9.0, 30.0, 18.0), 'stroke="#555"'), MEANINGS[kind]))
    for sign, word in WORDS.items():
        c = CLASSES[sign]
        line = f'<path class="i e{c}" marker-end="url(#m{c})" d="M0 0h38"/>'
        entries.append((40.0, line, f'<tspan class="{c}" font-weight="bold">{SIGNS[sign]}</tspan> {word}'))
    arrow = '<path class="a eu" stroke-width="5" marker-end="url(#mua)" d="M0 0h44"/>'
    entries.append((48.0, arrow, "from module to module, wider for more lines, in the colour of most"))
    for rule, states in map_.shorthands.items():
        entries.append((0.0, "", f'<tspan class="h">{rule}</tspan> {" ".join(states)}'))
    if any(node.drivers for node in map_.nodes.values()):
        entries.append((0.0, "", '<tspan class="r">»name</tspan> a driver of the disease enters here'))
    x, y = places.legend.x, places.legend.y + 12.0
    for width, mark, text in entries:
        long = width + 31.0 + 8.0 * len(re.sub("<[^>]*>", "", text))
        if x + long > places.legend.x + places.legend.w:
            x, y = places.legend.x, y + 28.0
        yield f'<g transform="translate({x:.1f} {y:.1f})">{mark}'
        yield f'<text x="{width + 7:.1f}" y="4.5" font-size="13">{text}</text></g>'
        x += long


def _p(point: Point) -> str:
    return f"{point[0]:.1f} {point[1]:.1f}"


def _between(a: Point, b: Point, share: float) -> Point:
    return a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share


def _left(a: Point, b: Point) -> Point:
    """The direction to the left of the way from one point to another, of length 1."""
    long = distance(a, b) or 1.0
    return (b[1] - a[1]) / long, -(b[0] - a[0]) / long


def _moved(a: Point, way: Point, length: float) -> Point:
    return a[0] + way[0] * length, a[1] + way[1] * length
