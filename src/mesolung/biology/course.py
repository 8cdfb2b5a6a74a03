"""What a disease is made of: spreads between subjects, drivers of the course, onset and enrolment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr, ndtr
from scipy.stats import poisson

Scores = Mapping[str, NDArray[np.float64]]


@dataclass(frozen=True)
class Spread:
    """How a quantity differs between subjects.

    Attributes:
        distribution: "fixed", "normal", "lognormal", or "share" (``value`` is the probability of 1).
        value: median, in ``unit``.
        sd: standard deviation, plain or of the natural logarithm.
        unit: of the value and its bounds.
        lowest, highest: bounds; what lies beyond is set to them.
        correlation: (name, rho) with standard scores of between-subject parameters.
    """

    distribution: str
    value: float
    sd: float = 0.0
    unit: str = "1"
    lowest: float = -np.inf
    highest: float = np.inf
    correlation: tuple[tuple[str, float], ...] = ()

    @property
    def relative_sd(self) -> float:
        """Spread relative to the median, dimensionless."""
        if self.distribution == "lognormal":
            return self.sd
        return self.sd / abs(self.value) if self.value else 0.0

    def at(self, z: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give the quantity at standard scores.

        Arguments:
            z: float64[n], standard normal.

        Returns:
            float64[n], in ``unit``; 0 or 1 for a share.
        """
        if self.distribution == "share":
            return (ndtr(z) < self.value).astype(np.float64)
        if self.distribution == "lognormal":
            value = self.value * np.exp(self.sd * z)
        else:
            value = self.value + self.sd * z
        return np.clip(value, self.lowest, self.highest)

    def score(self, own: NDArray[np.float64], others: Scores) -> NDArray[np.float64]:
        """Mix a subject's own scores with those that the quantity is correlated with.

        Arguments:
            own: float64[n], independent standard normal.
            others: scores of the parameters named in ``correlation``.

        Returns:
            float64[n], standard normal.

        Raises:
            KeyError: when a named parameter is missing.
        """
        result = np.sqrt(1.0 - sum(rho * rho for _, rho in self.correlation)) * own
        for name, rho in self.correlation:
            result = result + rho * others[name]
        return result


@dataclass(frozen=True)
class Repeat:
    """How often a driver comes again within a window of the course.

    Attributes:
        every_h: hours from one start to the next; None where chance decides.
        rate: events an hour of each subject, a Poisson process; None where they come regularly.
        from_h, until_h: the window, hours since the start of the course; it may reach beyond the course, as
            subjects who are enrolled late in it live on.
    """

    every_h: float | None
    rate: Spread | None
    from_h: float
    until_h: float

    @property
    def most(self) -> int:
        """Largest number of events that a subject can have; of chance events all but 1 in 1e9 subjects."""
        if self.rate is None:
            assert self.every_h is not None
            return 1 + int((self.until_h - self.from_h) / self.every_h)
        highest = self.rate.value if self.rate.distribution == "fixed" else self.rate.highest
        return int(poisson.isf(1e-9, highest * (self.until_h - self.from_h))) + 1


@dataclass(frozen=True)
class Driver:
    """One thing that happens to a subject and starts or drives the disease.

    Attributes:
        target: a state (the amount is added) or a parameter (set to the amount).
        amount: what is added or set; with a duration it is the total, given evenly over it.
        time: hours since the start of the course.
        duration: hours; None for at once, when a parameter stays set.
        share: probability that a subject of its group gets it.
        group: the group that it belongs to, "" for everybody.
        repeat: how it comes again; None for once. What comes by chance has an amount and duration of its own
            each time, what comes regularly those of the subject.
    """

    target: str
    amount: Spread
    time: Spread
    duration: Spread | None = None
    share: float = 1.0
    group: str = ""
    repeat: Repeat | None = None


@dataclass(frozen=True)
class DriverEvents:
    """Driver events of many subjects.

    Attributes:
        names: states, which are added to, and parameters, which are set.
        subject: intp[k].
        time: float64[k], hours since the start of the course.
        target: intp[k], index into ``names``.
        value: float64[k], in the target's unit.
    """

    names: tuple[str, ...]
    subject: NDArray[np.intp]
    time: NDArray[np.float64]
    target: NDArray[np.intp]
    value: NDArray[np.float64]


@dataclass(frozen=True)
class Criterion:
    """Default enrolment criterion: bounds, inclusive, on an observable in its own unit."""

    name: str
    lowest: float = -np.inf
    highest: float = np.inf


@dataclass(frozen=True)
class Onset:
    """When symptoms start: the first time that an observable or state exceeds ``above``, else at ``time_h``.

    Attributes:
        observable: name, None when onset has a fixed time.
        above: threshold in the observable's unit.
        time_h: hours since the start of the course, used when ``observable`` is None.
    """

    observable: str | None
    above: float
    time_h: float


@dataclass(frozen=True)
class Disease:
    """One disease; its course starts with every subject healthy.

    Attributes:
        name, label: as a study file and a reader call it.
        length_h, sampled_every_h: of an untreated course, hours.
        sampled_from_h: hours from the start of a course to the first moment that a library keeps; before it
            nobody can be enrolled.
        onset: when symptoms start.
        drivers: what happens to a subject.
        groups: (name, share) of subjects that differ in their drivers; empty for one group.
        covariates: name -> spread between subjects.
        criteria, delay: default enrolment: what must hold, and hours from then to enrolment.
        delay_from_onset: hours from symptoms to enrolment where neither disease nor study bounds anything.
        hash: SHA-256 of the file's text.
    """

    name: str
    label: str
    length_h: float
    sampled_every_h: float
    onset: Onset
    drivers: tuple[Driver, ...]
    groups: tuple[tuple[str, float], ...]
    covariates: Mapping[str, Spread]
    criteria: tuple[Criterion, ...]
    delay: Spread
    delay_from_onset: Spread
    hash: str = field(repr=False)
    sampled_from_h: float = 0.0

    @property
    def normals(self) -> tuple[str, ...]:
        """Names of the independent standard normal numbers a subject needs, beside those of parameters."""
        names = [f"covariate:{name}" for name in self.covariates]
        if self.groups:
            names.append("group")
        for k, driver in enumerate(self.drivers):
            names += [f"driver{k}:given", f"driver{k}:amount", f"driver{k}:time"]
            if driver.duration is not None:
                names.append(f"driver{k}:duration")
            if driver.repeat is not None and driver.repeat.rate is not None:
                names.append(f"driver{k}:rate")
                for j in range(driver.repeat.most):
                    names += [f"driver{k}:gap{j}", f"driver{k}:amount{j}"]
        return tuple(names)

    def covariate_values(self, z: Scores) -> dict[str, NDArray[np.float64]]:
        """Give the covariates of n subjects.

        Arguments:
            z: float64[n] each, standard normal: by the names of ``normals`` and, where a correlation asks for
                them, of between-subject parameters.

        Returns:
            name -> float64[n] in its unit, 0 or 1 for a share.
        """
        return {name: s.at(s.score(z[f"covariate:{name}"], z)) for name, s in self.covariates.items()}

    def events(self, z: Scores) -> DriverEvents:
        """Give the driver events of n subjects.

        Arguments:
            z: as for `covariate_values`.

        Returns:
            the events, driver by driver, each driver's starts before its ends.
        """
        names = tuple(dict.fromkeys(driver.target for driver in self.drivers))
        subject, target = [np.zeros(0, np.intp)], [np.zeros(0, np.intp)]
        time, value = [np.zeros(0)], [np.zeros(0)]

        def add(who: NDArray[np.intp], when: NDArray[np.float64], what: NDArray[np.float64]) -> None:
            subject.append(who)
            time.append(when[who])
            target.append(np.full(who.size, names.index(driver.target), np.intp))
            value.append(what[who])

        for k, driver in enumerate(self.drivers):
            given = (ndtr(z[f"driver{k}:given"]) < driver.share) & self._in_group(driver.group, z)
            amount = driver.amount.at(driver.amount.score(z[f"driver{k}:amount"], z))
            start = driver.time.at(driver.time.score(z[f"driver{k}:time"], z))
            duration = None
            if driver.duration is not None:
                duration = driver.duration.at(driver.duration.score(z[f"driver{k}:duration"], z))
            for happens, when, what in _occurrences(driver, k, z, start, amount):
                who = np.flatnonzero(given & happens)
                if duration is None:
                    add(who, when, what)
                else:
                    add(who, when, what / duration)
                    add(who, when + duration, np.zeros(duration.size))
        return DriverEvents(
            names,
            np.concatenate(subject),
            np.concatenate(time),
            np.concatenate(target),
            np.concatenate(value),
        )

    def _in_group(self, group: str, z: Scores) -> NDArray[np.bool_] | bool:
        if not group:
            return True
        edges = np.cumsum([share for _, share in self.groups])
        member = np.searchsorted(edges[:-1], ndtr(z["group"]), side="right")
        return member == [name for name, _ in self.groups].index(group)


def _occurrences(
    driver: Driver, k: int, z: Scores, start: NDArray[np.float64], amount: NDArray[np.float64]
) -> Iterator[tuple[NDArray[np.bool_], NDArray[np.float64], NDArray[np.float64]]]:
    """Each time that a driver comes: to whom, when (hours), and how much."""
    repeat = driver.repeat
    if repeat is None:
        yield np.ones(start.size, bool), start, amount
        return
    if repeat.rate is None:
        assert repeat.every_h is not None
        for j in range(repeat.most):
            when = repeat.from_h + start + j * repeat.every_h
            yield when <= repeat.until_h, when, amount
        return
    rate = repeat.rate.at(repeat.rate.score(z[f"driver{k}:rate"], z))
    when = np.full(start.size, repeat.from_h)
    for j in range(repeat.most):
        # The waiting time of a Poisson process, minus the logarithm of a uniform number over its rate.
        with np.errstate(divide="ignore"):
            when = when - log_ndtr(z[f"driver{k}:gap{j}"]) / rate
        own = driver.amount.at(driver.amount.score(z[f"driver{k}:amount{j}"], z))
        yield when <= repeat.until_h, when, own
