"""What a trial tells of draws, as stages of the posterior take it: effects of trials, levels of cohorts."""

from __future__ import annotations

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from mesolung.biology.tables import endpoints
from mesolung.calibration.posterior.forward_human import LEAST_SHARE, Human
from mesolung.calibration.posterior.likelihoods import BESIDE_THE_MODEL, WIDE
from mesolung.calibration.validation.effect import SD_PER_LOG_ODDS
from mesolung.calibration.validation.lines import Subject, version_weights
from mesolung.calibration.validation.predicted import Bases
from mesolung.calibration.validation.published import RATIOS_OF_EVENTS, Published, published_effects
from mesolung.calibration.validation.treatment import compared_treatment, is_treated
from mesolung.study.asked import Asked, asked_of
from mesolung.study.basis import error_of
from mesolung.study.observation import Observation

Values = NDArray[np.float64]
LEVEL_FORMS = ("events", "mean", "median")


def effects_by_draw(subject: Subject, discrepancy: float) -> Values:
    """How likely a trial's published effects are under each draw.

    Arguments:
        subject: the trial and its predictions.
        discrepancy: spread of true effects between trials that the model leaves out.

    Returns:
        float64[D], natural log, by the law of the stage of human trials; 0 where nothing was published.
    """
    told, expected = [], []
    for one in published_effects(subject.study):
        own = _expected(subject, one)
        if one.endpoint in endpoints() and own is not None and np.isfinite(own).any():
            told.append(one)
            expected.append(np.where(np.isfinite(own), own, own[np.isfinite(own)].mean()))
    if not told:
        return np.zeros(subject.predicted.draws)
    return Human(discrepancy).of_effects(subject.study, told, np.stack(expected))


def care_by_draw(subject: Subject, discrepancy: float) -> Values:
    """How likely a cohort's levels are under each draw.

    Arguments:
        subject: the cohort and its predictions.
        discrepancy: of the model, natural log.

    Returns:
        float64[D], natural log. Counts, means and medians above 0 on the log scale, with their published
        error and the model's; one in twenty may say nothing of the model. Results of one endpoint in one
        arm count as one, and versions of one as one.
    """
    study, draws = subject.study, subject.predicted.draws
    weights = version_weights(study)
    parts: list[tuple[tuple[str, tuple[str, ...]], Values]] = []
    for one in study.observations:
        bases = subject.predicted.bases.get(one.index)
        if bases is None or one.form not in LEVEL_FORMS or one.as_ != "level":
            continue
        found = _level(one, bases, discrepancy)
        if found is not None:
            parts.append(((one.endpoint, tuple(one.arm)), weights[one.index] * found))
    count = Counter(key for key, _ in parts)
    return np.sum([own / count[key] for key, own in parts], axis=0) if parts else np.zeros(draws)


def _level(one: Observation, bases: Bases, discrepancy: float) -> Values | None:
    if one.form == "events":
        n, events = float(one.n or 0), float(one.events or 0)
        share = (events + 0.5) / (n + 1.0)
        observed, error, predicted = share, float(np.sqrt((1.0 - share) / (n * share))), bases.own.expected
    elif one.form == "mean":
        observed, known = float(one.mean or 0.0), error_of(one)
        if known is None:
            return None
        error, predicted = known / max(abs(observed), 1e-300), bases.own.expected
    else:
        # The simulated median has the scatter of as many patients by itself.
        observed, error, predicted = float(one.median or 0.0), 0.0, bases.own.simulated
    usable = np.isfinite(predicted) & (predicted > 0.0)
    if observed <= 0.0 or not usable.any():
        return None
    away = np.log(np.where(usable, predicted, 1.0)) - np.log(observed)
    size = float(np.hypot(error, discrepancy))
    density = (1.0 - BESIDE_THE_MODEL) * _normal(away, size) + BESIDE_THE_MODEL * _normal(away, WIDE)
    log = np.log(density)
    return np.where(usable, log, log[usable].mean())


def _normal(away: Values, sd: float) -> Values:
    return np.exp(-0.5 * (away / sd) ** 2) / (sd * np.sqrt(2.0 * np.pi))


def _expected(subject: Subject, one: Published) -> Values | None:
    """What each draw expects of a published effect, float64[D], on its scale."""
    study, found = subject.study, []
    control = study.control.name if study.control else None
    for observation in study.observations:
        bases = subject.predicted.bases.get(observation.index)
        same = (observation.endpoint, observation.time_h) == (one.endpoint, one.time_h)
        names = [a for a in observation.arm if a != control and is_treated(study, a)]
        if bases is None or not same or not names or compared_treatment(study, observation) != one.treatment:
            continue
        own = _of_pair(observation, asked_of(study, observation), bases)
        if own is not None:
            found.append(own)
    return np.mean(found, axis=0) if found else None


def _of_pair(one: Observation, asked: Asked, bases: Bases) -> Values | None:
    sign = {"lower": 1.0, "higher": -1.0}.get(asked.row.better, 0.0)
    if sign == 0.0:
        return None
    if one.form == "contrast":
        if str(one.contrast) not in RATIOS_OF_EVENTS:
            return None
        with np.errstate(divide="ignore", invalid="ignore"):
            return sign * np.log(bases.own.expected)
    if one.form not in LEVEL_FORMS or one.versus is not None or bases.control is None:
        return None
    a, b = bases.own.expected, bases.control.expected
    if asked.row.type == "binary":
        ours, theirs = (a, b) if sign > 0 else (1.0 - a, 1.0 - b)
        return np.log(np.maximum(ours, LEAST_SHARE) / np.maximum(theirs, LEAST_SHARE))
    if bases.level is None:
        return None
    sd = float(np.nanmedian(np.sqrt(np.maximum(bases.level.spread, 1e-300))))
    return sign * (a - b) / sd / SD_PER_LOG_ODDS
