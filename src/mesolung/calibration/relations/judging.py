"""Whether a prediction meets a published relation, and whether the rule "cells always help" does."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mesolung.calibration.relations.relation import EFFECT, ORDERING, QUANTITATIVE, Relation
from mesolung.calibration.validation.predicted import Predicted
from mesolung.study.scores import score_direction

Verdict = Literal["met", "missed", "not modelled yet"]
MET: Verdict = "met"
MISSED: Verdict = "missed"
ABSENT: Verdict = "not modelled yet"
VERDICTS = (MET, MISSED, ABSENT)
FOLD = math.log(2.0)
# A published ratio within 10 % of 1 has no size to be within two-fold of: a ratio within 10 % of 1 meets it.
NEAR_ONE = math.log(1.1)
# Less than this part of the published arm's level is no side, but the solver's rounding.
NO_SIDE = 1e-9

RULES = {
    QUANTITATIVE: "the median over draws of the expected value lies within the published 95 % interval, or "
    "within two-fold: of the level; of a ratio's distance from 1 on the log scale, on the same side of 1; of "
    "a difference, with the same sign",
    ORDERING: "the medians over draws of the arms' expected values stand in the published order",
    "null or opposite": "the published class (lower, none, higher) is the most probable one among simulated "
    "experiments; or, where a side was published, the median effect lies on it",
    "one-sided direction": "the published class is the most probable one among simulated experiments, or the "
    "median effect lies on the published side",
    "cells always help": "the product is on the better side of every endpoint; a null or a worse side is "
    "always missed; of a ratio its size is the median benefit of all other studies' published ratios; it "
    "says nothing of two products against each other, of levels, or of several treated arms in an order, "
    "and misses them",
}


@dataclass(frozen=True)
class Told:
    """What the model says of a relation.

    Attributes:
        median, low, high: over draws, of the relation's measure; of a direction of the expected difference.
        classes: probability of lower, none and higher, of a direction.
        order: arms by their rising median, of an order.
        reason: why the model says nothing; empty where it does.
    """

    median: float | None = None
    low: float | None = None
    high: float | None = None
    classes: dict[str, float] = field(default_factory=dict)
    order: tuple[str, ...] = ()
    reason: str = ""


def told_of(relation: Relation, predicted: Predicted, arms: Sequence[str] = ()) -> Told:
    """Take from a study's predictions what they say of a relation.

    Arguments:
        relation: of that study.
        predicted: from `mesolung.calibration.validation.predicted.predict`.
        arms: of an order made of several numbers, the arm of each observation.
    """
    used = (relation.observation, *relation.beside)
    for index in used:
        if index not in predicted.bases:
            reason = predicted.not_modelled.get(index) or predicted.refused or "no answer"
            return Told(reason=reason)
    bases = predicted.bases[relation.observation]
    own = bases.own
    if relation.measure == "order":
        levels = dict(own.orders) or {
            arm: predicted.bases[index].own.expected for arm, index in zip(arms, used, strict=True)
        }
        middle = {arm: float(np.nanmedian(values)) for arm, values in levels.items()}
        return Told(order=tuple(sorted(middle, key=lambda arm: (middle[arm], arm))))
    if relation.measure == "direction":
        score = score_direction(str(relation.published), own.p_values, own.shifts)
        classes = {"lower": score.p_lower, "none": score.p_none, "higher": score.p_higher}
        found = _over_draws(own.expected) if own.expected.size else _over_draws(own.shifts)
        return Told(*found, classes={k: float(v or 0.0) for k, v in classes.items()})
    values = own.expected
    if relation.beside and relation.measure in ("ratio", "difference"):
        if bases.control is None:
            return Told(reason="the control arm has no answer")
        below = bases.control.expected
        with np.errstate(divide="ignore", invalid="ignore"):
            values = values / below if relation.measure == "ratio" else values - below
    if not np.isfinite(values).any():
        return Told(reason="no draw has a finite answer")
    return Told(*_over_draws(values))


def verdict(relation: Relation, told: Told) -> Verdict:
    """Judge a prediction by the rule of its class, as `RULES` states it.

    Arguments:
        relation: as published.
        told: from `told_of`.
    """
    if told.reason:
        return ABSENT
    if relation.measure == "order":
        return MET if told.order == relation.published else MISSED
    if relation.measure == "direction":
        likely = max(told.classes.values(), default=0.0)
        if told.classes.get(str(relation.published), 0.0) == likely > 0:
            return MET
        side = {"lower": -1, "higher": 1}.get(str(relation.published), 0)
        middle = told.median or 0.0
        return MET if side and side * middle > NO_SIDE else MISSED
    return MET if told.median is not None and size_met(relation, told.median) else MISSED


def size_met(relation: Relation, value: float) -> bool:
    """Whether a size lies within the published interval or two-fold of the published size.

    Arguments:
        relation: of measure ratio, difference or level.
        value: in its unit.
    """
    published = float(relation.published)  # type: ignore[arg-type]
    if relation.low is not None and relation.high is not None and relation.low <= value <= relation.high:
        return True
    if relation.measure == "ratio":
        if value <= 0 or published <= 0:
            return False
        ours, theirs = math.log(value), math.log(published)
        if abs(theirs) < NEAR_ONE:
            return abs(ours) < NEAR_ONE
        return _within_two_fold(ours, theirs)
    return _within_two_fold(value, published)


def verdict_of_rule(relation: Relation, others: Sequence[Relation]) -> Verdict | None:
    """Judge "cells always help" by the same rules.

    Arguments:
        relation: as published.
        others: all relations, of which those of other studies give the rule its size.

    Returns:
        met or missed; None where no product is given, of which it says nothing.
    """
    if relation.about != EFFECT:
        return None
    if relation.helps <= 0:
        return MISSED
    if relation.measure == "ratio":
        size = _usual_size([r for r in others if r.study != relation.study])
        published = float(relation.published)  # type: ignore[arg-type]
        return MET if size_met(relation, math.exp(math.copysign(size, math.log(published)))) else MISSED
    if relation.measure == "order":
        return MET if len(relation.published) == 2 else MISSED  # type: ignore[arg-type]
    return MET if relation.measure == "direction" else MISSED


def _usual_size(others: Sequence[Relation]) -> float:
    """Median distance from 1 of published ratios, towards benefit, on the natural-log scale."""
    sizes = [
        r.helps * abs(math.log(float(r.published)))  # type: ignore[arg-type]
        for r in others
        if r.measure == "ratio" and r.about == EFFECT and r.helps
    ]
    return max(0.0, median(sizes)) if sizes else 0.0


def _within_two_fold(value: float, published: float) -> bool:
    if published == 0.0 or value * published <= 0.0:
        return value == published
    return abs(math.log(value / published)) <= FOLD + 1e-12


def _over_draws(values: NDArray[np.float64]) -> tuple[float, float, float]:
    known = values[np.isfinite(values)]
    if known.size == 0:
        return float("nan"), float("nan"), float("nan")
    return float(np.median(known)), float(np.quantile(known, 0.05)), float(np.quantile(known, 0.95))
