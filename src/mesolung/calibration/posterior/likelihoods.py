"""How likely published relations are under each member, laboratory by laboratory."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.polynomial.hermite_e import hermegauss
from numpy.typing import NDArray
from scipy.special import logsumexp, ndtr

from mesolung.calibration.posterior.experiments import Told, laboratory_of
from mesolung.calibration.verdict import NORMAL_95

Values = NDArray[np.float64]
# assumed: effects of one laboratory differ from another's by so much on the natural-log scale, all of them in
# one direction: animals, surgery, lots and who reports.
LABORATORY_SD = 0.4
NODES = 9
# assumed: of a ratio, level or difference that was printed without an error.
UNKNOWN_ERROR = 0.5
# assumed: levels of two laboratories differ by more than effects do.
OF_LEVELS = 0.5
# assumed: arms closer than this part of their level are in no order.
OF_ORDERS = 0.15
# assumed: one result in twenty says nothing of the mechanisms in the model.
BESIDE_THE_MODEL = 0.05
WIDE = 2.0
# assumed: results of one study are of the same animals; however many, they count as so many.
A_STUDY_COUNTS = 3.0
MOST_ERRORS = 3.0


def by_laboratory(told: Sequence[Told], discrepancy: float) -> dict[str, Values]:
    """Likelihood of each laboratory's results, its own effect integrated out.

    Arguments:
        told: what members give for relations.
        discrepancy: of the model, on the natural-log scale.

    Returns:
        laboratory -> float64[n], natural log; n members.

    Source: a normal laboratory effect shared by its studies, by Gauss-Hermite quadrature.
    """
    nodes, weights = hermegauss(NODES)
    count = {t.relation.study: 0 for t in told}
    for t in told:
        count[t.relation.study] += 1
    found: dict[str, Values] = {}
    for t in told:
        power = min(1.0, A_STUDY_COUNTS / count[t.relation.study])
        own = np.stack([log_likelihood(t, LABORATORY_SD * float(b), discrepancy) for b in nodes])
        name = laboratory_of(t.relation.study)
        found[name] = found.get(name, np.zeros(own.shape)) + power * own
    log_weights = np.log(weights / weights.sum())[:, None]
    return {name: np.asarray(logsumexp(own + log_weights, axis=0)) for name, own in found.items()}


def log_likelihood(told: Told, benefit: float, discrepancy: float) -> Values:
    """Natural log of how likely one relation is under each member.

    Arguments:
        told: what members give for it.
        benefit: the laboratory's effect, natural log of a ratio, towards what is better.
        discrepancy: of the model, on the natural-log scale.

    Returns:
        float64[n]; 0 for a member that has no finite answer.
    """
    relation = told.relation
    if relation.measure == "order":
        inside = _order(told)
    elif relation.measure == "direction":
        inside = _direction(told, benefit)
    else:
        inside = _number(told, benefit, discrepancy)
    mixed = np.log((1.0 - BESIDE_THE_MODEL) * inside[0] + BESIDE_THE_MODEL * inside[1])
    return np.where(np.isfinite(mixed), mixed, 0.0)


def _direction(told: Told, benefit: float) -> tuple[Values, float]:
    """Chance that the experiment's own 5 % test shows the published class; a third for what says nothing."""
    with np.errstate(divide="ignore", invalid="ignore"):
        z = told.values / max(told.error, 1e-300)
        moved = told.better * benefit * np.abs(told.level) / max(told.error, 1e-300)
    z = z + np.clip(np.nan_to_num(moved), -MOST_ERRORS, MOST_ERRORS)
    lower, higher = ndtr(-NORMAL_95 - z), ndtr(z - NORMAL_95)
    chance = {"lower": lower, "higher": higher}.get(str(told.relation.published), 1.0 - lower - higher)
    return np.asarray(chance), 1.0 / 3.0


def _order(told: Told) -> tuple[Values, float]:
    size = OF_ORDERS * np.maximum(np.nanmean(np.abs(told.orders), axis=0), 1e-300)
    steps = np.diff(told.orders, axis=0) / size
    pairs = len(told.orders) - 1
    return np.prod(ndtr(steps), axis=0), 0.5**pairs


def _number(told: Told, benefit: float, discrepancy: float) -> tuple[Values, Values]:
    relation = told.relation
    published = float(relation.published)  # type: ignore[arg-type]
    if relation.measure == "difference":
        scale = max(abs(published), 1e-300)
        away = (told.values - published) / scale
        error = math.hypot(_width(relation.low, relation.high, scale), discrepancy)
    else:
        values = np.where(told.values > 0.0, told.values, np.nan)
        shift = told.better * benefit if relation.measure == "ratio" else 0.0
        away = np.log(values) + shift - math.log(max(published, 1e-300))
        low, high = relation.low, relation.high
        known = low is not None and high is not None and low > 0.0 and high > low
        own = math.log(high / low) / (2.0 * NORMAL_95) if known else UNKNOWN_ERROR  # type: ignore[operator]
        error = math.hypot(own, discrepancy)
        if relation.measure == "level":
            error = math.hypot(error, OF_LEVELS)
    return _density(away, error), _density(away, WIDE)


def _density(away: Values, error: float) -> Values:
    return np.exp(-0.5 * (away / error) ** 2) / (error * math.sqrt(2.0 * math.pi))


def _width(low: float | None, high: float | None, scale: float) -> float:
    if low is None or high is None:
        return UNKNOWN_ERROR
    return (high - low) / (2.0 * NORMAL_95) / scale


def together(by_name: Mapping[str, Values]) -> Values:
    """Of all laboratories or trials together, float64[n]."""
    return np.sum(list(by_name.values()), axis=0)
