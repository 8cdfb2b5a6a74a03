"""Reading filters on the simulated subjects."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import cast

from mesolung.biology.tables import Measured
from mesolung.study.place import Place, listed
from mesolung.study.table_one import is_trait
from mesolung.study.where import SUPPORTS, Condition, Relation, Where
from mesolung.units import NUMBER

_NO_UNIT = re.compile(r"[<>=]|\b(?:and|or)\b")  # where a number ends and something else goes on
LONGEST = 300
FORM = 'as "sofa >= 8" or "age >= 65 year and female = 1"'
_CONDITION = re.compile(rf"([a-z][a-z0-9_]*)\s*(>=|<=|==|=|>|<)\s*({NUMBER})\s*(\S.*)?", re.DOTALL)


def read_where(text: str, at: Place, names: Mapping[str, Measured]) -> Where:
    """Read a filter: NAME RELATION NUMBER [unit], several joined by `and`.

    Arguments:
        text: as written.
        at: where it stands.
        names: what may stand in table 1; ``ventilation`` (1 or 0) is known besides.

    Returns:
        the filter; a number without a unit is in the name's base unit.

    Raises:
        Refusal: for another form, an unknown name, a wrong unit, a value that the name cannot have, or
            conditions that nobody can meet together.
    """
    known = {**names, **{name: _support(name) for name in SUPPORTS}}
    if len(text) > LONGEST:
        raise at.refuse("where: a filter too long", found=text, allowed=f"at most {LONGEST} characters")
    found = {}
    for part in re.split(r"\s+and\s+", text.strip()):
        match = _CONDITION.fullmatch(part.strip())
        if match is None or _NO_UNIT.search(match[4] or ""):
            raise at.refuse("where: not a comparison", found=part, allowed=FORM)
        name, relation, number, unit = match.groups()
        if name not in known:
            raise at.unknown("baseline", name, known)
        one = _condition(known[name], relation, number, unit, at)
        found[one.text] = one
    conditions = tuple(found[key] for key in sorted(found))
    _check_possible(conditions, at)
    return Where(conditions=conditions)


def _support(name: str) -> Measured:
    return Measured(name, name, "fraction", ("fraction",), "binary", 0.0, 1.0, ())


def _condition(row: Measured, relation: str, number: str, unit: str | None, at: Place) -> Condition:
    value = at.converted(float(number), row.unit if unit is None else unit.strip(), row.unit, row=row)
    if is_trait(row):
        if value not in (0.0, 1.0) or relation not in ("=", "=="):
            raise at.refuse(
                f"where: {row.name} is a yes or no",
                told=f"{relation} {number}",
                allowed=f"{row.name} = 1, {row.name} = 0",
            )
    elif relation in ("=", "=="):
        raise at.refuse(f"where: {row.name} is a quantity", found=relation, allowed=">=, <=, >, <")
    elif not row.possible(value):
        raise at.refuse(
            f"where: impossible value of {row.name}", told=f"{value:g} {row.unit}", allowed=_range(row)
        )
    relation = "=" if relation == "==" else relation
    return Condition(name=row.name, relation=cast("Relation", relation), value=value, unit=row.unit)


def _range(row: Measured) -> str:
    ends = ("at least", row.lowest), ("at most", row.highest)
    return listed(f"{words} {end:g} {row.unit}" for words, end in ends if end is not None)


def _check_possible(conditions: tuple[Condition, ...], at: Place) -> None:
    """Refuse bounds that leave nothing between them, and a trait that is both there and not."""
    for low in conditions:
        for high in conditions:
            same = low.name == high.name and low != high
            both = low.relation == high.relation == "="
            bounds = low.relation in (">", ">=") and high.relation in ("<", "<=")
            touching = low.value == high.value and (low.relation, high.relation) == (">=", "<=")
            if same and (both or (bounds and low.value >= high.value and not touching)):
                raise at.refuse(
                    "where: nobody can meet this", told=f"{low.text} and {high.text}", allowed=FORM
                )
