"""Which part of a study the model can answer, and why not the rest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import isinf
from types import MappingProxyType
from typing import Any

from mesolung.biology.disease import diseases
from mesolung.biology.states import STATE
from mesolung.biology.tables import backgrounds, endpoints, reserved
from mesolung.product.product import MODELLED_TYPES
from mesolung.study.animal_endpoints import EXPERIMENTS
from mesolung.study.animal_modelled import (
    why_not_asked_of_experiment,
    why_not_experiment,
    why_not_experiment_arm,
)
from mesolung.study.arm import Arm, Treatment
from mesolung.study.challenged import counts_from_a_challenge, why_not_injury
from mesolung.study.cultured import cultures_of, said_of_cultures, why_not_cultures
from mesolung.study.dosing import why_not_given
from mesolung.study.drugs_given import DRUG, why_not_drug, with_drugs_as_care
from mesolung.study.endpoint import EndpointAsked
from mesolung.study.observation import BASELINE, Observation
from mesolung.study.population import Background
from mesolung.study.possible import IN_VITRO, inclusions
from mesolung.study.study import Study
from mesolung.study.table_one import baseline_names
from mesolung.study.years import lasts_for_years
from mesolung.trial.decline import PROGRESSION, SLOPES

OF_WHOLE_FOLLOW_UP = (*SLOPES, *PROGRESSION)
LEAST_SLOPE_H = 120 * 24.0
# So long a course is followed; an observation beyond it waits.
LONGEST_MODELLED_H = 366 * 24.0
# The same of a disease that lasts for years.
LONGEST_OF_YEARS_H = 6 * 8766.0


def longest_modelled_h(study: Study) -> float:
    """How long the courses of a study's diseases are followed, h since enrolment.

    Arguments:
        study: validated.
    """
    return LONGEST_OF_YEARS_H if lasts_for_years(study) else LONGEST_MODELLED_H


def why_not_study(study: Study) -> str | None:
    """Tell why nothing of a study can be answered.

    Arguments:
        study: validated.

    Returns:
        the reason; None where at least a part may be.
    """
    if study.kind in EXPERIMENTS:
        return why_not_experiment(study)
    named = [("kind", study.kind), ("species", study.species)]
    named += [("disease", name) for name in study.disease_names if name not in diseases()]
    for what, name in named:
        if waits_for := reserved().get((what, name)):
            return _waits(f'{what} "{name}"', waits_for)
    injured = [why_not_injury(study, arm) for arm in study.arms]
    if study.injury and all(injured):
        return injured[0]
    waits_for = reserved().get(("origin", study.origin))
    if waits_for and not counts_from_a_challenge(study):
        return _waits(f'origin "{study.origin}"', waits_for)
    return None


def why_not_arm(study: Study, arm: Arm) -> str | None:
    """Tell why an arm of a study cannot be simulated, of which the rest can.

    Arguments:
        study: validated.
        arm: of the study.

    Returns:
        the reason, or None.
    """
    if study.kind in EXPERIMENTS:
        return why_not_experiment_arm(study, arm, LONGEST_MODELLED_H) or _why_not_care(study, arm)
    if reason := why_not_injury(study, arm):
        return reason
    for treatment in arm.treatments:
        if reason := _why_not_treatment(study, treatment):
            return reason
    given = [t for t in arm.treatments if t.product.type != DRUG]
    for other in given[1:]:
        if other.product != given[0].product:
            return "two products in one arm, whose properties the model does not tell apart in the body"
    return _why_not_care(study, arm)


def _why_not_care(study: Study, arm: Arm) -> str | None:
    for name, line in arm.background.items():
        if study.origin == "onset" and study.kind not in EXPERIMENTS and line.start_h != 0.0:
            return f"usual care ({name}) that starts at a time from {study.origin}"
        # What all arms have alike is left out of all; what differs between them is what they compare.
        if name not in backgrounds() and not _in_all_arms(study, name, line):
            return _waits(f'background "{name}"', reserved()["background", name])
    return None


def _why_not_treatment(study: Study, treatment: Treatment) -> str | None:
    kind = treatment.product.type
    if kind == DRUG:
        late = any(time < 0 for time in treatment.times_h) or study.origin == "onset"
        return "a drug at times before enrolment" if late else why_not_drug(treatment)
    if kind not in MODELLED_TYPES:
        return _waits(f'product type "{kind}"', reserved()["product type", kind])
    if reason := why_not_given(kind, treatment.route):
        return reason
    if study.origin == "onset":
        return f"a treatment at times from {study.origin}"
    longest = longest_modelled_h(study)
    if any(not 0 <= time <= longest for time in treatment.times_h):
        return f"a treatment before enrolment or beyond {longest / 24:g} d"
    return None


def why_not_asked(study: Study, line: EndpointAsked | Observation) -> str | None:
    """Tell why an endpoint cannot be answered in a study that otherwise can.

    Arguments:
        study: validated.
        line: of its plan or its observations.

    Returns:
        the reason, or None.
    """
    if reason := _too_late(line, longest_modelled_h(study)):
        return reason
    if study.kind in EXPERIMENTS:
        return why_not_asked_of_experiment(study, line)
    name = line.name if isinstance(line, EndpointAsked) else line.endpoint
    row = endpoints().get(name)
    if not name.startswith(STATE):
        if row is None:
            return _waits(f'endpoint "{name}"', reserved()["endpoint", name])
        for disease in study.disease_names:
            if disease not in row.diseases:
                return f"{name} of {disease} is not in the model yet"
    if line.time_h is not None and line.time_h < 0:
        return "a time before the study's origin"
    if row is not None and row.rule in OF_WHOLE_FOLLOW_UP:
        if isinstance(line, Observation) and line.time_unknown:
            return f"{name} over a follow-up whose end is unknown"
        if line.time_h is not None and line.time_h < LEAST_SLOPE_H:
            return f"{name} over less than {LEAST_SLOPE_H / 24:g} d, which has too few visits"
    known = baseline_names(study.disease_names, study.species)
    for used in line.where.names if line.where else ():
        if used not in known and used != "ventilation":
            return f"a filter by {used}, which is not in the model yet"
    return None


def _too_late(line: EndpointAsked | Observation, longest_h: float) -> str | None:
    if line.time_h is None or line.time_h <= longest_h:
        return None
    return f"a time beyond {longest_h / 24:g} d, as far as a course is followed"


def not_modelled(study: Study) -> dict[int, str]:
    """Tell which observations of a study are not modelled yet, and why.

    Arguments:
        study: validated.

    Returns:
        index of the observation -> reason; observations that a run answers are not among them.
    """
    if study.kind == IN_VITRO:
        return why_not_cultures(study)
    if whole := why_not_study(study):
        return {one.index: whole for one in study.observations}
    arms = {arm.name: why_not_arm(study, arm) for arm in study.arms}
    found = {}
    for one in study.observations:
        named = [*one.arm, *one.order, *([one.versus] if one.versus not in (None, BASELINE) else [])]
        of_arms = (f"arm {name}: {arms[name]}" for name in named if arms[name])
        reason = why_not_asked(study, one) or next(of_arms, None)
        if reason is not None:
            found[one.index] = reason
    return found


def modelled_part(study: Study) -> Study | None:
    """Cut a study down to what a run can simulate and answer.

    Arguments:
        study: validated.

    Returns:
        the study itself where nothing is to be left out; else one without the arms, endpoints, observations,
        lines of table 1 and backgrounds that are not modelled, whose observations keep their index; None
        where no arm, or nothing to answer, is left.
    """
    if study.kind == IN_VITRO:
        return cultures_of(study)
    if why_not_study(study) is not None:
        return None
    skipped = not_modelled(study)
    arms = tuple(arm for arm in study.arms if why_not_arm(study, arm) is None)
    asked = tuple(line for line in study.endpoints if why_not_asked(study, line) is None)
    seen = tuple(o for o in study.observations if o.index not in skipped)
    if not arms or not (asked or seen):
        return None
    part = study.model_copy(
        update={
            "arms": tuple(_plain_arm(study, arm) for arm in arms),
            "endpoints": asked,
            "observations": seen,
            "duration_h": _duration(study, arms, (*asked, *seen)),
            "population": _population(study, arms),
        }
    )
    return study if part == study else part


def _duration(study: Study, arms: Sequence[Arm], lines: Sequence[EndpointAsked | Observation]) -> float:
    """How long the part has to be followed: a study that is too long only as far as something is asked."""
    longest = longest_modelled_h(study)
    if study.duration_h <= longest:
        return study.duration_h
    if any(line.time_h is None for line in lines):
        return longest
    times = [line.time_h or 0.0 for line in lines]
    times += [time for arm in arms for treatment in arm.treatments for time in treatment.times_h]
    return max(*times, 24.0)


def left_out(study: Study) -> list[str]:
    """Say what of a study a run leaves out or changes, beside observations.

    Arguments:
        study: validated.

    Returns:
        sentences for the warnings of a run, each once.
    """
    if study.kind == IN_VITRO:
        return said_of_cultures(study)
    if reason := why_not_study(study):
        return [f"nothing of this study is modelled yet: {reason}"]
    said = [
        f"arm {arm.name} is not modelled yet: {reason}"
        for arm in study.arms
        if (reason := why_not_arm(study, arm))
    ]
    said += [
        f"endpoint {line.name} is not modelled yet: {reason}"
        for line in study.endpoints
        if (reason := why_not_asked(study, line))
    ]
    known = baseline_names(study.disease_names, study.species)
    for name in sorted({n for table in _tables(study) for n in table if n not in known}):
        said.append(f"table 1: {name} is not in the model yet and does not choose the subjects")
    for name, line in _lines_of_care(study):
        if name not in backgrounds():
            said.append(f"usual care: {name} is not in the model yet and left out of all arms")
        elif line.start_h < 0:
            said.append(f"usual care: {name} before enrolment is not modelled; it starts at enrolment")
        elif line.responder is not None:
            said.append(f"usual care: who responds to {name} is the model's, not the study's")
    if study.duration_h > longest_modelled_h(study):
        said.append(f"courses are followed for at most {longest_modelled_h(study) / 24:g} d")
    return list(dict.fromkeys(said))


def _waits(what: str, waits_for: str) -> str:
    return f"{what} waits for {waits_for}"


def _in_all_arms(study: Study, name: str, line: Background) -> bool:
    return all(arm.background.get(name) == line for arm in study.arms)


def _tables(study: Study) -> Iterator[Mapping[str, Any]]:
    yield study.population.baseline
    yield from (arm.baseline for arm in study.arms)


def _lines_of_care(study: Study) -> list[tuple[str, Background]]:
    kept = [arm for arm in study.arms if why_not_arm(study, arm) is None]
    lines = [item for arm in kept for item in arm.background.items()]
    return sorted(lines, key=lambda item: item[0])


def _population(study: Study, arms: Sequence[Arm]) -> Any:
    whole = study.population
    known = baseline_names(study.disease_names, study.species)
    changed = {
        "size": _size(study, arms),
        "baseline": _kept(whole.baseline, known),
        "correlation": tuple(c for c in whole.correlation if c.first in known and c.second in known),
        "background": _care(whole.background),
        # Rules on lines of table 1 are its bounds already.
        "include": tuple(rule for rule in whole.include if rule.name in inclusions()),
    }
    return whole.model_copy(update=changed)


def _size(study: Study, arms: Sequence[Arm]) -> int | None:
    """Subjects of the arms that are left: their parts of the whole, where the study says it by parts."""
    whole = study.population.size
    if len(arms) == len(study.arms) or whole is None:
        return whole
    if any(arm.ratio is None for arm in study.arms):
        return None
    kept, parts = (sum(arm.ratio or 0.0 for arm in group) for group in (arms, study.arms))
    return max(len(arms), round(whole * kept / parts))


def _plain_arm(study: Study, arm: Arm) -> Arm:
    known = baseline_names(study.disease_names, study.species)
    arm = with_drugs_as_care(arm)
    return arm.model_copy(
        update={"baseline": _kept(arm.baseline, known), "background": _care(arm.background)}
    )


def _kept(lines: Mapping[str, Any], known: Mapping[str, Any]) -> Mapping[str, Any]:
    return MappingProxyType({name: line for name, line in lines.items() if name in known})


def _care(lines: Mapping[str, Background]) -> Mapping[str, Background]:
    """Usual care as the model can give it: from enrolment, and none that it does not have."""
    found = {}
    for name, line in lines.items():
        if name not in backgrounds():
            continue
        if line.start_h < 0:
            length = backgrounds()[name].duration_h if line.duration_h is None else line.duration_h
            left = length + line.start_h
            if left <= 0:
                continue  # over before the study began
            line = line.model_copy(update={"start_h": 0.0, "duration_h": None if isinf(left) else left})
        found[name] = line.model_copy(update={"responder": None})
    return MappingProxyType(found)
