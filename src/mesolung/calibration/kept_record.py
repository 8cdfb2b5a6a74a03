"""Records of comparisons: a command that makes, prints and keeps one; its file is whole, or as it was."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from mesolung.calibration.options import at_least_one
from mesolung.execution import worker_count
from mesolung.reading import Refusal


class Maker(Protocol):
    """Makes a record of so many draws and courses."""

    def __call__(self, draws: int, courses: int, /, *, seed: int, workers: int) -> dict[str, Any]: ...


def keep(text: str, to: Path) -> None:
    """Write a record in place of the one that is there.

    Arguments:
        text: the whole record.
        to: its file, which is replaced at once or not at all.

    Raises:
        OSError: where it cannot be written; what was there stays.
    """
    fresh = to.with_suffix(".new")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(to)


def record_command(
    arguments: Sequence[str] | None,
    *,
    name: str,
    about: str | None,
    draws: int,
    courses: int,
    make: Maker,
    lines: Callable[[Mapping[str, Any]], Sequence[str]],
    text: Callable[[Mapping[str, Any]], str],
    to: Path,
) -> int:
    """Run a command that makes a record of draws and their courses.

    Arguments:
        arguments: of the command line; None for the program's own.
        name, about: of the command, and what its help says.
        draws, courses: unless the options say otherwise.
        make: makes the record.
        lines: of the record, for people.
        text: of the record, as it is kept.
        to: where `--write` keeps it.

    Returns:
        0, whatever falls out; 2 for a refusal.

    Raises:
        SystemExit: 2 for an option that cannot be.
    """
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog=f"python -m {name}", description=about, formatter_class=raw)
    parser.add_argument("--draws", type=at_least_one, default=draws)
    parser.add_argument("--courses", type=at_least_one, default=courses, help="courses of each draw")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=at_least_one, default=None)
    parser.add_argument("--json", action="store_true", help="print the record instead of lines")
    parser.add_argument("--write", action="store_true", help="keep the record")
    options = parser.parse_args(arguments)
    started = time.monotonic()
    try:
        workers = worker_count(options.workers)
        record = make(options.draws, options.courses, seed=options.seed, workers=workers)
    except Refusal as refusal:
        print(f"mesolung: {refusal}", file=sys.stderr)
        return 2
    print(text(record).rstrip("\n") if options.json else "\n".join(lines(record)))
    if options.write:
        keep(text(record), to)
    print(f"{time.monotonic() - started:.0f} s", file=sys.stderr)
    return 0
