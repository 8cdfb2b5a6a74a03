"""How every figure looks: colours that colour-blind readers can tell apart, and a second cue beside them."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mesolung.report.tables import Table

INK = "#1a1a1a"
MUTED = "#595959"
GRID = "#e3e3e3"

# Okabe and Ito's palette (Color Universal Design, 2008), darkest on white first, without the faint yellow.
# Its black is kept for control arms: two see-through bands stay readable when one of them is grey.
CONTROL = "#000000"
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
DASHES = ("solid", "dash", "dashdot", "dot", "longdashdot", "12px,2px")
SYMBOLS = ("circle", "triangle-up", "cross", "star", "hexagon", "bowtie")


@dataclass(frozen=True)
class Figure:
    """A figure with the words and the numbers that go with it.

    Attributes:
        id: unique in the page.
        title: heading of the figure.
        alt: what a reader who does not see it should know.
        caption: how to read it.
        data, layout: what plotly draws.
        table: the numbers drawn.
        height: px.
        key: what the marks mean, where the figure itself does not say.
    """

    id: str
    title: str
    alt: str
    caption: str
    data: Sequence[Mapping[str, Any]]
    layout: Mapping[str, Any]
    table: Table
    height: int = 360
    key: str = ""


@dataclass(frozen=True)
class Look:
    """Colour, line style and symbol of each arm.

    Attributes:
        arms: names, in order.
        controls: those of them that are controls.
    """

    arms: tuple[str, ...] = ()
    controls: tuple[str, ...] = ()

    def _place(self, arm: str) -> int:
        others = [a for a in self.arms if a not in self.controls]
        return others.index(arm) if arm in others else len(others)

    def colour(self, arm: str) -> str:
        """Hexadecimal colour of an arm."""
        return CONTROL if arm in self.controls else PALETTE[self._place(arm) % len(PALETTE)]

    def dash(self, arm: str) -> str:
        """Line style of an arm, by plotly's name."""
        return "5px,4px" if arm in self.controls else DASHES[self._place(arm) % len(DASHES)]

    def symbol(self, arm: str) -> str:
        """Marker of an arm, by plotly's name."""
        return "square" if arm in self.controls else SYMBOLS[self._place(arm) % len(SYMBOLS)]

    def shade(self, arm: str, opacity: float) -> str:
        """An arm's colour, see-through.

        Arguments:
            arm: name.
            opacity: 0 to 1.
        """
        if arm in self.controls:
            opacity *= 0.65  # black weighs more than a colour
        red, green, blue = (int(self.colour(arm)[i : i + 2], 16) for i in (1, 3, 5))
        return f"rgba({red},{green},{blue},{opacity:g})"


def plot_text(text: Any, longest: int = 60) -> str:
    """Make text safe for plotly, which reads a few HTML tags, and short enough for a label.

    Arguments:
        text: a name from a file.
        longest: characters kept.
    """
    words = str(text)
    return html.escape(words if len(words) <= longest else words[: longest - 1] + "…", quote=False)


def axis(title: str, *, log: bool = False, **more: Any) -> dict[str, Any]:
    """An axis with its title.

    Arguments:
        title: what and in which unit.
        log: whether it is logarithmic.
        more: further plotly attributes.
    """
    made: dict[str, Any] = {
        "title": {"text": title, "font": {"size": 13}, "standoff": 8},
        "gridcolor": GRID,
        "linecolor": MUTED,
        "showline": True,
        "zeroline": False,
        "ticks": "outside",
        "tickcolor": MUTED,
        "automargin": True,
        "fixedrange": True,
    }
    if log:
        made |= {"type": "log", "exponentformat": "power", "dtick": 1}
    return made | more


def padded(values: Sequence[float | None], *, log: bool = False, zero: bool = False) -> list[float] | None:
    """Ends of an axis with some air around what it carries.

    Arguments:
        values: what is drawn; None is left out.
        log: whether the axis is logarithmic.
        zero: whether it starts at 0 where nothing is below.

    Returns:
        (low, high) as plotly wants them, logarithms on a logarithmic axis; None for nothing to draw.
    """
    found = [float(v) for v in values if v is not None and not (log and v <= 0)]
    if not found:
        return None
    low, high = (math.log10(min(found)), math.log10(max(found))) if log else (min(found), max(found))
    air = 0.06 * (high - low) or (0.1 if log else 0.1 * abs(high) or 1.0)
    if zero and low >= 0:
        # A little below 0, so that a mark at 0 is whole.
        return [-0.03 * (high + air), high + air]
    return [low - air, high + air]


def ratio_ticks(low: float, high: float) -> dict[str, Any]:
    """Round numbers to mark on a logarithmic axis, seven at most.

    Arguments:
        low, high: ends of the axis, both above 0.

    Returns:
        plotly attributes.
    """
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for steps in ((1, 1.5, 2, 3, 5, 7), (1, 2, 5), (1, 3), (1,)):
        values = [s * 10.0**d for d in decades for s in steps if low <= s * 10.0**d <= high]
        if len(values) <= 7:
            break
    else:
        values = values[:: -(-len(values) // 7)]
    return {"tickvals": values, "ticktext": [f"{v:g}" for v in values], "tickangle": 0}


def log_ticks(low: float, high: float) -> dict[str, Any]:
    """Marks of a logarithmic axis: round numbers within two decades, powers of ten beyond, eight at most.

    Arguments:
        low, high: least and largest value on the axis, above 0.

    Returns:
        plotly attributes.
    """
    if high < 1.5 * low:
        return {"dtick": None, "nticks": 6}  # hardly a logarithmic axis: as plotly would mark it
    if high < 50.0 * low:
        return ratio_ticks(low, high)
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    powers = range(first, last + 1, -(-(last - first) // 7))
    # Superscripts of our own: plotly makes the whole label larger for them.
    words = [f"{10.0**k:,g}" if -2 <= k <= 4 else f"10<sup>{k}</sup>" for k in powers]
    return {"tickvals": [10.0**k for k in powers], "ticktext": words}


def layout(**more: Any) -> dict[str, Any]:
    """The layout that all figures share.

    Arguments:
        more: further plotly attributes.
    """
    base: dict[str, Any] = {
        "font": {
            "family": "system-ui, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif",
            "size": 13,
            "color": INK,
        },
        "paper_bgcolor": "white",
        "plot_bgcolor": "white",
        "margin": {"l": 56, "r": 16, "t": 12, "b": 48},
        "legend": {
            "orientation": "h",
            "x": 0,
            "xanchor": "left",
            "y": 1.02,
            "yanchor": "bottom",
            "font": {"size": 12},
        },
        "hovermode": "closest",
        "hoverlabel": {"bgcolor": "white", "font": {"color": INK}},
    }
    return base | more
