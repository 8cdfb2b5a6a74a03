"""The replicate trials: every subject solved under every arm, allocated to one, living or dying."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mesolung.biology.phenotypes import phenotypes
from mesolung.biology.tables import backgrounds, endpoints
from mesolung.engine import SubjectFailure
from mesolung.population.baseline import VENTILATED
from mesolung.population.twice import HAZARD
from mesolung.streams import normals, uniforms
from mesolung.study.arm import Arm
from mesolung.study.asked import UNKNOWN_TIME_H, outputs_asked
from mesolung.study.conducted import conducted
from mesolung.study.enrolling import Panel, TableOne
from mesolung.study.population import Background, Distribution
from mesolung.study.replicates import ArmTrials
from mesolung.study.setting import Setting
from mesolung.study.solving import Given, challenged, give, solve_given
from mesolung.study.study import Study
from mesolung.study.years import lasts_for_years
from mesolung.trial.allocation import randomise
from mesolung.trial.outcomes import Outcomes
from mesolung.trial.potential import ArmCourses

POPULATION = "[population.baseline]"
# Shown in every report, whatever a study asks for.
SHOWN_OUTPUTS = ("pf_ratio", "sofa", "il6", "evlw", "viable_cells_lung")
SHOWN_OVER_YEARS = ("fev1", "fev1_pp", "fvc", "fvc_pp", "crp")
NEEDED_OUTPUTS = (*SHOWN_OUTPUTS, VENTILATED, "MSC_licensed")
# The state that accumulates the hazard of discharge alive, and the purpose of the numbers it is held against.
DISCHARGE = "DIS"
DISCHARGED = "discharge"
TRIAL_HAZARD = "trial_hazard_sd"


@dataclass(frozen=True)
class Trials:
    """All replicates of a study.

    Attributes:
        arms: by name.
        given: what each arm's subjects were given.
        failures: arm -> subjects that could not be solved, on its own table 1 or the population's.
        solved: how many subjects were solved under an arm.
        courses: what was solved, by arm and table 1.
    """

    arms: Mapping[str, ArmTrials]
    given: Mapping[str, Given]
    failures: Mapping[str, tuple[SubjectFailure, ...]]
    solved: int
    courses: Mapping[tuple[str, str], ArmCourses] = field(default_factory=dict)


def tables_one(study: Study, *, paired: bool = True) -> dict[str, TableOne]:
    """List the tables 1 that a study needs: the population's, and that of each arm that has its own.

    Arguments:
        study: the validated study.
        paired: whether the population's is needed for the paired contrast, where no arm has it.

    Returns:
        table 1 by key; the population's is under `POPULATION`.
    """
    lines = study.population

    def table(baseline: Mapping[str, Distribution], background: Mapping[str, Background], *where: str | int):
        return TableOne(baseline, _supports(background), lines.phenotype, lines.correlation, where)

    sets = {POPULATION: table(lines.baseline, lines.background, "population", "baseline")}
    for k, arm in enumerate(study.arms):
        key = table_of(study, arm)
        if key != POPULATION:
            sets[key] = table(arm.baseline, arm.background, "arm", k, "baseline")
    if not paired and all(table_of(study, arm) != POPULATION for arm in study.arms):
        del sets[POPULATION]
    return sets


def table_of(study: Study, arm: Arm) -> str:
    """Key of the table 1 that an arm's subjects are enrolled by.

    Arguments:
        study, arm: as validated.

    Returns:
        the arm's name when it has a baseline or a share of supported subjects of its own.
    """
    own = arm.has_own_baseline or _supports(arm.background) != _supports(study.population.background)
    return arm.name if own else POPULATION


def simulate(
    setting: Setting,
    panels: Mapping[str, Panel],
    done: Mapping[tuple[str, str], ArmCourses] | None = None,
    *,
    paired: bool = True,
) -> Trials:
    """Solve, allocate and follow the subjects of all replicates.

    Arguments:
        setting: of the run.
        panels: subjects by table 1.
        done: courses that need not be solved again, by arm and table 1.
        paired: whether every arm is solved on the population's table 1 too, for the paired contrast; else an
            arm with a table 1 of its own has its own courses there, which give no contrast.

    Returns:
        the replicate trials.
    """
    study = setting.study
    wanted = _outputs(setting)
    solved: dict[tuple[str, str], ArmCourses] = {}
    given: dict[str, Given] = {}
    work = [
        (arm, key)
        for arm in sorted(study.arms, key=lambda a: a.name)
        for key in dict.fromkeys((table_of(study, arm), POPULATION if paired else table_of(study, arm)))
    ]
    for place, (arm, key) in enumerate(work):
        what = give(
            setting.model,
            arm,
            panels[key],
            key=setting.draws.key,
            draw_of_slot=setting.draw_of_slot,
            subjects=setting.subjects,
            seed=setting.seed,
            duration_h=study.duration_h,
            typical=setting.draws.values,
            laboratory=setting.draws.laboratory,
        )
        what = challenged(setting.model, arm, panels[key], what)
        if key == table_of(study, arm):
            given[arm.name] = what
        if done is not None and (arm.name, key) in done:
            solved[arm.name, key] = done[arm.name, key]
            continue
        solved[arm.name, key] = _solved(setting, panels[key], what, wanted, (place, len(work)))
    outcomes = followed(setting, solved, panels)
    members = allocated(setting)
    times = [uniforms(setting.seed, "unknown time", s, 1)[0] for s in range(setting.slots)]
    sometime = np.repeat(study.duration_h * np.array(times), setting.subjects)
    arms = {}
    for arm in study.arms:
        own = table_of(study, arm)
        both = POPULATION if paired else own
        arms[arm.name] = ArmTrials(
            arm.name,
            outcomes[arm.name, own],
            setting.slots,
            members[arm.name],
            setting.scored,
            outcomes[arm.name, both],
            setting.panel,
            {**panels[own].covariates, UNKNOWN_TIME_H: sometime},
            {**panels[both].covariates, UNKNOWN_TIME_H: sometime},
        )
    failures = {
        arm.name: tuple(
            f for key in panels if (arm.name, key) in solved for f in solved[arm.name, key].failures
        )
        for arm in study.arms
    }
    return Trials(arms, given, failures, sum(len(o.death_uniform) for o in outcomes.values()), solved)


def _solved(
    setting: Setting, panel: Panel, what: Given, wanted: tuple[str, ...], place: tuple[int, int]
) -> ArmCourses:
    """The courses of a panel that is given something, the ``place`` of so many; solved unless remembered."""
    done, of = place
    who, duration = panel.enrolled, setting.study.duration_h
    product = [part for item in sorted(what.parameters.items()) for part in item]
    inputs = (who.parameters, who.states, who.pending, what.events, what.same, *product)
    return setting.remembered(
        (*inputs, what.ends_h, what.watched_h, duration, wanted),
        lambda: solve_given(
            setting.model,
            panel,
            what,
            duration_h=duration,
            outputs=wanted,
            workers=setting.workers,
            chunk=setting.chunk,
            progress=lambda k, n: setting.progress("arms", done * n + k, of * n),
            of_years=lasts_for_years(setting.study),
        ),
    )


def _supports(background: Mapping[str, Background]) -> dict[str, float]:
    """Share of subjects by support that they have at enrolment."""
    rows = backgrounds()
    return {name: line.share for name, line in background.items() if rows[name].how == "enrolment"}


def followed(
    setting: Setting,
    solved: Mapping[tuple[str, str], ArmCourses],
    panels: Mapping[str, Panel] | None = None,
) -> dict[tuple[str, str], Outcomes]:
    """Follow solved subjects to death and discharge, with the same chances under every arm.

    Arguments:
        setting: of the run.
        solved: courses by (arm, key of its table 1).
        panels: subjects by table 1, whose year before enrolment some endpoints show.

    Returns:
        outcomes by the same keys.
    """
    scale = np.repeat(_trial_hazard(setting, solved), setting.subjects)[:, None]

    def drawn(purpose: str) -> NDArray[np.float64]:
        return np.concatenate(
            [uniforms(setting.seed, purpose, s, setting.subjects) for s in range(setting.slots)]
        )

    death, home = drawn("death"), drawn(DISCHARGED)
    happening = {row.outputs[0] for row in endpoints().values() if row.rule == "happened"}
    found = {}
    for place, c in solved.items():
        # The hazard of discharge counts from enrolment; the course before it may have had some.
        chances = {name: drawn(f"event:{name}") for name in sorted(happening & c.outputs.keys())}
        leaving = c.outputs[DISCHARGE] - c.outputs[DISCHARGE][:, :1] if DISCHARGE in c.outputs else None
        known = Outcomes(c.times, c.outputs, c.outputs[HAZARD] * scale, death, leaving, home, chances)
        covariates = (panels or {})[place[1]].covariates if panels else {}
        found[place] = conducted(setting, known, covariates)
    return found


def allocated(setting: Setting) -> dict[str, NDArray[np.intp]]:
    """Allocate the subjects of every replicate: arm -> intp[R, n], which of its subjects are in the arm.

    Arguments:
        setting: of the run.
    """
    sizes = setting.sizes
    total = sum(sizes.values())
    u = np.stack([uniforms(setting.seed, "allocation", r, total) for r in range(setting.replicates)])
    arm = randomise(u, sizes)
    return {
        name: np.stack([np.flatnonzero(row == k) for row in arm]).astype(np.intp)
        for k, name in enumerate(sizes)
    }


def _trial_hazard(setting: Setting, solved: Mapping[tuple[str, str], ArmCourses]) -> NDArray[np.float64]:
    """float64[S], factor on every hazard of a trial: what site and era add to age, severity and drugs."""
    wanted = setting.study.population.expected_mortality
    if wanted is None:
        sd = float(setting.draws.parameters[TRIAL_HAZARD].value)
        return np.exp(sd * np.array([normals(setting.seed, "trial", s, 1)[0] for s in range(setting.slots)]))
    # A site's own control risk replaces the spread between trials: the factor that gives it, draw by draw.
    arm = setting.study.control or min(setting.study.arms, key=lambda a: a.name)
    end = solved[arm.name, table_of(setting.study, arm)].outputs[HAZARD][:, -1].reshape(setting.slots, -1)
    low, high = np.full(setting.slots, -12.0), np.full(setting.slots, 12.0)
    for _ in range(60):
        middle = 0.5 * (low + high)
        risk = np.nanmean(-np.expm1(-end * np.exp(middle)[:, None]), axis=1)
        low, high = np.where(risk < wanted, middle, low), np.where(risk < wanted, high, middle)
    return np.exp(0.5 * (low + high))


def _outputs(setting: Setting) -> tuple[str, ...]:
    model, asked = setting.model, outputs_asked(setting.study)
    classes = (row.observable for row in phenotypes().values())
    years = SHOWN_OVER_YEARS if lasts_for_years(setting.study) else ()
    names = dict.fromkeys((*NEEDED_OUTPUTS, DISCHARGE, *classes, *years, *sorted({*asked, *setting.also})))
    known = {*model.states, *model.observables}
    return tuple(name for name in names if name in known)
