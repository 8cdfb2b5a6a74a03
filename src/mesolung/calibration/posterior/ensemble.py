"""The ensemble: the prior's numbered draws, with what the stages have moved of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from mesolung.biology.parameters import Parameter, Parameters
from mesolung.population.draws import Draws, draw_prior
from mesolung.population.posterior import latent_of
from mesolung.streams import typical

Values = NDArray[np.float64]
# Stored and computed with alike, so that a ladder that was cut off goes on with the very same numbers.
DIGITS = 7
# Scores beyond this are no draws but the arithmetic of tails.
FARTHEST = 6.0


@dataclass(frozen=True, eq=False)
class Ensemble:
    """Members, each a draw of all parameters.

    Attributes:
        table: of parameters.
        count: n, members; member d started from the prior's draw d.
        moved: id -> float64[n], typical values that a stage has moved, in the row's unit.
    """

    table: Parameters
    count: int
    moved: Mapping[str, Values] = field(default_factory=dict)

    def draws(self, also: str) -> Draws:
        """The members as a numbered list of draws.

        Arguments:
            also: as `mesolung.population.draws.prior_name`.
        """
        prior = draw_prior(self.count, also, self.table)
        return replace(prior, values={**prior.values, **self.moved})

    def values(self, name: str) -> Values:
        """A parameter's values, float64[n], in the row's unit."""
        return self.moved[name] if name in self.moved else self._prior(self.table[name])

    def latent(self, names: Sequence[str]) -> Values:
        """Parameters on the scale on which their priors are standard normal.

        Arguments:
            names: p of them.

        Returns:
            float64[n, p].
        """
        columns = [latent_of(self.table[name], self.values(name)) for name in names]
        return np.stack(columns, axis=1) if columns else np.empty((self.count, 0))

    def with_latent(self, names: Sequence[str], z: Values) -> Ensemble:
        """The ensemble with parameters moved.

        Arguments:
            names: p of them.
            z: float64[n, p], on the scale of `latent`.
        """
        fresh = {name: value_at(self.table[name], z[:, k]) for k, name in enumerate(names)}
        return self.with_values(fresh)

    def with_values(self, values: Mapping[str, Values]) -> Ensemble:
        """The ensemble with values put in.

        Arguments:
            values: id -> float64[n], in the row's unit.
        """
        return replace(self, moved={**self.moved, **{k: rounded(v) for k, v in values.items()}})

    def first(self, count: int) -> Ensemble:
        """The first members alone.

        Arguments:
            count: how many.
        """
        return replace(self, count=count, moved={k: v[:count] for k, v in self.moved.items()})

    def _prior(self, row: Parameter) -> Values:
        from mesolung.population.draws import PRIOR_KEY
        from mesolung.streams import uniforms

        return typical(
            row.distribution, row.value, row.uncertainty, uniforms(PRIOR_KEY, f"draw:{row.id}", 0, self.count)
        )


def value_at(row: Parameter, z: Values) -> Values:
    """The value that stands at a standard normal score of a parameter's prior.

    Arguments:
        row: of the table.
        z: float64[n].

    Returns:
        float64[n], in the row's unit.
    """
    return typical(row.distribution, row.value, row.uncertainty, ndtr(np.clip(z, -FARTHEST, FARTHEST)))


def rounded(values: Values) -> Values:
    """Values as they are stored: seven significant digits.

    Arguments:
        values: float64[n].
    """
    return np.array([float(f"{v:.{DIGITS}g}") for v in values])


def can_move(row: Parameter) -> bool:
    """Whether a parameter has an uncertainty that an ensemble can narrow: a spread, and no spike.

    Arguments:
        row: of the table.
    """
    plain = row.distribution != "fixed" and not row.distribution.startswith("spike-")
    return plain and float(row.uncertainty or 0.0) > 0.0
