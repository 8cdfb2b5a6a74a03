"""A line of a paper's table 1 as the distribution that enrolment aims at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares
from scipy.special import expit, logit, ndtr, ndtri

Scale = Literal["linear", "log", "logit"]


def to_scale(scale: Scale, value: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """Put values on the scale that their quantity is declared to vary on.

    Arguments:
        scale: "linear", "log" or "logit".
        value: in the quantity's own unit; what lies outside the scale gives its end.

    Returns:
        float64, same shape.
    """
    value = np.asarray(value, float)
    with np.errstate(divide="ignore", invalid="ignore"):
        if scale == "log":
            return np.log(np.maximum(value, 0.0))
        return value if scale == "linear" else logit(np.clip(value, 0.0, 1.0))


def from_scale(scale: Scale, value: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """Undo `to_scale`.

    Arguments and returns: as `to_scale`, the other way round.
    """
    value = np.asarray(value, float)
    return value if scale == "linear" else np.exp(value) if scale == "log" else expit(value)


@dataclass(frozen=True)
class Target:
    """A marginal distribution of the enrolled: a split normal on a scale, truncated at bounds.

    The two halves of a split normal meet at its median, so that it goes through three printed quantiles.

    Attributes:
        name: baseline name.
        centre: median on the scale, before truncation.
        below, above: standard deviations left and right of the centre, on the scale; 0 for a share.
        scale: "linear", "log" or "logit".
        lowest, highest: truncation, in the quantity's unit.
        share: for a yes/no line, the share of yes; else None.
        unit: of the quantity.
    """

    name: str
    centre: float = 0.0
    below: float = 0.0
    above: float = 0.0
    scale: Scale = "linear"
    lowest: float = -np.inf
    highest: float = np.inf
    share: float | None = None
    unit: str = ""

    def quantile(self, p: NDArray[np.float64]) -> NDArray[np.float64]:
        """Values below which the shares ``p`` of the enrolled lie, in the quantity's unit.

        Arguments:
            p: probabilities.

        Returns:
            float64, shape of ``p``.
        """
        ends = self._cumulative(to_scale(self.scale, np.array([self.lowest, self.highest])))
        z = ndtri(ends[0] + np.asarray(p, float) * (ends[1] - ends[0]))
        return from_scale(self.scale, self.centre + z * np.where(z < 0, self.below, self.above))

    def _cumulative(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        return ndtr((x - self.centre) / np.where(x < self.centre, self.below, self.above))

    def moments(self) -> tuple[float, float]:
        """Mean and standard deviation after truncation, in the quantity's unit (share: of 0/1).

        Returns:
            (mean, standard deviation).
        """
        if self.share is not None:
            return self.share, float(np.sqrt(self.share * (1.0 - self.share)))
        values = self.quantile((np.arange(400) + 0.5) / 400)
        return float(values.mean()), float(values.std())


@dataclass(frozen=True)
class RankCorrelation:
    """A Spearman correlation that the enrolled are to have.

    Attributes:
        first, second: baseline names.
        rho: -1 to 1.
    """

    first: str
    second: str
    rho: float


def target_from_moments(
    name: str,
    mean: float,
    sd: float,
    *,
    scale: Scale = "linear",
    lowest: float = -np.inf,
    highest: float = np.inf,
    unit: str = "",
) -> Target:
    """Find the normal, on a scale, whose truncation has the printed mean and standard deviation.

    Arguments:
        name: baseline name.
        mean, sd: as printed, that is after truncation, in the quantity's unit.
        scale: the scale that the quantity is declared on.
        lowest, highest: inclusion bounds, same unit.
        unit: of the quantity.

    Returns:
        The target.

    Raises:
        ValueError: when no truncated normal comes within 0.1 SD of both.
    """
    if scale == "linear" and not (np.isfinite(lowest) or np.isfinite(highest)):
        return Target(name, mean, sd, sd, unit=unit)
    # The lognormal with these moments, or the normal itself, is where to start from.
    spread = np.sqrt(np.log1p((sd / mean) ** 2)) if scale == "log" else sd
    centre = np.log(mean) - 0.5 * spread**2 if scale == "log" else mean

    def build(x: NDArray[np.float64]) -> Target:
        return Target(
            name, float(x[0]), float(np.exp(x[1])), float(np.exp(x[1])), scale, lowest, highest, None, unit
        )

    def miss(x: NDArray[np.float64]) -> list[float]:
        m, s = build(x).moments()
        return [(m - mean) / sd, np.log(s / sd)]

    found = least_squares(
        miss,
        x0=[centre, np.log(spread)],
        bounds=([centre - 8 * spread, np.log(spread) - 1.5], [centre + 8 * spread, np.log(spread) + 2.5]),
    )
    if np.max(np.abs(found.fun)) > 0.1:
        raise ValueError(
            f"no distribution between {lowest:g} and {highest:g} has mean {mean:g} and SD {sd:g}"
        )
    return build(found.x)


def target_from_quantiles(
    name: str,
    median: float,
    quartiles: tuple[float, float],
    *,
    scale: Scale = "linear",
    lowest: float = -np.inf,
    highest: float = np.inf,
    unit: str = "",
) -> Target:
    """Put a split normal through a printed median and quartiles.

    Arguments:
        name: baseline name.
        median, quartiles: as printed, in the quantity's unit, increasing; the quartiles differ.
        scale: the scale that the quantity is declared on.
        lowest, highest: inclusion bounds, same unit.
        unit: of the quantity.

    Returns:
        The target; without bounds it goes through the three quantiles exactly, with bounds as near as they
        allow.
    """
    three = np.array([quartiles[0], median, quartiles[1]])
    goal = to_scale(scale, three)
    width = goal[2] - goal[0]

    def build(x: NDArray[np.float64]) -> Target:
        return Target(name, x[0], np.exp(x[1]), np.exp(x[2]), scale, lowest, highest, None, unit)

    def miss(x: NDArray[np.float64]) -> NDArray[np.float64]:
        got = to_scale(scale, build(x).quantile(np.array([0.25, 0.5, 0.75])))
        return (got - goal) / width

    # Scores are printed rounded, so that a quartile can fall on the median: half a step wide it is still.
    below, above = (max(gap, 0.05 * width) / 0.6745 for gap in np.diff(goal))
    start = [goal[1], np.log(below), np.log(above)]
    lower = [goal[1] - 2 * width, start[1] - 3, start[2] - 3]
    upper = [goal[1] + 2 * width, start[1] + 3, start[2] + 3]
    found = least_squares(miss, x0=start, bounds=(lower, upper))
    return build(found.x)
