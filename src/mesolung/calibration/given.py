"""A product given to virtual patients by any route, dose and times, as a run of a study does it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mesolung.biology.tables import routes
from mesolung.calibration.cohort import DAY, Cohort
from mesolung.engine import EventTable
from mesolung.population.events import joined, shifted
from mesolung.product.product import Product
from mesolung.product.profile import lot_profile
from mesolung.product.received import CELLS_PER_GCELL
from mesolung.trial.doses import product_doses

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Giving:
    """A product and how it is given.

    Attributes:
        product: what.
        dose: one administration, in ``unit``.
        unit: "cells" or "particles".
        route: row of ``routes.csv``.
        infusion_h: length of one administration, h.
        days: of the administrations, after enrolment.
    """

    product: Product
    dose: float
    unit: str = "cells"
    route: str = "intravenous"
    infusion_h: float = 1.0
    days: tuple[float, ...] = (0.0,)


def give_product(group: Cohort, giving: Giving, start_h: Values, seed: int) -> tuple[Cohort, EventTable]:
    """Give a product to everybody, a lot a parameter draw.

    Arguments:
        group: the subjects.
        giving: what is given, and how.
        start_h: float64[N], enrolment, hours since the start of the course.
        seed: keys the lots.

    Returns:
        the subjects, with the lot's properties among their parameters, and their doses.

    Raises:
        KeyError: for a route that is not in the table.
    """
    route = routes()[giving.route]
    profile = lot_profile(
        giving.product,
        key=group.draws.key,
        draws=np.arange(group.draws.count, dtype=np.intp),
        seed=seed,
        route=route,
        unit=giving.unit,
        typical=group.draws.values,
    )
    rows = group.parameters.copy()
    for name, value in profile.parameters.items():
        if name in group.model.parameters:
            rows[:, group.model.parameters.index(name)] = value[group.draw]
    counted = giving.dose * profile.per_unit
    viable = counted * profile.viable
    entering = (
        (route.live_cells_enter, viable * (1.0 - profile.lysed) * profile.delivered),
        (route.apoptotic_cells_enter, (counted - viable) * profile.apoptotic * profile.delivered),
        (route.particles_enter, counted * profile.particles),
    )
    amounts = {s: (n / CELLS_PER_GCELL)[group.draw] for s, n in entering if s is not None and np.any(n > 0)}
    amounts |= {s: (counted * rise)[group.draw] for s, rise in profile.soluble.items()}
    doses = product_doses(
        group.model,
        amounts=amounts,
        times_h=tuple(day * DAY for day in giving.days),
        infusion_h=giving.infusion_h,
    )
    return replace(group, parameters=rows), shifted(doses, start_h[doses.subject])


def with_values(group: Cohort, values: dict[str, float]) -> Cohort:
    """The same subjects with some parameters set.

    Arguments:
        group: the subjects.
        values: parameter -> its value for everybody.

    Raises:
        ValueError: for a name that the model has not.
    """
    rows = group.parameters.copy()
    for name, value in values.items():
        rows[:, group.model.parameters.index(name)] = value
    return replace(group, parameters=rows)


def nothing() -> EventTable:
    """No doses at all."""
    return joined([])
