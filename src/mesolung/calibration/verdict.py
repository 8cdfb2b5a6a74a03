"""What a target is, and the rules by which the model meets or misses it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.special import expit, logit
from scipy.stats import beta

MET, MISSED, ABSENT = "met", "missed", "not in the model"
TOO_FEW = "too few virtual patients like these"
FACTOR = 2.0
NORMAL_95 = 1.959964


@dataclass(frozen=True)
class Finding:
    """One target beside what the model gives for it.

    Attributes:
        family: "endotoxin", "viral", "covid" or "usual care".
        name: of the target.
        published: the printed value, in ``unit``.
        low, high: between what the model has to lie, in ``unit``.
        model: what the model gives, in ``unit``; nan when it has no such thing.
        model_low, model_high: 5 and 95 % quantiles over draws; nan for a single draw.
        unit: of all these.
        rule: how low and high follow from what was printed.
        use: "fit", "check", or "context", which is not counted.
        verdict: `MET`, `MISSED` or `ABSENT`.
        note: what a reader should know.
        detail: arrays behind the numbers, for figures.
    """

    family: str
    name: str
    published: float
    low: float
    high: float
    model: float
    model_low: float
    model_high: float
    unit: str
    rule: str
    use: str
    verdict: str
    note: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)


def verdict_of(model: float, low: float, high: float) -> str:
    """Say whether a value lies where it should.

    Arguments:
        model: the model's value; nan where it has hardly anybody like the patients.
        low, high: bounds, inclusive.

    Returns:
        `MET` or `MISSED`.
    """
    return MET if low <= model <= high else MISSED


def within_factor(published: float, factor: float = FACTOR) -> tuple[float, float]:
    """Bound a positive value by a factor to both sides.

    Arguments:
        published: the value.
        factor: at least 1.

    Returns:
        low and high.
    """
    return published / factor, published * factor


def binomial_interval(share: float, n: float) -> tuple[float, float]:
    """Give the exact 95 % interval of a share (Clopper and Pearson 1934).

    Arguments:
        share: between 0 and 1.
        n: subjects that it is of.

    Returns:
        low and high.
    """
    k = round(share * n)
    low = 0.0 if k == 0 else float(beta.ppf(0.025, k, n - k + 1))
    high = 1.0 if k == n else float(beta.ppf(0.975, k + 1, n - k))
    return low, high


def mortality_interval(share: float, n: float, between: float) -> tuple[float, float]:
    """Give the 95 % interval of a mortality in another study of as many patients.

    Arguments:
        share: mortality, between 0 and 1.
        n: patients.
        between: standard deviation between studies, on the logit scale.

    Returns:
        low and high: on the logit scale the binomial and the between-study variance add up.
    """
    centre = min(max(share, 0.5 / n), 1.0 - 0.5 / n)
    sd = np.sqrt(1.0 / (n * centre * (1.0 - centre)) + between**2)
    low, high = expit(logit(centre) + np.array([-1.0, 1.0]) * NORMAL_95 * sd)
    return float(low), float(high)


def over_draws(values: list[float]) -> tuple[float, float]:
    """Give the 5 and 95 % quantiles of what single draws give.

    Arguments:
        values: one a draw; nan where a draw has nobody.

    Returns:
        the two quantiles; nan below three draws.
    """
    known = np.array([v for v in values if np.isfinite(v)])
    if known.size < 3:
        return float("nan"), float("nan")
    low, high = np.quantile(known, [0.05, 0.95])
    return float(low), float(high)
