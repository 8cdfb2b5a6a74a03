"""What one study's observations are scored by, kept apart from the scoring so that no study is run twice."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from mesolung.biology.assays import assays
from mesolung.population.enrolment import BORROWING_WORTH_A_WARNING
from mesolung.population.library import Library
from mesolung.population.posterior import Posterior, Source
from mesolung.reading import Refusal
from mesolung.study.animal_endpoints import EXPERIMENTS
from mesolung.study.asked import Asked, asked_of
from mesolung.study.basis import Basis, basis_of
from mesolung.study.cultures import basis_of_culture, solve_cultures
from mesolung.study.enrolling import Panel, enrol_panels
from mesolung.study.experiment import simulate_experiment
from mesolung.study.memory import Memory
from mesolung.study.modelled import modelled_part, not_modelled
from mesolung.study.observation import BASELINE, Observation
from mesolung.study.observing import RESAMPLED, subjects_for
from mesolung.study.pooled import pool
from mesolung.study.possible import IN_VITRO
from mesolung.study.replicates import ArmTrials
from mesolung.study.run import diseases_of, library_for, prepare
from mesolung.study.setting import Progress, Setting
from mesolung.study.simulating import simulate, tables_one
from mesolung.study.study import Study
from mesolung.study.ways import trial_sizes
from mesolung.trial.contrasts import is_ratio

# Subjects of one simulated trial, at most: expected values rest on the first 64 of them whatever the trial's
# size, and what a larger trial would show is the same with less scatter (`_narrowed`).
MOST_SUBJECTS = 64
# Observations of whose simulated statistic only the scatter follows the number of subjects.
NARROWED = ("mean", "value", "contrast")


@dataclass(frozen=True, eq=False)
class Bases:
    """One observation's own prediction, and what its baselines start from.

    Attributes:
        own: of the arm, comparison or order that was observed.
        control: the same of the control arm, as if it were the observed one; None where there is none.
        level: expected value and variance between subjects of the control arm, by which a comparison's
            size is told; None without a control arm.
        sizes: subjects of the observed arm, and of the one it is compared with (0 without one).
    """

    own: Basis
    control: Basis | None = None
    level: Basis | None = None
    sizes: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True, eq=False)
class Predicted:
    """All that the scores of one study need of the model.

    Attributes:
        bases: by index of the observation; only those that the model answers.
        not_modelled: index -> why the model does not answer it yet.
        refused: why nobody could be simulated though the file is in order; empty when somebody was.
        draws: D, parameter draws that scores mix over.
        about: what it was made with: versions, hashes, seed, failures, warnings.
    """

    bases: Mapping[int, Bases]
    not_modelled: Mapping[int, str] = field(default_factory=dict)
    refused: str = ""
    draws: int = 0
    about: Mapping[str, Any] = field(default_factory=dict)


def predict(
    study: Study,
    base: Setting,
    *,
    release: bool = False,
    libraries: dict[str, Library] | None = None,
    memory: Memory | None = None,
    also: tuple[str, ...] = (),
) -> Predicted:
    """Run a study, and keep what its observations are scored by.

    Arguments:
        study: validated.
        base: a run with the draws and the model wanted, of this or of another study, from `base_setting`.
        release: whether expected values use the larger number of subjects.
        libraries: opened libraries of untreated courses by disease; those that are missing are added.
        memory: what other studies of the same settings have solved, to which this one adds.
        also: outputs that those other studies ask for and this one does not.

    Returns:
        the predictions. A study that nobody like its table 1 can be enrolled in is returned with the reason,
        not raised: the others of a folder are not to wait for it.
    """
    missing = not_modelled(study)
    part = modelled_part(study)
    if part is None or not part.observations:
        return Predicted({}, missing, draws=base.scored)
    if study.kind == IN_VITRO:
        return _cultures(setting_of(base, part), missing)
    setting = replace(thinned(setting_of(base, part)), memory=memory, also=also)
    panels: dict[str, Panel] = {}
    if part.kind in EXPERIMENTS:
        trials, animals = simulate_experiment(setting)
        failed_run_in = animals.failed
    else:
        try:
            # Scores are of the arms as they were: nobody is solved for the paired contrast.
            tables = tables_one(part, paired=False)
            panels, failed_run_in = enrol_panels(setting, tables, _libraries(setting, libraries))
        except Refusal as refusal:
            return Predicted({}, missing, refusal.problem, base.scored)
        trials = simulate(setting, panels, paired=False)
    failed = sum(len(found) for found in trials.failures.values())
    warnings = [f"{failed} of {trials.solved} subjects could not be solved"] if failed else []
    warnings += [
        f"{name}: {panel.enrolment.borrowed:.0%} of the weight of subjects is borrowed between draws"
        for name, panel in sorted(panels.items())
        if panel.enrolment.borrowed > BORROWING_WORTH_A_WARNING
    ]
    about = {
        "posterior": setting.draws.posterior,
        "model_sha256": setting.model_hash,
        "release": release,
        "solved": trials.solved,
        "failed": failed,
        "failed_run_in": failed_run_in,
        "warnings": warnings,
    }
    bases = {one.index: bases_of(part, one, trials.arms, setting) for one in part.observations}
    return Predicted(bases, missing, "", base.scored, about)


def _cultures(setting: Setting, missing: Mapping[int, str]) -> Predicted:
    """What observations of wells are scored by; the wells without the product are their level."""
    reads, failed = solve_cultures(setting)
    wells = float(assays().culture["wells"])
    bases = {}
    for one in setting.study.observations:
        own = basis_of_culture(one, setting, reads)
        ones = np.ones(setting.scored)
        level = Basis(expected=ones, spread=(float(assays().culture["well_sd"]) * ones) ** 2)
        bases[one.index] = Bases(own, None, level, (wells, wells))
    about = {
        "posterior": setting.draws.posterior,
        "model_sha256": setting.model_hash,
        "solved": 2 * setting.scored * len(reads),
        "failed": failed,
        "warnings": [],
    }
    return Predicted(bases, missing, "", setting.scored, about)


def base_setting(
    study: Study,
    *,
    draws: int,
    seed: int = 1,
    workers: int = 1,
    release: bool = False,
    progress: Progress | None = None,
    source: Source = "auto",
    own: Posterior | None = None,
) -> Setting:
    """Compile the model and draw its parameters once for all studies of a validation.

    Arguments:
        study: any of them that the model answers.
        draws: D, parameter draws; as many trials are simulated.
        seed, workers, progress: of all runs.
        release: take the larger number of subjects for expected values.
        source, own: of the draws, as `mesolung.population.posterior.draws_for`.
    """
    return prepare(
        study,
        replicates=draws,
        draws=draws,
        seed=seed,
        workers=workers,
        release=release,
        progress=progress,
        source=source,
        own=own,
    )


def setting_of(base: Setting, study: Study) -> Setting:
    """The same run of another study.

    Arguments:
        base: from `base_setting`.
        study: that is run.
    """
    return replace(base, study=study, sizes=trial_sizes(study, base.seed), diseases=diseases_of(study))


def bases_of(study: Study, one: Observation, arms: Mapping[str, ArmTrials], setting: Setting) -> Bases:
    """What one observation and its baselines are scored by.

    Arguments:
        study: that it is of.
        one: the observation.
        arms: replicates of each arm, thinned or not.
        setting: of the run.
    """
    asked = asked_of(study, one)
    sizes = {name: float(size) for name, size in trial_sizes(study, setting.seed).items()}
    own = _narrowed(one, asked, arms, sizes, setting)
    control = study.control.name if study.control else None
    named = one.order or one.arm
    n = float(one.n) if one.n is not None else sum(sizes[name] for name in named)
    if one.versus in arms:
        both = {name: sizes[name] for name in (*one.arm, str(one.versus))}
        part = n / sum(both.values()) if one.n is not None else 1.0
        found = (part * sum(sizes[name] for name in one.arm), part * sizes[str(one.versus)])
    else:
        found = (n, 0.0 if control is None or one.form == "order" else sizes[control])
    if control is None or control in one.arm or one.form == "order":
        return Bases(own, sizes=found)
    other = pool([arms[control]], None, setting.seed)
    level = Basis(expected=other.expected(asked), spread=other.spread(asked))
    if one.form == "contrast" or (one.form == "direction" and one.versus != BASELINE):
        return Bases(own, None, level, found)
    same = one.model_copy(update={"arm": (control,)})
    return Bases(own, _narrowed(same, asked, arms, sizes, setting), level, found)


def thinned(setting: Setting) -> Setting:
    """Solve no more subjects of a trial than its scores need.

    Arguments:
        setting: of a run.

    Returns:
        the same with at most `MOST_SUBJECTS` in the trial and in each observation, or with as many
        as expected values use where that is more.
    """
    most = max(MOST_SUBJECTS, setting.panel)
    total = sum(setting.sizes.values())
    part = min(1.0, most / total)
    sizes = {name: max(2, math.floor(part * size)) for name, size in setting.sizes.items()}
    wanted = [subjects_for(_fewer(one, most)) for one in setting.study.observations]
    return replace(setting, sizes=sizes, subjects=max(setting.panel, sum(sizes.values()), *wanted, 0))


def _libraries(setting: Setting, kept: dict[str, Library] | None) -> dict[str, Library]:
    if kept is None:
        return library_for(setting)
    if any(name not in kept for name in setting.diseases):
        kept.update(library_for(setting))
    return {name: kept[name] for name in setting.diseases}


def _fewer(one: Observation, most: int) -> Observation:
    if one.form not in RESAMPLED or one.n is None or one.n <= most:
        return one
    return one.model_copy(update={"n": most})


def _narrowed(
    one: Observation,
    asked: Asked,
    arms: Mapping[str, ArmTrials],
    sizes: Mapping[str, float],
    setting: Setting,
) -> Basis:
    """The basis of an observation of more subjects than were solved: its scatter about each draw, reduced.

    The scatter of a mean of n subjects goes with 1/sqrt(n). A median has no expected value to narrow
    about and is left as that of fewer subjects, as is a direction: their intervals are a little too wide,
    never too narrow.
    """
    if one.form == "event_count" and one.n is None:
        one = one.model_copy(update={"n": round(sum(sizes[name] for name in one.arm))})
    solved = _fewer(one, max(MOST_SUBJECTS, setting.panel))
    basis = basis_of(solved, asked, arms, setting.seed)
    if one.form not in NARROWED or basis.expected.size != basis.simulated.size:
        return basis
    if one.n is not None and solved.n is not None:
        share = solved.n / one.n
    else:
        names = [*one.arm, *([one.versus] if one.versus in arms else [])]
        share = sum(arms[str(n)].size for n in names) / sum(sizes[str(n)] for n in names)
    if share >= 1.0:
        return basis
    factor = math.sqrt(share)
    centre, shown = basis.expected, basis.simulated
    if one.form == "contrast" and is_ratio(str(one.contrast)):
        with np.errstate(divide="ignore", invalid="ignore"):
            close = np.exp(np.log(centre) + factor * (np.log(shown) - np.log(centre)))
        return replace(basis, simulated=np.where((centre > 0) & (shown > 0), close, shown))
    return replace(basis, simulated=centre + factor * (shown - centre))
