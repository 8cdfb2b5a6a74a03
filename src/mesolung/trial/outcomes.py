"""What happens to a set of subjects: their model outputs over time, and when each of them dies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Outcomes:
    """The courses of n subjects under one arm, with each subject's own chance of surviving them.

    A subject is alive while exp(-H) > u, where H is the cumulative hazard since enrolment and u the subject's
    uniform number. The same u under every arm makes deaths comparable within a subject (potential outcomes).

    Attributes:
        times: float64[T], hours since enrolment, strictly increasing.
        outputs: name of an endpoint or state -> float64[n, T], in the unit of the endpoint table.
        cumulative_hazard: float64[n, T], dimensionless, since enrolment (0 at time 0); nan from a failure on.
        death_uniform: float64[n], in [0, 1].

    Raises:
        ValueError: shapes that do not agree, or times that do not increase.
    """

    times: Floats
    outputs: Mapping[str, Floats]
    cumulative_hazard: Floats
    death_uniform: Floats
    _hazard: Floats = field(init=False, repr=False)

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

    @property
    def size(self) -> int:
        """Number of subjects."""
        return self.death_uniform.size

    @cached_property
    def death_time(self) -> Floats:
        """float64[n], hours since enrolment: inf when alive at the last output, nan when a failed course
        hides it.

        H is taken as linear between outputs, so the death time is exact for a hazard constant between them.
        """
        with np.errstate(divide="ignore"):
            threshold = -np.log(self.death_uniform)
        # not (exp(-H) > u) is the same as H >= -ln(u); a nan compares false and is handled below.
        crossed = self._hazard >= threshold[:, None]
        died = crossed.any(axis=1)
        after = crossed.argmax(axis=1)
        before = np.maximum(after - 1, 0)
        row = np.arange(self.size)
        low, high = self._hazard[row, before], self._hazard[row, after]
        with np.errstate(invalid="ignore", divide="ignore"):
            part = np.where(high > low, (threshold - low) / (high - low), 0.0)
        time = self.times[before] + part * (self.times[after] - self.times[before])
        unknown = np.isnan(self._hazard[:, -1])
        return np.where(died, time, np.where(unknown, np.nan, np.inf))

    def death_probability(self, time_h: float) -> Floats:
        """Probability of death by a time, 1 - exp(-H), for each subject and free of the draw of its uniform.

        Args:
            time_h: hours since enrolment, within the outputs.

        Returns:
            float64[n] in [0, 1].
        """
        return -np.expm1(-self._interpolate(self._hazard, time_h, log=False))

    def time_to_death(self, until_h: float) -> tuple[Floats, Bools]:
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

    def output_at(self, name: str, time_h: float, scale: str = "linear") -> Floats:
        """One output at one time, interpolated on the outputs' grid whether or not the subject is alive.

        Args:
            name: key of `outputs`; `state:NAME` also finds `NAME`.
            time_h: hours since enrolment, within the outputs.
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
        slack = 1e-9 * max(1.0, abs(float(self.times[-1])))  # 28 d may arrive as 671.9999999999999 h
        if not self.times[0] - slack <= time_h <= self.times[-1] + slack:
            raise ValueError(
                f"time {time_h} h is outside the outputs ({self.times[0]} to {self.times[-1]} h)"
            )
        if self.times.size == 1:
            return 0, 0.0
        index = int(np.clip(np.searchsorted(self.times, time_h, side="right") - 1, 0, self.times.size - 2))
        width = self.times[index + 1] - self.times[index]
        return index, float(np.clip((time_h - self.times[index]) / width, 0.0, 1.0))

    def _interpolate(self, values: Floats, time_h: float, log: bool) -> Floats:
        index, part = self.segment(time_h)
        # At a grid point its own value is returned: a neighbour that is nan must not reach it.
        if part == 0.0:
            return values[:, index].copy()
        if part == 1.0:
            return values[:, index + 1].copy()
        low, high = values[:, index], values[:, index + 1]
        linear = low + part * (high - low)
        if not log:
            return linear
        with np.errstate(invalid="ignore", divide="ignore"):
            powered = np.exp((1 - part) * np.log(low) + part * np.log(high))
        return np.where((low > 0) & (high > 0), powered, linear)
