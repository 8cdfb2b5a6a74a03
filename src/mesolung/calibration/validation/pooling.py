"""Random-effects meta-analysis: the constant effect that a statistician would expect of the next trial."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Values = NDArray[np.float64]
ROUNDS = 200
CLOSE = 1e-10


@dataclass(frozen=True)
class Pooled:
    """A pooled effect.

    Attributes:
        mean, error: of the effects' distribution, and the standard error of its mean.
        between: variance of effects between trials.
        trials: how many were pooled.
    """

    mean: float
    error: float
    between: float
    trials: int

    @property
    def spread(self) -> float:
        """Standard deviation of the effect expected of a new trial.

        Source: Higgins, Thompson and Spiegelhalter 2009 J R Stat Soc A 172:137,
        doi 10.1111/j.1467-985X.2008.00552.x; normal, where they take Student's t.
        """
        return float(np.sqrt(self.between + self.error**2))


def pooled(effects: ArrayLike, variances: ArrayLike) -> Pooled:
    """Pool effects under random effects, their variance between trials by restricted maximum likelihood.

    Arguments:
        effects: float64[k], one a trial, k >= 2.
        variances: float64[k], their squared standard errors, > 0.

    Source: Viechtbauer 2005 J Educ Behav Stat 30:261, doi 10.3102/10769986030003261 (Fisher scoring).
    """
    y, v = np.asarray(effects, np.float64), np.asarray(variances, np.float64)
    between = dersimonian_laird(y, v)
    for _ in range(ROUNDS):
        w = 1.0 / (v + between)
        mean = (w * y).sum() / w.sum()
        # P y and the traces of P and P squared, P = W - W 1 1' W / sum(w).
        residual = w * (y - mean)
        trace = w.sum() - (w * w).sum() / w.sum()
        squared = (w**2).sum() - 2.0 * (w**3).sum() / w.sum() + ((w**2).sum() / w.sum()) ** 2
        step = (float(residual @ residual) - trace) / squared
        moved = max(0.0, between + step)
        if abs(moved - between) < CLOSE * (1.0 + between):
            between = moved
            break
        between = moved
    w = 1.0 / (v + between)
    return Pooled(float((w * y).sum() / w.sum()), float(np.sqrt(1.0 / w.sum())), float(between), y.size)


def dersimonian_laird(effects: ArrayLike, variances: ArrayLike) -> float:
    """Variance between trials by moments.

    Arguments:
        effects, variances: float64[k].

    Source: DerSimonian and Laird 1986 Control Clin Trials 7:177, doi 10.1016/0197-2456(86)90046-2.
    """
    y, v = np.asarray(effects, np.float64), np.asarray(variances, np.float64)
    w = 1.0 / v
    q = float((w * (y - (w * y).sum() / w.sum()) ** 2).sum())
    return max(0.0, (q - (y.size - 1)) / float(w.sum() - (w * w).sum() / w.sum()))


def log_risk_ratio(a: float, n: float, b: float, m: float) -> tuple[float, float] | None:
    """Natural log of a risk ratio and its variance; None where nobody, or everybody, had the event.

    Arguments:
        a, n: events and subjects of the treated arm.
        b, m: of the control arm.

    Returns:
        (log ratio, variance); 0.5 is added to every cell where one is empty.
    """
    if (a == 0 and b == 0) or (a == n and b == m):
        return None
    if 0 in (a, b, n - a, m - b):
        a, b, n, m = a + 0.5, b + 0.5, n + 1.0, m + 1.0
    return float(np.log((a / n) / (b / m))), 1.0 / a - 1.0 / n + 1.0 / b - 1.0 / m


def standardised_difference(
    treated: tuple[float, float, float], control: tuple[float, float, float]
) -> tuple[float, float] | None:
    """Hedges' g and its variance.

    Arguments:
        treated, control: mean, standard deviation and subjects of each arm.

    Returns:
        (g, variance); None without a spread or with fewer than two subjects an arm.

    Source: Hedges 1981 J Educ Stat 6:107, doi 10.3102/10769986006002107.
    """
    (x, s, n), (y, t, m) = treated, control
    if n < 2 or m < 2:
        return None
    pool = ((n - 1) * s**2 + (m - 1) * t**2) / (n + m - 2)
    if pool <= 0:
        return None
    d = (x - y) / np.sqrt(pool)
    small = 1.0 - 3.0 / (4.0 * (n + m) - 9.0)
    return float(small * d), float(small**2 * ((n + m) / (n * m) + d**2 / (2.0 * (n + m))))


def together(found: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """One effect of a trial's several treated arms: their mean by inverse variance.

    Arguments:
        found: (effect, variance) of each; the control arm that they share is not allowed for.
    """
    w = np.array([1.0 / variance for _, variance in found])
    return float(w @ np.array([effect for effect, _ in found]) / w.sum()), float(1.0 / w.sum())
