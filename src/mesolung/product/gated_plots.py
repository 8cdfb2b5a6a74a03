"""What a figure needs of gated events: two coordinates of some of them, and which lie inside."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mesolung.product.quality.fcs import FlowFile
from mesolung.product.quality.gated import VIABLE, Gated, Population
from mesolung.product.quality.panel import find_panel
from mesolung.product.quality.spillover import compensate, spillover_of
from mesolung.product.quality.transforms import logicle

DRAWN = 1500  # events of a figure: more are neither seen nor quick
DECIMALS = 4
Values = NDArray[np.float64]


Axes = Mapping[str, tuple[tuple[str, Values], ...]]


def gate_plots(flow: FlowFile, gated: Gated, axes: Axes | None = None) -> list[dict[str, Any]]:
    """Collect what is drawn of each population.

    Arguments:
        flow: the file.
        gated: its populations.
        axes: gate -> its own axes, as `gate_axes` gives them; None for those of the default gate.

    Returns:
        name, parent, percent, count, of, labels and coordinates of the axes, whether inside, and the edge of
        the gate on the x axis where it is one, of each population whose parent has events. Intensities stand
        on the logicle scale.
    """
    values = compensate(flow, spillover_of(flow))
    panel = find_panel(flow, markers=None if axes is None else {})
    found = []
    for one in gated.populations:
        parent = gated.members.get(one.parent)
        members = np.flatnonzero(np.ones(len(values), bool) if parent is None else parent)
        if members.size == 0 or one.percent is None:
            continue
        shown = members[:: max(1, -(-members.size // DRAWN))]
        stain = panel.dye if one.name == VIABLE else panel.markers.get(one.marker or "")
        x, x_label, edge = _across(flow, gated, values, one, stain, panel.forward)
        y, y_label = _up(flow, values, one, panel.forward, panel.forward_height, panel.side)
        own = () if axes is None else axes.get(one.name, ())
        if own:
            x_label, x, edge = *own[0], None
        if len(own) > 1:
            y_label, y = own[1]
        found.append(
            {
                "name": one.name,
                "parent": one.parent or "all events",
                "percent": one.percent,
                "count": one.count,
                "of": one.of,
                "x_label": x_label,
                "y_label": y_label,
                "x": _rounded(x[shown]),
                "y": _rounded(y[shown]),
                "inside": [bool(v) for v in gated.members[one.name][shown]],
                "edge": edge,
            }
        )
    return found


def _across(
    flow: FlowFile, gated: Gated, values: Values, one: Population, stain: int | None, forward: int | None
) -> tuple[Values, str, float | None]:
    if stain is None:
        column = 0 if forward is None else forward
        return values[:, column], flow.names[column], None
    threshold = gated.thresholds.get(VIABLE if one.name == VIABLE else one.marker or "")
    edge = None if threshold is None else float(logicle(np.array([threshold]))[0])
    return logicle(values[:, stain]), f"{one.marker or 'viability dye'} (logicle)", edge


def _up(
    flow: FlowFile, values: Values, one: Population, forward: int | None, height: int | None, side: int | None
) -> tuple[Values, str]:
    column = height if one.name == "singlets" else side if one.name == "cells" else forward
    column = next((c for c in (column, side, forward) if c is not None), min(1, values.shape[1] - 1))
    return values[:, column], flow.names[column]


def _rounded(values: Values) -> list[float]:
    """Few digits: a page holds thousands of them."""
    return [float(f"{v:.{DECIMALS}g}") for v in np.nan_to_num(values)]
