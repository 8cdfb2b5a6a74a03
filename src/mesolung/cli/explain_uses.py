"""Where a name of the model is used, and what sets it from outside."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mesolung.biology.laws import ModelText

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
    from mesolung.biology.disease import diseases, read_disease
    from mesolung.biology.tables import backgrounds, routes

    rates = (name, f"rate_{name}")
    found = [
        f"disease {disease}, driver {driver.target}" + (f" (group {driver.group})" if driver.group else "")
        for disease in diseases()
        for driver in read_disease(disease).drivers
        if driver.target in rates
    ]
    found += [f"background {row.name}" for row in backgrounds().values() if row.target in rates]
    found += [
        f"route {row.name}"
        for row in routes().values()
        if name in (row.live_cells_enter, row.apoptotic_cells_enter)
    ]
    return tuple(dict.fromkeys(found))


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 4]} ..."
