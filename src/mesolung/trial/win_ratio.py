"""The win ratio: treated-control pairs won against pairs lost, by sorting."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import rankdata

from mesolung.trial.outcomes import Floats


@dataclass(frozen=True)
class WinRatio:
    """Pairs won, lost and tied by the treated arm, and won / lost.

    `zero_cell` is true when there were no wins or no losses and 0.5 was added to both.
    """

    estimate: float
    wins: int
    losses: int
    ties: int
    zero_cell: bool


def win_ratio(treated: ArrayLike, control: ArrayLike, better: str) -> WinRatio:
    """Compares every treated with every control subject in O(n log n), ties counting for neither.

    Pocock et al. 2012, Eur Heart J 33:176 (unmatched form). For a hierarchy of outcomes pass
    `composite_rank`.

    Args:
        treated: float64[a], nan left out.
        control: float64[b], nan left out.
        better: "higher" or "lower".

    Returns:
        The `WinRatio`; its estimate is nan when an arm is empty, 1 when every pair is tied.
    """
    a, b = np.asarray(treated, dtype=np.float64), np.asarray(control, dtype=np.float64)
    a, b = a[~np.isnan(a)], np.sort(b[~np.isnan(b)])
    below = int(np.searchsorted(b, a, side="left").sum())
    above = int((b.size - np.searchsorted(b, a, side="right")).sum())
    wins, losses = (below, above) if better == "higher" else (above, below)
    ties = a.size * b.size - wins - losses
    if a.size == 0 or b.size == 0:
        return WinRatio(np.nan, 0, 0, 0, False)
    empty = wins == 0 or losses == 0
    add = 0.5 if empty else 0.0
    return WinRatio((wins + add) / (losses + add), wins, losses, ties, empty)


def composite_rank(values: ArrayLike, death_time: ArrayLike, better: str) -> Floats:
    """Ranks subjects by death first and by the endpoint among those alive: the higher the better.

    A survivor beats the dead, a later death beats an earlier one, survivors compare by value. The
    Mann-Whitney test of these ranks is the Finkelstein-Schoenfeld test for complete follow-up.

    Args:
        values: float64[n], the endpoint of all subjects of both arms (the dead's is not read).
        death_time: float64[n], hours; inf when alive at the end of follow-up.
        better: "higher" or "lower", for the values.

    Returns:
        float64[n], average ranks from 1; nan for a survivor whose value is nan.
    """
    value, death = np.asarray(values, dtype=np.float64), np.asarray(death_time, dtype=np.float64)
    alive = np.isinf(death)
    known = np.where(alive, ~np.isnan(value), ~np.isnan(death))
    key = np.where(alive, value if better == "higher" else -value, 0.0)
    # Two integer keys make one: later death first, then the value among those alive.
    by_death = rankdata(death[known], method="dense").astype(np.float64)
    by_value = rankdata(key[known], method="dense").astype(np.float64)
    result = np.full(value.shape, np.nan)
    result[known] = rankdata(by_death * (by_value.max(initial=0.0) + 1.0) + by_value)
    return result
