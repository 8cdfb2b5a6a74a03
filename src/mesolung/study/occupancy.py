"""Drugs of chronic disease: the share of their full effect at its site, while they are given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mesolung.biology.tables import backgrounds
from mesolung.engine import SET_PARAMETER, CompiledModel, EventTable
from mesolung.population.events import joined, same_events
from mesolung.study.population import Background


@dataclass(frozen=True)
class Occupied:
    """A drug that some subjects are given.

    Attributes:
        target: parameter of the model that is the share of its full effect.
        level: float64[n], the share, 0 for who is not given it.
        start_h, end_h: when it acts, h since the start of the course.
    """

    target: str
    level: NDArray[np.float64]
    start_h: float
    end_h: float


def share_of_effect(name: str, dose: NDArray[np.float64]) -> NDArray[np.float64]:
    """How much of the usual dose's effect a dose has: it saturates, and a larger dose adds nothing.

    Arguments:
        name: row of the table of backgrounds.
        dose: float64[n], one dose in the row's unit.

    Returns:
        float64[n], 0 to 1: dose / (dose + half) relative to that of the usual dose.
    """
    row = backgrounds()[name]
    usual = row.dose or 1.0
    return np.minimum(1.0, dose / (dose + row.factor) * (usual + row.factor) / usual)


def occupied(
    name: str,
    line: Background,
    who: NDArray[np.bool_],
    weight: NDArray[np.float64],
    end_h: float,
) -> Occupied:
    """Work out the level of a drug.

    Arguments:
        name: row of the table of backgrounds.
        line: how the study gives it.
        who: bool[n], subjects who receive it.
        weight: float64[n], kg.
        end_h: end of the study.

    Returns:
        the drug; one that is given less often than usual acts as a smaller dose.
    """
    row = backgrounds()[name]
    dose = np.full(who.size, row.dose or 0.0) if line.dose is None else np.full(who.size, line.dose)
    if line.per_kg:
        dose = dose * weight
    if line.every_h is not None and row.every_h:
        dose = dose * row.every_h / line.every_h
    length = row.duration_h if line.duration_h is None else line.duration_h
    level = np.where(who, share_of_effect(name, dose), 0.0)
    return Occupied(row.target, level, line.start_h, min(end_h, line.start_h + length))


def occupancy_events(
    model: CompiledModel, parameters: NDArray[np.float64], drugs: Sequence[Occupied]
) -> EventTable:
    """Turn drugs into settings of the parameters that stand for them.

    Drugs of one target act as if each blocked what the others leave; what a subject takes anyway is kept.

    Arguments:
        model: gives the places of the targets.
        parameters: float64[n, P] of the subjects at enrolment.
        drugs: what is given.

    Returns:
        events of all subjects.

    Raises:
        KeyError: when the model has no such parameter.
    """
    by_target: dict[str, list[Occupied]] = {}
    for drug in drugs:
        by_target.setdefault(drug.target, []).append(drug)
    parts = []
    for target, given in sorted(by_target.items()):
        if target not in model.parameters:
            raise KeyError(target)
        place = model.parameters.index(target)
        usual = parameters[:, place]
        who = np.flatnonzero(np.any([drug.level > 0.0 for drug in given], axis=0))
        for time in sorted({t for drug in given for t in (drug.start_h, drug.end_h)}):
            left = np.ones(usual.size)
            for drug in given:
                if drug.start_h <= time < drug.end_h:
                    left = left * (1.0 - drug.level)
            level = np.maximum(usual, 1.0 - left)
            parts.append(same_events(SET_PARAMETER, place, who, time, level[who]))
    return joined(parts)
