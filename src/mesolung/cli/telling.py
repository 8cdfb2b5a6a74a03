"""How a command tells what it found: a table on the terminal or JSON, and where the page lies."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import RenderableType


def tell(
    found: Any,
    table: Callable[[], RenderableType],
    kept: Path,
    *,
    as_json: bool,
    width: int,
    what: str = "report",
) -> None:
    """Print an outcome, and the file that shows it whole.

    Arguments:
        found: the object that the JSON says.
        table: makes the table of it, called where one is printed.
        kept: the file, named on the last line: of standard error beside the JSON, else of standard output.
        as_json: print the JSON and nothing else on standard output.
        width: of the table in characters where standard output is no terminal.
        what: the word before the file.
    """
    if as_json:
        from mesolung.study.result import json_text

        sys.stdout.write(json_text(found))
        print(f"{what}: {kept}", file=sys.stderr)
        return
    from rich.console import Console

    # Into a file or a pipe: as wide as the table wants, whatever window it came from.
    Console(width=None if sys.stdout.isatty() else width).print(table())
    # Plain print: a path must never be wrapped or coloured, so that it can be copied.
    print(f"{what}: {kept}")


def status_of(failed: int, solved: int) -> int:
    """The exit status of a command that solved subjects.

    Arguments:
        failed: subjects that could not be solved.
        solved: how many were tried.

    Returns:
        0, or 1 when at least 0.1 % of them failed.
    """
    from mesolung.study.manifest import FAILED_SHARE

    return int(failed > 0 and failed >= FAILED_SHARE * solved)
