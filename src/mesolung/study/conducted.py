"""How a trial of a disease of years sees its subjects: at visits, until they leave, with what it counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mesolung.biology.conduct import custom
from mesolung.biology.tables import endpoints
from mesolung.streams import uniforms
from mesolung.study.setting import Setting
from mesolung.study.years import lasts_for_years
from mesolung.trial.outcomes import Outcomes
from mesolung.trial.recurrent import Recurring
from mesolung.trial.visits import Visits

# What is counted of the year before enrolment -> the endpoint that shows it at time 0.
HISTORY = ("exacerbation_rate",)
RECURRENT = ("count", "rate", "time_to")
# Percent predicted of what a disease takes from its subjects: who loses it may leave sooner.
FUNCTION: Mapping[str, str] = {
    "copd": "fev1_pp",
    "asthma": "fev1_pp",
    "ipf": "fvc_pp",
}
PER_POINTS = 10.0  # that the log rate of leaving is per


def conducted(setting: Setting, known: Outcomes, covariates: Mapping[str, NDArray[np.float64]]) -> Outcomes:
    """Add to what happens to subjects what their trial sees of it.

    Arguments:
        setting: of the run.
        known: their courses, deaths and events.
        covariates: what is known of them at enrolment.

    Returns:
        the same of an acute disease; else with the errors of visits, the numbers of events that come again,
        who leaves when, and what was counted before enrolment. Random numbers are the same under every arm.
    """
    study = setting.study
    if not lasts_for_years(study):
        return known
    shape = (setting.seed, setting.slots, setting.subjects)
    hazards = {row.outputs[0] for row in endpoints().values() if row.rule in RECURRENT}
    return replace(
        known,
        visits=Visits(*shape),
        recurring={
            name: Recurring(setting.seed, name, setting.slots, setting.subjects)
            for name in sorted(hazards & known.outputs.keys())
        },
        lost_time=_lost(setting, known),
        history={name: covariates[name] for name in HISTORY if name in covariates},
    )


def _lost(setting: Setting, known: Outcomes) -> NDArray[np.float64] | None:
    """When each subject leaves the trial, h since enrolment."""
    study = setting.study
    how = study.population.dropout or "random"
    if how == "none":
        return None
    disease = max(study.diseases, key=lambda name: (study.diseases[name], name))
    rate = custom(disease, "dropout_rate")
    u = np.concatenate([uniforms(setting.seed, "lost", s, setting.subjects) for s in range(setting.slots)])
    threshold = -np.log(u)
    function = FUNCTION.get(disease)
    if how == "random" or function not in known.outputs:
        return threshold / rate
    course = known.outputs[str(function)]
    lost = np.maximum(course[:, :1] - course, 0.0)
    hourly = rate * np.exp(custom(disease, "dropout_by_decline") * lost / PER_POINTS)
    steps = 0.5 * (hourly[:, :-1] + hourly[:, 1:]) * np.diff(known.times)
    hazard = np.concatenate([np.zeros((len(u), 1)), np.cumsum(steps, axis=1)], axis=1)
    return known.crossing(hazard, threshold)
