"""Where a name of the model is used, and what sets it from outside."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mesolung.biology.disease import Disease
    from mesolung.biology.laws import ModelText
    from mesolung.biology.parameters import Parameters

LONGEST = 100


def used_in(name: str, text: ModelText) -> tuple[str, ...]:
    """List the laws that hold a name.

    Arguments:
        name: of the model.
        text: the modules.

    Returns:
        "modules/innate.ant:25  NEU' = ..." for each, the law cut where it is long.
    """
    return tuple(f"{law.place}  {_cut(law.written)}" for law in text.uses(name))


def setters(name: str) -> tuple[str, ...]:
    """List what adds to a state or sets a parameter from outside the model.

    Arguments:
        name: a state or parameter; a state's ``rate_STATE`` counts as the state.

    Returns:
        drivers of diseases, drugs and supports, routes.
    """
    rates = (name, f"rate_{name}")
    return tuple(dict.fromkeys(told for target, told in _outside() if target in rates))


@cache
def parameters() -> Parameters:
    """Read the table of parameters once."""
    from mesolung.biology.parameters import read_parameters

    return read_parameters()


@cache
def all_diseases() -> Mapping[str, Disease]:
    """Read the diseases once: name -> disease."""
    from mesolung.biology.disease import diseases, read_disease

    return MappingProxyType({name: read_disease(name) for name in diseases()})


@cache
def _outside() -> tuple[tuple[str, str], ...]:
    """(target, what sets it) of everything outside the model."""
    from mesolung.biology.tables import backgrounds, routes

    found = [
        (d.target, f"disease {name}, driver {d.target}" + (f" (group {d.group})" if d.group else ""))
        for name, disease in all_diseases().items()
        for d in disease.drivers
    ]
    found += [(row.target, f"background {row.name}") for row in backgrounds().values()]
    for row in routes().values():
        entered = (row.live_cells_enter, row.apoptotic_cells_enter, row.particles_enter)
        found += [(state, f"route {row.name}") for state in entered if state is not None]
    return tuple(found)


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 4]} ..."
