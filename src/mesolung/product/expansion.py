"""From isolation to harvest: doublings, time, senescence, cells, vesicles and doses of a lot."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mesolung.product.lot import Lot
from mesolung.product.priors import read_priors
from mesolung.product.unstated import DOSE_UNIT, unknown_doses, unstated
from mesolung.streams import normals
from mesolung.units import quantity

Values = NDArray[np.float64]
# Growth never stops on paper: so near its end a culture counts as having reached it.
NEAREST = 0.995
POINTS = 400  # of the midpoint rule


@dataclass(frozen=True)
class Expansion:
    """How a lot grew, one of each a drawn lot: float64[R].

    Attributes:
        doublings: cumulative, at harvest.
        ending: doublings at senescence.
        doubling_time: of the young culture, h.
        time: from isolation to harvest, h.
        at_harvest: doubling time at harvest, h.
        senescent: share of the cells that no longer divide.
        donor_cells: cells that the donor could give at this passage, all carried on.
        batch_cells: cells in this batch.
        batch_particles: particles that the batch sheds and isolation recovers.
        donor_particles: particles from all cells that the donor could give.
        dose_cells: cells of one dose.
        dose_particles: particles of one dose.
    """

    doublings: Values
    ending: Values
    doubling_time: Values
    time: Values
    at_harvest: Values
    senescent: Values
    donor_cells: Values
    batch_cells: Values
    batch_particles: Values
    donor_particles: Values
    dose_cells: float
    dose_particles: float


def expand(lot: Lot) -> Expansion:
    """Grow a lot.

    Arguments:
        lot: the lots.

    Returns:
        its expansion; what the lot file states of it, it states.
    """
    said, kind = lot.product.culture, lot.growth
    ending = lot.life * kind.doublings_per_passage
    doublings = lot.passage * kind.doublings_per_passage
    if said and said.doubling_time is not None:
        young = lot.all(said.doubling_time) * (1.0 - used(doublings, ending) ** power())
    else:
        z = normals(lot.seed, f"lot:doubling_time:{lot.product.source}:{_identity(lot)}", 0, lot.draws.size)
        young = kind.doubling_time * np.exp(kind.spread * z + lot.shift("doubling_time"))
    share = used(doublings, ending)
    started = lot.all(said.started if said and said.started else kind.start_cells)
    donor = started * 2.0 ** np.minimum(doublings, NEAREST * ending) * lot("harvest_loss")
    if said and said.harvested:
        batch = lot.all(said.harvested)
    elif lot.product.count and lot.product.count.cells:
        batch = lot.all(lot.product.count.cells)
    else:
        batch = np.minimum(lot("batch_cells"), donor)
    shed = (
        lot("particles_per_cell")
        * kind.ev_yield
        * np.exp(lot.shift("ev_yield"))
        * lot("ev_harvests")
        * lot("ev_recovered")
    )
    weight = read_priors()["subject_weight"].value
    (dose,) = unstated()["dose"]
    return Expansion(
        doublings=doublings,
        ending=ending,
        doubling_time=young,
        time=young * time_grown(doublings, ending),
        at_harvest=young / (1.0 - share ** power()),
        senescent=share ** power() / (1.0 + share ** power()),
        donor_cells=donor,
        batch_cells=batch,
        batch_particles=batch * shed,
        donor_particles=donor * shed,
        dose_cells=quantity(dose.choice).to(DOSE_UNIT) * weight,
        dose_particles=unknown_doses()["ev"].dose * weight,
    )


def power() -> float:
    """Power of the share of its doublings by which growth of a culture slows."""
    return read_priors()["slowing"].value


def used(doublings: Values, ending: Values) -> Values:
    """Share of its doublings that a culture has used, below 1."""
    return np.minimum(doublings / ending, NEAREST)


def time_grown(doublings: Values, ending: Values) -> Values:
    """Time that growth took, in doubling times of the young culture.

    Arguments:
        doublings: float64[R], cumulative.
        ending: float64[R], doublings at senescence.

    Returns:
        float64[R], the integral of 1 / (1 - (x / ending)^p) from 0 to ``doublings``.
    """
    share = used(doublings, ending)
    at = (np.arange(POINTS) + 0.5) / POINTS
    steps = 1.0 / (1.0 - (at[:, None] * share) ** power())
    return steps.mean(axis=0) * share * ending


def _identity(lot: Lot) -> str:
    return lot.product.identity_text
