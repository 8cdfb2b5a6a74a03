"""The subjects of an experiment: animals or perfused lungs at rest, with the parameters of their species."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mesolung.biology.species import HUMAN, Change, Species, read_perfused, read_species
from mesolung.engine import CompiledModel
from mesolung.population.draws import Draws, individual_values
from mesolung.population.events import joined
from mesolung.population.twice import solve_twice
from mesolung.streams import normals
from mesolung.study.population import Distribution
from mesolung.study.setting import Setting
from mesolung.study.study import Study
from mesolung.trial.potential import Enrolled

Floats = NDArray[np.float64]
WEIGHT = "weight"
# Parameters that tell a subject's own size to what is measured in its own units.
CELLS, KILOGRAMS = "cells_in_Gcell", "body_weight"
EX_VIVO = "ex-vivo"


@dataclass(frozen=True)
class Animals:
    """S x M subjects of an experiment, replicate after replicate, before any injury.

    Attributes:
        host: their species, or its perfused lung.
        enrolled: parameters and states at health.
        covariates: ``weight``, kg.
        size: float64[S x M], by how much an amount given to the subject counts at the human's size.
        failed: subjects that could not be brought to rest.
    """

    host: Species
    enrolled: Enrolled
    covariates: Mapping[str, Floats]
    size: Floats
    failed: int


def host_of(study: Study) -> Species:
    """The species of a study, as a whole animal or as a lung out of the body."""
    return read_perfused(study.species) if study.kind == EX_VIVO else read_species(study.species)


def size_of(host: Species, weight_kg: Floats, exponent: Floats) -> Floats:
    """How much an amount given to a subject counts at the size of the human adult for whom laws are written.

    Arguments:
        host: species of the subjects.
        weight_kg: float64[n].
        exponent: float64[n], the species' discrepancy from scaling by size alone.

    Returns:
        float64[n]: human lung mass over that of the species, to the power 1 + exponent, over the subject's
        weight relative to its species'. This is the one place where amounts are scaled between species.
    """
    human = read_species(HUMAN)
    return (human.lung_g / (host.lung_g * host.share)) ** (1.0 + exponent) * host.weight_kg / weight_kg


def changed(values: Mapping[str, Floats], changes: tuple[Change, ...], host: Species) -> dict[str, Floats]:
    """Change parameters of the human adult to those of a species or of an agent.

    Arguments:
        values: id -> float64[n], in the table's units.
        changes: in their order; a later one of the same parameter replaces a value and multiplies a factor.
        host: species, for the size of what is stated of the whole animal.

    Returns:
        all values, changed.
    """
    result = dict(values)
    ratio = read_species(HUMAN).lung_g / host.lung_g
    for change in changes:
        if change.id not in result:
            continue
        was = result[change.id]
        if change.how == "factor":
            result[change.id] = was * change.value
        else:
            number = change.value * ratio if change.how == "extensive" else change.value
            result[change.id] = np.full(was.shape, number)
    return result


def make_animals(setting: Setting) -> Animals:
    """Make the subjects of an experiment at rest.

    Arguments:
        setting: of the run.

    Returns:
        the subjects. Their numbers depend on the seed, the replicate and the subject; typical values are
        those of the replicate's draw, as in trials.
    """
    model, draws, subjects = setting.model, setting.draws, setting.subjects
    host = host_of(setting.study)
    draw = np.repeat(setting.draw_of_slot, subjects)

    def scores(name: str) -> Floats:
        return np.concatenate(
            [normals(setting.seed, f"animal:{name}", slot, subjects) for slot in range(setting.slots)]
        )

    weight = _weights(host, setting.study.population.baseline.get(WEIGHT), scores(WEIGHT))
    exponent = host.exponent_sd * normals(draws.key, f"species:{host.name}", 0, setting.scored)[draw]
    size = size_of(host, weight, exponent)
    ids = [name for name in model.parameters if name in draws.parameters]
    values = individual_values(draws, ids, draw, _spreads(draws, ids, scores, host.spread))
    values = changed(values, host.changes, host)
    values[CELLS] = values[CELLS] / size
    values[KILOGRAMS] = weight
    rows = np.tile(model.default_parameters, (draw.size, 1))
    column = {name: k for k, name in enumerate(model.parameters)}
    for name, value in values.items():
        rows[:, column[name]] = value
    states, failed = _at_rest(model, rows, setting)
    enrolled = Enrolled(rows, states, joined([]), np.arange(draw.size, dtype=np.intp))
    return Animals(host, enrolled, {WEIGHT: weight, "pbw": weight}, size, failed)


def _spreads(
    draws: Draws, ids: list[str], scores: Callable[[str], Floats], spread: float
) -> dict[str, Floats]:
    """Scores of the parameters that differ between subjects, as much narrower as the species' spread is."""
    return {name: spread * scores(name) for name in ids if draws.parameters[name].between_subject > 0}


def _weights(host: Species, line: Distribution | None, z: Floats) -> Floats:
    """float64[n], kg: as the study states it, else of the species."""
    centre, sd = host.weight_kg, host.weight_sd
    if line is not None and line.median is not None and line.iqr is not None:
        centre, sd = line.median, float(np.log(line.iqr[1] / line.iqr[0])) / 1.349
    elif line is not None and line.mean is not None:
        centre = line.mean
        sd = sd if line.sd is None else float(np.sqrt(np.log1p((line.sd / line.mean) ** 2)))
    weight = centre * np.exp(sd * z)
    if line is not None:
        weight = np.clip(weight, line.min, line.max)
    return weight


def _at_rest(model: CompiledModel, rows: Floats, setting: Setting) -> tuple[Floats, int]:
    found, failures = solve_twice(
        model, rows, np.zeros(1), None, joined([]), model.states, workers=setting.workers, chunk=setting.chunk
    )
    return found[:, 0, :], len(failures)
