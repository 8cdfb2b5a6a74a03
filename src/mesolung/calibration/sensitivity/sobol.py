"""Sobol indices: the share of an output's variance that each input makes, alone and with others.

Source: Sobol 2001, doi 10.1016/S0378-4754(00)00270-6; estimators of Saltelli 2010,
doi 10.1016/j.cpc.2009.09.018, those that SciPy's `sobol_indices` has.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import qmc

from mesolung.streams import uniforms

Values = NDArray[np.float64]
RESAMPLES = 400
LEVELS = (0.05, 0.95)
# A variance that is the solver's rounding has no shares.
LEAST_SPREAD = 1e-9


@dataclass(frozen=True)
class Design:
    """Two independent samples, and the first with one input of the second each.

    Attributes:
        a, b: float64[N, k], quantiles.
    """

    a: Values
    b: Values

    def points(self) -> Values:
        """float64[(k + 2) N, k]: a, b, then a with input 0 of b, with input 1, ..."""
        mixed = []
        for i in range(self.a.shape[1]):
            one = self.a.copy()
            one[:, i] = self.b[:, i]
            mixed.append(one)
        return np.concatenate([self.a, self.b, *mixed])


@dataclass(frozen=True)
class Indices:
    """Shares of the variance.

    Attributes:
        first, total: float64[k].
        first_interval, total_interval: float64[2, k], 90 % of bootstrap samples.
        variance: of the output, in its unit squared.
        kept: rows of the samples without a gap.
    """

    first: Values
    total: Values
    first_interval: Values
    total_interval: Values
    variance: float
    kept: int


def design(samples: int, inputs: int, seed: int) -> Design:
    """Make both samples from one Sobol sequence, shifted as a whole by the seed.

    Arguments:
        samples: N, a power of two.
        inputs: k.
        seed: of the study.

    Returns:
        the design; every number lies within (0, 1).

    Raises:
        ValueError: for a number of samples that is no power of two.
    """
    power = int(np.log2(samples))
    if 2**power != samples:
        raise ValueError(f"{samples} is no power of two")
    net = qmc.Sobol(2 * inputs, scramble=False).random_base2(power)
    shift = uniforms(seed, "sobol shift", 0, 2 * inputs)
    moved = np.clip((net + shift) % 1.0, 1e-12, 1.0 - 1e-12)
    return Design(moved[:, :inputs], moved[:, inputs:])


def indices(made: Design, values: Values, seed: int) -> Indices:
    """Work out the shares.

    Arguments:
        made: the design.
        values: float64[(k + 2) N], the output at its points; a row with a gap (nan) in any of its k + 2
            points is left out.
        seed: of the bootstrap.

    Returns:
        the shares; nan where the output does not vary or fewer than two rows are left.
    """
    samples, k = made.a.shape
    table = values.reshape(k + 2, samples)
    table = table[:, np.isfinite(table).all(axis=0)]
    count = table.shape[1]
    spread = float(table[:2].std()) if count else 0.0
    scale = float(np.abs(table[:2]).max(initial=0.0))
    if count < 2 or spread <= LEAST_SPREAD * max(scale, LEAST_SPREAD):
        nothing = np.full(k, np.nan)
        both = np.full((2, k), np.nan)
        return Indices(nothing, nothing, both, both, spread**2, count)
    # A mean that is large beside the spread would drown the products.
    table = (table - table[:2].mean()) / spread
    first, total = _estimates(table)
    picked = (uniforms(seed, "sobol bootstrap", 0, RESAMPLES * count) * count).astype(np.intp)
    again = [_estimates(table[:, rows]) for rows in picked.reshape(RESAMPLES, count)]
    # A resample of few rows may have no variance at all; it says nothing of shares.
    bands = [np.nanquantile(np.array([one[n] for one in again]), LEVELS, axis=0) for n in (0, 1)]
    return Indices(first, total, bands[0], bands[1], spread**2, count)


def _estimates(table: Values) -> tuple[Values, Values]:
    """Saltelli's estimator of what an input does alone, Jansen's of what it does in all."""
    a, b, mixed = table[0], table[1], table[2:]
    variance = table[:2].var()
    if not variance > LEAST_SPREAD**2:
        return np.full(len(mixed), np.nan), np.full(len(mixed), np.nan)
    first = (b * (mixed - a)).mean(axis=1) / variance
    total = 0.5 * ((a - mixed) ** 2).mean(axis=1) / variance
    return first, total
