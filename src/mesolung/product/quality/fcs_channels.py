"""The channels that an FCS data set declares."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from mesolung.product.quality.fcs_bytes import FcsBytes
from mesolung.product.quality.repair import RepairLog

MOST_CHANNELS = 1024
MOST_BITS = 64


@dataclass(frozen=True)
class Channel:
    """One measured parameter.

    Attributes:
        name: $PnN; made unique where a file uses one name twice.
        label: $PnS, what the channel stains; empty where the file gives none.
        bits: stored bits of a value.
        range: $PnR, the highest value plus one; nan where the file gives none.
        decades: decades of a logarithmic amplifier, 0 for linear values ($PnE).
        offset: value that stored 0 stands for on a logarithmic amplifier.
        gain: amplifier gain ($PnG), 1 where the file gives none.
    """

    name: str
    label: str
    bits: int
    range: float
    decades: float = 0.0
    offset: float = 0.0
    gain: float = 1.0

    @property
    def mask(self) -> int | None:
        """Bits of a stored integer that carry the value; None where all of them do."""
        if not math.isfinite(self.range) or self.range < 1 or self.range >= 2**self.bits:
            return None
        return (1 << (math.ceil(self.range) - 1).bit_length()) - 1


def read_channels(
    source: FcsBytes, keywords: Mapping[str, str], kind: str, log: RepairLog
) -> tuple[Channel, ...]:
    """Read the channels.

    Arguments:
        kind: "I", "F" or "D", the stored type.

    Returns:
        the channels in the order of the file, with unique names.

    Raises:
        Refusal: for no number of channels, or a width that cannot be decoded.
    """
    text = keywords.get("$PAR", "")
    count = whole(text)
    if count is None or not 0 < count <= MOST_CHANNELS:
        source.refuse("$PAR is no number of channels", found=text, allowed=f"1 to {MOST_CHANNELS}")
    names: set[str] = set()
    channels = []
    for n in range(1, count + 1):
        get = {letter: keywords.get(f"$P{n}{letter}", "").strip() for letter in "NSBREG"}
        decades, offset = _amplifier(n, get["E"], kind, log)
        name = _unique(n, get["N"], names, log)
        gain = _number(get["G"])
        if get["G"] and (gain is None or gain < 0):
            log.add(f"$P{n}G", get["G"], "gain read as 1")
        wide = _number(get["R"])
        if wide is None or wide < 0:
            log.add(f"$P{n}R", get["R"] or "nothing", "no range known; values are not masked")
        channels.append(
            Channel(
                name,
                get["S"],
                _bits(source, n, get["B"], kind, log),
                math.nan if wide is None or wide < 0 else wide,
                decades,
                offset,
                gain if gain and gain > 0 else 1.0,
            )
        )
    return tuple(channels)


def whole(text: str) -> int | None:
    """A non-negative whole number of at most 15 digits; None for anything else."""
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 15 else None


def _number(text: str) -> float | None:
    try:
        value = float(text) if text.isascii() and "_" not in text else math.nan
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _bits(source: FcsBytes, n: int, text: str, kind: str, log: RepairLog) -> int:
    given = whole(text)
    needed = {"F": 32, "D": 64}.get(kind)
    if needed is not None:
        if given != needed:
            log.add(f"$P{n}B", text or "nothing", f"{needed} bits, as $DATATYPE {kind} asks")
        return needed
    if given is None or not 0 < given <= MOST_BITS or given % 8:
        source.refuse(
            f"$P{n}B is no width that is read",
            found=text or "nothing",
            allowed="8, 16, 24, 32, 40, 48, 56, 64",
        )
    if given not in (8, 16, 32):
        log.add(f"$P{n}B", f"{given} bits", f"decoded as integers of {given // 8} bytes")
    return given


def _unique(n: int, name: str, names: set[str], log: RepairLog) -> str:
    if not name:
        log.add(f"$P{n}N", "nothing", f"channel named P{n}")
        name = f"P{n}"
    unique, k = name, 1
    while unique in names:
        k += 1
        unique = f"{name}-{k}"
    if unique != name:
        log.add(f"$P{n}N", f"{name!r} a second time", f"channel named {unique}")
    names.add(unique)
    return unique


def _amplifier(n: int, text: str, kind: str, log: RepairLog) -> tuple[float, float]:
    if not text:
        log.add(f"$P{n}E", "nothing", "read as linear")
        return 0.0, 0.0
    parts = [value for part in text.split(",") if (value := _number(part.strip())) is not None]
    if len(parts) != 2 or text.count(",") != 1 or not 0 <= parts[0] <= 20 or parts[1] < 0:
        log.add(f"$P{n}E", text, "read as linear")
        return 0.0, 0.0
    decades, offset = parts
    if decades > 0 and kind != "I":
        log.add(f"$P{n}E", text, f"read as linear, as $DATATYPE {kind} asks")
        return 0.0, 0.0
    if decades > 0 and offset == 0:
        log.add(f"$P{n}E", text, f"read as {decades:g},1, as the standard asks")
        offset = 1.0
    return decades, offset
