"""The written form of a study: a study file that says exactly what the study holds, in base units."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from math import inf, nextafter
from typing import Any

from mesolung.biology.tables import PER_KG, backgrounds
from mesolung.product.product import Product
from mesolung.product.quantities import written
from mesolung.study.arm import UNKNOWN, Arm, Treatment
from mesolung.study.arms import DOSE_UNITS
from mesolung.study.endpoint import EndpointAsked
from mesolung.study.injuries import NONE
from mesolung.study.injury import Assay, Injury
from mesolung.study.observation import Observation
from mesolung.study.population import Background, Distribution, Population
from mesolung.study.possible import IN_VITRO
from mesolung.study.study import Study
from mesolung.study.unanswered import unit_of_observation
from mesolung.study.where import Where
from mesolung.trial.contrasts import is_ratio
from mesolung.units import convert

SCHEMA = 1
Pairs = Iterable[tuple[str, Any]]
IN_UNIT = ("mean", "sd", "se", "median", "value", "iqr", "ci95")
NEAR = 8  # last-digit steps in which a number in another unit is looked for that reads back exactly


def study_text(study: Study) -> str:
    """Write a study as a study file.

    Arguments:
        study: validated.

    Returns:
        TOML in the order of the documented format; times in h, quantities in base units, but for the numbers
        of an observation, which stay in the unit that was printed. Reading it gives an equal study, with the
        same `mesolung.study.inputs_sha256`. Carrier fluids, which a study does not keep, are not in it.
    """
    parts = [toml_lines(_top(study))]
    parts += _population(study.population)
    parts += [_table("[injury]", _injury(one)) for one in study.injury[:1] if len(study.injury) == 1]
    parts += [_table("[[injury]]", _injury(one)) for one in study.injury if len(study.injury) > 1]
    if study.assay is not None:
        parts.append(_table("[assay]", _assay(study.assay)))
    for arm in study.arms:
        parts += _arm(study, arm)
    parts += [_table("[[endpoint]]", _endpoint(line)) for line in study.endpoints]
    parts += [_table("[[observation]]", _observation(one)) for one in study.observations]
    return "\n\n".join(parts) + "\n"


def _top(study: Study) -> Iterator[tuple[str, Any]]:
    yield "schema", SCHEMA
    yield "name", study.name
    yield "registry", study.registry
    yield "kind", study.kind
    yield "disease", study.disease if isinstance(study.disease, str) else dict(study.disease)
    yield "species", study.species
    yield "duration", _hours(study.duration_h)
    yield "origin", study.origin
    yield "randomised", study.randomised
    yield "blinded", study.blinded


def _population(population: Population) -> list[str]:
    delay = population.onset_to_enrolment
    own: Pairs = (
        ("size", population.size),
        ("onset_to_enrolment", None if delay is None else _distribution(delay)),
        ("expected_mortality", population.expected_mortality),
        ("dropout", population.dropout),
    )
    correlation = {f"{c.first}, {c.second}": c.rho for c in population.correlation}
    rules = {r.name: f"{r.relation} {_number(r.value)} {r.unit}" for r in population.include}
    tables: Pairs = (
        ("population", dict(own)),
        ("population.baseline", _baseline(population.baseline)),
        ("population.correlation", correlation),
        ("population.phenotype", dict(population.phenotype)),
        ("population.background", _care(population.background, whole=False)),
        ("population.include", rules),
    )
    return [_table(f"[{name}]", lines.items()) for name, lines in tables if any(map(_said, lines.values()))]


def _baseline(lines: Mapping[str, Distribution]) -> dict[str, Any]:
    return {name: _distribution(line) for name, line in lines.items()}


def _distribution(line: Distribution) -> dict[str, Any]:
    if line.share is not None:
        return {"share": line.share}
    return {key: value for key, value in line if value is not None}


def _care(lines: Mapping[str, Background], *, whole: bool) -> dict[str, Any]:
    """Usual care; ``whole`` says a start also where it is the usual, so that no other is inherited."""
    found = {}
    for name, line in lines.items():
        row = backgrounds().get(name)
        unit = line.dose_unit or (row.amount_unit if row is not None else "")
        starts = line.start_h != 0.0 or (whole and (row is None or row.how != "enrolment"))
        dose = None if line.dose is None else f"{_number(line.dose)} {unit}{PER_KG if line.per_kg else ''}"
        found[name] = {
            "share": line.share,
            "dose": dose,
            "start": _hours(line.start_h) if starts else None,
            "duration": _hours(line.duration_h),
            "every": _hours(line.every_h),
            "responder": line.responder,
        }
    return found


def _injury(one: Injury) -> Iterator[tuple[str, Any]]:
    yield "agent", one.agent
    yield "amount", None if one.amount is None else f"{_number(one.amount)} {one.unit}"
    yield "route", one.route
    yield "start", None if one.start_h == 0.0 else _hours(one.start_h)
    yield "end", _hours(one.end_h)


def _assay(assay: Assay) -> Iterator[tuple[str, Any]]:
    stated = {key: value for key, value in assay if value is not None}
    # An assay that only says that its ratio is unknown says nothing else.
    yield from (stated or {"ratio": UNKNOWN}).items()


def _arm(study: Study, arm: Arm) -> list[str]:
    untold = arm.size is None and arm.ratio is None
    own: list[tuple[str, Any]] = [
        ("name", arm.name),
        ("size", UNKNOWN if untold else arm.size),
        ("ratio", arm.ratio),
        ("control", arm.control),
    ]
    if arm.has_own_injury and not arm.injury:
        own.append(("injury", NONE))
    parts = [_table("[[arm]]", own)]
    parts += [_table("[[arm.treatment]]", _treatment(study, t)) for t in arm.treatments]
    if arm.has_own_baseline:
        parts.append(_table("[arm.baseline]", _baseline(arm.baseline).items()))
    if arm.has_own_background:
        parts.append(_table("[arm.background]", _care(arm.background, whole=True).items()))
    if arm.has_own_injury:
        parts += [_table("[[arm.injury]]", _injury(one)) for one in arm.injury]
    if arm.assay is not None and arm.assay != study.assay:
        parts.append(_table("[arm.assay]", _assay(arm.assay)))
    return parts


def _treatment(study: Study, treatment: Treatment) -> Iterator[tuple[str, Any]]:
    unit, kind = treatment.dose_unit, treatment.product.type
    by_ratio = study.kind == IN_VITRO and unit == DOSE_UNITS[kind][0]
    dose = None if treatment.dose is None else f"{_number(treatment.dose)} {unit}"
    most = None if treatment.most is None else f"{_number(treatment.most)} {unit.partition('/')[0]}"
    lengths = [_hours(treatment.infusion_h), _hours(treatment.longest_infusion_h)]
    yield "product", _product(treatment.product)
    yield "dose", dose or (None if by_ratio else UNKNOWN)
    yield "max", most
    yield "dose_basis", treatment.dose_basis
    yield "route", treatment.route
    yield "times", [_hours(time) for time in treatment.times_h] or UNKNOWN
    yield "infusion", lengths[0] if lengths[1] is None else lengths


def _product(product: Product) -> dict[str, Any]:
    return {"type": product.type, **dict(sorted(written(product).items()))}


def _endpoint(line: EndpointAsked) -> Iterator[tuple[str, Any]]:
    yield "name", line.name
    yield "time", _hours(line.time_h)
    yield "as", line.as_
    yield "deaths", line.deaths
    yield "where", _filter(line.where)
    yield "contrast", line.contrast
    yield "test", line.test


def _observation(one: Observation) -> Iterator[tuple[str, Any]]:
    if one.arm:
        yield "arm", one.arm[0] if len(one.arm) == 1 else list(one.arm)
    yield "endpoint", one.endpoint
    yield "time", UNKNOWN if one.time_unknown else _hours(one.time_h)
    yield "as", one.as_
    yield "deaths", one.deaths
    yield "where", _filter(one.where)
    yield "versus", one.versus
    yield "contrast", one.contrast
    yield "direction", one.direction
    if one.form == "direction":
        yield "alpha", one.alpha
    yield "order", list(one.order) or None
    for key in ("events", "event_count"):
        yield key, getattr(one, key)
    for key in IN_UNIT:
        value = getattr(one, key)
        numbers = [_printed(v, one) for v in value] if isinstance(value, tuple) else _printed(value, one)
        yield key, numbers
    yield "p", one.p
    yield "n", one.n
    yield "unit", one.unit
    source = {key: value for key, value in one.source if value is not None}
    yield "source", source or None


def _printed(value: float | None, one: Observation) -> float | None:
    """A number in the unit that was printed: the one nearest to it that reads back as the same number."""
    ratio = one.form == "contrast" and one.contrast is not None and is_ratio(one.contrast)
    if value is None or one.unit is None or ratio:
        return value
    base = unit_of_observation(one)
    found = up = down = convert(value, base, one.unit)
    for _ in range(NEAR):
        for candidate in (up, down):
            if convert(candidate, one.unit, base) == value:
                return candidate
        up, down = nextafter(up, inf), nextafter(down, -inf)
    return found


def _filter(where: Where | None) -> str | None:
    if where is None:
        return None
    return " and ".join(f"{c.name} {c.relation} {_number(c.value)} {c.unit}" for c in where.conditions)


def _hours(time: float | None) -> str | None:
    return None if time is None else f"{_number(time)} h"


def _number(value: float) -> str:
    """All digits of a number, without a point where it is whole."""
    return f"{int(value)}" if value.is_integer() and abs(value) < 1e15 else repr(value)


def _said(value: Any) -> bool:
    return value is not None and value != {}


def _table(header: str, lines: Pairs) -> str:
    return f"{header}\n{toml_lines(lines)}".rstrip()


def toml_lines(lines: Pairs) -> str:
    """Write keys and values as lines of TOML; what is not said is left out.

    Arguments:
        lines: (key, value); tables stand inline.
    """
    return "\n".join(f"{_key(key)} = {_toml(value)}" for key, value in lines if _said(value))


def _key(key: str) -> str:
    return key if key.replace("_", "").replace("-", "").isalnum() and key.isascii() else _toml(key)


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        # JSON's escapes are TOML's; the one sign that only TOML forbids is written as an escape too.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, Mapping):
        inside = ", ".join(f"{_key(k)} = {_toml(v)}" for k, v in value.items() if _said(v))
        return f"{{ {inside} }}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_toml, value))}]"
    return _number(value) if isinstance(value, float) else str(value)
