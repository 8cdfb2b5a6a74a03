"""Steps that fit virtual cohorts: the virus, and usual care. Groups, measures and moves come from tables."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from mesolung.biology.disease import Disease
from mesolung.biology.parameters import Parameters
from mesolung.calibration.followed import FOLLOWED, Followed
from mesolung.calibration.followed_measures import measured_of
from mesolung.calibration.gauss_newton import gauss_newton
from mesolung.calibration.ladder_step import Evaluated, NotFitted, Outcome, Tell
from mesolung.calibration.moves import Move
from mesolung.calibration.step_targets import Compared, StepTarget, compared, residuals_of
from mesolung.calibration.written_values import (
    Tables,
    moved_by,
    moved_disease,
    moved_parameters,
    moved_texts,
)
from mesolung.engine import CompiledModel, EventTable
from mesolung.population.courses import courses_of_draw
from mesolung.population.draws import Draws, draw_prior
from mesolung.population.events import stacked
from mesolung.population.library import LARGEST_FAILED_SHARE

Values = NDArray[np.float64]

# Slopes by differences of 12 % do not need the tolerance of a study's courses.
RTOL = 1e-4
DAYS = {"covid19-ards": 40, "ards": 32, "pneumonia": 30, "sepsis": 30}
# The two cohorts with few targets need fewer subjects.
SHARE_OF_DRAWS = {"pneumonia": 0.6, "sepsis": 0.6}
ALWAYS = ("HAZ", "VENT", "DIS", "IFN", "pf_ratio", "crp", "sofa", "hyperinflammation", "SEC")


@dataclass(frozen=True)
class CohortStep:
    """A step whose targets are measured in virtual cohorts.

    Attributes:
        title: of the step.
        model, targets, seed, draws, courses, workers: as `VirtualCohorts`.
    """

    title: str
    model: CompiledModel
    targets: Sequence[StepTarget]
    seed: int
    draws: int
    courses: int
    workers: int

    def evaluate(self, tables: Tables) -> Evaluated:
        """Put the model beside the step's targets.

        Arguments:
            tables: of parameters and diseases.

        Returns:
            every target.
        """
        return Evaluated(self._cohorts(tables).compare())

    def fit(self, tables: Tables, moves: Sequence[Move], rounds: int, tell: Tell) -> Outcome:
        """Move parameters and drivers towards the targets.

        Arguments:
            tables: the start.
            moves: what may be moved.
            rounds: linearisations at most.
            tell: called with a line of progress.

        Returns:
            the texts with what moved.

        Raises:
            NotFitted: when the step has nothing to move.
        """
        if not moves:
            raise NotFitted("the step has nothing to move")
        cohorts = self._cohorts(tables)

        def residuals(x: Values) -> Values:
            return residuals_of(cohorts.compare(moves, x.tolist()))

        found = gauss_newton(residuals, np.array([m.sd for m in moves]), rounds, tell)
        return Outcome(moved_texts(tables, moves, found.x.tolist()), found.before, found.after, found.rounds)

    def _cohorts(self, tables: Tables) -> VirtualCohorts:
        return VirtualCohorts(
            self.model, tables, self.targets, self.seed, self.draws, self.courses, self.workers
        )


@dataclass
class VirtualCohorts:
    """Virtual cohorts of one table, and the targets that they are compared with.

    Attributes:
        model: the compiled biology; its own parameter values are not used.
        tables: of parameters and diseases, the start of a fit.
        targets: of the step.
        seed: keys the draws and courses, which do not depend on the table's values otherwise.
        draws, courses: parameter draws, and subjects of each.
        workers: threads; no result depends on them.
    """

    model: CompiledModel
    tables: Tables
    targets: Sequence[StepTarget]
    seed: int
    draws: int
    courses: int
    workers: int
    _made: dict[str, dict[bytes, dict[str, float]]] = field(default_factory=dict, repr=False)

    def compare(self, moves: Sequence[Move] = (), x: Sequence[float] = ()) -> list[Compared]:
        """Put the model beside the targets.

        Arguments:
            moves: what is moved.
            x: how far each.

        Returns:
            every target, in order.
        """
        found: dict[str, dict[str, float]] = {}
        for name in self._names():
            mine = [(m, v) for m, v in zip(moves, x, strict=True) if m.disease in ("", name)]
            key = np.array([v for _, v in mine], float).tobytes()
            made = self._made.setdefault(name, {})
            if key not in made:
                made[key] = self._measured(name, [m for m, _ in mine], [v for _, v in mine])
            found[name] = made[key]
        out = []
        for target in self.targets:
            value, other = found[target.cohort][target.name], target.parts[1]
            out.append(compared(target, value / found[other][target.name] if other else value))
        return out

    def _names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(c for t in self.targets for c in (t.cohort, t.parts[1]) if c))

    def _measured(self, name: str, moves: Sequence[Move], x: Sequence[float]) -> dict[str, float]:
        parameters = moved_parameters(self.tables.parameters, moves, x)
        factors = {m.target: moved_by(v) for m, v in zip(moves, x, strict=True) if m.disease}
        disease = moved_disease(self.tables.diseases[name], factors)
        patients = self._followed(disease, parameters)
        # A ratio's lower part is measured in the other cohort too, under the target's own name.
        mine = [t for t in self.targets if name in (t.cohort, t.parts[1])]
        return {t.name: measured_of(patients, t) for t in mine}

    def _followed(self, disease: Disease, parameters: Parameters) -> Followed:
        count = max(2, round(self.draws * SHARE_OF_DRAWS.get(disease.name, 1.0)))
        draws = keyed_draws(parameters, count, self.seed)
        made = [courses_of_draw(self.model, disease, draws, d, self.courses) for d in range(count)]
        values = solved(
            self.model,
            np.concatenate([c.parameters for c in made]),
            stacked([c.events for c in made], self.courses),
            DAYS[disease.name],
            (*ALWAYS, *(t.output for t in self.targets if disease.name in (t.cohort, t.parts[1]))),
            self.workers,
        )
        return FOLLOWED[disease.name](values)


def keyed_draws(parameters: Parameters, count: int, seed: int) -> Draws:
    """Draw typical values that a change of the table moves, but does not draw anew.

    Arguments:
        parameters: a table.
        count: number of draws.
        seed: of the ladder.

    Returns:
        the draws; their numbers depend on (seed, draw, parameter) alone.
    """
    return draw_prior(count, f"ladder:{seed}", replace(parameters, hash="any"))


def solved(
    model: CompiledModel,
    parameters: Values,
    events: EventTable,
    days: int,
    outputs: Sequence[str],
    workers: int,
) -> Mapping[str, Values]:
    """Solve courses from health; those that fail are told on standard error and left out.

    Arguments:
        model: the compiled biology.
        parameters: float64[n, P].
        events: of all subjects.
        days: length.
        outputs: states and observables.
        workers: threads.

    Returns:
        output -> float64[solved subjects, days + 1].

    Raises:
        RuntimeError: when more than 5 % could not be solved: those left would be a selection.
    """
    names = tuple(dict.fromkeys(outputs))
    found = model.solve(
        parameters,
        np.arange(days + 1) * 24.0,
        events=events,
        outputs=names,
        rtol=RTOL,
        workers=workers,
    )
    kept = np.ones(len(parameters), bool)
    kept[[f.subject for f in found.failures]] = False
    if found.failures:
        lost = f"{len(found.failures)} of {len(kept)} courses could not be solved"
        if (~kept).mean() > LARGEST_FAILED_SHARE:
            raise RuntimeError(f"{lost} (limit {LARGEST_FAILED_SHARE:.0%}); the first: {found.failures[0]}")
        print(f"{lost} and are left out; the first: {found.failures[0]}", file=sys.stderr)
    return {name: found.values[kept, :, k] for k, name in enumerate(names)}
