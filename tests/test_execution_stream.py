"""Chunks in a stream: results in order, few in memory, errors and early ends leave no thread behind."""

from __future__ import annotations

import threading
import time
from contextlib import closing

import pytest

from mesolung.execution import stream_chunks


@pytest.mark.parametrize("workers", [1, 2, 7])
def test_results_come_in_the_order_of_the_chunks(workers: int) -> None:
    def slow_at_first(n: int) -> int:
        time.sleep(0.01 if n < 3 else 0)
        return n * n

    assert list(stream_chunks(slow_at_first, iter(range(30)), workers)) == [n * n for n in range(30)]


@pytest.mark.parametrize("workers", [1, 3])
def test_no_more_than_two_chunks_a_worker_are_read_ahead(workers: int) -> None:
    taken: list[int] = []

    def source():
        for n in range(100):
            taken.append(n)
            yield n

    for done, _ in enumerate(stream_chunks(lambda n: n, source(), workers), start=1):
        assert len(taken) <= done + 2 * workers


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_is_handed_on_in_its_turn(workers: int) -> None:
    def fails(n: int) -> int:
        if n == 3:
            raise LookupError("chunk 3")
        return n

    found = []
    with pytest.raises(LookupError, match="chunk 3"):
        for n in stream_chunks(fails, range(1000), workers):
            found.append(n)
    assert found == [0, 1, 2]


def test_an_early_end_leaves_no_thread() -> None:
    before = threading.active_count()
    with closing(stream_chunks(lambda n: n, range(1000), 4)) as results:
        assert next(results) == 0
    assert threading.active_count() == before


def test_fewer_than_one_worker_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        list(stream_chunks(lambda n: n, [1], 0))
