"""The bytes of one data set of an FCS file, never more of them than are there."""

from __future__ import annotations

import mmap
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import NoReturn

from mesolung.reading import Refusal

SHORTEST = 58  # bytes of a HEADER
LARGEST = 8 << 30  # bytes of a file; one run of a fast sorter has a tenth of it


@dataclass(frozen=True)
class FcsBytes:
    """A file, mapped and not read, with the place of one data set in it.

    Attributes:
        file: its path.
        view: the whole file.
        start: first byte of the data set; the offsets in its HEADER and TEXT count from there.
    """

    file: Path
    view: mmap.mmap
    start: int = 0

    @property
    def size(self) -> int:
        """Bytes from the data set's first to the end of the file."""
        return len(self.view) - self.start

    def part(self, first: int, last: int) -> bytes:
        """Copy the bytes from first to last, both included; fewer where the file ends earlier."""
        return self.view[self.start + max(first, 0) : self.start + max(last + 1, 0)]

    def refuse(self, problem: str, found: object = None, allowed: object = None) -> NoReturn:
        """Refuse the file."""
        raise Refusal(problem, file=self.file, found=found, allowed=allowed)


@contextmanager
def opened(path: str | PathLike[str]) -> Iterator[FcsBytes]:
    """Map a file for reading.

    Arguments:
        path: the file.

    Raises:
        Refusal: for a file that is missing, not a regular file, shorter than an FCS HEADER or too large.
    """
    file = Path(path)
    try:
        about = file.stat()
        if not stat.S_ISREG(about.st_mode):
            what = "a directory" if stat.S_ISDIR(about.st_mode) else "not a regular file"
            raise Refusal("cannot be read", file=file, found=what, allowed="an FCS file")
        if about.st_size < SHORTEST:
            raise Refusal(
                "truncated: shorter than an FCS HEADER",
                file=file,
                found=f"{about.st_size} bytes",
                allowed=f"at least {SHORTEST} bytes",
            )
        if about.st_size > LARGEST:
            raise Refusal(
                "too large", file=file, found=f"{about.st_size} bytes", allowed=f"up to {LARGEST} bytes"
            )
        with file.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as view:
            yield FcsBytes(file, view)
    except FileNotFoundError:
        raise Refusal("no such file", file=file) from None
    except OSError as error:
        raise Refusal(f"cannot be read: {error.strerror or error}", file=file) from None
    except ValueError as error:
        raise Refusal(f"cannot be read: {error}", file=file) from None
