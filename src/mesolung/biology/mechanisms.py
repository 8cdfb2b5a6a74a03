"""The mechanisms that a knock-out can switch off, each by a parameter of the model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib.resources import files

from mesolung.biology.columns import named_rows, one_of, text_of, wrong
from mesolung.biology.parameters import read_parameters
from mesolung.reading import Refusal, Row

TABLE = "mechanisms.csv"
COLUMNS = ("id", "label", "group", "carrier", "switch", "evidence", "grade")
EFFECT = "effect"
GROUPS = (EFFECT, "fate", "harm")
SOLUBLE = "soluble"
CARRIERS = (SOLUBLE, "vesicle", "cell", "host", "")
GRADES = ("A", "B", "C")
# Several mechanisms at once, off together: named as they are asked for.
ALL_SOLUBLE, ALL = "all-soluble", "all"
JOINED = "+"


@dataclass(frozen=True)
class Mechanism:
    """A mechanism by which cells or vesicles act, arrive or harm.

    Attributes:
        id, label: as options name it, and as people read it.
        group: effect, fate or harm.
        carrier: of an effect: soluble, vesicle, cell or host; empty for others.
        switch: the parameter that is 0 when the mechanism is off.
        evidence: its source, or "assumed: " and the reason.
        grade: A measured in humans, B in animals or in vitro, C assumed.
    """

    id: str
    label: str
    group: str
    carrier: str
    switch: str
    evidence: str
    grade: str


@dataclass(frozen=True)
class Knockout:
    """Mechanisms that are off together.

    Attributes:
        id: of one mechanism, of several joined by "+", "all-soluble" or "all".
        label: in words.
        switches: the parameters that are 0.
    """

    id: str
    label: str
    switches: tuple[str, ...]


@cache
def mechanisms() -> Mapping[str, Mechanism]:
    """Read ``mechanisms.csv``.

    Returns:
        id -> mechanism, in the table's order.

    Raises:
        Refusal: for a table that cannot be used, and a switch that is no parameter of the model.
    """
    known = {row.id for row in read_parameters().rows}
    table = files("mesolung.biology") / TABLE
    return named_rows(table, COLUMNS, lambda row: _mechanism(row, known), name="id")


def knockouts(wanted: Sequence[str] | None = None) -> tuple[Knockout, ...]:
    """Say what is switched off.

    Arguments:
        wanted: ids of mechanisms, pairs or more joined by "+", "all-soluble" and "all"; None for each effect
            and each mechanism of fate alone, then all soluble factors, then all effects.

    Returns:
        the knock-outs in the order asked for.

    Raises:
        Refusal: for a mechanism that is not in the table, with those that are, and one that is named twice.
    """
    if wanted is None:
        single = [m.id for m in mechanisms().values() if m.group != "harm"]
        wanted = [*single, ALL_SOLUBLE, ALL]
    found = tuple(_knockout(name.strip()) for name in wanted)
    names = [one.id for one in found]
    for name in names:
        if names.count(name) > 1:
            raise Refusal("a mechanism is named twice", found=name, allowed="each once")
    return found


def _knockout(name: str) -> Knockout:
    known = mechanisms()
    effects = [m for m in known.values() if m.group == EFFECT]
    if name == ALL:
        return Knockout(ALL, "all effects", tuple(m.switch for m in effects))
    if name == ALL_SOLUBLE:
        soluble = tuple(m.switch for m in effects if m.carrier == SOLUBLE)
        return Knockout(ALL_SOLUBLE, "all soluble factors", soluble)
    parts = [part.strip() for part in name.split(JOINED)]
    for part in parts:
        if part not in known:
            near = get_close_matches(part, known, n=1, cutoff=0.6)
            meant = f"{near[0]}, or one of " if near else ""
            allowed = ", ".join((*known, ALL_SOLUBLE, ALL))
            raise Refusal("no such mechanism", found=part, allowed=f"{meant}{allowed}; several joined by +")
    if len(set(parts)) < len(parts):
        raise Refusal("a mechanism is named twice", found=name, allowed="each once")
    label = " and ".join(known[part].label for part in parts)
    return Knockout(JOINED.join(parts), label, tuple(known[part].switch for part in parts))


def _mechanism(row: Row, known: set[str]) -> Mechanism:
    if row["switch"] not in known:
        raise wrong(row, "switch", "is no parameter of the model")
    return Mechanism(
        id=text_of(row, "id"),
        label=text_of(row, "label"),
        group=one_of(row, "group", GROUPS),
        carrier=one_of(row, "carrier", CARRIERS),
        switch=row["switch"],
        evidence=text_of(row, "evidence"),
        grade=one_of(row, "grade", GRADES),
    )
