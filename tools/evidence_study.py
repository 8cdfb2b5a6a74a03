"""A published study on its way to a file: what the makers of the evidence files fill in, and its TOML."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

HEAD = (
    "schema", "name", "registry", "kind", "disease", "species", "duration", "origin", "randomised", "blinded",
)  # fmt: skip
OBSERVED = (
    "arm", "endpoint", "time", "as", "where", "events", "event_count", "mean", "sd", "se", "median", "iqr",
    "value", "ci95", "p", "versus", "contrast", "direction", "order", "unit", "n", "source",
)  # fmt: skip
FOLDERS = (
    "trials", "usual-care", "natural-history", "drugs", "animals", "in-vitro", "endotoxin", "viral-load",
    "fate",
)  # fmt: skip
_BARE = re.compile(r"[A-Za-z0-9_-]+")
Rows = tuple[tuple[str, int], ...]


class Inline(dict[str, Any]):
    """A table that is written on one line."""


@dataclass
class Arm:
    """An arm; ``facts`` are its other keys as the study file names them."""

    name: str
    size: int | str = "unknown"
    control: bool | None = None
    treatments: list[dict[str, Any]] = field(default_factory=list)
    baseline: dict[str, Any] = field(default_factory=dict)
    background: dict[str, Any] = field(default_factory=dict)
    injury: dict[str, Any] | str | None = None
    assay: dict[str, Any] = field(default_factory=dict)


@dataclass
class Observation:
    """A number, direction or order; ``rows`` are the rows of the evidence that it is read from."""

    said: dict[str, Any]
    source: dict[str, str]
    rows: Rows

    @property
    def key(self) -> str:
        """What it is of, unique in a file: arm/endpoint@time and how it is stated."""
        said = self.said
        arm = said.get("arm", said.get("order", ""))
        arms = "+".join(arm) if isinstance(arm, list) else arm
        parts = [
            f"{arms}/{said['endpoint']}@{said.get('time', '')}",
            said.get("as", ""), said.get("where", ""), self.form, said.get("versus", ""),
            self.source.get("version", ""),
        ]  # fmt: skip
        return "|".join(part for part in parts if part)

    @property
    def form(self) -> str:
        """The key that decides how it is read."""
        forms = ("order", "direction", "contrast", "event_count", "events", "mean", "median", "value")
        return next(form for form in forms if form in self.said)

    @property
    def relation(self) -> str:
        """What is observed of all arms together: endpoint and time."""
        return f"{self.said['endpoint']}@{self.said.get('time', '')}"


@dataclass
class Study:
    """A study file; ``head`` holds the keys of `HEAD`, ``about`` the lines of comment above them."""

    folder: str
    stem: str
    about: list[str]
    head: dict[str, Any]
    population: dict[str, Any] = field(default_factory=dict)
    injury: dict[str, Any] | list[dict[str, Any]] = field(default_factory=dict)
    assay: dict[str, Any] = field(default_factory=dict)
    arms: list[Arm] = field(default_factory=list)
    observations: list[Observation] = field(default_factory=list)

    def arm(self, name: str) -> Arm:
        """Find an arm; KeyError when there is none of that name."""
        for arm in self.arms:
            if arm.name == name:
                return arm
        raise KeyError(f"{self.stem}: no arm {name!r} among {[a.name for a in self.arms]}")


def toml_of(study: Study) -> str:
    """Write a study as the text of its file.

    Arguments:
        study: complete.

    Returns:
        TOML, the same for the same study.
    """
    lines = [f"# {line}" for line in study.about]
    lines += [f"{key} = {_value(study.head[key])}" for key in HEAD if key in study.head]
    lines += _tables("population", study.population)
    if isinstance(study.injury, list):
        for injury in study.injury:
            lines += ["", "[[injury]]", *_pairs(injury)]
    elif study.injury:
        lines += ["", "[injury]", *_pairs(study.injury)]
    if study.assay:
        lines += ["", "[assay]", *_pairs(study.assay)]
    for arm in study.arms:
        lines += _arm(arm)
    for one in study.observations:
        source = Inline({k: v for k, v in one.source.items() if v})
        said = {**one.said, "source": source}
        unknown = set(said) - set(OBSERVED)
        if unknown:
            raise KeyError(f"{study.stem}: {sorted(unknown)}")
        lines += ["", "[[observation]]"]
        lines += [f"{key} = {_value(said[key])}" for key in OBSERVED if key in said]
    return "\n".join(lines) + "\n"


def _arm(arm: Arm) -> list[str]:
    lines = ["", "[[arm]]", f"name = {_value(arm.name)}", f"size = {_value(arm.size)}"]
    if arm.control is not None:
        lines.append(f"control = {_value(arm.control)}")
    if isinstance(arm.injury, str):
        lines.append(f"injury = {_value(arm.injury)}")
    for treatment in arm.treatments:
        lines += ["[[arm.treatment]]", *_pairs(treatment)]
    for name in ("baseline", "background", "injury", "assay"):
        table = getattr(arm, name)
        if table and not isinstance(table, str):
            lines += [f"[arm.{name}]", *_pairs(table)]
    return lines


def _tables(name: str, table: Mapping[str, Any]) -> list[str]:
    """A table with the tables below it under headers of their own."""
    if not table:
        return []
    own = {k: v for k, v in table.items() if isinstance(v, Inline) or not isinstance(v, Mapping)}
    below = {k: v for k, v in table.items() if k not in own and v}
    lines = ["", f"[{name}]", *_pairs(own)] if own else []
    for key, inner in below.items():
        lines += ["", f"[{name}.{key}]", *_pairs(inner)]
    return lines


def _pairs(table: Mapping[str, Any]) -> list[str]:
    return [f"{_key(key)} = {_value(value)}" for key, value in table.items()]


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else json.dumps(key, ensure_ascii=False)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return number_text(value)
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(k)} = {_value(v)}" for k, v in value.items()) + " }"
    if isinstance(value, Sequence):
        return "[" + ", ".join(_value(v) for v in value) + "]"
    raise TypeError(f"{value!r} has no place in a study file")


def number_text(value: float) -> str:
    """Write a number with at most six significant digits, as TOML reads it.

    Arguments:
        value: finite.

    Returns:
        its text.
    """
    if isinstance(value, int):
        return str(value)
    text = f"{value:.6g}"
    if "e" in text:
        mantissa, power = text.split("e")
        return f"{mantissa}e{int(power)}"
    return text if "." in text else f"{text}.0"
