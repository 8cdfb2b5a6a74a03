"""A stage of the smoother: predict, assimilate, keep; as often as the stage says."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mesolung.calibration.posterior.checkpoint import Point
from mesolung.calibration.posterior.datum import Datum, observed_of
from mesolung.calibration.posterior.forward import Forward
from mesolung.calibration.posterior.kalman import Observed, assimilate, completed, widening
from mesolung.calibration.posterior.outcome import Outcome, check_lines
from mesolung.calibration.posterior.task import Task
from mesolung.streams import normals

Values = NDArray[np.float64]


def smooth(task: Task[Forward]) -> Outcome:
    """Carry an ensemble through a stage.

    Arguments:
        task: the stage, its data, and where it goes on from.

    Returns:
        what the stage leaves.
    """
    data = task.forward.data
    observed = observed_of(data, task.stage.discrepancy)
    point = task.points.latest()
    rounds = task.stage.iterations if task.names else 0
    if point is None:
        begun = time.perf_counter()
        first = task.forward.predict(task.start, task.work)
        widened = _widened(first, observed)
        values = {name: task.start.values(name) for name in task.names}
        point = Point(0, values, {"before": first, "now": first, "widened": widened}, _took(0.0, begun))
        task.points.keep(point)
        task.tell(f"{task.stage.name}: {_said(first, observed)} before")
    else:
        task.tell(f"{task.stage.name}: goes on after {point.done} of {rounds} assimilations")
    while point.done < rounds:
        begun = time.perf_counter()
        k = point.done
        ensemble = task.start.with_values(point.values)
        z = _assimilated(
            task.stage.name, k, rounds, ensemble.latent(task.names), point, observed, data, task.work.seed
        )
        ensemble = ensemble.with_latent(task.names, z)
        now = task.forward.predict(ensemble, task.work)
        values = {name: ensemble.values(name) for name in task.names}
        point = Point(
            k + 1, values, {**point.arrays, "now": now}, _took(float(point.about["seconds"]), begun)
        )
        task.points.keep(point)
        task.tell(f"{task.stage.name}: {_said(now, observed)} after {k + 1} of {rounds}")
    before, after, widened = (point.arrays[name] for name in ("before", "now", "widened"))
    noise = _noise(task.stage.name, "check", data, len(before), task.work.seed)
    lines = check_lines(data, before, after, widened, task.stage.discrepancy, noise)
    return Outcome(dict(point.values), lines, {"seconds": round(float(point.about["seconds"]), 1)})


def _assimilated(
    stage: str,
    k: int,
    rounds: int,
    z: Values,
    point: Point,
    observed: Observed,
    data: Sequence[Datum],
    seed: int,
) -> Values:
    full, told = completed(point.arrays["now"])
    use = np.flatnonzero(told & np.isfinite(point.arrays["widened"]))
    own = Observed(
        observed.values[use],
        observed.errors[use] * point.arrays["widened"][use],
        [observed.series[int(i)] for i in use],
        observed.discrepancy,
    )
    noise = _noise(stage, str(k), data, len(z), seed)[:, use]
    return assimilate(z, full[:, use], own, float(rounds), noise)


def _widened(predicted: Values, observed: Observed) -> Values:
    """Factors on errors; 1 for what the ensemble cannot tell of at first, as it may later."""
    full, told = completed(predicted)
    factors = np.ones(told.size)
    use = np.flatnonzero(told)
    if use.size:
        own = Observed(
            observed.values[use],
            observed.errors[use],
            [observed.series[int(i)] for i in use],
            observed.discrepancy,
        )
        factors[use] = widening(full[:, use], own)
    return factors


def _noise(stage: str, what: str, data: Sequence[Datum], count: int, seed: int) -> Values:
    """float64[n, m], keyed by stage, assimilation and datum: a new datum moves no other's noise."""
    columns = [normals(seed, f"calibrate:{stage}:{what}:{one.name}", 0, count) for one in data]
    return np.stack(columns, axis=1) if columns else np.empty((count, 0))


def _said(predicted: Values, observed: Observed) -> str:
    full, told = completed(predicted)
    away = (full.mean(axis=0) - observed.values)[told] / observed.errors[told]
    size = float(np.sqrt(np.mean(away**2))) if told.any() else float("nan")
    return f"{int(told.sum())} of {told.size} numbers told, {size:.2f} errors away on average"


def _took(before: float, begun: float) -> dict[str, float]:
    return {"seconds": before + time.perf_counter() - begun}
