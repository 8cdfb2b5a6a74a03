"""Reading the rules by which subjects are chosen."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast

from mesolung.biology.tables import Measured
from mesolung.study.place import Place, listed
from mesolung.study.population import Distribution, Inclusion
from mesolung.study.possible import inclusions
from mesolung.study.table_one import is_trait
from mesolung.study.where import Relation
from mesolung.units import NUMBER

FORM = 'as "> 10 %"'
_RULE = re.compile(rf"\s*(>=|<=|==|=|>|<)\s*({NUMBER})\s*(\S.*)?", re.DOTALL)


def read_inclusions(
    written: Mapping[str, str], place: Place, names: Mapping[str, Measured], diseases: tuple[str, ...]
) -> tuple[Inclusion, ...]:
    """Read the rules by which subjects are chosen.

    Arguments:
        written: rule by name, as "> 10 %".
        place: of the table.
        names: what may stand in table 1.
        diseases: of the study.

    Returns:
        the rules by name.

    Raises:
        Refusal: for an unknown name, another form, a wrong unit, or a value that the name cannot have.
    """
    rules = {n: row for n, row in inclusions().items() if all(d in row.diseases for d in diseases)}
    known = {**names, **rules}
    found = []
    for name in sorted(written):
        at = place.at(name)
        row = known.get(name)
        if row is None and name in inclusions():
            raise at.refuse(
                f"{listed(diseases)} cannot have this rule", found=name, allowed=listed(sorted(known))
            )
        if row is None:
            raise at.refuse_name("rule", name, sorted(known))
        match = _RULE.fullmatch(written[name])
        if match is None:
            raise at.refuse(f"{name}: not a comparison", found=written[name], allowed=FORM)
        relation, number, unit = match.groups()
        value = at.converted(float(number), unit.strip() if unit else row.unit, row.unit, row=row)
        _check(row, relation, value, at, written[name])
        relation = cast("Relation", "=" if relation == "==" else relation)
        found.append(Inclusion(name=name, relation=relation, value=value, unit=row.unit))
    return tuple(found)


def _check(row: Measured, relation: str, value: float, at: Place, text: str) -> None:
    if is_trait(row):
        if value not in (0.0, 1.0) or relation not in ("=", "=="):
            raise at.refuse(f"{row.name} is a yes or no", found=text, allowed="= 1, = 0")
    elif relation in ("=", "=="):
        raise at.refuse(f"{row.name} is a quantity", found=text, allowed=">=, <=, >, <")
    elif not row.possible(value):
        raise at.refuse(f"impossible value of {row.name}", found=text, allowed=f"a value in {row.unit}")


def bounded(
    lines: Mapping[str, Distribution], rules: tuple[Inclusion, ...], place: Place
) -> dict[str, Distribution]:
    """Put the rules on quantities of table 1 into it, as bounds that every subject keeps.

    Arguments:
        lines: table 1.
        rules: from `read_inclusions`; those on other things are left alone.
        place: of the table of rules.

    Returns:
        name -> distribution, names sorted.

    Raises:
        Refusal: for a rule that table 1 contradicts.
    """
    found = dict(lines)
    for rule in rules:
        if rule.name in inclusions():
            continue
        at = place.at(rule.name)
        line = found.get(rule.name) or Distribution(unit=rule.unit)
        if rule.relation == "=":
            if line.share is not None and line.share != rule.value:
                raise at.refuse(
                    f"{rule.name}: the rule and table 1 differ",
                    told=f"= {rule.value:g}, share {line.share:g}",
                    allowed="one of the two",
                )
            found[rule.name] = Distribution(share=rule.value, unit=rule.unit)
            continue
        key = "min" if rule.relation in (">", ">=") else "max"
        tighter = max if key == "min" else min
        stated = getattr(line, key)
        bound: Any = rule.value if stated is None else tighter(stated, rule.value)
        one = line.model_copy(update={key: bound})
        centre = line.mean if line.mean is not None else line.median
        outside = centre is not None and (centre <= bound if key == "min" else centre >= bound)
        if outside or (one.min is not None and one.max is not None and one.min >= one.max):
            raise at.refuse(
                f"{rule.name}: a rule that table 1 contradicts",
                told=f"{rule.relation} {rule.value:g} {rule.unit}",
                allowed="a rule that the subjects of table 1 meet",
            )
        found[rule.name] = one
    return {name: found[name] for name in sorted(found)}
