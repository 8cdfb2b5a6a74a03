"""The default gate: cells, singlets, viable, and positive against controls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from mesolung.product.quality.fcs import FlowFile
from mesolung.product.quality.gated import VIABLE, Gated, Members, Population, count_population
from mesolung.product.quality.panel import Panel, find_panel, marker_of
from mesolung.product.quality.spillover import Spillover, compensate, spillover_of
from mesolung.product.quality.transforms import Transform, checked_transform
from mesolung.product.quality.valley import find_valley
from mesolung.reading import Refusal

CONTROL_SHARE = 0.995  # of a control's events lie below the threshold, by convention
DEBRIS_SHARE = 1 / 3  # of the main peak's forward scatter; a peak above it is another kind of cell
SPREADS = 4.0  # robust standard deviations of area by height that a singlet may be away
FEWEST_CONTROL = 100  # events of a control that can carry a threshold
LOW_QUANTILE = 0.05  # of the values below zero, which the linear part of the scale reaches
DECADES, WIDTH = 4.5, 0.5  # of the logicle scale; the width is the least
TOP = 262144.0  # of the logicle scale, where the channel's range is not known
Values = npt.NDArray[np.float64]


def auto_gate(
    flow: FlowFile,
    controls: FlowFile | None = None,
    viability: str | None = None,
    markers: Sequence[str] | Mapping[str, str] | None = None,
    fluorescence_minus_one: Mapping[str, FlowFile] | None = None,
) -> Gated:
    """Gate cells, singlets, viable events and each marker's positive ones, where no gate is given.

    A marker's threshold is the 99.5th percentile of its fluorescence-minus-one control, else of the isotype
    or unstained control, else the valley between two peaks on the logicle scale. With one peak and no
    control, its positive share is not told. What was taken for granted stands in `assumed`.

    Arguments:
        flow: the stained sample; its own spillover matrix is taken out where it holds one.
        controls: the isotype or unstained control, for every marker.
        viability: channel of the viability dye; looked for by name where none is given.
        markers: markers or channels to look at, or marker -> channel; all that have a label where none
            is given.
        fluorescence_minus_one: marker -> its control.

    Returns:
        populations "cells", "singlets", "viable" (with a dye only) and "MARKER+".

    Raises:
        Refusal: for a channel that is not there, a marker on two channels, or a control with fewer than 100
            cells or other channels.
    """
    panel = find_panel(flow, viability, markers)
    gate = _AutoGate(flow, panel)
    gate.cells()
    gate.singlets()
    gate.viable()
    minus_one = {marker_of(name) or name: c for name, c in (fluorescence_minus_one or {}).items()}
    if unknown := set(minus_one) - set(panel.markers):
        raise Refusal(
            "a control of a marker that is not gated",
            file=flow.file,
            found=", ".join(sorted(unknown)),
            allowed=", ".join(panel.markers) or "none",
        )
    for marker, column in panel.markers.items():
        gate.marker(marker, column, minus_one.get(marker), controls)
    return Gated(
        tuple(gate.populations), gate.members, tuple(gate.assumed), flow.repairs, dict(gate.thresholds)
    )


class _AutoGate:
    """The gates so far; limits found on the sample serve its controls."""

    def __init__(self, flow: FlowFile, panel: Panel) -> None:
        self.flow, self.panel = flow, panel
        self.assumed = list(panel.assumed)
        self.spill: Spillover | None = spillover_of(flow)
        self.values = compensate(flow, self.spill)
        if self.spill is None:
            self.assumed.append("The file holds no spillover matrix: intensities are not compensated.")
        self.populations: list[Population] = []
        self.members: dict[str, Members] = {}
        self.thresholds: dict[str, float] = {}
        self.parent = ""
        self.within = np.ones(len(flow.events), bool)
        self.debris: float | None = None
        self.ratio: tuple[float, float] | None = None
        self.dead: float | None = None

    def _take(self, name: str, inside: Members) -> None:
        self.populations.append(count_population(name, inside, self.parent, self.within))
        self.within = self.within & inside
        self.members[name] = self.within
        self.parent = name

    def _scale(self, column: int) -> Transform:
        """The logicle scale of a channel, its linear part as wide as its events below zero ask."""
        channel = self.flow.channels[column]
        top = channel.range / channel.gain
        if channel.decades > 0:
            top = channel.offset * 10**channel.decades
        top = float(top) if np.isfinite(top) and top > 1 else TOP
        values = self.values[self.within, column]
        negative = values[values < 0]
        low = abs(float(np.quantile(negative, LOW_QUANTILE))) if negative.size else 0.0
        # Moore and Parks 2012, doi 10.1002/cyto.a.22030: W from a low quantile of the negative values.
        width = (DECADES - np.log10(top / low)) / 2 if low > 0 else WIDTH
        width = float(np.clip(width, WIDTH, DECADES / 2))
        return checked_transform("logicle", {"T": top, "W": width, "M": DECADES, "A": 0.0})

    def _valley(self, column: int) -> float | None:
        """Intensity between two peaks of a channel, above zero; None where its events are one population."""
        values = self.values[self.within, column]
        at = self._scale(column)(values)
        valley = find_valley(at)
        if valley is None:
            return None
        below, above = values[at <= valley[1]], values[at > valley[1]]
        place = float((below.max() + above.min()) / 2)
        # A scale that bends at zero can part one population there; that is no boundary.
        negative = values[values < 0]
        spread = -float(np.quantile(negative, LOW_QUANTILE)) if negative.size else 0.0
        return place if place > spread else None

    def cells(self) -> None:
        """Events on scale, without the debris."""
        forward = self.panel.forward
        if forward is None:
            self.assumed.append("No forward scatter was found: debris is not taken out.")
            self._take("cells", self._on_scale(self.flow))
            return
        on_scale = self._on_scale(self.flow)
        off = int(np.count_nonzero(~on_scale))
        if off:
            self.assumed.append(f"{off} events at or beyond the ends of the scatter's range are not cells.")
        light = self.values[on_scale, forward]
        valley = find_valley(np.log10(light[light > 0])) if np.any(light > 0) else None
        if valley is not None and 10 ** (valley[0] - valley[2]) < DEBRIS_SHARE:
            self.debris = 10 ** valley[1]
            self.assumed.append(
                f"Events below {self.debris:.4g} of {self.flow.names[forward]}, the valley under the main "
                "peak, are taken for debris."
            )
        else:
            self.assumed.append("No peak of debris stands apart in forward scatter: none is taken out.")
        self._take("cells", self._cell(self.flow, self.values))

    def _on_scale(self, flow: FlowFile) -> Members:
        found = np.ones(len(flow.events), bool)
        for column in (self.panel.forward, self.panel.side):
            if column is not None:
                top = flow.channels[column].range
                found &= np.isfinite(flow.events[:, column]) & (flow.events[:, column] > 0)
                if np.isfinite(top) and top > 1:
                    found &= flow.events[:, column] < top - 1
        return found

    def _cell(self, flow: FlowFile, values: Values) -> Members:
        found = self._on_scale(flow)
        if self.debris is not None and self.panel.forward is not None:
            found &= values[:, self.panel.forward] >= self.debris
        return found

    def singlets(self) -> None:
        """Cells whose area by height of forward scatter is that of one cell."""
        area, height = self.panel.forward, self.panel.forward_height
        if area is None or height is None or area == height:
            self.assumed.append("Forward scatter has not both area and height: doublets are not taken out.")
            return
        with np.errstate(all="ignore"):
            ratio = self.values[:, area] / self.values[:, height]
        known = ratio[self.within & np.isfinite(ratio)]
        if not known.size:
            return
        middle = float(np.median(known))
        spread = 1.4826 * float(np.median(np.abs(known - middle)))
        self.ratio = (middle - SPREADS * spread, middle + SPREADS * spread)
        self.assumed.append(
            f"Singlets have {self.flow.names[area]} by {self.flow.names[height]} from {self.ratio[0]:.3g} to "
            f"{self.ratio[1]:.3g}, the median and {SPREADS:g} robust standard deviations."
        )
        self._take("singlets", self._single(self.values))

    def _single(self, values: Values) -> Members:
        if self.ratio is None or self.panel.forward is None or self.panel.forward_height is None:
            return np.ones(len(values), bool)
        with np.errstate(all="ignore"):
            ratio = values[:, self.panel.forward] / values[:, self.panel.forward_height]
            return (ratio >= self.ratio[0]) & (ratio <= self.ratio[1])

    def viable(self) -> None:
        """Singlets that the dye did not enter."""
        dye = self.panel.dye
        if dye is None:
            return
        self.dead = self._valley(dye)
        name = self.flow.names[dye]
        if self.dead is None:
            self.assumed.append(
                f"Channel {name} shows one peak: dead cells do not stand apart, and viability is not told."
            )
            return
        self.assumed.append(
            f"Events above {self.dead:.4g} of {name}, the valley between two peaks, are dead."
        )
        self.thresholds[VIABLE] = self.dead
        self._take(VIABLE, self.values[:, dye] <= self.dead)

    def marker(self, marker: str, column: int, minus_one: FlowFile | None, control: FlowFile | None) -> None:
        """The positive events of one marker."""
        chosen = minus_one or control
        if chosen is not None:
            kind = "fluorescence-minus-one control" if minus_one else "control"
            threshold = self._of_control(chosen, column)
            self.assumed.append(
                f"{marker}+ lies above {threshold:.4g}, the {100 * CONTROL_SHARE:g}th percentile of the "
                f"{kind} {chosen.file.name}: about {100 * (1 - CONTROL_SHARE):g} % of dim events do too."
            )
        else:
            found = self._valley(column)
            if found is None:
                self.assumed.append(
                    f"{marker} shows one peak and has no control: its positive share is not told."
                )
                return
            threshold = found
            self.assumed.append(f"{marker} has no control: {marker}+ lies above the valley, {threshold:.4g}.")
        inside = self.values[:, column] > threshold
        positive = self.values[inside & self.within, column]
        name = f"{marker}+"
        median = float(np.median(positive)) if positive.size else None
        self.populations.append(count_population(name, inside, self.parent, self.within, marker, median))
        self.members[name] = inside & self.within
        self.thresholds[marker] = threshold

    def _of_control(self, control: FlowFile, column: int) -> float:
        if control.names != self.flow.names:
            other = sorted(set(control.names) ^ set(self.flow.names)) or ["another order"]
            raise Refusal("a control with other channels", file=control.file, found=", ".join(other))
        values = compensate(control, self.spill)
        kept = self._cell(control, values) & self._single(values)
        if self.dead is not None and self.panel.dye not in (None, column):
            kept &= values[:, self.panel.dye] <= self.dead
        known = values[kept, column]
        known = known[np.isfinite(known)]
        if known.size < FEWEST_CONTROL:
            raise Refusal(
                "a control with too few cells",
                file=control.file,
                found=int(known.size),
                allowed=f"at least {FEWEST_CONTROL}",
            )
        return float(np.quantile(known, CONTROL_SHARE))
