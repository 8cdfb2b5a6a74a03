"""The table of parameters: one row a parameter, with value, unit, spreads, source and grade."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from mesolung.biology.columns import built_rows
from mesolung.reading import Refusal, Row

COLUMNS = (
    "id", "module", "value", "unit", "distribution", "uncertainty", "between_subject", "between_lot",
    "species", "source", "grade", "meaning",
)  # fmt: skip
MAY_BE_EMPTY = ("uncertainty", "between_subject", "between_lot")
DISTRIBUTIONS = ("fixed", "normal", "lognormal", "logit-normal", "spike-lognormal", "spike-normal")
GRADES = {"A": "measured in humans", "B": "measured in animals or in vitro", "C": "assumed"}
SETTING_MODULES = ("driver", "background", "product")
SETTING_SOURCES = ("assumed: definition", "assumed: covariate")
SOURCE = re.compile(r"(assumed|seen|derived): \S")
NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)


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
        line: of the table's file, from 1; 0 for a row that no file holds.
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
    line: int = field(default=0, compare=False)

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
        file: name of the table's file.
    """

    rows: tuple[Parameter, ...]
    hash: str
    file: str = "parameters.csv"

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

    def find(self, name: str) -> Parameter | None:
        """Find a row, or None where there is none."""
        return self._by_id.get(name)

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
    lines: dict[str, int] = {}

    def once(row: Row) -> Parameter:
        if row["id"] in lines:
            raise Refusal(f"stands twice, first on line {lines[row['id']]}", found=row["id"])
        lines[row["id"]] = row.line
        return _parameter(row)

    rows = tuple(parameter for _, parameter in built_rows(place, COLUMNS, once))
    return Parameters(rows, hashlib.sha256(place.read_bytes()).hexdigest(), place.name)


def _parameter(row: Row) -> Parameter:
    for column in COLUMNS:
        if not row[column] and column not in MAY_BE_EMPTY:
            raise Refusal(f"{row['id'] or 'a parameter'} has no {column}")
    name = row["id"]
    if not NAME.fullmatch(name):
        raise Refusal("an id is letters, digits and underscores", found=name)
    _one_of(row, "distribution", DISTRIBUTIONS)
    _one_of(row, "grade", GRADES)
    if not SOURCE.match(row["source"]):
        raise Refusal(
            f"the source of {name} does not say whether the value was seen",
            found=row["source"],
            allowed='"seen: ...", "derived: ..." or "assumed: ..."',
        )
    value = _number(row, "value")
    _supported(name, row["distribution"], value)
    return Parameter(
        id=name,
        module=row["module"],
        value=value,
        unit=row["unit"],
        distribution=row["distribution"],
        uncertainty=_uncertainty(row),
        between_subject=_spread(name, row["between_subject"]),
        between_lot=_spread(name, row["between_lot"]),
        species=row["species"],
        source=row["source"],
        grade=row["grade"],
        meaning=row["meaning"],
        line=row.line,
    )


def _one_of(row: Row, column: str, allowed: Collection[str]) -> None:
    if row[column] not in allowed:
        raise Refusal(
            f"the {column} of {row['id']} is unknown", found=row[column], allowed=", ".join(allowed)
        )


def _supported(name: str, distribution: str, value: float) -> None:
    """Refuse a typical value that its distribution cannot take."""
    family = distribution.removeprefix("spike-")
    if family == "lognormal" and not value > 0.0:
        raise Refusal(f"{name} cannot be {distribution}", found=f"value {value:g}", allowed="a value above 0")
    if family == "logit-normal" and not 0.0 < value < 1.0:
        raise Refusal(
            f"{name} cannot be {distribution}", found=f"value {value:g}", allowed="a value between 0 and 1"
        )


def _uncertainty(row: Row) -> str:
    text = row["uncertainty"]
    parts = text.split(";")
    if len(parts) != (2 if row["distribution"].startswith("spike-") else 1):
        raise Refusal(
            f"the uncertainty of {row['id']} does not suit the distribution",
            found=text or "nothing",
            allowed='a number, or "probability;deviation" for a spike',
        )
    spreads = [_spread(row["id"], part) for part in parts]
    if len(parts) == 2 and spreads[0] > 1.0:
        raise Refusal(f"{row['id']} has a probability above 1", found=text)
    return text


def _spread(name: str, text: str) -> float:
    value = _finite(name, text or "0")
    if value < 0.0:
        raise Refusal(f"a spread of {name} is negative", found=text)
    return value


def _number(row: Row, column: str) -> float:
    return _finite(row["id"], row[column])


def _finite(name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise Refusal(f"{name} has what is not a finite number", found=text)
    return value
