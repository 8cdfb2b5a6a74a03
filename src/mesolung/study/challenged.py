"""People who are made ill on purpose: endotoxin given to volunteers, as events of the model."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mesolung.biology.challenges import Challenge, challenges
from mesolung.biology.tables import PER_KG, reserved
from mesolung.engine import ADD_PARAMETER, ADD_STATE, CompiledModel, EventTable
from mesolung.population.events import joined, same_events
from mesolung.study.arm import Arm
from mesolung.study.injury import Injury
from mesolung.study.study import Study
from mesolung.units import convert

INJURY = "injury"  # a study's origin, and its key
# A challenge is over within a day: so finely its courses are kept, h after each start and end.
WATCHED_H = (*np.arange(0.25, 8.01, 0.25).tolist(), *np.arange(9.0, 24.1, 1.0).tolist())


def why_not_injury(study: Study, arm: Arm) -> str | None:
    """Tell why what an arm is injured by is not modelled yet.

    Arguments:
        study: validated.
        arm: of the study.

    Returns:
        the reason of the first such injury; None where all are served, or there is none.
    """
    return next((reason for one in arm.injury if (reason := _why_not(study, one))), None)


def counts_from_a_challenge(study: Study) -> bool:
    """Whether a study's times count from a challenge that the model serves, so that it starts with it.

    Arguments:
        study: validated.
    """
    arms = [arm for arm in study.arms if arm.injury]
    return study.origin == INJURY and any(why_not_injury(study, arm) is None for arm in arms)


def is_sham(study: Study, name: str) -> bool:
    """Whether an arm is spared what the other arms are injured by: it stands in no score of arms together.

    Arguments:
        study: validated.
        name: of the arm.
    """
    spared = any(arm.name == name and not arm.injury for arm in study.arms)
    return spared and any(arm.injury for arm in study.arms)


def challenge_events(model: CompiledModel, arm: Arm, weight: NDArray[np.float64]) -> EventTable:
    """Give all subjects of an arm what makes them ill.

    Arguments:
        model: gives the places of states and parameters.
        arm: whose injuries `why_not_injury` lets pass.
        weight: float64[n], kg.

    Returns:
        events, hours since the study's origin; what is not given per kg is shared out over the weight.
    """
    parts = []
    who = np.arange(weight.size)
    for one in arm.injury:
        row = _row(one)
        if row is None or one.amount is None or one.unit is None:
            raise ValueError(f"injury by {one.agent} is not served")
        per_kg = one.unit.endswith(PER_KG)
        to = row.unit if per_kg else row.unit.removesuffix(PER_KG)
        amount = convert(one.amount, one.unit, to) * np.ones(weight.size)
        amount = amount if per_kg else amount / weight
        if one.end_h is None:
            parts.append(same_events(ADD_STATE, model.states.index(row.state), who, one.start_h, amount))
            continue
        rate = amount / (one.end_h - one.start_h)
        target = model.parameters.index(row.rate)
        # Added and taken away again: two infusions at a time are the sum of both.
        parts.append(same_events(ADD_PARAMETER, target, who, one.start_h, rate))
        parts.append(same_events(ADD_PARAMETER, target, who, one.end_h, -rate))
    return joined(parts)


def watched_times(arm: Arm) -> tuple[float, ...]:
    """When the courses of an arm are kept because of what makes its subjects ill.

    Arguments:
        arm: any.

    Returns:
        hours since the study's origin, unordered; none for an arm without an injury.
    """
    moments = [t for one in arm.injury for t in (one.start_h, one.end_h) if t is not None]
    return tuple(moment + later for moment in moments for later in (0.0, *WATCHED_H))


def _why_not(study: Study, one: Injury) -> str | None:
    row = _row(one)
    named = f'injury by "{one.agent}"'
    human = study.kind == "trial" and row is not None and study.species in row.species
    if row is None or not human or not set(study.disease_names) <= set(row.diseases):
        return f"{named} waits for {reserved()['key', INJURY]}"
    if one.amount is None:
        return f"{named} of an unknown amount"
    if one.start_h < 0:
        return f"{named} before the study's origin"
    return None


def _row(one: Injury) -> Challenge | None:
    return None if one.route is None else challenges().get((one.agent, one.route))
