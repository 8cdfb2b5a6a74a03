"""How much data have told: contraction of a posterior against its prior, and what it lets one recommend."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mesolung.population.draws import PRIOR_NAME, Draws, draw_prior
from mesolung.population.posterior import latent_of
from mesolung.product.priors import priors_hash
from mesolung.streams import uniforms

Values = NDArray[np.float64]
# Below this a recommendation rests on what was assumed, not on what was learnt: no point is given.
LEAST = 0.2
RESAMPLES = 400
LEVELS = (0.05, 0.95)
RULE = (
    f"Contraction is 1 minus the variance of the posterior over that of the prior. A slope that contracts by "
    f"less than {LEAST:.0%} is told by the prior: no single number is recommended, the range is."
)


@dataclass(frozen=True)
class Contraction:
    """How far a quantity contracted.

    Attributes:
        value: 1 is known exactly, 0 nothing learnt; below 0 by chance, or where data disagree with the prior.
        low, high: 90 % bootstrap interval over draws.
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Recommendation:
    """What may be said of a decision.

    Attributes:
        contraction: of its slope.
        point: mean slope over the posterior's draws; None where no point may be given.
        low, high: 5 and 95 % of those draws.
        first_better, second_better: share of draws below and above 0.
    """

    contraction: Contraction
    point: float | None
    low: float
    high: float
    first_better: float
    second_better: float

    @property
    def refused(self) -> bool:
        """Whether a point is refused."""
        return self.point is None

    def record(self) -> dict[str, float | None]:
        """The recommendation as JSON has it."""
        return {
            "contraction": self.contraction.value,
            "contraction_low": self.contraction.low,
            "contraction_high": self.contraction.high,
            "point": self.point,
            "low": self.low,
            "high": self.high,
            "first_better": self.first_better,
            "second_better": self.second_better,
        }


def contraction(prior: Values, posterior: Values, seed: int = 1) -> Contraction:
    """Compare the spread of a quantity before and after the data.

    Arguments:
        prior, posterior: float64[D] and float64[E], the quantity in draws of each; what is not finite is left
            out.
        seed: of the bootstrap.

    Returns:
        the contraction; 0 where the prior has no spread, as there was nothing to learn.

    Source: posterior contraction, Schad 2021, doi 10.1037/met0000275.
    """
    before, after = prior[np.isfinite(prior)], posterior[np.isfinite(posterior)]
    if before.size < 2 or after.size < 2 or not before.var() > 0:
        return Contraction(0.0, 0.0, 0.0)
    if np.array_equal(before, after):
        # The same draws: nothing was learnt, exactly.
        return Contraction(0.0, 0.0, 0.0)
    again = 1.0 - _variances(after, seed, "after") / np.maximum(_variances(before, seed, "before"), 1e-300)
    low, high = np.quantile(again, LEVELS)
    return Contraction(float(1.0 - after.var() / before.var()), float(low), float(high))


def recommend(prior: Values, posterior: Values, seed: int = 1) -> Recommendation:
    """Say what may be recommended of a decision.

    Arguments:
        prior, posterior: float64[D] and float64[E], the deciding slope in draws of each: what the second
            choice gives beyond the first.
        seed: of the bootstrap.

    Returns:
        a point only where the slope contracted by `LEAST` or more; the range always.
    """
    found = contraction(prior, posterior, seed)
    known = posterior[np.isfinite(posterior)]
    if known.size == 0:
        nothing = float("nan")
        return Recommendation(found, None, nothing, nothing, nothing, nothing)
    low, high = np.quantile(known, LEVELS)
    return Recommendation(
        found,
        float(known.mean()) if found.value >= LEAST else None,
        float(low),
        float(high),
        float((known < 0).mean()),
        float((known > 0).mean()),
    )


def parameter_contractions(draws: Draws) -> dict[str, Contraction]:
    """The contraction of every parameter that differs between draws.

    Arguments:
        draws: a posterior; of a prior nothing has contracted.

    Returns:
        id -> contraction, on the scale of standard normal scores under the prior, so that a logarithm, a
        share or a spike at 0 makes no difference.
    """
    if draws.posterior.startswith(PRIOR_NAME):
        return {}
    prior = draw_prior(draws.count, priors_hash()).values
    found = {}
    for name, row in draws.parameters.items():
        if np.ptp(prior[name]) > 0:
            found[name] = contraction(latent_of(row, prior[name]), latent_of(row, draws.values[name]))
    return found


def _variances(values: Values, seed: int, purpose: str) -> Values:
    n = values.size
    rows = (uniforms(seed, f"contraction {purpose}", 0, RESAMPLES * n) * n).astype(np.intp)
    return values[rows.reshape(RESAMPLES, n)].var(axis=1)
