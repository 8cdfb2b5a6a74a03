"""Flow cytometry files: FCS 2.0, 3.0, 3.1 and list mode data (LMD)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from os import PathLike
from pathlib import Path
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from mesolung.product.quality.fcs_bytes import SHORTEST, FcsBytes, opened
from mesolung.product.quality.fcs_channels import Channel, whole
from mesolung.product.quality.fcs_decode import decode, plausible
from mesolung.product.quality.fcs_layout import find_layout
from mesolung.product.quality.fcs_text import FcsHead, read_head
from mesolung.product.quality.lab import lab
from mesolung.product.quality.repair import Repair, RepairLog
from mesolung.reading import Refusal

MOST_DATASETS = 1000
SYNTHETIC = "MESOLUNG_SYNTHETIC"  # the keyword by which a file says that nobody measured it


@dataclass(frozen=True, eq=False)
class FlowFile:
    """One data set of a flow cytometry file.

    Attributes:
        file: the file.
        version: "2.0", "3.0" or "3.1".
        dataset: number of the data set, from 0.
        datasets: how many the file holds.
        channels: the channels, their names unique.
        events: stored values (events, channels), before any scaling.
        metadata: keyword in capitals -> value, as in the file.
        repairs: what was not as the format asks, and how it was read.
    """

    file: Path
    version: str
    dataset: int
    datasets: int
    channels: tuple[Channel, ...]
    events: npt.NDArray[np.float64]
    metadata: Mapping[str, str]
    repairs: tuple[Repair, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the channels."""
        return tuple(channel.name for channel in self.channels)

    @property
    def labels(self) -> tuple[str, ...]:
        """What each channel stains; empty where the file does not say."""
        return tuple(channel.label for channel in self.channels)

    @property
    def synthetic(self) -> bool:
        """Whether the file says of itself that its events are synthetic."""
        return SYNTHETIC in self.metadata

    @cached_property
    def scaled(self) -> npt.NDArray[np.float64]:
        """Values (events, channels) with amplifier and gain undone, and time in seconds.

        Source: FCS 3.1 data file standard (Spidlen 2010, doi 10.1002/cyto.a.20825), $PnE, $PnG and $TIMESTEP.
        """
        values = self.events.copy()
        for j, channel in enumerate(self.channels):
            if channel.name.upper() == "TIME":
                values[:, j] *= self.timestep or 1.0
                continue
            if channel.decades > 0 and channel.range > 0:
                values[:, j] = channel.offset * 10 ** (channel.decades * values[:, j] / channel.range)
            values[:, j] /= channel.gain
        values.flags.writeable = False
        return values

    @property
    def timestep(self) -> float | None:
        """Seconds of one step of the time channel; None where the file gives none."""
        try:
            step = float(self.metadata.get("$TIMESTEP", ""))
        except ValueError:
            return None
        return step if 0 < step < 1e6 else None

    def column(self, channel: str) -> int:
        """Find a channel by its name, or by its label.

        Raises:
            Refusal: for a channel that is not there, or a label that two channels have.
        """
        wanted = channel.strip().casefold()
        for names in (self.names, self.labels):
            found = [j for j, name in enumerate(names) if name.strip().casefold() == wanted]
            if len(found) > 1:
                raise Refusal(
                    "two channels of this name",
                    file=self.file,
                    found=channel,
                    allowed=", ".join(self.names[j] for j in found),
                )
            if found:
                return found[0]
        raise Refusal("no such channel", file=self.file, found=channel, allowed=", ".join(self.names))


def read_fcs(path: str | PathLike[str], dataset: int = 0) -> FlowFile:
    """Read one data set of a flow cytometry file.

    Arguments:
        path: a file of FCS 2.0, 3.0 or 3.1, LMD included.
        dataset: which data set of a file that holds several, from 0.

    Returns:
        events, channels and keywords, with a log of every repair.

    Raises:
        Refusal: for a file that is none of these, is truncated, has no events or no such data set, or where
            the `lab` extra is missing.
    """
    lab("flowio", "reading FCS files")
    with opened(path) as source:
        here, head, log, datasets = _dataset(source, dataset)
        if datasets > 1:
            log.add("file", f"{datasets} data sets", f"this is number {dataset}, counted from 0")
        layout = find_layout(here, head, log, plausible)
        events = decode(here, layout, log)
    events.flags.writeable = False
    step = head.keywords.get("$TIMESTEP")
    flow = FlowFile(
        source.file,
        head.version,
        dataset,
        datasets,
        layout.channels,
        events,
        MappingProxyType(dict(head.keywords)),
        log.entries,
    )
    if step is not None and flow.timestep is None:
        log.add("$TIMESTEP", step or "nothing", "time left in its own steps")
    return replace(flow, repairs=log.entries)


def _dataset(source: FcsBytes, wanted: int) -> tuple[FcsBytes, FcsHead, RepairLog, int]:
    """Find a data set by following where each says that the next one begins; and count them all."""
    found = None
    here, count = source, 0
    chain = RepairLog()
    while True:
        log = RepairLog()
        try:
            head = read_head(here, log)
        except Refusal as refusal:
            if found is None:
                raise
            # What stands behind the data set that is asked for may be broken; it is told, and no more.
            chain.add(f"data set {count}", refusal.problem, "neither it nor any behind it is read")
            break
        if count == wanted:
            found = here, head, log
        count += 1
        text = head.keywords.get("$NEXTDATA", "0")
        step = whole(text)
        if step == 0:
            break
        # A data set holds its own TEXT: a next one within it would read the same bytes for ever.
        if step is None or step <= head.text[1] or here.size - step < SHORTEST or count >= MOST_DATASETS:
            chain.add("$NEXTDATA", text or "nothing", "no further data set read")
            break
        if here.part(step, step + 2) != b"FCS":
            chain.add("$NEXTDATA", text, "no data set begins there; none read")
            break
        here = replace(here, start=here.start + step)
    if found is None:
        source.refuse("no such data set", found=wanted, allowed=f"0 to {count - 1}")
    found[2].extend(chain)
    return *found, count
