"""Small static figures as SVG text: panels with axes, lines, bands and points with intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

WIDTH, HEIGHT = 300, 220
LEFT, RIGHT, TOP, BOTTOM = 58, 14, 30, 42
HEAD = 34  # pixels of the legend
FONT = "font-family='Helvetica,Arial,sans-serif'"
INK, GRID = "#222222", "#dddddd"


@dataclass(frozen=True)
class Series:
    """Something drawn in a panel.

    Attributes:
        x, y: data; None in y leaves a gap.
        low, high: ends of intervals or of a band; empty for none.
        colour: of lines and points.
        kind: "line", "dashed", "band" or "points".
        hollow: points drawn as rings.
        absent: words for a row whose y is None.
    """

    x: Sequence[float]
    y: Sequence[float | None]
    low: Sequence[float | None] = ()
    high: Sequence[float | None] = ()
    colour: str = INK
    kind: str = "line"
    hollow: bool = False
    absent: str = ""


@dataclass(frozen=True)
class Panel:
    """One pair of axes.

    Attributes:
        title, x_label, y_label: text, units in the labels.
        series: drawn in order.
        x_range, y_range: of the axes.
        x_log, y_log: logarithmic axes.
        rows: names of rows, from above, for a panel whose y is a category: y is then 0, 1, 2 ...
        width, height: of the panel, pixels.
        left: pixels left of the axis.
    """

    title: str
    x_label: str
    y_label: str
    series: Sequence[Series]
    x_range: tuple[float, float]
    y_range: tuple[float, float]
    x_log: bool = False
    y_log: bool = False
    rows: Sequence[str] = field(default_factory=tuple)
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT


def figure(panels: Sequence[Panel], columns: int, title: str, legend: Sequence[tuple[str, str, str]]) -> str:
    """Draw panels in a grid.

    Arguments:
        panels: row by row, of one size.
        columns: panels a row.
        title: what the figure shows, its text for those who cannot see it.
        legend: (kind of mark, colour, words).

    Returns:
        SVG text.
    """
    width, height = panels[0].width, panels[0].height
    rows = -(-len(panels) // columns)
    groups = [(k % columns * width, k // columns * height, _panel(panel)) for k, panel in enumerate(panels)]
    return _svg(columns * width, rows * height, title, legend, groups)


def _svg(
    width: int,
    height: int,
    title: str,
    legend: Sequence[tuple[str, str, str]],
    groups: Sequence[tuple[int, int, str]],
) -> str:
    """Put groups, each with its place, under the legend."""
    whole = height + HEAD
    parts = [
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width} {whole}' "
        f"width='{width}' height='{whole}' role='img'>",
        f"<title>{escape(title)}</title>",
        f"<rect width='{width}' height='{whole}' fill='#ffffff'/>",
        _legend(legend),
    ]
    parts += [f"<g transform='translate({x},{HEAD + y})'>{text}</g>" for x, y, text in groups]
    return "\n".join([*parts, "</svg>"]) + "\n"


def _legend(entries: Sequence[tuple[str, str, str]]) -> str:
    parts, x = [], 12.0
    for kind, colour, words in entries:
        if kind == "band":
            parts.append(f"<rect x='{x}' y='9' width='22' height='12' fill='{colour}' fill-opacity='0.25'/>")
        elif kind == "points":
            parts.append(_dot(x + 11, 15, colour, False))
        elif kind == "rings":
            parts.append(_dot(x + 11, 15, colour, True))
        else:
            dash = " stroke-dasharray='4 3'" if kind == "dashed" else ""
            parts.append(
                f"<line x1='{x}' x2='{x + 22}' y1='15' y2='15' stroke='{colour}' stroke-width='2'{dash}/>"
            )
        parts.append(_text(x + 28, 19, words, 12))
        x += 44 + 6.4 * len(words)
    return "".join(parts)


def _panel(panel: Panel) -> str:
    x0, x1 = panel.left, panel.width - RIGHT
    y0, y1 = panel.height - BOTTOM, TOP
    xs = _scale(panel.x_range, panel.x_log, x0, x1)
    ys = _scale(panel.y_range, panel.y_log, y0, y1)
    parts = [_text(x0, 18, panel.title, 13, weight="bold")]
    for value in _ticks(panel.x_range, panel.x_log):
        x = xs(value)
        parts.append(f"<line x1='{x:.1f}' x2='{x:.1f}' y1='{y0}' y2='{y1}' stroke='{GRID}'/>")
        parts.append(_text(x, y0 + 14, _number(value), 11, anchor="middle"))
    if panel.rows:
        for k, name in enumerate(panel.rows):
            parts.append(_text(x0 - 6, ys(k) + 4, name, 11, anchor="end"))
    else:
        for value in _ticks(panel.y_range, panel.y_log):
            y = ys(value)
            parts.append(f"<line x1='{x0}' x2='{x1}' y1='{y:.1f}' y2='{y:.1f}' stroke='{GRID}'/>")
            parts.append(_text(x0 - 5, y + 4, _number(value), 11, anchor="end"))
    parts += [_series(s, xs, ys, (y1, y0)) for s in panel.series]
    parts.append(f"<path d='M{x0},{y1}V{y0}H{x1}' fill='none' stroke='{INK}'/>")
    parts.append(_text((x0 + x1) / 2, panel.height - 8, panel.x_label, 12, anchor="middle"))
    if panel.y_label:
        middle = (y0 + y1) / 2
        turn = f" transform='rotate(-90 14 {middle})'"
        parts.append(_text(14, middle, panel.y_label, 12, anchor="middle", extra=turn))
    return "".join(parts)


def _series(s: Series, xs, ys, limits: tuple[float, float]) -> str:
    def clip(y: float) -> float:
        return min(max(ys(y), limits[0]), limits[1])

    if s.kind == "band":
        known = [k for k in range(len(s.x)) if s.low[k] is not None and s.high[k] is not None]
        upper = [f"{xs(s.x[k]):.1f},{clip(_known(s.high[k])):.1f}" for k in known]
        lower = [f"{xs(s.x[k]):.1f},{clip(_known(s.low[k])):.1f}" for k in reversed(known)]
        points = " ".join(upper + lower)
        return f"<polygon points='{points}' fill='{s.colour}' fill-opacity='0.25'/>"
    if s.kind == "points":
        parts = []
        for k, (x, y) in enumerate(zip(s.x, s.y, strict=True)):
            if y is None:
                continue
            if s.low and s.low[k] is not None and s.high[k] is not None:
                parts.append(_interval(s, k, xs, ys, clip))
            parts.append(_dot(xs(x), clip(y), s.colour, s.hollow))
        return "".join(parts)
    runs: list[list[str]] = [[]]
    for x, y in zip(s.x, s.y, strict=True):
        if y is None:
            runs.append([])
        else:
            runs[-1].append(f"{xs(x):.1f},{clip(y):.1f}")
    dash = " stroke-dasharray='4 3'" if s.kind == "dashed" else ""
    return "".join(
        f"<polyline points='{' '.join(run)}' fill='none' stroke='{s.colour}' stroke-width='1.8'{dash}/>"
        for run in runs
        if len(run) > 1
    )


def _interval(s: Series, k: int, xs, ys, clip) -> str:
    ends = _known(s.low[k]), _known(s.high[k])
    x, (low, high) = xs(s.x[k]), map(clip, ends)
    line = f"<line x1='{x:.1f}' x2='{x:.1f}' y1='{low:.1f}' y2='{high:.1f}' stroke='{s.colour}'/>"
    heads = (
        _arrow(x, place, toward, s.colour, upright=True)
        for end, place, toward in zip(ends, (low, high), (1, -1), strict=True)
        if abs(ys(end) - place) > 0.5
    )
    return line + "".join(heads)


def rows_panel(
    title: str,
    x_label: str,
    rows: Sequence[str],
    series: Sequence[Series],
    x_range: tuple[float, float],
    *,
    x_log: bool = False,
    width: int = 960,
    left: int = 470,
) -> str:
    """Draw rows of values with intervals, one row a target.

    Arguments:
        title, x_label: text.
        rows: names, from above.
        series: whose ``x`` are row numbers and whose ``y``, ``low`` and ``high`` are values.
        x_range: of the value axis.
        x_log: logarithmic value axis.
        width, left: pixels.

    Returns:
        the inside of an SVG group of that width and of `rows_height` height.
    """
    height = rows_height(len(rows))
    y0, y1 = height - BOTTOM, TOP
    xs = _scale(x_range, x_log, left, width - RIGHT)
    step = (y0 - y1) / len(rows)
    parts = [_text(12, 18, title, 13, weight="bold")]
    for value in _ticks(x_range, x_log):
        x = xs(value)
        parts.append(f"<line x1='{x:.1f}' x2='{x:.1f}' y1='{y0}' y2='{y1}' stroke='{GRID}'/>")
        parts.append(_text(x, y0 + 14, _number(value), 11, anchor="middle"))
    for k, name in enumerate(rows):
        parts.append(_text(left - 8, y1 + (k + 0.5) * step + 4, name, 11, anchor="end"))

    def clip(value: float) -> float:
        return min(max(xs(value), left), width - RIGHT)

    for j, s in enumerate(series):
        shift = (j - (len(series) - 1) / 2) * 6
        for k, row in enumerate(s.x):
            y = y1 + (row + 0.5) * step + shift
            middle = s.y[k]
            if middle is None:
                if s.absent:
                    parts.append(_text(left + 6, y + 7, s.absent, 10, colour=s.colour))
                continue
            if s.low and s.low[k] is not None and s.high[k] is not None:
                ends = _known(s.low[k]), _known(s.high[k])
                a, b = map(clip, ends)
                parts.append(
                    f"<line x1='{a:.1f}' x2='{b:.1f}' y1='{y:.1f}' y2='{y:.1f}' stroke='{s.colour}'/>"
                )
                # What goes on beyond the axis ends in an arrow.
                parts += [
                    _arrow(place, y, toward, s.colour)
                    for end, place, toward in zip(ends, (a, b), (-1, 1), strict=True)
                    if abs(xs(end) - place) > 0.5
                ]
            parts.append(_dot(clip(middle), y, s.colour, s.hollow))
    parts.append(f"<path d='M{left},{y1}V{y0}H{width - RIGHT}' fill='none' stroke='{INK}'/>")
    parts.append(_text((left + width - RIGHT) / 2, height - 8, x_label, 12, anchor="middle"))
    return "".join(parts)


def rows_height(rows: int) -> int:
    """Height of `rows_panel` in pixels for a number of rows."""
    return TOP + BOTTOM + 22 * rows


def rows_figure(
    blocks: Sequence[tuple[str, int]], title: str, legend: Sequence[tuple[str, str, str]], width: int = 960
) -> str:
    """Put blocks of rows under one another.

    Arguments:
        blocks: (from `rows_panel`, number of its rows).
        title: what the figure shows.
        legend: as `figure`.
        width: pixels.

    Returns:
        SVG text.
    """
    groups, y = [], 0
    for text, n in blocks:
        groups.append((0, y, text))
        y += rows_height(n)
    return _svg(width, y, title, legend, groups)


def _known(value: float | None) -> float:
    assert value is not None
    return value


def _scale(limits: tuple[float, float], log: bool, start: float, end: float):
    a, b = (math.log10(v) for v in limits) if log else limits

    def place(value: float) -> float:
        v = math.log10(max(value, 1e-12)) if log else value
        return start + (v - a) / (b - a) * (end - start)

    return place


def _ticks(limits: tuple[float, float], log: bool) -> list[float]:
    low, high = limits
    if log:
        steps = (1.0,) if math.log10(high / low) > 2.5 else (1.0, 2.0, 5.0)
        values = [s * 10.0**k for k in range(math.floor(math.log10(low)), 7) for s in steps]
    else:
        rough = (high - low) / 5
        size = 10.0 ** math.floor(math.log10(rough))
        step = next(m * size for m in (1, 2, 2.5, 5, 10) if m * size >= rough * 0.999)
        values = [step * k for k in range(math.floor(low / step), math.ceil(high / step) + 1)]
    return [v for v in values if low * (1 - 1e-9) - 1e-12 <= v <= high * (1 + 1e-9) + 1e-12]


def _number(value: float) -> str:
    return f"{value:g}" if 1e-3 <= abs(value) < 1e5 or value == 0 else f"{value:.0e}"


def _arrow(x: float, y: float, toward: int, colour: str, upright: bool = False) -> str:
    """A head at the end of a line that goes on: to the right or down where `toward` is 1."""
    ends = [(-6.0 * toward, -3.5), (0.0, 0.0), (-6.0 * toward, 3.5)]
    points = " ".join(f"{x + (b if upright else a):.1f},{y + (a if upright else b):.1f}" for a, b in ends)
    return f"<polyline points='{points}' fill='none' stroke='{colour}'/>"


def _dot(x: float, y: float, colour: str, hollow: bool) -> str:
    fill = "#ffffff" if hollow else colour
    return f"<circle cx='{x:.1f}' cy='{y:.1f}' r='3.2' fill='{fill}' stroke='{colour}' stroke-width='1.4'/>"


def _text(
    x: float,
    y: float,
    words: str,
    size: int,
    *,
    anchor: str = "start",
    weight: str = "",
    extra: str = "",
    colour: str = INK,
) -> str:
    bold = f" font-weight='{weight}'" if weight else ""
    return (
        f"<text x='{x:.1f}' y='{y:.1f}' {FONT} font-size='{size}' fill='{colour}' text-anchor='{anchor}'"
        f"{bold}{extra}>{escape(words)}</text>"
    )
