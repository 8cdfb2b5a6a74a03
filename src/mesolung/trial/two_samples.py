"""Two-sample tests that need nothing but the values of two arms."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import gammaln, ndtr, stdtr
from scipy.stats import mannwhitneyu, rankdata

from mesolung.trial.outcomes import Floats

EXACT_RANKS = 8  # up to this size, without ties, ranks are tested by their exact distribution


class Verdict(NamedTuple):
    """A two-sided p-value (nan: not testable) and which way the first sample lies: -1, 0 or 1."""

    p_value: float
    shift: int


def fisher(first: Floats, second: Floats) -> Verdict:
    """Fisher's exact test on 0/1 values; two-sided p sums the tables no likelier than the observed one."""
    if first.size == 0 or second.size == 0:
        return Verdict(np.nan, 0)
    a, b = round(float(first.sum())), round(float(second.sum()))
    m, n = first.size, second.size
    k = np.arange(max(0, a + b - n), min(m, a + b) + 1)
    log_chance = -(gammaln(k + 1) + gammaln(m - k + 1) + gammaln(a + b - k + 1) + gammaln(n - a - b + k + 1))
    chance = np.exp(log_chance - log_chance.max())
    # Tables equally likely by symmetry differ in the last digits; they belong to the sum.
    extreme = chance <= chance[a - k[0]] * (1.0 + 1e-7)
    p_value = 1.0 if extreme.all() else float(chance[extreme].sum() / chance.sum())
    return Verdict(p_value, int(np.sign(a * n - b * m)))


def welch(first: Floats, second: Floats) -> Verdict:
    """Welch's t-test with Satterthwaite's degrees of freedom; nan with fewer than two values in an arm."""
    if min(first.size, second.size) < 2:
        return Verdict(np.nan, 0)
    (mean, spread), (other, dispersal) = moments(first), moments(second)
    difference, u, v = mean - other, spread / first.size, dispersal / second.size
    if u + v == 0.0:
        return Verdict(1.0 if difference == 0.0 else 0.0, int(np.sign(difference)))
    freedom = (u + v) ** 2 / (u**2 / (first.size - 1) + v**2 / (second.size - 1))
    p_value = 2.0 * float(stdtr(freedom, -abs(difference) / np.sqrt(u + v)))
    return Verdict(p_value, int(np.sign(difference)))


def moments(values: Floats) -> tuple[float, float]:
    """Mean and variance (n - 1) of at least two values; of equal ones exactly that value and 0.

    The rounding of a mean would otherwise give a constant arm a tiny variance, and t-tests of it any p.
    """
    if values.min() == values.max():
        return float(values[0]), 0.0
    return float(values.mean()), float(values.var(ddof=1))


def mann_whitney(first: Floats, second: Floats) -> Verdict:
    """Mann-Whitney test: exact for an arm of up to 8 without ties, else normal with ties and continuity."""
    m, n = first.size, second.size
    if m == 0 or n == 0:
        return Verdict(np.nan, 0)
    pooled = np.concatenate([first, second])
    ranks = rankdata(pooled)
    _, ties = np.unique(pooled, return_counts=True)
    excess = float(ranks[:m].sum()) - m * (m + n + 1) / 2.0
    shift = int(np.sign(excess))
    if min(m, n) <= EXACT_RANKS and ties.max() == 1:
        return Verdict(float(mannwhitneyu(first, second, method="exact").pvalue), shift)
    total = float(m + n)
    variance = (
        m * n / 12.0 * (total + 1.0 - float(np.sum(ties.astype(float) ** 3 - ties)) / (total * (total - 1.0)))
    )
    if variance <= 0.0:  # every value is the same
        return Verdict(1.0, 0)
    p_value = 2.0 * float(ndtr(-max(abs(excess) - 0.5, 0.0) / np.sqrt(variance)))
    return Verdict(min(p_value, 1.0), shift)
