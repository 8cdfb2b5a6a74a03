"""Reading a study file."""

from __future__ import annotations

import os
from collections.abc import Mapping

from mesolung.biology.disease import diseases
from mesolung.biology.tables import Measured
from mesolung.reading import read_toml
from mesolung.reading.toml import Document
from mesolung.study.arms import read_arms
from mesolung.study.asking import read_endpoints
from mesolung.study.observations import read_observations
from mesolung.study.place import HOURS, Place
from mesolung.study.planned import refuse_planned
from mesolung.study.population import Distribution, Population
from mesolung.study.structure import read_structure
from mesolung.study.study import Study
from mesolung.study.table_one import baseline_names, read_baseline, read_distribution
from mesolung.study.usual_care import read_backgrounds
from mesolung.study.written import DistributionTable, PopulationTable

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
    if written.disease not in diseases():
        raise top.at("disease").unknown("disease", written.disease, diseases())
    duration = top.at("duration").amount(written.duration, HOURS, also=("d",))
    if not 0 < duration <= LONGEST_H:
        raise top.at("duration").refuse(
            "impossible duration",
            found=written.duration,
            allowed=f"more than 0 d, at most {LONGEST_H / 24:g} d",
        )
    names = baseline_names(written.disease, written.species)
    about = {"duration_h": duration, "disease": written.disease, "species": written.species}
    population = _population(written.population, top.at("population"), names, duration)
    arms = read_arms(written.arm, written.population, top.at("arm"), duration_h=duration, names=names)
    endpoints = read_endpoints(written.endpoint, top.at("endpoint"), **about)
    observations = read_observations(
        written.observation, top.at("observation"), arms=[arm.name for arm in arms], **about
    )
    if not endpoints and not observations:
        raise top.refuse("no endpoint", allowed="an [[endpoint]] or an [[observation]]")
    study = Study(
        name=written.name,
        registry=written.registry,
        kind=written.kind,
        disease=written.disease,
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


def _population(
    table: PopulationTable, place: Place, names: Mapping[str, Measured], duration_h: float
) -> Population:
    return Population(
        size=table.size,
        onset_to_enrolment=_delay(table.onset_to_enrolment, place.at("onset_to_enrolment")),
        expected_mortality=table.expected_mortality,
        baseline=read_baseline(table.baseline, place.at("baseline"), names),
        background=read_backgrounds(table.background, place.at("background"), duration_h),
    )


def _delay(line: DistributionTable | None, place: Place) -> Distribution | None:
    if line is None:
        return None
    for key in ("min", "max"):
        if getattr(line, key) is not None:
            raise place.at(key).not_yet(
                f"{key} of onset_to_enrolment", "mean with sd, median with iqr, or mean"
            )
    return read_distribution(line, place, _DELAY)
