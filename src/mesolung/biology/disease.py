"""Diseases of the package, read from their TOML files."""

from __future__ import annotations

import hashlib
import tomllib
from importlib.resources import files
from typing import Any

import numpy as np

from mesolung.biology.course import Criterion as Criterion
from mesolung.biology.course import Disease as Disease
from mesolung.biology.course import Driver as Driver
from mesolung.biology.course import DriverEvents as DriverEvents
from mesolung.biology.course import Onset as Onset
from mesolung.biology.course import Spread as Spread
from mesolung.reading import Refusal

HOURS = {"min": 1.0 / 60.0, "h": 1.0, "d": 24.0}
DISTRIBUTIONS = ("fixed", "normal", "lognormal", "share")
AT_START = {"value": 0.0, "unit": "h"}


def diseases() -> tuple[str, ...]:
    """List the diseases of the package.

    Returns:
        names, sorted.
    """
    folder = files("mesolung.biology") / "diseases"
    return tuple(sorted(e.name.removesuffix(".toml") for e in folder.iterdir() if e.name.endswith(".toml")))


def read_disease(name: str) -> Disease:
    """Read a disease of the package, with what its ``extends`` inherits.

    Arguments:
        name: one of `diseases`.

    Returns:
        the disease.

    Raises:
        Refusal: for another name, or a file that cannot be used.
    """
    if name not in diseases():
        raise Refusal("unknown disease", found=name, allowed=", ".join(diseases()))
    content, texts = _content(name)
    try:
        return _disease(content, hashlib.sha256("".join(texts).encode()).hexdigest())
    except (KeyError, ValueError, TypeError) as error:
        raise Refusal(f"cannot be used: {error}", file=f"{name}.toml") from None


def _content(name: str) -> tuple[dict[str, Any], list[str]]:
    text = (files("mesolung.biology") / "diseases" / f"{name}.toml").read_text(encoding="utf-8")
    own = tomllib.loads(text)
    if "extends" not in own:
        return own, [text]
    parent, texts = _content(own.pop("extends"))
    covariates = {**parent.get("covariates", {}), **own.get("covariates", {})}
    return {**parent, **own, "covariates": covariates}, [*texts, text]


def _disease(content: dict[str, Any], digest: str) -> Disease:
    groups = tuple((g["name"], float(g["share"])) for g in content.get("group", ()))
    if groups and abs(sum(share for _, share in groups) - 1.0) > 1e-9:
        raise ValueError("the shares of the groups do not add up to 1")
    onset = content.get("onset", {})
    return Disease(
        name=content["name"],
        label=content["label"],
        length_h=_hours(content["course"]["length"]),
        sampled_every_h=_hours(content["course"]["sampled_every"]),
        onset=Onset(
            onset.get("observable"), float(onset.get("above", 0.0)), _hours(onset.get("time", "0 h"))
        ),
        drivers=tuple(_driver(entry, [g for g, _ in groups]) for entry in content.get("driver", ())),
        groups=groups,
        covariates={key: _spread(entry) for key, entry in content.get("covariates", {}).items()},
        criteria=tuple(
            Criterion(key, float(entry.get("min", -np.inf)), float(entry.get("max", np.inf)))
            for key, entry in content.get("criteria", {}).items()
        ),
        delay=_time(content.get("delay", AT_START)),
        delay_from_onset=_time(content.get("delay_from_onset", content.get("delay", AT_START))),
        hash=digest,
    )


def _driver(entry: dict[str, Any], groups: list[str]) -> Driver:
    group = entry.get("group", "")
    if group and group not in groups:
        raise ValueError(f"the driver of {entry['target']} names the unknown group {group}")
    return Driver(
        target=entry["target"],
        amount=_spread(entry["amount"]),
        time=_time(entry.get("time", AT_START)),
        duration=_time(entry["duration"]) if "duration" in entry else None,
        share=float(entry.get("share", 1.0)),
        group=group,
    )


def _time(entry: dict[str, Any]) -> Spread:
    factor = HOURS[entry["unit"]]
    scaled = {key: entry[key] * factor for key in ("value", "min", "max") if key in entry}
    if "sd" in entry and entry.get("distribution") != "lognormal":
        scaled["sd"] = entry["sd"] * factor
    return _spread({**entry, **scaled, "unit": "h"})


def _spread(entry: dict[str, Any]) -> Spread:
    unknown = set(entry) - {"distribution", "value", "sd", "unit", "min", "max", "correlation"}
    if unknown:
        raise ValueError(f"unknown keys {', '.join(sorted(unknown))}")
    distribution = entry.get("distribution", "fixed")
    if distribution not in DISTRIBUTIONS:
        raise ValueError(f"distribution {distribution}; allowed: {', '.join(DISTRIBUTIONS)}")
    correlation = tuple((key, float(rho)) for key, rho in entry.get("correlation", {}).items())
    if sum(rho * rho for _, rho in correlation) > 1.0:
        raise ValueError("correlations exceed 1")
    return Spread(
        distribution=distribution,
        value=float(entry["value"]),
        sd=float(entry.get("sd", 0.0)),
        unit=entry.get("unit", "1"),
        lowest=float(entry.get("min", -np.inf)),
        highest=float(entry.get("max", np.inf)),
        correlation=correlation,
    )


def _hours(text: str) -> float:
    value, unit = text.split()
    return float(value) * HOURS[unit]
