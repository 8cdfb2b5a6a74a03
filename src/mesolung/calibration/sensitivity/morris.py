"""Morris screening: what one input at a time moves, along random paths through all inputs' quantiles.

Source: Morris 1991, doi 10.2307/1269043; the mean of absolute effects, Campolongo 2007,
doi 10.1016/j.envsoft.2006.10.004.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mesolung.streams import uniforms

Values = NDArray[np.float64]
# A step goes over half of the distribution: from one of the two lower quarters two quarters up, or back.
QUARTERS = 4
STEP = 0.5
RESAMPLES = 1000
LEVELS = (0.05, 0.95)


@dataclass(frozen=True)
class Paths:
    """Paths through the unit cube, one input moved at a step.

    Attributes:
        points: float64[T, k + 1, k], quantiles.
        moved: intp[T, k], input that step i of a path moves.
        up: float64[T, k], 1 where that step goes up, -1 where it goes down.
    """

    points: Values
    moved: NDArray[np.intp]
    up: Values


@dataclass(frozen=True)
class Effects:
    """What inputs move, in the output's unit over half of an input's distribution.

    Attributes:
        mean: float64[k], with its sign.
        size: float64[k], mean of the absolute effects.
        low, high: float64[k], 90 % bootstrap interval of ``size`` over paths.
        spread: float64[k], standard deviation: an input that acts differently elsewhere, or with others.
        kept: int, paths without a gap.
    """

    mean: Values
    size: Values
    low: Values
    high: Values
    spread: Values
    kept: int


def paths(trajectories: int, inputs: int, seed: int) -> Paths:
    """Draw paths.

    Arguments:
        trajectories: T.
        inputs: k.
        seed: of the study.

    Returns:
        the paths; path t is the same however many are drawn.
    """
    points = np.empty((trajectories, inputs + 1, inputs))
    moved = np.empty((trajectories, inputs), np.intp)
    up = np.empty((trajectories, inputs))
    for t in range(trajectories):
        order = np.argsort(uniforms(seed, "morris order", t, inputs), kind="stable")
        low = np.floor(2.0 * uniforms(seed, "morris level", t, inputs))
        within = uniforms(seed, "morris within", t, inputs)
        rises = uniforms(seed, "morris direction", t, inputs) < 0.5
        # Within a quarter anywhere, so that paths together see the whole distribution.
        start = (low + within) / QUARTERS + np.where(rises, 0.0, STEP)
        points[t, 0] = start
        for step, i in enumerate(order):
            points[t, step + 1] = points[t, step]
            points[t, step + 1, i] += STEP if rises[i] else -STEP
        moved[t], up[t] = order, np.where(rises, 1.0, -1.0)[order]
    return Paths(points, moved, up)


def effects(design: Paths, values: Values, seed: int) -> Effects:
    """Work out what each input moves.

    Arguments:
        design: the paths.
        values: float64[T, k + 1], the output along them; a path with a gap (nan) is left out as a whole.
        seed: of the bootstrap.

    Returns:
        the effects; nan without two whole paths.
    """
    whole = np.isfinite(values).all(axis=1)
    count, k = int(whole.sum()), design.moved.shape[1]
    if count == 0:
        nothing = np.full(k, np.nan)
        return Effects(nothing, nothing, nothing, nothing, nothing, 0)
    steps = np.diff(values[whole], axis=1) * design.up[whole]
    own = np.empty((count, k))
    np.put_along_axis(own, design.moved[whole], steps, axis=1)
    size = np.abs(own)
    picked = (uniforms(seed, "morris bootstrap", 0, RESAMPLES * count) * count).astype(np.intp)
    often = (picked.reshape(RESAMPLES, count, 1) == np.arange(count)).sum(axis=1)
    again = often @ size / count
    low, high = np.quantile(again, LEVELS, axis=0)
    spread = own.std(axis=0, ddof=1) if count > 1 else np.full(k, np.nan)
    return Effects(own.mean(axis=0), size.mean(axis=0), low, high, spread, count)
