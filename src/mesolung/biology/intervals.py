"""Intervals of real numbers with open or closed ends, and what the operations of laws make of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

INF = math.inf
End = tuple[float, bool]  # a bound, and whether it is left out


@dataclass(frozen=True)
class Interval:
    """All numbers between two bounds.

    Attributes:
        low, high: the bounds; infinite ones are never reached.
        above, below: whether ``low`` and ``high`` themselves are left out.
    """

    low: float
    high: float
    above: bool = False
    below: bool = False

    @property
    def positive(self) -> bool:
        """Whether every number in it is above 0."""
        return self.low > 0.0 or (self.low == 0.0 and self.above)

    @property
    def negative(self) -> bool:
        """Whether every number in it is below 0."""
        return self.high < 0.0 or (self.high == 0.0 and self.below)

    @property
    def has_zero(self) -> bool:
        """Whether 0 is in it."""
        return not (self.positive or self.negative)

    def __str__(self) -> str:
        left = "(" if self.above or self.low == -INF else "["
        right = ")" if self.below or self.high == INF else "]"
        return f"{left}{self.low:g}, {self.high:g}{right}"


ANYTHING = Interval(-INF, INF)
NOT_NEGATIVE = Interval(0.0, INF)
POSITIVE = Interval(0.0, INF, above=True)
SHARE = Interval(0.0, 1.0)


def point(value: float) -> Interval:
    """Return the interval of one number."""
    return Interval(value, value)


def hull(parts: Iterable[Interval]) -> Interval:
    """Return the smallest interval that holds all of some."""
    all_of = tuple(parts)
    return _between([(p.low, p.above) for p in all_of], [(p.high, p.below) for p in all_of])


def overlap(a: Interval, b: Interval) -> Interval:
    """Return the numbers that are in both; they must share some."""
    low, high = max(a.low, b.low), min(a.high, b.high)
    return Interval(
        low,
        high,
        any(p.above for p in (a, b) if p.low == low),
        any(p.below for p in (a, b) if p.high == high),
    )


def add(a: Interval, b: Interval) -> Interval:
    """Return what sums of their numbers can be."""
    return Interval(
        _sum(a.low, b.low, -INF), _sum(a.high, b.high, INF), a.above or b.above, a.below or b.below
    )


def negate(a: Interval) -> Interval:
    """Return what the numbers with their sign turned can be."""
    return Interval(-a.high, -a.low, a.below, a.above)


def multiply(a: Interval, b: Interval) -> Interval:
    """Return what products of their numbers can be; 0 times anything is 0."""
    corners = [
        _product(x, y)
        for x in ((a.low, a.above), (a.high, a.below))
        for y in ((b.low, b.above), (b.high, b.below))
    ]
    return _between(corners, corners)


def divide(a: Interval, b: Interval) -> Interval:
    """Return what quotients can be; anything at all where 0 is in ``b``."""
    if b.has_zero:
        return ANYTHING
    if b.negative:
        return divide(negate(a), negate(b))
    inverse = Interval(
        0.0 if b.high == INF else 1.0 / b.high,
        INF if b.low == 0.0 else 1.0 / b.low,
        b.high == INF or b.below,
        b.low == 0.0 or b.above,
    )
    return multiply(a, inverse)


def smallest(parts: Iterable[Interval]) -> Interval:
    """Return what the least of one number of each can be."""
    all_of = tuple(parts)
    low, high = min(p.low for p in all_of), min(p.high for p in all_of)
    return Interval(
        low,
        high,
        all(p.above for p in all_of if p.low == low),
        any(p.below for p in all_of if p.high == high),
    )


def largest(parts: Iterable[Interval]) -> Interval:
    """Return what the greatest of one number of each can be."""
    return negate(smallest(negate(p) for p in parts))


def absolute(a: Interval) -> Interval:
    """Return what absolute values can be."""
    if a.low >= 0.0:
        return a
    if a.high <= 0.0:
        return negate(a)
    return Interval(0.0, max(-a.low, a.high), False, False)


def rising(function: Callable[[float], float], a: Interval) -> Interval:
    """Return what a rising function makes of the numbers."""
    return Interval(function(a.low), function(a.high), a.above or a.low == -INF, a.below or a.high == INF)


def power(base: Interval, exponent: Interval) -> Interval:
    """Return what powers can be; anything at all where one of them is not defined."""
    whole = exponent.low == exponent.high and float(exponent.low).is_integer()
    if whole and exponent.low < 0.0:
        return divide(point(1.0), power(base, negate(exponent)))
    if whole and base.low < 0.0:
        return _whole_power(base, int(exponent.low))
    if not power_defined(base, exponent):
        return ANYTHING
    if exponent.low >= 0.0:
        return Interval(
            min(_raise(base.low, exponent.low), _raise(base.low, exponent.high)),
            max(_raise(base.high, exponent.low), _raise(base.high, exponent.high)),
            base.above,
            base.below,
        )
    return POSITIVE if base.positive else NOT_NEGATIVE


def power_defined(base: Interval, exponent: Interval) -> bool:
    """Tell whether every power is a real number."""
    if exponent.low == exponent.high and float(exponent.low).is_integer():
        return exponent.low >= 0.0 or not base.has_zero
    return base.positive or (base.low >= 0.0 and (exponent.low > 0.0 or exponent.positive))


def _whole_power(base: Interval, n: int) -> Interval:
    if n == 0:
        return point(1.0)
    if n % 2 == 0:
        return power(absolute(base), point(float(n)))
    return Interval(_raise(base.low, n), _raise(base.high, n), base.above, base.below)


def _raise(base: float, exponent: float) -> float:
    if base == INF or exponent == INF:
        return INF if exponent > 0.0 and base > 1.0 else float(base >= 1.0)
    try:
        return float(base**exponent)
    except OverflowError:
        return INF if base > 0.0 else -INF


def _sum(a: float, b: float, if_both: float) -> float:
    return if_both if math.isinf(a) and math.isinf(b) else a + b


def _product(x: End, y: End) -> End:
    if x[0] == 0.0 or y[0] == 0.0:
        # A 0 that is reached makes 0 whatever the other is.
        reached = (x[0] == 0.0 and not x[1]) or (y[0] == 0.0 and not y[1])
        return 0.0, not reached
    return x[0] * y[0], x[1] or y[1]


def _between(lows: list[End], highs: list[End]) -> Interval:
    low, high = min(v for v, _ in lows), max(v for v, _ in highs)
    return Interval(
        low, high, all(out for v, out in lows if v == low), all(out for v, out in highs if v == high)
    )
