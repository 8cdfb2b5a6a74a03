"""The stage of human trials: each member's size of the human effect, none included, given its carriers."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from mesolung.biology.parameters import Parameter
from mesolung.calibration.posterior.checkpoint import Point
from mesolung.calibration.posterior.forward import Weighing, unanswered
from mesolung.calibration.posterior.forward_human import HUMAN_EFFECT, SIZES
from mesolung.calibration.posterior.outcome import SHORT, Outcome, short
from mesolung.calibration.posterior.stacking import FLOOR
from mesolung.calibration.posterior.task import Task
from mesolung.streams import uniforms

Values = NDArray[np.float64]
# Scores of the slab that a member's size is chosen among.
SLAB = np.linspace(-3.0, 3.0, 121)
TRIALS = "human-trials.csv"


def size_effect(task: Task[Weighing]) -> Outcome:
    """Draw each member's size of the human effect from what human trials leave possible.

    Arguments:
        task: the stage, its data, and where it goes on from.

    Returns:
        what the stage leaves: the effect's sizes, and the likelihood of each trial under each member and
        size, so that a trial can be left out without running any again. Nothing else of a member moves.

    Raises:
        ValueError: where the stage would move anything but the human effect.
    """
    if list(task.names) != [HUMAN_EFFECT]:
        raise ValueError(f"human trials move {HUMAN_EFFECT} alone, not {', '.join(task.names)}")
    point = task.points.latest()
    if point is None:
        begun = time.perf_counter()
        found = task.forward.log_likelihoods(task.start, task.work)
        arrays = {f"trial {k}": values for k, values in enumerate(found.values())}
        about = {"names": list(found), "seconds": time.perf_counter() - begun}
        point = Point(1, {HUMAN_EFFECT: task.start.values(HUMAN_EFFECT)}, arrays, about)
        task.points.keep(point)
    trials = {n: point.arrays[f"trial {k}"] for k, n in enumerate(point.about["names"])}
    silent = unanswered(task.forward, trials)
    none = f", none of {', '.join(silent)}" if silent else ""
    task.tell(f"{task.stage.name}: {len(trials)} trials{none}")
    row = task.start.table[HUMAN_EFFECT]
    u = uniforms(task.work.seed, f"calibrate:{task.stage.name}:size", 0, task.start.count)
    before, after = task.start.values(HUMAN_EFFECT), sizes_given(row, together(trials, task.start.count), u)
    about = {
        "seconds": round(float(point.about["seconds"]), 1),
        "trials": len(trials),
        "unanswered": silent,
        "none_before": short(float(np.mean(before == 0.0))),
        "none_after": short(float(np.mean(after == 0.0))),
        "none_prior": float(row.uncertainty.split(";")[0]),
    }
    return Outcome({HUMAN_EFFECT: after}, _lines(trials), about, {TRIALS: _text(trials)})


def together(trials: Mapping[str, Values], count: int) -> Values:
    """Log likelihoods of all trials, float64[sizes, n].

    Arguments:
        trials: trial -> float64[sizes, n].
        count: n, members.
    """
    return np.sum(list(trials.values()), axis=0) if trials else np.zeros((len(SIZES), count))


def chance_of_none(row: Parameter, likelihood: Values) -> Values:
    """Chance that there is no human effect, given a member's other parameters.

    Arguments:
        row: of the human effect.
        likelihood: float64[sizes, n], natural log, as `SIZES`.

    Returns:
        float64[n], never below 5 % nor above 95 %: no trial of this size makes either certain.
    """
    none, slab = _posterior(row, likelihood)
    return np.clip(none / (none + slab.sum(axis=0)), FLOOR, 1.0 - FLOOR)


def sizes_given(row: Parameter, likelihood: Values, u: Values) -> Values:
    """Draw a size a member.

    Arguments:
        row: of the human effect: a spike at 0 and a lognormal slab.
        likelihood: float64[sizes, n], natural log, as `SIZES`.
        u: float64[n], uniform.

    Returns:
        float64[n], in the row's unit.
    """
    chance = chance_of_none(row, likelihood)
    _, slab = _posterior(row, likelihood)
    total = np.cumsum(slab, axis=0) / slab.sum(axis=0)
    rest = np.clip((u - chance) / (1.0 - chance), 0.0, 1.0 - 1e-12)
    spread = float(row.uncertainty.split(";")[1])
    z = np.array([np.interp(r, column, SLAB) for r, column in zip(rest, total.T, strict=True)])
    return np.where(u < chance, 0.0, row.value * np.exp(spread * z))


def _posterior(row: Parameter, likelihood: Values) -> tuple[Values, Values]:
    """Unnormalised posterior of none, float64[n], and of the slab's scores, float64[scores, n]."""
    probability, spread = (float(part) for part in row.uncertainty.split(";"))
    sizes = row.value * np.exp(spread * SLAB)
    of_slab = _between(likelihood, sizes)
    top = np.maximum(of_slab.max(axis=0), likelihood[0])
    weights = norm.pdf(SLAB) / norm.pdf(SLAB).sum()
    none = probability * np.exp(likelihood[0] - top)
    return none, (1.0 - probability) * weights[:, None] * np.exp(of_slab - top)


def _between(likelihood: Values, sizes: Values) -> Values:
    """Log likelihoods at sizes, float64[k, n]: linear in the size to the second, then in its log."""
    known = np.array(SIZES)
    axis = np.where(known < known[1], known / known[1] - 1.0, np.log(np.maximum(known, known[1]) / known[1]))
    place = np.where(sizes < known[1], sizes / known[1] - 1.0, np.log(np.maximum(sizes, known[1]) / known[1]))
    return np.stack([np.interp(place, axis, column) for column in likelihood.T], axis=1)


def _lines(trials: Mapping[str, Values]) -> list[dict[str, object]]:
    """A line a trial: log of its mean likelihood without an effect and with the laboratory's."""
    lines = []
    for name, values in trials.items():
        top = values.max()
        mean = np.log(np.mean(np.exp(values - top), axis=1)) + top
        lines.append(
            {
                "name": name,
                "unit": "nats",
                **{
                    f"log_predictive_at_{size:g}": short(float(m))
                    for size, m in zip(SIZES, mean, strict=True)
                },
                "inside_before": None,
                "inside_after": None,
            }
        )
    return lines


def _text(trials: Mapping[str, Values]) -> str:
    """A row a trial and size, a column a member."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    count = next(iter(trials.values())).shape[1] if trials else 0
    writer.writerow(["trial", "size", *range(count)])
    for name, values in trials.items():
        for size, own in zip(SIZES, values, strict=True):
            writer.writerow([name, f"{size:g}", *(f"{v:.{SHORT}g}" for v in own)])
    return out.getvalue()
