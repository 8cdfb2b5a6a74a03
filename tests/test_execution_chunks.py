"""Chunks on threads: order kept, errors handed on, Ctrl-C prompt."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time

import pytest

from mesolung.execution import map_chunks, worker_count


@pytest.mark.parametrize("workers", [1, 2, 7])
def test_results_keep_the_order_of_the_chunks(workers: int) -> None:
    def slow_at_first(n: int) -> int:
        time.sleep(0.01 if n < 3 else 0)
        return n * n

    assert map_chunks(slow_at_first, range(20), workers) == [n * n for n in range(20)]


@pytest.mark.parametrize("workers", [1, 2])
def test_no_chunks_give_no_results(workers: int) -> None:
    assert map_chunks(lambda n: n, [], workers) == []
    assert map_chunks(lambda n: n, iter(()), workers) == []


def test_as_many_threads_work_as_asked_for() -> None:
    meeting = threading.Barrier(3, timeout=30)
    assert map_chunks(lambda n: meeting.wait() >= 0, range(6), 3) == [True] * 6


@pytest.mark.parametrize("workers", [1, 3])
def test_progress_counts_up_to_the_end(workers: int) -> None:
    seen: list[tuple[int, int]] = []
    here = threading.current_thread()

    def note(done: int, total: int) -> None:
        assert threading.current_thread() is here
        seen.append((done, total))

    map_chunks(lambda n: n, range(10), workers, note)
    assert seen == sorted(seen) and seen[-1] == (10, 10)
    seen.clear()
    map_chunks(lambda n: n, iter(range(10)), workers, note)
    assert seen[-1] == (10, 0)


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_is_handed_on_and_the_rest_dropped(workers: int) -> None:
    started: list[int] = []

    def fails(n: int) -> int:
        started.append(n)
        if n == 3:
            raise LookupError("chunk 3")
        return n

    with pytest.raises(LookupError, match="chunk 3"):
        map_chunks(fails, range(1000), workers)
    assert len(started) < 20


def test_an_iterable_is_read_ahead_by_a_few_chunks_only() -> None:
    """What is read and not done yet is counted, so that a thread that has to wait counts once."""
    done: list[int] = []
    waiting: list[int] = []

    def chunks():
        for n in range(100):
            waiting.append(n + 1 - len(done))
            yield n

    def work(n: int) -> int:
        time.sleep(0.001)
        done.append(n)
        return n

    assert len(list(map_chunks(work, chunks(), 2))) == 100
    assert max(waiting) <= 8


@pytest.mark.parametrize("asked", [0, -1])
def test_fewer_than_one_worker_is_an_error(asked: int) -> None:
    with pytest.raises(ValueError, match="at least one worker"):
        map_chunks(lambda n: n, [1], asked)
    with pytest.raises(ValueError, match="at least one worker"):
        worker_count(asked)


def test_workers_default_to_the_processors_of_this_process() -> None:
    assert worker_count(5) == 5
    assert 1 <= worker_count() <= (os.cpu_count() or 1)


@pytest.mark.skipif(os.name == "nt", reason="signals are not sent between processes")
@pytest.mark.parametrize("workers", [1, 2])
def test_ctrl_c_takes_no_longer_than_a_chunk(workers: int) -> None:
    program = f"""
        import signal, time
        from mesolung.execution import map_chunks
        # A parent that runs in the background may have left Ctrl-C switched off.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        def work(n):
            if n == 0:
                print("ready", flush=True)
            time.sleep(0.5)
        try:
            map_chunks(work, range(1000), {workers})
        except KeyboardInterrupt:
            print("cancelled")
    """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None and process.stdout.readline() == "ready\n"
    started = time.monotonic()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (out, err, process.returncode) == ("cancelled\n", "", 0)
    assert time.monotonic() - started < 5
