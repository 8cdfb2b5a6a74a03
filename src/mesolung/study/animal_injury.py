"""What an injury does to the subjects of an experiment: events and parameters of the model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mesolung.biology.animal_disease import (
    KG,
    AmountUnit,
    AnimalDisease,
    InjuryDriver,
    disease_of_agent,
    read_animal_disease,
)
from mesolung.biology.species import Change
from mesolung.engine import ADD_PARAMETER, ADD_STATE, CompiledModel, EventTable
from mesolung.population.events import joined, same_events
from mesolung.streams import normals
from mesolung.study.animal_modelled import route_of, unit_of_amount
from mesolung.study.animals import WEIGHT, Animals
from mesolung.study.injury import Injury
from mesolung.study.setting import Setting

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Injured:
    """What the injuries of an arm do.

    Attributes:
        events: of S x M subjects, hours since the start of the courses.
        changes: parameters of the agents themselves.
    """

    events: EventTable
    changes: tuple[Change, ...]


def injure(setting: Setting, animals: Animals, injuries: Sequence[Injury], before_h: float = 0.0) -> Injured:
    """Work out what injuries do to every subject.

    Arguments:
        setting: of the run.
        animals: the subjects.
        injuries: of an arm; none for a sham.
        before_h: hours from the start of the courses to the study's origin.

    Returns:
        events and changes. Arms with the same injury injure a subject alike.
    """
    parts: list[EventTable] = []
    changes: dict[str, Change] = {}
    for injury in injuries:
        disease = read_animal_disease(disease_of_agent()[injury.agent])
        changes.update({change.id: change for change in disease.changes})
        amounts = _amounts(setting, animals, disease, injury)
        route = route_of(disease, injury)
        for driver in disease.drivers:
            if driver.routes and route not in driver.routes:
                continue
            amount = amounts[driver.basis == KG]
            if driver.tolerance:
                amount = amount / animals.host.factor_of(driver.tolerance)
            start = injury.start_h + before_h + driver.start_h
            parts.append(_events(setting.model, disease, driver, injury, start, driver.effect(amount)))
    return Injured(joined(parts), tuple(changes.values()))


def _amounts(
    setting: Setting, animals: Animals, disease: AnimalDisease, injury: Injury
) -> tuple[Floats, Floats]:
    """float64[S x M] twice, base units: of the whole subject at the human's size, and per kg as it is."""
    slots, subjects = setting.slots, setting.subjects
    if injury.amount is None or injury.unit is None:
        # What a study does not say is the same for all its subjects, and drawn for each replicate.
        z = np.array([normals(setting.seed, f"injury:{injury.agent}", s, 1)[0] for s in range(slots)])
        stated = np.repeat(disease.amount * np.exp(disease.amount_sd * z), subjects)
        unit = disease.units[disease.amount_unit]
    else:
        stated = np.full(slots * subjects, injury.amount)
        found = unit_of_amount(disease, injury.unit)
        if found is None:
            raise KeyError(injury.unit)
        unit = found
    arrives = np.concatenate(
        [normals(setting.seed, f"delivered:{injury.agent}", s, subjects) for s in range(slots)]
    )
    whole, per_kg = _counted(unit, stated * unit.factor, animals)
    share = np.exp(animals.host.delivered_sd * arrives)
    # What has no size (a pressure, a share of oxygen) is set by a machine and the same for all.
    return (whole, per_kg) if unit.per == "intensive" else (whole * share, per_kg * share)


def _counted(unit: AmountUnit, amount: Floats, animals: Animals) -> tuple[Floats, Floats]:
    weight, size = animals.covariates[WEIGHT], animals.size
    if unit.per == "subject":
        return amount * size, amount / weight
    if unit.per == "kg":
        return amount * weight * size, amount
    if unit.per == "weight":
        return amount / weight, amount / weight
    return amount, amount


def _events(
    model: CompiledModel,
    disease: AnimalDisease,
    driver: InjuryDriver,
    injury: Injury,
    start: float,
    effect: Floats,
) -> EventTable:
    who = np.arange(effect.size)
    if driver.length_h is None:
        return same_events(ADD_STATE, model.states.index(driver.target), who, start, effect)
    length = driver.length_h
    if np.isinf(length):
        length = disease.length_h if injury.end_h is None else injury.end_h - injury.start_h
    height = effect / length if driver.total else effect
    place = model.parameters.index(driver.target)
    # Added and taken back, so that two injuries at once add up.
    return joined(
        [
            same_events(ADD_PARAMETER, place, who, start, height),
            same_events(ADD_PARAMETER, place, who, start + length, -height),
        ]
    )
