"""What each arm would show under each carrier: the same subjects, draws and lots in all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mesolung.biology.mechanisms import Knockout
from mesolung.calibration.discrimination.arms import CONTROL, VIABLE, WITHOUT, Plan, carrier_blocked
from mesolung.calibration.discrimination.variants import COMPETING, values_in
from mesolung.population.draws import Draws
from mesolung.population.posterior import Source
from mesolung.study.animal_endpoints import EXPERIMENTS
from mesolung.study.answering import Listed, planned_endpoints
from mesolung.study.enrolling import Panel, enrol_panels
from mesolung.study.experiment import simulate_experiment
from mesolung.study.knockout import Line, benefit, on_one_table, panel_setting, switched_off
from mesolung.study.replicates import ArmTrials
from mesolung.study.run import library_for
from mesolung.study.setting import Progress, Setting
from mesolung.study.simulating import Trials, simulate, tables_one
from mesolung.trial.contrasts import is_ratio
from mesolung.trial.endpoints import DEATH_ENDPOINTS
from mesolung.trial.estimates import is_geometric
from mesolung.trial.potential import ArmCourses

Values = NDArray[np.float64]
NO_EFFECT = ("none", "win_ratio", None)
# Half an event is added where an arm has none, as analyses do.
HALF = 0.5


@dataclass(frozen=True)
class Reading:
    """An endpoint at a time, with the measure that arms are compared by.

    Attributes:
        listed: of the plan.
        key: as ``bal_protein@1d``.
        measure: as ``ratio``.
        unit: of the effect; None for the natural log of a ratio.
    """

    listed: Listed
    key: str
    measure: str
    unit: str | None


@dataclass(frozen=True)
class Predictions:
    """What arms show.

    Attributes:
        setting: of the runs.
        arms: A names: the products, and the viable arm with a mechanism blocked.
        readings: R.
        effects: float64[V, D, A, R], towards benefit, against the untreated.
        of_one: float64[A + 1, R], variance that one subject of an arm adds to an effect, the untreated last;
            of risks it is kept apart in ``risks``.
        risks: float64[A + 1, R], chance of the event; nan where the reading is no risk.
        failed, solved: subjects.
    """

    setting: Setting
    arms: tuple[str, ...]
    readings: tuple[Reading, ...]
    effects: Values
    of_one: Values
    risks: Values
    failed: int
    solved: int

    def noise(self, arms: Sequence[int], reading: int, size: int) -> Values:
        """Covariance of the effects that an experiment with so many subjects in each arm would print.

        Arguments:
            arms: places of its arms.
            reading: place of the reading.
            size: subjects of each arm, the untreated among them.

        Returns:
            float64[m, m]; what the untreated arm adds is common to all.
        """
        each = [self._variance(arm, reading, size) for arm in (*arms, len(self.arms))]
        return np.diag(each[:-1]) + each[-1]

    def _variance(self, arm: int, reading: int, size: int) -> float:
        risk = self.risks[arm, reading]
        if not np.isfinite(risk):
            return float(self.of_one[arm, reading]) / size
        p = (risk * size + HALF) / (size + 2.0 * HALF)
        measure = self.readings[reading].measure
        if not is_ratio(measure):
            return p * (1.0 - p) / size
        return (1.0 - p) / (p * size) if measure in ("risk_ratio", "ratio") else 1.0 / (p * (1.0 - p) * size)


def predict(
    plan: Plan,
    *,
    draws: int,
    subjects: int,
    seed: int = 1,
    workers: int = 1,
    progress: Progress | None = None,
    source: Source = "auto",
) -> Predictions:
    """Run every arm under every carrier.

    Arguments:
        plan: arms and readings.
        draws: D, parameter draws.
        subjects: of each draw.
        seed: of subjects and lots.
        workers: threads.
        progress: called with (stage, done, total).
        source: of the draws, as `mesolung.population.posterior.draws_for`.

    Returns:
        what they show.

    Raises:
        Refusal: when nobody like the study's table 1 can be enrolled.
    """
    study = on_one_table(plan.study)
    each = max(subjects, len(study.arms))
    setting = panel_setting(study, draws, 1, seed, workers, each, progress, source)
    readings = tuple(_readings(setting))
    run = _Animals(setting) if study.kind in EXPERIMENTS else _People(setting)
    names = (*plan.products, *(WITHOUT + off.id for off in plan.blocked))
    effects = np.full((len(COMPETING), draws, len(names), len(readings)), np.nan)
    spreads = np.full((len(COMPETING), len(names) + 1, len(readings), 2), np.nan)
    control: dict[tuple[str, str], ArmCourses] = {}
    failed = solved = 0
    total = len(COMPETING) * (1 + len(plan.blocked))
    for v, variant in enumerate(COMPETING):
        setting.progress("carriers", v * (1 + len(plan.blocked)), total)
        trials = run.trials(variant, None, control)
        if not control:
            control = {place: one for place, one in trials.courses.items() if place[0] == CONTROL}
            failed += len(trials.failures[CONTROL])
            solved += draws * each
        failed += sum(len(trials.failures[name]) for name in plan.products)
        solved += draws * each * len(plan.products)
        for a, name in enumerate(plan.products):
            effects[v, :, a] = _effects(readings, trials, name, setting)
            spreads[v, a] = _spreads(readings, trials.arms[name], setting)
        spreads[v, -1] = _spreads(readings, trials.arms[CONTROL], setting)
        viable = plan.products.index(VIABLE)
        rest = {place: one for place, one in trials.courses.items() if place[0] != VIABLE}
        for b, off in enumerate(plan.blocked):
            place = len(plan.products) + b
            if carrier_blocked(off) not in (None, variant):
                # What does not act cannot be blocked: the same courses, not solved again.
                effects[v, :, place], spreads[v, place] = effects[v, :, viable], spreads[v, viable]
                continue
            setting.progress("carriers", v * (1 + len(plan.blocked)) + b + 1, total)
            without = run.trials(variant, off, rest)
            failed += len(without.failures[VIABLE])
            solved += draws * each
            effects[v, :, place] = _effects(readings, without, VIABLE, setting)
            spreads[v, place] = _spreads(readings, without.arms[VIABLE], setting)
    with np.errstate(invalid="ignore"):
        of_one, risks = (_mean(spreads[..., k]) for k in (0, 1))
    return Predictions(setting, names, readings, effects, of_one, risks, failed, solved)


class _Animals:
    """An experiment: subjects are made anew, and the same, for every run."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting

    def trials(
        self, variant: str, off: Knockout | None, done: Mapping[tuple[str, str], ArmCourses]
    ) -> Trials:
        """All arms under a carrier; the viable one lacks ``off``, those of ``done`` are as they were."""
        setting = self._under(variant)
        return simulate_experiment(setting, {VIABLE: off.switches} if off else None, done)[0]

    def _under(self, variant: str) -> Setting:
        draws = self.setting.draws
        return replace(self.setting, draws=replace(draws, values={**draws.values, **_padded(draws, variant)}))


class _People(_Animals):
    """A trial: patients are enrolled once; no carrier acts before."""

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        self.panels, self.failed = enrol_panels(setting, tables_one(setting.study), library_for(setting))

    def trials(
        self, variant: str, off: Knockout | None, done: Mapping[tuple[str, str], ArmCourses]
    ) -> Trials:
        """As of animals."""
        setting = self._under(variant)
        panels = {key: self._set(panel, variant) for key, panel in self.panels.items()}
        if off is not None:
            panels = {key: switched_off(panel, setting, off.switches) for key, panel in panels.items()}
        return simulate(setting, panels, done)

    def _set(self, panel: Panel, variant: str) -> Panel:
        rows = panel.enrolled.parameters.copy()
        draw = np.repeat(self.setting.draw_of_slot, self.setting.subjects)
        for name, values in _padded(self.setting.draws, variant).items():
            rows[:, self.setting.model.parameters.index(name)] = values[draw]
        return replace(panel, enrolled=replace(panel.enrolled, parameters=rows))


def _padded(draws: Draws, variant: str) -> dict[str, Values]:
    return values_in(draws, variant, draws.count)


def _readings(setting: Setting) -> list[Reading]:
    found = []
    for listed in planned_endpoints(setting.study):
        if listed.measure in NO_EFFECT or listed.asked.row.better not in ("higher", "lower"):
            continue
        measure = str(listed.measure)
        unit = None if is_ratio(measure) else listed.asked.row.unit
        found.append(Reading(listed, listed.asked.key, measure, unit))
    return found


def _effects(readings: Sequence[Reading], trials: Trials, name: str, setting: Setting) -> Values:
    lines = [Line((name, CONTROL), one.listed.asked, one.measure) for one in readings]
    return np.stack([benefit(line, trials.arms, setting) for line in lines], axis=1)


def _spreads(readings: Sequence[Reading], arm: ArmTrials, setting: Setting) -> Values:
    """float64[R, 2]: variance of one subject on the effect's scale, and the risk where it is one."""
    arm = replace(arm, draws=setting.slots)
    found = np.full((len(readings), 2), np.nan)
    for r, one in enumerate(readings):
        asked = one.listed.asked
        mean = arm.expected_paired(asked)
        if asked.row.type == "binary" or asked.row.name in DEATH_ENDPOINTS:
            found[r, 1] = _mean(mean[:, None])[0]
            continue
        values, _ = arm.everyone(asked)
        values = np.where(values > 0, values, np.nan) if is_ratio(one.measure) else values
        if is_geometric(one.measure, asked.row, asked.as_):
            values = np.log(values)
        variance = _mean(_variance(values)[:, None])[0]
        if is_ratio(one.measure) and not is_geometric(one.measure, asked.row, asked.as_):
            variance = variance / max(_mean(mean[:, None])[0] ** 2, 1e-300)
        found[r, 0] = variance
    return found


def _variance(values: Values) -> Values:
    """Variance between the subjects of each draw, of those who are known."""
    known = np.isfinite(values)
    count = np.maximum(known.sum(axis=1), 1)
    mean = np.where(known, values, 0.0).sum(axis=1) / count
    sums = np.where(known, (values - mean[:, None]) ** 2, 0.0).sum(axis=1)
    return np.where(known.sum(axis=1) > 1, sums / np.maximum(count - 1, 1), np.nan)


def _mean(values: Values) -> Values:
    """Mean over the first axis of what is known; nan where nothing is."""
    known = np.isfinite(values)
    count = known.sum(axis=0)
    total = np.where(known, values, 0.0).sum(axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
