"""Estimates of effect from the values of two arms."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mesolung.trial.endpoints import DEATH_ENDPOINTS, EndpointRow, raised
from mesolung.trial.named_tests import binary
from mesolung.trial.outcomes import Floats

RISK_MEASURES = ("risk_ratio", "risk_difference", "odds_ratio")
BINARY_NAMES = {"difference": "risk_difference", "ratio": "risk_ratio"}


class Estimate(NamedTuple):
    """A measure's value (nan: not estimable), and whether 0.5 was added to every cell to form it."""

    value: float
    zero_cell: bool


def estimate(measure: str, a: Floats, b: Floats, row: EndpointRow, log: bool) -> Estimate:
    """A measure that needs only the arms' values: of risks, of means, or of geometric means.

    Args:
        measure: any of `contrasts.MEASURES` but hazard_ratio and win_ratio; for a binary endpoint
            "difference" and "ratio" are those of risks.
        a: float64[a], the treated arm's values without nan.
        b: float64[b], the control arm's.
        row: the endpoint.
        log: whether a ratio is of geometric means.

    Raises:
        ValueError: a risk measure of an endpoint that is not binary.
    """
    is_binary = row.type == "binary" or row.name in DEATH_ENDPOINTS
    if measure in RISK_MEASURES and not is_binary:
        raise ValueError(f"{row.name} is {row.type}; {measure} is for binary endpoints")
    if measure == "none" or a.size == 0 or b.size == 0:
        return Estimate(np.nan, False)
    if measure in ("difference", "risk_difference"):
        return Estimate(float(a.mean() - b.mean()), False)
    if is_binary:
        return _of_table(BINARY_NAMES.get(measure, measure), binary(a), binary(b))
    if log:
        one, two = logarithms(a, b, row)
        return Estimate(float(np.exp(one.mean() - two.mean())), False)
    if row.type in ("count", "rate"):
        zero_cell = float(a.sum()) == 0.0 or float(b.sum()) == 0.0
        add = 0.5 if zero_cell else 0.0
        return Estimate(float(((a.sum() + add) / a.size) / ((b.sum() + add) / b.size)), zero_cell)
    # A ratio of means of opposite sign, or to a mean of 0, has no meaning.
    sensible = a.mean() * b.mean() > 0 or (a.mean() == 0 and b.mean() != 0)
    return Estimate(float(a.mean() / b.mean()) if sensible else np.nan, False)


def logarithms(a: Floats, b: Floats, row: EndpointRow) -> tuple[Floats, Floats]:
    """Natural logarithms of both arms, values of 0 or less where `endpoints.raised` puts them."""
    one, two = raised((a, b), row)
    return np.log(one), np.log(two)


def is_geometric(measure: str | None, row: EndpointRow, as_: str) -> bool:
    """Whether a measure is a ratio of geometric means: of levels of an endpoint on the log scale.

    Args:
        measure: of `contrasts.MEASURES`, or None.
        row: the endpoint.
        as_: "level", "change" or "percent_change".
    """
    return measure == "ratio" and on_logarithms(row, as_)


def on_logarithms(row: EndpointRow, as_: str) -> bool:
    """Whether trials analyse an endpoint on logarithms: levels on the log scale, but no yes or no."""
    binary_row = row.type == "binary" or row.name in DEATH_ENDPOINTS
    return row.scale == "log" and as_ == "level" and not binary_row


def _of_table(measure: str, a: Floats, b: Floats) -> Estimate:
    x, y, m, n = float(a.sum()), float(b.sum()), float(a.size), float(b.size)
    zero_cell = x in (0.0, m) or y in (0.0, n)
    if zero_cell:
        x, y, m, n = x + 0.5, y + 0.5, m + 1.0, n + 1.0
    value = (x / m) / (y / n) if measure == "risk_ratio" else x * (n - y) / (y * (m - x))
    return Estimate(value, zero_cell)
