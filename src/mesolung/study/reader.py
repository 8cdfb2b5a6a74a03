"""Reading a study file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from mesolung.biology.conduct import custom
from mesolung.biology.tables import Measured
from mesolung.reading import read_toml
from mesolung.reading.toml import Document
from mesolung.study.arm import UNKNOWN, Arm
from mesolung.study.arms import read_arms
from mesolung.study.asking import About, read_endpoints
from mesolung.study.inclusion import bounded, read_inclusions
from mesolung.study.injuries import read_assay, read_injuries
from mesolung.study.lots import with_lots
from mesolung.study.observations import read_observations
from mesolung.study.place import HOURS, Place, listed
from mesolung.study.planned import refuse_planned
from mesolung.study.population import Distribution, Population
from mesolung.study.possible import HUMAN, IN_VITRO, animals
from mesolung.study.structure import read_structure
from mesolung.study.study import Study
from mesolung.study.subjects import read_correlations, read_diseases, read_phenotypes
from mesolung.study.table_one import read_baseline, read_distribution, traits_possible
from mesolung.study.usual_care import read_backgrounds
from mesolung.study.written import DistributionTable, PopulationTable

LONGEST_H = 100 * 365.25 * 24.0
LONGEST_DELAY_H = 366 * 24.0

_DELAY = Measured(
    name="onset_to_enrolment",
    label="time from onset to enrolment",
    unit=HOURS,
    accepted_units=("h", "d", "week"),
    scale="linear",
    lowest=0.0,
    highest=LONGEST_DELAY_H,
    diseases=(),
)


def read_study(path: str | os.PathLike[str]) -> Study:
    """Read and check a study file.

    Arguments:
        path: the file, TOML, schema 1.

    Returns:
        the study, in base units.

    Raises:
        Refusal: for the first thing that is wrong: file, line, what was found and what is allowed.
    """
    return study_of(read_toml(path))


def study_of(document: Document) -> Study:
    """Check a study file that has been read.

    Arguments:
        document: the file.

    Returns:
        the study, in base units.

    Raises:
        Refusal: as `read_study`.
    """
    whole, lots = with_lots(document)
    refuse_planned(whole)
    written = read_structure(whole)
    top = Place(document)
    if (written.species == HUMAN) != (written.kind == "trial") and written.kind in ("trial", "animal"):
        allowed = [HUMAN] if written.kind == "trial" else list(animals())
        raise top.at("species").refuse(
            f"kind {written.kind} of the species {written.species}",
            found=written.species,
            allowed=listed(allowed),
        )
    if written.assay is not None and written.kind != IN_VITRO:
        raise top.at("assay").refuse("an assay of subjects", found="assay", allowed=f'kind = "{IN_VITRO}"')
    disease = read_diseases(written.disease, top.at("disease"), written.kind, written.species)
    known = (disease,) if isinstance(disease, str) else tuple(disease)
    duration = top.at("duration").amount(written.duration, HOURS, also=("d",))
    if not 0 < duration <= LONGEST_H:
        raise top.at("duration").refuse(
            "impossible duration",
            found=written.duration,
            allowed=f"more than 0 d, at most {LONGEST_H / 24:g} d",
        )
    names = traits_possible(known, written.species, written.kind)
    about = About(known, written.species, duration, written.origin, names, written.kind)
    population = _population(written.population, top.at("population"), names, duration, known)
    arms = read_arms(written, top.at("arm"), duration_h=duration, names=names)
    arms = tuple(_with_rules(arm, population, top) for arm in arms)
    endpoints = read_endpoints(written.endpoint, top.at("endpoint"), about)
    observations = read_observations(
        written.observation, top.at("observation"), about, [arm.name for arm in arms]
    )
    if not endpoints and not observations:
        raise top.refuse("no endpoint", allowed="an [[endpoint]] or an [[observation]]")
    study = Study(
        name=written.name,
        registry=written.registry,
        kind=written.kind,
        disease=disease,
        species=written.species,
        duration_h=duration,
        origin=written.origin,
        randomised=written.randomised,
        blinded=written.blinded,
        population=population,
        arms=arms,
        endpoints=endpoints,
        observations=observations,
        injury=read_injuries(written.injury, top.at("injury"), duration),
        assay=read_assay(written.assay, top.at("assay")),
    )
    return study.from_document(document, lots)


def _with_rules(arm: Arm, population: Population, top: Place) -> Arm:
    """The arm, whose own table 1 keeps the rules by which the study's subjects were chosen."""
    if not population.include:
        return arm
    place = top.at("population", "include")
    return arm.model_copy(
        update={"baseline": MappingProxyType(bounded(arm.baseline, population.include, place))}
    )


def _population(
    table: PopulationTable,
    place: Place,
    names: Mapping[str, Measured],
    duration_h: float,
    diseases: tuple[str, ...],
) -> Population:
    include = read_inclusions(table.include, place.at("include"), names, diseases)
    baseline = read_baseline(table.baseline, place.at("baseline"), names)
    return Population(
        size=None if table.size == UNKNOWN else table.size,
        onset_to_enrolment=_delay(table.onset_to_enrolment, place.at("onset_to_enrolment")),
        expected_mortality=table.expected_mortality,
        dropout=_dropout(table.dropout, place.at("dropout"), diseases),
        baseline=bounded(baseline, include, place.at("include")),
        correlation=read_correlations(table.correlation, place.at("correlation"), names),
        phenotype=read_phenotypes(table.phenotype, table.baseline, place.at("phenotype"), diseases),
        background=read_backgrounds(table.background, place.at("background"), duration_h),
        include=include,
    )


def _dropout(
    written: Literal["random", "informative", "none"] | None, place: Place, diseases: tuple[str, ...]
) -> Literal["random", "informative", "none"] | None:
    if written is not None and not all(custom(name, "dropout_rate") for name in diseases):
        raise place.refuse(
            "drop-out from a trial of an acute disease", found=written, allowed="no dropout key"
        )
    return written


def _delay(line: DistributionTable | None, place: Place) -> Distribution | None:
    if line is None:
        return None
    return read_distribution(line, place, _DELAY)
