"""A function over an endless line of chunks, results in order, with only a few of them in memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from itertools import islice
from typing import TypeVar

Chunk = TypeVar("Chunk")
Result = TypeVar("Result")

# Seconds between looks at the signals while waiting: not every system lets a signal end a wait for a thread.
_LOOK = 0.2


def stream_chunks(
    function: Callable[[Chunk], Result], chunks: Iterable[Chunk], workers: int = 1
) -> Generator[Result, None, None]:
    """Apply a function to every chunk on threads, and hand on each result as soon as its turn has come.

    Unlike `map_chunks`, which returns all results, this never holds more than two chunks a worker, so that
    memory does not grow with their number.

    Arguments:
        function: called with one chunk; must not change anything that another chunk reads.
        chunks: the pieces of work; the iterable is read in the calling thread.
        workers: number of threads, at least 1; with 1 everything happens in the calling thread.

    Yields:
        The function's results in the order of the chunks, whatever ``workers`` is.

    Raises:
        ValueError: for fewer than one worker.
        Exception: what the function raised, when its chunk's turn has come; chunks that wait are dropped and
            running ones are waited for. Ctrl-C and leaving the loop early do the same.
    """
    if workers < 1:
        raise ValueError(f"at least one worker is needed, not {workers}")
    if workers == 1:
        yield from map(function, chunks)
        return
    source = iter(chunks)
    flying: deque[Future[Result]] = deque()
    pool = ThreadPoolExecutor(workers, thread_name_prefix="mesolung")
    try:
        while True:
            for chunk in islice(source, 2 * workers - len(flying)):
                flying.append(pool.submit(function, chunk))
            if not flying:
                return
            while not flying[0].done():
                wait([flying[0]], timeout=_LOOK)
            yield flying.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
