"""Damped Gauss-Newton steps on a robust sum of squares with a normal prior: the fit behind the ladder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]

# Squares grow up to here and in a straight line beyond (Huber's loss): a far target pulls on, no harder.
# With a logarithm instead the share of ventilated patients was given up for others.
FULL_UP_TO = 2.0
# Of a residual that cannot be formed, as the model has hardly any subject to take it from.
UNKNOWN = 4.0
# Finite differences: large enough to rise above the noise that a change of who is counted makes.
DIFFERENCE, DIFFERENCE_OF_SD = 0.12, 0.4
LONGEST_STEP = 0.6
TOLD_EVERY = 20
DAMPING, LEAST_DAMPING, LESS, MORE, TRIES = 1.0, 0.05, 4.0, 6.0, 4
# The prior's own curvature, times the damping, is what a step is damped by.
OF_PRIOR = 2.0


@dataclass(frozen=True)
class Fitted:
    """Where a fit ended.

    Attributes:
        x: float64[n], the best point, relative to the start.
        residuals: float64[m], there, as the model gives them.
        before, after: cost at the start and at the best point.
        rounds: rounds that lowered the cost.
    """

    x: Values
    residuals: Values
    before: float
    after: float
    rounds: int


def robust(residuals: Values) -> Values:
    """Squeeze large residuals.

    Arguments:
        residuals: float64[m], in tolerances; one that is not finite counts as four.

    Returns:
        float64[m] whose squares are Huber's loss: unchanged up to `FULL_UP_TO` in size, square roots of a
        straight line beyond.

    Source: P. J. Huber, Ann Math Statist 35 (1964) 73.
    """
    known = np.where(np.isfinite(residuals), residuals, UNKNOWN)
    size = np.abs(known)
    beyond = np.sqrt(np.maximum(2.0 * FULL_UP_TO * size - FULL_UP_TO**2, 0.0))
    return np.sign(known) * np.where(size < FULL_UP_TO, size, beyond)


def cost(residuals: Values, x: Values, sd: Values) -> float:
    """Add up what a fit lowers.

    Arguments:
        residuals: float64[m], in tolerances.
        x: float64[n], distance from the prior's centre.
        sd: float64[n], of the prior.

    Returns:
        the sum of squares of squeezed residuals and of x over sd.
    """
    return float((robust(residuals) ** 2).sum() + ((x / sd) ** 2).sum())


def gauss_newton(
    residuals: Callable[[Values], Values], sd: Values, rounds: int, tell: Callable[[str], object] = print
) -> Fitted:
    """Lower the cost from zero on.

    Arguments:
        residuals: of a point float64[n], in tolerances, float64[m].
        sd: float64[n], of the normal prior around zero.
        rounds: at most so many linearisations.
        tell: called with a line of progress.

    Returns:
        the best point. Each round forms the slopes by forward differences, solves the damped normal
        equations, and damps more until the cost falls; it ends early when it does not.

    Source: Levenberg 1944, Marquardt 1963, on squeezed residuals and with the prior's curvature as damping.
    """
    x = np.zeros(sd.size)
    raw = residuals(x)
    best = before = cost(raw, x, sd)
    tell(f"cost {best:.4g} at the start")
    damping, done = DAMPING, 0
    for k in range(rounds):
        now = robust(raw)
        slope = _slopes(residuals, x, now, sd, _teller(tell, k + 1, sd.size))
        lowered = False
        for _ in range(TRIES):
            normal = slope.T @ slope + np.diag((1.0 + OF_PRIOR * damping) / sd**2)
            step = -np.linalg.solve(normal, slope.T @ now + x / sd**2)
            there = x + np.clip(step, -LONGEST_STEP, LONGEST_STEP)
            found = residuals(there)
            value = cost(found, there, sd)
            tell(f"round {k + 1}: cost {value:.4g} at damping {damping:.3g}")
            if value < best:
                x, raw, best, lowered = there, found, value, True
                damping = max(damping / LESS, LEAST_DAMPING)
                break
            damping *= MORE
        if not lowered:
            break
        done += 1
    return Fitted(x, raw, before, best, done)


def _teller(tell: Callable[[str], object], number: int, of: int) -> Callable[[int], object]:
    return lambda done: tell(f"round {number}: {done} of {of} slopes")


def _slopes(
    residuals: Callable[[Values], Values], x: Values, now: Values, sd: Values, done: Callable[[int], object]
) -> Values:
    slope = np.empty((now.size, x.size))
    for k in range(x.size):
        h = min(DIFFERENCE, DIFFERENCE_OF_SD * sd[k])
        beside = x.copy()
        beside[k] += h
        slope[:, k] = (robust(residuals(beside)) - now) / h
        if (k + 1) % TOLD_EVERY == 0:
            done(k + 1)
    return slope
