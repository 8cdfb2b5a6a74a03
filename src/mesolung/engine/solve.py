"""The engine's two names: compile a model, solve it for many subjects."""

from __future__ import annotations

import hashlib
import time as clock
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mesolung.engine.cache import Entry, from_cache
from mesolung.engine.cohort import Problem, initial_states, solve_cohort
from mesolung.engine.errors import EngineError, SubjectFailure
from mesolung.engine.event_loop import Machine, solve_with_events
from mesolung.engine.events import EventTable
from mesolung.engine.failure import describe
from mesolung.engine.infusions import with_infusions
from mesolung.engine.kernel import Kernel, machine_code, this_processor, toolchain, write_program
from mesolung.engine.layout import Layout
from mesolung.engine.sbml import read_sbml
from mesolung.engine.system import System
from mesolung.execution import cache_folder

Values = NDArray[np.float64]

# A state that starts at zero in the model is resolved down to this size times `OF_LARGEST` times rtol.
SMALLEST_SIZE = 1e-6
# Besides its relative error, a state may be wrong by rtol times this part of the largest value it has had.
OF_LARGEST = 1e-3


@dataclass(frozen=True)
class Solution:
    """What `CompiledModel.solve` found.

    ``values``: float64[subjects, times, outputs], in the model's units, NaN from a subject's failure on;
    ``times``: float64[times] or float64[subjects, times] as given; ``names``: the outputs; ``failures``:
    subjects that could not be solved to their last output; ``steps``, ``rejected``: int64[subjects] steps
    tried and rejected.
    """

    values: Values
    times: Values
    names: tuple[str, ...]
    failures: tuple[SubjectFailure, ...]
    steps: NDArray[np.int64]
    rejected: NDArray[np.int64]

    def __getitem__(self, name: str) -> Values:
        """One output by name: float64[subjects, times]."""
        return self.values[:, :, self.names.index(name)]


class CompiledModel:
    """A model as machine code; make one with `compile_model`.

    ``states``, ``parameters``, ``observables``: names in order; ``units``: the unit of each;
    ``default_parameters``: float64[parameters], the model's own values; ``kernel_id``: equal ids give equal
    bits; ``lanes``: subjects in a vector; ``from_cache``: whether the code was compiled before;
    ``compile_seconds``: from text to code in memory.
    """

    def __init__(self, system: System, entry: Entry, lanes: int, from_cache: bool) -> None:
        """See `compile_model`."""
        self._system = system
        self._kernel = Kernel(entry.code)
        self._layout = Layout(**entry.about["layout"])  # type: ignore[arg-type]
        self.states, self.parameters, self.observables = system.states, system.parameters, system.observables
        self.units = system.units
        self.default_parameters = system.defaults
        self.kernel_id = str(entry.about["kernel_id"])
        self.lanes, self.from_cache = lanes, from_cache
        self.compile_seconds = 0.0

    def initial(self, parameters: ArrayLike) -> Values:
        """Compute the initial states that the model gives for parameters.

        Arguments:
            parameters: float64[subjects, parameters], in the model's units.

        Returns:
            float64[subjects, states].

        Raises:
            EngineError: for an array of another shape.
        """
        return initial_states(self._kernel, self._layout, self.lanes, self._parameters(parameters))

    def derived(self, parameters: ArrayLike) -> dict[str, Values]:
        """Compute the constants that the model derives from parameters (those with an initial assignment).

        Arguments:
            parameters: float64[subjects, parameters], in the model's units.

        Returns:
            float64[subjects] for each name; for reading, the kernel computes its own.

        Raises:
            EngineError: for an array of another shape.
        """
        _, values = self._system.start(self._parameters(parameters))
        return {name: values[:, k] for k, name in enumerate(self._system.constants)}

    def solve(
        self,
        parameters: ArrayLike,
        times: ArrayLike,
        initial: ArrayLike | None = None,
        events: EventTable | None = None,
        outputs: Sequence[str] | None = None,
        *,
        rtol: float = 1e-5,
        atol: ArrayLike | None = None,
        max_steps: int = 20_000,
        workers: int = 1,
        chunk: int = 1024,
        progress: Callable[[int, int], None] | None = None,
    ) -> Solution:
        """Solve the model from time 0 for each row of parameters.

        A subject's numbers depend on its own row, times, initial values and events alone: not on the other
        rows, the order, ``chunk``, ``workers`` or the width of the processor's vectors.

        Arguments:
            parameters: float64[subjects, parameters], in the model's units, without NaN.
            times: float64[times] or float64[subjects, times]: output times, ascending (equal ones are fine),
                not before 0. An output at an event's time shows the state after the event.
            initial: float64[subjects, states]; None for what the model gives. Derived constants (parameters
                with an initial assignment) follow from the parameters at time 0 either way, and do not change
                afterwards.
            events: what happens to whom and when.
            outputs: names of states and observables, in the order wanted; None for all states.
            rtol: tolerance relative to a state's present size.
            atol: tolerance that a state has besides, one number or float64[states], in the state's unit.
                None: rtol * 1e-3 * (the model's own initial value, at least 1e-6, plus the largest value that
                the subject's state has had so far).
            max_steps: steps tried before a subject is given up.
            workers: threads.
            chunk: subjects that a thread takes at a time, at most.
            progress: called with the number of chunks done and in all.

        Returns:
            The solution. A subject that cannot be solved is named in ``failures`` and NaN from there on; the
            others are not affected.

        Raises:
            EngineError: for wrong shapes, unknown outputs, times that descend, tolerances that are not
                positive.
        """
        table = self._parameters(parameters)
        moments = self._times(times, len(table))
        wanted, names = self._outputs(outputs)
        if chunk < 1 or max_steps < 1:
            raise EngineError(f"chunk and max_steps must be at least 1 (found {chunk} and {max_steps})")
        rows, first = (events or EventTable.of()).sorted(len(table), len(self.states), len(self.parameters))
        floor, of_largest = self._tolerance(rtol, atol)
        problem = Problem(
            parameters=table,
            initial=None if initial is None else self._initial(initial, len(table)),
            times=moments,
            events=rows,
            first_event=first,
            wanted=wanted,
            floor=floor,
            relative=rtol,
            of_largest=of_largest,
            max_steps=max_steps,
        )
        if self._system.events or self._system.switches:
            machine = Machine(self._system, self._kernel, self._layout, self.lanes)
            answer = solve_with_events(machine, problem, workers, chunk, progress)
        else:
            answer = solve_cohort(self._kernel, self._layout, self.lanes, problem, workers, chunk, progress)
        failures = tuple(
            describe(
                self._system,
                i,
                int(answer.status[i]),
                float(answer.stop_time[i]),
                state,
                table[i],
                rows,
                max_steps,
            )
            for i, state in sorted(answer.stop_state.items())
        )
        return Solution(answer.values, moments, names, failures, answer.steps, answer.rejected)

    # ---- checks ----
    def _parameters(self, parameters: ArrayLike) -> Values:
        table = np.ascontiguousarray(parameters, dtype=np.float64)
        if table.ndim != 2 or table.shape[1] != len(self.parameters):
            raise EngineError(
                f"parameters have the shape {table.shape}, not (subjects, {len(self.parameters)})"
            )
        if np.isnan(table).any():
            i, k = np.argwhere(np.isnan(table))[0]
            raise EngineError(f"parameter '{self.parameters[k]}' of subject {i} is not a number")
        return table

    def _initial(self, initial: ArrayLike, subjects: int) -> Values:
        table = np.ascontiguousarray(initial, dtype=np.float64)
        if table.shape != (subjects, len(self.states)):
            raise EngineError(
                f"initial values have the shape {table.shape}, not ({subjects}, {len(self.states)})"
            )
        return table

    def _times(self, times: ArrayLike, subjects: int) -> Values:
        moments = np.ascontiguousarray(times, dtype=np.float64)
        if moments.ndim not in (1, 2) or (moments.ndim == 2 and len(moments) != subjects):
            raise EngineError(f"times have the shape {moments.shape}, not (times,) or ({subjects}, times)")
        if not np.isfinite(moments).all() or (moments < 0.0).any() or (np.diff(moments, axis=-1) < 0.0).any():
            raise EngineError("output times must be finite, not before 0, and ascending")
        return moments

    def _outputs(self, outputs: Sequence[str] | None) -> tuple[NDArray[np.int64], tuple[str, ...]]:
        names = tuple(self.states if outputs is None else outputs)
        index = {name: i for i, name in enumerate((*self.states, *self.observables))}
        for name in names:
            if name not in index:
                raise EngineError(f"the model has no state or observable '{name}'")
        return np.array([index[name] for name in names], dtype=np.int64), names

    def _tolerance(self, rtol: float, atol: ArrayLike | None) -> tuple[Values, float]:
        if not rtol > 0.0:
            raise EngineError(f"rtol must be positive (found {rtol})")
        if atol is None:
            own, _ = self._system.start(self.default_parameters)
            size = np.maximum(np.abs(np.nan_to_num(own)), SMALLEST_SIZE)
            return np.ascontiguousarray(rtol * OF_LARGEST * size), rtol * OF_LARGEST
        floor = np.ascontiguousarray(np.broadcast_to(np.asarray(atol, dtype=np.float64), (len(self.states),)))
        if not (floor > 0.0).all():
            raise EngineError("atol must be positive")
        return floor, 0.0


def compile_model(
    sbml: str | Path,
    *,
    infusions: Sequence[str] = (),
    lanes: int | None = None,
    cache: bool | Path = True,
) -> CompiledModel:
    """Compile a model to machine code for this processor; no compiler is needed on the machine.

    Arguments:
        sbml: SBML text, or the path of an SBML file.
        infusions: states that get a parameter ``STATE.infusion``, the rate at which it is infused (0 unless
            events or rows of parameters say otherwise).
        lanes: subjects in a vector: 2, 4 or 8; None for what the processor holds. It changes speed, not
            numbers.
        cache: whether compiled code is kept between runs (in ``$MESOLUNG_CACHE`` or the user's cache folder),
            or the folder to keep it in.

    Returns:
        The compiled model.

    Raises:
        EngineError: when the text is not SBML or uses what the engine does not serve; by name.
    """
    began = clock.perf_counter()
    width = this_processor().lanes if lanes is None else lanes
    if width not in (2, 4, 8):
        raise EngineError(f"a vector holds 2, 4 or 8 subjects, not {width}")
    system = with_infusions(read_sbml(sbml), infusions)
    folder = None if cache is False else cache_folder("kernels") if cache is True else Path(cache)

    def make() -> Entry:
        program = write_program(system)
        return Entry(
            {"kernel_id": program.kernel_id, "layout": asdict(program.layout)}, machine_code(program, width)
        )

    key = f"{_engine()} {toolchain()} {width} {system.fingerprint()}"
    entry, known = from_cache(folder, key, make)
    model = CompiledModel(system, entry, width, known)
    model.compile_seconds = clock.perf_counter() - began
    return model


def _engine() -> str:
    """A hash of the engine's own source, so that no code of another version is taken from the cache."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()
