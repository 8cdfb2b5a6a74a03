"""What the targets of usual care measure, as small functions of followed patients."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from mesolung.calibration import weighted
from mesolung.calibration.followed import VENTILATED, Followed
from mesolung.calibration.followed_groups import GROUPS, HYPOXAEMIC, MILD_ABOVE, OF_COVID, WEEK_DAY, Group
from mesolung.calibration.step_targets import StepTarget

Values = NDArray[np.float64]
# Subjects, the group's weights by day, an output and a day -> a number.
Measure = Callable[[Followed, Callable[[float], Values], str, float], float]

LEAST_SUBJECTS = 5
LEAST_LOAD = 1.0
FIRST_DECLINE_DAY, DECLINE_EVERY = 6, 4


def median(f: Followed, who: Callable[[float], Values], output: str, day: float) -> float:
    """Median of an output on a day."""
    return _median(f.at(output, day), who(day))


def mean(f: Followed, who: Callable[[float], Values], output: str, day: float) -> float:
    """Mean of an output on a day."""
    return weighted.mean(f.at(output, day), who(day))


def sd(f: Followed, who: Callable[[float], Values], output: str, day: float) -> float:
    """Standard deviation of an output on a day, over all subjects of all draws."""
    return weighted.deviation(f.at(output, day), who(day))


def ratio_to_day_0(f: Followed, who: Callable[[float], Values], output: str, day: float) -> float:
    """Median of an output on a day over its median on day zero."""
    return median(f, who, output, day) / median(f, who, output, 0)


def quantile_of_lowest(p: float) -> Measure:
    """Make the measure "quantile of the lowest value of the whole course", over everybody."""
    return lambda f, who, output, day: float(np.quantile(f.values[output].min(axis=1), p))


def day_of_lowest(f: Followed, who: Callable[[float], Values], output: str, day: float) -> float:
    """Median day, since day zero, of the lowest value."""
    return _median((f.values[output].argmin(axis=1) - f.start).astype(np.float64), who(0))


def mortality(f: Followed, who: Callable[[float], Values], output: str, day: float) -> float:
    """Expected share of those of day zero who die by a day."""
    return weighted.mean(1.0 - f.alive(day), who(0))


def mortality_after_day_6(f: Followed, who: Callable[[float], Values], output: str, day: float) -> float:
    """Expected share of those of day 6 who die within so many days after it."""
    died = 1.0 - f.alive(WEEK_DAY + day) / f.alive(WEEK_DAY)
    weight = who(WEEK_DAY)
    return weighted.mean(died, weight) if (weight > 0).sum() > LEAST_SUBJECTS else float("nan")


def share_ever_ventilated(f: Followed, who: Callable[[float], Values], output: str, day: float) -> float:
    """Share of all subjects ever on a ventilator."""
    return float(f.ever_ventilated.mean()) if f.size else float("nan")


def ventilation_days(f: Followed, who: Callable[[float], Values], output: str, day: float) -> float:
    """Median number of days on the ventilator up to the horizon, of those who live to it."""
    days = (f.course("VENT", f.horizon) > VENTILATED).sum(axis=1).astype(np.float64)
    return _median(days, who(0) * f.survives)


def median_after_intubation(f: Followed, who: Callable[[float], Values], output: str, day: float) -> float:
    """Median of an output some days after the first on the ventilator."""
    return _median(_after_intubation(f, output, day), who(0))


def share_after_intubation(f: Followed, who: Callable[[float], Values], output: str, day: float) -> float:
    """Share whose output is above 0 some days after the first on the ventilator."""
    return weighted.mean((_after_intubation(f, output, day) > 0).astype(np.float64), who(0))


def second_infection(f: Followed, who: Callable[[float], Values], output: str, day: float) -> float:
    """Share that has had a second infection by a day, by the end of the course where none is given."""
    found = f.at("SEC", day) if np.isfinite(day) else f.values["SEC"][:, -1]
    return weighted.mean((found > 0.5).astype(np.float64), who(0))


def share_where(test: Callable[[Values], NDArray[np.bool_]]) -> Measure:
    """Make the measure "share whose output on a day passes a test"."""

    def share(f: Followed, who: Callable[[float], Values], output: str, day: float) -> float:
        value = f.at(output, day)
        return weighted.mean(np.where(np.isnan(value), np.nan, test(value)), who(day))

    return share


def share_of_patients(f: Followed, who: Callable[[float], Values], output: str, day: float) -> float:
    """Share of the enrolled who are in the group."""
    total = f.weight.sum()
    return float(who(day).sum() / total) if total > 0 else float("nan")


def share_better(f: Followed, who: Callable[[float], Values], output: str, day: float) -> float:
    """Share no longer hypoxaemic or no longer on the ventilator on a day."""
    better = (f.at("pf_ratio", day) > HYPOXAEMIC) | (f.at("VENT", day) < VENTILATED)
    return weighted.mean(better.astype(np.float64), who(0))


def share_falling(f: Followed, who: Callable[[float], Values], output: str, day: float) -> float:
    """Share whose P/F falls below 200 mmHg by a day."""
    return weighted.mean((f.course(output, int(day)).min(axis=1) < MILD_ABOVE).astype(np.float64), who(0))


def log10_of_peak(f: Followed, who: Callable[[float], Values], output: str, day: float) -> float:
    """Median decimal logarithm of the largest value of the whole course."""
    return float(np.median(np.log10(np.maximum(f.values[output].max(axis=1), LEAST_LOAD))))


def median_log10(f: Followed, who: Callable[[float], Values], output: str, day: float) -> float:
    """Median decimal logarithm on a day."""
    return _median(np.log10(np.maximum(f.at(output, day), LEAST_LOAD)), who(day))


def decline_of_log10(f: Followed, who: Callable[[float], Values], output: str, day: float) -> float:
    """Fall a day of the median decimal logarithm: a line through every fourth day from day 6 to a day."""
    days = np.arange(FIRST_DECLINE_DAY, day + 1, DECLINE_EVERY)
    loads = [median_log10(f, who, output, d) for d in days]
    return float(-np.polyfit(days, loads, 1)[0]) if np.all(np.isfinite(loads)) else float("nan")


MEASURES: dict[str, Measure] = {
    "median": median,
    "mean": mean,
    "sd": sd,
    "ratio to day 0": ratio_to_day_0,
    "5 % quantile of the lowest": quantile_of_lowest(0.05),
    "16 % quantile of the lowest": quantile_of_lowest(0.16),
    "median of the lowest": quantile_of_lowest(0.5),
    "84 % quantile of the lowest": quantile_of_lowest(0.84),
    "day of the lowest": day_of_lowest,
    "mortality": mortality,
    "mortality after day 6": mortality_after_day_6,
    "share ever ventilated": share_ever_ventilated,
    "ventilation days": ventilation_days,
    "median after intubation": median_after_intubation,
    "share above 0 after intubation": share_after_intubation,
    "share with a second infection": second_infection,
    "share above 0": share_where(lambda v: v > 0.0),
    "share above half": share_where(lambda v: v > 0.5),
    "share below 3": share_where(lambda v: v < 3.0),
    "share of patients": share_of_patients,
    "share off the ventilator or above 300": share_better,
    "share falling below 200 within a week": share_falling,
    "log10 of the peak": log10_of_peak,
    "median log10": median_log10,
    "decline of log10": decline_of_log10,
}


def measured_of(f: Followed, target: StepTarget) -> float:
    """Take a target's measure, without what it is relative to.

    Arguments:
        f: patients of the target's cohort, or of the one that it is relative to.
        target: any.

    Returns:
        the model's value in the target's unit; nan where there is hardly anybody to take it from.
    """
    group = group_of(target)
    return float(MEASURES[target.parts[0]](f, lambda day: group(f, day), target.output, target.day))


def group_of(target: StepTarget) -> Group:
    """Find the group that a target is of.

    Arguments:
        target: any.

    Returns:
        weights of subjects on a day.
    """
    return (OF_COVID if target.cohort == "covid19-ards" else GROUPS)[target.group]


def _median(values: Values, weight: Values) -> float:
    known = np.isfinite(values) & (weight > 0)
    return weighted.median(values, weight) if known.sum() >= LEAST_SUBJECTS else float("nan")


def _after_intubation(f: Followed, output: str, day: float) -> Values:
    place = np.minimum(f.intubated + int(day), f.days - 1)
    return f.values[output][np.arange(f.size), place]
