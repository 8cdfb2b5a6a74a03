"""Visits of a trial: when they are, and what the measurement of a visit adds to what is true that day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from mesolung.streams import normals
from mesolung.trial.outcomes import Floats, Outcomes, Time


class ErrorRow(Protocol):
    """What a visit adds, as far as trials need it (`mesolung.biology.rows.Error`)."""

    @property
    def quantity(self) -> str: ...
    @property
    def sd(self) -> float: ...
    @property
    def scale(self) -> str: ...
    @property
    def per(self) -> str | None: ...


class MeasuredRow(Protocol):
    """What of an endpoint says how it is measured."""

    @property
    def scale(self) -> str: ...
    @property
    def lowest(self) -> float | None: ...
    @property
    def highest(self) -> float | None: ...
    @property
    def error(self) -> ErrorRow | None: ...
    @property
    def visit_every_h(self) -> float: ...


@dataclass(frozen=True)
class Visits:
    """The errors of measurement of a trial's visits.

    They depend on the seed, the replicate, the subject, the quantity and the moment alone: the same under
    every arm, and whatever else is asked.

    Attributes:
        seed: of the run.
        slots: S, replicates.
        subjects: M, subjects a replicate.
    """

    seed: int
    slots: int
    subjects: int

    def scores(self, quantity: str, time_h: Time) -> Floats:
        """Standard normal numbers of a measurement: float64[S x M].

        Arguments:
            quantity: what is measured.
            time_h: hours since enrolment; one a subject counts as one visit of its own.
        """
        moment = f"{float(time_h):.6g}" if np.ndim(time_h) == 0 else "own"
        purpose = f"visit:{quantity}:{moment}"
        return np.concatenate([normals(self.seed, purpose, s, self.subjects) for s in range(self.slots)])


def measured(
    outcomes: Outcomes, row: MeasuredRow, name: str, time_h: Time, level: Floats, *, bounded: bool = True
) -> Floats:
    """What a visit shows of a level.

    Arguments:
        outcomes: the subjects' courses; without visits the level itself is seen.
        row: the endpoint, with the error of its visits.
        name: output that it is read from.
        time_h: hours since enrolment.
        level: float64[n], what is true at that time.
        bounded: whether the endpoint's own bounds are those of the level, as they are of no yes or no.

    Returns:
        float64[n], within the bounds of the table.
    """
    error = row.error
    if error is None or outcomes.visits is None:
        return level
    z = outcomes.visits.scores(error.quantity, time_h)
    if error.scale == "log":
        shown = level * np.exp(error.sd * z)
    else:
        shown = level + z * error_sd(outcomes, row, name, time_h)
    if not bounded:
        return shown
    low = -np.inf if row.lowest is None else row.lowest
    high = np.inf if row.highest is None else row.highest
    # Where the truth itself lies beyond the table's bounds it stays there.
    return np.clip(shown, np.minimum(low, level), np.maximum(high, level))


def error_sd(outcomes: Outcomes, row: MeasuredRow, name: str, time_h: Time) -> Floats:
    """Standard deviation of what a visit adds on a linear scale, in the endpoint's unit: float64[n].

    Arguments:
        outcomes, row, name, time_h: as `measured`.
    """
    error = row.error
    if error is None or error.scale == "log" or outcomes.visits is None:
        return np.zeros(outcomes.size)
    if error.per is None:
        return np.full(outcomes.size, error.sd)
    level, whole = (outcomes.output_at(n, time_h) for n in (name, error.per))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(whole > 0, error.sd * level / whole, 0.0)


def visit_times(every_h: float, until_h: float, since_h: float = 0.0) -> Floats:
    """Visits of a trial: float64[V], hours since enrolment, the last one at the end.

    Arguments:
        every_h: hours between visits.
        until_h: end of follow-up.
        since_h: no visit before it counts, as long as two are left.
    """
    times = np.unique(np.append(np.arange(0.0, until_h - 0.25 * every_h, every_h), until_h))
    later = times[times >= since_h]
    return later if later.size >= 3 else times
