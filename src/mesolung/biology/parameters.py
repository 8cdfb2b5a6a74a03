"""The table of parameters: one row a parameter, with value, unit, spreads, source and grade."""

import csv
import hashlib
import io
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files

COLUMNS = (
    "id",
    "module",
    "value",
    "unit",
    "distribution",
    "uncertainty",
    "between_subject",
    "between_lot",
    "species",
    "source",
    "grade",
    "meaning",
)
DISTRIBUTIONS = ("fixed", "normal", "lognormal", "logit-normal", "spike-lognormal", "spike-normal")


@dataclass(frozen=True, slots=True)
class Parameter:
    """One row of parameters.csv.

    ``value`` is the typical value (median). ``uncertainty``, ``between_subject`` and ``between_lot`` are standard
    deviations on the scale of ``distribution``: of the logarithm, of the logit, or plain. ``uncertainty`` is kept as
    written, for a spike distribution it reads "probability of exactly 0;deviation of the rest", empty is 0.
    ``grade``: A measured in humans, B in animals or in vitro, C assumed.
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


@dataclass(frozen=True)
class Parameters:
    """All parameters, in the order of the file; ``hash`` is the SHA-256 of the table's text."""

    rows: tuple[Parameter, ...]
    hash: str

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """The parameters' names in order."""
        return tuple(row.id for row in self.rows)

    @cached_property
    def _by_id(self) -> dict[str, Parameter]:
        return {row.id: row for row in self.rows}

    def __getitem__(self, name: str) -> Parameter:
        """Return the row called ``name``; raises KeyError when there is none."""
        return self._by_id[name]

    def __contains__(self, name: object) -> bool:
        return name in self._by_id

    def __iter__(self) -> Iterator[Parameter]:
        return iter(self.rows)

    def of_module(self, *modules: str) -> tuple[str, ...]:
        """Return the names of the parameters of the given modules, in order."""
        return tuple(row.id for row in self.rows if row.module in modules)


def read_parameters(text: str | None = None) -> Parameters:
    """Read the parameter table.

    Arguments: ``text``, the content of a parameters.csv; None reads the packaged table.
    Returns the frozen table. Raises ValueError naming the line when a row cannot be used.
    """
    if text is None:
        text = (files("mesolung.biology") / "parameters.csv").read_text(encoding="utf-8")
    reader = csv.DictReader(io.StringIO(text))
    if tuple(reader.fieldnames or ()) != COLUMNS:
        raise ValueError(f"parameters.csv:1: columns {reader.fieldnames}; expected {','.join(COLUMNS)}")
    rows: list[Parameter] = []
    seen: set[str] = set()
    for record in reader:
        where = f"parameters.csv:{reader.line_num}"
        row = _parameter(record, where)
        if row.id in seen:
            raise ValueError(f"{where}: {row.id} stands twice")
        seen.add(row.id)
        rows.append(row)
    return Parameters(tuple(rows), hashlib.sha256(text.encode()).hexdigest())


def _parameter(record: dict[str, str], where: str) -> Parameter:
    """Turn one record into a Parameter, or say what is wrong with it."""
    for name in ("id", "module", "value", "unit", "distribution", "species", "source", "grade", "meaning"):
        if not record.get(name):
            raise ValueError(f"{where}: {name} is empty")
    if record["distribution"] not in DISTRIBUTIONS:
        raise ValueError(f"{where}: distribution {record['distribution']}; allowed: {', '.join(DISTRIBUTIONS)}")
    if record["grade"] not in "ABC":
        raise ValueError(f"{where}: grade {record['grade']}; allowed: A, B, C")
    parts = record["uncertainty"].split(";")
    if len(parts) != (2 if record["distribution"].startswith("spike") else 1):
        raise ValueError(f"{where}: uncertainty {record['uncertainty']} does not suit {record['distribution']}")
    for part in parts:
        _number(part or "0", where)
    return Parameter(
        id=record["id"],
        module=record["module"],
        value=_number(record["value"], where),
        unit=record["unit"],
        distribution=record["distribution"],
        uncertainty=record["uncertainty"],
        between_subject=_number(record["between_subject"] or "0", where),
        between_lot=_number(record["between_lot"] or "0", where),
        species=record["species"],
        source=record["source"],
        grade=record["grade"],
        meaning=record["meaning"],
    )


def _number(text: str, where: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{where}: {text} is not a finite number")
    return value
