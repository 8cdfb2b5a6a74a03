"""What a call of native code is told the address of lives until the call is over."""

import ctypes
from types import SimpleNamespace
from typing import Any

import numpy as np

from mesolung.engine.cohort import REQUEST, WORD, Chunk

SUBJECTS, STATES = 5, 3


class Kernel:
    """Stands in for native code: writes garbage wherever memory was given back, then reads the request."""

    def __init__(self) -> None:
        self.started: list[list[float]] = []

    def solve(self, address: int) -> None:
        garbage = [np.full(SUBJECTS, 7.0) for _ in range(256)]
        request = (ctypes.c_int64 * len(REQUEST)).from_address(address)
        start = (ctypes.c_double * SUBJECTS).from_address(request[WORD["start_time"]])
        self.started.append(list(start))
        del garbage

    initialise = solve


class NoEvents(SimpleNamespace):
    def __len__(self) -> int:
        return 0


def chunk_of(kernel: Any) -> Chunk:
    layout: Any = SimpleNamespace(vectors=4, states=STATES, thresholds=0)
    return Chunk(kernel, layout, 8, np.zeros((SUBJECTS, 2)))


def test_a_solve_starts_at_0_whatever_memory_was_given_back() -> None:
    kernel, nothing = Kernel(), np.zeros(0)
    whole = np.zeros(0, dtype=np.int64)
    problem: Any = SimpleNamespace(
        events=NoEvents(time=nothing, kind=whole, target=whole, value=nothing),
        floor=np.zeros(STATES),
        relative=1e-4,
        of_largest=0.0,
        max_steps=10,
        wanted=np.zeros(1, dtype=np.int64),
    )
    first = np.zeros(SUBJECTS + 1, dtype=np.int64)
    results = {
        "values": np.zeros((SUBJECTS, 1, 1)),
        "status": np.zeros(SUBJECTS, dtype=np.int64),
        "steps": np.zeros(SUBJECTS, dtype=np.int64),
        "rejected": np.zeros(SUBJECTS, dtype=np.int64),
        "stop_time": np.zeros(SUBJECTS),
        "stop_state": np.zeros((SUBJECTS, STATES)),
    }
    chunk_of(kernel).solve(problem, np.zeros((SUBJECTS, STATES)), np.zeros(1), first, **results)
    assert kernel.started == [[0.0] * SUBJECTS]


def test_initial_states_are_those_of_time_0() -> None:
    kernel = Kernel()
    chunk_of(kernel).initial()
    assert kernel.started == [[0.0] * SUBJECTS]
