"""Members moved as whole blocks: resampled by weights, and shaken so that no two are the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mesolung.biology.parameters import Parameter, Parameters
from mesolung.calibration.posterior.ensemble import FARTHEST, Ensemble
from mesolung.population.posterior import latent_of
from mesolung.streams import vary
from mesolung.streams.families import SPIKE

Values = NDArray[np.float64]
Places = NDArray[np.intp]
# What a copy keeps of its origin; the rest is drawn anew around all members, so that mean and spread stay.
KEPT = 0.95


def scores(row: Parameter, values: Values) -> Values:
    """Standard normal scores of a parameter; of a spike's slab where it is on.

    Arguments:
        row: of the table.
        values: float64[n], in its unit.

    Returns:
        float64[n]; nan where a spike has switched it off.
    """
    if not row.distribution.startswith(SPIKE):
        return latent_of(row, values)
    plain = _slab(row)
    off = values == 0.0
    return np.where(off, np.nan, latent_of(plain, np.where(off, row.value, values)))


def value_of(row: Parameter, z: Values) -> Values:
    """The values at scores from `scores`; 0 where they are nan.

    Arguments:
        row: of the table.
        z: float64[n].
    """
    plain = _slab(row)
    bounded = np.clip(np.nan_to_num(z), -FARTHEST, FARTHEST)
    found = vary(plain.distribution, row.value, float(plain.uncertainty or 0.0), bounded)
    return np.where(np.isnan(z), 0.0, found)


def copied(
    ensemble: Ensemble,
    names: Sequence[str],
    of: Places,
    weights: Values,
    shaken: NDArray[np.bool_],
    noise: Values,
) -> Ensemble:
    """Give members the blocks of others.

    Arguments:
        ensemble: the members.
        names: p parameters of the block.
        of: intp[n], whose block each member gets.
        weights: float64[n], of the members as they are: what a copy is drawn around.
        shaken: bool[n], which members' blocks are to differ a little from what they were copied from.
        noise: float64[n, p], standard normal.

    Returns:
        the ensemble. What a spike has switched off stays off in a copy.

    Source: kernel that keeps mean and variance, Liu and West 2001.
    """
    width = np.sqrt(1.0 - KEPT**2)
    fresh = {}
    for k, name in enumerate(names):
        row = ensemble.table[name]
        z = scores(row, ensemble.values(name))
        known = np.isfinite(z)
        if not known.any():
            continue
        w = weights[known] / weights[known].sum()
        middle = float((w * z[known]).sum())
        sd = float(np.sqrt((w * (z[known] - middle) ** 2).sum()))
        moved = KEPT * z[of] + (1.0 - KEPT) * middle + width * sd * noise[:, k]
        found = value_of(row, np.where(shaken, moved, z[of]))
        own = ensemble.values(name)[of]
        fresh[name] = np.where(shaken, found, own)
    return ensemble.with_values(fresh)


def systematic(weights: Values, count: int, u: float) -> Places:
    """Pick places in proportion to weights, as evenly as can be.

    Arguments:
        weights: float64[k], not negative.
        count: how many.
        u: uniform on (0, 1).

    Returns:
        intp[count], rising.
    """
    edges = np.cumsum(weights) / weights.sum()
    return np.minimum(np.searchsorted(edges, (np.arange(count) + u) / count), len(weights) - 1)


def effective(weights: Values) -> float:
    """Effective number of weighted members (Kish 1965).

    Arguments:
        weights: float64[k].
    """
    return float(weights.sum() ** 2 / (weights**2).sum())


def can_be_off(table: Parameters, name: str) -> bool:
    """Whether a parameter has a spike at 0."""
    return table[name].distribution.startswith(SPIKE)


def _slab(row: Parameter) -> Parameter:
    if not row.distribution.startswith(SPIKE):
        return row
    spread = row.uncertainty.split(";")[1]
    return replace(row, distribution=row.distribution.removeprefix(SPIKE), uncertainty=spread)
