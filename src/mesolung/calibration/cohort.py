"""Virtual cohorts: many untreated courses of a disease solved at once, with what befalls the subjects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mesolung.biology.disease import Disease
from mesolung.engine import CompiledModel, EventTable
from mesolung.population.courses import courses_of_draw
from mesolung.population.draws import Draws
from mesolung.population.events import joined, of_subjects, stacked
from mesolung.population.library import LARGEST_FAILED_SHARE
from mesolung.population.twice import HAZARD, solve_twice
from mesolung.streams import normals

Values = NDArray[np.float64]
DAY = 24.0  # h

# Cumulative hazard of being discharged alive; a model without it never discharges anybody.
DISCHARGE = "DIS"
CHUNK = 1024


@dataclass(frozen=True)
class Cohort:
    """Courses of one disease: draws x courses subjects, solved from health.

    Attributes:
        model: the compiled biology.
        disease: whose courses they are.
        draws: their typical values, for keyed random numbers.
        times: float64[T], hours since the start of the course.
        values: name -> float64[N, T], in the model's unit; nan from a failure on.
        draw: intp[N], parameter draw of each subject.
        course: intp[N], number of the course within its draw.
        parameters: float64[N, P], columns as ``model.parameters``.
        events: driver events, and doses if any were given.
        covariates: name -> float64[N].
        solved: bool[N], courses that the solver finished.
    """

    model: CompiledModel
    disease: Disease
    draws: Draws
    times: Values
    values: Mapping[str, Values]
    draw: NDArray[np.intp]
    course: NDArray[np.intp]
    parameters: Values
    events: EventTable
    covariates: Mapping[str, Values]
    solved: NDArray[np.bool_]

    def __contains__(self, name: object) -> bool:
        return name in self.values

    def __getitem__(self, name: str) -> Values:
        """Give an output.

        Arguments:
            name: of a state or observable that was asked for and that the model has.

        Returns:
            float64[N, T], in the model's unit.
        """
        return self.values[name]

    @property
    def size(self) -> int:
        """Number of subjects."""
        return self.draw.size

    @property
    def hazard(self) -> Values:
        """Cumulative hazard of death, float64[N, T]."""
        return self.values[HAZARD]

    @property
    def discharge_hazard(self) -> Values:
        """Cumulative hazard of discharge alive, float64[N, T]; 0 in a model that has none."""
        return self.values.get(DISCHARGE, np.zeros_like(self.hazard))


def offered(model: CompiledModel, names: Sequence[str]) -> tuple[str, ...]:
    """Choose the outputs that a model has.

    Arguments:
        model: the compiled biology.
        names: states and observables wanted.

    Returns:
        those that it has, in order, once each.
    """
    have = {*model.states, *model.observables}
    return tuple(dict.fromkeys(n for n in names if n in have))


def cohort(
    model: CompiledModel,
    disease: Disease,
    draws: Draws,
    count: int,
    outputs: Sequence[str],
    *,
    doses: EventTable | None = None,
    times_h: Values | None = None,
    length_h: float | None = None,
    workers: int = 2,
) -> Cohort:
    """Solve the first courses of every draw.

    Arguments:
        model: the compiled biology.
        disease: drivers and covariates.
        draws: parameter draws.
        count: courses of each draw; subject d * count + i is course i of draw d.
        outputs: states and observables to keep; what the model lacks is left out, cumulative hazards are
            always kept.
        doses: further events of the subjects, hours since the start of the course.
        times_h: float64[T], output times; None for the disease's own, every 12 h as a rule.
        length_h: where the disease's own times are used, how long; None for the disease's length.
        workers: threads.

    Returns:
        the cohort.
    """
    made = [courses_of_draw(model, disease, draws, d, count) for d in range(draws.count)]
    parameters = np.concatenate([c.parameters for c in made])
    events = stacked([c.events for c in made], count)
    covariates = {name: np.concatenate([c.covariates[name] for c in made]) for name in made[0].covariates}
    if times_h is None:
        times_h = np.arange(0.0, (length_h or disease.length_h) + 1e-9, disease.sampled_every_h)
    names = offered(model, (*outputs, HAZARD, DISCHARGE))
    given = events if doses is None else joined([events, doses])
    values, solved = _solved(model, parameters, times_h, given, names, workers)
    return Cohort(
        model=model,
        disease=disease,
        draws=draws,
        times=times_h,
        values=values,
        draw=np.repeat(np.arange(draws.count), count),
        course=np.tile(np.arange(count), draws.count),
        parameters=parameters,
        events=given,
        covariates=covariates,
        solved=solved,
    )


def mostly_solved(group: Cohort) -> Cohort:
    """Let a cohort pass from which hardly anybody is missing.

    Arguments:
        group: the cohort.

    Returns:
        the cohort.

    Raises:
        RuntimeError: when more than 5 % of its courses could not be solved: those left would be a selection.
    """
    failed = float((~group.solved).mean())
    if failed > LARGEST_FAILED_SHARE:
        raise RuntimeError(
            f"{failed:.1%} of the courses of {group.disease.name} could not be solved "
            f"(limit {LARGEST_FAILED_SHARE:.0%})"
        )
    return group


def chosen(group: Cohort, who: NDArray[np.intp]) -> Cohort:
    """Take some subjects of a cohort.

    Arguments:
        group: the cohort.
        who: intp[m], their numbers.

    Returns:
        a cohort of m subjects.
    """
    return replace(
        group,
        values={name: v[who] for name, v in group.values.items()},
        draw=group.draw[who],
        course=group.course[who],
        parameters=group.parameters[who],
        events=of_subjects(group.events, who),
        covariates={name: v[who] for name, v in group.covariates.items()},
        solved=group.solved[who],
    )


def by_draw(group: Cohort) -> list[Cohort]:
    """Part a cohort by parameter draw.

    Arguments:
        group: the cohort.

    Returns:
        a cohort a draw, in order of the draws.
    """
    return [chosen(group, np.flatnonzero(members)) for members in members_by_draw(group)]


def members_by_draw(group: Cohort) -> list[NDArray[np.bool_]]:
    """Say who belongs to each parameter draw.

    Arguments:
        group: the cohort.

    Returns:
        bool[N] a draw, in order of the draws.
    """
    return [group.draw == d for d in np.unique(group.draw)]


def with_doses(group: Cohort, doses: EventTable, *, workers: int = 2) -> Cohort:
    """Solve the same subjects with doses besides: the other arm of a paired comparison.

    Arguments:
        group: the cohort.
        doses: further events, hours since the start of the course.
        workers: threads.

    Returns:
        the cohort under the doses.
    """
    given = joined([group.events, doses])
    values, solved = _solved(group.model, group.parameters, group.times, given, tuple(group.values), workers)
    return replace(group, values=values, events=given, solved=solved & group.solved)


def keyed_normals(group: Cohort, purpose: str) -> Values:
    """Draw standard normal numbers that belong to the subjects.

    Arguments:
        group: the cohort.
        purpose: what they are for.

    Returns:
        float64[N], which depend on (posterior, draw, course, purpose) alone.
    """
    result = np.empty(group.size)
    for d in np.unique(group.draw):
        rows = group.draw == d
        most = int(group.course[rows].max()) + 1
        z = normals(group.draws.key, f"calibration:{purpose}:{group.disease.name}", int(d), most)
        result[rows] = z[group.course[rows]]
    return result


def _solved(
    model: CompiledModel,
    parameters: Values,
    times: Values,
    events: EventTable,
    names: tuple[str, ...],
    workers: int,
) -> tuple[dict[str, Values], NDArray[np.bool_]]:
    found, failures = solve_twice(model, parameters, times, None, events, names, workers=workers, chunk=CHUNK)
    solved = np.ones(len(parameters), bool)
    solved[[f.subject for f in failures]] = False
    return {name: found[:, :, k] for k, name in enumerate(names)}, solved
