"""Quantities where they enter and leave: a number with a unit of the field, and conversion between units."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from mesolung.reading import Refusal

if TYPE_CHECKING:
    import pint

# One base unit a dimension, then what is derived from them, as pint writes definitions. There are no
# prefixes, so that a unit is one of these names or nothing ("min" is no milli-inch, "Pa" no pico-year).
# Predicted body weight is a dimension of its own: a dose per kg of it cannot pass for one per kg of actual
# weight. So is each thing that is counted, and a score's point: a P/F of 7 points is refused.
DEFINITIONS = (
    "hour = [time] = h = hours = hr",
    "minute = hour / 60 = min = minutes",
    "second = hour / 3600 = s = seconds = sec",
    "day = 24 * hour = d = days",
    "week = 7 * day = wk = weeks",
    "year = 365.25 * day = y = years = yr",
    "month = year / 12 = mo = months",
    "gram = [mass] = g = grams",
    "kilogram = 1000 * gram = kg",
    "milligram = gram / 1000 = mg",
    "microgram = milligram / 1000 = ug = mcg",
    "nanogram = microgram / 1000 = ng",
    "picogram = nanogram / 1000 = pg",
    "kg_PBW = [predicted_body_weight]",
    "metre = [length] = m = meter",
    "centimetre = metre / 100 = cm",
    "millimetre = metre / 1000 = mm",
    "nanometre = metre / 1000000000 = nm",
    "micrometre = metre / 1000000 = um",
    "kilometre = 1000 * metre = km",
    "square_metre = metre ** 2 = m2",
    "square_millimetre = millimetre ** 2 = mm2",
    "square_centimetre = centimetre ** 2 = cm2",
    "cubic_metre = metre ** 3 = m3",
    "millilitre = centimetre ** 3 = mL = ml",
    "litre = 1000 * millilitre = L = l",
    "decilitre = 100 * millilitre = dL = dl",
    "microlitre = millilitre / 1000 = uL = ul",
    "mole = [substance] = mol",
    "millimole = mole / 1000 = mmol",
    "micromole = millimole / 1000 = umol",
    "nanomole = micromole / 1000 = nmol",
    "picomole = nanomole / 1000 = pmol",
    "molar = mole / litre = M",
    "millimolar = molar / 1000 = mM",
    "micromolar = millimolar / 1000 = uM",
    "nanomolar = micromolar / 1000 = nM",
    "picomolar = nanomolar / 1000 = pM",
    "pascal = [pressure] = Pa",
    "kilopascal = 1000 * pascal = kPa",
    "mmHg = 133.322387415 * pascal",
    "cmH2O = 98.0665 * pascal",
    "cmH2O_second = cmH2O * second = cmH2O_s",
    "cell = [cells] = _ = cells",
    "kilocell = 1000 * cell = kcell",
    "gigacell = 1000000000 * cell = Gcell",
    "cell_equivalent = [cell_equivalents] = _ = cell_equivalents",
    "particle = [particles] = _ = particles",
    "copy = [copies] = _ = copies",
    "gigacopy = 1000000000 * copy = Gcopy",
    "CFU = [colony_forming_units] = _ = cfu",
    "megaCFU = 1000000 * CFU = MCFU",
    "international_unit = [international_units] = IU",
    "EID50 = [egg_infectious_doses]",
    "TCID50 = [tissue_culture_infectious_doses]",
    "PFU = [plaque_forming_units] = _ = pfu",
    "endotoxin_unit = [endotoxin] = EU",
    "enzyme_unit = [enzyme_activity] = U",
    "milliunit = enzyme_unit / 1000 = mU",
    "event = [events] = _ = events = count = counts",
    "luminescence_unit = [luminescence] = LU",
    "degree_Celsius = [temperature] = degC",
    "cigarette = [cigarettes] = _ = cigarettes",
    "puncture = [punctures] = _ = punctures",
    "point = [points] = _ = points",
    "IU = [activity]",
    "pack_year = [smoked] = _ = pack_years",
    "fraction = []",
    "percent = fraction / 100",
    "ppb = fraction / 1000000000",
)
NUMBER = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
_QUANTITY = re.compile(rf"({NUMBER})\s*(\S.*)", re.DOTALL)
NAMES = frozenset(
    name
    for definition in DEFINITIONS
    for place, name in enumerate(definition.split(" = "))
    if place != 1 and name != "_"
)
_LONGEST = 60
_SPELLED = {"%": "percent", "1": "fraction", "dimensionless": "fraction"}
_WRITTEN = (
    ("µ", "u"),
    ("μ", "u"),
    ("kg PBW", "kg_PBW"),
    ("mm Hg", "mmHg"),
    ("cm H2O", "cmH2O"),
    ("cmH2O s", "cmH2O_s"),
    ("cell-equivalent", "cell_equivalent"),
    ("pack-year", "pack_year"),
    # Blood and lavage counts, as laboratories print them.
    ("1e9/L", "Gcell/L"),
    ("10^9/L", "Gcell/L"),
    ("1e3/uL", "Gcell/L"),
    ("1e3/mL", "kcell/mL"),
)


class UnitError(Refusal, ValueError):
    """A quantity or unit that cannot be used as it stands; whoever knows the file adds the place."""


@dataclass(frozen=True)
class Quantity:
    """A number with its unit.

    Attributes:
        value: finite.
        unit: as it was written, blanks tidied; `convert` reads it.
    """

    value: float
    unit: str

    def to(self, unit: str) -> float:
        """Return the value in another unit; UnitError when that measures something else."""
        return convert(self.value, self.unit, unit)


def quantity(text: str) -> Quantity:
    """Read a quantity such as "10e6 cells/kg PBW", "28 d" or "-3 h".

    Arguments:
        text: a number, and a unit behind it.

    Returns:
        the quantity.

    Raises:
        UnitError: for a number that is missing, not finite, or without a unit; an unknown unit.
    """
    found = _QUANTITY.fullmatch(text.strip())
    if found is None:
        raise UnitError(f"{_shown(text)} is not a number with a unit, as in '28 d'")
    value, unit = float(found[1]), " ".join(found[2].split())
    if not math.isfinite(value):
        raise UnitError(f"{found[1][:_LONGEST]} is too large a number")
    _parsed(unit)
    return Quantity(value, unit)


def convert(value: float, from_unit: str, to_unit: str) -> float:
    """Give a value in another unit.

    Arguments:
        value: a number in ``from_unit``.
        from_unit, to_unit: units.

    Returns:
        the number in ``to_unit``.

    Raises:
        UnitError: for an unknown unit, or two that measure different things.

    Source of pressures: mmHg and cmH2O as ISO 80000-4 defines them; a year is 365.25 days.
    """
    if not same_dimension(from_unit, to_unit):
        raise UnitError(f"{from_unit!r} cannot be converted to {to_unit!r}")
    return value * _factor(from_unit, to_unit)


def same_dimension(a: str, b: str) -> bool:
    """Tell whether two units measure the same thing.

    Arguments:
        a, b: units.

    Returns:
        whether `convert` takes one to the other.

    Raises:
        UnitError: for an unknown unit.
    """
    return _parsed(a).dimensionality == _parsed(b).dimensionality


@cache
def _factor(from_unit: str, to_unit: str) -> float:
    if from_unit == to_unit:
        return 1.0
    return float(_registry().convert(1.0, _parsed(from_unit), _parsed(to_unit)))


@cache
def _registry() -> pint.UnitRegistry:
    import pint

    empty: Any = None  # a registry that knows no unit
    registry = pint.UnitRegistry(empty)
    for definition in DEFINITIONS:
        registry.define(definition)
    return registry


@cache
def _parsed(unit: str) -> pint.Unit:
    """A unit, or several with a stroke between them: the first over all the others."""
    if len(unit) > _LONGEST:
        raise UnitError(f"unknown unit {_shown(unit)}")
    plain = " ".join(unit.split())
    for written, read in _WRITTEN:
        plain = plain.replace(written, read)
    registry = _registry()
    result: Any = registry.Unit("")
    for place, name in enumerate(part.strip() for part in plain.split("/")):
        name = _SPELLED.get(name, name)
        # Only names that are defined reach pint, whose own grammar also reads powers, sums and any plural.
        if name not in NAMES:
            raise UnitError(f"unknown unit {_shown(unit)}")
        one = registry.Unit(name)
        result = one if place == 0 else result / one
    return result


def _shown(text: str) -> str:
    return repr(text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…")
