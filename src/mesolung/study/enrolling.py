"""Enrolment of a study: its table 1 as targets, its criteria, and the subjects that every arm shares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from mesolung.biology.disease import Criterion, Disease
from mesolung.biology.tables import covariates, endpoints
from mesolung.population.courses import delays
from mesolung.population.draws import TREATMENT_MODULES, Draws
from mesolung.population.enrolment import Candidates, CannotEnrol, Enrolment, enrol, find_candidates
from mesolung.population.events import of_subjects
from mesolung.population.library import COURSES_PER_DRAW, Library
from mesolung.population.raking import achieved
from mesolung.population.run_in import run_in, with_own_draw
from mesolung.population.table_one import Scale, Target, target_from_moments, target_from_quantiles
from mesolung.reading import Refusal
from mesolung.streams import uniforms
from mesolung.study.population import Distribution
from mesolung.study.setting import Setting
from mesolung.study.study import Study
from mesolung.trial.potential import Enrolled

VENTILATED = "ventilated"
VENTILATION = "mechanical_ventilation"


@dataclass(frozen=True)
class TableOne:
    """A set of baseline lines that some arms share, or that the paired contrast uses.

    Attributes:
        baseline: name -> distribution.
        ventilated: share ventilated at enrolment, or None where the study does not say.
        where: key path of the lines in the study file, for refusals.
    """

    baseline: Mapping[str, Distribution]
    ventilated: float | None
    where: tuple[str | int, ...]


@dataclass(frozen=True)
class Panel:
    """Subjects picked for every replicate from one enrolment.

    Attributes:
        enrolled: S x M subjects, replicate after replicate.
        covariates: name -> float64[S x M].
        enrolment: the weighted pool they come from.
    """

    enrolled: Enrolled
    covariates: Mapping[str, NDArray[np.float64]]
    enrolment: Enrolment


def enrol_panels(
    setting: Setting, sets: Mapping[str, TableOne], library: Library
) -> tuple[dict[str, Panel], int]:
    """Enrol the subjects of a study once for each table 1 that its arms have.

    Arguments:
        setting: of the run; the same uniform picks a subject in every set.
        sets: tables 1 by a key.
        library: untreated courses.

    Returns:
        panel by key, and how many picked courses failed when they were solved up to enrolment.

    Raises:
        Refusal: when the library has too few subjects like a table 1.
    """
    model, draws, subjects = setting.model, setting.draws, setting.subjects
    made = {key: _enrolment(setting, lines, library) for key, lines in sets.items()}
    u = [uniforms(setting.seed, "enrol", slot, subjects) for slot in range(setting.slots)]
    places = {}
    for key, found in made.items():
        picked = np.concatenate([found.pick(int(d), u[s]) for s, d in enumerate(setting.draw_of_slot)])
        pool = found.candidates
        places[key] = np.stack([pool.draw[picked], pool.course[picked], pool.step[picked]], axis=1)
    distinct, back = np.unique(np.concatenate(list(places.values())), axis=0, return_inverse=True)
    start = run_in(
        model, setting.disease, draws, library, distinct, workers=setting.workers, chunk=setting.chunk
    )
    # What cannot be solved up to enrolment cannot be solved after it, and is counted there.
    states = np.where(start.failed[:, None], np.nan, start.states)
    panels = {}
    for key, chosen in zip(places, np.split(back.reshape(-1), len(places)), strict=True):
        draw = np.repeat(setting.draw_of_slot, subjects)
        rows = with_own_draw(model, draws, start.parameters[chosen], draw, setting.seed, subjects)
        panels[key] = Panel(
            Enrolled(rows, states[chosen], of_subjects(start.pending, chosen), chosen),
            {name: values[chosen] for name, values in start.covariates.items()},
            made[key],
        )
    return panels, int(start.failed.sum())


def _enrolment(setting: Setting, lines: TableOne, library: Library) -> Enrolment:
    study, disease, draws = setting.study, setting.disease, setting.draws
    criteria = {c.name: c for c in disease.criteria}
    for name, line in lines.baseline.items():
        usual = criteria.get(name, Criterion(name))
        # A study that states one bound keeps the disease's other one.
        low = usual.lowest if line.min is None else line.min
        high = usual.highest if line.max is None else line.max
        criteria[name] = Criterion(name, low, high)
    names = [*lines.baseline, *([] if lines.ventilated is None else [VENTILATED])]
    candidates = find_candidates(
        library,
        [c for c in criteria.values() if np.isfinite(c.lowest) or np.isfinite(c.highest)],
        names,
        _delay(study, disease, draws, library, bool(disease.criteria) or _bounded(lines, library)),
        disease.onset,
    )
    targets = [
        target
        for name, line in lines.baseline.items()
        if (target := _target(study, lines, name, line, candidates)) is not None
    ]
    if lines.ventilated is not None:
        targets.append(Target(VENTILATED, share=lines.ventilated))
    untreated = [i for i, row in draws.parameters.items() if row.module not in TREATMENT_MODULES]
    used = sorted(set(setting.draw_of_slot.tolist()))
    try:
        return enrol(candidates, targets, draws.distances(untreated), used)
    except CannotEnrol as error:
        raise Refusal(
            f"table 1 cannot be met: {error}", file=study.file, line=study.line(*lines.where)
        ) from None


def _bounded(lines: TableOne, library: Library) -> bool:
    """Whether table 1 bounds something that the illness changes: there is a moment when it is first met."""
    return any(
        name in library.names and not (line.min is None and line.max is None)
        for name, line in lines.baseline.items()
    )


def _target(
    study: Study, lines: TableOne, name: str, line: Distribution, candidates: Candidates
) -> Target | None:
    row = endpoints().get(name) or covariates()[name]
    if line.share is not None:
        return Target(name, share=line.share)
    # Nobody is enrolled beyond what the table calls possible, whatever a wide printed spread implies.
    low = max(v for v in (line.min, row.lowest, -np.inf) if v is not None)
    high = min(v for v in (line.max, row.highest, np.inf) if v is not None)
    bounds = {"scale": cast("Scale", row.scale), "lowest": low, "highest": high, "unit": line.unit}
    try:
        if line.median is not None and line.iqr is not None:
            return target_from_quantiles(name, line.median, line.iqr, **bounds)
        if line.mean is not None:
            sd = line.sd
            if sd is None:
                sd = achieved(candidates.values[name], candidates.weight / candidates.weight.sum())[1]
            return target_from_moments(name, line.mean, sd, **bounds)
    except ValueError as error:
        raise Refusal(
            f"baseline {name}: {error}", file=study.file, line=study.line(*lines.where, name)
        ) from None
    return None


def _delay(
    study: Study, disease: Disease, draws: Draws, library: Library, criteria: bool
) -> NDArray[np.float64]:
    """Hours from the first moment at which the criteria hold, not before symptoms, to enrolment."""
    z = delays(disease, draws.posterior, library.failed.shape[0], COURSES_PER_DRAW)
    usual = disease.delay if criteria else disease.delay_from_onset
    line = study.population.onset_to_enrolment
    if line is None:
        return np.maximum(usual.at(z), 0.0)
    if line.median is not None and line.iqr is not None:
        target = target_from_quantiles("onset_to_enrolment", line.median, line.iqr, lowest=0.0)
    else:
        mean = line.mean or 0.0
        # Without a printed spread, that of the disease's usual delay relative to its length.
        sd = line.sd if line.sd is not None else mean * usual.relative_sd
        target = target_from_moments("onset_to_enrolment", mean, max(sd, 1e-3), scale="log", lowest=0.0)
    return target.quantile(ndtr(z))
