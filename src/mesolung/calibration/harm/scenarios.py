"""What the model expects of harm under usual products, doses and routes, each on the same patients."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mesolung.calibration.cohort import DAY, Cohort, chosen, with_doses
from mesolung.calibration.enrolled import Enrolled
from mesolung.calibration.given import Giving, give_product, nothing, with_values
from mesolung.population.events import joined
from mesolung.product.product import Product

Values = NDArray[np.float64]
STEP_H = 12.0
MONTH_D, HALF_YEAR_D = 28.0, 180.0
HAZARDS = {
    "fever, 1 d": ("HAZ_fever", 1.0),
    "infusion reaction, 1 d": ("HAZ_reaction", 1.0),
    "thromboembolism, 28 d": ("HAZ_thrombosis", MONTH_D),
    "donor-specific antibody, 28 d": ("HAZ_DSA", MONTH_D),
    "donor-specific antibody, 180 d": ("HAZ_DSA", HALF_YEAR_D),
}
SECOND_D = 90.0
CELLS, ADIPOSE = Product(source="umbilical cord"), Product(source="adipose")
NONE = "no cells"


@dataclass(frozen=True)
class Scenario:
    """A product and how it is given.

    Attributes:
        said: words.
        giving: None for no product.
        values: parameters set beside the lot's.
    """

    said: str
    giving: Giving | None
    values: dict[str, float] = field(default_factory=dict)


SCENARIOS: Mapping[str, Scenario] = {
    NONE: Scenario("usual care", None),
    "usual": Scenario("1e8 umbilical cord cells, into a vein over 1 h", Giving(CELLS, 1e8)),
    "high": Scenario("1e9 umbilical cord cells, into a vein over 1 h", Giving(CELLS, 1e9)),
    "bolus": Scenario(
        "1e9 umbilical cord cells, into a vein in 2 min", Giving(CELLS, 1e9, infusion_h=1 / 30)
    ),
    "three doses": Scenario("1e8 on days 0, 3 and 6", Giving(CELLS, 1e8, days=(0.0, 3.0, 6.0))),
    "second course": Scenario("1e8 on days 0 and 90", Giving(CELLS, 1e8, days=(0.0, SECOND_D))),
    "adipose": Scenario("1e8 adipose cells, into a vein over 1 h", Giving(ADIPOSE, 1e8)),
    "autologous": Scenario(
        "1e8 adipose cells of the patient", Giving(Product(source="adipose", autologous=True), 1e8)
    ),
    "HLA edited": Scenario(
        "1e8 umbilical cord cells, mismatch 0.2 of a donor's (assumed)",
        Giving(CELLS, 1e8),
        {"product_hla": 0.2},
    ),
    "local": Scenario("1e8 umbilical cord cells by bronchoscope", Giving(CELLS, 1e8, route="endobronchial")),
    "vesicles": Scenario(
        "1.4e12 particles into a vein",
        Giving(Product(type="ev", source="umbilical cord"), 1.4e12, unit="particles"),
    ),
}


def expectations(
    enrolled: Enrolled,
    scenarios: Sequence[str] = tuple(SCENARIOS),
    *,
    seed: int = 1,
    workers: int = 1,
    tell: Callable[[str], None] = lambda line: None,
) -> dict[str, dict[str, Any]]:
    """Expect harms.

    Arguments:
        enrolled: patients; what is given counts from enrolment.
        scenarios: of `SCENARIOS`.
        seed: of the lots.
        workers: threads.
        tell: called with each scenario.

    Returns:
        scenario -> harm -> mean over draws of the share with the event, with 5 and 95 %. The dead are
        followed on: each share is of those who would live.
    """
    group = chosen(enrolled.group, enrolled.rows)
    start = enrolled.group.times[enrolled.step].astype(np.float64)
    found: dict[str, dict[str, Any]] = {}
    for name in scenarios:
        tell(name)
        shares = _shares(group, start, SCENARIOS[name], seed, workers)
        found[name] = {harm: _over_draws(share, enrolled) for harm, share in shares.items()}
    return found


def _shares(group: Cohort, start: Values, one: Scenario, seed: int, workers: int) -> dict[str, Values]:
    own, doses = (group, nothing()) if one.giving is None else give_product(group, one.giving, start, seed)
    own = with_values(own, one.values)
    longest = max(day for _, day in HAZARDS.values())
    times = np.arange(0.0, float(start.max()) + longest * DAY + STEP_H, STEP_H)
    names = tuple(dict.fromkeys(hazard for hazard, _ in HAZARDS.values()))
    solved = with_doses(
        replace(own, times=times, values=dict.fromkeys(names, np.empty(0))), joined([doses]), workers=workers
    )
    at = np.arange(start.size)
    first = np.searchsorted(times, start)
    found = {}
    for harm, (hazard, day) in HAZARDS.items():
        last = np.searchsorted(times, start + day * DAY)
        found[harm] = -np.expm1(solved[hazard][at, first] - solved[hazard][at, last])
    return found


def _over_draws(share: Values, enrolled: Enrolled) -> list[float]:
    means = []
    for d in np.unique(enrolled.draw):
        rows = (enrolled.draw == d) & np.isfinite(share)
        weight = enrolled.weight[rows]
        if weight.sum() > 0:
            means.append(float((weight * share[rows]).sum() / weight.sum()))
    low, high = np.quantile(means, (0.05, 0.95))
    return [float(f"{v:.3g}") for v in (float(np.mean(means)), float(low), float(high))]
