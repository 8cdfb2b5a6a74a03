"""A course leg by leg, for tools that know neither dose events nor the model's own events.

The tool is restarted at each dose. The model's own events (a state that falls below a bound is set to 0) are
looked for at extra output times between the wanted ones, which dense output makes cheap, and a crossing is
then located by solving a short stretch again: less work for the tool than a root function at every step.
"""

from __future__ import annotations

import time as clock
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from benchmarks.task import Task, Threshold

Values = NDArray[np.float64]
# Called with states, parameters and times, of which the first is the start; returns float64[times, states].
Advance = Callable[[Values, Values, Values], Values]

# A course is looked at so many times as often as it has outputs.
LOOKS = 8
# A crossing is located until the state is this close to its bound, or this part of a look away in time.
CLOSE = 1e-9


class Walk:
    """One subject after another through a solver that can do no more than a stretch without events.

    ``seconds``: processor time spent inside the solver so far.
    """

    def __init__(self, task: Task, advance: Advance) -> None:
        """Prepare.

        Arguments:
            task: the task.
            advance: solves one stretch for one subject.
        """
        self.task, self._advance = task, advance
        self.seconds = 0.0
        end = float(task.times[-1])
        count = LOOKS * (len(task.times) - 1)
        self._looks = np.linspace(0.0, end, count + 1) if task.thresholds else np.empty(0)

    def run(self, subject: int) -> Values:
        """Solve one subject.

        Arguments:
            subject: which.

        Returns:
            float64[times, states].
        """
        task = self.task
        states, parameters = task.initial[subject].copy(), task.rows[subject].copy()
        values = np.empty((len(task.times), len(task.states)))
        for leg in task.legs(subject):
            for change in leg.changes:
                change.apply(states, parameters)
            states = self._leg(states, parameters, leg.start, leg.stop, leg.outputs, values)
        return values

    def _leg(
        self,
        states: Values,
        parameters: Values,
        start: float,
        stop: float,
        outputs: tuple[int, ...],
        values: Values,
    ) -> Values:
        """Solve a leg, fill in its outputs, and return the states at its stop."""
        wanted = {float(self.task.times[k]): k for k in outputs}
        looks = self._looks[(self._looks > start) & (self._looks < stop)]
        while True:
            later = [t for t in wanted if t >= start]
            grid = np.unique(np.concatenate([[start, stop], later, looks[looks > start]]))
            table = states[None, :] if len(grid) == 1 else self._timed(states, parameters, grid)
            found = self._crossing(table, parameters)
            kept = len(grid) if found is None else found[0]
            for row in range(kept):
                if grid[row] in wanted:
                    values[wanted[grid[row]]] = table[row]
            if found is None:
                return table[-1].copy()
            place, threshold = found
            start, states = self._locate(
                table[place - 1], parameters, grid[place - 1], grid[place], threshold
            )
            states[threshold.state] = threshold.value

    def _timed(self, states: Values, parameters: Values, grid: Values) -> Values:
        began = clock.process_time()
        table = self._advance(states, parameters, grid)
        self.seconds += clock.process_time() - began
        return table

    def _crossing(self, table: Values, parameters: Values) -> tuple[int, Threshold] | None:
        """The first row in which a state is below its bound that was not below it in the row before."""
        first: tuple[int, Threshold] | None = None
        for threshold in self.task.thresholds:
            below = table[:, threshold.state] < threshold.level(parameters)
            rows = np.flatnonzero(below[1:] & ~below[:-1])
            if rows.size and (first is None or rows[0] + 1 < first[0]):
                first = int(rows[0]) + 1, threshold
        return first

    def _locate(
        self, states: Values, parameters: Values, low: float, high: float, threshold: Threshold
    ) -> tuple[float, Values]:
        """Find where a state meets its bound between two times: bisection on ever finer outputs."""
        level = threshold.level(parameters)
        width = high - low
        while True:
            grid = np.linspace(low, high, 17)
            table = self._timed(states, parameters, grid)
            below = table[:, threshold.state] < level
            row = int(np.argmax(below)) if below.any() else len(grid) - 1
            row = max(row, 1)
            gap = abs(table[row, threshold.state] - level)
            if gap <= CLOSE * abs(level) or grid[row] - grid[row - 1] <= CLOSE * width:
                return float(grid[row]), table[row].copy()
            low, high, states = float(grid[row - 1]), float(grid[row]), table[row - 1].copy()
