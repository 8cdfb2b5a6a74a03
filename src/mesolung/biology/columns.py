"""Cells of the tables of names, each read as one kind of thing and refused with its line."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

from mesolung.reading import Refusal, Row
from mesolung.units import quantity, same_dimension


def text_of(row: Row, column: str) -> str:
    """Read a cell that may not be empty."""
    if not row[column]:
        raise wrong(row, column, "is empty")
    return row[column]


def names_of(row: Row, column: str) -> tuple[str, ...]:
    """Read names with ; between them, each once."""
    names = tuple(part.strip() for part in row[column].split(";"))
    if not all(names) or len(set(names)) < len(names):
        raise wrong(row, column, "is not a list of names with ; between them")
    return names


def one_of(row: Row, column: str, allowed: Sequence[str]) -> str:
    """Read a name of a list."""
    if row[column] not in allowed:
        raise Refusal(f"unknown {column}", line=row.line, found=row[column], allowed=", ".join(allowed))
    return row[column]


def yes_of(row: Row, column: str) -> bool:
    """Read yes or no."""
    return one_of(row, column, ("yes", "no")) == "yes"


def number_of(row: Row, column: str) -> float | None:
    """Read a finite number; None for an empty cell."""
    if not row[column]:
        return None
    try:
        value = float(row[column])
    except ValueError:
        raise wrong(row, column, "is not a number") from None
    if not isfinite(value):
        raise wrong(row, column, "is not finite")
    return value


def bounds_of(row: Row) -> tuple[float | None, float | None]:
    """Read lowest and highest, in order, above 0 on a log scale."""
    lowest, highest = number_of(row, "lowest"), number_of(row, "highest")
    if lowest is not None and highest is not None and lowest >= highest:
        raise wrong(row, "highest", f"is not above lowest, {lowest:g}")
    if row["scale"] == "log" and not (lowest and lowest > 0):
        raise wrong(row, "lowest", "must be positive on a log scale")
    return lowest, highest


def units_of(row: Row, unit: str) -> tuple[str, ...]:
    """Read the accepted units of a row, its own among them."""
    units = names_of(row, "accepted_units")
    if unit not in units or not all(same_dimension(one, unit) for one in units):
        raise wrong(row, "accepted_units", f"are not the unit, {unit}, and others that convert to it")
    return units


def hours_of(row: Row, column: str) -> float | None:
    """Read a time in hours; None for an empty cell."""
    if not row[column]:
        return None
    return quantity(row[column]).to("h")


def wrong(row: Row, column: str, problem: str) -> Refusal:
    """Make the refusal of a cell at its line."""
    return Refusal(f"{column} {problem}", line=row.line, found=row[column] or "nothing")
