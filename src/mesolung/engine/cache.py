"""Machine code kept between runs: in a private folder, written whole, checked when read."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

_MAGIC = b"mesolung kernel 1\n"


@dataclass(frozen=True)
class Entry:
    """What is kept of one compiled program: a few words of description, and the object file."""

    about: dict[str, object]
    code: bytes


def from_cache(folder: Path | None, key: str, make: Callable[[], Entry]) -> tuple[Entry, bool]:
    """Take an entry from the cache, or make it and keep it.

    Arguments:
        folder: the cache; None to keep nothing.
        key: names the entry; everything that decides the code is part of it.
        make: compiles.

    Returns:
        The entry, and whether it came from the cache. A file that is damaged, or that another user owns, is
        not used: it is compiled anew, with a warning. A folder that cannot be written is done without, also
        with a warning. Runs at the same time can share a folder: a file appears whole, and the last one
        stays.
    """
    if folder is None:
        return make(), False
    path = folder / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.kernel"
    try:
        found = _read(path)
    except (OSError, ValueError) as error:
        warnings.warn(
            f"{path}: compiled program not used ({error}); compiling anew", RuntimeWarning, stacklevel=3
        )
        found = None
    if found is not None:
        return found, True
    entry = make()
    try:
        _write(path, entry)
    except OSError as error:
        warnings.warn(f"{path}: compiled program not kept ({error})", RuntimeWarning, stacklevel=3)
    return entry, False


def _read(path: Path) -> Entry | None:
    try:
        with path.open("rb") as file:
            if hasattr(os, "getuid") and os.fstat(file.fileno()).st_uid not in (os.getuid(), 0):
                raise ValueError("it belongs to another user")
            content = file.read()
    except FileNotFoundError:
        return None
    head, body = content[: len(_MAGIC) + 65], content[len(_MAGIC) + 65 :]
    if head != _MAGIC + hashlib.sha256(body).hexdigest().encode() + b"\n":
        raise ValueError("it is damaged")
    about, _, code = body.partition(b"\n")
    return Entry(json.loads(about), code)


def _write(path: Path, entry: Entry) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    body = json.dumps(entry.about, sort_keys=True).encode() + b"\n" + entry.code
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(_MAGIC + hashlib.sha256(body).hexdigest().encode() + b"\n" + body)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
