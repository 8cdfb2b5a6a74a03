"""Which part of an experiment on animals or perfused lungs the model answers, and why not the rest."""

from __future__ import annotations

from mesolung.biology.animal_disease import (
    AmountUnit,
    AnimalDisease,
    animal_diseases,
    disease_of_agent,
    read_animal_disease,
)
from mesolung.biology.states import STATE
from mesolung.biology.tables import reserved
from mesolung.product.product import MODELLED_TYPES
from mesolung.study.animal_endpoints import HEALTHY, animal_endpoint
from mesolung.study.arm import UNKNOWN, Arm
from mesolung.study.dosing import why_not_given
from mesolung.study.endpoint import EndpointAsked
from mesolung.study.injury import Injury
from mesolung.study.observation import Observation
from mesolung.study.study import Study

# So long before the origin a subject may be treated or injured: smoke is breathed for months.
LONGEST_BEFORE_H = 200 * 24.0
NO_PART = "the model has no part that it could be read from"


def injuries_of(study: Study, arm: Arm) -> tuple[Injury, ...]:
    """The injuries of an arm; where neither arm nor study says one, the usual one of the disease.

    Arguments:
        study, arm: as validated.

    Returns:
        none for a sham, and for healthy animals.
    """
    if arm.injury or arm.has_own_injury or study.injury:
        return arm.injury
    names = [name for name in study.disease_names if name in animal_diseases()]
    return tuple(Injury(agent=read_animal_disease(name).agent) for name in names)


def why_not_experiment(study: Study) -> str | None:
    """Tell why nothing of an experiment can be answered.

    Arguments:
        study: of kind animal or ex-vivo.

    Returns:
        the reason; None where at least a part may be.
    """
    if len(study.disease_names) > 1:
        return "a mixture of diseases in one experiment"
    for name in study.disease_names:
        if name not in animal_diseases() and name != HEALTHY:
            waits_for = reserved().get(("disease", name), "a course that an experiment sets")
            return f'disease "{name}" waits for {waits_for}'
    if study.origin == "onset":
        return f'origin "{study.origin}" in an experiment'
    return None


def why_not_experiment_arm(study: Study, arm: Arm, longest_h: float) -> str | None:
    """Tell why an arm of an experiment cannot be simulated, of which the rest can.

    Arguments:
        study, arm: as validated.
        longest_h: so long a course is followed.

    Returns:
        the reason, or None.
    """
    for injury in injuries_of(study, arm):
        if reason := why_not_injury(injury):
            return reason
    for treatment in arm.treatments:
        kind = treatment.product.type
        if kind not in MODELLED_TYPES:
            return f'product type "{kind}" waits for {reserved()["product type", kind]}'
        if reason := why_not_given(kind, treatment.route):
            return reason
        if any(not -LONGEST_BEFORE_H <= time <= longest_h for time in treatment.times_h):
            return f"a treatment more than {LONGEST_BEFORE_H / 24:g} d before or {longest_h / 24:g} d after"
    for other in arm.treatments[1:]:
        if other.product != arm.treatments[0].product:
            return "two products in one arm, whose properties the model does not tell apart in the body"
    return None


def why_not_injury(injury: Injury) -> str | None:
    """Tell why an injury cannot be set.

    Arguments:
        injury: as validated.

    Returns:
        the reason, or None.
    """
    name = disease_of_agent().get(injury.agent)
    if name is None:
        return f'injury by "{injury.agent}", for which the model has no drivers'
    disease = read_animal_disease(name)
    if injury.unit is not None and unit_of_amount(disease, injury.unit) is None:
        return f'injury by "{injury.agent}" in {injury.unit}, which does not say how much one subject gets'
    route = route_of(disease, injury)
    if disease.routes and not any(not d.routes or route in d.routes for d in disease.drivers):
        return f'injury by "{injury.agent}" by the route "{route}"'
    if injury.start_h < -LONGEST_BEFORE_H:
        return f"an injury more than {LONGEST_BEFORE_H / 24:g} d before the origin"
    return None


def route_of(disease: AnimalDisease, injury: Injury) -> str:
    """By which route an injury is set: its own, or the usual one of the disease."""
    return injury.route if injury.route not in (None, UNKNOWN) else disease.route


def unit_of_amount(disease: AnimalDisease, unit: str) -> AmountUnit | None:
    """How an amount in a unit counts in a disease; None where the disease's file does not say."""
    return disease.units.get(unit)


def why_not_asked_of_experiment(study: Study, line: EndpointAsked | Observation) -> str | None:
    """Tell why an endpoint cannot be answered in an experiment that otherwise can.

    Arguments:
        study: validated.
        line: of its plan or its observations.

    Returns:
        the reason, or None.
    """
    name = line.name if isinstance(line, EndpointAsked) else line.endpoint
    if not name.startswith(STATE):
        row = animal_endpoint(name, study.disease_names, study.species, study.kind)
        if row is None:
            return f'endpoint "{name}": {NO_PART}'
    if line.time_h is not None and line.time_h < 0:
        return "a time before the study's origin"
    if line.where is not None:
        return "a filter on animals, of which the model knows no trait but the weight"
    return None
