"""Human trials of cells and vesicles: how likely each is under sizes of the human effect, by member."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from mesolung.biology.tables import endpoints
from mesolung.calibration.posterior.datum import Datum, admitted
from mesolung.calibration.posterior.ensemble import Ensemble
from mesolung.calibration.posterior.forward import Work
from mesolung.calibration.posterior.trials import arms_of, scratch, setting_of, with_value
from mesolung.calibration.validation.bias import ALL, IN_ERRORS, biases, chosen
from mesolung.calibration.validation.by_draw import A_TRIAL_COUNTS
from mesolung.calibration.validation.effect import SD_PER_LOG_ODDS
from mesolung.calibration.validation.published import Published, published_effects
from mesolung.calibration.validation.treatment import compared_treatment, is_treated, trial_of
from mesolung.population.library import Library
from mesolung.reading import Refusal
from mesolung.study import Study, read_study
from mesolung.study.asked import Asked, asked_of
from mesolung.study.catalogue import Entry, entries, groups
from mesolung.study.memory import Memory
from mesolung.study.modelled import modelled_part
from mesolung.study.pooled import pool
from mesolung.study.replicates import ArmTrials

Values = NDArray[np.float64]
HUMAN_EFFECT = "human_effect"
FOLDER = "trials"
# The acute chain knows these patients; those of chronic disease are fitted after it.
DISEASES = frozenset({"ards", "covid19-ards", "pneumonia", "sepsis"})
# Sizes of the human effect, of the laboratory's, that every trial is simulated with.
SIZES = (0.0, 0.25, 1.0, 4.0)
LEAST_SHARE = 1e-4
LEFT_OUT = "loo:"


@dataclass(frozen=True)
class Human:
    """Published effects of cells and vesicles in acute lung disease.

    Attributes:
        discrepancy: spread of true effects between trials that the model leaves out, natural log of a ratio.
    """

    discrepancy: float

    @cached_property
    def studies(self) -> dict[str, tuple[Study, list[Published]]]:
        """Studies of acute disease by name, with the effects that they published."""
        found = {}
        for entry in entries():
            if entry.folder != FOLDER or not _may_be_used(entry):
                continue
            part = modelled_part(read_study(entry.path))
            if part is None or not set(part.disease_names) <= DISEASES:
                continue
            effects = [one for one in published_effects(part) if one.endpoint in endpoints()]
            if effects:
                found[entry.name] = (part, effects)
        return found

    @cached_property
    def data(self) -> tuple[Datum, ...]:
        """One an effect; a series is a trial."""
        found = [
            Datum(
                f"{name} {one.treatment} {one.endpoint} {'' if one.time_h is None else f'{one.time_h:g} h'}",
                one.effect,
                one.effect,
                float(np.sqrt(one.variance)),
                one.trial,
                "log ratio",
                name,
                "seen",
                f"{LEFT_OUT}{name}",
            )
            for name, (_, effects) in self.studies.items()
            for one in effects
        ]
        return admitted(found, "human", human=True)

    def log_likelihoods(self, ensemble: Ensemble, work: Work) -> dict[str, Values]:
        """Of each trial under each of `SIZES`.

        Arguments:
            ensemble: the members.
            work: model, subjects, seed, workers.

        Returns:
            trial -> float64[sizes, n], natural log.
        """
        sets: dict[str, list[Values]] = {}
        libraries: dict[str, Library] = {}
        memory = Memory()
        with scratch() as cache:
            for done, (study, effects) in enumerate(self.studies.values()):
                work.progress("human trials", done, len(self.studies))
                setting = setting_of(study, ensemble, work)
                per_size = []
                try:
                    for size in SIZES:
                        own = replace(setting, draws=with_value(setting.draws, HUMAN_EFFECT, size))
                        arms = arms_of(own, libraries, cache, memory)
                        per_size.append(np.stack([_effect(study, one, arms, work.seed) for one in effects]))
                except Refusal:
                    continue  # nobody like its table 1: the model says nothing of this trial
                found = np.stack([self.of_effects(study, effects, expected) for expected in per_size])
                sets.setdefault(trial_of(study), []).append(found)
        return {trial: np.sum(parts, axis=0) for trial, parts in sets.items()}

    def of_effects(self, study: Study, effects: Sequence[Published], expected: Values) -> Values:
        """Log likelihood of one study's effects, its biases and own true effect integrated out.

        Arguments:
            study: that published them.
            effects: m of them.
            expected: float64[m, n], what each member expects of them; 0 is returned where it cannot tell.

        Returns:
            float64[n], natural log.

        Source: normal effects with a covariance that a trial's results share.
        """
        error = np.sqrt([one.variance for one in effects])
        mean, shared = np.zeros(len(effects)), np.zeros((len(effects), len(effects)))
        for term in chosen(ALL):
            has = np.array([term.of(study, endpoints()[one.endpoint].subjective) for one in effects], float)
            scale = has * (error if term.unit == IN_ERRORS else 1.0)
            mean += term.mean * scale
            shared += term.sd**2 * np.outer(scale, scale)
        shared += self.discrepancy**2
        covariance = shared + np.diag(error**2)
        away = np.array([one.effect for one in effects])[:, None] - mean[:, None] - expected
        known = np.isfinite(away).all(axis=0)
        away = np.where(known, away, 0.0)
        size = np.linalg.slogdet(2.0 * np.pi * covariance)[1]
        found = -0.5 * (size + (away * np.linalg.solve(covariance, away)).sum(axis=0))
        power = min(1.0, A_TRIAL_COUNTS / len(effects))
        return np.where(known, power * found, 0.0)


def bias_names() -> list[str]:
    """The bias terms that are allowed for."""
    return list(biases())


def _may_be_used(entry: Entry) -> bool:
    """A trial is in when its results are left out whole where it is scored, or may be fitted to."""
    return all(group == "fit" or group.startswith(LEFT_OUT) for group in groups(entry.name))


def _effect(study: Study, one: Published, arms: Mapping[str, ArmTrials], seed: int) -> Values:
    """What each member expects of a published effect, float64[n], on its scale."""
    control = study.control
    if control is None:
        return np.full(next(iter(arms.values())).slots, np.nan)
    found = []
    for observation in study.observations:
        same = (observation.endpoint, observation.time_h) == (one.endpoint, one.time_h)
        names = [a for a in observation.arm if a != control.name and is_treated(study, a)]
        if not same or not names or compared_treatment(study, observation) != one.treatment:
            continue
        asked = asked_of(study, observation)
        found.append(_of_pair(asked, [arms[a] for a in names], arms[control.name], seed))
    return np.mean(found, axis=0) if found else np.full(next(iter(arms.values())).slots, np.nan)


def _of_pair(asked: Asked, treated: Sequence[ArmTrials], control: ArmTrials, seed: int) -> Values:
    sign = {"lower": 1.0, "higher": -1.0}.get(asked.row.better, 0.0)
    ours, theirs = pool(treated, None, seed), pool([control], None, seed)
    a, b = ours.expected(asked), theirs.expected(asked)
    if asked.row.type == "binary":
        adverse = (a, b) if sign > 0 else (1.0 - a, 1.0 - b)
        return np.log(np.maximum(adverse[0], LEAST_SHARE) / np.maximum(adverse[1], LEAST_SHARE))
    sd = np.sqrt(np.maximum(theirs.spread(asked), 1e-300))
    # Few subjects of a member tell its spread badly: that of all members is taken.
    return sign * (a - b) / float(np.nanmedian(sd)) / SD_PER_LOG_ODDS
