"""A function mapped over chunks of work by threads."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice
from typing import TypeVar

Chunk = TypeVar("Chunk")
Result = TypeVar("Result")
Progress = Callable[[int, int], None]

# Seconds between looks at the signals while waiting: not every system lets a signal end a wait for a thread.
_LOOK = 0.2


def map_chunks(
    function: Callable[[Chunk], Result],
    chunks: Iterable[Chunk],
    workers: int = 1,
    progress: Progress | None = None,
) -> list[Result]:
    """Apply a function to every chunk, on as many threads as asked for, and keep the order.

    The threads run side by side only while the function is outside Python (compiled kernels release the
    lock), so a chunk should hold enough work for its Python part not to matter. The answer does not depend on
    ``workers``.

    Arguments:
        function: called with one chunk; must not change anything that another chunk reads.
        chunks: the pieces of work, a list or any iterable; it is read ahead by two chunks a worker only, so
            that the pieces need not all be in memory at once.
        workers: number of threads, at least 1; with 1 everything happens in the calling thread.
        progress: called in the calling thread with (chunks done, chunks in all; 0 where that is not known).

    Returns:
        The function's results in the order of the chunks.

    Raises:
        ValueError: for fewer than one worker.
        Exception: the first exception of the function, in the order in which chunks end; chunks that wait are
            dropped and running ones are waited for, as no thread may outlive the kernels it runs in. Ctrl-C
            does the same, so that it takes no longer than one chunk.
    """
    if workers < 1:
        raise ValueError(f"at least one worker is needed, not {workers}")
    total = len(chunks) if hasattr(chunks, "__len__") else 0  # pyright: ignore[reportArgumentType]
    report = progress or _silent
    if workers == 1 or total == 1:
        results = []
        for chunk in chunks:
            results.append(function(chunk))
            report(len(results), total)
        return results
    return _threaded(function, chunks, workers, report, total)


def _threaded(
    function: Callable[[Chunk], Result], chunks: Iterable[Chunk], workers: int, report: Progress, total: int
) -> list[Result]:
    source = iter(chunks)
    order: list[Future[Result]] = []
    running: set[Future[Result]] = set()
    done = 0
    pool = ThreadPoolExecutor(workers, thread_name_prefix="mesolung")
    try:
        while True:
            for chunk in islice(source, 2 * workers - len(running)):
                order.append(pool.submit(function, chunk))
                running.add(order[-1])
            if not running:
                break
            ended, running = wait(running, timeout=_LOOK, return_when=FIRST_COMPLETED)
            for future in ended:
                future.result()
            if ended:
                done += len(ended)
                report(done, total)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
    return [future.result() for future in order]


def _silent(done: int, total: int) -> None:
    """Take no notice of progress."""
