"""What is given to make a body ill, and where it enters the model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from mesolung.biology.columns import built_rows, names_of, text_of, wrong
from mesolung.reading import Row

CHALLENGE_COLUMNS = ("agent", "route", "species", "diseases", "state", "rate", "unit", "meaning")


@dataclass(frozen=True)
class Challenge:
    """A row of ``challenges.csv``.

    Attributes:
        agent, route: what is given, and which way, as study files name them.
        species: who can be given it.
        diseases: what they have beside.
        state: of the model, that a bolus adds to.
        rate: parameter of the model, that an infusion sets, in ``unit`` an hour.
        unit: of the amount per kg of body weight.
        meaning: in words.
    """

    agent: str
    route: str
    species: tuple[str, ...]
    diseases: tuple[str, ...]
    state: str
    rate: str
    unit: str
    meaning: str


@cache
def challenges() -> Mapping[tuple[str, str], Challenge]:
    """Read ``challenges.csv``.

    Returns:
        (agent, route) -> row.

    Raises:
        Refusal: for a table that cannot be used.
    """
    found: dict[tuple[str, str], Challenge] = {}
    table = files("mesolung.biology") / "challenges.csv"
    for row, one in built_rows(table, CHALLENGE_COLUMNS, _challenge):
        if (one.agent, one.route) in found:
            raise wrong(row, "agent", "stands twice with one route")
        found[one.agent, one.route] = one
    return MappingProxyType(found)


def _challenge(row: Row) -> Challenge:
    unit = text_of(row, "unit")
    if not unit.endswith("/kg"):
        raise wrong(row, "unit", "is not one per kg")
    return Challenge(
        agent=text_of(row, "agent"),
        route=text_of(row, "route"),
        species=names_of(row, "species"),
        diseases=names_of(row, "diseases"),
        state=text_of(row, "state"),
        rate=text_of(row, "rate"),
        unit=unit,
        meaning=text_of(row, "meaning"),
    )
