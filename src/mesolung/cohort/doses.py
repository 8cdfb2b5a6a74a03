"""Dose tables as pharmacometricians write them (columns of NONMEM), turned into events of the engine.

Whole columns are handled at a time, so that the work is linear in the rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from mesolung.cohort.cells import Column, Place, dose_columns
from mesolung.engine import (
    ADD_PARAMETER,
    ADD_STATE,
    SET_PARAMETER,
    CompiledModel,
    EventTable,
    infusion_parameter,
)
from mesolung.reading import Refusal

Numbers = NDArray[np.float64]
Indices = NDArray[np.int64]

OBSERVATION, DOSE, OTHER = 0, 1, 2
# More repeats of one row are a slip of the pen: an interval in another unit, say.
MOST_REPEATS = 100_000


@dataclass(frozen=True)
class Doses:
    """A checked dose table, one entry a row.

    Attributes:
        time, amount: float64[rows]; ``amount`` in the state's unit.
        given: whether the row gives a dose.
        state: int64[rows], index of the state it goes into; -1 for no dose.
        duration: how long it is infused, float64[rows]; 0 for a bolus.
        repeats: further doses after the first, int64[rows]; ``interval`` between them.
        settings: (parameter's index, rows that set it, values) for each column named as a parameter.
    """

    time: Numbers
    amount: Numbers
    given: NDArray[np.bool_]
    state: Indices
    duration: Numbers
    repeats: Indices
    interval: Numbers
    settings: tuple[tuple[int, Indices, Numbers], ...]


def dose_events(
    table: Mapping[str, ArrayLike] | pd.DataFrame,
    model: CompiledModel,
    ids: Sequence[object] | NDArray[Any],
    end: float = np.inf,
) -> EventTable:
    """Turn a dose table into events.

    Arguments:
        table: columns by name, a data frame for instance. ``ID``: whose dose (without the column every
            subject gets every row); ``TIME``; ``AMT``, in the state's unit; ``CMT``, the state's name;
            ``RATE`` or ``DUR`` for an infusion (the model must be compiled with ``infusions=``); ``EVID``: 1
            a dose, 2 settings only, 0 an observation, which is passed over; ``ADDL`` further doses ``II``
            apart; any other column is a parameter that is set from then on where the cell is not empty.
        model: the compiled model.
        ids: the subjects in the order of their rows of parameters.
        end: events after this time are left out.

    Returns:
        The events; those of one subject and time in the order of the table.

    Raises:
        Refusal: for a row that cannot be meant so, with row (from 1) and column; an id that no subject has.
    """
    columns = {str(name): np.asarray(values) for name, values in table.items()}
    place = Place(None)
    owner = next((name for name in columns if name.upper() == "ID"), None)
    doses = check_doses(columns, model, place)
    if owner is None:
        return events_of(doses, model, None, len(ids), end)
    known = pd.Index(_as_text(np.asarray(ids)))
    if not known.is_unique:
        raise Refusal("an id stands twice among the subjects")
    subject = known.get_indexer(pd.Index(_as_text(columns[owner])))
    place.refuse(subject < 0, columns[owner], owner, "no subject has that id")
    return events_of(doses, model, subject.astype(np.int64), len(ids), end)


def check_doses(columns: Mapping[str, NDArray[Any]], model: CompiledModel, place: Place) -> Doses:
    """Check a dose table and read it.

    Arguments:
        columns: by name; numbers, or text with an empty cell or a dot for what is missing.
        model: whose states and parameters they name.
        place: where the rows stand, for refusals.

    Returns:
        The table.

    Raises:
        Refusal: as `dose_events`.
    """
    cells = dose_columns(columns, model, place)
    time, amount = cells["TIME"], cells["AMT"]
    time.refuse(np.isnan(time.values), "the value is missing")
    time.refuse((time.values < 0) | np.isinf(time.values), "a time is a finite number, not before 0")
    given = _given(cells)
    amount.refuse(given & np.isnan(amount.values), "a dose needs an amount")
    amount.refuse(
        given & ((amount.values < 0) | np.isinf(amount.values)), "an amount is finite and not negative"
    )
    idle = ~given & (np.nan_to_num(amount.values) != 0)
    amount.refuse(idle, "an amount stands in a row that is not a dose", "EVID 1")
    state = _states(cells["CMT"], given, model)
    return Doses(
        time=time.values,
        amount=np.where(given, amount.values, 0.0),
        given=given,
        state=state,
        duration=_durations(cells, given),
        repeats=_repeats(cells, given),
        interval=np.nan_to_num(cells["II"].values),
        settings=_settings(cells, model),
    )


def events_of(
    doses: Doses, model: CompiledModel, subject: Indices | None, subjects: int, end: float
) -> EventTable:
    """Write a checked table as events.

    Arguments:
        doses: the table.
        model: the compiled model.
        subject: int64[rows], whose row it is; None for every subject.
        subjects: number of subjects.
        end: events after this time are left out.

    Returns:
        The events.

    Raises:
        Refusal: for an infusion into a state without an infusion parameter.
    """
    rows = np.arange(len(doses.time))
    if subject is None:
        subject, rows = np.repeat(np.arange(subjects), len(rows)), np.tile(rows, subjects)
    owned = np.column_stack([subject, rows])
    own, row, time = _expanded(doses, owned[doses.given[rows] & (doses.time[rows] <= end)], end)
    finish = time + doses.duration[row]
    # An infusion too short to be told from a moment is a bolus.
    infused = (finish > time) & (doses.amount[row] > 0)
    settings = [_set(doses, owned, end, k, where, values) for k, where, values in doses.settings]
    parts = [
        *settings,
        (own[~infused], time[~infused], ADD_STATE, doses.state[row[~infused]], doses.amount[row[~infused]]),
        *_infusions(doses, model, own[infused], row[infused], time[infused], finish[infused]),
    ]

    def joined(k: int, kind: type) -> NDArray[Any]:
        return np.concatenate([np.broadcast_to(part[k], part[0].shape) for part in parts]).astype(kind)

    whole, real = np.int64, np.float64
    return EventTable(joined(0, whole), joined(1, real), joined(2, whole), joined(3, whole), joined(4, real))


def _given(cells: Mapping[str, Column]) -> NDArray[np.bool_]:
    """Which rows give a dose: EVID 1, or an amount where the table has no EVID."""
    kind, steady = cells["EVID"], cells["SS"]
    steady.refuse(
        np.nan_to_num(steady.values) != 0, "steady-state doses are not served", "0; give the doses before"
    )
    if not kind.there:
        return ~np.isnan(cells["AMT"].values)
    kind.refuse(
        ~np.isin(kind.values, (OBSERVATION, DOSE, OTHER)), "that kind of record is not served", "0, 1, 2"
    )
    return kind.values == DOSE


def _states(column: Column, given: NDArray[np.bool_], model: CompiledModel) -> Indices:
    codes, names = pd.factorize(column.texts)
    index = {name: k for k, name in enumerate(model.states)}
    own = np.array([index.get(str(name).strip(), -1) for name in names], dtype=np.int64)
    state = np.where(codes >= 0, own[codes] if len(own) else -1, -1)
    column.refuse(given & (codes < 0), "a dose needs a state to go into")
    wrong = given & (state < 0)
    if wrong.any():
        column.refuse(wrong, "the model has no state of that name", column.near(wrong, model.states))
    return np.where(given, state, -1)


def _durations(cells: Mapping[str, Column], given: NDArray[np.bool_]) -> Numbers:
    rate, duration = cells["RATE"], cells["DUR"]
    for column in (rate, duration):
        wrong = (column.values < 0) | np.isinf(column.values)
        column.refuse(
            given & wrong, "rates and durations are finite and not negative", "0 or empty for a bolus"
        )
    by_rate, by_duration = given & (rate.values > 0), given & (duration.values > 0)
    rate.refuse(by_rate & by_duration, "a dose has a RATE or a DUR, not both")
    found = np.where(by_duration, duration.values, 0.0)
    np.divide(cells["AMT"].values, rate.values, out=found, where=by_rate)
    return found


def _repeats(cells: Mapping[str, Column], given: NDArray[np.bool_]) -> Indices:
    column, interval = cells["ADDL"], cells["II"]
    more = np.nan_to_num(column.values)
    column.refuse((more < 0) | (more != np.floor(more)), "further doses are a whole number")
    column.refuse(more > MOST_REPEATS, "so many further doses cannot be meant", f"at most {MOST_REPEATS}")
    column.refuse(~given & (more > 0), "further doses of a row that is not a dose")
    wrong = (more > 0) & ~((interval.values > 0) & np.isfinite(interval.values))
    interval.refuse(wrong, "further doses (ADDL) need a time between them")
    return more.astype(np.int64)


def _settings(cells: Mapping[str, Column], model: CompiledModel) -> tuple[tuple[int, Indices, Numbers], ...]:
    found = []
    for column in cells.values():
        if column.parameter is None:
            continue
        column.refuse(np.isinf(column.values), "the value is not a finite number")
        rows = np.flatnonzero(~np.isnan(column.values))
        found.append((model.parameters.index(column.parameter), rows, column.values[rows]))
    return tuple(found)


def _expanded(doses: Doses, owned: Indices, end: float) -> tuple[Indices, Indices, Numbers]:
    """One entry a dose: its subject, its row, its time."""
    own, row = owned[:, 0], owned[:, 1]
    more, interval = doses.repeats[row], doses.interval[row]
    with np.errstate(divide="ignore", invalid="ignore"):
        fitting = np.floor((end - doses.time[row]) / interval) + 1
    count = 1 + np.where(more > 0, np.minimum(more, fitting), 0).astype(np.int64)
    before = np.cumsum(count) - count
    which = np.repeat(np.arange(len(row)), count)
    number = np.arange(len(which)) - before[which]
    time = doses.time[row][which] + number * interval[which]
    which, time = which[time <= end], time[time <= end]
    return own[which], row[which], time


def _set(
    doses: Doses, owned: Indices, end: float, parameter: int, rows: Indices, values: Numbers
) -> tuple[Any, Any, int, int, Any]:
    column = np.full(len(doses.time), np.nan)
    column[rows] = values
    own = owned[~np.isnan(column[owned[:, 1]]) & (doses.time[owned[:, 1]] <= end)]
    return own[:, 0], doses.time[own[:, 1]], SET_PARAMETER, parameter, column[own[:, 1]]


def _infusions(
    doses: Doses, model: CompiledModel, own: Indices, row: Indices, start: Numbers, finish: Numbers
) -> list[tuple[Any, Any, Any, Any, Any]]:
    """Rates that rise at the start of an infusion and fall at its end.

    Where the last of overlapping infusions ends, the rate is set to 0 instead, as sums of rates taken away
    again would leave a rounding error behind.
    """
    if not len(own):
        return []
    target = np.full(len(model.states), -1, dtype=np.int64)
    for k in np.unique(doses.state[row]):
        name = infusion_parameter(model.states[k])
        if name not in model.parameters:
            raise Refusal(
                f"the model was compiled without infusions into '{model.states[k]}'",
                allowed=f"compile_model(..., infusions=['{model.states[k]}'])",
            )
        target[k] = model.parameters.index(name)
    rate = doses.amount[row] / doses.duration[row]
    who, when = np.tile(own, 2), np.concatenate([finish, start])
    what, change = np.tile(target[doses.state[row]], 2), np.repeat([-1, 1], len(own))
    size = np.concatenate([-rate, rate])
    # Ends before starts of the same moment, so that one infusion after the other leaves nothing behind.
    order = np.lexsort((change, when, what, who))
    who, when, what, change, size = (column[order] for column in (who, when, what, change, size))
    # The running number of a subject's infusions into a state; they all end, so that each group adds up to 0.
    last = (np.cumsum(change) == 0) & (change < 0)
    kind = np.where(last, SET_PARAMETER, ADD_PARAMETER)
    return [(who, when, kind, what, np.where(last, 0.0, size))]


def _as_text(values: NDArray[Any]) -> NDArray[Any]:
    """Ids as text, so that 1 of one table is 1 of another."""
    if values.dtype.kind == "f" and len(values) and (values == np.floor(values)).all():
        values = values.astype(np.int64)
    return np.asarray(values).astype(str).astype(object)
