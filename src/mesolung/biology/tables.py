"""The tables of names that a study file may use: endpoints, covariates, backgrounds, routes, and reserved."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from importlib.resources import files
from math import inf
from types import MappingProxyType
from typing import Any, TypeVar

from mesolung.biology.columns import (
    bounds_of,
    built_rows,
    hours_of,
    named_rows,
    names_of,
    number_of,
    one_of,
    text_of,
    units_of,
    wrong,
    yes_of,
)
from mesolung.biology.conduct import custom
from mesolung.biology.measurement import measurements
from mesolung.biology.parameters import GRADES
from mesolung.biology.phenotypes import phenotypes
from mesolung.biology.rows import LUNG as LUNG
from mesolung.biology.rows import PER_KG as PER_KG
from mesolung.biology.rows import Background as Background
from mesolung.biology.rows import Covariate as Covariate
from mesolung.biology.rows import Endpoint as Endpoint
from mesolung.biology.rows import Error as Error
from mesolung.biology.rows import Measured as Measured
from mesolung.biology.rows import Route as Route
from mesolung.biology.rows import Threshold as Threshold
from mesolung.biology.specimens import specimens
from mesolung.reading import Row
from mesolung.units import convert

ENDPOINT_COLUMNS = (
    "name", "label", "unit", "accepted_units", "type", "scale", "lowest", "highest", "better", "needs_time",
    "at_enrolment", "value_at_death", "deaths", "matrix", "diseases", "species", "subjective",
    "minimum_important", "test", "default_contrast", "rule", "outputs",
)  # fmt: skip
DEFINITION_COLUMNS = ("endpoint", "disease", "output", "above", "unit", "source")
COVARIATE_COLUMNS = ("name", "label", "unit", "accepted_units", "scale", "lowest", "highest", "diseases")
BACKGROUND_COLUMNS = (
    "name", "label", "kind", "target", "how", "dose", "dose_unit", "most", "factor", "duration", "every",
    "meaning",
)  # fmt: skip
ROUTE_COLUMNS = (
    "name", "live_cells_enter", "apoptotic_cells_enter", "particles_enter", "soluble_enter", "delivered",
    "absorbed", "through_blood", "source", "grade", "meaning",
)  # fmt: skip
SOLUBLE_ENTER = (LUNG, "blood")
RESERVED_COLUMNS = ("kind", "name", "waits_for")

TYPES = ("binary", "count", "continuous", "time", "rate")
SCALES = ("linear", "log", "logit", "binary")
BETTER = ("lower", "higher")
# How an endpoint is read off a course; `mesolung.trial.endpoints` says what each does.
RULES = (
    "level",
    "present",
    "occurred",
    "happened",
    "death",
    "alive",
    "discharged",
    "hospital_days",
    "days_off",
    "days_on",
    "count",
    "rate",
    "time_to",
    "death_rate",
    "slope",
    "slope_below",
    "slope_above",
    "falls",
    "holds",
    "progressed",
    "progression_free",
    "progression_time",
)
WITHOUT_OUTPUT = ("death", "alive", "discharged", "hospital_days", "death_rate")
SLOPES = ("slope", "slope_below", "slope_above")
# What of the events of a hazard an endpoint counts, by the share that the table of conduct says of a disease.
SHARE_OF: Mapping[str, str] = {
    "severe_exacerbation": "severe_share",
    "severe_exacerbation_rate": "severe_share",
    "hospital_admission": "admission_share",
}
POST = "_post"  # ends the name of what is measured after a bronchodilator
SLOPE_UNIT = "mL/year"  # that a slope is compared in
ON = 0.5  # an output between 0 and 1 counts as on from here
DEATHS = ("survivors", "worst", "zero")
TESTS = ("fisher", "welch", "negative-binomial", "log-rank", "mann-whitney")
CONTRASTS = (
    "risk_ratio", "risk_difference", "odds_ratio", "difference", "ratio", "hazard_ratio", "win_ratio", "none",
)  # fmt: skip
BACKGROUND_KINDS = ("drug", "support")
HOW = ("dose", "switch", "occupancy", "enrolment")
RESERVED_KINDS = (
    "kind", "disease", "species", "origin", "endpoint", "baseline", "background", "product type",
    "dose unit", "route", "key",
)  # fmt: skip

Named = TypeVar("Named")


@cache
def endpoints() -> Mapping[str, Endpoint]:
    """Read the endpoints that the model serves.

    Returns:
        name -> row, in the order of ``endpoints.csv``.

    Raises:
        Refusal: for a table that cannot be used.
    """
    found = _read("endpoints.csv", ENDPOINT_COLUMNS, _endpoint)
    return MappingProxyType({name: _per_year(row, found) for name, row in found.items()})


def _per_year(row: Endpoint, found: Mapping[str, Endpoint]) -> Endpoint:
    """A slope's share: units of the endpoint in one of its output's a year."""
    if row.rule not in SLOPES:
        return row
    unit = row.unit if row.rule == "slope" else SLOPE_UNIT
    return replace(row, share=convert(1.0, f"{found[row.outputs[0]].unit}/year", unit))


@cache
def definitions() -> Mapping[tuple[str, str], tuple[Threshold, ...]]:
    """Read the endpoints whose definition differs by disease.

    Returns:
        (endpoint, disease) -> levels that its outputs reach at the same time.

    Raises:
        Refusal: for a table that cannot be used.
    """
    found: dict[tuple[str, str], tuple[Threshold, ...]] = {}
    table = files("mesolung.biology") / "definitions.csv"
    for row, threshold in built_rows(table, DEFINITION_COLUMNS, _threshold):
        key = (row["endpoint"], row["disease"])
        found[key] = (*found.get(key, ()), threshold)
    return MappingProxyType(found)


def _threshold(row: Row) -> Threshold:
    one_of(row, "endpoint", tuple(endpoints()))
    text_of(row, "disease")
    output = endpoints()[one_of(row, "output", tuple(endpoints()))]
    above = number_of(row, "above")
    if above is None or not output.accepts(row["unit"]):
        raise wrong(row, "above", f"is not a level in {', '.join(output.accepted_units)}")
    return Threshold(output.name, convert(above, row["unit"], output.unit), text_of(row, "source"))


def endpoint_in(name: str, disease: str) -> Endpoint:
    """Find an endpoint as it is defined in a disease.

    Arguments:
        name: row of the endpoint table.
        disease: of the study.

    Returns:
        the row, with the outputs and levels of its definition there.

    Raises:
        KeyError: for a name that the table has not.
    """
    row = endpoints()[name]
    parts = definitions().get((name, disease), ())
    if name in phenotypes():
        phenotype = phenotypes()[name]
        return replace(row, outputs=(phenotype.observable,), above=(phenotype.threshold,))
    row = _as_measured(row, disease)
    if not parts:
        return row
    above = tuple(p.above for p in parts)
    if row.rule in SLOPES:
        return replace(row, above=above)
    outputs = tuple(output_of(p.output) for p in parts)
    error = _error_in(parts[0].output, disease)
    return replace(row, outputs=outputs, above=above, error=error)


def _as_measured(row: Endpoint, disease: str) -> Endpoint:
    """The endpoint as trials of a disease measure it: at visits, each with its own error."""
    every = custom(disease, "visit_every")
    if not every:
        return row
    measured = row.outputs[0] if row.outputs else row.name
    share = custom(disease, SHARE_OF[row.name], 1.0) if row.name in SHARE_OF else row.share
    return replace(
        row,
        error=_error_in(measured if row.rule != "level" else row.name, disease),
        visit_every_h=every,
        slope_from_h=custom(disease, f"{measured.removesuffix(POST)}_slope_from")
        if row.rule in SLOPES
        else 0.0,
        share=share,
    )


def _error_in(name: str, disease: str) -> Error | None:
    """A visit's error, its SD in the unit of the endpoint or of what it is per."""
    one = measurements().get((name, disease))
    if one is None or one.error.scale == "log":
        return None if one is None else one.error
    unit = endpoints()[one.error.per or name].unit
    return replace(one.error, sd=convert(one.error.sd, one.unit, unit))


def output_of(name: str) -> str:
    """The model output that a level is read from.

    Arguments:
        name: of an endpoint, or of an output.

    Returns:
        the output; the name itself where no endpoint of a level has it.
    """
    row = endpoints().get(name)
    return row.outputs[0] if row is not None and row.rule == "level" else name


@cache
def endpoint_of_output() -> Mapping[str, str]:
    """Output of the model -> endpoint whose level it is, where their names differ."""
    rows = endpoints().values()
    return {row.outputs[0]: row.name for row in rows if row.rule == "level" and row.outputs[0] != row.name}


@cache
def covariates() -> Mapping[str, Covariate]:
    """Read the baseline names that are not endpoints: name -> row of ``covariates.csv``; Refusal as above."""
    return _read("covariates.csv", COVARIATE_COLUMNS, _covariate)


@cache
def backgrounds() -> Mapping[str, Background]:
    """Read the drugs and supports of usual care: name -> row of ``backgrounds.csv``; Refusal as above."""
    return _read("backgrounds.csv", BACKGROUND_COLUMNS, _background)


@cache
def routes() -> Mapping[str, Route]:
    """Read the ways of giving a product: name -> row of ``routes.csv``; Refusal as above."""
    return _read("routes.csv", ROUTE_COLUMNS, _route)


@cache
def reserved() -> Mapping[tuple[str, str], str]:
    """Read the names that study files may hold and that are not served yet.

    Returns:
        (what it names: one of `RESERVED_KINDS`, name) -> what it waits for; a key's name has the tables that
        it stands in before it, as in "population.phenotype".

    Raises:
        Refusal: for a table that cannot be used.
    """
    result: dict[tuple[str, str], str] = {}

    def waits_for(row: Row) -> str:
        if (one_of(row, "kind", RESERVED_KINDS), text_of(row, "name")) in result:
            raise wrong(row, "name", "stands twice")
        return text_of(row, "waits_for")

    for row, reason in built_rows(files("mesolung.biology") / "reserved.csv", RESERVED_COLUMNS, waits_for):
        result[row["kind"], row["name"]] = reason
    return MappingProxyType(result)


def _read(name: str, columns: Sequence[str], build: Callable[[Row], Named]) -> Mapping[str, Named]:
    return named_rows(files("mesolung.biology") / name, columns, build)


def _measured(row: Row) -> dict[str, Any]:
    """What every quantity that subjects have is read from."""
    unit = text_of(row, "unit")
    lowest, highest = bounds_of(row)
    return {
        "name": row["name"],
        "label": text_of(row, "label"),
        "unit": unit,
        "accepted_units": units_of(row, unit),
        "scale": one_of(row, "scale", SCALES),
        "lowest": lowest,
        "highest": highest,
        "diseases": names_of(row, "diseases"),
    }


def _endpoint(row: Row) -> Endpoint:
    rule = one_of(row, "rule", RULES)
    outputs = names_of(row, "outputs") if row["outputs"] else () if rule in WITHOUT_OUTPUT else (row["name"],)
    if rule in WITHOUT_OUTPUT and outputs:
        raise wrong(row, "outputs", f"are none of a rule {rule}")
    return Endpoint(
        **_measured(row),
        type=one_of(row, "type", TYPES),
        better=one_of(row, "better", BETTER),
        needs_time=yes_of(row, "needs_time"),
        at_enrolment=yes_of(row, "at_enrolment"),
        value_at_death=number_of(row, "value_at_death"),
        deaths=one_of(row, "deaths", DEATHS),
        matrix=text_of(row, "matrix"),
        species=names_of(row, "species"),
        subjective=yes_of(row, "subjective"),
        minimum_important=number_of(row, "minimum_important"),
        test=one_of(row, "test", TESTS) if row["test"] else None,
        default_contrast=one_of(row, "default_contrast", CONTRASTS),
        rule=rule,
        outputs=outputs,
        above=(ON,) * len(outputs) if rule in ("present", "occurred") else (),
        share=specimens()[row["name"]].share if row["name"] in specimens() else 1.0,
    )


def _covariate(row: Row) -> Covariate:
    return Covariate(**_measured(row))


def _background(row: Row) -> Background:
    how = one_of(row, "how", HOW)
    dose, every = number_of(row, "dose"), hours_of(row, "every")
    complete = dose is not None and dose > 0 and bool(row["dose_unit"]) and every is not None and every > 0
    if (how in ("dose", "occupancy")) != complete:
        raise wrong(
            row,
            "dose",
            "with unit and interval is what a background given as doses has, and no other",
        )
    duration = hours_of(row, "duration")
    return Background(
        name=row["name"],
        label=text_of(row, "label"),
        kind=one_of(row, "kind", BACKGROUND_KINDS),
        target=text_of(row, "target"),
        how=how,
        dose=dose,
        dose_unit=row["dose_unit"] or None,
        most=number_of(row, "most"),
        factor=number_of(row, "factor") or 1.0,
        duration_h=inf if duration is None else duration,
        every_h=every,
        meaning=text_of(row, "meaning"),
    )


def _route(row: Row) -> Route:
    return Route(
        name=row["name"],
        live_cells_enter=text_of(row, "live_cells_enter"),
        apoptotic_cells_enter=row["apoptotic_cells_enter"] or None,
        particles_enter=text_of(row, "particles_enter"),
        soluble_enter=one_of(row, "soluble_enter", SOLUBLE_ENTER),
        delivered=_share_of(row, "delivered"),
        absorbed=_share_of(row, "absorbed"),
        through_blood=yes_of(row, "through_blood"),
        source=text_of(row, "source"),
        grade=one_of(row, "grade", GRADES),
        meaning=text_of(row, "meaning"),
    )


def _share_of(row: Row, column: str) -> float:
    share = number_of(row, column)
    if share is None or not 0.0 <= share <= 1.0:
        raise wrong(row, column, "is no share, from 0 to 1")
    return share
