"""Enrolment of a study: its table 1 as targets, its criteria, and the subjects that every arm shares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from mesolung.biology.conduct import custom
from mesolung.biology.disease import Criterion, Disease
from mesolung.biology.phenotypes import phenotypes
from mesolung.biology.tables import backgrounds, covariates, endpoints, output_of
from mesolung.population.baseline import Seen
from mesolung.population.candidates import Candidates, find_candidates, pooled, with_disease_shares
from mesolung.population.courses import delays
from mesolung.population.draws import TREATMENT_MODULES
from mesolung.population.enrolment import CannotEnrol, Enrolment, enrol
from mesolung.population.events import of_subjects
from mesolung.population.library import Library
from mesolung.population.past import past_of
from mesolung.population.raking import achieved
from mesolung.population.run_in import run_in_mixture, with_own_draw
from mesolung.population.table_one import (
    RankCorrelation,
    Scale,
    Target,
    target_from_moments,
    target_from_quantiles,
)
from mesolung.reading import Refusal
from mesolung.streams import uniforms
from mesolung.study.at_enrolment import known_at_enrolment
from mesolung.study.population import Correlation, Distribution
from mesolung.study.possible import inclusions
from mesolung.study.setting import Setting
from mesolung.study.study import Study
from mesolung.trial.potential import Enrolled

SPREADS_TRIED = 10


@dataclass(frozen=True)
class TableOne:
    """A set of baseline lines that some arms share, or that the paired contrast uses.

    Attributes:
        baseline: name -> distribution.
        supports: support -> share of subjects who have it at enrolment.
        phenotype: phenotype -> share of subjects who are of it at enrolment.
        correlation: between quantities.
        where: key path of the lines in the study file, for refusals.
    """

    baseline: Mapping[str, Distribution]
    supports: Mapping[str, float]
    phenotype: Mapping[str, float]
    correlation: tuple[Correlation, ...]
    where: tuple[str | int, ...]


@dataclass(frozen=True)
class Panel:
    """Subjects picked for every replicate from one enrolment.

    Attributes:
        enrolled: S x M subjects, replicate after replicate.
        covariates: name -> float64[S x M], traits and what else is known of the subjects at enrolment.
        disease: intp[S x M], number of each subject's disease among those of the setting.
        enrolment: the weighted pool they come from.
    """

    enrolled: Enrolled
    covariates: Mapping[str, NDArray[np.float64]]
    disease: NDArray[np.intp]
    enrolment: Enrolment


@dataclass(frozen=True)
class Picked:
    """Who is enrolled, before they are solved up to it.

    Attributes:
        made: the weighted pool of each table 1.
        distinct: intp[k, 4], rows (number of the disease, draw, course, step), each once.
        chosen: table 1 -> intp[S x M], rows of ``distinct``.
        known: name -> float64[k], what is known of the picked at enrolment.
    """

    made: Mapping[str, Enrolment]
    distinct: NDArray[np.intp]
    chosen: Mapping[str, NDArray[np.intp]]
    known: Mapping[str, NDArray[np.float64]]


def enrol_panels(
    setting: Setting, sets: Mapping[str, TableOne], libraries: Mapping[str, Library]
) -> tuple[dict[str, Panel], int]:
    """Enrol the subjects of a study once for each table 1 that its arms have.

    Arguments:
        setting: of the run; the same uniforms give a subject its disease and its course in every set.
        sets: tables 1 by a key.
        libraries: untreated courses by disease.

    Returns:
        panel by key, and how many picked courses failed when they were solved up to enrolment.

    Raises:
        Refusal: when the libraries have too few subjects like a table 1.
    """
    return panels_of(setting, pick_subjects(setting, sets, libraries), libraries)


def pick_subjects(setting: Setting, sets: Mapping[str, TableOne], libraries: Mapping[str, Library]) -> Picked:
    """Pick who is enrolled: courses of the libraries, and the moment of each.

    Arguments:
        setting, sets, libraries: as `enrol_panels`.

    Returns:
        the places of the picked.

    Raises:
        Refusal: when the libraries have too few subjects like a table 1.
    """
    draws, subjects = setting.draws, setting.subjects
    seen = {name: _seen(name, libraries[name], draws.key) for name in setting.diseases}
    made = {key: _enrolment(setting, lines, seen) for key, lines in sets.items()}
    u = [uniforms(setting.seed, "enrol", slot, subjects) for slot in range(setting.slots)]
    kinds = [_diseases(setting, slot) for slot in range(setting.slots)]
    places = {}
    for key, found in made.items():
        picked = np.concatenate(
            [found.pick(int(d), u[s], kinds[s]) for s, d in enumerate(setting.draw_of_slot)]
        )
        pool = found.candidates
        places[key] = np.stack(
            [pool.disease[picked], pool.draw[picked], pool.course[picked], pool.step[picked]], axis=1
        )
    distinct, back = np.unique(np.concatenate(list(places.values())), axis=0, return_inverse=True)
    known = known_at_enrolment(list(setting.diseases.values()), list(seen.values()), distinct)
    chosen = dict(zip(places, np.split(back.reshape(-1), len(places)), strict=True))
    return Picked(made, distinct, chosen, known)


def panels_of(
    setting: Setting, picked: Picked, libraries: Mapping[str, Library]
) -> tuple[dict[str, Panel], int]:
    """Solve the picked up to their enrolment, with the parameters of the setting's draws.

    Arguments:
        setting: of the run; its draws may have other values than those that the subjects were picked with:
            the same people, exposed to the same, under another biology.
        picked: from `pick_subjects`.
        libraries: as `enrol_panels`.

    Returns:
        panel by key, and how many courses failed.
    """
    model, draws, subjects = setting.model, setting.draws, setting.subjects
    start = setting.remembered(
        ("run in", *setting.diseases, picked.distinct),
        lambda: run_in_mixture(
            model,
            [(setting.diseases[name], libraries[name]) for name in setting.diseases],
            draws,
            picked.distinct,
            workers=setting.workers,
            chunk=setting.chunk,
        ),
    )
    # What cannot be solved up to enrolment cannot be solved after it, and is counted there.
    states = np.where(start.failed[:, None], np.nan, start.states)
    panels = {}
    for key, chosen in picked.chosen.items():
        draw = np.repeat(setting.draw_of_slot, subjects)
        rows = with_own_draw(model, draws, start.parameters[chosen], draw, setting.seed, subjects)
        panels[key] = Panel(
            Enrolled(rows, states[chosen], of_subjects(start.pending, chosen), chosen),
            {name: values[chosen] for name, values in {**start.covariates, **picked.known}.items()},
            picked.distinct[chosen, 0],
            picked.made[key],
        )
    return panels, int(start.failed.sum())


def _seen(disease: str, library: Library, key: str) -> Seen:
    rows = tuple(row for row in phenotypes().values() if row.observable in library.names)
    past = past_of(custom(disease, "severe_share", 1.0)) if custom(disease, "visit_every") else {}
    return Seen(library, rows, past, key)


def _diseases(setting: Setting, slot: int) -> NDArray[np.intp] | None:
    """Which disease each subject of a slot has: a uniform number of its own, whatever arms there are."""
    if len(setting.diseases) == 1:
        return None
    edges = np.cumsum(list(setting.study.diseases.values()))[:-1]
    u = uniforms(setting.seed, "disease", slot, setting.subjects)
    return np.searchsorted(edges, u, side="right").astype(np.intp)


def _enrolment(setting: Setting, lines: TableOne, seen: Mapping[str, Seen]) -> Enrolment:
    study, draws = setting.study, setting.draws
    parts = [_candidates(setting, lines, setting.diseases[name], one) for name, one in seen.items()]
    candidates, shares = with_disease_shares(pooled(parts), study.diseases)
    targets = [
        target
        for name, line in lines.baseline.items()
        if (target := _target(study, lines, name, line, candidates)) is not None
    ]
    targets += [
        Target(backgrounds()[name].target, share=share, unit="fraction")
        for name, share in lines.supports.items()
    ]
    targets += [Target(name, share=share, unit="fraction") for name, share in lines.phenotype.items()]
    untreated = [i for i, row in draws.parameters.items() if row.module not in TREATMENT_MODULES]
    used = sorted(set(setting.draw_of_slot.tolist()))
    pairs = [RankCorrelation(c.first, c.second, c.rho) for c in lines.correlation]
    try:
        return enrol(candidates, [*targets, *shares], draws.distances(untreated), used, pairs)
    except CannotEnrol as error:
        raise Refusal(
            f"table 1 cannot be met: {error}", file=study.file, line=study.line(*lines.where)
        ) from None


def _candidates(setting: Setting, lines: TableOne, disease: Disease, seen: Seen) -> Candidates:
    criteria = {c.name: c for c in disease.criteria}
    for stated, line in lines.baseline.items():
        # A study's bound takes the place of the disease's on the same output.
        name = output_of(stated)
        usual = criteria.get(name, Criterion(name))
        # A study that states one bound keeps the disease's other one.
        low = usual.lowest if line.min is None else line.min
        high = usual.highest if line.max is None else line.max
        criteria[name] = Criterion(name, low, high)
    for rule in setting.study.population.include:
        if rule.name in inclusions():
            usual = criteria.get(rule.name, Criterion(rule.name))
            # Whole events: more than one is two.
            above = rule.value if rule.relation == ">=" else float(np.nextafter(rule.value, np.inf))
            below = rule.value if rule.relation == "<=" else float(np.nextafter(rule.value, -np.inf))
            low = max(usual.lowest, above) if rule.relation in (">", ">=") else usual.lowest
            high = min(usual.highest, below) if rule.relation in ("<", "<=") else usual.highest
            criteria[rule.name] = Criterion(rule.name, low, high)
    pairs = [name for pair in lines.correlation for name in (pair.first, pair.second)]
    supports = [backgrounds()[name].target for name in lines.supports]
    names = dict.fromkeys([*lines.baseline, *supports, *lines.phenotype, *pairs])
    bounded = bool(disease.criteria) or bool(setting.study.population.include)
    bounded = bounded or _bounded(lines, seen.library)
    return find_candidates(
        seen,
        [c for c in criteria.values() if np.isfinite(c.lowest) or np.isfinite(c.highest)],
        list(names),
        _delay(setting, disease, seen.library, bounded),
        disease.onset,
    )


def _bounded(lines: TableOne, library: Library) -> bool:
    """Whether table 1 bounds something that the illness changes: there is a moment when it is first met."""
    return any(
        name not in library.covariates and not (line.min is None and line.max is None)
        for name, line in lines.baseline.items()
    )


def _target(
    study: Study, lines: TableOne, name: str, line: Distribution, candidates: Candidates
) -> Target | None:
    if line.share is not None:
        return Target(name, share=line.share, unit="fraction")
    row = endpoints().get(name) or covariates()[name]
    # Nobody is enrolled beyond what the table calls possible, whatever a wide printed spread implies.
    low = max(v for v in (line.min, row.lowest, -np.inf) if v is not None)
    high = min(v for v in (line.max, row.highest, np.inf) if v is not None)
    bounds = {"scale": cast("Scale", row.scale), "lowest": low, "highest": high, "unit": line.unit}
    try:
        if line.median is not None and line.iqr is not None:
            return target_from_quantiles(name, line.median, line.iqr, **bounds)
        if line.mean is not None and line.sd is not None:
            return target_from_moments(name, line.mean, line.sd, **bounds)
        if line.mean is not None:
            weights = candidates.weight / candidates.weight.sum()
            sd = achieved(candidates.values[name], weights)[1]
            return _around_mean(name, line.mean, sd, bounds)
    except ValueError as error:
        raise Refusal(
            f"baseline {name}: {error}", file=study.file, line=study.line(*lines.where, name)
        ) from None
    return None


def _around_mean(name: str, mean: float, sd: float, bounds: Mapping[str, Any]) -> Target:
    """A line that is only a mean: with the candidates' own spread, or as much of it as the bounds allow."""
    for _ in range(SPREADS_TRIED):
        try:
            return target_from_moments(name, mean, sd, **bounds)
        except ValueError:
            sd *= 0.85
    return target_from_moments(name, mean, sd, **bounds)


def _delay(setting: Setting, disease: Disease, library: Library, criteria: bool) -> NDArray[np.float64]:
    """Hours from the first moment at which the criteria hold, not before symptoms, to enrolment."""
    study = setting.study
    z = delays(disease, setting.draws.key, library.failed.shape[0], library.courses)
    usual = disease.delay if criteria else disease.delay_from_onset
    line = study.population.onset_to_enrolment
    if study.followed_from_onset and not criteria:
        return np.zeros_like(z)
    if line is None:
        return np.maximum(usual.at(z), 0.0)
    name, low = "onset_to_enrolment", 0.0 if line.min is None else line.min
    high = np.inf if line.max is None else line.max
    try:
        if line.median is not None and line.iqr is not None:
            target = target_from_quantiles(name, line.median, line.iqr, lowest=low, highest=high)
        elif line.mean is not None:
            # Without a printed spread, that of the disease's usual delay relative to its length.
            sd = line.sd if line.sd is not None else line.mean * usual.relative_sd
            target = target_from_moments(
                name, line.mean, max(sd, 1e-3), scale="log", lowest=low, highest=high
            )
        else:
            target = _within(usual.value, usual.sd, usual.distribution, low, high)
    except ValueError as error:
        raise Refusal(
            f"onset_to_enrolment: {error}", file=study.file, line=study.line("population", name)
        ) from None
    return target.quantile(ndtr(z))


def _within(value: float, sd: float, distribution: str, low: float, high: float) -> Target:
    """The disease's usual delay between a study's bounds."""
    log = distribution == "lognormal"
    spread = max(sd, 1e-3)
    centre = float(np.log(value)) if log else value
    target = Target(
        "onset_to_enrolment", centre, spread, spread, "log" if log else "linear", low, high, None, "h"
    )
    ends = target.quantile(np.array([0.01, 0.99]))
    if not np.all(np.isfinite(ends)):
        raise ValueError(f"nobody is enrolled between {low:g} and {high:g} h by the disease's usual delay")
    return target
