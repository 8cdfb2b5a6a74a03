"""Numbers as the rows of the evidence print them."""

from __future__ import annotations

import re
from typing import Any

NUMBER = r"[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?"
_PLAIN = re.compile(rf"~?\s*({NUMBER})")
_PAIR = re.compile(rf"({NUMBER})\s*(?:;|to|,|(?<=[0-9])\s*-)\s*({NUMBER})")
_WHOLE = re.compile(r"~?\s*([0-9]+)\b")


def number(text: str) -> float | None:
    """Read a cell that is one number.

    Arguments:
        text: of the cell, perhaps with "~" before it.

    Returns:
        the number; None for anything else.
    """
    match = _PLAIN.fullmatch(text.strip())
    return None if match is None else float(match[1])


def pair(text: str) -> tuple[float, float] | None:
    """Find two numbers, lower and upper, as "107-205", "-29.14;2.13" or "0.85 to 2.07".

    Arguments:
        text: of a cell.

    Returns:
        the first pair; None without one.
    """
    match = _PAIR.search(text)
    return None if match is None else (float(match[1]), float(match[2]))


def whole(text: str) -> int | None:
    """Read a cell that begins with a whole number, as "20" or "58 (44 repeat)".

    Arguments:
        text: of the cell.

    Returns:
        the number; None without one.
    """
    match = _WHOLE.match(text.strip())
    return None if match is None else int(match[1])


def events_of(percent: str, n: int) -> int | None:
    """Find how many of n subjects a printed percentage means.

    Arguments:
        percent: as printed, "17.6".
        n: subjects.

    Returns:
        the whole number nearest to it, if its percentage rounds to what is printed; else None.
    """
    value = number(percent)
    if value is None or n <= 0:
        return None
    digits = len(percent.split(".")[1]) if "." in percent else 0
    found = round(value * n / 100)
    return found if abs(100 * found / n - value) <= 0.5001 * 10**-digits else None


def p_value(text: str) -> float | None:
    """Read a p value that is printed as a number.

    Arguments:
        text: of the cell; "<0.05" is none.

    Returns:
        in (0, 1]; None otherwise.
    """
    value = number(text.removeprefix("p").strip())
    return value if value is not None and 0 < value <= 1 else None


def spread_of(text: str, kind: str = "") -> dict[str, Any]:
    """Read a spread: "SD 14", "IQR 0-22", "95% CI -29.14;2.13", or a bare number with its kind beside it.

    Arguments:
        text: of the cell.
        kind: what another cell says it is.

    Returns:
        sd, se, iqr or ci95 as the study file names them; empty for a range or nothing.
    """
    words = f"{kind} {text}"
    if re.search(r"\bIQR\b", words) and "width" not in words:
        found = pair(text)
        return {} if found is None else {"iqr": list(found)}
    if re.search(r"95\s*%\s*CI", words) or kind == "95%CI":
        found = pair(text)
        return {} if found is None else {"ci95": list(found)}
    match = re.search(NUMBER, text)
    if match is None:
        return {}
    if re.search(r"\bSE[M]?\b", words):
        return {"se": float(match[0])}
    if re.search(r"\bSD\b", words):
        return {"sd": float(match[0])}
    return {}
