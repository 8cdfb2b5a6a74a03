"""The stage that weighs carriers: members tempered within each variant, variants weighed by stacking."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from mesolung.calibration.posterior.checkpoint import Point
from mesolung.calibration.posterior.ensemble import Ensemble
from mesolung.calibration.posterior.forward import Weighing, unanswered
from mesolung.calibration.posterior.outcome import SHORT, Outcome, short
from mesolung.calibration.posterior.spikes import copied, effective, systematic
from mesolung.calibration.posterior.stacking import (
    Predictive,
    floored,
    left_out,
    prior_weights,
    stacked,
    steadied,
)
from mesolung.calibration.posterior.stages import Stage
from mesolung.calibration.posterior.store import CARRIERS, variants_of
from mesolung.calibration.posterior.task import Task
from mesolung.streams import normals, uniforms

Values = NDArray[np.float64]
# A tempering goes so far that the weights within variants leave half of the members effective.
LEAST_EFFECTIVE = 0.5
HALVINGS = 40
PREDICTIVE = "carriers-predictive.csv"


def weigh(task: Task[Weighing]) -> Outcome:
    """Carry an ensemble through a stage that weighs it.

    Arguments:
        task: the stage, its data, and where it goes on from.

    Returns:
        what the stage leaves. Within a variant members are resampled by the likelihood, tempered in steps;
        between variants their numbers follow the stacking weights, one laboratory left out at a time. Where
        the steps do not reach the whole likelihood, its power is recorded, and less was learnt.
    """
    point = task.points.latest()
    if point is None:
        begun = time.perf_counter()
        found = task.forward.log_likelihoods(task.start, task.work)
        point = Point(
            0,
            {n: task.start.values(n) for n in task.names},
            _arrays(found, found),
            _about(0.0, found, 0.0, begun),
        )
        task.points.keep(point)
        silent = unanswered(task.forward, found)
        none = f", none of {', '.join(silent)}" if silent else ""
        task.tell(f"{task.stage.name}: {len(found)} laboratories{none}")
    else:
        task.tell(f"{task.stage.name}: goes on after {point.done} of {task.stage.iterations}")
    while point.done < task.stage.iterations and float(point.about["power"]) < 1.0:
        begun = time.perf_counter()
        ensemble = task.start.with_values(point.values)
        power = float(point.about["power"])
        ensemble, power = _tempered(
            ensemble, task.names, task.stage, point.done, power, _now(point), task.work.seed
        )
        found = task.forward.log_likelihoods(ensemble, task.work)
        values = {n: ensemble.values(n) for n in task.names}
        first = _before(point)
        about = _about(power, found, float(point.about["seconds"]), begun)
        point = Point(point.done + 1, values, _arrays(first, found), about)
        task.points.keep(point)
        after = f"after {point.done} of {task.stage.iterations}"
        task.tell(f"{task.stage.name}: likelihood to the power {power:.2f} {after}")
    return _weighed(task, point)


def _tempered(
    ensemble: Ensemble,
    names: Sequence[str],
    stage: Stage,
    k: int,
    power: float,
    found: Mapping[str, Values],
    seed: int,
) -> tuple[Ensemble, float]:
    variant = np.array(variants_of(ensemble))
    total = np.sum(list(found.values()), axis=0)

    def weights(step: float) -> Values:
        out = np.zeros(total.size)
        for label in np.unique(variant):
            mine = variant == label
            w = np.exp(step * (total[mine] - total[mine].max()))
            out[mine] = w / w.sum() * mine.sum()
        return out

    def left(step: float) -> float:
        w = weights(step)
        return sum(effective(w[variant == label]) for label in np.unique(variant)) / total.size

    low, high = 0.0, 1.0 - power
    if left(high) < LEAST_EFFECTIVE:
        for _ in range(HALVINGS):
            middle = 0.5 * (low + high)
            low, high = (middle, high) if left(middle) >= LEAST_EFFECTIVE else (low, middle)
    else:
        low = high
    w = weights(low)
    of = np.empty(total.size, np.intp)
    for label in np.unique(variant):
        mine = np.flatnonzero(variant == label)
        u = float(uniforms(seed, f"calibrate:{stage.name}:{k}:{label}", 0, 1)[0])
        of[mine] = mine[systematic(w[mine], mine.size, u)]
    moved = copied(
        ensemble, names, of, w, np.ones(total.size, bool), _noise(stage, k, names, total.size, seed)
    )
    return moved, power + low


def _weighed(task: Task[Weighing], point: Point) -> Outcome:
    ensemble = task.start.with_values(point.values)
    variant = variants_of(ensemble)
    labels = sorted(set(variant))
    on = np.array([[c in label.split("+") for label in labels] for c in CARRIERS])
    table, now, power = ensemble.table, _now(point), float(point.about["power"])
    prior_on = np.array([1.0 - float(table[c].uncertainty.split(";")[0]) for c in CARRIERS])
    prior = prior_weights(on, prior_on)
    predictive = left_out(now, variant, power)
    learnt = stacked(steadied(predictive, on), prior)
    told = on.any(axis=1) & ~on.all(axis=1)
    weights = floored(learnt, on[told]) if told.any() else learnt
    moved = _dealt(ensemble, task.names, np.array(variant), labels, weights, task.stage, task.work.seed)
    counts = {label: variants_of(moved).count(label) / moved.count for label in labels}
    about = {
        "seconds": round(float(point.about["seconds"]), 1),
        "power": round(power, SHORT),
        "temperings": point.done,
        "unanswered": unanswered(task.forward, now),
        "variants": {
            label: {
                "prior": short(prior[k]),
                "stacked": short(learnt[k]),
                "weight": short(weights[k]),
                "share": short(counts[label]),
            }
            for k, label in enumerate(labels)
        },
        "carriers": {
            c: {"prior_on": short(prior_on[i]), "weight_on": short(float(weights[on[i]].sum()))}
            for i, c in enumerate(CARRIERS)
        },
    }
    files = {PREDICTIVE: _predictive_text(predictive, list(now), labels)}
    return Outcome({n: moved.values(n) for n in task.names}, _lines(_before(point), now), about, files)


def _predictive_text(found: Predictive, laboratories: Sequence[str], labels: Sequence[str]) -> str:
    """A row a laboratory and variant: from these numbers the weights can be taken again."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["laboratory", "variant", "log_predictive", "error"])
    for i, name in enumerate(laboratories):
        for k, label in enumerate(labels):
            writer.writerow([name, label, short(found.log[i, k]), short(found.error[i, k])])
    return out.getvalue()


def _dealt(
    ensemble: Ensemble,
    names: Sequence[str],
    variant: NDArray[np.str_],
    labels: Sequence[str],
    weights: Values,
    stage: Stage,
    seed: int,
) -> Ensemble:
    """Members dealt to variants by their weights; as many as can be keep what they have."""
    count = ensemble.count
    u = uniforms(seed, f"calibrate:{stage.name}:deal", 0, count + 1)
    wanted = np.bincount(systematic(weights, count, float(u[-1])), minlength=len(labels))
    order = np.argsort(u[:-1], kind="stable")
    of, free = np.arange(count), []
    room = {label: int(n) for label, n in zip(labels, wanted, strict=True)}
    for d in order:
        label = str(variant[int(d)])
        if room[label] > 0:
            room[label] -= 1
        else:
            free.append(int(d))
    shaken = np.zeros(count, bool)
    for label, more in room.items():
        if more == 0:
            continue
        source = np.flatnonzero(variant == label)
        picked = source[systematic(np.ones(source.size), more, 0.5)]
        for target, origin in zip([free.pop() for _ in range(more)], picked, strict=True):
            of[target], shaken[target] = origin, True
    noise = _noise(stage, -1, names, count, seed)
    return copied(ensemble, names, of, np.ones(count), shaken, noise)


def _lines(before: Mapping[str, Values], after: Mapping[str, Values]) -> list[dict[str, object]]:
    """A line a laboratory: log of the mean likelihood of its results, before and after."""

    def mean(values: Values) -> float:
        return short(values.max() + float(np.log(np.mean(np.exp(values - values.max())))))

    return [
        {
            "name": name,
            "unit": "nats",
            "log_predictive_before": mean(before[name]),
            "log_predictive_after": mean(after[name]),
            "inside_before": None,
            "inside_after": None,
        }
        for name in after
    ]


def _noise(stage: Stage, k: int, names: Sequence[str], count: int, seed: int) -> Values:
    return np.stack(
        [normals(seed, f"calibrate:{stage.name}:{k}:shake:{name}", 0, count) for name in names], axis=1
    )


def _arrays(first: Mapping[str, Values], now: Mapping[str, Values]) -> dict[str, Values]:
    return {"before": np.stack(list(first.values())), "now": np.stack(list(now.values()))}


def _about(power: float, found: Mapping[str, Values], before: float, begun: float) -> dict[str, object]:
    return {"power": power, "names": list(found), "seconds": before + time.perf_counter() - begun}


def _now(point: Point) -> dict[str, Values]:
    return dict(zip(point.about["names"], point.arrays["now"], strict=True))


def _before(point: Point) -> dict[str, Values]:
    return dict(zip(point.about["names"], point.arrays["before"], strict=True))
