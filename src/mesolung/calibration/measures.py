"""What published targets of usual care measure, as functions of enrolled subjects' arrays."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from mesolung.calibration import weighted
from mesolung.calibration.association import odds_ratio, rate_ratio, risk_ratio, within_strata
from mesolung.calibration.enrolled import NON_SURVIVORS, SURVIVORS, Enrolled
from mesolung.calibration.stays import VENTILATED
from mesolung.calibration.strata import ARDS_UP_TO, needed, trajectory

Values = NDArray[np.float64]
# One group of subjects, an output and a day after enrolment -> a number.
Measure = Callable[[Enrolled, str, float], float]
# The same of two groups: the subjects of the target and those that they are compared with.
Comparison = Callable[[Enrolled, Enrolled, str, float], float]


def mortality(e: Enrolled, output: str, day: float) -> float:
    """Expected share that has died by a day; ``output`` is not used."""
    return weighted.mean(1.0 - e.alive(day), e.weight)


def ventilation_days(e: Enrolled, output: str, day: float) -> float:
    """Median days of ventilation within ``day`` days of those who are then alive."""
    days = (e.course(output, day)[:, 1:] >= VENTILATED).sum(axis=1) * e.interval_d
    return weighted.median(days, e.weight * e.alive(day))


def ventilation_or_death(e: Enrolled, output: str, day: float) -> float:
    """Expected share that has been ventilated or has died by a day, of subjects not ventilated."""
    ever = (e.course("ventilated", day) >= VENTILATED).any(axis=1)
    return weighted.mean(np.where(ever, 1.0, 1.0 - e.alive(day)), e.weight)


def share_above_zero(e: Enrolled, output: str, day: float) -> float:
    """Share of those alive and in hospital on a day whose output is above 0."""
    value = e.at(output, day)
    return weighted.mean(np.where(np.isnan(value), np.nan, value > 0), e.weight * e.seen(day))


def share_below(limit: float) -> Measure:
    """Make the measure "share below a limit" of those alive and in hospital."""

    def share(e: Enrolled, output: str, day: float) -> float:
        value = e.at(output, day)
        return weighted.mean(np.where(np.isnan(value), np.nan, value < limit), e.weight * e.seen(day))

    return share


def share_of_trajectory(name: str) -> Measure:
    """Make the measure "share whose first week goes so"."""
    return lambda e, output, day: weighted.mean((trajectory(e) == name).astype(float), e.weight)


def rapidly_improving(e: Enrolled, output: str, day: float) -> float:
    """Share of those alive on a day who are off the ventilator or no longer hypoxaemic.

    Source: definition of rapidly improving ARDS (Schenck 2019 Chest 155:474).
    """
    better = (e.at("pf_ratio", day) > ARDS_UP_TO) | (e.at("ventilated", day) < VENTILATED)
    return weighted.mean(better.astype(float), e.weight * e.alive(day))


def median(e: Enrolled, output: str, day: float) -> float:
    """Median of an output of those alive and in hospital on a day."""
    return weighted.median(e.at(output, day), _seen(e, day))


def mean(e: Enrolled, output: str, day: float) -> float:
    """Mean of an output of those alive and in hospital on a day."""
    return weighted.mean(e.at(output, day), _seen(e, day))


def sd(e: Enrolled, output: str, day: float) -> float:
    """Standard deviation between subjects of a draw of an output on a day."""
    return _spread(e.at(output, day), e, day)


def quartile_range(e: Enrolled, output: str, day: float) -> float:
    """Upper minus lower quartile of an output on a day, between subjects of a draw."""
    seen = _seen(e, day)
    value, _ = within_strata(e.at(output, day), seen, e.draw)
    return weighted.quantile(value, seen, 0.75) - weighted.quantile(value, seen, 0.25)


def ratio_to_day_1(e: Enrolled, output: str, day: float) -> float:
    """Median on a day over the median on day 1."""
    return median(e, output, day) / median(e, output, 1.0)


def lavage_neutrophils(e: Enrolled, output: str, day: float) -> float:
    """Median number of neutrophils in lavage fluid on a day, in the unit of ``bal_cells``."""
    cells = needed(e, "bal_cells").at("bal_cells", day) * needed(e, "bal_neutrophils").at(
        "bal_neutrophils", day
    )
    return weighted.median(cells / 100.0, _seen(e, day))


def mean_change(e: Enrolled, output: str, day: float) -> float:
    """Mean change of an output since enrolment."""
    return weighted.mean(e.at(output, day) - e.at(output, 0), _seen(e, day))


def sd_of_change(e: Enrolled, output: str, day: float) -> float:
    """Standard deviation between subjects of a draw of the change of an output since enrolment."""
    return _spread(e.at(output, day) - e.at(output, 0), e, day)


def secondary_infection(e: Enrolled, output: str, day: float) -> float:
    """Expected share that has had a secondary infection by a day, before death."""
    new, alive, _, _ = _infections(e, day)
    return weighted.mean((new * alive).sum(axis=1), e.weight)


def odds_of_death(unit: float) -> Measure:
    """Make the measure "odds ratio of death by a day for so many units of ln output at enrolment"."""

    def ratio(e: Enrolled, output: str, day: float) -> float:
        x = np.log(np.maximum(e.at(output, 0), 1e-12)) / unit
        return odds_ratio(x, 1.0 - e.alive(day), e.weight, e.draw)

    return ratio


def odds_of_death_per_unit(e: Enrolled, output: str, day: float) -> float:
    """Odds ratio of death by a day for one unit of an output at enrolment."""
    return odds_ratio(e.at(output, 0), 1.0 - e.alive(day), e.weight, e.draw)


def risk_of_death_per_doubling(e: Enrolled, output: str, day: float) -> float:
    """Risk ratio of death by a day for a doubling of an output at enrolment."""
    x = np.log2(np.maximum(e.at(output, 0), 1e-12))
    return risk_ratio(x, 1.0 - e.alive(day), e.weight, e.draw)


def fold_ventilated(e: Enrolled, output: str, day: float) -> float:
    """Geometric mean of an output on a day: those ventilated at enrolment over those not."""
    seen = _seen(e, day)
    logs, _ = within_strata(np.log(np.maximum(e.at(output, day), 1e-12)), seen, e.draw)
    ventilated = e.at("ventilated", 0) >= VENTILATED
    return float(np.exp(weighted.mean(logs, seen * ventilated) - weighted.mean(logs, seen * ~ventilated)))


def death_after_infection(e: Enrolled, output: str, day: float) -> float:
    """Rate ratio of death after against before or without a secondary infection, pooled over times."""
    _, alive, had, step = _infections(e, day)
    hazard = np.maximum(np.diff(e.course("HAZ", day), axis=1), 0.0)
    exposed, others = (e.weight[:, None] * alive * h for h in (had, 1.0 - had))
    deaths = ((exposed * hazard).sum(axis=0), (others * hazard).sum(axis=0))
    return rate_ratio(deaths, (exposed.sum(axis=0) * step, others.sum(axis=0) * step))


def outcomes_apart(e: Enrolled, output: str, day: float) -> float:
    """Median of non-survivors over that of survivors to day 30, of an output on a day."""
    return median(e.with_outcome(NON_SURVIVORS), output, day) / median(e.with_outcome(SURVIVORS), output, day)


def treated_ratio(of: Measure) -> Comparison:
    """Make the ratio of a measure between the treated and the same subjects untreated."""
    return lambda e, other, output, day: of(e, output, day) / of(other, output, day)


def infection_rate_ratio(e: Enrolled, other: Enrolled, output: str, day: float) -> float:
    """Rate ratio of a first secondary infection, treated against untreated, pooled over times."""
    counts = []
    for arm in (e, other):
        new, alive, had, step = _infections(arm, day)
        weight = arm.weight[:, None] * alive
        counts.append(((weight * new).sum(axis=0), (weight * (1.0 - had)).sum(axis=0) * step))
    return rate_ratio((counts[0][0], counts[1][0]), (counts[0][1], counts[1][1]))


def _infections(e: Enrolled, day: float) -> tuple[Values, Values, Values, float]:
    """New infections a step, chance of being alive and having had one at its start, and days a step.

    Who had one before enrolment does not count as new.
    """
    had = np.clip(needed(e, "SEC").course("SEC", day), 0.0, 1.0)
    free = np.maximum(1.0 - had[:, :1], 1e-12)
    had = np.clip((had - had[:, :1]) / free, 0.0, 1.0)
    hazard = e.course("HAZ", day)
    alive = np.exp(-np.maximum(hazard - hazard[:, :1], 0.0))[:, :-1]
    return np.maximum(np.diff(had, axis=1), 0.0), alive, had[:, :-1], e.interval_d


def _spread(value: Values, e: Enrolled, day: float) -> float:
    """What draws differ by is uncertainty, not spread between patients."""
    seen = _seen(e, day)
    apart, _ = within_strata(value, seen, e.draw)
    return weighted.deviation(apart, seen)


def _seen(e: Enrolled, day: float) -> Values:
    return e.weight * e.seen(day)


MEASURES: dict[str, Measure] = {
    "mortality": mortality,
    "ventilation days of survivors": ventilation_days,
    "ventilation or death": ventilation_or_death,
    "share hyperinflammatory": share_above_zero,
    "share below 3": share_below(3.0),
    "share at least 14": lambda e, output, day: 1.0 - share_below(14.0)(e, output, day),
    "share improving": share_of_trajectory("improving"),
    "share persisting": share_of_trajectory("persisting"),
    "share worsening": share_of_trajectory("worsening"),
    "share rapidly improving": rapidly_improving,
    "median": median,
    "mean": mean,
    "sd": sd,
    "quartile range": quartile_range,
    "ratio of medians to day 1": ratio_to_day_1,
    "lavage neutrophils": lavage_neutrophils,
    "mean change": mean_change,
    "sd of change": sd_of_change,
    "secondary infection": secondary_infection,
    "odds ratio of death per tenfold": odds_of_death(np.log(10.0)),
    "odds ratio of death per e-fold": odds_of_death(1.0),
    "odds ratio of death per unit": odds_of_death_per_unit,
    "risk ratio of death per doubling": risk_of_death_per_doubling,
    "fold ventilated against not": fold_ventilated,
    "death rate ratio after secondary infection": death_after_infection,
    "non-survivors against survivors": outcomes_apart,
}
COMPARISONS: dict[str, Comparison] = {
    "risk ratio": treated_ratio(mortality),
    "ventilation or death ratio": treated_ratio(ventilation_or_death),
    "secondary infection ratio": treated_ratio(secondary_infection),
    "secondary infection rate ratio": infection_rate_ratio,
}
