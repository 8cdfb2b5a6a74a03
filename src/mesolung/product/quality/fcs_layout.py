"""Where the events of an FCS data set lie, and how they are written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from mesolung.product.quality.fcs_bytes import FcsBytes
from mesolung.product.quality.fcs_channels import Channel, read_channels, whole
from mesolung.product.quality.fcs_text import FcsHead
from mesolung.product.quality.repair import RepairLog

LITTLE = ("1,2,3,4", "1,2", "1", "1,2,3,4,5,6,7,8", "1,2,3")
BIG = ("4,3,2,1", "2,1", "8,7,6,5,4,3,2,1", "3,2,1")
DOUBTED = 0.5  # a reading with fewer plausible values is doubted
BELIEVED = 0.99  # another one with more than this replaces it


@dataclass(frozen=True)
class Layout:
    """The events' place and form.

    Attributes:
        first: first byte of the events, from the data set's start.
        events: number of events.
        kind: "I", "F" or "D".
        order: "<" or ">", the order of the bytes of a value.
        channels: the channels.
        sound: whether place and form are as the file says, so that any reader finds them.
    """

    first: int
    events: int
    kind: str
    order: str
    channels: tuple[Channel, ...]
    sound: bool

    @property
    def width(self) -> int:
        """Bytes of one event."""
        return sum(channel.bits for channel in self.channels) // 8


Plausible = Callable[[FcsBytes, Layout], float]


def find_layout(source: FcsBytes, head: FcsHead, log: RepairLog, plausible: Plausible) -> Layout:
    """Find the events.

    Arguments:
        head: HEADER and TEXT.
        plausible: share of plausible values of a layout, 0 to 1.

    Raises:
        Refusal: for a mode or type that is not read, no events, or a segment that cannot hold them.
    """
    keywords = head.keywords
    mode = keywords.get("$MODE", "").strip().upper()
    if mode not in ("", "L"):
        source.refuse("$MODE is not read", found=mode, allowed="L, a list of events")
    if not mode:
        log.add("$MODE", "nothing", "read as a list of events")
    kind = keywords.get("$DATATYPE", "").strip().upper()
    if kind not in ("I", "F", "D"):
        source.refuse("$DATATYPE is not read", found=kind or "nothing", allowed="I, F, D")
    channels = read_channels(source, keywords, kind, log)
    order, certain = _order(source, keywords, channels, log)
    before = len(log.entries)
    layout = _place(source, head, Layout(0, 0, kind, order, channels, True), log, plausible)
    layout = replace(layout, sound=certain and len(log.entries) == before)
    return _believed(source, layout, head.text[1], log, plausible)


def _order(
    source: FcsBytes, keywords: Mapping[str, str], channels: tuple[Channel, ...], log: RepairLog
) -> tuple[str, bool]:
    text = keywords.get("$BYTEORD", "").replace(" ", "")
    if text in LITTLE or text in BIG:
        return ("<" if text in LITTLE else ">"), True
    if max(channel.bits for channel in channels) == 8:
        log.add("$BYTEORD", text or "nothing", "of no account, as every value is one byte")
        return "<", False
    if text:
        source.refuse("$BYTEORD is not read", found=text, allowed="1,2,3,4 or 4,3,2,1")
    log.add("$BYTEORD", "nothing", "read as 1,2,3,4")
    return "<", False


def _place(source: FcsBytes, head: FcsHead, layout: Layout, log: RepairLog, plausible: Plausible) -> Layout:
    """First byte and number of events from the offsets of HEADER and TEXT and from $TOT."""
    width = layout.width
    total = whole(head.keywords.get("$TOT", ""))
    if total is None:
        log.add(
            "$TOT", head.keywords.get("$TOT", "nothing") or "nothing", "events counted from their segment"
        )
    if total == 0:
        source.refuse("no events", found="$TOT 0", allowed="at least one event")
    begin, end = (whole(head.keywords.get(key, "")) for key in ("$BEGINDATA", "$ENDDATA"))
    stated = {"HEADER": head.data, "TEXT": (begin, end) if begin and end and end > begin else None}
    if head.version == "2.0":
        ranked = ["HEADER", "TEXT"]
    else:
        ranked = ["TEXT", "HEADER"]
        if stated["TEXT"] is None and stated["HEADER"] is not None:
            found = ", ".join(head.keywords.get(key, "nothing") for key in ("$BEGINDATA", "$ENDDATA"))
            log.add("$BEGINDATA, $ENDDATA", found, "the offsets of HEADER are used")
    places = [(name, place) for name in ranked if (place := stated[name]) is not None]
    if not places:
        return _placeless(source, head, layout, total, log)
    exact = [p for p in places if total is not None and p[1][1] - p[1][0] + 1 == total * width]
    name, (first, last) = (exact or places)[0]
    if len(places) == 2 and places[0][1] != places[1][1] and head.version != "2.0":
        other = ", ".join(f"{n} {a} to {b}" for n, (a, b) in places)
        log.add("offsets of the events", other, f"those of {name} are used")
    length = last - first + 1
    room = source.size - first
    events, rest = divmod(length, width)
    if total is not None and length == total * width + 1:
        log.add(f"{name}, end of the events", last, f"offset by one; read to byte {last - 1}")
        events = total
    elif total is not None and length == total * width - 1:
        log.add(f"{name}, end of the events", last, f"offset by one; read to byte {last + 1}")
        events = total
    elif total is not None and total * width < length and length - total * width < width:
        log.add(f"{name}, end of the events", f"{rest} bytes after the last event", "left out")
        events = total
    elif total is None or total != events:
        if length > room + 1:
            events = 0 if total is None else total
        elif rest:
            source.refuse(
                "the events do not fill their segment",
                found=f"{length} bytes, $TOT {total}",
                allowed=f"a multiple of {width} bytes",
            )
        elif total is not None:
            log.add("$TOT", total, f"the segment holds {events} events, and these are read")
    if events < 1 and length < width:
        source.refuse("no events", found=f"{length} bytes of events", allowed="at least one event")
    if events < 1 or events * width > room:
        short = first + max(events, 1) * width - source.size
        late = replace(layout, first=first, events=events - 1)
        if short != 1 or not (
            first == head.text[1] + 2  # one byte late, and just after TEXT
            or (events > 1 and _shifts(source, late, replace(late, first=first - 1), plausible))
        ):
            source.refuse(
                "truncated: the events end after the end of the file",
                found=f"{source.size} bytes",
                allowed=f"{first + max(events * width, length)} bytes",
            )
        log.add(f"{name}, start of the events", first, f"offset by one; read from byte {first - 1}")
        first -= 1
    return replace(layout, first=_clear(source, head, first, events * width, log), events=events)


def _shifts(source: FcsBytes, stated: Layout, other: Layout, plausible: Plausible) -> bool:
    """Whether the values make sense in the other place alone."""
    return plausible(source, other) > BELIEVED and plausible(source, stated) < DOUBTED


def _clear(source: FcsBytes, head: FcsHead, first: int, size: int, log: RepairLog) -> int:
    """The first byte of events that do not overlap TEXT; one byte between the two is told."""
    text_first, text_last = head.text
    if head.closed:  # else where TEXT ends is not certain
        if first == text_last and first + 1 + size <= source.size:
            log.add("start of the events", first, f"it is the last byte of TEXT; read from byte {first + 1}")
            return first + 1
        if first <= text_last and first + size > text_first:
            source.refuse(
                "the events overlap TEXT",
                found=f"TEXT at bytes {text_first} to {text_last}, events at {first} to {first + size - 1}",
            )
    if first in (head.stated, head.stated + 2):
        log.add("start of the events", f"{first}, and the end of TEXT at {head.stated}", "read from there")
    return first


def _placeless(source: FcsBytes, head: FcsHead, layout: Layout, total: int | None, log: RepairLog) -> Layout:
    """No offsets at all: the events follow TEXT, if just they do."""
    first = head.text[1] + 1
    room = source.size - first
    if total is None or total * layout.width not in (room, room - 8):  # 8 bytes of checksum may follow
        source.refuse(
            "HEADER and TEXT give no place of the events",
            found=f"{max(room, 0)} bytes after TEXT",
            allowed="offsets, or just the bytes that $TOT asks for",
        )
    log.add("offsets of the events", "none", f"the events are read after TEXT, from byte {first}")
    return replace(layout, first=first, events=total)


def _believed(
    source: FcsBytes, layout: Layout, text_last: int, log: RepairLog, plausible: Plausible
) -> Layout:
    """Replace a reading that makes no sense by one that does: bytes the other way round, or a byte beside."""
    if plausible(source, layout) >= DOUBTED:
        return layout
    swapped = replace(layout, order="<" if layout.order == ">" else ">", sound=False)
    shifted = [
        replace(layout, first=layout.first + shift, sound=False)
        for shift in (-1, 1)
        if layout.first + shift + layout.events * layout.width <= source.size
    ]
    believed = [other for other in (swapped, *shifted) if plausible(source, other) > BELIEVED]
    if len(believed) > 1:
        # Bytes that are both turned and a byte beside look like numbers too; the right ones follow TEXT, or
        # end with the file.
        size = layout.events * layout.width
        fitting = [b for b in believed if b.first == text_last + 1 or b.first + size == source.size]
        if len(fitting) != 1:
            source.refuse(
                "the events can be read in two ways",
                found="most values are no plausible intensities",
                allowed="a right $BYTEORD, and the right first byte",
            )
        believed = fitting
    if believed:
        if believed[0] is swapped:
            said = "1,2,3,4" if layout.order == "<" else "4,3,2,1"
            log.add("$BYTEORD", said, "the bytes stand the other way round, and are read so")
        else:
            log.add("start of the events", layout.first, f"offset by one; read from byte {believed[0].first}")
        return believed[0]
    if layout.kind != "I":  # of integers, the bits above the range are named where they are cleared
        log.add("events", "most values are no plausible intensities", "read as the file says")
    return layout
