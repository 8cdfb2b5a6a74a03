"""Diseases that an experiment sets: how an injury's agent, amount, route and times drive the model."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from mesolung.biology.entries import Entry
from mesolung.biology.species import REASONS, Change, factors_of, known_parameter, opened, reason_of
from mesolung.biology.spreads import hours
from mesolung.biology.symbols import package_symbols, unit_id, unit_powers

KEYS = ("name", "label", "agent", "route", "base", "amount", "length", "unit", "driver", "parameter")
DRIVER_KEYS = (
    "target", "routes", "basis", "tolerance", "above", "per_unit", "rate", "most", "half", "hill", "unit",
    "start", "length", *REASONS,
)  # fmt: skip
# What an amount is of: a whole subject, a kg of it, anything that has no size, or a volume told by weight.
PER = ("subject", "kg", "intensive", "weight")
SIZE, KG = "size", "kg"
INJURY = "injury"  # a driver that lasts as long as the injury does
FOLDER = ("diseases", "animals")

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class AmountUnit:
    """A unit in which a study may state the amount.

    Attributes:
        unit: as in ``injuries.csv``.
        per: one of `PER`.
        factor: the file's base units that one of it is.
    """

    unit: str
    per: str
    factor: float


@dataclass(frozen=True)
class InjuryDriver:
    """One thing that the injury does to the model.

    Attributes:
        target: a state (added to) or a parameter (set).
        routes: by which the agent does it; empty for all.
        basis: "size", the amount of the whole subject at the human's size; "kg", the amount per kg as it is.
        tolerance: parameter by whose factor in the species the amount is divided, or "".
        above: amount up to which nothing happens.
        per_unit: effect of a base unit above that; None where it saturates.
        most, half, hill: largest effect, amount at half of it, steepness; 0 where it does not saturate.
        total: whether the effect is a total, given evenly over its time; else it stands for that time.
        start_h: after the start of the injury.
        length_h: how long; None for at once, inf for as long as the injury.
        source, grade: as in the table of parameters.
    """

    target: str
    routes: tuple[str, ...]
    basis: str
    tolerance: str
    above: float
    per_unit: float | None
    most: float
    half: float
    hill: float
    total: bool
    start_h: float
    length_h: float | None
    source: str
    grade: str

    def effect(self, amount: Floats) -> Floats:
        """The size of the effect.

        Arguments:
            amount: float64[n], in base units, on the driver's basis.

        Returns:
            float64[n], in the target's unit (times h where it is a total); never less with more.
        """
        dose = np.maximum(amount - self.above, 0.0)
        if self.per_unit is not None:
            return self.per_unit * dose
        powered = dose**self.hill
        return self.most * powered / (self.half**self.hill + powered)


@dataclass(frozen=True)
class AnimalDisease:
    """A disease that an experiment sets.

    Attributes:
        name, label: as study files and as people write it.
        agent: row of ``injuries.csv``.
        route: of the agent where a study does not say; "" for an agent that has none.
        base: what the amount is counted in.
        amount, amount_sd, amount_unit: median, SD of the logarithm and unit of an amount that a study does
            not state.
        amount_source: of that.
        length_h: how long the injury lasts where a study does not say; 0 for one moment.
        units: in which the amount may be stated, by unit.
        drivers: what it does.
        changes: parameters of the agent itself, as a strain's growth.
        hash: of the text.
    """

    name: str
    label: str
    agent: str
    route: str
    base: str
    amount: float
    amount_sd: float
    amount_unit: str
    amount_source: str
    length_h: float
    units: Mapping[str, AmountUnit]
    drivers: tuple[InjuryDriver, ...]
    changes: tuple[Change, ...]
    hash: str

    @property
    def routes(self) -> tuple[str, ...]:
        """Routes that any driver is limited to; empty where the route makes no difference."""
        return tuple(dict.fromkeys(route for driver in self.drivers for route in driver.routes))


@cache
def animal_diseases() -> tuple[str, ...]:
    """Names of the diseases that an experiment can set in the model, sorted."""
    folder = files("mesolung.biology").joinpath(*FOLDER)
    return tuple(sorted(e.name.removesuffix(".toml") for e in folder.iterdir() if e.name.endswith(".toml")))


@cache
def read_animal_disease(which: str | Path) -> AnimalDisease:
    """Read a disease that an experiment sets.

    Arguments:
        which: one of `animal_diseases`, or the path of a file.

    Returns:
        the disease.

    Raises:
        Refusal: for an unknown name; with file and line for a key that is missing or unknown, a number out of
            its bounds, a name or unit that does not fit the model's, or a number without a source.
    """
    entry = opened(which, FOLDER, animal_diseases(), "animal disease")
    entry.only(*KEYS)
    document = entry.document
    units = {one.text("unit"): _unit(one) for one in entry.tables("unit")}
    amount = entry.table("amount")
    amount.only("median", "sd", "unit", *REASONS)
    if amount.text("unit") not in units:
        raise amount.refusal("unknown unit", "unit", found=amount.text("unit"), allowed=", ".join(units))
    length = 0.0
    if "length" in entry.values:
        table = entry.table("length")
        table.only("value", *REASONS)
        reason_of(table)
        length = hours(table, "value")
    return AnimalDisease(
        name=entry.text("name"),
        label=entry.text("label"),
        agent=entry.text("agent"),
        route=entry.text("route", " ").strip() if "route" in entry.values else "",
        base=entry.text("base"),
        amount=amount.number("median"),
        amount_sd=amount.number("sd"),
        amount_unit=amount.text("unit"),
        amount_source=reason_of(amount)[0],
        length_h=length,
        units=MappingProxyType(units),
        drivers=tuple(_driver(one) for one in entry.tables("driver")),
        changes=tuple(change for one in entry.tables("parameter") for change in _factors(one)),
        hash=hashlib.sha256(document.text.encode()).hexdigest(),
    )


@cache
def disease_of_agent() -> Mapping[str, str]:
    """The disease whose file says what an agent does: agent -> name of the disease."""
    return MappingProxyType({read_animal_disease(name).agent: name for name in animal_diseases()})


def _unit(entry: Entry) -> AmountUnit:
    entry.only("unit", "per", "factor")
    if entry.text("per") not in PER:
        raise entry.refusal("unknown per", "per", found=entry.text("per"), allowed=", ".join(PER))
    return AmountUnit(entry.text("unit"), entry.text("per"), entry.number("factor", 1.0))


def _factors(entry: Entry) -> list[Change]:
    entry.only("ids", "factor", *REASONS)
    return factors_of(entry, "factor")


def _driver(entry: Entry) -> InjuryDriver:
    entry.only(*DRIVER_KEYS)
    target = entry.text("target")
    symbol = package_symbols().get(target)
    if symbol is None or symbol.kind not in ("state", "parameter"):
        raise entry.refusal("names what is no state or parameter of the model", "target", found=target)
    routes = entry.values.get("routes", [])
    if not isinstance(routes, list) or not all(isinstance(one, str) for one in routes):
        raise entry.refusal("routes are no list of names", "routes", found=repr(routes))
    basis = entry.text("basis", SIZE)
    if basis not in (SIZE, KG):
        raise entry.refusal("unknown basis", "basis", found=basis, allowed=f"{SIZE}, {KG}")
    tolerance = entry.values.get("tolerance", "")
    if tolerance:
        known_parameter(entry, "tolerance", entry.text("tolerance"))
    forms = [key for key in ("per_unit", "rate", "most") if key in entry.values]
    if len(forms) != 1:
        raise entry.refusal(
            "a driver has one size", found=" and ".join(forms), allowed="per_unit, rate, most"
        )
    length = None
    if "length" in entry.values:
        if symbol.kind == "state":
            raise entry.refusal(f"the state {target} is given at once", "length")
        length = np.inf if entry.text("length") == INJURY else hours(entry, "length")
    elif symbol.kind == "parameter":
        raise entry.refusal(f"how long is the parameter {target} set?", "target", allowed="a length")
    total = length is not None and "rate" not in entry.values
    wanted = unit_powers(symbol.unit)
    if total:
        wanted = unit_powers("h", wanted)
    if unit_powers(unit_id(entry.text("unit"))) != wanted:
        raise entry.refusal(
            f"the unit does not fit {target}",
            "unit",
            found=entry.text("unit"),
            allowed=f"{symbol.unit} times h, a total" if total else symbol.unit,
        )
    saturates = forms == ["most"]
    return InjuryDriver(
        target=target,
        routes=tuple(routes),
        basis=basis,
        tolerance=tolerance,
        above=entry.number("above", 0.0),
        per_unit=None if saturates else entry.number(forms[0]),
        most=entry.number("most") if saturates else 0.0,
        half=entry.number("half") if saturates else 0.0,
        hill=entry.number("hill") if saturates else 0.0,
        total=total,
        start_h=hours(entry, "start") if "start" in entry.values else 0.0,
        length_h=length,
        source=reason_of(entry)[0],
        grade=reason_of(entry)[1],
    )
