"""Event tables taken apart and put together, subject by subject."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mesolung.engine import EventTable

COLUMNS = ("subject", "time", "kind", "target", "value")


def same_events(
    kind: int,
    target: int,
    subject: NDArray[np.intp],
    time: float | NDArray[np.float64],
    value: NDArray[np.float64],
) -> EventTable:
    """Make a table of one kind of event with one target.

    Arguments:
        kind: one of the engine's kinds of event.
        target: place of the state or parameter.
        subject: intp[m].
        time: hours, one for all or float64[m].
        value: float64[m], in the target's unit.

    Returns:
        the table.
    """
    m = subject.size
    return EventTable(
        subject=np.asarray(subject, np.intp),
        time=np.broadcast_to(np.asarray(time, float), (m,)).copy(),
        kind=np.full(m, kind, np.intp),
        target=np.full(m, target, np.intp),
        value=np.asarray(value, float),
    )


def joined(tables: Sequence[EventTable]) -> EventTable:
    """Put tables behind one another; events at one time keep that order.

    Arguments:
        tables: any number of tables.

    Returns:
        one table.
    """
    if not tables:
        nothing = np.empty(0)
        return same_events(0, 0, nothing.astype(np.intp), 0.0, nothing)
    return EventTable(**{c: np.concatenate([getattr(t, c) for t in tables]) for c in COLUMNS})


def in_order(table: EventTable) -> EventTable:
    """Sort events by subject and time; those of one subject at one time keep their order.

    Arguments:
        table: events.

    Returns:
        the same events.
    """
    order = np.lexsort((table.time, table.subject))
    return EventTable(**{c: getattr(table, c)[order] for c in COLUMNS})


def where(table: EventTable, keep: NDArray[np.bool_]) -> EventTable:
    """Keep some events.

    Arguments:
        table: events.
        keep: bool, one an event.

    Returns:
        the kept events in their order.
    """
    return EventTable(**{c: getattr(table, c)[keep] for c in COLUMNS})


def shifted(table: EventTable, by_h: NDArray[np.float64]) -> EventTable:
    """Move events in time.

    Arguments:
        table: events.
        by_h: hours to add to each event.

    Returns:
        the moved events.
    """
    return EventTable(**{c: getattr(table, c) + (by_h if c == "time" else 0) for c in COLUMNS})


def of_subjects(
    table: EventTable, chosen: NDArray[np.intp], numbers: NDArray[np.intp] | None = None
) -> EventTable:
    """Pick the events of subjects, each as often as it is chosen.

    Arguments:
        table: events.
        chosen: intp[k], subjects of the table, repeats allowed.
        numbers: intp[k], the subjects' new numbers; default 0 to k - 1.

    Returns:
        the events of the chosen subjects.
    """
    numbers = np.arange(chosen.size) if numbers is None else numbers
    order = np.argsort(table.subject, kind="stable")
    sorted_subjects = table.subject[order]
    first = np.searchsorted(sorted_subjects, chosen, side="left")
    count = np.searchsorted(sorted_subjects, chosen, side="right") - first
    offset = np.arange(int(count.sum())) - np.repeat(np.cumsum(count) - count, count)
    place = order[np.repeat(first, count) + offset]
    picked = EventTable(**{c: getattr(table, c)[place] for c in COLUMNS})
    return EventTable(
        subject=np.repeat(numbers, count),
        time=picked.time,
        kind=picked.kind,
        target=picked.target,
        value=picked.value,
    )


def stacked(tables: Sequence[EventTable], size: int) -> EventTable:
    """Put tables of equally many subjects one under another.

    Arguments:
        tables: each for subjects 0 to size - 1.
        size: subjects a table.

    Returns:
        one table; table k has the subjects k x size onwards.
    """
    return joined(
        [
            EventTable(**{c: getattr(t, c) + (k * size if c == "subject" else 0) for c in COLUMNS})
            for k, t in enumerate(tables)
        ]
    )
