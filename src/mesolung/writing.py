"""Files and folders that appear whole or not at all."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from mesolung.reading import Refusal

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_TERMINATED = 128 + signal.SIGTERM


class NotWritten(Exception):
    """A result could not be kept, because the disk is full or fails; nothing of it remains."""


@contextmanager
def whole_file(path: str | Path) -> Iterator[Path]:
    """Write a file that appears under its name only when it is complete.

    Arguments:
        path: the file to make; folders above it are made where they are missing.

    Yields:
        the path of a hidden sibling to write to. When the block ends it is flushed to the disk and renamed;
        when the block raises anything (Ctrl-C and SIGTERM too) it is removed, with the folders made for it.

    Raises:
        Refusal: when the target exists already or its folder cannot be written.
        NotWritten: when the disk is full.
    """
    with _unfinished(Path(path)) as place:
        yield place


@contextmanager
def whole_folder(path: str | Path) -> Iterator[Path]:
    """Write a folder that appears under its name only when everything in it is complete.

    Arguments:
        path: the folder to make; folders above it are made where they are missing.

    Yields:
        the path of a hidden sibling folder to write into; see `whole_file` for what becomes of it.

    Raises:
        Refusal: when the target exists already or its folder cannot be written.
        NotWritten: when the disk is full.
    """
    with _unfinished(Path(path), folder=True) as place:
        yield place


def numbered(path: str | Path) -> Path:
    """Find the first free name ``PATH-1``, ``PATH-2``, ... for a folder.

    Arguments:
        path: the name without a number.

    Returns:
        the path with the lowest number that neither a finished folder nor one that is being written holds.

    Raises:
        Refusal: when the folder above it cannot be read.
    """
    base = Path(path)
    try:
        taken = {entry.name for entry in base.parent.iterdir()} if base.parent.is_dir() else set()
    except OSError as error:
        raise Refusal(f"cannot be read: {error.strerror}", file=base.parent) from error
    n = 1
    while any(_holds(name, f"{base.name}-{n}") for name in taken):
        n += 1
    return base.with_name(f"{base.name}-{n}")


def _holds(entry: str, name: str) -> bool:
    return entry == name or (entry.startswith(f".{name}.") and entry.endswith(".unfinished"))


@contextmanager
def _unfinished(target: Path, folder: bool = False) -> Iterator[Path]:
    if not target.name:
        # "." and "/" have no name, and are there.
        raise _existing(target)
    place = target.with_name(f".{target.name}.{secrets.token_hex(4)}.unfinished")
    made: list[Path] = []
    with _terminable():
        try:
            _refuse_existing(target)
            _prepare(target, place, made, folder)
            yield place
            for below, _, names in os.walk(place, topdown=False):
                for name in names:
                    _flush(Path(below, name))
                _flush(Path(below))
            if not folder:
                _flush(place)
            _refuse_existing(target)
            place.rename(target)
        except BaseException as error:
            with _undisturbed():
                _remove(place, made)
            if _disk_is_full(error):
                raise NotWritten(f"{target}: the disk is full; nothing of it was kept") from error
            raise
        _flush(target.parent)


def _refuse_existing(target: Path) -> None:
    if os.path.lexists(target):
        raise _existing(target)


def _existing(target: Path) -> Refusal:
    return Refusal("exists already and is not overwritten", file=target)


def _prepare(target: Path, place: Path, made: list[Path], folder: bool) -> None:
    """Make the hidden sibling and the folders above it, noting in `made` those that were missing."""
    try:
        for above in reversed([p for p in target.parents if not p.exists()]):
            above.mkdir()
            made.append(above)
        if folder:
            place.mkdir()
        else:
            place.touch(exist_ok=False)
    except OSError as error:
        if _disk_is_full(error):
            raise
        raise Refusal(f"cannot be written: {error.strerror}", file=target) from error
    except ValueError as error:
        raise Refusal(f"cannot be written: {error}", file=target) from error


def _remove(place: Path, made: list[Path]) -> None:
    # A name that is too long, or that holds what no name may, is an error here too; nothing has it.
    with suppress(OSError, ValueError):
        if place.is_dir():
            shutil.rmtree(place, ignore_errors=True)
        else:
            place.unlink()
    for above in reversed(made):
        # Another run may have put something there since.
        with suppress(OSError):
            above.rmdir()


def _flush(path: Path) -> None:
    """Have the system put a file on the disk, so that a crash cannot leave a name without its text."""
    if os.name == "nt" and path.is_dir():
        return
    handle = os.open(path, os.O_RDONLY if os.name != "nt" else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _disk_is_full(error: BaseException) -> bool:
    """Tell a full disk from other failures, also when a library hands on only the system's words for it."""
    if isinstance(error, OSError) and error.errno in _FULL:
        return True
    return isinstance(error, Exception) and any(os.strerror(code) in str(error) for code in _FULL)


@contextmanager
def _terminable() -> Iterator[None]:
    """Let SIGTERM unwind the block as an exception, where nobody else has said what it should do."""
    if not _in_main_thread() or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return

    def leave(number: int, frame: object) -> None:
        raise SystemExit(_TERMINATED)

    signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Hold off Ctrl-C and SIGTERM while a half-written result is removed."""
    if not _in_main_thread():
        yield
        return
    before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()
