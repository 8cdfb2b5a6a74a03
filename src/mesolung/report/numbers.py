"""Numbers as a reader sees them: few digits, the unit's usual form, a dash for what is not known."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

UNKNOWN = "–"
_STATISTICS = {"sd": "SD", "se": "SE", "iqr": "IQR", "ci95": "95 % interval"}
_UNITLESS = {"", "1", "dimensionless", "none", None}


def is_number(value: Any) -> bool:
    """Whether a value is a finite number (True and False are not)."""
    if value is None or isinstance(value, (bool, str, bytes, list, tuple, dict)):
        return False
    try:
        return math.isfinite(value)
    except TypeError:
        return False


def number(value: Any, digits: int = 3) -> str:
    """Print a number with a few significant digits, without an exponent where that is readable.

    Arguments:
        value: a number; anything else, or a number that is not finite, is a dash.
        digits: significant digits; digits before the decimal point are never rounded away below 100,000.

    Returns:
        Text, as "1,234", "0.0862" or "3.1e-07".
    """
    if not is_number(value):
        return UNKNOWN
    value = float(value)
    size = abs(value)
    if value == 0:
        return "0"
    if size >= 1e6 or size < 1e-4:
        return f"{value:.{digits - 1}e}".replace("e+0", "e").replace("e-0", "e-").replace("e+", "e")
    if size >= 10**digits or value.is_integer():
        return f"{value:,.0f}"
    text = f"{value:,.{max(digits - 1 - math.floor(math.log10(size)), 0)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def percent(fraction: Any) -> str:
    """Print a fraction as a percentage with three significant digits.

    Arguments:
        fraction: between 0 and 1.

    Returns:
        Text with the sign, as "12 %".
    """
    return f"{number(100 * float(fraction))} %" if is_number(fraction) else UNKNOWN


def amount(value: Any, unit: str | None) -> str:
    """Print a value in its unit's usual form: fractions as percentages, all else as a bare number.

    Arguments:
        value: a number in ``unit``.
        unit: the unit, as the result states it.
    """
    return percent(value) if unit == "fraction" else number(value)


def axis_value(value: Any, unit: str | None) -> float | None:
    """A value as an axis carries it: fractions in percent.

    Arguments:
        value: a number in ``unit``.
        unit: the unit, as the result states it.

    Returns:
        The number, or None where there is none.
    """
    if not is_number(value):
        return None
    return float(value) * (100.0 if unit == "fraction" else 1.0)


def unit_name(unit: str | None) -> str:
    """A unit as a heading shows it.

    Arguments:
        unit: the unit, as the result states it.

    Returns:
        "%" for a fraction, "no unit" for a number without one, else the unit.
    """
    if unit == "fraction":
        return "%"
    return "no unit" if unit in _UNITLESS else str(unit)


def interval(entry: Mapping[str, Any], unit: str | None = None, low: str = "p05", high: str = "p95") -> str:
    """Print two quantiles of an entry as "LOW to HIGH".

    Arguments:
        entry: what holds the quantiles.
        unit: their unit.
        low, high: their keys.

    Returns:
        Text, with a dash for an end that is not finite.
    """
    if not (is_number(entry.get(low)) or is_number(entry.get(high))):
        return UNKNOWN
    if unit == "fraction":
        return f"{percent(entry.get(low)).removesuffix(' %')} to {percent(entry.get(high))}"
    return f"{number(entry.get(low))} to {number(entry.get(high))}"


def median_interval(entry: Mapping[str, Any], unit: str | None = None) -> str:
    """Print an entry as "MEDIAN (LOW to HIGH)", the ends being the 5 % and 95 % quantiles.

    Arguments:
        entry: what holds p05, p50 and p95.
        unit: their unit.
    """
    return f"{amount(entry.get('p50'), unit)} ({interval(entry, unit)})"


def cells(value: Any) -> str:
    """Print a number of cells in words that a label can hold.

    Arguments:
        value: cells.

    Returns:
        Text, as "95.2 million".
    """
    if not is_number(value):
        return UNKNOWN
    for size, word in ((1e12, " trillion"), (1e9, " billion"), (1e6, " million"), (1e3, " thousand")):
        if abs(float(value)) >= size:
            return number(float(value) / size) + word
    return number(value, 2)


def anything(value: Any) -> str:
    """Print a value of the manifest, whatever it is.

    Arguments:
        value: a number, text, list, or dictionary.

    Returns:
        Text: dictionaries as "key value, key value", two numbers as "LOW to HIGH".
    """
    if isinstance(value, Mapping):
        return (
            ", ".join(
                f"{_STATISTICS.get(k, str(k).replace('_', ' '))} {anything(v)}" for k, v in value.items()
            )
            or UNKNOWN
        )
    if isinstance(value, (list, tuple)) and len(value) == 2 and all(is_number(v) for v in value):
        return f"{anything(value[0])} to {anything(value[1])}"
    if isinstance(value, (list, tuple)):
        return ", ".join(anything(v) for v in value) or UNKNOWN
    if isinstance(value, bool):
        return "yes" if value else "no"
    if is_number(value):
        return number(value, 4)
    return UNKNOWN if value is None else str(value)
