"""What the patients of the challenge are given: nothing, cells, dexamethasone or tocilizumab."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mesolung.calibration.cohort import Cohort
from mesolung.calibration.treated import (
    DEXAMETHASONE,
    DEXAMETHASONE_DAYS,
    DEXAMETHASONE_MG,
    TOCILIZUMAB,
    TOCILIZUMAB_MG_PER_KG,
    TOCILIZUMAB_MOST_MG,
)
from mesolung.engine import ADD_STATE, EventTable
from mesolung.population.events import joined, same_events, shifted
from mesolung.product.product import Product
from mesolung.product.profile import lot_profile
from mesolung.trial.doses import cell_doses

Values = NDArray[np.float64]
DAY = 24.0  # h
NONE = "none"
# A usual lot and dose: 1e8 umbilical cord cells, once, into a vein over an hour.
CELLS, CELLS_SOURCE, CELLS_DOSE, CELLS_ROUTE, CELLS_INFUSION_H = (
    "cells",
    "umbilical cord",
    1e8,
    "intravenous",
    1.0,
)
THERAPIES = (NONE, CELLS, "dexamethasone", "tocilizumab")
SAID = {
    NONE: "no therapy besides what the model's patients have",
    CELLS: "1e8 umbilical cord cells once, into a vein over 1 h",
    "dexamethasone": f"{DEXAMETHASONE_MG:g} mg a day for {DEXAMETHASONE_DAYS} d",
    "tocilizumab": f"{TOCILIZUMAB_MG_PER_KG:g} mg/kg once, {TOCILIZUMAB_MOST_MG:g} mg at most",
}


@dataclass(frozen=True)
class Given:
    """A therapy as it reaches the subjects.

    Attributes:
        group: the subjects, with the product's properties among their parameters.
        doses: events, hours since the start of the course.
    """

    group: Cohort
    doses: EventTable


def give(group: Cohort, therapy: str, start_h: Values, seed: int) -> Given:
    """Give a therapy to everybody.

    Arguments:
        group: the subjects.
        therapy: one of `THERAPIES`.
        start_h: float64[N], when, hours since the start of the course.
        seed: keys the lots.

    Returns:
        the subjects and their doses.

    Raises:
        KeyError: for a therapy that is not in the list.
    """
    model, who = group.model, np.arange(group.size)
    if therapy == NONE:
        return Given(group, joined([]))
    if therapy == CELLS:
        return _cells(group, start_h, seed)
    if therapy == "dexamethasone":
        state, dose = model.states.index(DEXAMETHASONE), np.full(group.size, DEXAMETHASONE_MG)
        days = range(DEXAMETHASONE_DAYS)
        return Given(
            group, joined([same_events(ADD_STATE, state, who, start_h + d * DAY, dose) for d in days])
        )
    if therapy == "tocilizumab":
        dose = np.minimum(TOCILIZUMAB_MG_PER_KG * group.covariates["weight"], TOCILIZUMAB_MOST_MG)
        return Given(group, same_events(ADD_STATE, model.states.index(TOCILIZUMAB), who, start_h, dose))
    raise KeyError(therapy)


def inoculum(group: Cohort, state: str, at_h: Values, amount: float) -> EventTable:
    """Bacteria put into the airspace of everybody at once.

    Arguments:
        group: the subjects.
        state: of the pathogen.
        at_h: float64[N], hours since the start of the course.
        amount: MCFU.
    """
    who = np.arange(group.size)
    return same_events(ADD_STATE, group.model.states.index(state), who, at_h, np.full(group.size, amount))


def _cells(group: Cohort, start_h: Values, seed: int) -> Given:
    """A lot a parameter draw, as a run of a study has it."""
    every = np.arange(group.draws.count, dtype=np.intp)
    profile = lot_profile(
        Product(source=CELLS_SOURCE), key=group.draws.key, draws=every, seed=seed, in_blood=True
    )
    live = CELLS_DOSE * profile.viable * (1.0 - profile.lysed)
    apoptotic = CELLS_DOSE * (1.0 - profile.viable) * profile.apoptotic
    rows = group.parameters.copy()
    for name, value in profile.parameters.items():
        if name in group.model.parameters:
            rows[:, group.model.parameters.index(name)] = value[group.draw]
    doses = cell_doses(
        group.model,
        route=CELLS_ROUTE,
        times_h=(0.0,),
        infusion_h=CELLS_INFUSION_H,
        live=live[group.draw],
        apoptotic=apoptotic[group.draw],
    )
    return Given(replace(group, parameters=rows), shifted(doses, start_h[doses.subject]))
