"""What a counted harm tells: its interval, its bound, and whether the model's expectation agrees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta

from mesolung.calibration.harm.rows import ANY_KIND, THROMBOSIS, HarmRow

Values = NDArray[np.float64]
FOLD = 2.0
INFORMATIVE, BOUND_ONLY, UNSTATED, NO_PRODUCT = (
    "informative",
    "uninformative beyond its bound",
    "of no stated kind",
    "no product: the illness's own",
)
WITHIN, OUTSIDE, BELOW, ABOVE, ABSENT = (
    "within 2-fold",
    "outside 2-fold",
    "at or below the bound",
    "above the bound",
    "not modelled",
)
# Never read as more than a bound, whatever was counted: rare, and most trials end before it could come.
ALWAYS_BOUND = (THROMBOSIS,)
RULE_OF_THREE = 3.0


@dataclass(frozen=True)
class JudgedRow:
    """A row with what the model expects of it.

    Attributes:
        row: as counted.
        share: events over n.
        low, high: 95 % interval of the share by Clopper and Pearson.
        bound: 3/n where none had an event; None otherwise.
        expected: mean over draws of the share that the model expects, 5 and 95 %; None without an answer.
        agreement: one of the words above.
        label: what the row tells.
    """

    row: HarmRow
    share: float
    low: float
    high: float
    bound: float | None
    expected: tuple[float, float, float] | None
    agreement: str
    label: str


def exact_interval(events: int, n: int) -> tuple[float, float]:
    """95 % interval of a share.

    Arguments:
        events: 0 to n.
        n: at least 1.

    Returns:
        both ends.

    Raises:
        ValueError: for numbers that no count can be.

    Source: Clopper and Pearson 1934, Biometrika 26:404.
    """
    if not 0 <= events <= n or n < 1:
        raise ValueError(f"{events} of {n} is no count")
    low = 0.0 if events == 0 else float(beta.ppf(0.025, events, n - events + 1))
    high = 1.0 if events == n else float(beta.ppf(0.975, events + 1, n - events))
    return low, high


def rule_of_three(n: int) -> float:
    """Upper 95 % bound of a share when none of n had an event, 1 at most.

    Arguments:
        n: subjects.
    """
    return min(1.0, RULE_OF_THREE / n)


def judge_row(row: HarmRow, expected: Values | None) -> JudgedRow:
    """Judge a row.

    Arguments:
        row: as counted.
        expected: float64[D], share that each draw expects; None where the model has no answer.

    Returns:
        the row with interval, bound, agreement and label.
    """
    low, high = exact_interval(row.events, row.n)
    bound = rule_of_three(row.n) if row.events == 0 else None
    told = None
    if expected is not None:
        known = expected[np.isfinite(expected)]
        five, ninety_five = np.quantile(known, (0.05, 0.95))
        told = (float(known.mean()), float(five), float(ninety_five))
    agreement = _agreement(row, bound, told)
    if not row.treated:
        label = NO_PRODUCT
    elif agreement == ABOVE:
        label = INFORMATIVE  # a bound that the model breaks does tell something
    elif row.events == 0 or row.harm in ALWAYS_BOUND:
        label = BOUND_ONLY
    elif row.harm in ANY_KIND:
        label = UNSTATED
    else:
        label = INFORMATIVE
    return JudgedRow(row, row.events / row.n, low, high, bound, told, agreement, label)


def pooled_bounds(rows: Mapping[str, int]) -> dict[str, float]:
    """Bounds of several trials without an event, taken together.

    Arguments:
        rows: harm -> subjects of all trials in which none had it.

    Returns:
        harm -> 3 over their number. No pooled estimate: what is not bounded by all together cannot be told.
    """
    return {harm: rule_of_three(n) for harm, n in rows.items() if n > 0}


def _agreement(row: HarmRow, bound: float | None, told: tuple[float, float, float] | None) -> str:
    if told is None:
        return ABSENT
    if bound is not None:
        return BELOW if told[0] <= bound else ABOVE
    share = row.events / row.n
    return WITHIN if told[0] > 0 and share / FOLD <= told[0] <= share * FOLD else OUTSIDE
