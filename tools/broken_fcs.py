"""Flow cytometry files with one fault each, made from a sound one."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import numpy as np

HEADER = 58


def parts(content: bytes) -> tuple[list[int], dict[str, str], bytes]:
    """Offsets of TEXT and of the events, the keywords, and the events of a sound file."""
    offsets = [int(content[i : i + 8]) for i in range(10, 42, 8)]
    text = content[offsets[0] : offsets[1] + 1].decode()
    cells = text[1:-1].replace(text[0] * 2, "\0").split(text[0])
    keywords = {k: v.replace("\0", text[0]) for k, v in zip(cells[::2], cells[1::2], strict=True)}
    return offsets, keywords, content[offsets[2] : offsets[3] + 1]


def composed(
    keywords: Mapping[str, str],
    events: bytes,
    version: str = "FCS3.1",
    shift: tuple[int, int] = (0, 0),
    encoding: str = "utf-8",
) -> bytes:
    """A file of keywords and events; `shift` is added to the stated first and last byte of the events."""
    text_first = 256
    size = 0
    for _ in range(4):  # the offsets' own digits lengthen TEXT
        first = text_first + size
        told = {**keywords}
        if version != "FCS2.0":
            told["$BEGINDATA"], told["$ENDDATA"] = (
                str(first + shift[0]),
                str(first + len(events) - 1 + shift[1]),
            )
        text = "|" + "".join(f"{k}|{v.replace('|', '||') or ' '}|" for k, v in told.items())
        size = len(text.encode(encoding))
    text = text.encode(encoding)
    places = (text_first, text_first + size - 1, first + shift[0], first + len(events) - 1 + shift[1], 0, 0)
    header = f"{version}    " + "".join(f"{place:>8}" for place in places)
    return header.encode().ljust(text_first) + text + events


def without(keywords: Mapping[str, str], *names: str) -> dict[str, str]:
    """The keywords but for some."""
    return {key: value for key, value in keywords.items() if key not in names}


def narrow(events: bytes, channels: int) -> bytes:
    """Floats as integers of 24 bits, the lowest byte first; negative ones as 0."""
    values = np.frombuffer(events, "<f4").clip(0, 2**24 - 1).astype("<u4")
    return np.ascontiguousarray(values.view(np.uint8).reshape(-1, 4)[:, :3]).tobytes()


def broken(content: bytes) -> dict[str, bytes]:
    """Every fault by its name."""
    offsets, keywords, events = parts(content)
    n = int(keywords["$PAR"])
    blank = b" " * 7 + b"0"
    total = int(keywords["$TOT"])
    integers = {f"$P{i}B": "24" for i in range(1, n + 1)}
    ranged = {f"$P{i}R": str(2**24) for i in range(1, n + 1)}
    second = composed(keywords, events)

    def header(at: int, field: bytes) -> bytes:
        return content[:at] + field + content[at + 8 :]

    faults: dict[str, Callable[[], bytes]] = {
        "sound": lambda: second,
        "end-one-late": lambda: composed(keywords, events, shift=(0, 1)),
        "start-one-late": lambda: composed(keywords, events, shift=(1, 1)),
        "start-one-early": lambda: composed(keywords, events, shift=(-1, -1)),
        "zero-text-offsets": lambda: content[:10] + blank * 2 + content[26:],
        "text-start-one-late": lambda: header(10, f"{offsets[0] + 1:>8}".encode()),
        "text-end-one-late": lambda: header(18, f"{offsets[1] + 1:>8}".encode()),
        "no-data-offsets": lambda: re.sub(
            rb"(\$(?:BEGIN|END)DATA\|)(\d+)",
            lambda m: m[1] + b"0" * len(m[2]),
            second[:26] + blank * 2 + second[42:],
        ),
        "integers-of-24-bits": lambda: composed(
            {**keywords, **integers, **ranged, "$DATATYPE": "I"}, narrow(events, n)
        ),
        "two-data-sets": lambda: _two(keywords, events),
        "name-twice": lambda: composed({**keywords, "$P5N": keywords["$P4N"]}, events),
        "name-missing": lambda: composed(without(keywords, "$P4N"), events),
        "total-too-low": lambda: composed({**keywords, "$TOT": str(total - 7)}, events),
        "total-missing": lambda: composed(without(keywords, "$TOT"), events),
        "bytes-swapped": lambda: composed({**keywords, "$BYTEORD": "4,3,2,1"}, events),
        "latin-1": lambda: composed({**keywords, "$CYT": "Zähler µ"}, events, encoding="latin-1"),
        "truncated": lambda: second[: len(second) - len(events) // 2],
        "no-header": lambda: content[:40],
        "wrong-magic": lambda: b"FSC3.1" + content[6:],
        "newer-version": lambda: b"FCS3.2" + content[6:],
        "no-events": lambda: composed({**keywords, "$TOT": "0"}, b""),
        "header-of-2-GB": lambda: header(18, b"99999999"),
        "total-of-2e9": lambda: composed({**keywords, "$TOT": "2000000000"}, events, shift=(0, 90_000_000)),
        "histogram": lambda: composed({**keywords, "$MODE": "C"}, events),
        "text-data": lambda: composed({**keywords, "$DATATYPE": "A"}, events),
        "channels-of-1e9": lambda: composed({**keywords, "$PAR": "1000000000"}, events),
    }
    return {name: make() for name, make in faults.items()}


def _two(keywords: Mapping[str, str], events: bytes) -> bytes:
    """Two data sets, the second with half of the events."""
    step = len(composed({**keywords, "$NEXTDATA": "00000000"}, events))
    first = composed({**keywords, "$NEXTDATA": f"{step:08d}"}, events)
    width = int(keywords["$PAR"]) * 4
    half = events[: len(events) // 2 // width * width]
    return first + composed({**keywords, "$TOT": str(len(half) // width)}, half)
