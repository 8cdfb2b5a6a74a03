"""Summaries of one arm."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike


@dataclass(frozen=True)
class Summary:
    """Number, mean, standard deviation (n - 1) and median of evaluable values; nan where undefined."""

    n: int
    mean: float
    sd: float
    median: float


def summary(values: ArrayLike) -> Summary:
    """Summarises an arm, leaving out the subjects that are not evaluable (nan)."""
    array = np.asarray(values, dtype=np.float64)
    known = array[~np.isnan(array)]
    if known.size == 0:
        return Summary(0, np.nan, np.nan, np.nan)
    spread = float(known.std(ddof=1)) if known.size > 1 else np.nan
    return Summary(known.size, float(known.mean()), spread, float(np.median(known)))
