"""The ways in which a treatment is given: one, or several where its dose, route or schedule is unknown."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mesolung.biology.assays import assays
from mesolung.product.unstated import CHRONIC_ANIMAL, TRIAL, drawn_choices, drawn_doses, drawn_size
from mesolung.study.arm import UNKNOWN, Treatment
from mesolung.study.possible import GROUPS, IN_VITRO
from mesolung.study.replicates import arm_sizes
from mesolung.study.study import Study
from mesolung.units import quantity


@dataclass(frozen=True)
class Way:
    """One route and schedule of a treatment.

    Attributes:
        route: name of a row of ``routes.csv``.
        times_h: starts of the administrations, h since enrolment.
        dose: float64[S], one administration in the treatment's unit, an unknown one in the unit that it is
            drawn in; 0 in replicates that give it otherwise.
    """

    route: str
    times_h: tuple[float, ...]
    dose: NDArray[np.float64]


def habits_of(study: Study) -> str:
    """Whose habits stand in for what a study does not say of its treatments.

    Arguments:
        study: validated.

    Returns:
        its kind, or that of animals with chronic disease.
    """
    chronic = study.kind == "animal" and not set(GROUPS["chronic-models"]).isdisjoint(study.disease_names)
    return CHRONIC_ANIMAL if chronic else study.kind


def ways_of(
    treatment: Treatment, name: str, seed: int, slots: int, duration_h: float, kind: str = TRIAL
) -> list[Way]:
    """List the ways of a treatment over the replicates of a study.

    Arguments:
        treatment: validated; what it says to be unknown is drawn for each replicate.
        name: of the treatment among those of the study, keys what is drawn.
        seed: of the run.
        slots: S.
        duration_h: end of the study; administrations beyond it are left out.
        kind: whose habits stand in for what is unknown, from `habits_of`.

    Returns:
        at least one; every replicate has a dose in exactly one.
    """
    everyone = np.ones(slots, np.bool_)
    dose = np.full(slots, treatment.dose or 0.0)
    if treatment.dose is None:
        dose = drawn_doses(seed, name, slots, kind, product=treatment.product.type)
    routes = [(str(treatment.route), everyone)]
    if treatment.route == UNKNOWN:
        routes = drawn_choices("route", seed, name, slots, kind)
    schedules = [(treatment.times_h, everyone)]
    if not treatment.times_h:
        drawn = drawn_choices("times", seed, name, slots, kind)
        schedules = [(_within(text, duration_h), having) for text, having in drawn]
    return [
        Way(route, times, np.where(by & at, dose, 0.0))
        for route, by in routes
        for times, at in schedules
        if np.any(by & at)
    ]


def _within(text: str, duration_h: float) -> tuple[float, ...]:
    times = (quantity(part).to("h") for part in text.split(";"))
    return tuple(time for time in times if time <= duration_h)


def trial_sizes(study: Study, seed: int) -> dict[str, int]:
    """Number of subjects in each arm of a study; arms whose size is unknown share one that is drawn.

    Arguments:
        study: validated.
        seed: of the run.

    Returns:
        arm -> subjects, in the file's order.
    """
    sizes = {arm.name: arm.size for arm in study.arms}
    ratios = {arm.name: arm.ratio for arm in study.arms}
    if all(ratio is None for ratio in ratios.values()):
        # A culture has so many wells; the sizes of the others' arms are drawn.
        unknown = (
            int(assays().culture["wells"]) if study.kind == IN_VITRO else drawn_size(seed, habits_of(study))
        )
        sizes = {name: unknown if size is None else size for name, size in sizes.items()}
    return arm_sizes(sizes, ratios, study.population.size)
