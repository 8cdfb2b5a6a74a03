"""What an experiment is worth: how far its result moves the carriers' weights, and the decision.

Source: expected information gain, Lindley 1956, doi 10.1214/aoms/1177728069; nested Monte Carlo of it, Ryan
2003, doi 10.1198/1061860032012.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from mesolung.streams import normals, uniforms

Values = NDArray[np.float64]
# Results that each draw of each variant could give.
RESULTS = 4
RESAMPLES = 400
LEVELS = (0.05, 0.95)
# Less than this many bits is rounding.
NOTHING = 1e-9


@dataclass(frozen=True)
class Estimate:
    """A number with its 90 % Monte-Carlo interval, from draws drawn again."""

    value: float
    low: float
    high: float

    def record(self) -> dict[str, float]:
        """The estimate as JSON has it."""
        return {"value": self.value, "low": self.low, "high": self.high}


@dataclass(frozen=True)
class Worth:
    """What an experiment is worth.

    Attributes:
        gain: expected information on which variant is true, bits.
        changed: expected change of the weights, half the sum of their absolute differences.
        decision: probability that the recommended action changes.
        value: expected rise of the benefit of what is then recommended, in its unit.
        power: probability that the true variant's weight reaches the bound, over variants by weight.
        power_of: the same for each variant.
    """

    gain: Estimate
    changed: Estimate
    decision: Estimate
    value: Estimate
    power: Estimate
    power_of: tuple[Estimate, ...]


def worth(
    mean: Values, noise: Values, weights: Values, benefit: Values, *, bound: float, seed: int = 1
) -> Worth:
    """Judge an experiment.

    Arguments:
        mean: float64[V, D, m], what it would show without noise, in each draw of each variant; draw d has the
            same nuisance in all variants. Draws with a gap (nan) are left out.
        noise: float64[m, m], covariance of its results.
        weights: float64[V], prior weights of the variants.
        benefit: float64[V, D, A], of each action; doing nothing is one more, with 0.
        bound: weight that the true variant is to reach.
        seed: of the results.

    Returns:
        the worth; of variants that show the same exactly 0.

    Raises:
        ValueError: for fewer than three draws without a gap.
    """
    whole = np.isfinite(mean).all(axis=(0, 2)) & np.isfinite(benefit).all(axis=(0, 2))
    mean, benefit = mean[:, whole], benefit[:, whole]
    variants, draws, m = mean.shape
    if draws < 3:
        raise ValueError(f"{draws} draws are too few")
    benefit = np.concatenate([np.zeros((variants, draws, 1)), benefit], axis=2)
    # A few draws stand for a smooth spread: each is widened by Silverman's rule.
    narrow = (4.0 / (draws * (m + 2.0))) ** (1.0 / (m + 4.0))
    within = mean.var(axis=1, ddof=1).mean(axis=0)
    total = noise + np.diag(narrow**2 * within)
    lower = np.linalg.cholesky(total + 1e-12 * np.trace(total) / m * np.eye(m))
    seen = np.linalg.solve(lower, mean.reshape(-1, m).T).T.reshape(variants, draws, m)
    root = np.linalg.cholesky(noise + 1e-12 * np.trace(noise) / m * np.eye(m))
    eps = np.stack([normals(seed, "result", s, draws * m).reshape(draws, m) for s in range(RESULTS)])
    shift = np.linalg.solve(lower, (root @ eps.reshape(-1, m).T)).T.reshape(RESULTS, draws, m)
    prior = np.log(weights)
    found = np.zeros((variants, draws, 5))
    for d in range(draws):
        # The draw that made a result is not among those it is compared with: nobody has the truth in hand.
        others = np.delete(np.arange(draws), d)
        flat = weights[:, None, None] * benefit[:, others] / others.size
        usual = int(np.argmax(flat.sum(axis=(0, 1))))
        results = seen[:, d, None, :] + shift[:, d][None]
        away = results[:, :, None, None, :] - seen[None, None][:, :, :, others]
        log = -0.5 * np.square(away).sum(axis=-1)
        by_variant = logsumexp(log, axis=3) - np.log(others.size) + prior
        post = np.exp(by_variant - logsumexp(by_variant, axis=2, keepdims=True))
        joint = log + prior[:, None]
        joint = np.exp(joint - logsumexp(joint, axis=(2, 3), keepdims=True))
        expected = np.einsum("vsuk,uka->vsa", joint, benefit[:, others])
        best = _best(expected, usual)
        with np.errstate(divide="ignore", invalid="ignore"):
            bits = np.where(post > 0, post * np.log2(post / weights), 0.0).sum(axis=2)
        rise = np.take_along_axis(expected, best[..., None], 2)[..., 0] - expected[..., usual]
        own = np.take_along_axis(post, np.arange(variants)[:, None, None], 2)[..., 0]
        columns = (
            bits,
            0.5 * np.abs(post - weights).sum(axis=2),
            (best != usual).astype(float),
            rise,
            (own >= bound).astype(float),
        )
        found[:, d] = np.stack([one.mean(axis=1) for one in columns], axis=1)
    found[..., 0] = np.where(np.abs(found[..., 0]) < NOTHING, 0.0, found[..., 0])
    of_draw = np.einsum("v,vdq->dq", weights, found)
    again = _resampled(draws, seed)
    gain, changed, decision, value, power = (_estimate(of_draw[:, q], again) for q in range(5))
    each = tuple(_estimate(found[v, :, 4], again) for v in range(variants))
    return Worth(gain, changed, decision, value, power, each)


def _best(expected: Values, usual: int) -> NDArray[np.intp]:
    """The best action; what was best before stays so unless another is better by more than rounding."""
    top = expected.max(axis=2)
    near = 1e-12 * np.maximum(np.abs(expected).max(axis=2), 1e-300)
    return np.where(expected[..., usual] >= top - near, usual, expected.argmax(axis=2))


def _resampled(draws: int, seed: int) -> Values:
    """float64[B, D], how often each draw is drawn again, as a share."""
    rows = (uniforms(seed, "worth bootstrap", 0, RESAMPLES * draws) * draws).astype(np.intp)
    table = rows.reshape(RESAMPLES, draws)
    return np.stack([np.bincount(row, minlength=draws) for row in table]) / draws


def _estimate(values: Values, again: Values) -> Estimate:
    low, high = np.quantile(again @ values, LEVELS)
    return Estimate(float(values.mean()), float(low), float(high))
