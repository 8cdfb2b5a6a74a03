"""Virtual patients followed day by day from onset or enrolment on, as the usual-care step sees them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
Flags = NDArray[np.bool_]
Outputs = Mapping[str, Values]

ONSET_IFN_PM, ARDS_BELOW_MMHG, ILL_CRP_MG_L, ILL_SOFA = 3.0, 300.0, 20.0, 2.0
VENTILATED = 0.5


@dataclass(frozen=True)
class Followed:
    """Subjects with a day zero of their own.

    Attributes:
        values: output -> float64[n, T], once a day.
        start: intp[n], the day of the course that is day zero.
        weight: float64[n], what each counts.
        horizon: the day by which outcomes are taken.
    """

    values: Outputs
    start: NDArray[np.intp]
    weight: Values
    horizon: int

    @property
    def size(self) -> int:
        """Number of subjects."""
        return self.start.size

    @property
    def days(self) -> int:
        """Length of the courses, days."""
        return self.values["HAZ"].shape[1]

    def at(self, name: str, day: float) -> Values:
        """Read an output.

        Arguments:
            name: of it.
            day: since day zero.

        Returns:
            float64[n]; nan beyond the course.
        """
        place = self.start + int(day)
        found = self.values[name][np.arange(self.size), np.clip(place, 0, self.days - 1)]
        return np.where((place >= 0) & (place < self.days), found, np.nan)

    def course(self, name: str, days: int) -> Values:
        """Read an output over days.

        Arguments:
            name: of it.
            days: the last one, since day zero.

        Returns:
            float64[n, days + 1]; nan beyond the course.
        """
        return np.stack([self.at(name, d) for d in range(days + 1)], axis=1)

    def alive(self, day: float) -> Values:
        """Give the chance of living to a day, given life on day zero.

        Arguments:
            day: since day zero; beyond the course its last day.

        Returns:
            float64[n].
        """
        hazard = self.values["HAZ"]
        last = np.minimum(self.start + int(day), self.days - 1)
        who = np.arange(self.size)
        return np.exp(-np.maximum(hazard[who, last] - hazard[who, self.start], 0.0))

    @property
    def survives(self) -> Values:
        """Chance of living to the horizon, float64[n]."""
        return self.alive(self.horizon)

    @property
    def ever_ventilated(self) -> Flags:
        """Who is ventilated at any time of the course, bool[n]."""
        return self.values["VENT"].max(axis=1) > VENTILATED

    @property
    def intubated(self) -> NDArray[np.intp]:
        """First day of the course on the ventilator, intp[n]; 0 for those never on it."""
        return (self.values["VENT"] > VENTILATED).argmax(axis=1)


def from_onset(values: Outputs) -> Followed:
    """Follow COVID-19 from the day on which interferon passes its threshold.

    Arguments:
        values: output -> float64[N, T].

    Returns:
        everybody; who has no symptoms is followed from infection on, with no weight in anything counted from
        onset.
    """
    ill = values["IFN"] > ONSET_IFN_PM
    return Followed(values, ill.argmax(axis=1), np.asarray(ill.any(axis=1), np.float64), 29)


# Outputs of a whole cohort -> those followed.
Enrolment = Callable[[Outputs], Followed]


def enrolled(holds: Callable[[Outputs], Flags], horizon: int, *, still: bool = False) -> Enrolment:
    """Make an enrolment on the day after something holds first.

    Arguments:
        holds: of the outputs, bool[N, T].
        horizon: days of follow-up that the course must leave.
        still: whether it must hold on the day of enrolment too.

    Returns:
        a function of the outputs that gives those enrolled, each with weight 1.
    """

    def enrol(values: Outputs) -> Followed:
        met = holds(values)
        start = met.argmax(axis=1) + 1
        last = met.shape[1] - 1
        inside = met.any(axis=1) & (start + horizon <= last)
        if still:
            inside &= met[np.arange(len(met)), np.minimum(start, last)]
        who = np.flatnonzero(inside)
        return Followed({k: v[who] for k, v in values.items()}, start[who], np.ones(who.size), horizon)

    return enrol


def ventilated_at_enrolment(values: Outputs) -> Followed:
    """Enrol ARDS a day after P/F fell below 300 mmHg, and count those who are ventilated then.

    Arguments:
        values: output -> float64[N, T].

    Returns:
        those enrolled; weight 0 for who is not on a ventilator.
    """
    found = enrolled(lambda o: o["pf_ratio"] < ARDS_BELOW_MMHG, 28, still=True)(values)
    return replace(found, weight=np.asarray(found.at("VENT", 0) > VENTILATED, np.float64))


FOLLOWED: dict[str, Enrolment] = {
    "covid19-ards": from_onset,
    "ards": ventilated_at_enrolment,
    "pneumonia": enrolled(lambda o: o["crp"] > ILL_CRP_MG_L, 25),
    "sepsis": enrolled(lambda o: o["sofa"] >= ILL_SOFA, 27),
}
