"""HEADER and TEXT of an FCS data set: version, offsets, keywords."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from mesolung.product.quality.fcs_bytes import SHORTEST, FcsBytes
from mesolung.product.quality.repair import RepairLog

VERSIONS = ("FCS2.0", "FCS3.0", "FCS3.1")
LONGEST_TEXT = 8 << 20  # bytes; the longest TEXT of the samples has 8 kB
SEARCHED = 8192  # bytes in which a lost TEXT is looked for
NEEDED = ("$PAR", "$DATATYPE", "$BYTEORD")
_HELD = "\ue000"  # stands for a doubled delimiter while a text is split


@dataclass(frozen=True)
class FcsHead:
    """What stands before the events.

    Attributes:
        version: "2.0", "3.0" or "3.1".
        data: first and last byte of the events as HEADER gives them; None where it gives none.
        text: first and last byte of TEXT, blanks after its last delimiter left out.
        stated: last byte of TEXT with those blanks.
        closed: whether TEXT ends with its delimiter.
        keywords: keyword in capitals -> value.
    """

    version: str
    data: tuple[int, int] | None
    text: tuple[int, int]
    stated: int
    closed: bool
    keywords: Mapping[str, str]


def read_head(source: FcsBytes, log: RepairLog) -> FcsHead:
    """Read HEADER and TEXT.

    Raises:
        Refusal: for a wrong magic, a version that is not read, or a TEXT that cannot be found or parsed.
    """
    header = source.part(0, SHORTEST - 1)
    magic = header[:6].decode("latin-1")
    if not magic.startswith("FCS"):
        source.refuse("not an FCS file", found=repr(magic), allowed=", ".join(VERSIONS))
    if magic not in VERSIONS:
        source.refuse("version of FCS that is not read", found=magic, allowed=", ".join(VERSIONS))
    fields = [header[i : i + 8] for i in range(10, 42, 8)]
    text_first, text_last, data_first, data_last = (_offset(field) for field in fields)
    if text_first is None or text_last is None or not 0 < text_first < text_last:
        found = f"{fields[0].decode('latin-1')!r}, {fields[1].decode('latin-1')!r}"
        text_first, text_last = _lost_text(source, data_first, found)
        log.add("HEADER, offsets of TEXT", found, f"TEXT found at bytes {text_first} to {text_last}")
    if text_last - text_first >= LONGEST_TEXT:
        source.refuse(
            "TEXT segment is too long",
            found=f"{text_last - text_first + 1} bytes",
            allowed=f"{LONGEST_TEXT} bytes",
        )
    if text_first >= source.size or text_last > source.size:
        source.refuse(
            "truncated: TEXT ends after the end of the file",
            found=f"TEXT at bytes {text_first} to {text_last}, {source.size} bytes in all",
        )
    first, last = _adjusted(source, text_first, text_last, log)
    keywords = _keywords(source, source.part(first, last), "TEXT", log)
    extra = _supplement(source, keywords, (first, last), log)
    for key, value in extra.items():
        keywords.setdefault(key, value)
    data = (data_first, data_last) if data_first and data_last else None
    # Blanks may fill TEXT up to the events: it ends with its last delimiter.
    content = source.part(first, last).rstrip(b" \0\r\n\t")
    closed = content.endswith(content[:1])
    end = first + len(content) - 1 if closed else last
    return FcsHead(magic[3:], data, (first, end), last, closed, keywords)


def _offset(field: bytes) -> int | None:
    text = field.decode("latin-1").strip(" \0\t")
    return int(text) if text.isascii() and text.isdigit() else None


def _lost_text(source: FcsBytes, data_first: int | None, found: str) -> tuple[int, int]:
    """Find a TEXT whose offsets are zero or no numbers: it opens with a delimiter and a $ keyword."""
    head = source.part(0, SEARCHED - 1)
    opening = re.search(rb"([^\w$\s])\$[A-Za-z][A-Za-z0-9]{1,20}\1", head[SHORTEST:])
    if opening is None:
        source.refuse("HEADER gives no TEXT segment, and none was found", found=found)
    first, mark = SHORTEST + opening.start(), opening.group(1)
    limit = data_first if data_first and data_first > first else min(source.size, first + LONGEST_TEXT)
    content = source.part(first, limit - 1)
    if not (data_first and data_first > first):
        # Without any offset the keywords themselves say where they end: the events begin after it.
        given = re.search(re.escape(mark) + rb"\$BEGINDATA" + re.escape(mark) + rb" *(\d{1,12})", content)
        if given is None or not first < int(given[1]) <= source.size:
            source.refuse("HEADER gives no TEXT segment, and its end was not found", found=found)
        content = content[: int(given[1]) - first]
    return first, first + content.rfind(mark)


def _adjusted(source: FcsBytes, first: int, last: int, log: RepairLog) -> tuple[int, int]:
    """Move the ends of TEXT by a byte where the delimiter stands there."""
    for shift in (0, 1, -1):
        mark = source.part(first + shift, first + shift)
        if (
            mark
            and mark not in b"$ \0"
            and not mark.isalnum()
            and source.part(first + shift + 1, first + shift + 1)
        ):
            follows = source.part(first + shift + 1, first + shift + 1)
            if shift == 0 and (follows.isalnum() or follows in b"$@#!_ " or follows == mark):
                break
            if shift and follows == b"$":
                log.add("HEADER, start of TEXT", first, f"offset by one; read from byte {first + shift}")
                first += shift
                break
    mark = source.part(first, first)
    tail = source.part(last - 1, last + 1)
    if tail[1:2] != mark:
        if tail[2:3] == mark:
            log.add("HEADER, end of TEXT", last, f"offset by one; read to byte {last + 1}")
            last += 1
        elif tail[:1] == mark:
            log.add("HEADER, end of TEXT", last, f"offset by one; read to byte {last - 1}")
            last -= 1
    return first, min(last, source.size - 1)


def _keywords(source: FcsBytes, content: bytes, segment: str, log: RepairLog) -> dict[str, str]:
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        text = content.decode("latin-1")
        log.add(segment, f"byte 0x{error.object[error.start]:02x}, not UTF-8", "keywords read as Latin-1")
    mark = text[:1]
    body = text[1:]
    kept = body.rstrip(" \0\r\n\t")
    if not kept.endswith(mark):
        log.add(segment, "no delimiter at its end", "the last value is read to the end of the segment")
    else:
        body = kept
    doubled = _pairs(body, mark, doubled=True)
    if segment == "TEXT" and any(key not in doubled[0] for key in NEEDED):
        plain = _pairs(body, mark, doubled=False)
        if sum(key in plain[0] for key in NEEDED) > sum(key in doubled[0] for key in NEEDED):
            log.add(segment, "empty values between two delimiters", "a doubled delimiter is read as no value")
            doubled = plain
    keywords, twice, blanks, left = doubled
    if twice:
        log.add(
            segment, f"keywords twice with other values: {', '.join(twice[:8])}", "the first value counts"
        )
    if blanks:
        log.add(segment, f"blanks around {blanks} keywords", "blanks removed")
    if left:
        log.add(segment, f"a keyword without a value: {left!r}", "left out")
    if segment == "TEXT" and not keywords:
        source.refuse("TEXT holds no keywords", found=repr(text[:40]))
    return keywords


def _pairs(body: str, mark: str, doubled: bool) -> tuple[dict[str, str], list[str], int, str]:
    """Split keywords and values; a delimiter within a value is doubled."""
    if doubled:
        tokens = [t.replace(_HELD, mark) for t in body.replace(mark + mark, _HELD).split(mark)]
    else:
        tokens = body.split(mark)
    if tokens and not tokens[-1].strip():
        tokens.pop()
    found: dict[str, str] = {}
    twice: list[str] = []
    blanks = 0
    for raw, value in zip(tokens[::2], tokens[1::2], strict=False):
        key = raw.strip().upper()
        blanks += raw.strip() != raw
        if key in found:
            if found[key] != value.strip():
                twice.append(key)
        else:
            found[key] = value.strip(" \0")
    return found, twice, blanks, tokens[-1].strip() if len(tokens) % 2 else ""


def _supplement(
    source: FcsBytes, keywords: Mapping[str, str], text: tuple[int, int], log: RepairLog
) -> dict[str, str]:
    """Keywords of a supplemental TEXT segment."""
    first, last = (keywords.get(key, "0").strip() for key in ("$BEGINSTEXT", "$ENDSTEXT"))
    if not (first.isascii() and first.isdigit() and last.isascii() and last.isdigit()):
        log.add("$BEGINSTEXT, $ENDSTEXT", f"{first!r}, {last!r}", "no supplemental TEXT read")
        return {}
    if len(first) > 15 or len(last) > 15:
        source.refuse("supplemental TEXT lies outside the file", found=f"{first[:20]}, {last[:20]}")
    begin, end = int(first), int(last)
    if begin == 0 or end <= begin or (begin, end) == text:
        return {}
    if end >= source.size or end - begin >= LONGEST_TEXT:
        log.add("$BEGINSTEXT, $ENDSTEXT", f"{begin}, {end}, outside the file", "no supplemental TEXT read")
        return {}
    content = source.part(begin, end)
    if content[:1] != source.part(text[0], text[0]):
        log.add("$BEGINSTEXT", f"{begin}, where no delimiter stands", "no supplemental TEXT read")
        return {}
    return _keywords(source, content, "supplemental TEXT", log)
