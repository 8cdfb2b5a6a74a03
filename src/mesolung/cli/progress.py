"""How far a run is, on standard error: a bar on a terminal, a few plain lines elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

StageProgress = Callable[[str, int, int], None]

# Seconds between plain lines of one stage.
_EVERY = 10.0


@contextmanager
def shown_progress() -> Iterator[StageProgress]:
    """Show how far a run is for as long as the block lasts.

    Yields:
        a function of (stage, done, total): the stage in words, and how many of its pieces are done; total 0
        where the number of pieces is not known.
    """
    if not sys.stderr.isatty():
        yield _plain()
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

    percent = TextColumn("{task.percentage:>3.0f} %")
    columns = (TextColumn("{task.description}"), BarColumn(), percent, TimeElapsedColumn())
    tasks: dict[str, TaskID] = {}
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:

        def show(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage, total=None)
            bars.update(tasks[stage], completed=done, total=total or None)

        yield show


def _plain() -> StageProgress:
    said: dict[str, float] = {}

    def show(stage: str, done: int, total: int) -> None:
        now = monotonic()
        if stage in said and now - said[stage] < _EVERY:
            return
        said[stage] = now
        print(f"{stage} {done}/{total}" if total else stage, file=sys.stderr, flush=True)

    return show
