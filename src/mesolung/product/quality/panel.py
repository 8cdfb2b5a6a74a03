"""Which channel of a cytometer's file is what: scatter, viability dye, marker."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mesolung.product.quality.fcs import FlowFile
from mesolung.product.quality.fcs_channels import Channel
from mesolung.reading import Refusal

_SCATTER = {
    "FSC": re.compile(r"^(?:FSC|FS|FWD|forward)(?![a-z0-9])", re.IGNORECASE),
    "SSC": re.compile(r"^(?:SSC|SS|SIDE)(?![a-z0-9])", re.IGNORECASE),
}
_PULSE = re.compile(r"(?:[-_ ]|Lin|Log)([AHW])$", re.IGNORECASE)
_DYE = re.compile(
    r"viab|vivid|7-?aad|(?<![a-z])dapi(?![a-z])|propidium|(?<![a-z])PI(?![a-z])|live[ /_-]*dead"
    r"|(?<![a-z])dead(?![a-z])|zombie|sytox|draq7|fixable|(?<![a-z])e?FVS?\d{3}|ghost *dye"
    r"|aqua *amine|amine *aqua|to-?pro",
    re.IGNORECASE,
)
_MARKER = re.compile(
    r"(?<![a-z0-9])(CD ?\d+[a-z]?(?:R[AO])?\d*|HLA[- ]?DR|HLA[- ]?ABC|STRO-?1|SSEA-?\d|NG2|GD2)(?![a-z0-9])",
    re.IGNORECASE,
)
_FLUOROCHROME = re.compile(
    r"^(?:comp-)?(?:FITC|PE|APC|PER-?CP|A(?:LEXA ?)?F(?:LUOR)?\W*|AX|BV|BB|BUV|R|V|B|G|YG|U|QDOT|PAC\w*"
    r"|PACIFIC \w+|AMCYAN|CY\d?|TEXAS RED|ECD|HOECHST|[BRVYU]L\d|FL\s?\d+)[\w .\-/]*$",
    re.IGNORECASE,
)
_WITHOUT = re.compile(r"\s*(?:[-−–]\s*(?![a-z0-9])|[-_ ]*(?:neg|low|dim)(?:ative)?\b)", re.IGNORECASE)
_NO_STAIN = re.compile(r"^(?:time|width|event|doublet|hdr|index|tlsw|lineage$)", re.IGNORECASE)


@dataclass(frozen=True)
class Panel:
    """What the channels of a file are.

    Attributes:
        forward, forward_height, forward_width, side: columns of the scatter; None where there is none.
        dye: column of the viability dye; None where there is none.
        markers: marker -> column.
        assumed: how that was found, in sentences.
    """

    forward: int | None
    forward_height: int | None
    forward_width: int | None
    side: int | None
    dye: int | None
    markers: Mapping[str, int]
    assumed: tuple[str, ...]


def find_panel(
    flow: FlowFile,
    viability: str | None = None,
    markers: Sequence[str] | Mapping[str, str] | None = None,
) -> Panel:
    """Find scatter, viability dye and markers by the names of the channels.

    Arguments:
        viability: channel of the viability dye; looked for by name where none is given.
        markers: markers or channels to look at, or marker -> channel; all that have a label where none
            is given.

    Raises:
        Refusal: for a channel that is not there, or a marker on two channels.
    """
    assumed: list[str] = []
    forward, height, width = (_pulse(flow, "FSC", letter) for letter in "AHW")
    first = next((j for j, c in enumerate(flow.channels) if _SCATTER["FSC"].match(c.name)), None)
    side = _pulse(flow, "SSC", "A")
    if side is None:
        side = next((j for j, c in enumerate(flow.channels) if _SCATTER["SSC"].match(c.name)), None)
    dye = flow.column(viability) if viability else _dye(flow, assumed)
    if viability is None and dye is None:
        assumed.append("No viability dye was found among the channels: viability is not told by this file.")
    found = _chosen(flow, markers) if markers is not None else _labelled(flow, dye, assumed)
    return Panel(forward if forward is not None else first, height, width, side, dye, found, tuple(assumed))


def marker_of(text: str) -> str:
    """The marker that a text names, in its usual writing; "" where it names none."""
    match = _MARKER.search(text)
    if match is None:
        return ""
    name = match[1].upper().replace(" ", "")
    name = re.sub(r"^HLA-?(\w+)$", r"HLA-\1", name)
    return re.sub(r"^(CD\d+)([A-Z])$", lambda m: m[1] + m[2].lower(), name)


def positive_marker(name: str) -> str:
    """The one marker that a gate's name says its events carry.

    Arguments:
        name: as "CD73", "CD73+" or "CD73-PE"; a path as "Cells/Live/CD73+" counts by its last part.

    Returns:
        the marker; "" for a name of none, of several, or of a gate without it, as "CD45-" or "CD45 neg".
    """
    own = name.rsplit("/", 1)[-1]
    found = list(_MARKER.finditer(own))
    if len(found) != 1:
        return ""
    return "" if _WITHOUT.match(own, found[0].end()) else marker_of(own)


def _pulse(flow: FlowFile, scatter: str, letter: str) -> int | None:
    for j, channel in enumerate(flow.channels):
        if _SCATTER[scatter].match(channel.name) and "log" not in channel.name.casefold():
            end = _PULSE.search(channel.name)
            if end and end[1].upper() == letter:
                return j
    return None


def _is_stain(channel: Channel) -> bool:
    scatter = any(pattern.match(channel.name) for pattern in _SCATTER.values())
    return (
        not scatter and not _NO_STAIN.match(channel.name) and not channel.name.upper().endswith(("-W", "-T"))
    )


def _dye(flow: FlowFile, assumed: list[str]) -> int | None:
    found = [
        j
        for j, c in enumerate(flow.channels)
        if _is_stain(c) and (_DYE.search(c.label) or _DYE.search(c.name))
    ]
    if not found:
        return None
    area = next((j for j in found if flow.channels[j].name.upper().endswith("A")), found[0])
    shown = flow.channels[area].label or flow.channels[area].name
    others = ", ".join(flow.names[j] for j in found if j != area)
    rest = f"; so might be {others}" if others else ""
    assumed.append(f"Channel {flow.names[area]} ({shown}) is taken for the viability dye by its name{rest}.")
    return area


def _labelled(flow: FlowFile, dye: int | None, assumed: list[str]) -> dict[str, int]:
    """Markers by the labels; of area and height of one stain, the area."""
    found: dict[str, list[int]] = {}
    unnamed = []
    for j, channel in enumerate(flow.channels):
        if not _is_stain(channel) or j == dye:
            continue
        label = channel.label.strip()
        own = label if label and label != channel.name and not _FLUOROCHROME.match(label) else ""
        marker = marker_of(label) or marker_of(channel.name) or own
        if marker:
            found.setdefault(marker, []).append(j)
        else:
            unnamed.append(channel.name)
    if unnamed:
        assumed.append(f"No marker is named for {', '.join(unnamed)}: not gated.")
    chosen = {}
    for marker, columns in found.items():
        areas = [j for j in columns if flow.channels[j].name.upper().endswith("A")] or columns
        stems = {re.sub(r"[-_ ]?[AHW]$", "", flow.channels[j].name, flags=re.IGNORECASE) for j in columns}
        if len(columns) > 1 and len(stems) > 1:
            _twice(flow, marker, columns)
        chosen[marker] = areas[0]
    return chosen


def _chosen(flow: FlowFile, markers: Sequence[str] | Mapping[str, str]) -> dict[str, int]:
    if isinstance(markers, Mapping):
        return {marker: flow.column(channel) for marker, channel in markers.items()}
    every = _labelled(flow, None, [])
    if len(set(markers)) != len(markers):
        raise Refusal("a marker twice", file=flow.file, found=", ".join(markers))
    return {
        marker: every[known] if (known := marker_of(marker) or marker) in every else flow.column(marker)
        for marker in markers
    }


def _twice(flow: FlowFile, marker: str, columns: list[int]) -> None:
    raise Refusal(
        "a marker on two channels",
        file=flow.file,
        found=f"{marker} on {', '.join(flow.names[j] for j in columns)}",
        allowed="markers that name the channel of each",
    )
