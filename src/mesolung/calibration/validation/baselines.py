"""What a constant effect predicts, on the model's own control arm: three baselines that it has to beat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from scipy.special import ndtr

from mesolung.calibration.validation.bias import spread_out
from mesolung.calibration.validation.effect import Effect, moved
from mesolung.calibration.validation.predicted import Bases
from mesolung.calibration.validation.published import Published, expected_of_next
from mesolung.calibration.validation.treatment import compared_treatment, side_of, trial_of
from mesolung.study.basis import Basis
from mesolung.study.observation import BASELINE, Observation
from mesolung.study.study import Study
from mesolung.trial.contrasts import null_value

CONSTANT, SHRUNKEN, POOLED = "no effect", "shrunken effect", "pooled effect"
BASELINES = (CONSTANT, SHRUNKEN, POOLED)
# Assumed: a new therapy's ratio of risks is 1, give or take: 95 % from 0.68 to 1.48.
SHRUNKEN_SD = 0.2

SAID = {
    CONSTANT: "risk ratio 1: the treated arm fares as the model's control arm",
    SHRUNKEN: "ln risk ratio normal with mean 0 and SD 0.2 (95 % from 0.68 to 1.48), assumed",
    POOLED: "random-effects meta-analysis (REML) of the other trials of the same treatment and endpoint; "
    "with fewer than two of them the shrunken effect",
}


def baseline_effect(
    name: str, study: Study, one: Observation, effects: Sequence[Published], draws: int
) -> tuple[Effect, bool]:
    """The effect that a baseline expects of a treated arm.

    Arguments:
        name: of the baseline.
        study: that is predicted.
        one: the observation.
        effects: what all studies published, this one too: it is left out here.
        draws: D.

    Returns:
        the effect, draw by draw, and whether it rests on the trials pooled.
    """
    nothing = np.zeros(draws)
    if name == CONSTANT:
        return Effect(nothing, nothing, of_risks=True), False
    mean, sd, learnt = 0.0, SHRUNKEN_SD, False
    if name == POOLED:
        found = expected_of_next(
            effects, trial_of(study), compared_treatment(study, one), one.endpoint, one.time_h
        )
        if found is not None:
            mean, sd, learnt = found.mean, found.spread, True
    side = side_of(study, one) or 1
    drawn = side * (mean + sd * spread_out(f"baseline:{trial_of(study)}", draws))
    return Effect(drawn, nothing, of_risks=True), learnt


def baseline_basis(one: Observation, row: Any, bases: Bases, effect: Effect) -> Basis | None:
    """What a baseline predicts of an observation.

    Arguments:
        one: the observation, of a treated arm.
        row: its endpoint.
        bases: its predictions.
        effect: from `baseline_effect`.

    Returns:
        the control arm's prediction, moved by the effect; None without a control arm.
    """
    draws = effect.log_ratio.size
    if one.form == "contrast":
        if bases.level is None:
            return None
        start = Basis(expected=np.full(draws, null_value(str(one.contrast))))
    elif one.form == "direction" and one.versus != BASELINE:
        if bases.level is None:
            return None
        # A trial of no effect: its standardised difference is a standard normal number.
        z = spread_out("null trials", bases.own.p_values.size)
        start = replace(bases.own, p_values=2.0 * ndtr(-np.abs(z)), shifts=np.sign(z))
    elif bases.control is None:
        return None
    else:
        start = bases.control
    return moved(bases, start, one, row, effect)
