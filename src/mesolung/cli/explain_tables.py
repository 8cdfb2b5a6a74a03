"""What `mesolung explain` tells of the tables of names: endpoints, covariates, drugs, routes, sources."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from math import inf
from typing import Any

from mesolung.cli.entry import Entry, Fact
from mesolung.cli.explain_parameters import graded


def endpoint_entries() -> Iterator[Entry]:
    """Tell of every endpoint that a study can measure, with the law of its observable."""
    from mesolung.biology.laws import read_laws
    from mesolung.biology.measurement import measurements
    from mesolung.biology.tables import endpoints
    from mesolung.cli.explain_model import SCIENCE, annotation_lines

    text = read_laws()
    for name, row in endpoints().items():
        facts = _facts(row)
        for own in ("error", "visit every h", "slope from h"):
            facts.pop(own)  # of a disease's trials, which the endpoint's own row does not know
        seen = [(d, one) for (n, d), one in measurements().items() if n == name]
        if seen:
            one = seen[0][1]
            of = "of the logarithm" if one.error.scale == "log" else one.unit
            facts["error of a visit"] = (
                f"SD {one.error.sd:g} {of} in {', '.join(d for d, _ in seen)}; {one.source}"
            )
        if row.value_at_death is None:
            facts["value at death"] = f"none; the rule for the dead is: {row.deaths}"
        law = text.law(name)
        if law is not None:
            facts["rule"] = (law.place, f"{name} := {law.text}")
            facts["annotation"] = annotation_lines(name)
            facts["more"] = SCIENCE.format(module=law.module)
        yield Entry(name, "endpoint", row.label, facts, (row.unit, row.better))


def covariate_entries() -> Iterator[Entry]:
    """Tell of every baseline name that is no endpoint."""
    from mesolung.biology.laws import read_laws
    from mesolung.biology.tables import covariates
    from mesolung.cli.explain_uses import used_in

    text = read_laws()
    for name, row in covariates().items():
        facts = {**_facts(row), "used in": used_in(name, text)}
        yield Entry(name, "covariate", row.label, facts, (row.unit,))


def background_entries() -> Iterator[Entry]:
    """Tell of every drug and support of usual care, with the laws that its target stands in."""
    from mesolung.biology.laws import read_laws
    from mesolung.biology.tables import backgrounds
    from mesolung.cli.explain_uses import used_in

    text = read_laws()
    for name, row in backgrounds().items():
        law = text.law(row.target)
        own = (f"{law.place}  {law.written}",) if law is not None else ()
        facts = {**_facts(row), "acts through": own + used_in(row.target, text)}
        yield Entry(name, "background", row.label, facts, (row.kind,))


def route_entries() -> Iterator[Entry]:
    """Tell of every way of giving cells."""
    from mesolung.biology.tables import routes

    for name, row in routes().items():
        yield Entry(name, "route", row.meaning, _facts(row))


def source_entries() -> Iterator[Entry]:
    """Tell of every tissue that cells come from."""
    from mesolung.product.priors import read_sources

    for name, row in read_sources().items():
        facts = _facts(row)
        facts["grade"] = graded(row.grade)
        facts["table"] = "product/sources.csv"
        yield Entry(name, "product source", "", facts)


def reserved_entries() -> Iterator[Entry]:
    """Tell of every name that study files may hold one day, and what it waits for."""
    from mesolung.biology.tables import reserved

    for (kind, name), waits_for in reserved().items():
        facts: dict[str, Fact] = {"names": kind, "waits for": waits_for}
        yield Entry(name, "reserved name", f"{kind}, not served yet", facts, (waits_for,))


def _facts(row: Any) -> dict[str, Fact]:
    """Every column that is filled in, but for the name and what the entry says anyway."""
    told = {field.name: _told(getattr(row, field.name)) for field in fields(row)}
    told.pop("name", None)
    told.pop("label", None)
    if "label" not in {field.name for field in fields(row)}:
        told.pop("meaning", None)
    return {label.replace("_", " "): text for label, text in told.items()}


def _told(value: object) -> str:
    if value is None or value != value or value in (inf, -inf):
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, tuple | list | frozenset):
        return ", ".join(map(str, value))
    return str(value)
