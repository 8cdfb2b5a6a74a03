"""Forward models of the ladder's stages: endotoxin in typical volunteers, and cohorts without cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mesolung.biology.disease import Disease, read_disease
from mesolung.biology.parameters import read_parameters
from mesolung.calibration.followed import FOLLOWED
from mesolung.calibration.followed_measures import measured_of
from mesolung.calibration.posterior.datum import Datum, admitted
from mesolung.calibration.posterior.ensemble import Ensemble
from mesolung.calibration.posterior.forward import (
    Values,
    Work,
    datum_of,
    logarithm,
    members_at_a_time,
    rows_of_ensemble,
)
from mesolung.calibration.step_cohorts import ALWAYS, DAYS, RTOL
from mesolung.calibration.step_endotoxin import courses_compared, typical_courses
from mesolung.calibration.step_targets import Compared, StepTarget, compared, read_step_targets
from mesolung.engine import CompiledModel
from mesolung.population.courses import courses_of_draw
from mesolung.population.draws import Draws
from mesolung.population.events import stacked

SHARE = "share"


@dataclass(frozen=True)
class Turnover:
    """Measured rates beside the members': nothing moves, and what is drawn around them is shown."""

    @cached_property
    def data(self) -> tuple[Datum, ...]:
        """The stated rates, each with the prior's own spread as its error where that is wider."""
        found = [datum_of(compared(t, t.value), t.output) for t in read_step_targets() if t.step == 1]
        return admitted(found, "turnover")

    def predict(self, ensemble: Ensemble, work: Work) -> Values:
        """As `mesolung.calibration.posterior.forward.Forward`."""
        names = [t.output for t in read_step_targets() if t.step == 1]
        return np.log(np.stack([ensemble.values(name) for name in names], axis=1))


@dataclass(frozen=True)
class Endotoxin:
    """Medians of healthy volunteers by time, and peaks over doses, against typical volunteers."""

    model: CompiledModel

    @cached_property
    def data(self) -> tuple[Datum, ...]:
        """Medians, peaks and the infusion; a series is one cytokine of one study."""
        parameters = read_parameters()
        rows = self.model.default_parameters.copy()
        for k, name in enumerate(self.model.parameters):
            rows[k] = parameters[name].value if name in parameters else rows[k]
        course = typical_courses(self.model, rows[None, :], 1)[0]
        found = [datum_of(one, _series(one)) for one in courses_compared(course)]
        return admitted(found, "endotoxin")

    def predict(self, ensemble: Ensemble, work: Work) -> Values:
        """As `mesolung.calibration.posterior.forward.Forward`."""
        rows = rows_of_ensemble(work.model, ensemble)
        step = members_at_a_time(16)
        out = []
        for start in range(0, len(rows), step):
            work.progress("endotoxin", start, len(rows))
            for course in typical_courses(work.model, rows[start : start + step], work.workers):
                out.append([logarithm(c.model, c.published) for c in courses_compared(course)])
        return np.array(out)


@dataclass(frozen=True)
class Cohorts:
    """Targets of a step of the ladder, measured in each member's own virtual cohort.

    Attributes:
        step: of the ladder.
        stage: name of the stage.
    """

    step: int
    stage: str

    @cached_property
    def targets(self) -> tuple[StepTarget, ...]:
        """Of the step, in the order of the table."""
        return tuple(t for t in read_step_targets() if t.step == self.step)

    @cached_property
    def data(self) -> tuple[Datum, ...]:
        """A series is one output of one group of one cohort."""
        found = [datum_of(compared(t, t.value), f"{t.cohort} {t.output} {t.group}") for t in self.targets]
        return admitted(found, self.stage)

    def predict(self, ensemble: Ensemble, work: Work) -> Values:
        """As `mesolung.calibration.posterior.forward.Forward`."""
        draws = ensemble.draws(self.stage)
        names = dict.fromkeys(c for t in self.targets for c in (t.cohort, t.parts[1]) if c)
        found: dict[str, dict[str, Values]] = {}
        for name in names:
            mine = [t for t in self.targets if name in (t.cohort, t.parts[1])]
            found[name] = self._measured(read_disease(name), draws, mine, work)
        columns = []
        for target in self.targets:
            value, other = found[target.cohort][target.name], target.parts[1]
            value = value / found[other][target.name] if other else value
            # Nobody of so many subjects: less than half a subject cannot be told from nothing.
            least = 0.5 / work.subjects if target.unit == SHARE and not other else 0.0
            columns.append([logarithm(v, target.value, least) for v in value])
        return np.array(columns).T

    def _measured(
        self, disease: Disease, draws: Draws, targets: Sequence[StepTarget], work: Work
    ) -> dict[str, Values]:
        """Target -> float64[n], in its unit."""
        out = {t.name: np.full(draws.count, np.nan) for t in targets}
        step = members_at_a_time(work.subjects)
        outputs = tuple(dict.fromkeys((*ALWAYS, *(t.output for t in targets))))
        for start in range(0, draws.count, step):
            work.progress(f"{self.stage}: {disease.name}", start, draws.count)
            members = range(start, min(start + step, draws.count))
            made = [courses_of_draw(work.model, disease, draws, d, work.subjects) for d in members]
            solved = work.model.solve(
                np.concatenate([c.parameters for c in made]),
                np.arange(DAYS[disease.name] + 1) * 24.0,
                events=stacked([c.events for c in made], work.subjects),
                outputs=outputs,
                rtol=RTOL,
                workers=work.workers,
            )
            good = np.ones(len(members) * work.subjects, bool)
            good[[f.subject for f in solved.failures]] = False
            for k, d in enumerate(members):
                own = np.flatnonzero(good[k * work.subjects : (k + 1) * work.subjects]) + k * work.subjects
                if own.size == 0:
                    continue
                values = {name: solved.values[own, :, j] for j, name in enumerate(outputs)}
                patients = FOLLOWED[disease.name](values)
                for target in targets:
                    out[target.name][d] = measured_of(patients, target) if patients.size else np.nan
        return out


def _series(one: Compared) -> str:
    words = one.name.split()
    return f"{words[0]} {one.source}"
