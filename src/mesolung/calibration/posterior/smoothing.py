"""A stage of the smoother: predict, assimilate, keep; as often as the stage says."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from mesolung.calibration.posterior.checkpoint import Checkpoints, Point
from mesolung.calibration.posterior.datum import Datum, observed_of
from mesolung.calibration.posterior.ensemble import Ensemble
from mesolung.calibration.posterior.forward import Forward, Work
from mesolung.calibration.posterior.kalman import Observed, assimilate, completed, widening
from mesolung.calibration.posterior.outcome import Outcome, check_lines
from mesolung.calibration.posterior.stages import Stage
from mesolung.streams import normals

Values = NDArray[np.float64]
Tell = Callable[[str], object]


def smooth(
    stage: Stage,
    forward: Forward,
    start: Ensemble,
    names: Sequence[str],
    work: Work,
    points: Checkpoints,
    tell: Tell,
) -> Outcome:
    """Carry an ensemble through a stage.

    Arguments:
        stage: which.
        forward: its data and the model of them.
        start: the ensemble as the stage before left it.
        names: parameters that may move; none for a stage that only compares.
        work: what forward models share.
        points: where it goes on from, and keeps where it has got to.
        tell: called with lines of progress.

    Returns:
        what the stage leaves.
    """
    data = forward.data
    observed = observed_of(data, stage.discrepancy)
    point = points.latest()
    rounds = stage.iterations if names else 0
    if point is None:
        begun = time.perf_counter()
        first = forward.predict(start, work)
        widened = _widened(first, observed)
        values = {name: start.values(name) for name in names}
        point = Point(0, values, {"before": first, "now": first, "widened": widened}, _took(0.0, begun))
        points.keep(point)
        tell(f"{stage.name}: {_said(first, observed)} before")
    else:
        tell(f"{stage.name}: goes on after {point.done} of {rounds} assimilations")
    while point.done < rounds:
        begun = time.perf_counter()
        k = point.done
        ensemble = start.with_values(point.values)
        z = _assimilated(stage.name, k, rounds, ensemble.latent(names), point, observed, data, work.seed)
        ensemble = ensemble.with_latent(names, z)
        now = forward.predict(ensemble, work)
        values = {name: ensemble.values(name) for name in names}
        point = Point(
            k + 1, values, {**point.arrays, "now": now}, _took(float(point.about["seconds"]), begun)
        )
        points.keep(point)
        tell(f"{stage.name}: {_said(now, observed)} after {k + 1} of {rounds}")
    before, after, widened = (point.arrays[name] for name in ("before", "now", "widened"))
    noise = _noise(stage.name, "check", data, len(before), work.seed)
    lines = check_lines(data, before, after, widened, stage.discrepancy, noise)
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
