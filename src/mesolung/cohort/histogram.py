"""Counts on one grid for all numbers: quantiles of any number of values that do not depend on their order."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
Counts = NDArray[np.int64]

# Bins between a power of two and the next: a quantile is wrong by at most its own size / (2 * FINENESS).
FINENESS = 256
RELATIVE_ERROR = 1 / (2 * FINENESS)
# Numbers from 2**-128 to 2**128 have bins of their own size; smaller ones count as 0, larger ones share one.
OCTAVES = 128

_SHIFT = 52 - (FINENESS.bit_length() - 1)
_FIRST = (1023 - OCTAVES) * FINENESS
_MOST = 2 * OCTAVES * FINENESS
_MAGNITUDE = np.int64(2**63 - 1)
_FIXED = 1126  # a sum is kept as a whole number of 2**-1126, which every number is a multiple of
_HALF = 26
_AT_A_TIME = 2**25  # so many halves of mantissas add up without rounding


def bins_of(values: Values) -> Counts:
    """Give each number its bin.

    A bin is a power of two cut into `FINENESS` equal parts, read from the number's own bits, so that no
    rounding is in it and the bin of a number is the same on every machine.

    Arguments:
        values: finite numbers, any shape.

    Returns:
        int64 of the same shape, in the order of the numbers; 0 for zero, negative for negative numbers.
    """
    bits = np.ascontiguousarray(values, dtype=np.float64).view(np.int64)
    size = np.clip(((bits & _MAGNITUDE) >> _SHIFT) - _FIRST + 1, 0, _MOST)
    return np.where(bits < 0, -size, size)


def edges_of(bin_: int) -> tuple[float, float]:
    """Say which numbers a bin holds.

    Arguments:
        bin_: from `bins_of`.

    Returns:
        its lower and its upper end.
    """
    if bin_ == 0:
        smallest = 2.0**-OCTAVES
        return -smallest, smallest
    ends = (np.array([abs(bin_) - 1, abs(bin_)], dtype=np.int64) + _FIRST) << _SHIFT
    low, high = (float(x) for x in ends.view(np.float64))
    return (low, high) if bin_ > 0 else (-high, -low)


class Histogram:
    """How often each bin was met, the exact sum, the extremes, and how many values there were not.

    Adding values and merging histograms gives the same histogram in whatever order and pieces it is done:
    counts and sums are whole numbers.

    Attributes:
        count: finite values; ``missing``: the others; ``least``, ``most``: extremes of the finite ones.
    """

    def __init__(self) -> None:
        """Start empty."""
        self.count, self.missing = 0, 0
        self.least, self.most = np.inf, -np.inf
        self._sum = 0
        self._low = 0
        self._counts: Counts = np.zeros(0, dtype=np.int64)

    def add(self, values: Values) -> None:
        """Count values.

        Arguments:
            values: float64[any]; those that are not finite are counted as missing.
        """
        finite = values[np.isfinite(values)]
        self.missing += len(values) - len(finite)
        if not len(finite):
            return
        self.count += len(finite)
        self.least, self.most = min(self.least, float(finite.min())), max(self.most, float(finite.max()))
        self._sum += sum(_exact_sum(finite[k : k + _AT_A_TIME]) for k in range(0, len(finite), _AT_A_TIME))
        bins = bins_of(finite)
        low = int(bins.min())
        self._put(low, np.bincount(bins - low))

    def merge(self, other: Histogram) -> None:
        """Count what another histogram has counted."""
        self.count += other.count
        self.missing += other.missing
        self.least, self.most = min(self.least, other.least), max(self.most, other.most)
        self._sum += other._sum
        self._put(other._low, other._counts)

    def mean(self) -> float:
        """The mean, the exact one rounded once; NaN without values."""
        return float(Fraction(self._sum, self.count << _FIXED)) if self.count else np.nan

    def quantile(self, part: Fraction) -> float:
        """The value that the given part of the values does not exceed.

        Arguments:
            part: from 0 to 1; 0 gives the least and 1 the largest value.

        Returns:
            The middle of the bin that holds the value of rank ceil(part * count), kept between the extremes:
            off by at most `RELATIVE_ERROR` of its size (2**-128 near zero). NaN without values.
        """
        if not self.count:
            return np.nan
        rank = max(1, -(-part.numerator * self.count // part.denominator))
        if rank in (1, self.count):
            return self.least if rank == 1 else self.most
        k = self._low + int(np.searchsorted(np.cumsum(self._counts), rank))
        low, high = edges_of(k)
        return float(min(max(low / 2 + high / 2, self.least), self.most))

    def _put(self, low: int, counts: Counts) -> None:
        """Add counts of bins from ``low`` on, widening what is kept where they lie outside."""
        if not len(counts):
            return
        if not len(self._counts):
            self._low, self._counts = low, counts.copy()
            return
        first = min(low, self._low)
        last = max(low + len(counts), self._low + len(self._counts))
        if (first, last) != (self._low, self._low + len(self._counts)):
            wider = np.zeros(last - first, dtype=np.int64)
            wider[self._low - first : self._low - first + len(self._counts)] = self._counts
            self._low, self._counts = first, wider
        self._counts[low - first : low - first + len(counts)] += counts


def _exact_sum(values: Values) -> int:
    """The sum as a whole number of 2**-1126: halves of the mantissas are summed by exponent, exactly."""
    part, exponent = np.frexp(values)
    mantissa = np.ldexp(part, 53).astype(np.int64)
    low = int(exponent.min())
    high_sums = np.bincount(exponent - low, weights=(mantissa >> _HALF).astype(np.float64))
    low_sums = np.bincount(exponent - low, weights=(mantissa & (2**_HALF - 1)).astype(np.float64))
    total = 0
    for k in np.flatnonzero((high_sums != 0) | (low_sums != 0)):
        whole = (int(high_sums[k]) << _HALF) + int(low_sums[k])
        total += whole << (int(k) + low - 53 + _FIXED)
    return total
