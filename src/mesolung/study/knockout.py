"""Knock-outs: a study run with mechanisms switched off in turn, on the same draws and subjects."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mesolung import __version__
from mesolung.biology.mechanisms import Knockout
from mesolung.population.posterior import Source
from mesolung.reading import Refusal
from mesolung.study.animal_endpoints import EXPERIMENTS
from mesolung.study.answering import planned_endpoints
from mesolung.study.answers import NEITHER, pairs
from mesolung.study.asked import Asked, asked_of
from mesolung.study.canonical import inputs_sha256
from mesolung.study.enrolling import Panel, enrol_panels
from mesolung.study.experiment import simulate_experiment
from mesolung.study.modelled import left_out, modelled_part, not_modelled
from mesolung.study.replicates import ArmTrials
from mesolung.study.run import EXPECTED_SUBJECTS, library_for, prepare
from mesolung.study.setting import Progress, Setting
from mesolung.study.simulating import Trials, simulate, tables_one
from mesolung.study.study import Study
from mesolung.trial.contrasts import contrast, is_ratio, sign_of_better
from mesolung.trial.estimates import is_geometric
from mesolung.trial.potential import ArmCourses

Values = NDArray[np.float64]
# A change smaller than this part of the effect scale's unit is the solver's tolerance, not the mechanism.
NOISE = 1e-4
# A share of an effect is told only where the effect itself is so many Monte-Carlo errors from 0.
TOLD_FROM = 2.0
ERROR = (
    "Every knock-out is run on the same parameter draws and the same subjects as the run with everything on, "
    "so what both share cancels. The Monte-Carlo error is that of the mean over draws (their standard "
    "deviation over the square root of their number): it falls with more draws. The interval over draws does "
    "not: it is what is not known of the biology."
)
CARRIED = (
    "What a mechanism carries is the benefit with everything on minus the benefit without it: above 0 the "
    "mechanism helps, below 0 it harms. Shares need not add up to 1: mechanisms saturate, stand in for one "
    "another and work together."
)


@dataclass(frozen=True)
class Line:
    """An endpoint of one comparison.

    Attributes:
        pair: (treated, control).
        asked: the endpoint.
        measure: of the effect.
    """

    pair: tuple[str, str]
    asked: Asked
    measure: str

    @property
    def key(self) -> str:
        """Name in the result."""
        return f"{self.pair[0]} vs {self.pair[1]}: {self.asked.key}"


def knock_out(
    study: Study,
    off: Sequence[Knockout],
    *,
    draws: int = 100,
    replicates: int = 1,
    seed: int = 1,
    workers: int = 1,
    subjects: int = EXPECTED_SUBJECTS,
    only: Collection[str] | None = None,
    progress: Progress | None = None,
    source: Source = "auto",
) -> dict[str, Any]:
    """Run a study with everything on, and again with mechanisms off.

    Arguments:
        study: validated; what is not modelled of it is left out.
        off: the knock-outs.
        draws: D, parameter draws.
        replicates: panels of subjects of each draw; more make each draw's effect more exact.
        seed: of the subjects and lots.
        workers: threads.
        subjects: of one panel.
        only: arms whose product lacks the mechanisms; None for all that are given one.
        progress: called with (stage, done, total).
        source: of the draws, as `mesolung.population.posterior.draws_for`.

    Returns:
        the object that `mesolung knockout --json` prints.

    Raises:
        Refusal: when nothing of the study is modelled, no arm is given a product, no endpoint has an effect,
            or nobody like its table 1 can be enrolled.
    """
    part = modelled_part(study)
    if part is None:
        reason = next(iter(not_modelled(study).values()), "")
        raise Refusal("nothing of this study is modelled yet", file=study.file, found=reason)
    treated = {arm.name for arm in part.arms if arm.treatments}
    if not treated:
        raise Refusal(
            "nothing to knock out: no arm is given a product", file=study.file, allowed="[[arm.treatment]]"
        )
    part = on_one_table(part)
    setting = panel_setting(part, draws, replicates, seed, workers, subjects, progress)
    run = _Run(setting) if part.kind in EXPERIMENTS else _Patients(setting)
    on = run.trials()
    lines = lines_of(part, on.arms, treated)
    if not lines:
        raise Refusal("no endpoint of the plan or the observations has an effect", file=study.file)
    changed_arms = treated if only is None else treated & set(only)
    untouched = {place: c for place, c in on.courses.items() if place[0] not in changed_arms}
    with_all = {line.key: benefit(line, on.arms, setting) for line in lines}
    found: dict[str, dict[str, Values]] = {}
    failed = sum(len(f) for f in on.failures.values())
    for place, knockout in enumerate(off):
        setting.progress("knock-outs", place, len(off))
        trials = run.trials(dict.fromkeys(changed_arms, knockout.switches), untouched)
        failed += sum(len(f) for f in trials.failures.values())
        found[knockout.id] = {line.key: benefit(line, trials.arms, setting) for line in lines}
    return {
        "schema": 1,
        "study": study.name,
        "version": __version__,
        "posterior": setting.draws.posterior,
        "model_sha256": setting.model_hash,
        "inputs_sha256": inputs_sha256(study),
        "draws": draws,
        "replicates": replicates,
        "subjects": subjects,
        "seed": seed,
        "failed_subjects": failed,
        "failed_run_in": run.failed,
        "said": {"monte_carlo": ERROR, "carried": CARRIED},
        "warnings": left_out(study),
        "knockouts": [{"id": k.id, "label": k.label, "switches": list(k.switches)} for k in off],
        "endpoints": [_entry(line, with_all[line.key], found, off) for line in lines],
    }


class _Run:
    """An experiment: subjects start at rest, so that every run makes them anew, and the same."""

    def __init__(self, setting: Setting) -> None:
        self.setting, self.failed = setting, 0

    def trials(
        self,
        off: Mapping[str, Sequence[str]] | None = None,
        done: Mapping[tuple[str, str], ArmCourses] | None = None,
    ) -> Trials:
        """All arms; those of ``off`` with their parameters at 0, those of ``done`` as they were."""
        trials, subjects = simulate_experiment(self.setting, off, done)
        self.failed = subjects.failed
        return trials


class _Patients(_Run):
    """A trial: patients are enrolled once."""

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        tables = tables_one(setting.study)
        self.panels, self.failed = enrol_panels(setting, tables, library_for(setting))

    def trials(
        self,
        off: Mapping[str, Sequence[str]] | None = None,
        done: Mapping[tuple[str, str], ArmCourses] | None = None,
    ) -> Trials:
        """As of an experiment; the arms of ``off`` lack the same mechanisms."""
        switches = next(iter(off.values())) if off else ()
        panels = {k: switched_off(panel, self.setting, switches) for k, panel in self.panels.items()}
        return simulate(self.setting, panels, done)


def lines_of(study: Study, arms: Mapping[str, ArmTrials], treated: set[str]) -> list[Line]:
    """List the effects of a study: those of its plan first, then of what was observed.

    Arguments:
        study: the part that is modelled.
        arms: of a run.
        treated: arms that are given a product.
    """
    asked = {line.asked.key: (line.asked, line.measure) for line in planned_endpoints(study)}
    for one in study.observations:
        if one.form != "order":
            made = asked_of(study, one)
            usual = made.row.default_contrast if made.as_ == "level" else "difference"
            asked.setdefault(made.key, (made, usual))
    control = study.control.name if study.control else None
    found = []
    for pair in pairs(arms, control):
        if pair[0] not in treated and pair[1] not in treated:
            continue
        for made, measure in asked.values():
            if measure in (None, "none", "win_ratio") or made.row.better == NEITHER:
                continue
            found.append(Line(pair, made, str(measure)))
    return found


def benefit(line: Line, arms: Mapping[str, ArmTrials], setting: Setting) -> Values:
    """The paired effect, towards benefit: the natural log of a ratio, or a difference in the endpoint's unit.

    Arguments:
        line: which effect.
        arms: of a run.
        setting: of the run.

    Returns:
        float64[D]; above 0 is better.
    """
    geometric = is_geometric(line.measure, line.asked.row, line.asked.as_)
    means = []
    for name in line.pair:
        arm = replace(arms[name], draws=setting.slots)
        values = arm.expected_paired(line.asked, geometric).reshape(-1, setting.scored)
        with np.errstate(invalid="ignore", divide="ignore"):
            means.append(np.exp(np.log(values).mean(axis=0)) if geometric else values.mean(axis=0))
    effect = np.atleast_1d(contrast(line.measure, means[0], means[1]))
    if is_ratio(line.measure):
        with np.errstate(invalid="ignore", divide="ignore"):
            effect = np.log(effect)
    return sign_of_better(line.asked.row) * np.where(np.isfinite(effect), effect, np.nan)


def switched_off(panel: Panel, setting: Setting, switches: Sequence[str]) -> Panel:
    """The same subjects with parameters at 0.

    Arguments:
        panel: subjects.
        setting: gives the places of parameters.
        switches: parameters of the model.
    """
    rows = panel.enrolled.parameters.copy()
    for name in switches:
        rows[:, setting.model.parameters.index(name)] = 0.0
    return replace(panel, enrolled=replace(panel.enrolled, parameters=rows))


def on_one_table(study: Study) -> Study:
    """The same arms on the population's table 1: the paired effect is of no other; none is solved twice.

    Arguments:
        study: validated.
    """
    arms = tuple(
        arm.model_copy(update={"baseline": study.population.baseline, "has_own_baseline": False})
        for arm in study.arms
    )
    return study.model_copy(update={"arms": arms})


def panel_setting(
    study: Study,
    draws: int,
    replicates: int,
    seed: int,
    workers: int,
    subjects: int,
    progress: Progress | None,
    source: Source = "auto",
) -> Setting:
    """A run of expected values alone: one subject an arm is allocated, the panel is what counts.

    Arguments:
        study, draws, replicates, seed, workers, subjects, progress, source: as `knock_out`.
    """
    whole = prepare(
        study,
        replicates=draws * replicates,
        draws=draws,
        seed=seed,
        workers=workers,
        progress=progress,
        source=source,
    )
    sizes = dict.fromkeys(whole.sizes, 1)
    return replace(whole, sizes=sizes, panel=subjects, subjects=max(subjects, len(sizes)))


def _entry(
    line: Line, on: Values, found: Mapping[str, Mapping[str, Values]], off: Sequence[Knockout]
) -> dict[str, Any]:
    ratio = is_ratio(line.measure)
    whole = over_draws(on)
    told = abs(whole["mean"]) > TOLD_FROM * whole["monte_carlo"] and abs(whole["mean"]) > NOISE * _unit(on)
    changes = {}
    for knockout in off:
        without = found[knockout.id][line.key]
        carried = on - without
        acting = np.abs(carried) > NOISE * _unit(on)
        changes[knockout.id] = {
            "without": over_draws(without),
            "carried": over_draws(carried),
            "share": float(np.nanmean(carried) / np.nanmean(on)) if told else None,
            "acting": float(np.mean(acting[np.isfinite(carried)])) if np.isfinite(carried).any() else None,
        }
    return {
        "comparison": f"{line.pair[0]} vs {line.pair[1]}",
        "endpoint": line.asked.key,
        "measure": line.measure,
        "scale": "natural log of the ratio, towards benefit" if ratio else "difference, towards benefit",
        "unit": None if ratio else line.asked.row.unit,
        "with_all": whole,
        "knockouts": changes,
    }


def _unit(values: Values) -> float:
    """What is small is small beside the effects themselves, or beside 1 where there is none."""
    known = np.abs(values[np.isfinite(values)])
    return max(float(known.max(initial=0.0)), 1e-9)


def over_draws(values: Values) -> dict[str, float]:
    """Mean, quantiles and Monte-Carlo error over draws.

    Arguments:
        values: float64[D]; what is not finite is left out.
    """
    known = values[np.isfinite(values)]
    if known.size == 0:
        return dict.fromkeys(("mean", "p05", "p50", "p95", "monte_carlo"), float("nan"))
    low, middle, high = np.quantile(known, (0.05, 0.5, 0.95))
    error = float(known.std(ddof=1) / np.sqrt(known.size)) if known.size > 1 else float("nan")
    return {
        "mean": float(known.mean()),
        "p05": float(low),
        "p50": float(middle),
        "p95": float(high),
        "monte_carlo": error,
    }
