"""Cells of the tables of names, each read as one kind of thing and refused with its line."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from importlib.resources.abc import Traversable
from math import isfinite
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

from mesolung.reading import Refusal, Row, read_table
from mesolung.units import quantity, same_dimension

Built = TypeVar("Built")


def built_rows(
    file: Path | Traversable, columns: Sequence[str], build: Callable[[Row], Built]
) -> Iterator[tuple[Row, Built]]:
    """Read a table and build something of each of its rows.

    Arguments:
        file: the table.
        columns: that it must have.
        build: makes something of a row, or refuses it.

    Yields:
        rows in the table's order, each with what was built.

    Raises:
        Refusal: for a table that cannot be read; of a row with the file's name and the row's line.
    """
    for row in read_table(file, columns):
        try:
            made = build(row)
        except Refusal as problem:
            raise Refusal(
                problem.problem, file=file.name, line=row.line, found=problem.found, allowed=problem.allowed
            ) from None
        yield row, made


def named_rows(
    file: Path | Traversable, columns: Sequence[str], build: Callable[[Row], Built], name: str = "name"
) -> Mapping[str, Built]:
    """Read a table whose rows have a name each.

    Arguments:
        file, columns, build: as `built_rows`.
        name: the column that names a row.

    Returns:
        name -> what was built, in the table's order; it cannot be written to.

    Raises:
        Refusal: as `built_rows`, and for a name that is empty or stands twice.
    """
    found: dict[str, Built] = {}

    def once(row: Row) -> Built:
        if row[name] in found:
            raise wrong(row, name, "stands twice")
        text_of(row, name)
        return build(row)

    for row, made in built_rows(file, columns, once):
        found[row[name]] = made
    return MappingProxyType(found)


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


def one_of(row: Row, column: str, allowed: Collection[str]) -> str:
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


def required_of(row: Row, column: str) -> float:
    """Read a finite number that may not be missing."""
    value = number_of(row, column)
    if value is None:
        raise wrong(row, column, "is empty")
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
    try:
        return quantity(row[column]).to("h")
    except ValueError as error:
        raise wrong(row, column, f"is no time: {error}") from None


def wrong(row: Row, column: str, problem: str) -> Refusal:
    """Make the refusal of a cell at its line."""
    return Refusal(f"{column} {problem}", line=row.line, found=row[column] or "nothing")
