"""Quantile bands of a cohort, by output and time, in a memory that the subjects do not fill."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mesolung.cohort.histogram import Histogram

Values = NDArray[np.float64]
DEFAULT_QUANTILES = ("0.05", "0.5", "0.95")


class Bands:
    """A histogram of every output at every time.

    Subjects may be added in any order and pieces, and bands merged in any order: the table is the same, bit
    for bit.
    """

    def __init__(self, outputs: Sequence[str], times: Values) -> None:
        """Start without subjects.

        Arguments:
            outputs: names.
            times: float64[times].
        """
        self.outputs, self.times = tuple(outputs), times
        self._cells = [[Histogram() for _ in times] for _ in self.outputs]

    def add(self, values: Values) -> None:
        """Count subjects.

        Arguments:
            values: float64[subjects, times, outputs]; what is not a finite number is counted as missing.
        """
        for o, cells in enumerate(self._cells):
            for t, cell in enumerate(cells):
                cell.add(np.ascontiguousarray(values[:, t, o]))

    def merge(self, other: Bands) -> None:
        """Count the subjects of other bands with the same outputs and times."""
        for own, cells in zip(self._cells, other._cells, strict=True):
            for cell, more in zip(own, cells, strict=True):
                cell.merge(more)

    def table(self, quantiles: Sequence[Fraction]) -> dict[str, NDArray[Any]]:
        """Give the bands as columns, a row an output and time.

        Arguments:
            quantiles: parts from 0 to 1.

        Returns:
            output, time, subjects (counted), missing, mean, lowest, highest, and a column a quantile
            (``p05`` for 0.05); NaN where no subject has a value.
        """
        cells = [cell for row in self._cells for cell in row]
        columns: dict[str, NDArray[Any]] = {
            "output": np.repeat(np.array(self.outputs, dtype=object), len(self.times)),
            "time": np.tile(self.times, len(self.outputs)),
            "subjects": np.array([cell.count for cell in cells], dtype=np.int64),
            "missing": np.array([cell.missing for cell in cells], dtype=np.int64),
            "mean": np.array([cell.mean() for cell in cells]),
            "lowest": np.array([cell.least if cell.count else np.nan for cell in cells]),
            "highest": np.array([cell.most if cell.count else np.nan for cell in cells]),
        }
        for part in quantiles:
            columns[quantile_name(part)] = np.array([cell.quantile(part) for cell in cells])
        return columns


def quantile_name(part: Fraction) -> str:
    """Name the column of a quantile: ``p05`` for 0.05, ``p97.5`` for 0.975."""
    percent = 100 * part
    if percent.denominator == 1:
        return f"p{percent.numerator:02d}"
    return f"p{float(percent)!r}"
