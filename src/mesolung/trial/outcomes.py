"""What happens to a set of subjects: their model outputs over time, and when each dies or goes home."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from mesolung.trial.recurrent import Recurring
    from mesolung.trial.visits import Visits

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
# Hours since enrolment: one for all subjects, or one each (where a study counts from another moment).
Time = float | Floats


@dataclass(frozen=True, eq=False)
class Outcomes:
    """The courses of n subjects under one arm, with each subject's own chance of surviving them.

    A subject is alive while exp(-H) > u, where H is the cumulative hazard since enrolment and u the subject's
    uniform number. The same u under every arm makes deaths comparable within a subject (potential outcomes).
    It is in hospital while exp(-D) > v likewise, D being the cumulative hazard of discharge alive.

    Attributes:
        times: float64[T], hours since enrolment, strictly increasing.
        outputs: name of an endpoint or state -> float64[n, T], in the unit of the endpoint table.
        cumulative_hazard: float64[n, T], dimensionless, since enrolment (0 at time 0); nan from a failure on.
        death_uniform: float64[n], in [0, 1].
        discharge_hazard: float64[n, T] as ``cumulative_hazard``; None where nobody is followed to discharge.
        discharge_uniform: float64[n], in [0, 1]; None likewise.
        event_uniforms: name of an output that is a cumulative hazard of some event -> float64[n], in [0, 1].
        recurring: name of an output that is the cumulative hazard of events that come again -> their numbers.
        visits: what measurements add at visits; None where what is true is seen.
        lost_time: float64[n], hours since enrolment at which a subject leaves the trial, inf for never; when
            it dies may still be known. None where nobody leaves.
        history: endpoint -> float64[n], what was counted in the year before enrolment.

    Raises:
        ValueError: shapes that do not agree, or times that do not increase.
    """

    times: Floats
    outputs: Mapping[str, Floats]
    cumulative_hazard: Floats
    death_uniform: Floats
    discharge_hazard: Floats | None = None
    discharge_uniform: Floats | None = None
    event_uniforms: Mapping[str, Floats] = field(default_factory=dict)
    recurring: Mapping[str, Recurring] = field(default_factory=dict)
    visits: Visits | None = None
    lost_time: Floats | None = None
    history: Mapping[str, Floats] = field(default_factory=dict)
    _hazard: Floats = field(init=False, repr=False)
    _discharge: Floats | None = field(init=False, repr=False)

    def __post_init__(self) -> None:
        times = np.asarray(self.times, dtype=np.float64)
        hazard = np.asarray(self.cumulative_hazard, dtype=np.float64)
        uniform = np.asarray(self.death_uniform, dtype=np.float64)
        if times.ndim != 1 or times.size == 0 or np.any(np.diff(times) <= 0):
            raise ValueError("times must be one strictly increasing, non-empty series")
        if hazard.shape != (uniform.size, times.size) or uniform.ndim != 1:
            raise ValueError(
                f"cumulative_hazard has shape {hazard.shape}, expected {(uniform.size, times.size)}"
            )
        for name, values in self.outputs.items():
            if np.shape(values) != hazard.shape:
                raise ValueError(f"output {name} has shape {np.shape(values)}, expected {hazard.shape}")
        object.__setattr__(self, "times", times)
        object.__setattr__(self, "cumulative_hazard", hazard)
        object.__setattr__(self, "death_uniform", uniform)
        # A solver's rounding may let H fall by its tolerance; a death is not undone by that.
        # (maximum.accumulate carries a nan on to the end, which is what a failed course means.)
        object.__setattr__(self, "_hazard", np.maximum.accumulate(hazard, axis=1))
        object.__setattr__(self, "_discharge", None)
        if self.discharge_hazard is None or self.discharge_uniform is None:
            return
        if (
            np.shape(self.discharge_hazard) != hazard.shape
            or np.shape(self.discharge_uniform) != uniform.shape
        ):
            raise ValueError(
                f"discharge_hazard has shape {np.shape(self.discharge_hazard)}, expected {hazard.shape}"
            )
        object.__setattr__(self, "_discharge", np.maximum.accumulate(self.discharge_hazard, axis=1))

    @property
    def size(self) -> int:
        """Number of subjects."""
        return self.death_uniform.size

    @property
    def followed_to_discharge(self) -> bool:
        """Whether it is known when subjects go home."""
        return self._discharge is not None

    @cached_property
    def death_time(self) -> Floats:
        """float64[n], hours since enrolment: inf when alive at the last output, nan when a failed course
        hides it.

        H is taken as linear between outputs, so the death time is exact for a hazard constant between them.
        """
        return self._crossing(self._hazard, self.death_uniform)

    @cached_property
    def discharge_time(self) -> Floats:
        """float64[n], hours since enrolment to discharge alive: inf where it does not come by the last output
        or death comes first, nan where a failed course hides it.

        Raises:
            ValueError: subjects who are not followed to discharge.
        """
        hazard, uniform = self._of_discharge()
        found, death = self._crossing(hazard, uniform), self.death_time
        # A course that fails does so in both hazards, so a known death came before anything unknown.
        in_time = np.isnan(death) | (found < death) | (np.isnan(found) & np.isinf(death))
        return np.where(in_time, found, np.inf)

    def event_hazard(self, name: str) -> Floats:
        """Cumulative hazard of an event since enrolment, float64[n, T]; it does not fall.

        Raises:
            KeyError: no such output.
        """
        hazard = self.output(name)
        return np.maximum.accumulate(hazard - hazard[:, :1], axis=1)

    def event_time(self, name: str) -> Floats:
        """When an event first comes, were nobody to die: float64[n], hours since enrolment.

        Arguments:
            name: the output that is its cumulative hazard.

        Returns:
            inf where it does not come by the last output, nan where a failed course hides it.

        Raises:
            KeyError: no such output, or one without uniform numbers.
        """
        return self._crossing(self.event_hazard(name), np.asarray(self.event_uniforms[name]))

    def _of_discharge(self) -> tuple[Floats, Floats]:
        if self._discharge is None or self.discharge_uniform is None:
            raise ValueError("these courses are not followed to discharge")
        return self._discharge, np.asarray(self.discharge_uniform, dtype=np.float64)

    def _crossing(self, hazard: Floats, uniform: Floats) -> Floats:
        """When exp(-hazard) falls to the uniform numbers: inf where it never does, nan where hidden."""
        with np.errstate(divide="ignore"):
            return self.crossing(hazard, -np.log(uniform))

    def crossing(self, hazard: Floats, threshold: Floats) -> Floats:
        """When cumulative hazards reach thresholds.

        Arguments:
            hazard: float64[n, T], which does not fall.
            threshold: float64[n].

        Returns:
            float64[n], hours since enrolment: inf where it never does, nan where a failed course hides it.
        """
        # not (exp(-H) > u) is the same as H >= -ln(u); a nan compares false and is handled below.
        crossed = hazard >= threshold[:, None]
        came = crossed.any(axis=1)
        after = crossed.argmax(axis=1)
        before = np.maximum(after - 1, 0)
        row = np.arange(self.size)
        low, high = hazard[row, before], hazard[row, after]
        with np.errstate(invalid="ignore", divide="ignore"):
            part = np.where(high > low, (threshold - low) / (high - low), 0.0)
        time = self.times[before] + part * (self.times[after] - self.times[before])
        unknown = np.isnan(hazard[:, -1])
        return np.where(came, time, np.where(unknown, np.nan, np.inf))

    def death_probability(self, time_h: Time) -> Floats:
        """Probability of death by a time, 1 - exp(-H), for each subject and free of the draw of its uniform.

        Args:
            time_h: hours since enrolment, within the outputs; with one a subject, nan where it is outside.

        Returns:
            float64[n] in [0, 1].
        """
        return -np.expm1(-self._interpolate(self._hazard, time_h, log=False))

    def hazards_until(self, time_h: Time) -> tuple[Floats, Floats, Floats]:
        """Times and cumulative hazards of death and discharge that stand still from a time on.

        Args:
            time_h: hours since enrolment.

        Returns:
            float64[n, T + 1] each: hours, hazard of death, hazard of discharge. Nothing happens after
            ``time_h``, whose own values come last.

        Raises:
            ValueError: subjects who are not followed to discharge.
        """
        discharge, _ = self._of_discharge()
        until = np.broadcast_to(np.asarray(time_h, dtype=np.float64), (self.size,))[:, None]
        over = self.times[None, :] >= until

        def stopped(values: Floats) -> Floats:
            last = self._interpolate(values, time_h, log=False)[:, None]
            return np.concatenate([np.where(over, last, values), last], axis=1)

        hours = np.concatenate([np.minimum(self.times[None, :], until), until], axis=1)
        return hours, stopped(self._hazard), stopped(discharge)

    def time_to_death(self, until_h: Time) -> tuple[Floats, Bools]:
        """Follow-up time and whether it ended in death, all others censored at `until_h`.

        Args:
            until_h: end of follow-up, hours since enrolment.

        Returns:
            float64[n] (h; nan where the course failed first) and bool[n].
        """
        died = self.death_time <= until_h
        time = np.where(died, self.death_time, until_h)
        unknown = np.isnan(self.death_time) & np.isnan(self._interpolate(self._hazard, until_h, log=False))
        return np.where(unknown, np.nan, time), died

    def time_to_discharge(self, until_h: Time) -> tuple[Floats, Bools]:
        """Follow-up time and whether it ended in discharge alive.

        Who dies in hospital is never discharged and stays under follow-up to its end, as in RECOVERY (doi
        10.1056/NEJMoa2021436), so that a death is not taken for a chance of going home.

        Args:
            until_h: end of follow-up, hours since enrolment.

        Returns:
            float64[n] (h; nan where the course failed first) and bool[n].

        Raises:
            ValueError: subjects who are not followed to discharge.
        """
        hazard, _ = self._of_discharge()
        home = self.discharge_time <= until_h
        time = np.where(home, self.discharge_time, until_h)
        unknown = np.isnan(self.discharge_time) & np.isnan(self._interpolate(hazard, until_h, log=False))
        return np.where(unknown, np.nan, time), home

    def output_at(self, name: str, time_h: Time, scale: str = "linear") -> Floats:
        """One output at one time, interpolated on the outputs' grid whether or not the subject is alive.

        Args:
            name: key of `outputs`; `state:NAME` also finds `NAME`.
            time_h: hours since enrolment, within the outputs; with one a subject, nan where it is outside.
            scale: "log" interpolates the logarithm where both neighbours are positive; otherwise linear.

        Returns:
            float64[n] in the output's unit.

        Raises:
            KeyError: no such output.
            ValueError: a time outside the outputs.
        """
        return self._interpolate(self.output(name), time_h, log=scale == "log")

    def output(self, name: str) -> Floats:
        """One output over time, float64[n, T]; `state:NAME` also finds `NAME`. KeyError when absent."""
        for key in (name, name.removeprefix("state:")):
            if key in self.outputs:
                return np.asarray(self.outputs[key], dtype=np.float64)
        raise KeyError(f"no output named {name}")

    def segment(self, time_h: float) -> tuple[int, float]:
        """The output just before a time and the fraction of the way to the next one.

        Raises:
            ValueError: a time outside the outputs.
        """
        slack = self._slack()
        if not self.times[0] - slack <= time_h <= self.times[-1] + slack:
            raise ValueError(
                f"time {time_h} h is outside the outputs ({self.times[0]} to {self.times[-1]} h)"
            )
        if self.times.size == 1:
            return 0, 0.0
        index = int(np.clip(np.searchsorted(self.times, time_h, side="right") - 1, 0, self.times.size - 2))
        width = self.times[index + 1] - self.times[index]
        return index, float(np.clip((time_h - self.times[index]) / width, 0.0, 1.0))

    def inside(self, time_h: Time) -> Bools:
        """bool[n], whose time lies within the outputs.

        Raises:
            ValueError: one time for all, outside the outputs.
        """
        if np.ndim(time_h) == 0:
            self.segment(float(time_h))
        slack = self._slack()
        return np.broadcast_to(
            (time_h >= self.times[0] - slack) & (time_h <= self.times[-1] + slack), (self.size,)
        )

    def _slack(self) -> float:
        return 1e-9 * max(1.0, abs(float(self.times[-1])))  # 28 d may arrive as 671.9999999999999 h

    def _interpolate(self, values: Floats, time_h: Time, log: bool) -> Floats:
        if np.ndim(time_h) == 0:
            index, part = self.segment(float(time_h))
            # At a grid point its own value is returned: a neighbour that is nan must not reach it.
            if part == 0.0:
                return values[:, index].copy()
            if part == 1.0:
                return values[:, index + 1].copy()
            return _between(values[:, index], values[:, index + 1], part, log)
        known = self.inside(time_h)
        hours = np.where(known, time_h, self.times[0])
        last = max(self.times.size - 2, 0)
        place = np.clip(np.searchsorted(self.times, hours, side="right") - 1, 0, last)
        following = np.minimum(place + 1, self.times.size - 1)
        width = np.where(following > place, self.times[following] - self.times[place], 1.0)
        part = np.clip((hours - self.times[place]) / width, 0.0, 1.0)
        row = np.arange(self.size)
        low, high = values[row, place], values[row, following]
        found = np.where(part == 0.0, low, np.where(part == 1.0, high, _between(low, high, part, log)))
        return np.where(known, found, np.nan)


def _between(low: Floats, high: Floats, part: float | Floats, log: bool) -> Floats:
    linear = low + part * (high - low)
    if not log:
        return linear
    with np.errstate(invalid="ignore", divide="ignore"):
        powered = np.exp((1 - part) * np.log(low) + part * np.log(high))
    return np.where((low > 0) & (high > 0), powered, linear)
