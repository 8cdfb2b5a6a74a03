"""The bytes of events turned into numbers."""

from __future__ import annotations

import warnings

import numpy as np
import numpy.typing as npt

from mesolung.product.quality.fcs_bytes import FcsBytes
from mesolung.product.quality.fcs_layout import Layout
from mesolung.product.quality.lab import lab
from mesolung.product.quality.repair import RepairLog

LARGEST = 4 << 30  # bytes of decoded events
AT_ONCE = 1 << 24  # bytes that are decoded at a time
LOOKED_AT = 4096  # events by which a layout is judged
SMALLEST, BIGGEST = 1e-9, 100.0  # of a channel's range, beyond which a stored float is no intensity
RANGE = 262144.0  # where a file gives none
ITSELF = "decoded here by what the file states of its layout"
Events = npt.NDArray[np.float64]


def decode(source: FcsBytes, layout: Layout, log: RepairLog) -> Events:
    """Read the events.

    A sound list of floats is read by FlowIO; it leaves integers of 24 bits undecoded and masks integers byte
    by byte, so those and every repaired layout are decoded here.

    Returns:
        stored values (events, channels).

    Raises:
        Refusal: for more events than fit the allowance of memory.
    """
    size = layout.events * len(layout.channels) * 8
    if size > LARGEST:
        source.refuse("too many events", found=f"{size} bytes as numbers", allowed=f"up to {LARGEST} bytes")
    events = _by_flowio(source, layout, log) if layout.sound and layout.kind != "I" else None
    if events is None:
        events = np.empty((layout.events, len(layout.channels)))
        step = max(AT_ONCE // layout.width, 1)
        for first in range(0, layout.events, step):
            last = min(first + step, layout.events)
            events[first:last] = _stored(source, layout, first, last)
    if layout.kind == "I":
        _mask(events, layout, log)
    if odd := int(np.size(events) - np.count_nonzero(np.isfinite(events))):
        log.add("events", f"{odd} values that are no finite numbers", "kept as they are")
    return events


def plausible(source: FcsBytes, layout: Layout) -> float:
    """Share of values that can be intensities.

    Arguments:
        layout: a reading of the events, of which the first are looked at.

    Returns:
        share, 0 to 1; 1 where nothing is known of the range.
    """
    values = _stored(source, layout, 0, min(layout.events, LOOKED_AT))
    if layout.kind == "I":
        top = np.array([channel.range for channel in layout.channels])
        return float(np.mean(~(values > np.where(np.isnan(top) | (top < 1), np.inf, top))))
    size = np.abs(values)
    top = np.array([c.range if np.isfinite(c.range) and c.range > 0 else RANGE for c in layout.channels])
    with np.errstate(invalid="ignore"):
        return float(np.mean((size == 0) | ((size >= SMALLEST * top) & (size <= BIGGEST * top))))


def _by_flowio(source: FcsBytes, layout: Layout, log: RepairLog) -> Events | None:
    """Events as FlowIO reads them; None, and logged, where it refuses the file or finds another number."""
    flowio = lab("flowio", "reading FCS files")
    try:
        with warnings.catch_warnings(), source.file.open("rb") as stream:
            warnings.simplefilter("ignore")
            found = flowio.FlowData(stream, ignore_offset_discrepancy=True, nextdata_offset=source.start)
        with np.errstate(invalid="ignore"):  # a signalling nan stays a nan
            values = np.asarray(found.events, dtype=float)
    except Exception as error:  # whatever it stumbles on, the layout is known and decoded without it
        # The kind of the error alone: its words may hold bytes of the file.
        log.add("events", f"FlowIO stumbles ({type(error).__name__})", ITSELF)
        return None
    shape = (layout.events, len(layout.channels))
    if values.size != shape[0] * shape[1]:
        log.add("events", f"FlowIO finds {values.size} values, the file states {shape[0] * shape[1]}", ITSELF)
        return None
    return values.reshape(shape)


def _stored(source: FcsBytes, layout: Layout, first: int, last: int) -> Events:
    """Values of some events, before any mask."""
    width = layout.width
    start = layout.first + first * width
    raw = np.frombuffer(source.part(start, start + (last - first) * width - 1), np.uint8)
    raw = raw[: raw.size // width * width].reshape(-1, width)
    if layout.kind != "I":
        kind = np.dtype(f"{layout.order}f{4 if layout.kind == 'F' else 8}")
        with np.errstate(all="ignore"):
            return np.ascontiguousarray(raw).view(kind).astype(float)
    values = np.zeros((len(raw), len(layout.channels)))
    at = 0
    for j, channel in enumerate(layout.channels):
        size = channel.bits // 8
        part = raw[:, at : at + size] if layout.order == "<" else raw[:, at : at + size][:, ::-1]
        whole = np.zeros((len(raw), 8), np.uint8)
        whole[:, :size] = part
        values[:, j] = whole.view("<u8")[:, 0]
        at += size
    return values


def _mask(events: Events, layout: Layout, log: RepairLog) -> None:
    """Clear the bits above a channel's range, as the standard asks."""
    cleared = {}
    for j, channel in enumerate(layout.channels):
        if channel.mask is None:
            continue
        high = events[:, j] > channel.mask
        if count := int(np.count_nonzero(high)):
            events[high, j] = np.mod(events[high, j], channel.mask + 1)
            cleared[channel.name] = count
    if cleared:
        found = f"{sum(cleared.values())} values above their channel's range: {', '.join(cleared)}"
        log.add("events", found, "bits above the range cleared, as the standard asks")
