"""Groups of virtual patients that the targets of usual care are of, as weights on a day."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from mesolung.calibration.followed import VENTILATED, Followed

Values = NDArray[np.float64]
# Subjects and a day -> what each counts on it.
Group = Callable[[Followed, float], Values]

MILD_ABOVE, SEVERE_UP_TO, HYPOXAEMIC = 200.0, 100.0, 300.0
# Who is sampled in a hospital without ever being ventilated has had this at the worst.
SAMPLED_BELOW = 400.0
# Half of those who can go home are still sampled; discharge counts from the second day on.
STILL_SAMPLED, ADMITTED_DAY, WEEK_DAY = 0.5, 2, 6


def everybody(f: Followed, day: float) -> Values:
    """All who live on the day."""
    return f.weight * f.alive(day)


def survivors(f: Followed, day: float) -> Values:
    """Those who will live to the horizon."""
    return f.weight * f.survives


def deaths(f: Followed, day: float) -> Values:
    """Those who live on the day and die before the horizon."""
    return f.weight * np.maximum(f.alive(day) - f.survives, 0.0)


def covid_deaths(f: Followed, day: float) -> Values:
    """Those of COVID-19 who were hypoxaemic, live on the day and die before the horizon."""
    return deaths(f, day) * (f.values["pf_ratio"].min(axis=1) < HYPOXAEMIC)


def ventilated(f: Followed, day: float) -> Values:
    """Those ever ventilated, dead or alive."""
    return f.weight * f.ever_ventilated


def ventilated_survivors(f: Followed, day: float) -> Values:
    """Those ever ventilated who will live, while they are in hospital."""
    return survivors(f, day) * f.ever_ventilated * _in_hospital(f, day)


def other_survivors(f: Followed, day: float) -> Values:
    """Those never ventilated who will live and were ill enough to be sampled, while they are in hospital."""
    sampled = ~f.ever_ventilated & (f.values["pf_ratio"].min(axis=1) < SAMPLED_BELOW)
    return survivors(f, day) * sampled * _in_hospital(f, day)


def lowest_below(limit: float) -> Group:
    """Make the group "those whose lowest P/F is below a limit"."""
    return lambda f, day: f.weight * (f.values["pf_ratio"].min(axis=1) < limit)


def pf_between(low: float, high: float) -> Group:
    """Make the group "those whose P/F on day zero is above ``low`` and up to ``high``"."""

    def group(f: Followed, day: float) -> Values:
        pf = f.at("pf_ratio", 0)
        return f.weight * ((pf > low) & (pf <= high))

    return group


def hyperinflammatory(f: Followed, day: float) -> Values:
    """Those in the hyperinflammatory class on day zero."""
    return f.weight * (f.at("hyperinflammation", 0) > 0)


def hypoinflammatory(f: Followed, day: float) -> Values:
    """Those not in the hyperinflammatory class on day zero."""
    return f.weight * ~(f.at("hyperinflammation", 0) > 0)


def no_oxygen(f: Followed, day: float) -> Values:
    """Those without hypoxaemia on day 6 whose course goes on for four weeks."""
    followed = f.start + WEEK_DAY + 28 <= f.days - 1
    return f.weight * followed * (f.at("pf_ratio", WEEK_DAY) > HYPOXAEMIC)


def oxygen(f: Followed, day: float) -> Values:
    """Those hypoxaemic and not ventilated on day 6."""
    low = f.at("pf_ratio", WEEK_DAY) < HYPOXAEMIC
    return f.weight * low * (f.at("VENT", WEEK_DAY) < VENTILATED)


def _in_hospital(f: Followed, day: float) -> Values:
    if day <= ADMITTED_DAY:
        return np.ones(f.size)
    gone = f.at("DIS", day) - f.at("DIS", ADMITTED_DAY)
    return np.exp(-STILL_SAMPLED * np.maximum(np.nan_to_num(gone), 0.0))


GROUPS: dict[str, Group] = {
    "all": everybody,
    "survivors": survivors,
    "deaths": deaths,
    "ventilated": ventilated,
    "ventilated survivors": ventilated_survivors,
    "other survivors": other_survivors,
    "lowest P/F below 200": lowest_below(200.0),
    "mild": pf_between(MILD_ABOVE, HYPOXAEMIC),
    "moderate": pf_between(SEVERE_UP_TO, MILD_ABOVE),
    "severe": pf_between(0.0, SEVERE_UP_TO),
    "hyperinflammatory": hyperinflammatory,
    "hypoinflammatory": hypoinflammatory,
    "no oxygen on day 6": no_oxygen,
    "oxygen on day 6": oxygen,
}
# Deaths of COVID-19 are counted among those who were treated for it.
OF_COVID = {**GROUPS, "deaths": covid_deaths}
