"""What one dose of a lot loses on its way, and what its cells regain in the body."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mesolung.biology.tables import routes
from mesolung.product.expansion import expand
from mesolung.product.living import hold_time, over_life
from mesolung.product.lot import Lot
from mesolung.product.product import ALIVE, WITHOUT_CELLS, Product
from mesolung.product.profile import lot_profile
from mesolung.product.received import Profile

INTRAVENOUS = "intravenous"
LAST_HOUR, EVERY_H = 72.0, 3.0  # of the course of what the cells regain
PLAIN = 0.99  # share from which on nothing is told as regained
Values = NDArray[np.float64]


def given_into_a_vein(lot: Lot) -> Profile:
    """Draw what the body receives of a lot given into a vein.

    Arguments:
        lot: the lots.
    """
    return lot_profile(
        lot.product,
        key=lot.key,
        draws=lot.draws,
        seed=lot.seed,
        route=routes()[INTRAVENOUS],
        unit=unit_of(lot.product),
    )


def unit_of(product: Product) -> str:
    """Name the unit that a dose of a product is counted in.

    Arguments:
        product: validated.
    """
    return {"ev": "particles", "conditioned-medium": "cell-equivalents"}.get(product.type, "cells")


def band(values: Values) -> dict[str, float]:
    """Give median and 90 % interval of drawn lots.

    Arguments:
        values: float64[R].
    """
    low, middle, high = np.quantile(values, (0.05, 0.5, 0.95))
    return {"p05": float(low), "p50": float(middle), "p95": float(high)}


def waterfall(lot: Lot) -> list[dict[str, Any]]:
    """Follow one dose from what was counted to what works as the reference does.

    Arguments:
        lot: the lots.

    Returns:
        each stage with its median and 90 % interval.
    """
    found = expand(lot)
    profile, product = given_into_a_vein(lot), lot.product
    potency = over_life(lot, profile.parameters)["product_potency"]
    stages: list[tuple[str, Values]]
    if product.type in ALIVE:
        counted = lot.all(found.dose_cells)
        alive = profile.viable * counted
        waited = lot("hold_loss") * np.exp(lot.shift("hold_loss")) * hold_time(lot)
        stages = [
            ("counted", counted),
            ("alive at release", alive * np.exp(waited)),
            ("alive at the vein", alive),
            ("alive past complement", alive * (1.0 - profile.lysed) * profile.delivered),
        ]
        stages.append(("as reference cells", stages[-1][1] * potency))
    elif product.type in WITHOUT_CELLS:
        counted = lot.all(found.dose_particles if product.type == "ev" else found.dose_cells)
        arrived = counted * profile.per_unit * profile.particles
        stages = [("counted", counted), ("as the reference counts", counted * profile.per_unit)]
        stages += [
            ("vesicles that arrive", arrived),
            ("as reference vesicles", arrived * potency),
        ]
    else:
        counted = lot.all(found.dose_cells)
        stages = [
            ("counted", counted),
            ("found by phagocytes", counted * profile.apoptotic * profile.delivered),
        ]
    return [{"stage": name, **band(values)} for name, values in stages]


def course(lot: Lot) -> dict[str, Any] | None:
    """Work out secretion and licensing over hours in the body, against what they become.

    Arguments:
        lot: the lots.

    Returns:
        "hours", and for each of the two its mean and 90 % interval; None for lots that have all at once.
    """
    own = given_into_a_vein(lot).parameters
    hours = np.arange(0.0, LAST_HOUR + 1.0, EVERY_H)[:, None]
    secretion = np.exp(-own["product_drift"] * np.exp(-own["product_reverting"] * hours))
    licensing = 1.0 - own["product_asleep"] * np.exp(-own["product_waking"] * hours)
    if min(secretion[0].mean(), licensing[0].mean()) >= PLAIN:
        return None
    found: dict[str, Any] = {"hours": [float(h) for h in hours[:, 0]]}
    for name, values in (("secretion", secretion), ("licensing", licensing)):
        low, high = np.quantile(values, (0.05, 0.95), axis=1)
        # Half of thawed lots have no lag: their mean tells more than the median.
        bands = {"p05": low, "mean": values.mean(axis=1), "p95": high}
        found[name] = {key: [float(v) for v in band] for key, band in bands.items()}
    return found
