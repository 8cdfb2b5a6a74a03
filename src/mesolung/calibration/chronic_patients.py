"""Patients with chronic lung disease, enrolled at a random eligible moment of their course and followed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mesolung.biology.disease import read_disease
from mesolung.biology.spreads import YEAR_H
from mesolung.engine import SET_PARAMETER, CompiledModel, EventTable
from mesolung.population.courses import Courses, courses_of_draw
from mesolung.population.draws import Draws
from mesolung.population.events import joined, same_events, stacked
from mesolung.streams import uniforms

Values = NDArray[np.float64]
OUTPUTS = (
    "age_now", "smoke_signal", "fev1", "fev1_post", "fev1_pp", "fev1_post_pp", "fev1_fvc", "fvc", "fvc_pp",
    "dlco_pp", "reversibility", "walk_distance", "sgrq", "crp", "feno", "blood_eosinophils", "serum_ige",
    "sputum_neutrophils", "sputum_eosinophils", "pc20", "EMPH", "NARROW", "SCAR", "HAZ", "HAZ_exacerbation",
    "HAZ_pneumonia",
)  # fmt: skip
STEP_Y = 0.25
STEPS_A_YEAR = int(1.0 / STEP_Y)
RTOL = 1e-4


@dataclass(frozen=True)
class Cohort:
    """Who is enrolled into the comparison, and for how long.

    Attributes:
        disease: name.
        years: followed.
        earliest_y: earliest moment of enrolment, years since the start of the course.
        bounds: observable -> (lowest, highest) at enrolment.
        exacerbated: whether an exacerbation in the year before is asked for, as trials of asthma do.
    """

    disease: str
    years: float
    earliest_y: float
    bounds: Mapping[str, tuple[float, float]]
    exacerbated: bool = False


INF = float("inf")
COHORTS = {
    "gold": Cohort(
        "copd", 3.0, 21.0, {"fev1_post_pp": (0.0, 80.0), "fev1_fvc": (0.0, 70.0), "age_now": (52.0, 78.0)}
    ),
    "trial": Cohort(
        "ipf",
        1.0,
        7.0,
        {"fvc_pp": (50.0, 90.0), "dlco_pp": (30.0, 79.0), "fev1_fvc": (70.0, INF), "age_now": (40.0, 85.0)},
    ),
    "severe": Cohort(
        "asthma",
        1.0,
        9.5,
        {"fev1_pp": (0.0, 80.0), "reversibility": (12.0, INF), "age_now": (12.0, 85.0)},
        exacerbated=True,
    ),
}


@dataclass(frozen=True)
class Followed:
    """Patients from enrolment on.

    Attributes:
        values: output -> float64[n, T], every `STEP_Y` years from enrolment.
        weight: float64[n], probability to be alive at enrolment (and to have had an exacerbation).
        step: intp[n], the grid's step at enrolment.
        courses: the courses, all of them.
        chosen: intp[n], which of them.
    """

    values: Mapping[str, Values]
    weight: Values
    step: NDArray[np.intp]
    courses: tuple[Courses, ...]
    chosen: NDArray[np.intp]


def enrolled(model: CompiledModel, draws: Draws, cohort: Cohort, count: int, workers: int = 1) -> Followed:
    """Solve untreated courses and enrol each at a random moment at which it is eligible.

    Arguments:
        model: the compiled biology.
        draws: parameter draws.
        cohort: who, and for how long.
        count: courses of each draw; those that are never eligible fall out.
        workers: threads.

    Returns:
        the patients.
    """
    disease = read_disease(cohort.disease)
    courses = tuple(courses_of_draw(model, disease, draws, d, count) for d in range(draws.count))
    grid = np.arange(0.0, disease.length_h + 1.0, STEP_Y * YEAR_H)
    found = _solve(model, courses, grid, None, workers)
    after, before = int(cohort.years / STEP_Y), STEPS_A_YEAR
    eligible = np.isfinite(found["HAZ"])
    for name, (low, high) in cohort.bounds.items():
        eligible &= (found[name] >= low) & (found[name] <= high)
    steps = np.arange(grid.size)
    eligible &= (steps >= cohort.earliest_y / STEP_Y) & (steps < grid.size - after)
    chosen = np.flatnonzero(eligible.any(1))
    u = uniforms(draws.key, f"chronic:moment:{cohort.disease}", 0, eligible.shape[0])[chosen]
    step = np.array(
        [np.flatnonzero(row)[int(x * row.sum())] for row, x in zip(eligible[chosen], u, strict=True)], np.intp
    )
    weight = np.exp(-found["HAZ"][chosen, step])
    if cohort.exacerbated:
        hazard = found["HAZ_exacerbation"]
        weight = weight * -np.expm1(hazard[chosen, step - before] - hazard[chosen, step])
    window = step[:, None] + np.arange(after + 1)
    values = {name: v[chosen[:, None], window] for name, v in found.items()}
    return Followed(values, weight, step, courses, chosen)


def treated(
    model: CompiledModel,
    cohort: Cohort,
    patients: Followed,
    switch: str,
    value: float,
    workers: int = 1,
) -> Mapping[str, Values]:
    """Solve the same patients with a drug from enrolment on.

    Arguments:
        model: the compiled biology.
        cohort: for how long.
        patients: the untreated ones.
        switch: the drug's parameter.
        value: what it is set to.
        workers: threads.

    Returns:
        output -> float64[n, T], as ``Followed.values``.
    """
    disease = read_disease(cohort.disease)
    grid = np.arange(0.0, disease.length_h + 1.0, STEP_Y * YEAR_H)
    rows = patients.chosen
    dose = same_events(
        SET_PARAMETER,
        model.parameters.index(switch),
        rows,
        grid[patients.step] + 1.0,
        np.full(rows.size, value),
    )
    found = _solve(model, patients.courses, grid, dose, workers)
    window = patients.step[:, None] + np.arange(int(cohort.years / STEP_Y) + 1)
    return {name: v[rows[:, None], window] for name, v in found.items()}


def _solve(
    model: CompiledModel,
    courses: tuple[Courses, ...],
    grid: Values,
    dose: EventTable | None,
    workers: int,
) -> dict[str, Values]:
    count = courses[0].parameters.shape[0]
    events = stacked([c.events for c in courses], count)
    if dose is not None:
        events = joined([events, dose])
    order = np.lexsort((events.time, events.subject))
    events = EventTable(
        events.subject[order],
        events.time[order],
        events.kind[order],
        events.target[order],
        events.value[order],
    )
    solved = model.solve(
        np.concatenate([c.parameters for c in courses]),
        grid,
        events=events,
        outputs=OUTPUTS,
        rtol=RTOL,
        workers=workers,
    )
    return {name: solved.values[:, :, i] for i, name in enumerate(OUTPUTS)}
