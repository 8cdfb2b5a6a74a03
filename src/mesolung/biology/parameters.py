"""The table of parameters: one row a parameter, with value, unit, spreads, source and grade."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from mesolung.reading import Refusal, Row, read_table

COLUMNS = (
    "id", "module", "value", "unit", "distribution", "uncertainty", "between_subject", "between_lot",
    "species", "source", "grade", "meaning",
)  # fmt: skip
MAY_BE_EMPTY = ("uncertainty", "between_subject", "between_lot")
DISTRIBUTIONS = ("fixed", "normal", "lognormal", "logit-normal", "spike-lognormal", "spike-normal")
GRADES = ("A", "B", "C")
SETTING_MODULES = ("driver", "background", "product")
SETTING_SOURCES = ("assumed: definition", "assumed: covariate")


@dataclass(frozen=True, slots=True)
class Parameter:
    """One row of parameters.csv.

    Attributes:
        id, module, species, meaning: text; the module is the part of the model that uses it.
        value: typical value (median), in ``unit``.
        distribution: family; on its scale (natural logarithm, logit or plain) stand the spreads.
        uncertainty: standard deviation of the typical value as written, empty for none; for a spike family
            "probability of exactly 0;deviation of the rest".
        between_subject, between_lot: standard deviations between subjects and between lots, 0 for none; what
            differs between lots of a product stands in product/priors.csv.
        source: where the value was seen, how it was derived, or "assumed: reason".
        grade: A measured in humans, B in animals or in vitro, C assumed.
    """

    id: str
    module: str
    value: float
    unit: str
    distribution: str
    uncertainty: str
    between_subject: float
    between_lot: float
    species: str
    source: str
    grade: str
    meaning: str

    @property
    def is_setting(self) -> bool:
        """Whether it is a switch, a covariate or a definition, which no evidence can bear on.

        Such a row is fixed in the table: a study, a disease's course or a product sets it, or it converts
        units.
        """
        return self.distribution == "fixed" and (
            self.module in SETTING_MODULES or self.source.startswith(SETTING_SOURCES)
        )


@dataclass(frozen=True)
class Parameters:
    """All parameters.

    Attributes:
        rows: in the order of the file.
        hash: SHA-256 of the table's text.
    """

    rows: tuple[Parameter, ...]
    hash: str

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """The parameters' names in order."""
        return tuple(row.id for row in self.rows)

    @cached_property
    def graded(self) -> tuple[Parameter, ...]:
        """The rows whose grade says something: all but settings, in order."""
        return tuple(row for row in self.rows if not row.is_setting)

    @cached_property
    def _by_id(self) -> dict[str, Parameter]:
        return {row.id: row for row in self.rows}

    def __getitem__(self, name: str) -> Parameter:
        """Find a row.

        Arguments:
            name: the parameter's id.

        Returns:
            its row.

        Raises:
            KeyError: when there is none.
        """
        return self._by_id[name]

    def __contains__(self, name: object) -> bool:
        return name in self._by_id

    def __iter__(self) -> Iterator[Parameter]:
        return iter(self.rows)

    def of_module(self, *modules: str) -> tuple[str, ...]:
        """List parameters of some modules.

        Arguments:
            modules: names of modules.

        Returns:
            ids, in the order of the file.
        """
        return tuple(row.id for row in self.rows if row.module in modules)


def read_parameters(resource: Path | Traversable | None = None) -> Parameters:
    """Read a parameter table.

    Arguments:
        resource: a file; None reads the table of the package.

    Returns:
        the table.

    Raises:
        Refusal: naming file and line of a row that cannot be used.
    """
    place = resource if resource is not None else files("mesolung.biology") / "parameters.csv"
    rows: list[Parameter] = []
    lines: dict[str, int] = {}
    for row in read_table(place, COLUMNS):
        if row["id"] in lines:
            problem = f"stands twice, first on line {lines[row['id']]}"
            raise Refusal(problem, file="parameters.csv", line=row.line, found=row["id"])
        lines[row["id"]] = row.line
        rows.append(_parameter(row))
    return Parameters(tuple(rows), hashlib.sha256(place.read_bytes()).hexdigest())


def _parameter(row: Row) -> Parameter:
    for column in COLUMNS:
        if not row[column] and column not in MAY_BE_EMPTY:
            raise Refusal(f"{column} is empty", file="parameters.csv", line=row.line)
    _one_of(row, "distribution", DISTRIBUTIONS)
    _one_of(row, "grade", GRADES)
    parts = row["uncertainty"].split(";")
    if len(parts) != (2 if row["distribution"].startswith("spike-") else 1):
        raise Refusal(
            "uncertainty does not suit the distribution",
            file="parameters.csv",
            line=row.line,
            found=row["uncertainty"],
            allowed='a number, or "probability;deviation" for a spike',
        )
    for part in parts:
        _spread(row, part)
    return Parameter(
        id=row["id"],
        module=row["module"],
        value=_number(row, row["value"]),
        unit=row["unit"],
        distribution=row["distribution"],
        uncertainty=row["uncertainty"],
        between_subject=_spread(row, row["between_subject"]),
        between_lot=_spread(row, row["between_lot"]),
        species=row["species"],
        source=row["source"],
        grade=row["grade"],
        meaning=row["meaning"],
    )


def _one_of(row: Row, column: str, allowed: tuple[str, ...]) -> None:
    if row[column] not in allowed:
        raise Refusal(
            f"{column} is unknown",
            file="parameters.csv",
            line=row.line,
            found=row[column],
            allowed=", ".join(allowed),
        )


def _spread(row: Row, text: str) -> float:
    value = _number(row, text or "0")
    if value < 0.0:
        raise Refusal("a spread is negative", file="parameters.csv", line=row.line, found=text)
    return value


def _number(row: Row, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise Refusal("not a finite number", file="parameters.csv", line=row.line, found=text)
    return value
