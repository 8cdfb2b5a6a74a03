"""Subjects of a virtual cohort from the moment that a published cohort would have enrolled them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mesolung.calibration.cohort import DAY, Cohort, keyed_normals

Values = NDArray[np.float64]
Flags = NDArray[np.bool_]
SURVIVORS, NON_SURVIVORS = "survivors", "non-survivors"
OUTCOME_DAY = 30.0


@dataclass(frozen=True)
class Enrolled:
    """Subjects at and after enrolment.

    Attributes:
        group: a cohort with their courses.
        rows: intp[m], their numbers in the cohort.
        step: intp[m], index into ``group.times`` at enrolment.
        weight: float64[m], chance of having been alive and in hospital until then.
        outcome: "survivors" or "non-survivors" to day 30 when only these are looked at, else "".
    """

    group: Cohort
    rows: NDArray[np.intp]
    step: NDArray[np.intp]
    weight: Values
    outcome: str = ""

    def __contains__(self, name: object) -> bool:
        return name in self.group

    @property
    def size(self) -> int:
        """Number of subjects."""
        return self.rows.size

    @property
    def draw(self) -> NDArray[np.intp]:
        """Parameter draw of each subject, intp[m]."""
        return self.group.draw[self.rows]

    def at(self, name: str, day: float) -> Values:
        """Read an output some days after enrolment.

        Arguments:
            name: of an output.
            day: days since enrolment, before it when negative.

        Returns:
            float64[m], in the output's unit; nan outside the simulated course.
        """
        step = self.step + self._steps(day)
        inside = (step >= 0) & (step < self.group.times.size)
        values = self.group[name][self.rows, np.clip(step, 0, self.group.times.size - 1)]
        return np.where(inside, values, np.nan)

    def course(self, name: str, days: float) -> Values:
        """Read an output from enrolment on.

        Arguments:
            name: of an output.
            days: how long.

        Returns:
            float64[m, k], every output time; what lies beyond the simulated course repeats its last value.
        """
        steps = np.arange(self._steps(days) + 1)
        place = np.minimum(self.step[:, None] + steps[None, :], self.group.times.size - 1)
        return self.group[name][self.rows[:, None], place]

    def alive(self, day: float) -> Values:
        """Give the chance of being alive some days after enrolment.

        Arguments:
            day: days since enrolment.

        Returns:
            float64[m], given that the subject was enrolled.
        """
        return self._kept("HAZ", day)

    def seen(self, day: float) -> Values:
        """Give the chance of being alive and in hospital some days after enrolment, and of the outcome.

        Arguments:
            day: days since enrolment.

        Returns:
            float64[m], given that the subject was enrolled.
        """
        here = self._kept("DIS", day)
        if self.outcome == SURVIVORS:
            return here * self.alive(max(day, OUTCOME_DAY))
        if self.outcome == NON_SURVIVORS:
            return here * np.maximum(self.alive(day) - self.alive(OUTCOME_DAY), 0.0)
        return here * self.alive(day)

    @property
    def interval_d(self) -> float:
        """Days between output times."""
        return float(self.group.times[1] - self.group.times[0]) / DAY

    def where(self, keep: Flags) -> Enrolled:
        """Keep some of the subjects.

        Arguments:
            keep: bool[m].

        Returns:
            those subjects.
        """
        return replace(self, rows=self.rows[keep], step=self.step[keep], weight=self.weight[keep])

    def with_outcome(self, outcome: str) -> Enrolled:
        """Look at those only who are to live, or to die.

        Arguments:
            outcome: `SURVIVORS` or `NON_SURVIVORS`.

        Returns:
            the same subjects, counted by the chance of that outcome.
        """
        return replace(self, outcome=outcome)

    def _kept(self, hazard: str, day: float) -> Values:
        if hazard not in self.group:
            return np.ones(self.size)
        course = self.group[hazard]
        last = np.minimum(self.step + self._steps(day), self.group.times.size - 1)
        return np.exp(-np.maximum(course[self.rows, last] - course[self.rows, self.step], 0.0))

    def _steps(self, day: float) -> int:
        return round(day / self.interval_d)


def enrol(group: Cohort, holds: Flags, purpose: str) -> Enrolled:
    """Enrol subjects some time after criteria first hold, if they then still hold.

    Arguments:
        group: the cohort.
        holds: bool[N, T], whether the criteria hold.
        purpose: keys the delays, which are the disease's.

    Returns:
        the enrolled.
    """
    delay = group.disease.delay.at(keyed_normals(group, purpose))
    interval = group.times[1] - group.times[0]
    first = holds.argmax(axis=1)
    step = first + np.rint(delay / interval).astype(np.intp)
    inside = holds.any(axis=1) & (step < group.times.size) & group.solved
    step = np.minimum(step, group.times.size - 1)
    rows = np.arange(group.size)
    taken = np.flatnonzero(inside & holds[rows, step])
    # Nobody is discharged before the illness that brings them in: that hazard counts from the criteria on.
    leave = group.discharge_hazard[taken, step[taken]] - group.discharge_hazard[taken, first[taken]]
    gone = np.nan_to_num(group.hazard[taken, step[taken]] + leave)
    return Enrolled(group, taken, step[taken], np.exp(-gone))
