"""Reading a study file."""

from __future__ import annotations

import os
from collections.abc import Mapping

from mesolung.biology.tables import Measured
from mesolung.reading import read_toml
from mesolung.reading.toml import Document
from mesolung.study.arm import UNKNOWN
from mesolung.study.arms import read_arms
from mesolung.study.asking import About, read_endpoints
from mesolung.study.observations import read_observations
from mesolung.study.place import HOURS, Place
from mesolung.study.planned import refuse_planned
from mesolung.study.population import Distribution, Population
from mesolung.study.structure import read_structure
from mesolung.study.study import Study
from mesolung.study.subjects import read_correlations, read_diseases, read_phenotypes
from mesolung.study.table_one import baseline_names, read_baseline, read_distribution
from mesolung.study.usual_care import read_backgrounds
from mesolung.study.written import BackgroundTable, DistributionTable, PopulationTable, StudyFile

LONGEST_H = 366 * 24.0


_DELAY = Measured(
    name="onset_to_enrolment",
    label="time from onset to enrolment",
    unit=HOURS,
    accepted_units=("h", "d", "week"),
    scale="linear",
    lowest=0.0,
    highest=LONGEST_H,
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
    refuse_planned(document)
    written = read_structure(document)
    top = Place(document)
    disease = read_diseases(written.disease, top.at("disease"))
    known = (disease,) if isinstance(disease, str) else tuple(disease)
    duration = top.at("duration").amount(written.duration, HOURS, also=("d",))
    if not 0 < duration <= LONGEST_H:
        raise top.at("duration").refuse(
            "impossible duration",
            found=written.duration,
            allowed=f"more than 0 d, at most {LONGEST_H / 24:g} d",
        )
    names = baseline_names(known, written.species)
    about = About(known, written.species, duration, written.origin, names)
    population = _population(written.population, top.at("population"), names, duration, known)
    arms = read_arms(written.arm, written.population, top.at("arm"), duration_h=duration, names=names)
    if written.origin != "enrolment":
        _check_origin(written, top)
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
    )
    return study.from_document(document)


def _check_origin(written: StudyFile, top: Place) -> None:
    """Refuse what counts from enrolment in a study whose times count from elsewhere."""
    usual = 'origin = "enrolment"'
    for i, arm in enumerate(written.arm):
        if arm.treatment:
            at = top.at("arm", i, "treatment", 0, "times")
            raise at.not_yet(f"a treatment at times from {written.origin}", usual)
    tables = [(top.at("population", "background"), written.population.background)]
    tables += [(top.at("arm", i, "background"), arm.background) for i, arm in enumerate(written.arm)]
    for at, lines in tables:
        for name, line in lines.items():
            if isinstance(line, BackgroundTable) and line.start is not None:
                raise at.at(name, "start").not_yet(f"a start at a time from {written.origin}", usual)


def _population(
    table: PopulationTable,
    place: Place,
    names: Mapping[str, Measured],
    duration_h: float,
    diseases: tuple[str, ...],
) -> Population:
    return Population(
        size=None if table.size == UNKNOWN else table.size,
        onset_to_enrolment=_delay(table.onset_to_enrolment, place.at("onset_to_enrolment")),
        expected_mortality=table.expected_mortality,
        baseline=read_baseline(table.baseline, place.at("baseline"), names),
        correlation=read_correlations(table.correlation, place.at("correlation"), names),
        phenotype=read_phenotypes(table.phenotype, table.baseline, place.at("phenotype"), diseases),
        background=read_backgrounds(table.background, place.at("background"), duration_h),
    )


def _delay(line: DistributionTable | None, place: Place) -> Distribution | None:
    if line is None:
        return None
    return read_distribution(line, place, _DELAY)
