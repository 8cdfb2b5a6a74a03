"""Reading what makes subjects ill, and assays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from mesolung.biology.columns import names_of, text_of, wrong
from mesolung.reading import read_table
from mesolung.study.arm import UNKNOWN
from mesolung.study.injury import Assay, Injury
from mesolung.study.place import Place, listed
from mesolung.study.times import read_time
from mesolung.study.written import AssayTable, InjuryTable
from mesolung.units import NUMBER, convert, quantity, same_dimension

INJURY_COLUMNS = ("agent", "label", "units", "meaning")
NONE = "none"
RATIO_FORM = 'a number of product cells a responder, or a text as "1:10"'
LARGEST_RATIO = 1e9


@dataclass(frozen=True)
class Agent:
    """A row of ``injuries.csv``.

    Attributes:
        name, label: as study files and as people write it.
        units: units of its amount.
        meaning: what it is.
    """

    name: str
    label: str
    units: tuple[str, ...]
    meaning: str


@cache
def agents() -> Mapping[str, Agent]:
    """Read ``injuries.csv``: agent -> row; Refusal for a table that cannot be used."""
    found = {}
    for row in read_table(files("mesolung.biology") / "injuries.csv", INJURY_COLUMNS):
        name = text_of(row, "agent")
        if name in found:
            raise wrong(row, "agent", "stands twice")
        found[name] = Agent(name, text_of(row, "label"), names_of(row, "units"), text_of(row, "meaning"))
    return MappingProxyType(found)


def read_injuries(
    written: InjuryTable | Sequence[InjuryTable] | str | None, place: Place, duration_h: float
) -> tuple[Injury, ...]:
    """Read the injuries of a study or of an arm.

    Arguments:
        written: one, several, "none" or nothing.
        place: where they stand.
        duration_h: length of the study, h.

    Returns:
        the injuries by start, then agent; empty for none.

    Raises:
        Refusal: for an unknown agent, an amount in a wrong unit, or times that cannot be.
    """
    if written is None or isinstance(written, str):
        return ()
    if isinstance(written, InjuryTable):
        return (_injury(written, place, duration_h),)
    found = [_injury(one, place.at(k), duration_h) for k, one in enumerate(written)]
    for k, one in enumerate(found):
        if one in found[:k]:
            raise place.at(k).refuse("the same injury twice", found=one.agent, allowed="each once")
    return tuple(sorted(found, key=lambda one: (one.start_h, one.agent)))


def _injury(written: InjuryTable, at: Place, duration_h: float) -> Injury:
    agent = agents().get(written.agent)
    if agent is None:
        raise at.at("agent").unknown("agent", written.agent, agents())
    amount, unit = (None, None)
    if written.amount is not None and written.amount.strip() != UNKNOWN:
        amount, unit = _amount(written.amount, at.at("amount"), agent)
    start = 0.0 if written.start is None else read_time(written.start, at.at("start"), duration_h)
    end = None if written.end is None else read_time(written.end, at.at("end"), duration_h)
    if end is not None and end <= start:
        raise at.at("end").refuse(
            "an injury that ends before it starts", found=written.end, allowed=f"after {start:g} h"
        )
    return Injury(agent=agent.name, amount=amount, unit=unit, route=written.route, start_h=start, end_h=end)


def _amount(text: str, at: Place, agent: Agent) -> tuple[float, str]:
    try:
        found = quantity(text)
    except ValueError:
        raise at.refuse(
            "amount: not a number with a unit that is known", found=text, allowed=listed(agent.units)
        ) from None
    unit = next((u for u in agent.units if same_dimension(found.unit, u)), None)
    if unit is None:
        raise at.refuse(f"amount of {agent.name}: wrong unit", found=text, allowed=listed(agent.units))
    amount = convert(found.value, found.unit, unit)
    if amount <= 0:
        raise at.refuse("negative or zero amount", found=text, allowed="more than 0")
    if unit == "fraction" and amount > 1:
        raise at.refuse("amount: a share above 1", found=text, allowed="0 to 1 fraction")
    return amount, unit


def read_assay(written: AssayTable | None, place: Place, above: AssayTable | None = None) -> Assay | None:
    """Read an assay.

    Arguments:
        written: as written, of the study or of an arm.
        place: where it stands.
        above: for an arm, the study's.

    Returns:
        the assay, for an arm with what it does not restate; None where neither is written.

    Raises:
        Refusal: for a ratio that cannot be, or an assay that says nothing.
    """
    if written is None and above is None:
        return None
    stated = {} if written is None else {k: v for k, v in written if v is not None}
    if written is not None and not stated:
        raise place.refuse("an empty assay", allowed=listed(AssayTable.model_fields))
    kept = {} if above is None else {k: v for k, v in above if v is not None}
    both = {**kept, **stated}
    if "ratio" in both:
        at = place if "ratio" in stated else Place(place.document, ("assay",))
        both["ratio"] = _ratio(both["ratio"], at.at("ratio"))
    return Assay(**both)


def _ratio(written: float | str, at: Place) -> float | None:
    import re

    if isinstance(written, str):
        if written.strip() == UNKNOWN:
            return None
        match = re.fullmatch(rf"\s*({NUMBER})\s*:\s*({NUMBER})\s*", written)
        if match is None or float(match[2]) == 0:
            raise at.refuse("ratio: not two numbers", found=written, allowed=RATIO_FORM)
        ratio = float(match[1]) / float(match[2])
    else:
        ratio = written
    if not 0 < ratio <= LARGEST_RATIO:
        raise at.refuse("impossible ratio", found=written, allowed=f"more than 0, at most {LARGEST_RATIO:g}")
    return ratio
