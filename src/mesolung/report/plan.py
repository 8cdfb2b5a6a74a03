"""What the study file's text says that figures need: order of arms, dose times, printed spreads."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

_HOURS = {
    "min": 1 / 60,
    "h": 1.0,
    "d": 24.0,
    "day": 24.0,
    "week": 168.0,
    "wk": 168.0,
    "month": 730.5,
    "year": 8766.0,
}
_TIME = re.compile(r"\s*([-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?)\s*([a-z]+?)s?\s*", re.IGNORECASE)


def hours(text: Any) -> float | None:
    """Read a time such as "3 d" in hours.

    Arguments:
        text: a number and a unit of time, with or without a space.

    Returns:
        h, or None where it is no time (as "unknown").
    """
    match = _TIME.fullmatch(text) if isinstance(text, str) else None
    factor = _HOURS.get(match[2].lower()) if match else None
    return float(match[1]) * factor if match and factor else None


def split_key(key: str) -> tuple[str, float | None]:
    """Split an endpoint's key, as "mortality@28d" or "sofa@7d:change:where age < 65 year".

    Arguments:
        key: name and time, or the name alone, with what is said of it behind colons.

    Returns:
        (name, h or None).
    """
    name, _, time = key.partition("@")
    return name, hours(time.partition(":")[0])


def key_parts(key: str) -> tuple[str, ...]:
    """What an endpoint's key says beyond name and time, as ("change", "where age < 65 year").

    Arguments:
        key: as in `split_key`.
    """
    return tuple(part for part in key.partition("@")[2].split(":")[1:] if part)


@dataclass(frozen=True)
class Plan:
    """The parts of a study file that figures need.

    Attributes:
        arms: names, in the file's order.
        controls: names of the control arms.
        doses: time of each dose by arm, h since enrolment.
        endpoints: (name, h or None) of the endpoints, primary first.
        observations: what was published, in the file's order, as written.
        disease, products: for the description; products by arm.
    """

    arms: tuple[str, ...] = ()
    controls: tuple[str, ...] = ()
    doses: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    endpoints: tuple[tuple[str, float | None], ...] = ()
    observations: tuple[Mapping[str, Any], ...] = ()
    disease: str = ""


def _tables(value: Any) -> list[Mapping[str, Any]]:
    return [v for v in value if isinstance(v, Mapping)] if isinstance(value, list) else []


def _dose_times(treatment: Mapping[str, Any]) -> list[float]:
    times = treatment.get("times", ["0 d"])
    if isinstance(times, Mapping):
        start, every, count = hours(times.get("start")), hours(times.get("every")), times.get("count")
        if start is None or every is None or not isinstance(count, int):
            return []
        return [start + i * every for i in range(min(count, 200))]
    found = [hours(t) for t in times] if isinstance(times, list) else [hours(times)]
    return [t for t in found if t is not None]


def read_plan(text: str | None) -> Plan:
    """Read what figures need from a study file that has been validated already.

    Arguments:
        text: the file; None or text that is not TOML gives an empty plan.

    Returns:
        The plan.
    """
    try:
        study = tomllib.loads(text or "")
    except tomllib.TOMLDecodeError:
        return Plan()
    arms = [a for a in _tables(study.get("arm")) if isinstance(a.get("name"), str)]
    treatments = {a["name"]: _tables(a.get("treatment")) for a in arms}
    named = [a["name"] for a in arms if a.get("control") is True]
    untreated = [name for name, given in treatments.items() if not given]
    doses = {
        name: tuple(sorted({t for one in given for t in _dose_times(one)}))
        for name, given in treatments.items()
    }
    return Plan(
        arms=tuple(treatments),
        controls=tuple(named or (untreated if len(untreated) == 1 else [])),
        doses={name: times for name, times in doses.items() if times},
        endpoints=tuple((str(e.get("name")), hours(e.get("time"))) for e in _tables(study.get("endpoint"))),
        observations=tuple(_tables(study.get("observation"))),
        disease=_disease(study.get("disease", "")),
    )


def _disease(value: Any) -> str:
    """A disease, or a mixture as "ards 70 %, covid19-ards 30 %"."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {100 * share:g} %" for name, share in sorted(value.items()))
    return str(value)


def in_plan_order(names: Iterable[str], plan: Plan) -> list[str]:
    """Sort arm names as the study file lists them; names that it does not list come last, by name.

    Arguments:
        names: arms to sort.
        plan: the study file.
    """
    place = {name: i for i, name in enumerate(plan.arms)}
    return sorted(set(names), key=lambda n: (place.get(n, len(place)), n))


def primary_first(keys: Iterable[str], plan: Plan) -> list[str]:
    """Sort endpoint keys as the study file lists them, the primary first; others follow by name and time.

    Arguments:
        keys: as "mortality@28d".
        plan: the study file.
    """

    def place(key: str) -> tuple[int, str, float]:
        name, time = split_key(key)
        listed = [
            i
            for i, (n, t) in enumerate(plan.endpoints)
            if n == name and (t == time or t is None or time is None or abs(t - time) < 1e-6)
        ]
        return (listed[0] if listed else len(plan.endpoints), name, time or 0.0)

    return sorted(set(keys), key=place)
