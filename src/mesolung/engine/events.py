"""What happens to subjects at given times, as data: doses, infusions, drugs that start and stop."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mesolung.engine.errors import EngineError
from mesolung.engine.layout import ADD_PARAMETER, ADD_STATE, SET_PARAMETER, SET_STATE


@dataclass(frozen=True)
class EventTable:
    """One row an event; rows of one subject and one time happen in the order of the table.

    Arguments:
        subject: row of the subject in the parameters that are solved.
        time: when, at or after 0, in the model's time unit.
        kind: `ADD_STATE`, `SET_STATE`, `ADD_PARAMETER` or `SET_PARAMETER`.
        target: index of the state or of the parameter, in the order of the model's names.
        value: what is added or set, in the target's unit.

    Raises:
        EngineError: for columns of different lengths, a kind that does not exist, or a time that is negative
            or not a number.

    A bolus is one `ADD_STATE`; an infusion sets (or adds to) a rate parameter at its start and takes it back
    at its end. At an output time that is also an event time the output shows the state after the event.
    """

    subject: NDArray[np.int64]
    time: NDArray[np.float64]
    kind: NDArray[np.int64]
    target: NDArray[np.int64]
    value: NDArray[np.float64]

    def __post_init__(self) -> None:
        for name in ("subject", "kind", "target"):
            object.__setattr__(self, name, _column(getattr(self, name), np.int64, name))
        for name in ("time", "value"):
            object.__setattr__(self, name, _column(getattr(self, name), np.float64, name))
        if len({len(getattr(self, n)) for n in ("subject", "time", "kind", "target", "value")}) != 1:
            raise EngineError("the columns of an event table have different lengths")
        if not np.isin(self.kind, (ADD_STATE, SET_STATE, ADD_PARAMETER, SET_PARAMETER)).all():
            raise EngineError("an event's kind is none of ADD_STATE, SET_STATE, ADD_PARAMETER, SET_PARAMETER")
        if not (self.time >= 0.0).all() or not np.isfinite(self.time).all():
            raise EngineError("an event's time is negative or not a number")
        if not np.isfinite(self.value).all():
            raise EngineError("an event's value is not a number")

    def __len__(self) -> int:
        return len(self.time)

    @classmethod
    def of(cls, rows: Iterable[tuple[int, float, int, int, float]] = ()) -> EventTable:
        """Make a table from rows.

        Arguments:
            rows: (subject, time, kind, target, value) of each event; none for an empty table.

        Returns:
            The table.

        Raises:
            EngineError: as the class does.
        """
        table = list(rows)
        whole = np.array([(s, k, t) for s, _, k, t, _ in table], dtype=np.int64).reshape(-1, 3)
        real = np.array([(time, value) for _, time, _, _, value in table], dtype=np.float64).reshape(-1, 2)
        return cls(whole[:, 0], real[:, 0], whole[:, 1], whole[:, 2], real[:, 1])

    def sorted(self, subjects: int, states: int, parameters: int) -> tuple[EventTable, NDArray[np.int64]]:
        """Order the rows by subject and time, and say where each subject's rows start.

        Arguments:
            subjects: number of subjects.
            states: number of states.
            parameters: number of parameters.

        Returns:
            The table in order, and int64[subjects + 1] of first rows.

        Raises:
            EngineError: for a subject, state or parameter that does not exist.
        """
        if len(self) and (self.subject.min() < 0 or self.subject.max() >= subjects):
            raise EngineError(f"an event names a subject outside 0 to {subjects - 1}")
        limit = np.where(self.kind <= SET_STATE, states, parameters)
        if ((self.target < 0) | (self.target >= limit)).any():
            raise EngineError("an event names a state or parameter that the model does not have")
        order = np.lexsort((self.time, self.subject))
        table = EventTable(*(getattr(self, n)[order] for n in ("subject", "time", "kind", "target", "value")))
        return table, np.searchsorted(table.subject, np.arange(subjects + 1)).astype(np.int64)


def _column(values: ArrayLike, kind: Any, name: str) -> NDArray[Any]:
    given = np.atleast_1d(np.asarray(values))
    if kind is np.int64 and given.size and not np.issubdtype(given.dtype, np.integer):
        raise EngineError(f"the column '{name}' of an event table holds something else than whole numbers")
    if given.ndim != 1:
        raise EngineError(f"the column '{name}' of an event table has more than one dimension")
    return np.ascontiguousarray(given, dtype=kind)
