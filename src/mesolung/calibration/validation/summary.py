"""What the scores of all observations say together: coverage, calibration, sums, with their errors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from mesolung.calibration.validation.lines import Line
from mesolung.calibration.validation.scoring import jackknife_error
from mesolung.study.scores import DIRECTIONS

BINS = 10


def summary_of(lines: Sequence[Line]) -> dict[str, Any]:
    """Sum up scores.

    Arguments:
        lines: scored observations; several versions of one result weigh as one.

    Returns:
        observations, answered_only (bare numbers, in no score), trials, coverage, log_score, crps, pit and
        directions.
    """
    answered = len(lines)
    lines = [line for line in lines if line.counts]
    return {
        "observations": len(lines),
        "answered_only": answered - len(lines),
        "trials": len({line.trial for line in lines}),
        "failed": sum(line.failed for line in lines),
        "coverage": {name: _coverage(lines, name) for name in ("50", "90")},
        "log_score": _log_score(lines),
        "crps": {name: _crps(group) for name, group in _families(lines).items()},
        "pit": _pit(lines),
        "directions": _directions(lines),
    }


def parts_of(lines: Sequence[Line]) -> dict[str, Any]:
    """Sum up scores of parts of the observations.

    Arguments:
        lines: scored observations.

    Returns:
        a summary for usual care, treated arms, each use in calibration, and each endpoint.
    """

    def where(keep: Callable[[Line], bool]) -> dict[str, Any]:
        return summary_of([line for line in lines if keep(line)])

    found: dict[str, Any] = {
        "usual care": where(lambda line: not line.treatment),
        "treated": where(lambda line: bool(line.treatment)),
    }
    for name in sorted({line.used for line in lines if line.used}):
        found[f"split: {name}"] = where(lambda line, name=name: line.used == name)
    for name in sorted({line.one.endpoint for line in lines}):
        found[f"endpoint: {name}"] = where(lambda line, name=name: line.one.endpoint == name)
    return {name: one for name, one in found.items() if one["observations"]}


def _coverage(lines: Sequence[Line], name: str) -> dict[str, Any]:
    own = [line for line in lines if line.scored.inside is not None]
    if not own:
        return {"observations": 0, "inside": None, "expected": None, "error": None, "monte_carlo": None}
    weight = np.array([line.weight for line in own])
    inside = np.array([float((line.scored.inside or {})[name]) for line in own])
    nominal = np.array([(line.scored.nominal or {})[name] for line in own])
    flips = np.array([(line.scored.flips or {})[name] for line in own])
    total = float(weight.sum())
    return {
        "observations": len(own),
        "inside": float(weight @ inside) / total,
        "expected": float(weight @ nominal) / total,
        "error": _clustered(own, weight * (inside - nominal), total),
        "monte_carlo": float(np.sqrt(np.sum(weight**2 * flips * (1.0 - flips)))) / total,
    }


def _clustered(lines: Sequence[Line], values: Any, total: float) -> float | None:
    """Standard error of a weighted mean whose terms are independent between trials only."""
    trials: dict[str, float] = {}
    for line, value in zip(lines, values, strict=True):
        trials[line.trial] = trials.get(line.trial, 0.0) + float(value)
    sums = np.array(list(trials.values()))
    k = sums.size
    if k < 2:
        return None
    return float(np.sqrt(k / (k - 1.0) * np.sum((sums - sums.mean()) ** 2))) / total


def _log_score(lines: Sequence[Line]) -> dict[str, Any]:
    own = [line for line in lines if line.scored.log_scores is not None]
    if not own:
        return {"observations": 0, "mean": None, "error": None, "monte_carlo": None}
    weight = np.array([line.weight for line in own])
    each = np.array([line.scored.log_scores for line in own])
    means = weight @ each / weight.sum()
    return {
        "observations": len(own),
        "mean": float(means[0]),
        "error": _clustered(own, weight * (each[:, 0] - means[0]), float(weight.sum())),
        "monte_carlo": jackknife_error(means),
    }


def _families(lines: Sequence[Line]) -> Mapping[str, list[Line]]:
    names = {
        "events": "counts, share of the subjects",
        "event_count": "events of an arm, events",
        "contrast": "comparisons, ln of a ratio or published standard errors",
        "mean": "means, published standard errors",
        "median": "medians, share of the median",
        "direction": "directions, ranked probability score",
    }
    found: dict[str, list[Line]] = {}
    for line in lines:
        if line.scored.crps is not None and line.one.form in names:
            found.setdefault(names[line.one.form], []).append(line)
    return found


def _crps(lines: Sequence[Line]) -> dict[str, Any]:
    scaled = []
    for line in lines:
        scale = line.scale or 1.0
        if line.one.form == "median":
            scale = abs(float(line.one.median or 0.0)) or 1.0
        scaled.append(np.asarray(line.scored.crps) / scale)
    weight = np.array([line.weight for line in lines])
    means = weight @ np.array(scaled) / weight.sum()
    return {"observations": len(lines), "mean": float(means[0]), "monte_carlo": jackknife_error(means)}


def _pit(lines: Sequence[Line]) -> dict[str, Any]:
    own = [line for line in lines if line.scored.pit is not None]
    if not own:
        return {"observations": 0, "bins": [0] * BINS, "mean": None, "sd": None, "monte_carlo": None}
    values = np.array([line.scored.pit for line in own], dtype=np.float64)
    errors = np.array([line.scored.pit_error for line in own], dtype=np.float64)
    counts, _ = np.histogram(values, bins=BINS, range=(0.0, 1.0))
    return {
        "observations": len(own),
        "bins": [int(c) for c in counts],
        "mean": float(values.mean()),
        "sd": float(values.std()),
        "monte_carlo": float(np.sqrt(np.sum(errors**2))) / len(own),
    }


def _directions(lines: Sequence[Line]) -> dict[str, Any]:
    own = [line for line in lines if line.one.form == "direction"]
    right, chance, expected = [], [], []
    for line in own:
        score = line.scored.score
        each = [score.p_lower or 0.0, score.p_none or 0.0, score.p_higher or 0.0]
        place = DIRECTIONS.index(str(line.one.direction))
        right.append(float(np.argmax(each) == place))
        chance.append(each[place])
        expected.append(max(each))
    if not own:
        return {"observations": 0, "right": None, "expected": None, "chance": None, "monte_carlo": None}
    errors = np.array([line.scored.pit_error or 0.0 for line in own])
    return {
        "observations": len(own),
        "right": float(np.mean(right)),
        "expected": float(np.mean(expected)),
        "chance": float(np.mean(chance)),
        "monte_carlo": float(np.sqrt(np.sum(errors**2))) / len(own),
    }
