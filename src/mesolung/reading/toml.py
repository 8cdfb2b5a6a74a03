"""TOML files whose every key knows its line."""

from __future__ import annotations

import re
import stat
import tomllib
from dataclasses import dataclass
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import Any, NoReturn

from mesolung.reading.positions import Positions, find_positions
from mesolung.reading.refusal import Refusal

LARGEST = 1_000_000  # bytes; a study of hundreds of arms has a tenth of it
DEEPEST_KEY = 32  # parts of one key
SHOWN = 60  # characters of a line that a refusal repeats


@dataclass(frozen=True)
class Document:
    """A TOML file as read.

    Attributes:
        file: its path, as given.
        text: its text, without a byte order mark.
        values: its content; tables are dicts, arrays lists.
    """

    file: Path
    text: str
    values: dict[str, Any]

    @cached_property
    def _positions(self) -> Positions:
        return find_positions(self.text)

    def line(self, *path: str | int) -> int:
        """Find where a value stands.

        Arguments:
            path: keys and indices, as ("arm", 0, "treatment", 0, "dose").

        Returns:
            the line of its key, of its table's header, or of the array's element, from 1; for a path that
            is not there, that of the nearest one above it.
        """
        return self._positions.line(*path)


def read_toml(path: str | PathLike[str]) -> Document:
    """Read a TOML file.

    Arguments:
        path: the file.

    Returns:
        its content, with the line of every key.

    Raises:
        Refusal: for a file that is missing, not a regular file, empty, larger than 1 MB, not UTF-8 text, or
            not TOML (a key that stands twice included).
    """
    file = Path(path)
    text = _text(file)
    if deep := _TOO_DEEP.search(text):
        raise Refusal(
            "key with too many parts",
            file=file,
            line=_line_of(text, deep.start()),
            found=_shown(deep.group()),
            allowed=f"up to {DEEPEST_KEY} parts",
        )
    try:
        values = tomllib.loads(text)
    except RecursionError:
        raise Refusal("not valid TOML: nested too deeply", file=file) from None
    except ValueError as error:  # a TOMLDecodeError, or a number that Python will not read
        _refuse(file, text, str(error))
    return Document(file, text, values)


_PART = r"""(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')"""
_TOO_DEEP = re.compile(rf"""(?<![\w"'-]){_PART}(?:[ \t]*+\.[ \t]*+{_PART}){{{DEEPEST_KEY},}}+""")
_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
_TWICE = re.compile(r"overwrite|twice|immutable|duplicate", re.IGNORECASE)


def _text(file: Path) -> str:
    """The text of a file, of which no more is read than may be."""
    try:
        about = file.stat()
        # Looked at before it is opened: opening a pipe that nobody writes to would wait for ever.
        if not stat.S_ISREG(about.st_mode):
            what = "a directory" if stat.S_ISDIR(about.st_mode) else "not a regular file"
            raise Refusal("cannot be read", file=file, found=what, allowed="a TOML file")
        content = b""
        if about.st_size <= LARGEST:
            with file.open("rb") as stream:
                content = stream.read(LARGEST + 1)
    except FileNotFoundError:
        raise Refusal("no such file", file=file) from None
    except OSError as error:
        raise Refusal(f"cannot be read: {error.strerror or error}", file=file) from None
    except ValueError:
        raise Refusal("not a file name", file=_shown(str(file))) from None
    size = max(about.st_size, len(content))
    if size > LARGEST:
        raise Refusal("too large", file=file, found=f"{size} bytes", allowed=f"up to {LARGEST} bytes")
    nul = content.find(b"\0")
    if nul >= 0:
        raise Refusal("not a text file", file=file, line=content.count(b"\n", 0, nul) + 1, found="a NUL byte")
    try:
        text = content.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise Refusal(
            "not UTF-8 text",
            file=file,
            line=content.count(b"\n", 0, error.start) + 1,
            found=f"byte 0x{content[error.start]:02x}",
        ) from None
    if not text.strip():
        raise Refusal("empty file", file=file)
    return text


def _refuse(file: Path, text: str, message: str) -> NoReturn:
    """Say where a text is not TOML, and show the place."""
    place = _PLACE.search(message)
    reason = _PLACE.sub("", message)
    if place and _TWICE.search(reason):
        repeated = find_positions(text).repeated
        if repeated:
            name, line, first = repeated
            once = f"once; it is on line {first}"
            raise Refusal(
                "key stands twice", file=file, line=line, found=_shown(name), allowed=once
            ) from None
    line = int(place[1]) if place and place[1] else None
    column = f" at column {place[2]}" if place and place[2] else ""
    if line is None:
        # Something was opened and never closed: where that begins says more than the end of the file.
        line = find_positions(text).broken or text.rstrip().count("\n") + 1
    lines = text.split("\n")
    raise Refusal(
        f"not valid TOML: {_shown(reason[:1].lower() + reason[1:])}{column}",
        file=file,
        line=line,
        found=_shown(lines[min(line, len(lines)) - 1].strip()) or "nothing",
    ) from None


def _line_of(text: str, offset: int) -> int:
    return text.count("\n", 0, offset) + 1


def _shown(text: str) -> str:
    """Part of a file as a message may hold it: short, and without control characters."""
    short = text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"
    return "".join(c if c.isprintable() else "?" for c in short)
