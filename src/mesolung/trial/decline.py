"""Loss of function over the visits of a trial: slopes, falls by an amount, and progression."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from scipy.special import ndtr

from mesolung.trial.outcomes import Floats, Outcomes, Time
from mesolung.trial.recurrent import YEAR_H, followed_until
from mesolung.trial.visits import MeasuredRow, error_sd, measured, visit_times

SLOPES = ("slope", "slope_below", "slope_above")
FALLS = ("falls", "holds")
PROGRESSION = ("progressed", "progression_free", "progression_time")
LEAST_VISITS = 3  # of a slope


class DeclineRow(MeasuredRow, Protocol):
    """What of an endpoint says how a loss is read."""

    @property
    def rule(self) -> str: ...
    @property
    def outputs(self) -> tuple[str, ...]: ...
    @property
    def above(self) -> tuple[float, ...]: ...
    @property
    def share(self) -> float: ...
    @property
    def slope_from_h(self) -> float: ...


def slope(outcomes: Outcomes, row: DeclineRow, time_h: float) -> Floats:
    """Each subject's line through what its visits showed, up to death or leaving.

    Arguments:
        outcomes: courses with the output that the slope is of.
        row: the endpoint.
        time_h: end of follow-up, h since enrolment.

    Returns:
        float64[n], the output's unit a year times the row's share; nan with fewer than three visits.
    """
    times = visit_times(row.visit_every_h, time_h, row.slope_from_h)
    end = followed_until(outcomes, time_h)
    shown = np.stack([_shown(outcomes, row, t) for t in times], axis=1)
    seen = times[None, :] <= end[:, None]
    return _line(times, shown, seen) * row.share


def expected_slope(outcomes: Outcomes, row: DeclineRow, time_h: float) -> tuple[Floats, Floats]:
    """Each subject's line through what is true at the visits, weighted by the chance to be seen thrice.

    Arguments:
        outcomes, row, time_h: as `slope`.

    Returns:
        float64[n] slopes and float64[n] weights.
    """
    times = visit_times(row.visit_every_h, time_h, row.slope_from_h)
    true = np.stack([outcomes.output_at(row.outputs[0], t) for t in times], axis=1)
    third = float(times[min(LEAST_VISITS, times.size) - 1])
    return (
        _line(times, true, np.ones(true.shape, np.bool_)) * row.share,
        1.0 - outcomes.death_probability(third),
    )


def compared(row: DeclineRow, value: Floats) -> Floats:
    """A slope, or whether it lies beyond the one that the endpoint is defined by.

    Arguments:
        row: the endpoint.
        value: float64[n], slopes.

    Returns:
        float64[n]: the slope itself, or 1 and 0; nan stays.
    """
    if row.rule == "slope":
        return value
    yes = value < row.above[0] if row.rule == "slope_below" else value > row.above[0]
    return np.where(np.isnan(value), np.nan, yes.astype(np.float64))


def fallen(outcomes: Outcomes, row: DeclineRow, time_h: Time) -> Floats:
    """Whether a visit shows a fall since enrolment by at least the endpoint's amount: 1, 0, nan if unknown.

    Arguments:
        outcomes: courses with the output.
        row: the endpoint.
        time_h: of the visit, h since enrolment.
    """
    change = _shown(outcomes, row, time_h) - _shown(outcomes, row, 0.0)
    return np.where(np.isnan(change), np.nan, (change <= -row.above[0]).astype(np.float64))


def chance_of_fall(outcomes: Outcomes, row: DeclineRow, time_h: Time) -> Floats:
    """Chance that a visit shows such a fall, over the errors of the two measurements: float64[n].

    Arguments:
        outcomes, row, time_h: as `fallen`.
    """
    name = row.outputs[0]
    change = outcomes.output_at(name, time_h) - outcomes.output_at(name, 0.0)
    sd = np.hypot(error_sd(outcomes, row, name, time_h), error_sd(outcomes, row, name, 0.0))
    beyond = -row.above[0] - change
    with np.errstate(invalid="ignore", divide="ignore"):
        chance = ndtr(beyond / sd)
    return np.where(np.isnan(change), np.nan, np.where(sd > 0, chance, (beyond >= 0).astype(np.float64)))


def progression(outcomes: Outcomes, row: DeclineRow, time_h: float) -> tuple[Floats, Floats]:
    """When each subject progresses: the first visit that shows a fall by the amount, or death.

    Arguments:
        outcomes: courses with the output.
        row: the endpoint.
        time_h: end of follow-up, h since enrolment.

    Returns:
        float64[n] hours, follow-up's end where it does not come; float64[n] 1 where it came, 0, nan unknown.
    """
    end = followed_until(outcomes, time_h)
    first = np.where(outcomes.death_time <= end, outcomes.death_time, np.inf)
    for t in visit_times(row.visit_every_h, time_h)[1:]:
        first = np.where((fallen(outcomes, row, t) == 1.0) & (t <= end), np.minimum(first, t), first)
    came = np.where(np.isnan(end), np.nan, (first <= end).astype(np.float64))
    return np.minimum(first, end), came


def _shown(outcomes: Outcomes, row: DeclineRow, time_h: Time) -> Floats:
    name = row.outputs[0]
    level = outcomes.output_at(name, time_h)
    return measured(outcomes, row, name, time_h, level, bounded=False)


def _line(times: Floats, values: Floats, seen: np.ndarray) -> Floats:
    """Slopes a year of least-squares lines through the values that were seen: float64[n]."""
    kept = seen & ~np.isnan(values)
    n = kept.sum(axis=1)
    years = times / YEAR_H
    x = np.where(kept, years, 0.0)
    y = np.where(kept, values, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        dx = np.where(kept, years - (x.sum(axis=1) / n)[:, None], 0.0)
        return np.where(n >= LEAST_VISITS, (dx * y).sum(axis=1) / (dx * dx).sum(axis=1), np.nan)
