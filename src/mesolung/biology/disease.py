"""Diseases as data: who the subjects are, what drives their course, and when they could be enrolled."""

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

HOURS = {"h": 1.0, "d": 24.0, "min": 1.0 / 60.0}


@dataclass(frozen=True)
class Spread:
    """How a quantity differs between subjects.

    Attributes:
        distribution: fixed, normal or lognormal.
        value: median, in ``unit``.
        sd: standard deviation, plain or of the natural logarithm.
        unit: of value and bounds.
        lowest, highest: bounds; values beyond them are set to them.
        correlation: (name, rho) pairs with the standard scores of between-subject parameters.
    """

    distribution: str
    value: float
    sd: float = 0.0
    unit: str = "1"
    lowest: float = -np.inf
    highest: float = np.inf
    correlation: tuple[tuple[str, float], ...] = ()

    def at(self, z: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the value at standard scores ``z``, in ``unit``."""
        if self.distribution == "lognormal":
            value = self.value * np.exp(self.sd * z)
        else:
            value = self.value + self.sd * z
        return np.clip(value, self.lowest, self.highest)

    def score(self, z: NDArray[np.float64], others: Mapping[str, NDArray[np.float64]]) -> NDArray[np.float64]:
        """Return standard scores with the stated correlations.

        Arguments: ``z``, own independent scores float64[n]; ``others``, scores of the parameters named in
        ``correlation``. Raises KeyError when one is missing.
        """
        own = 1.0 - sum(rho * rho for _, rho in self.correlation)
        result = np.sqrt(own) * z
        for name, rho in self.correlation:
            result = result + rho * others[name]
        return result


@dataclass(frozen=True)
class Driver:
    """One thing that happens to a subject and starts or drives the disease.

    Attributes:
        target: a state (the amount is added) or a parameter (set to the amount).
        amount: what is added or set; with a duration it is the total, given evenly over it.
        time, duration: in hours since the start of the course; duration None = at once, and a switch stays on.
        share: probability that a subject of its group gets it.
        group: group of subjects that it belongs to, "" for all.
    """

    target: str
    amount: Spread
    time: Spread
    duration: Spread | None = None
    share: float = 1.0
    group: str = ""


@dataclass(frozen=True)
class DriverEvents:
    """Driver events of many subjects: ``subject`` intp, ``time`` hours, ``target`` index into ``names``, ``value``.

    A target that is a state of the model is added to, a parameter is set.
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
    """When symptoms start: the first time an observable exceeds ``above``, or a fixed time when none is named."""

    observable: str | None
    above: float
    time_h: float


@dataclass(frozen=True)
class Disease:
    """One disease. Times are hours since the start of the course, when every subject is healthy."""

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
    hash: str = field(repr=False)

    @property
    def normals(self) -> tuple[str, ...]:
        """Names of the independent standard normal numbers that one subject needs, beside those of parameters."""
        names = [f"covariate:{name}" for name in self.covariates]
        if self.groups:
            names.append("group")
        for k, driver in enumerate(self.drivers):
            names += [f"driver{k}:given", f"driver{k}:amount", f"driver{k}:time"]
            if driver.duration is not None:
                names.append(f"driver{k}:duration")
        return tuple(names)

    def covariate_values(self, z: Mapping[str, NDArray[np.float64]]) -> dict[str, NDArray[np.float64]]:
        """Return covariates float64[n] in their units, a share as 0 or 1.

        Arguments: ``z``, standard normal numbers float64[n] by the names of ``normals`` and, where a correlation
        asks for them, of between-subject parameters.
        """
        values = {}
        for name, spread in self.covariates.items():
            score = spread.score(z[f"covariate:{name}"], z)
            if spread.distribution == "share":
                values[name] = (ndtr(score) < spread.value).astype(np.float64)
            else:
                values[name] = spread.at(score)
        return values

    def events(self, z: Mapping[str, NDArray[np.float64]]) -> DriverEvents:
        """Return the driver events of n subjects, in time order for each subject and target.

        Arguments: ``z``, as for ``covariate_values``. Returns events whose times are hours since the start.
        """
        names = tuple(dict.fromkeys(driver.target for driver in self.drivers))
        parts: list[tuple[NDArray[Any], ...]] = [(np.empty(0, np.intp), np.empty(0), np.empty(0, np.intp), np.empty(0))]
        member = self._group(z)
        for k, driver in enumerate(self.drivers):
            given = ndtr(z[f"driver{k}:given"]) < driver.share
            if driver.group:
                given &= member == [name for name, _ in self.groups].index(driver.group)
            who = np.flatnonzero(given)
            amount = driver.amount.at(driver.amount.score(z[f"driver{k}:amount"], z))[who]
            time = driver.time.at(driver.time.score(z[f"driver{k}:time"], z))[who]
            target = np.full(who.size, names.index(driver.target))
            if driver.duration is None:
                parts.append((who, time, target, amount))
            else:
                duration = driver.duration.at(driver.duration.score(z[f"driver{k}:duration"], z))[who]
                parts.append((who, time, target, amount / duration))
                parts.append((who, time + duration, target, np.zeros(who.size)))
        subject, time, target, value = (np.concatenate(column) for column in zip(*parts, strict=True))
        return DriverEvents(names, subject, time, target, value)

    def _group(self, z: Mapping[str, NDArray[np.float64]]) -> NDArray[np.intp]:
        if not self.groups:
            return np.zeros(len(next(iter(z.values()), ())), np.intp)
        edges = np.cumsum([share for _, share in self.groups])
        return np.searchsorted(edges[:-1], ndtr(z["group"]), side="right")


def diseases() -> tuple[str, ...]:
    """Return the names of the diseases that the package has, sorted."""
    folder = files("mesolung.biology") / "diseases"
    return tuple(sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml")))


def read_disease(name: str) -> Disease:
    """Read a disease of the package.

    Arguments: ``name``, one of ``diseases()``. Returns it, with what its ``extends`` inherits.
    Raises KeyError for another name, ValueError for a file that cannot be used.
    """
    if name not in diseases():
        raise KeyError(name)
    return _disease(name, _content(name))


def _content(name: str) -> dict[str, Any]:
    text = (files("mesolung.biology") / "diseases" / f"{name}.toml").read_text(encoding="utf-8")
    content = tomllib.loads(text)
    digest = hashlib.sha256(text.encode())
    if "extends" in content:
        parent = _content(content.pop("extends"))
        digest.update(parent["hash"].encode())
        content = {**parent, **content, "covariates": {**parent["covariates"], **content.get("covariates", {})}}
    content["hash"] = digest.hexdigest()
    return content


def _disease(name: str, content: dict[str, Any]) -> Disease:
    groups = tuple((g["name"], float(g["share"])) for g in content.get("group", ()))
    if groups and abs(sum(share for _, share in groups) - 1.0) > 1e-9:
        raise ValueError(f"{name}.toml: shares of the groups do not add up to 1")
    drivers = tuple(_driver(name, entry, [g for g, _ in groups]) for entry in content.get("driver", ()))
    onset = content.get("onset", {})
    return Disease(
        name=content["name"],
        label=content["label"],
        length_h=_hours(content["course"]["length"]),
        sampled_every_h=_hours(content["course"]["sampled_every"]),
        onset=Onset(onset.get("observable"), float(onset.get("above", 0.0)), _hours(onset.get("time", "0 h"))),
        drivers=drivers,
        groups=groups,
        covariates={key: _spread(entry) for key, entry in content.get("covariates", {}).items()},
        criteria=tuple(
            Criterion(key, float(entry.get("min", -np.inf)), float(entry.get("max", np.inf)))
            for key, entry in content.get("criteria", {}).items()
        ),
        delay=_spread(content.get("delay", {"value": 0.0, "unit": "h"}), time=True),
        hash=content["hash"],
    )


def _driver(name: str, entry: dict[str, Any], groups: list[str]) -> Driver:
    group = entry.get("group", "")
    if group and group not in groups:
        raise ValueError(f"{name}.toml: driver of {entry['target']} names the unknown group {group}")
    return Driver(
        target=entry["target"],
        amount=_spread(entry["amount"]),
        time=_spread(entry.get("time", {"value": 0.0, "unit": "h"}), time=True),
        duration=_spread(entry["duration"], time=True) if "duration" in entry else None,
        share=float(entry.get("share", 1.0)),
        group=group,
    )


def _spread(entry: dict[str, Any], time: bool = False) -> Spread:
    unknown = set(entry) - {"distribution", "value", "sd", "unit", "min", "max", "correlation"}
    if unknown:
        raise ValueError(f"unknown keys {sorted(unknown)} in {entry}")
    distribution = entry.get("distribution", "fixed")
    if distribution not in ("fixed", "normal", "lognormal", "share"):
        raise ValueError(f"distribution {distribution}; allowed: fixed, normal, lognormal, share")
    factor = HOURS[entry["unit"]] if time else 1.0
    plain = factor if distribution != "lognormal" else 1.0
    return Spread(
        distribution=distribution,
        value=float(entry["value"]) * factor,
        sd=float(entry.get("sd", 0.0)) * plain,
        unit="h" if time else entry.get("unit", "1"),
        lowest=float(entry.get("min", -np.inf)) * factor,
        highest=float(entry.get("max", np.inf)) * factor,
        correlation=tuple((key, float(rho)) for key, rho in entry.get("correlation", {}).items()),
    )


def _hours(text: str) -> float:
    value, unit = text.split()
    return float(value) * HOURS[unit]
