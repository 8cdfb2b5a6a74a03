"""Published experiments run with an ensemble: what each member gives for each of their relations."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mesolung.calibration.posterior.ensemble import Ensemble
from mesolung.calibration.posterior.forward import Work
from mesolung.calibration.posterior.trials import arms_of, scratch, setting_of
from mesolung.calibration.relations.listing import endpoint_row
from mesolung.calibration.relations.relation import Relation
from mesolung.calibration.validation.treatment import is_treated
from mesolung.population.library import Library
from mesolung.reading import Refusal, read_table
from mesolung.study import Study, read_study
from mesolung.study.asked import asked_of
from mesolung.study.basis import stated
from mesolung.study.catalogue import entry
from mesolung.study.cultures import basis_of_culture, solve_cultures
from mesolung.study.modelled import modelled_part
from mesolung.study.observation import BASELINE, Observation
from mesolung.study.pooled import pool
from mesolung.study.possible import IN_VITRO
from mesolung.study.replicates import ArmTrials
from mesolung.study.ways import trial_sizes
from mesolung.trial.contrasts import contrast
from mesolung.trial.estimates import is_geometric

Values = NDArray[np.float64]
LABORATORY_COLUMNS = ("study", "laboratory", "status", "source")
# Mice of an experiment whose numbers are not printed (assumed): what its own test could tell hangs on them.
USUAL_SIZE = 6.0


@dataclass(frozen=True, eq=False)
class Told:
    """What the members give for one relation.

    Attributes:
        relation: as published.
        values: float64[n], of its measure: a ratio, difference or level; a direction's expected difference.
        error: standard error of that difference in an experiment of the published size; nan where it is none.
        level: float64[n], of the control arm, for what a relative effect is of it; nan without one.
        orders: float64[k, n], of an order the arms' expected values, in the published order.
        better: -1 where a lower value of the endpoint is better, 1 where a higher one is, 0 for neither.
    """

    relation: Relation
    values: Values
    error: float
    level: Values
    orders: Values
    better: int


def run_relations(found: Sequence[Relation], ensemble: Ensemble, work: Work) -> list[Told]:
    """Run the studies of relations.

    Arguments:
        found: relations, of the part that may be fitted to.
        ensemble: the members.
        work: model, subjects, seed, workers.

    Returns:
        of each relation that the model answers what members give for it, in order.
    """
    names = list(dict.fromkeys(one.study for one in found))
    told: list[Told] = []
    libraries: dict[str, Library] = {}
    with scratch() as cache:
        for done, name in enumerate(names):
            work.progress("experiments", done, len(names))
            mine = [one for one in found if one.study == name]
            told += _study(read_study(entry(name).path), mine, ensemble, work, libraries, cache)
    return told


@cache
def laboratories(resource: Path | Traversable | None = None) -> Mapping[str, str]:
    """Which laboratory a study came from.

    Arguments:
        resource: a table; None for the shipped ``laboratories.csv``.

    Returns:
        study -> laboratory; a study that is not listed is a laboratory of its own.

    Raises:
        Refusal: for a row without a laboratory, and for a study that is not shipped.
    """
    place = resource if resource is not None else files("mesolung.calibration.posterior") / "laboratories.csv"
    found = {}
    for row in read_table(place, LABORATORY_COLUMNS):
        if not row["laboratory"] or not row["source"]:
            raise Refusal("a study has no laboratory or source", file=place.name, line=row.line)
        entry(row["study"])
        found[row["study"]] = row["laboratory"]
    return found


def laboratory_of(study: str) -> str:
    """The laboratory of a study: its own name where none is listed.

    Arguments:
        study: name of its file.
    """
    return laboratories().get(study, study)


def _study(
    study: Study,
    found: Sequence[Relation],
    ensemble: Ensemble,
    work: Work,
    libraries: dict[str, Library],
    cache: Path,
) -> list[Told]:
    part = modelled_part(study)
    if part is None:
        return []
    known = {one.index: one for one in part.observations}
    mine = [r for r in found if {r.observation, *r.beside} <= known.keys()]
    if not mine:
        return []
    setting = setting_of(part, ensemble, work)
    if part.kind == IN_VITRO:
        reads, _ = solve_cultures(setting)
        told = [_of_culture(r, known, lambda o: basis_of_culture(o, setting, reads).expected) for r in mine]
    else:
        try:
            arms = arms_of(setting, libraries, cache)
        except Refusal:
            return []  # nobody like the study's table 1: the model says nothing of it
        told = [_of_arms(r, part, known, arms, work.seed) for r in mine]
    return [one for one in told if one is not None]


def _of_arms(
    relation: Relation,
    study: Study,
    known: Mapping[int, Observation],
    arms: Mapping[str, ArmTrials],
    seed: int,
) -> Told | None:
    one = known[relation.observation]
    asked = asked_of(study, one)
    better = {"lower": -1, "higher": 1}.get(endpoint_row(one.endpoint).better, 0)

    def level(names: Sequence[str]) -> Values:
        return pool([arms[name] for name in names], None, seed).expected(asked)

    control = study.control.name if study.control else None
    base = level([control]) if control is not None else np.full(_count(arms), np.nan)
    made = Told(relation, base, math.nan, base, np.empty((0, base.size)), better)
    if relation.measure == "order":
        names = relation.published if isinstance(relation.published, tuple) else ()
        return replace(made, orders=np.stack([level([name]) for name in names]))
    if one.form == "direction":
        if one.versus in (None, BASELINE):
            return None  # a change since the start, of which a few subjects tell nothing
        against = stated(one.versus)
        spread = float(np.nanmedian(pool([arms[against]], None, seed).spread(asked)))
        sizes = trial_sizes(study, seed)
        n, m = (float(sum(sizes.get(a, 0) for a in g)) or USUAL_SIZE for g in (one.arm, (against,)))
        error = math.sqrt(max(spread, 0.0) * (1.0 / n + 1.0 / m))
        return replace(made, values=level(one.arm) - level([against]), level=level([against]), error=error)
    if one.form == "contrast":
        measure = stated(one.contrast)
        geometric, risk = is_geometric(measure, asked.row, asked.as_), asked.of_risk(measure)
        ours, theirs = (
            pool([arms[name] for name in names], None, seed).expected(risk, geometric)
            for names in (one.arm, (stated(one.versus),))
        )
        return replace(made, values=np.atleast_1d(contrast(measure, ours, theirs)))
    values = level(one.arm)
    if relation.beside and control is not None and is_treated(study, one.arm[0]):
        below = level([control])
        with np.errstate(divide="ignore", invalid="ignore"):
            values = values / below if relation.measure == "ratio" else values - below
    return replace(made, values=values)


def _of_culture(relation: Relation, known: Mapping[int, Observation], expected) -> Told | None:
    one = known[relation.observation]
    better = {"lower": -1, "higher": 1}.get(endpoint_row(one.endpoint).better, 0)
    own = expected(one)
    made = Told(relation, own, math.nan, np.ones(own.size), np.empty((0, own.size)), better)
    if relation.measure == "order":
        used = (relation.observation, *relation.beside)
        by_arm = {known[index].arm[0]: expected(known[index]) for index in used if known[index].arm}
        names = relation.published if isinstance(relation.published, tuple) else ()
        if any(name not in by_arm for name in names):
            return None
        return replace(made, orders=np.stack([by_arm[name] for name in names]))
    if relation.measure == "direction":
        from mesolung.biology.assays import assays

        table = assays().culture
        return replace(made, error=float(table["well_sd"]) * math.sqrt(2.0 / int(table["wells"])))
    if relation.beside:
        below = expected(known[relation.beside[0]])
        with np.errstate(divide="ignore", invalid="ignore"):
            own = own / below if relation.measure == "ratio" else own - below
    return replace(made, values=own)


def _count(arms: Mapping[str, ArmTrials]) -> int:
    return next(iter(arms.values())).slots
