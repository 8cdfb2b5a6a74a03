"""Species beside the human adult: their size, and what of the model's parameters differs."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import as_file, files
from pathlib import Path
from types import MappingProxyType

from mesolung.biology.entries import Entry
from mesolung.biology.parameters import GRADES, read_parameters
from mesolung.biology.symbols import unit_id
from mesolung.reading import Refusal, read_toml
from mesolung.units import UnitError, convert

HUMAN = "human"
# The layer over a species of a lung out of the body; no animal of its own.
PERFUSED = "perfused-lung"
ASSUMED = "assumed: "
FOLDER = ("species",)
KEYS = ("name", "label", "size", "extensive", "factor", "value")
REASONS = ("source", "grade")


@dataclass(frozen=True)
class Change:
    """What a parameter of the human adult becomes in a species.

    Attributes:
        id: of the parameter.
        how: "factor" (the human value times ``value``), "value" (``value`` in the parameter's unit), or
            "extensive" (an amount of the whole animal, ``value`` in the parameter's unit, which is brought to
            the human's size as every amount is).
        value: the number.
        source, grade: as in the table of parameters.
    """

    id: str
    how: str
    value: float
    source: str
    grade: str


@dataclass(frozen=True)
class Species:
    """A species as the model needs it.

    Attributes:
        name, label: as study files and as people write it.
        weight_kg: typical body weight.
        weight_sd: standard deviation of its natural logarithm between subjects.
        lung_g: lung mass at that weight.
        exponent_sd: standard deviation of the exponent by which amounts may scale otherwise than by size.
        spread: how much subjects differ, relative to patients.
        delivered_sd: standard deviation of the natural logarithm of what of an injury arrives.
        share: part of the two lungs that the experiment has.
        changes: of the parameters, in the file's order.
        hash: of the text.
    """

    name: str
    label: str
    weight_kg: float
    weight_sd: float
    lung_g: float
    exponent_sd: float
    spread: float
    delivered_sd: float
    share: float
    changes: tuple[Change, ...]
    hash: str

    def factor_of(self, parameter: str) -> float:
        """By how much the species' value of a parameter exceeds the human's, dimensionless."""
        factors = [c.value for c in self.changes if c.id == parameter and c.how == "factor"]
        return factors[-1] if factors else 1.0


def species_names() -> tuple[str, ...]:
    """Names of the species of the package, the human among them, sorted."""
    folder = files("mesolung.biology") / "species"
    found = (e.name.removesuffix(".toml") for e in folder.iterdir() if e.name.endswith(".toml"))
    return tuple(sorted(name for name in found if name != PERFUSED))


@cache
def read_species(which: str | Path) -> Species:
    """Read a species.

    Arguments:
        which: one of `species_names`, or the path of a file.

    Returns:
        the species.

    Raises:
        Refusal: for an unknown name; with file and line for a key that is missing or unknown, a number out of
            its bounds, a parameter that the model does not have or a number without a source.
    """
    entry = opened(which, FOLDER, species_names(), "species")
    entry.only(*KEYS)
    size = entry.table("size")
    size.only("weight", "lung", "exponent", "spread", "delivered")
    return Species(
        name=entry.text("name"),
        label=entry.text("label"),
        weight_kg=_amount(size, "weight", "kg"),
        weight_sd=_spread(size, "weight"),
        lung_g=_amount(size, "lung", "g"),
        exponent_sd=_spread(size, "exponent") if "exponent" in size.values else 0.0,
        spread=_amount(size, "spread", None),
        delivered_sd=_spread(size, "delivered"),
        share=1.0,
        changes=_changes(entry),
        hash=_hash(entry),
    )


@cache
def read_perfused(name: str) -> Species:
    """Read a species of which a lung is kept alive out of the body.

    Arguments:
        name: one of `species_names`.

    Returns:
        the species with one lung, and with what a perfused lung lacks.

    Raises:
        Refusal: as `read_species`.
    """
    whole, entry = read_species(name), _layer()
    size = entry.table("size")
    size.only("share")
    return Species(
        **{
            **whole.__dict__,
            "label": f"{entry.text('label')} of a {whole.label}",
            "share": _amount(size, "share", None),
            "changes": (*whole.changes, *_changes(entry)),
            "hash": f"{whole.hash}+{_hash(entry)}",
        }
    )


@cache
def all_changes() -> Mapping[str, tuple[Change, ...]]:
    """Every number that species files set: name of the file -> changes, for tests and pages."""
    found = {name: read_species(name).changes for name in species_names()}
    return MappingProxyType({**found, PERFUSED: _changes(_layer())})


def opened(which: str | Path, folder: Sequence[str], names: Sequence[str], what: str) -> Entry:
    """Open a file of the package by its name, or any file by its path.

    Arguments:
        which: one of the names, or the path of a file.
        folder: of the package's biology, where files of such names lie.
        names: that there are.
        what: they are, for the refusal.

    Returns:
        the content; a file of the package has the name that stands in it.

    Raises:
        Refusal: for an unknown name, or a file that cannot be read.
    """
    if isinstance(which, Path):
        document = read_toml(which)
        return Entry(document, str(which), (), document.values)
    if which not in names:
        raise Refusal(f"unknown {what}", found=which, allowed=", ".join(names))
    with as_file(files("mesolung.biology").joinpath(*folder, f"{which}.toml")) as path:
        document = read_toml(path)
    entry = Entry(document, f"{which}.toml", (), document.values)
    if entry.text("name") != which:
        raise entry.refusal("the name is not the file's", "name", found=entry.text("name"), allowed=which)
    return entry


def _layer() -> Entry:
    entry = opened(PERFUSED, FOLDER, (PERFUSED,), "layer")
    entry.only(*KEYS)
    return entry


def _hash(entry: Entry) -> str:
    return hashlib.sha256(entry.document.text.encode()).hexdigest()


def reason_of(entry: Entry) -> tuple[str, str]:
    """Read where a number comes from.

    Arguments:
        entry: the table that states the number.

    Returns:
        source and grade.

    Raises:
        Refusal: for an unknown grade, or one above C without a source that was read.
    """
    source, grade = entry.text("source"), entry.text("grade")
    if grade not in GRADES:
        raise entry.refusal("unknown grade", "grade", found=grade, allowed=", ".join(GRADES))
    if source.startswith(ASSUMED) and grade != "C":
        raise entry.refusal("what is assumed has grade C", "grade", found=grade, allowed="C")
    return source, grade


def _amount(size: Entry, key: str, unit: str | None) -> float:
    entry = size.table(key)
    entry.only("value", "sd", "unit", *REASONS)
    reason_of(entry)
    value = entry.number("value")
    if value <= 0.0:
        raise entry.refusal(f"{key} must be above 0", "value", found=f"{value:g}")
    if unit is not None and entry.text("unit") != unit:
        raise entry.refusal("wrong unit", "unit", found=entry.text("unit"), allowed=unit)
    return value


def _spread(size: Entry, key: str) -> float:
    entry = size.table(key)
    entry.only("value", "sd", "unit", *REASONS)
    reason_of(entry)
    sd = entry.number("sd")
    if sd < 0.0:
        raise entry.refusal("sd is negative", "sd", found=f"{sd:g}", allowed="0 or more")
    return sd


def _changes(entry: Entry) -> tuple[Change, ...]:
    found: list[Change] = []
    for one in entry.tables("extensive"):
        one.only("id", "value", "unit", *REASONS)
        parameter = one.text("id")
        wanted = known_parameter(one, "id", parameter)
        try:
            value = convert(one.number("value"), one.text("unit"), wanted)
        except UnitError:
            # Units that only the model has, as Gcell.
            if unit_id(one.text("unit")) != unit_id(wanted):
                raise one.refusal("wrong unit", "unit", found=one.text("unit"), allowed=wanted) from None
            value = one.number("value")
        found.append(Change(parameter, "extensive", value, *reason_of(one)))
    for one in entry.tables("factor"):
        one.only("ids", "value", *REASONS)
        found += factors_of(one, "value")
    for one in entry.tables("value"):
        one.only("id", "value", *REASONS)
        known_parameter(one, "id", one.text("id"))
        found.append(Change(one.text("id"), "value", one.number("value"), *reason_of(one)))
    names = [change.id for change in found]
    for name in names:
        if names.count(name) > 1:
            raise entry.refusal("a parameter is changed twice", found=name)
    return tuple(found)


def factors_of(entry: Entry, key: str) -> list[Change]:
    """Read a table that multiplies parameters.

    Arguments:
        entry: the table, with ``ids``, a source and a grade.
        key: of the factor.

    Returns:
        a change for each parameter.

    Raises:
        Refusal: for ids that are no list of parameters, or a factor that is not above 0.
    """
    ids = entry.required("ids")
    if not isinstance(ids, list) or not ids or not all(isinstance(one, str) for one in ids):
        raise entry.refusal("ids are no list of parameters", "ids", found=repr(ids))
    factor = entry.number(key)
    if factor <= 0.0:
        raise entry.refusal("a factor must be above 0", key, found=f"{factor:g}")
    for name in ids:
        known_parameter(entry, "ids", name)
    return [Change(name, "factor", factor, *reason_of(entry)) for name in ids]


def known_parameter(entry: Entry, key: str, name: str) -> str:
    """Find the unit of a parameter that a table names.

    Arguments:
        entry: the table.
        key: where the name stands.
        name: of the parameter.

    Returns:
        its unit.

    Raises:
        Refusal: for a name that the table of parameters has not.
    """
    units = _units()
    if name not in units:
        raise entry.refusal("names what is no parameter of the model", key, found=name)
    return units[name]


@cache
def _units() -> Mapping[str, str]:
    return MappingProxyType({row.id: row.unit for row in read_parameters()})
