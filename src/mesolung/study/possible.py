"""What the study file's format knows beyond what the model serves: which endpoint and trait can be of whom.

The tables of the model say what it serves. ``planned_endpoints.csv`` and ``planned_covariates.csv`` say what
else exists: a row with a unit is of a name that the model does not have; one without adds diseases or species
to a name that it has. What can be is read and answered as not modelled yet; what cannot be is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from mesolung.biology.animal_disease import animal_diseases
from mesolung.biology.columns import bounds_of, names_of, number_of, one_of, text_of, units_of, wrong, yes_of
from mesolung.biology.disease import diseases
from mesolung.biology.tables import (
    BETTER,
    CONTRASTS,
    COVARIATE_COLUMNS,
    DEATHS,
    ENDPOINT_COLUMNS,
    SCALES,
    TESTS,
    TYPES,
    Endpoint,
    Measured,
    covariates,
    endpoints,
    reserved,
)
from mesolung.reading import Row, read_table
from mesolung.units import convert

PLANNED = "not modelled"  # the rule of an endpoint that the model does not have
IN_VITRO = "in-vitro"
KINDS = ("trial", "animal", "ex-vivo", IN_VITRO)
KINDS_OF: Mapping[str, tuple[str, ...]] = {"all": KINDS}
SHARES = ("fraction", "percent", "points")
HUMAN = "human"
ACUTE = ("ards", "covid19-ards", "pneumonia", "sepsis", "healthy")
ACUTE_MODELS = (
    "lps",
    "e-coli-pneumonia",
    "klebsiella-pneumonia",
    "pseudomonas-pneumonia",
    "sepsis-clp",
    "vili",
    "hyperoxia",
    "acid-aspiration",
    "influenza",
)
CHRONIC_MODELS = ("bleomycin", "silica", "elastase", "smoke", "ova", "hdm")
CHRONIC = ("copd", "asthma", "ipf")
# Names that stand for several, in the tables' columns of diseases and species.
GROUPS: Mapping[str, tuple[str, ...]] = {
    "acute": ACUTE,
    "chronic": CHRONIC,
    "acute-models": ACUTE_MODELS,
    "chronic-models": CHRONIC_MODELS,
    "models": (*ACUTE_MODELS, *CHRONIC_MODELS),
    "every": (*ACUTE, *CHRONIC, *ACUTE_MODELS, *CHRONIC_MODELS),
}
SPECIES_COLUMNS = ("name", "label", "lightest", "heaviest", "weight_unit", "oldest", "age_unit")
INCLUSION_COLUMNS = ("name", "label", "unit", "accepted_units", "lowest", "highest", "diseases")


@dataclass(frozen=True)
class Animal:
    """A species beside humans.

    Attributes:
        name, label: as study files and as people write it.
        lightest_kg, heaviest_kg: bounds of the body weight, newborn to giant, against slips of a unit.
        oldest_year: bound of the age.
    """

    name: str
    label: str
    lightest_kg: float
    heaviest_kg: float
    oldest_year: float


def known_diseases() -> tuple[str, ...]:
    """Names that a study file may give as its disease: those of the model and those that wait for it."""
    waiting = (name for kind, name in reserved() if kind == "disease")
    return (*diseases(), *animal_diseases(), *waiting)


def is_model(disease: str) -> bool:
    """Whether a disease is an animal model, which no patient has."""
    return disease in GROUPS["models"]


@cache
def animals() -> Mapping[str, Animal]:
    """Read ``species.csv``: name -> row; Refusal for a table that cannot be used."""
    found = {}
    for row in read_table(files("mesolung.biology") / "species.csv", SPECIES_COLUMNS):
        weights = [number_of(row, column) or 0.0 for column in ("lightest", "heaviest")]
        low, high = (convert(value, row["weight_unit"], "kg") for value in weights)
        oldest = convert(number_of(row, "oldest") or 0.0, row["age_unit"], "year")
        found[row["name"]] = Animal(text_of(row, "name"), text_of(row, "label"), low, high, oldest)
    return MappingProxyType(found)


@dataclass(frozen=True)
class Planned:
    """A row of ``planned_endpoints.csv``.

    Attributes:
        row: of the endpoint; its diseases are those of that table alone.
        kinds: kinds of studies that can measure it.
    """

    row: Endpoint
    kinds: tuple[str, ...]


@cache
def planned_endpoints() -> Mapping[str, Planned]:
    """Read ``planned_endpoints.csv``: name -> row; Refusal for a table that cannot be used."""
    table = files("mesolung.biology") / "planned_endpoints.csv"
    columns = ["kinds" if c == "species" else c for c in ENDPOINT_COLUMNS if c not in ("rule", "outputs")]
    found: dict[str, Planned] = {}
    for row in read_table(table, columns):
        name = text_of(row, "name")
        if name in found:
            raise wrong(row, "name", "stands twice")
        kinds = tuple(
            dict.fromkeys(n for part in names_of(row, "kinds") for n in KINDS_OF.get(part, (part,)))
        )
        if not set(kinds) <= set(KINDS):
            raise wrong(row, "kinds", f"are not among {', '.join(KINDS)}")
        known = endpoints().get(name)
        whose = _diseases(row)
        found[name] = Planned(replace(known, diseases=whose) if known else _endpoint(row, whose), kinds)
    return MappingProxyType(found)


def _endpoint(row: Row, whose: tuple[str, ...]) -> Endpoint:
    unit = text_of(row, "unit")
    lowest, highest = bounds_of(row)
    return Endpoint(
        name=row["name"],
        label=text_of(row, "label"),
        unit=unit,
        accepted_units=units_of(row, unit),
        type=one_of(row, "type", TYPES),
        scale=one_of(row, "scale", SCALES),
        lowest=lowest,
        highest=highest,
        diseases=whose,
        better=one_of(row, "better", BETTER),
        needs_time=yes_of(row, "needs_time"),
        at_enrolment=yes_of(row, "at_enrolment"),
        value_at_death=number_of(row, "value_at_death"),
        deaths=one_of(row, "deaths", DEATHS),
        matrix=text_of(row, "matrix"),
        species=(HUMAN, *animals()),
        subjective=yes_of(row, "subjective"),
        minimum_important=number_of(row, "minimum_important"),
        test=one_of(row, "test", TESTS) if row["test"] else None,
        default_contrast=one_of(row, "default_contrast", CONTRASTS),
        rule=PLANNED,
    )


@cache
def planned_covariates() -> Mapping[str, tuple[Measured, tuple[str, ...]]]:
    """Read ``planned_covariates.csv``: name -> (row, species), with the diseases of that table alone."""
    found = {}
    columns = (*COVARIATE_COLUMNS, "species")
    for row in read_table(files("mesolung.biology") / "planned_covariates.csv", columns):
        name = text_of(row, "name")
        if name in found:
            raise wrong(row, "name", "stands twice")
        if name in covariates():
            found[name] = (replace(covariates()[name], diseases=_diseases(row)), _species(row))
            continue
        found[name] = (_measured(row), _species(row))
    return MappingProxyType(found)


@cache
def inclusions() -> Mapping[str, Measured]:
    """Read ``inclusions.csv``: what subjects may be chosen by that is no line of table 1: name -> row."""
    found = {}
    for row in read_table(files("mesolung.biology") / "inclusions.csv", INCLUSION_COLUMNS):
        found[text_of(row, "name")] = _measured(Row({**row.values, "scale": "linear"}, row.line))
    return MappingProxyType(found)


def endpoint_where(name: str, disease_names: Iterable[str], species: str, kind: str) -> Endpoint | None:
    """Find an endpoint that a study can have though the model does not serve it there.

    Arguments:
        name: of the endpoint.
        disease_names: of the study.
        species: of the study.
        kind: of the study; a culture has whatever any disease or species has.

    Returns:
        its row, or None when that cannot be.
    """
    planned, served = planned_endpoints().get(name), endpoints().get(name)
    row = planned.row if planned else served
    if row is None:
        return None
    of = {*(planned.row.diseases if planned else ()), *(served.diseases if served else ())}
    kinds = {*(planned.kinds if planned else ()), *(("trial",) if served else ())}
    if kind not in kinds or not of.issuperset(disease_names):
        return None
    if kind == IN_VITRO:
        row = replace(row, at_enrolment=True)  # the responders before the product
    # Bounds of patients are none of an animal or a culture, but for what is a share.
    if species != HUMAN or kind == IN_VITRO:
        low, high = (row.lowest, row.highest) if row.unit in SHARES else (None, None)
        row = replace(row, lowest=low, highest=high)
    return row


def possible_endpoints(disease_names: Iterable[str], species: str, kind: str) -> list[str]:
    """List the endpoints that a study can have, served or not; arguments as `endpoint_where`."""
    names, wanted = {*endpoints(), *planned_endpoints()}, tuple(disease_names)
    return sorted(name for name in names if endpoint_where(name, wanted, species, kind) is not None)


def possible_traits(disease_names: Iterable[str], species: str, kind: str) -> dict[str, Measured]:
    """Find what may stand in table 1 beside what the model serves.

    Arguments:
        disease_names, species, kind: of the study.

    Returns:
        name -> row; an animal's weight and age have the bounds of its species.
    """
    wanted = tuple(disease_names)
    found: dict[str, Measured] = {
        name: row
        for name, (row, whose) in planned_covariates().items()
        if species in whose and all(d in row.diseases for d in wanted)
    }
    for name in planned_endpoints():
        row = endpoint_where(name, wanted, species, kind)
        if row is not None and row.at_enrolment:
            found[name] = row
    animal = animals().get(species)
    if animal is not None:
        for name, low, high in (
            ("weight", animal.lightest_kg, animal.heaviest_kg),
            ("age", 0.0, animal.oldest_year),
        ):
            if name in found:
                found[name] = replace(found[name], lowest=low, highest=high)
    return found


def _measured(row: Row) -> Measured:
    unit = text_of(row, "unit")
    lowest, highest = bounds_of(row)
    return Measured(
        name=row["name"],
        label=text_of(row, "label"),
        unit=unit,
        accepted_units=units_of(row, unit),
        scale=one_of(row, "scale", SCALES),
        lowest=lowest,
        highest=highest,
        diseases=_diseases(row),
    )


def _diseases(row: Row) -> tuple[str, ...]:
    names = [n for part in names_of(row, "diseases") for n in GROUPS.get(part, (part,))]
    for name in names:
        if name not in known_diseases():
            raise wrong(row, "diseases", f"hold {name}, which is no disease")
    return tuple(dict.fromkeys(names))


def _species(row: Row) -> tuple[str, ...]:
    every = {"all": (HUMAN, *animals()), "animals": tuple(animals())}
    names = [n for part in names_of(row, "species") for n in every.get(part, (part,))]
    for name in names:
        if name not in every["all"]:
            raise wrong(row, "species", f"hold {name}, which is no species")
    return tuple(dict.fromkeys(names))
