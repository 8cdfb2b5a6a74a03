"""Moving a prediction by an effect: what a bias does, and what a constant effect predicts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit, ndtr, ndtri

from mesolung.calibration.validation.predicted import Bases
from mesolung.study.basis import Basis, error_of
from mesolung.study.observation import Observation
from mesolung.trial.contrasts import is_ratio

Values = NDArray[np.float64]

# A difference in standard deviations that a log odds ratio of 1 stands for.
# Source: Chinn 2000 Stat Med 19:3127, doi 10.1002/1097-0258(20001130)19:22<3127::AID-SIM784>3.0.CO;2-M.
SD_PER_LOG_ODDS = float(np.sqrt(3.0) / np.pi)
SMALLEST_P = 1e-12


@dataclass(frozen=True, eq=False)
class Effect:
    """An effect on whatever is measured, draw by draw; negative is benefit.

    Attributes:
        log_ratio: float64[D], natural log of the ratio of the adverse outcome's odds (or risks); continuous
            endpoints move by the standardised difference that it stands for (Chinn 2000).
        errors: float64[D], in standard errors of the comparison.
        of_risks: whether ``log_ratio`` is of risks, not of odds.
    """

    log_ratio: Values
    errors: Values
    of_risks: bool = False


def moved(bases: Bases, basis: Basis, one: Observation, row: Any, effect: Effect) -> Basis:
    """Move a prediction by an effect.

    Arguments:
        bases: of the observation; gives the control arm's level and the numbers of subjects.
        basis: what to move: ``bases.own`` or ``bases.control``.
        one: the observation.
        row: its endpoint: `better`, `type`, `scale`.
        effect: over the same draws.

    Returns:
        the moved prediction; unmoved for an order, and for an endpoint of which no direction is better.
    """
    sign = {"lower": 1.0, "higher": -1.0}.get(row.better, 0.0)
    if sign == 0.0 or one.form == "order":
        return basis
    if one.form == "events":
        return replace(basis, expected=_of_share(basis.expected, bases, effect, sign))
    if one.form == "event_count":
        mean = np.maximum(basis.expected, 1e-300)
        error = np.sqrt(np.maximum(basis.spread, 0.0)) / mean
        factor = np.exp(sign * (effect.log_ratio + effect.errors * error))
        over = np.maximum(basis.spread - basis.expected, 0.0)
        return replace(
            basis, expected=basis.expected * factor, spread=basis.expected * factor + over * factor**2
        )
    if one.form == "contrast":
        return replace(basis, expected=_of_contrast(basis.expected, one, row, bases, effect, sign))
    if one.form == "direction":
        return _of_direction(basis, row, bases, effect, sign)
    return _of_mean(basis, one, row, bases, effect, sign)


def _of_share(share: Values, bases: Bases, effect: Effect, sign: float) -> Values:
    """The share with the event; ``sign`` is -1 where the event is the good outcome."""
    if effect.of_risks:
        adverse = share if sign > 0 else 1.0 - share
        adverse = np.clip(adverse * np.exp(effect.log_ratio), 0.0, 1.0)
        return adverse if sign > 0 else 1.0 - adverse
    inside = np.clip(share, 1e-9, 1.0 - 1e-9)
    shift = effect.log_ratio + effect.errors * log_odds_error(inside, bases.sizes)
    return expit(logit(inside) + sign * shift)


def log_odds_error(share: Values, sizes: tuple[float, float]) -> Values:
    """Standard error of a log odds ratio of two arms with about the same share of events.

    Arguments:
        share: float64[D], expected.
        sizes: subjects of the arms; 0 for an arm that is not there.
    """
    inverse = sum(1.0 / n for n in sizes if n > 0)
    return np.sqrt(inverse / np.maximum(share * (1.0 - share), 1e-9))


def _of_contrast(
    expected: Values, one: Observation, row: Any, bases: Bases, effect: Effect, sign: float
) -> Values:
    level, error, measure = bases.level, error_of(one) or 0.0, str(one.contrast)
    sd = np.sqrt(np.maximum(level.spread, 0.0)) if level is not None else np.zeros(1)
    if measure in ("risk_ratio", "odds_ratio", "hazard_ratio"):
        return expected * np.exp(sign * (effect.log_ratio + effect.errors * error))
    if is_ratio(measure):  # of means, or of wins
        relative = SD_PER_LOG_ODDS
        if measure == "ratio" and row.type != "binary" and level is not None:
            relative = SD_PER_LOG_ODDS * sd / np.maximum(np.abs(level.expected), 1e-300)
        return expected * np.exp(sign * (effect.log_ratio * relative + effect.errors * error))
    if row.type == "binary" and level is not None:
        base = np.clip(level.expected, 1e-9, 1.0 - 1e-9)
        alone = replace(effect, errors=np.zeros_like(effect.errors))
        there = _of_share(base, bases, alone, sign)
        return expected + there - base + sign * effect.errors * error
    return expected + sign * (effect.log_ratio * SD_PER_LOG_ODDS * sd + effect.errors * error)


def _of_direction(basis: Basis, row: Any, bases: Bases, effect: Effect, sign: float) -> Basis:
    z = basis.shifts * -ndtri(np.maximum(np.nan_to_num(basis.p_values, nan=1.0), SMALLEST_P) / 2.0)
    if row.type == "binary" and bases.level is not None:
        error = log_odds_error(np.clip(bases.level.expected, 1e-9, 1.0 - 1e-9), bases.sizes)
    else:
        error = np.full(
            effect.errors.shape, np.sqrt(sum(1.0 / n for n in bases.sizes if n > 0)) / SD_PER_LOG_ODDS
        )
    move = sign * (effect.log_ratio / np.maximum(error, 1e-300) + effect.errors)
    z = z + move[np.arange(z.size) % move.size]
    return replace(basis, p_values=2.0 * ndtr(-np.abs(z)), shifts=np.sign(z))


def _of_mean(basis: Basis, one: Observation, row: Any, bases: Bases, effect: Effect, sign: float) -> Basis:
    sd = np.sqrt(np.maximum(basis.spread, 0.0))
    error = sd * np.sqrt(sum(1.0 / n for n in bases.sizes if n > 0))
    shift = sign * (effect.log_ratio * SD_PER_LOG_ODDS * sd + effect.errors * error)
    shift = np.nan_to_num(shift)
    trial = np.arange(basis.simulated.size) % shift.size
    positive = bool(np.all(np.nan_to_num(basis.expected, nan=1.0) > 0))
    if row.scale == "log" and one.as_ == "level" and positive:
        # On the log scale, so that no concentration falls below 0.
        factor = np.exp(shift / np.where(basis.expected > 0, basis.expected, 1.0))
        return replace(basis, expected=basis.expected * factor, simulated=basis.simulated * factor[trial])
    return replace(basis, expected=basis.expected + shift, simulated=basis.simulated + shift[trial])
