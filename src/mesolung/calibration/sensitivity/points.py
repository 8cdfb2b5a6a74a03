"""A study at one point of its uncertain inputs: the same people, lots and chances, another biology."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mesolung.biology.assemble import assemble
from mesolung.biology.reaching import parameters_reaching
from mesolung.calibration.sensitivity.inputs import Input, Moved, inputs_of
from mesolung.execution import map_chunks
from mesolung.population.library import Library
from mesolung.population.posterior import Source
from mesolung.population.twice import HAZARD
from mesolung.reading import Refusal
from mesolung.study.animal_endpoints import EXPERIMENTS
from mesolung.study.answering import planned_endpoints
from mesolung.study.asked import Asked, asked_of, outputs_asked
from mesolung.study.enrolling import Picked, panels_of, pick_subjects
from mesolung.study.experiment import simulate_experiment
from mesolung.study.knockout import Line, benefit, lines_of, on_one_table, panel_setting
from mesolung.study.modelled import modelled_part, not_modelled
from mesolung.study.possible import IN_VITRO
from mesolung.study.replicates import ArmTrials
from mesolung.study.run import library_for
from mesolung.study.setting import Progress, Setting
from mesolung.study.simulating import Trials, simulate, tables_one
from mesolung.study.study import Study
from mesolung.trial.contrasts import is_ratio
from mesolung.trial.estimates import is_geometric

Values = NDArray[np.float64]
ARM, EFFECT = "arm", "effect"
# Places where courses may come from: so many draws of the library, each with a site and a lot of its own.
SITES = 8


@dataclass(frozen=True)
class Quantity:
    """What is looked at: an arm's expected endpoint, or the paired effect.

    Attributes:
        kind: "arm" or "effect".
        of: the arm's name, or "treated vs control".
        endpoint: key, as ``mortality@28d``.
        unit: of the values; None for the natural log of a ratio.
        measure: of an effect.
    """

    kind: str
    of: str
    endpoint: str
    unit: str | None
    measure: str | None = None


@dataclass(frozen=True)
class Answers:
    """What points gave.

    Attributes:
        values: float64[P, Q]; nan where nobody could be asked.
        failed: subjects and arms that could not be solved, of all points.
        solved: how many were asked for.
    """

    values: Values
    failed: int
    solved: int


@dataclass(frozen=True)
class Laboratory:
    """A study that can be asked at any point.

    Attributes:
        setting: of a run with all subjects of one draw.
        inputs: every uncertain input that can act.
        left_out: uncertain parameters that reach no output of the study.
        quantities: Q.
        picked, libraries: who is enrolled; None in an experiment, whose subjects are made anew.
    """

    setting: Setting
    inputs: tuple[Input, ...]
    left_out: int
    quantities: tuple[Quantity, ...]
    arms: tuple[str, ...]
    lines: tuple[Line, ...]
    expected: tuple[Asked, ...]
    picked: Picked | None
    libraries: Mapping[str, Library]

    def ask(self, at: Moved, *, workers: int = 1, stage: str = "points") -> Answers:
        """Run the study at points.

        Arguments:
            at: the typical values of every point.
            workers: threads, a point each at a time.
            stage: what the progress calls it.

        Returns:
            the answers, the same on any number of workers.
        """
        count = at.product.size
        found = map_chunks(
            lambda point: self._one(at, point),
            range(count),
            workers,
            lambda done, total: self.setting.progress(stage, done, total),
        )
        of_a_point = self.setting.slots * self.setting.subjects * len(self.setting.study.arms)
        return Answers(
            np.array([values for values, _ in found]).reshape(count, len(self.quantities)),
            sum(failed for _, failed in found),
            of_a_point * count,
        )

    def _one(self, at: Moved, point: int) -> tuple[Values, int]:
        quiet = replace(self.setting, draws=at.at(point), workers=1, progress=_silent)
        # Courses keep the key of their draw; the product alone is drawn by a key of its own.
        given = replace(quiet, draws=at.given(point))
        if self.picked is None:
            trials, _ = simulate_experiment(given)
        else:
            panels, _ = panels_of(quiet, self.picked, self.libraries)
            trials = simulate(given, panels)
        return self._read(trials, given), sum(len(f) for f in trials.failures.values())

    def _read(self, trials: Trials, setting: Setting) -> Values:
        found = []
        for asked in self.expected:
            for name in self.arms:
                arm = replace(trials.arms[name], draws=setting.slots)
                with np.errstate(invalid="ignore"):
                    found.append(float(np.mean(arm.expected_paired(asked))))
        found += [float(benefit(line, trials.arms, setting)[0]) for line in self.lines]
        return np.array(found)


def laboratory(
    study: Study,
    *,
    endpoint: str | None = None,
    subjects: int = 32,
    seed: int = 1,
    workers: int = 1,
    progress: Progress | None = None,
    source: Source = "auto",
) -> Laboratory:
    """Prepare a study for being asked at many points.

    Arguments:
        study: validated; what is not modelled of it is left out.
        endpoint: name, or name with time, of the one endpoint to look at; None for all of the plan.
        subjects: of a point, at least as many as there are sites and arms.
        seed: of the subjects and lots.
        workers: threads that build what is missing of the library.
        progress: called with (stage, done, total).
        source: of the draws, as `mesolung.population.posterior.draws_for`.

    Returns:
        the laboratory.

    Raises:
        Refusal: when nothing of the study is modelled, it has no such endpoint, or nobody like its table 1
            can be enrolled.
    """
    part = _served(study)
    expected = _endpoints(part, endpoint)
    each = max(-(-subjects // SITES), len(part.arms))
    sites = panel_setting(part, SITES, 1, seed, workers, each, progress, source)
    picked, libraries = None, {}
    if part.kind not in EXPERIMENTS:
        libraries = library_for(sites)
        picked = pick_subjects(sites, tables_one(part), libraries)
    # All subjects share what is true of everybody: one draw, as many panels of it as there are sites.
    setting = replace(sites, replicates=SITES, scored=1)
    treated = {arm.name for arm in part.arms if arm.treatments}
    names = tuple(arm.name for arm in part.arms)
    nothing: Mapping[str, ArmTrials] = dict.fromkeys(names)  # pyright: ignore[reportAssignmentType]
    keys = {one.key for one in expected}
    lines = tuple(line for line in lines_of(part, nothing, treated) if line.asked.key in keys)
    reached = parameters_reaching(assemble(), (*outputs_asked(part), HAZARD))
    # What a study's product conditions rests on the secretion of cells, which the study's outputs do too.
    inputs = inputs_of(setting.draws, reached, bool(treated))
    every = inputs_of(setting.draws, setting.draws.parameters, bool(treated))
    quantities = [Quantity(ARM, name, one.key, one.row.unit) for one in expected for name in names]
    quantities += [
        Quantity(
            EFFECT,
            f"{line.pair[0]} vs {line.pair[1]}",
            line.asked.key,
            None if is_ratio(line.measure) or is_geometric(line.measure, line.asked.row, line.asked.as_)
            else line.asked.row.unit,
            line.measure,
        )
        for line in lines
    ]  # fmt: skip
    return Laboratory(
        setting,
        tuple(inputs),
        len(every) - len(inputs),
        tuple(quantities),
        names,
        lines,
        expected,
        picked,
        libraries,
    )


def _served(study: Study) -> Study:
    """The part of a study that can be asked, all arms on one table 1."""
    if study.kind == IN_VITRO:
        raise Refusal(
            "cultures cannot be analysed yet",
            file=study.file,
            line=study.line("kind"),
            found=study.kind,
            allowed="trial, animal or ex-vivo",
        )
    part = modelled_part(study)
    if part is None:
        reason = next(iter(not_modelled(study).values()), "")
        raise Refusal("nothing of this study is modelled yet", file=study.file, found=reason)
    return on_one_table(part)


def _endpoints(study: Study, wanted: str | None) -> tuple[Asked, ...]:
    known = {line.asked.key: line.asked for line in planned_endpoints(study)}
    for one in study.observations:
        if one.form != "order":
            made = asked_of(study, one)
            known.setdefault(made.key, made)
    found = tuple(
        asked for key, asked in known.items() if wanted in (None, key, asked.plain_key, asked.row.name)
    )
    if wanted is None:
        planned = {line.asked.key for line in planned_endpoints(study)}
        found = tuple(asked for asked in found if asked.key in planned) or found
    if not found:
        raise Refusal(
            "the study has no such endpoint",
            file=study.file,
            found=wanted,
            allowed=", ".join(known) or "nothing: it has none that is modelled",
        )
    return found


def _silent(stage: str, done: int, total: int) -> None:
    """Say nothing."""
