"""Populations of events, with the uncertainty of counting them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import beta, norm

from mesolung.product.quality.repair import Repair
from mesolung.reading import Refusal

LEVEL = 0.95
Members = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Population:
    """Events in a gate.

    Attributes:
        name: its name.
        parent: the population that it is counted in; "" for all events.
        count: events in it.
        of: events of the parent.
        percent: count of parent, %; None where the parent is empty.
        low, high: 95 % interval of the percentage by Wilson, which is that of counting alone.
        marker: what it is positive for; None for a gate that is no marker's.
        median: median intensity of the marker among its events; None where it has none.
    """

    name: str
    parent: str
    count: int
    of: int
    percent: float | None
    low: float
    high: float
    marker: str | None = None
    median: float | None = None


@dataclass(frozen=True, eq=False)
class Gated:
    """Every population of one data set.

    Attributes:
        populations: in the order in which they were gated.
        members: name -> whether each event lies in it (events,).
        assumed: what the gating took for granted, in sentences.
        repairs: what was not as the format asks, of events and of gates.
        thresholds: marker -> scaled intensity above which an event is positive.
    """

    populations: tuple[Population, ...]
    members: Mapping[str, Members]
    assumed: tuple[str, ...]
    repairs: tuple[Repair, ...]
    thresholds: Mapping[str, float]

    def population(self, name: str) -> Population:
        """Find a population by its name.

        Raises:
            Refusal: for a name that is not there.
        """
        for population in self.populations:
            if population.name == name:
                return population
        names = ", ".join(population.name for population in self.populations)
        raise Refusal("no such population", found=name, allowed=names)

    @property
    def viability(self) -> Population | None:
        """The viable events; None where no dye tells them."""
        return next((p for p in self.populations if p.name == VIABLE), None)


VIABLE = "viable"


def count_population(
    name: str,
    members: Members,
    parent: str,
    within: Members,
    marker: str | None = None,
    median: float | None = None,
) -> Population:
    """Count a population in its parent.

    Arguments:
        members, within: whether each event lies in it, and in its parent (events,).
    """
    count, of = int(np.count_nonzero(members & within)), int(np.count_nonzero(within))
    low, high = share_interval(count, of)
    percent = 100 * count / of if of else None
    return Population(name, parent, count, of, percent, 100 * low, 100 * high, marker, median)


def share_interval(count: int, of: int, level: float = LEVEL, method: str = "wilson") -> tuple[float, float]:
    """Interval of a share that was counted.

    Arguments:
        count: how many of them.
        of: among how many; of none, nothing is known.
        level: probability of the interval.
        method: "wilson", or "exact" for that of Clopper and Pearson.

    Returns:
        lower and upper end, 0 to 1.

    Raises:
        Refusal: for a method that is not there.

    Source: Brown, Cai and DasGupta 2001, doi 10.1214/ss/1009213286.
    """
    if method not in ("wilson", "exact"):
        raise Refusal("no such interval of a share", found=method, allowed="wilson, exact")
    if of <= 0:
        return 0.0, 1.0
    tail = (1 - level) / 2
    if method == "exact":
        low = 0.0 if count == 0 else float(beta.ppf(tail, count, of - count + 1))
        high = 1.0 if count == of else float(beta.ppf(1 - tail, count + 1, of - count))
        return low, high
    z = float(norm.ppf(1 - tail))
    share, spread = count / of, z * z / of
    middle = (share + spread / 2) / (1 + spread)
    half = z / (1 + spread) * float(np.sqrt(share * (1 - share) / of + spread / (4 * of)))
    return (0.0 if count == 0 else middle - half), (1.0 if count == of else middle + half)
