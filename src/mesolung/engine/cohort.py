"""Many subjects in pieces: one piece is solved by one thread in one call of machine code."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mesolung.engine.events import EventTable
from mesolung.engine.kernel import Kernel
from mesolung.engine.layout import REQUEST, WORD, Layout
from mesolung.execution import map_chunks

Values = NDArray[np.float64]
_ALIGNMENT = 64


@dataclass(frozen=True)
class Problem:
    """What is solved, checked: arrays in memory order, events in order with the first row of each subject."""

    parameters: Values
    initial: Values | None
    times: Values
    events: EventTable
    first_event: NDArray[np.int64]
    wanted: NDArray[np.int64]
    floor: Values
    relative: float
    of_largest: float
    max_steps: int


@dataclass(frozen=True)
class Answer:
    """Raw results of all subjects; see `Layout` for the meaning of ``status``."""

    values: Values
    status: NDArray[np.int64]
    steps: NDArray[np.int64]
    rejected: NDArray[np.int64]
    stop_time: Values
    stop_state: dict[int, Values]


def solve_cohort(
    kernel: Kernel,
    layout: Layout,
    lanes: int,
    problem: Problem,
    workers: int,
    chunk: int,
    progress: Callable[[int, int], None] | None,
) -> Answer:
    """Solve all subjects, chunk by chunk.

    Arguments:
        kernel, layout, lanes: the compiled model.
        problem: the subjects.
        workers: threads.
        chunk: subjects that one call takes, at most.
        progress: called with chunks done and chunks in all.

    Returns:
        The results, which depend on neither workers nor chunk. Beside them only the working memory of one
        chunk a thread is held.
    """
    n, outputs = len(problem.parameters), problem.times.shape[-1]
    values = np.empty((n, outputs, len(problem.wanted)))
    status, steps, rejected = (np.zeros(n, dtype=np.int64) for _ in range(3))
    stop_time = np.zeros(n)

    def one(span: tuple[int, int]) -> dict[int, Values]:
        a, b = span
        own = Chunk(kernel, layout, lanes, problem.parameters[a:b])
        initial = own.initial() if problem.initial is None else problem.initial[a:b]
        stop_state = np.empty((b - a, layout.states))
        own.solve(
            problem,
            initial,
            problem.times if problem.times.ndim == 1 else problem.times[a:b],
            problem.first_event[a : b + 1],
            values=values[a:b],
            status=status[a:b],
            steps=steps[a:b],
            rejected=rejected[a:b],
            stop_time=stop_time[a:b],
            stop_state=stop_state,
        )
        return {a + int(i): stop_state[i].copy() for i in np.flatnonzero(status[a:b])}

    stops: dict[int, Values] = {}
    for found in map_chunks(one, spans_of(n, workers, chunk, lanes), workers, progress):
        stops.update(found)
    return Answer(values, status, steps, rejected, stop_time, stops)


def spans_of(subjects: int, workers: int, chunk: int, lanes: int) -> list[tuple[int, int]]:
    """Cut subjects into pieces.

    Arguments:
        subjects: how many there are.
        workers: threads.
        chunk: subjects of a piece, at most.
        lanes: subjects of a vector.

    Returns:
        The first subject of each piece, and the one after its last.
    """
    size = chunk
    if workers > 1:
        # Four pieces a thread, in whole vectors, so that threads end together.
        size = min(chunk, -(-subjects // (4 * workers * lanes)) * lanes or 1)
    return [(a, min(a + size, subjects)) for a in range(0, subjects, size)]


def initial_states(kernel: Kernel, layout: Layout, lanes: int, parameters: Values) -> Values:
    """Compute initial states; float64[subjects, states]."""
    return Chunk(kernel, layout, lanes, parameters).initial()


class Chunk:
    """One call's request and working memory."""

    def __init__(self, kernel: Kernel, layout: Layout, lanes: int, parameters: Values) -> None:
        """Reserve working memory.

        Arguments:
            kernel, layout, lanes: the compiled model.
            parameters: float64[subjects, parameters] in memory order.
        """
        self.kernel, self.layout, self.lanes = kernel, layout, lanes
        self.parameters = parameters
        self.work = _aligned(layout.vectors * lanes)
        self.held: tuple[object, ...] = ()

    def _request(self, **words: int | float | NDArray[np.generic]) -> NDArray[np.int64]:
        # The request knows addresses only: what it names must live until the call is over.
        self.held = tuple(words.values())
        request = np.zeros(len(REQUEST), dtype=np.int64)
        for name, word in words.items():
            if isinstance(word, float):
                request[WORD[name] : WORD[name] + 1].view(np.float64)[0] = word
            else:
                request[WORD[name]] = word if isinstance(word, int) else word.ctypes.data
        return request

    def initial(self) -> Values:
        """The initial states that follow from the parameters; float64[subjects, states]."""
        n = len(self.parameters)
        initial = np.zeros((n, self.layout.states))
        first = np.zeros(n + 1, dtype=np.int64)
        request = self._request(
            subjects=n,
            parameters=self.parameters,
            initial=initial,
            start_time=np.zeros(n),
            first_event=first,
            work=self.work,
        )
        self.kernel.initialise(request.ctypes.data)
        return initial

    def solve(
        self,
        problem: Problem,
        initial: Values,
        times: Values,
        first_event: NDArray[np.int64],
        start: Values | None = None,
        **results: NDArray[np.generic],
    ) -> None:
        """Solve the chunk's subjects into ``results``, arrays named as in the request.

        Arguments:
            problem: what is the same for all chunks.
            initial: float64[subjects, states].
            times: float64[outputs] or float64[subjects, outputs].
            first_event: int64[subjects + 1] rows of the problem's events.
            start: float64[subjects] the time at which each subject starts; None for 0.
            results: where values, status, steps, rejected, stop_time and stop_state go.
        """
        outputs = times.shape[-1]
        pending = _aligned(self.lanes * (self.layout.states + 1) * self.lanes)
        events = problem.events
        filler = np.zeros(1)
        met = np.empty(len(self.parameters) * self.layout.thresholds)
        request = self._request(
            subjects=len(self.parameters),
            parameters=self.parameters,
            initial=initial,
            start_time=np.zeros(len(self.parameters)) if start is None else start,
            outputs=outputs,
            times=times if times.size else filler,
            times_stride=0 if times.ndim == 1 else outputs,
            first_event=first_event,
            event_time=events.time if len(events) else filler,
            event_kind=events.kind,
            event_target=events.target,
            event_value=events.value,
            floor=problem.floor,
            relative=float(problem.relative),
            of_largest=float(problem.of_largest),
            max_steps=problem.max_steps,
            wanted=len(problem.wanted),
            wanted_index=problem.wanted,
            observing=int((problem.wanted >= self.layout.states).any()),
            work=self.work,
            pending=pending,
            **{"stop_met": met, **results},
        )
        self.kernel.solve(request.ctypes.data)


def _aligned(count: int) -> Values:
    """Zeros that start where a vector may."""
    room = np.zeros(count + _ALIGNMENT // 8)
    shift = (-room.ctypes.data % _ALIGNMENT) // 8
    return room[shift : shift + count]
