"""Every name of the model, what it is, its unit, and where it stands; without compiling anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from mesolung.biology.parameters import Parameters, read_parameters
from mesolung.biology.statements import Statement, read_statements

SOURCE = "src_"
KINDS = ("state", "observable", "parameter", "constant", "source")
BASE_UNITS = frozenset(
    {
        "ampere", "becquerel", "candela", "coulomb", "dimensionless", "farad", "gram", "gray", "henry",
        "hertz", "item", "joule", "katal", "kelvin", "kilogram", "litre", "lumen", "lux", "metre", "mole",
        "newton", "ohm", "pascal", "radian", "second", "siemens", "sievert", "steradian", "tesla", "volt",
        "watt", "weber",
    }
)  # fmt: skip
SPECIAL_UNITS = frozenset({"time_unit", "substance", "extent", "volume", "length", "area"})


@dataclass(frozen=True)
class Symbol:
    """One name of the model.

    Attributes:
        name: as laws write it.
        kind: "state" (has a rate of change), "observable" (has a law), "parameter" (has a row in
            parameters.csv), "constant" (worked out once a subject) or "source" (holds a state at health).
        unit: the unit's id in the model, "" where none is stated.
        file, line: where its law stands, for a parameter its row, else its first mention.
    """

    name: str
    kind: str
    unit: str
    file: str
    line: int


def unit_id(unit: str) -> str:
    """Name a unit of the parameter table as the model does.

    Arguments:
        unit: for example "1", "1/h", "pM/Gcell/h".

    Returns:
        for example "dimensionless", "per_h", "pM_per_Gcell_per_h".
    """
    if unit == "1":
        return "dimensionless"
    return ("per_" + unit[2:] if unit.startswith("1/") else unit).replace("/", "_per_")


def unit_powers(unit: str, times: Mapping[str, int] | None = None) -> dict[str, int]:
    """Take a unit's id apart.

    Arguments:
        unit: for example "pM_per_Gcell_per_h".
        times: powers of a unit that it is multiplied with, none for 1.

    Returns:
        its names and their powers, as {"pM": 1, "Gcell": -1, "h": -1}; empty for a pure number.
    """
    above, *below = ("dimensionless_" + unit if unit.startswith("per_") else unit).split("_per_")
    powers = dict(times or {})
    for name, power in ((above, 1), *((one, -1) for one in below)):
        powers[name] = powers.get(name, 0) + power
    return {name: power for name, power in powers.items() if power and name != "dimensionless"}


def unit_ids(statements: tuple[Statement, ...]) -> frozenset[str]:
    """List the ids of units that the modules may use: those they define, and SBML's own."""
    return frozenset(s.name for s in statements if s.kind == "unit") | BASE_UNITS


def find_symbols(statements: tuple[Statement, ...], table: Parameters) -> dict[str, Symbol]:
    """Collect every name of a model.

    Arguments:
        statements: of all modules.
        table: the parameters.

    Returns:
        name -> symbol. Names that break a rule are there too, as far as they can be told; the checks of
        assembly find those.
    """
    units: dict[str, str] = {}
    found: dict[str, Symbol] = {}
    for s in statements:
        if s.kind == "has":
            units.setdefault(s.name, s.text)
    for kinds, kind in ((("rate",), "state"), (("law",), "observable"), (("start", "has"), "constant")):
        for s in statements:
            if s.kind in kinds and s.name not in found and s.name not in table:
                source = kind == "constant" and s.name.startswith(SOURCE)
                found[s.name] = Symbol(
                    s.name, "source" if source else kind, units.get(s.name, ""), s.file, s.line
                )
    for row in table:
        found.setdefault(row.id, Symbol(row.id, "parameter", unit_id(row.unit), table.file, row.line))
    return found


def package_modules() -> Mapping[str, str]:
    """Read every module of the package: name -> Antimony text."""
    folder = files("mesolung.biology") / "modules"
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".ant"))
    return {name.removesuffix(".ant"): (folder / name).read_text(encoding="utf-8") for name in names}


@cache
def package_symbols() -> Mapping[str, Symbol]:
    """Collect every name of the package's model, as `find_symbols` does."""
    return find_symbols(read_statements(package_modules()), read_parameters())
