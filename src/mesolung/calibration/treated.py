"""Drugs given to enrolled subjects: the other arm of a paired comparison, on the same courses."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mesolung.calibration.cohort import chosen, with_doses
from mesolung.calibration.enrolled import DAY, Enrolled
from mesolung.engine import ADD_STATE, EventTable
from mesolung.population.events import joined, same_events

Values = NDArray[np.float64]

DEXAMETHASONE, TOCILIZUMAB = "DEX", "TCZ"
DEXAMETHASONE_MG, DEXAMETHASONE_DAYS = 6.0, 10
TOCILIZUMAB_MG_PER_KG = 8.0
# 400 to 800 mg by weight, one dose; the highest is 800 mg (RECOVERY, doi 10.1016/S0140-6736(21)00676-0).
TOCILIZUMAB_MOST_MG = 800.0


def with_dexamethasone(enrolled: Enrolled, *, workers: int = 2) -> Enrolled | None:
    """Give 6 mg of dexamethasone a day for ten days from enrolment on.

    Arguments:
        enrolled: who receives it.
        workers: threads.

    Returns:
        the same subjects under the drug; None when the model has no such drug.
    """
    if DEXAMETHASONE not in enrolled.group.model.states:
        return None
    every = np.ones(enrolled.size, bool)
    return _with(enrolled, dexamethasone_doses(enrolled, every), workers)


def with_tocilizumab(enrolled: Enrolled, steroid: NDArray[np.bool_], *, workers: int = 2) -> Enrolled | None:
    """Give tocilizumab once at enrolment, 8 mg/kg, to subjects some of whom are on a steroid.

    Arguments:
        enrolled: who receives it.
        steroid: bool[m], who has dexamethasone from enrolment on besides.
        workers: threads.

    Returns:
        the same subjects under the drugs; None when the model has no such drug.
    """
    model = enrolled.group.model
    if TOCILIZUMAB not in model.states or DEXAMETHASONE not in model.states:
        return None
    weight = enrolled.group.covariates["weight"][enrolled.rows]
    dose = np.minimum(TOCILIZUMAB_MG_PER_KG * weight, TOCILIZUMAB_MOST_MG)
    who = np.arange(enrolled.size)
    once = same_events(ADD_STATE, model.states.index(TOCILIZUMAB), who, _start(enrolled), dose)
    return _with(enrolled, joined([dexamethasone_doses(enrolled, steroid), once]), workers)


def with_some_steroid(enrolled: Enrolled, steroid: NDArray[np.bool_], *, workers: int = 2) -> Enrolled | None:
    """Give dexamethasone to some of the enrolled.

    Arguments:
        enrolled: everybody.
        steroid: bool[m], who receives it.
        workers: threads.

    Returns:
        the same subjects; None when the model has no such drug.
    """
    if DEXAMETHASONE not in enrolled.group.model.states:
        return None
    return _with(enrolled, dexamethasone_doses(enrolled, steroid), workers)


def dexamethasone_doses(enrolled: Enrolled, who: NDArray[np.bool_]) -> EventTable:
    """Write down ten daily doses of dexamethasone.

    Arguments:
        enrolled: subjects.
        who: bool[m], who receives them.

    Returns:
        events of the subjects numbered 0 to m - 1, hours since the start of the course.
    """
    rows = np.flatnonzero(who)
    state = enrolled.group.model.states.index(DEXAMETHASONE)
    start = _start(enrolled)[rows]
    amount = np.full(rows.size, DEXAMETHASONE_MG)
    return joined(
        [same_events(ADD_STATE, state, rows, start + d * DAY, amount) for d in range(DEXAMETHASONE_DAYS)]
    )


def _start(enrolled: Enrolled) -> Values:
    return enrolled.group.times[enrolled.step].astype(np.float64)


def _with(enrolled: Enrolled, doses: EventTable, workers: int) -> Enrolled:
    # Only the enrolled are solved again; of them every one is in the new cohort, in order.
    own = chosen(enrolled.group, enrolled.rows)
    group = with_doses(own, doses, workers=workers)
    return replace(enrolled, group=group, rows=np.arange(enrolled.size))
