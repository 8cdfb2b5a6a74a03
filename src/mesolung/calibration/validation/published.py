"""Effects as trials published them, on one scale: what a meta-analysis has before it sees the next trial."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import log

from mesolung.biology.states import STATE
from mesolung.biology.tables import endpoints
from mesolung.calibration.validation.effect import SD_PER_LOG_ODDS
from mesolung.calibration.validation.pooling import (
    Pooled,
    log_risk_ratio,
    pooled,
    standardised_difference,
    together,
)
from mesolung.calibration.validation.treatment import compared_treatment, is_treated, trial_of
from mesolung.study.asked import asked_of
from mesolung.study.basis import error_of
from mesolung.study.observation import Observation
from mesolung.study.study import Study

RATIOS_OF_EVENTS = ("risk_ratio", "odds_ratio", "hazard_ratio")


@dataclass(frozen=True)
class Published:
    """One trial's effect on one endpoint.

    Attributes:
        trial: whose.
        treatment: of which treatment.
        endpoint: on which endpoint.
        time_h: when, h; None where it has no time.
        effect: natural log of the ratio of the adverse outcome, negative is benefit; of a continuous endpoint
            the log odds ratio that its standardised difference stands for.
        variance: its squared standard error.
    """

    trial: str
    treatment: str
    endpoint: str
    time_h: float | None
    effect: float
    variance: float


def published_effects(study: Study) -> list[Published]:
    """The effects that a study published against its control.

    Arguments:
        study: validated.

    Returns:
        one an endpoint, time and treatment, from the arms' numbers where both arms have them, else from a
        published contrast. Trials without any event, and endpoints without a better direction, tell nothing.
    """
    control = study.control.name if study.control else None
    if control is None:
        return []
    found: dict[tuple[str, str, float | None], list[tuple[float, float]]] = {}
    arms = [o for o in study.observations if len(o.arm) == 1 and o.versus is None and o.where is None]
    for one in arms:
        if not is_treated(study, one.arm[0]):
            continue
        for other in arms:
            if other.arm == (control,) and _same(one, other):
                effect = _of_arms(study, one, other)
                if effect is not None:
                    found.setdefault(_key(study, one), []).append(effect)
                break
    for one in study.observations:
        key = _key(study, one)
        if one.form == "contrast" and one.versus == control and one.where is None and key not in found:
            effect = _of_contrast(study, one)
            if effect is not None:
                found[key] = [effect]
    return [Published(trial_of(study), *key, *together(effects)) for key, effects in found.items()]


def expected_of_next(
    effects: Iterable[Published], trial: str, treatment: str, endpoint: str, time_h: float | None
) -> Pooled | None:
    """Pool what all other trials found.

    Arguments:
        effects: of all studies.
        trial: the one to predict, which is left out.
        treatment, endpoint, time_h: of the effect; of each trial the nearest time is taken.

    Returns:
        the pooled effect; None with fewer than two other trials.
    """
    nearest: dict[str, tuple[float, Published]] = {}
    for one in effects:
        if one.trial == trial or (one.treatment, one.endpoint) != (treatment, endpoint):
            continue
        apart = abs((one.time_h or 0.0) - (time_h or 0.0))
        if one.trial not in nearest or apart < nearest[one.trial][0]:
            nearest[one.trial] = (apart, one)
    kept: Sequence[Published] = [one for _, one in nearest.values()]
    if len(kept) < 2:
        return None
    return pooled([one.effect for one in kept], [one.variance for one in kept])


def _key(study: Study, one: Observation) -> tuple[str, str, float | None]:
    return compared_treatment(study, one), one.endpoint, one.time_h


def _same(one: Observation, other: Observation) -> bool:
    return (one.endpoint, one.time_h, one.as_, one.form) == (
        other.endpoint,
        other.time_h,
        other.as_,
        other.form,
    )


def _sign(study: Study, one: Observation) -> float:
    if one.endpoint not in endpoints() and not one.endpoint.startswith(STATE):
        return 0.0  # what the model does not have is never scored against a pooled effect
    return {"lower": 1.0, "higher": -1.0}.get(asked_of(study, one).row.better, 0.0)


def _of_arms(study: Study, one: Observation, other: Observation) -> tuple[float, float] | None:
    sign = _sign(study, one)
    if sign == 0.0:
        return None
    if one.form == "events":
        n, m = float(one.n or 0), float(other.n or 0)
        a, b = float(one.events or 0), float(other.events or 0)
        return log_risk_ratio(a, n, b, m) if sign > 0 else log_risk_ratio(n - a, n, m - b, m)
    if one.form != "mean" or one.mean is None or other.mean is None:
        return None
    spreads = [_sd(line) for line in (one, other)]
    if None in spreads:
        return None
    n, m = float(one.n or 0), float(other.n or 0)
    found = standardised_difference((one.mean, spreads[0] or 0.0, n), (other.mean, spreads[1] or 0.0, m))
    if found is None:
        return None
    return sign * found[0] / SD_PER_LOG_ODDS, found[1] / SD_PER_LOG_ODDS**2


def _of_contrast(study: Study, one: Observation) -> tuple[float, float] | None:
    error, sign, measure = error_of(one), _sign(study, one), str(one.contrast)
    if error is None or sign == 0.0 or measure not in RATIOS_OF_EVENTS or not one.value:
        return None
    return sign * log(one.value), error**2


def _sd(one: Observation) -> float | None:
    if one.sd is not None:
        return one.sd
    error = error_of(one)
    return None if error is None or not one.n else error * float(one.n) ** 0.5
