"""What the pathway map looks like: colours, shapes, arrowheads and the style sheet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mesolung.biology.dependencies import BOTH, LOWERS, RAISES
from mesolung.biology.pathway import CELL, DRUG, MEASURE, MOLECULE, PATHOGEN, TISSUE
from mesolung.biology.pathway_layout import Box

SIGNS = {RAISES: "+", LOWERS: "\N{MINUS SIGN}", BOTH: "\N{PLUS-MINUS SIGN}"}
CLASSES = {RAISES: "u", LOWERS: "d", BOTH: "b"}
WORDS = {RAISES: "raises", LOWERS: "lowers", BOTH: "raises or lowers"}
MEANINGS = {
    CELL: "cells",
    MOLECULE: "molecule, vesicle",
    PATHOGEN: "pathogen",
    TISSUE: "tissue, fluid",
    DRUG: "drug",
    MEASURE: "share, score, hazard",
}
FILLS = {
    CELL: "#fdf3d7",
    MOLECULE: "#e3f1e4",
    PATHOGEN: "#f9dfe4",
    TISSUE: "#e7e3f4",
    DRUG: "#dcedf7",
    MEASURE: "#f1f1ee",
}
# Told apart by people who do not see red or green, and by the form of the arrowhead and the sign besides.
COLOURS = {RAISES: "#b5460f", LOWERS: "#1d5fa7", BOTH: "#6c6c6c"}
DRIVER = "#8a1c5b"
NAME_SIZE, SMALL_SIZE = 12.5, 9.8
HEADS = {
    RAISES: '<path d="M0 0L8 4L0 8Z" style="fill:{}"/>',
    LOWERS: '<path d="M6.5 0V8" style="stroke:{};stroke-width:2.2"/>',
    BOTH: '<path d="M0 4L4 1L8 4L4 7Z" style="fill:{}"/>',
}
HEAD_SIZES = {"": 7, "a": 13}


def style_sheet(states: Iterable[str]) -> Iterator[str]:
    """Write the style sheet.

    Arguments:
        states: each gets a rule that shows its lines while the pointer is on it.

    Returns:
        lines of SVG.
    """
    yield "<style>"
    yield "text{fill:#222}"
    yield f".n{{font-size:{NAME_SIZE}px;font-weight:bold;text-anchor:middle}}"
    # The white rim lets text be read where lines pass below it.
    yield f".s{{font-size:{SMALL_SIZE}px;text-anchor:middle;"
    yield "paint-order:stroke;stroke:#fff;stroke-width:4px;stroke-linejoin:round}"
    for sign, colour in COLOURS.items():
        yield f".{CLASSES[sign]}{{fill:{colour}}}.e{CLASSES[sign]}{{stroke:{colour}}}"
    yield f".r{{fill:{DRIVER};font-weight:bold}}.h{{font-style:italic;font-weight:bold}}"
    yield "path{fill:none}.i{stroke-width:1.3}.x{stroke-width:.8;opacity:.13}.a{opacity:.34}"
    for name in states:
        own = f"svg:has(#s-{name}:hover)"
        yield f"{own} .f-{name},{own} .t-{name}{{opacity:1;stroke-width:2.2}}"
    yield "</style>"


def arrowheads() -> Iterator[str]:
    """Write the arrowheads: small ones for states, large ones for modules."""
    yield "<defs>"
    for sign, shape in HEADS.items():
        for suffix, size in HEAD_SIZES.items():
            yield (
                f'<marker id="m{CLASSES[sign]}{suffix}" viewBox="0 0 8 8" refX="7" refY="4" '
                f'markerWidth="{size}" markerHeight="{size}" markerUnits="userSpaceOnUse" orient="auto">'
                f"{shape.format(COLOURS[sign])}</marker>"
            )
    yield "</defs>"


def shape(kind: str, box: Box, line: str) -> str:
    """Draw the shape of a kind of state.

    Arguments:
        kind: one of the map's kinds.
        box: where it stands.
        line: attributes of its outline.

    Returns:
        an SVG element.
    """
    x, y, w, h = box.x, box.y, box.w, box.h
    paint = f'fill="{FILLS[kind]}" {line}'
    if kind in (CELL, TISSUE, MEASURE):
        radius = {CELL: h / 2.0, TISSUE: 0.0, MEASURE: 4.0}[kind]
        dash = ' stroke-dasharray="4 2"' if kind == MEASURE else ""
        return f'<rect {rectangle(box)} rx="{radius:g}" {paint}{dash}/>'
    corners = {
        MOLECULE: ((9, 0), (w - 9, 0), (w, h / 2), (w - 9, h), (9, h), (0, h / 2)),
        PATHOGEN: ((7, 0), (w - 7, 0), (w, 7), (w, h - 7), (w - 7, h), (7, h), (0, h - 7), (0, 7)),
        DRUG: ((9, 0), (w, 0), (w - 9, h), (0, h)),
    }[kind]
    points = " ".join(f"{x + dx:.1f},{y + dy:.1f}" for dx, dy in corners)
    return f'<polygon points="{points}" {paint}/>'


def rectangle(box: Box) -> str:
    """Write a box as the attributes of a rectangle."""
    return f'x="{box.x:.1f}" y="{box.y:.1f}" width="{box.w:.1f}" height="{box.h:.1f}"'
