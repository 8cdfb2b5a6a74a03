"""Ensemble smoother with multiple data assimilation: parameters move as they go with what is observed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

Values = NDArray[np.float64]

# What nobody in the ensemble can reach counts for less: its error is widened until it lies so many standard
# deviations away. The ladder's own fit squeezes far targets likewise (Huber).
FARTHEST = 3.0
# An observation that fewer members than this can be compared with tells nothing in that assimilation.
LEAST_KNOWN = 0.5


@dataclass(frozen=True)
class Observed:
    """What an ensemble is held against.

    Attributes:
        values: float64[m], on the scale on which errors are normal.
        errors: float64[m], standard deviation of what was published and of what the model leaves out.
        series: m labels; observations of one series share a model discrepancy.
        discrepancy: standard deviation of that shared part.
    """

    values: Values
    errors: Values
    series: Sequence[str]
    discrepancy: float = 0.0

    def covariance(self, widened: Values | None = None) -> Values:
        """Of the errors, float64[m, m].

        Arguments:
            widened: float64[m], factors on the errors; None for 1.
        """
        factor = np.ones(self.values.size) if widened is None else widened
        same = np.equal.outer(np.asarray(self.series, object), np.asarray(self.series, object))
        shared = self.discrepancy**2 * same.astype(np.float64)
        return (np.diag(self.errors**2) + shared) * np.outer(factor, factor)


def completed(predicted: Values) -> tuple[Values, NDArray[np.bool_]]:
    """Fill what single members cannot tell, and say which observations are told by enough of them.

    Arguments:
        predicted: float64[n, m]; nan where a member has nobody to take a number from.

    Returns:
        float64[n, m] in which a gap holds the mean of those who know, so that it pulls nobody; and bool[m].
    """
    known = np.isfinite(predicted)
    told = known.mean(axis=0) >= LEAST_KNOWN
    middle = np.where(known, predicted, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    return np.where(known, predicted, middle[None, :]), np.asarray(told)


def widening(predicted: Values, observed: Observed) -> Values:
    """Widen the errors of what the ensemble is far from.

    Arguments:
        predicted: float64[n, m], complete.
        observed: what it is held against.

    Returns:
        float64[m], factors of 1 or more on the errors.
    """
    away = np.abs(observed.values - predicted.mean(axis=0))
    error = np.diag(observed.covariance())
    needed = (away / FARTHEST) ** 2 - predicted.var(axis=0)
    return np.sqrt(np.maximum(needed / error, 1.0))


def localised(cross: Values, own: Values, theirs: Values, count: int) -> Values:
    """Shrink covariances that an ensemble of this size cannot tell from 0.

    Arguments:
        cross: float64[p, m], sample covariances.
        own, theirs: float64[p] and float64[m], sample variances.
        count: members.

    Returns:
        float64[p, m].

    Source: the taper of least expected squared error, Furrer and Bengtsson 2007 J Multivar Anal 98:227, doi
        10.1016/j.jmva.2006.08.003.
    """
    squares = cross**2
    noise = (squares + own[:, None] * theirs[None, :]) / count
    return cross * squares / np.maximum(squares + noise, 1e-300)


def assimilate(z: Values, predicted: Values, observed: Observed, inflation: float, noise: Values) -> Values:
    """Move an ensemble towards what was observed, once.

    Arguments:
        z: float64[n, p], parameters on a scale on which the prior is normal.
        predicted: float64[n, m], what each member gives; complete.
        observed: what was observed.
        inflation: factor on the errors' covariance; over all assimilations the inverses add up to 1.
        noise: float64[n, m], standard normal, of the perturbed observations.

    Returns:
        float64[n, p].

    Source: Emerick and Reynolds 2013 Comput Geosci 55:3, doi 10.1016/j.cageo.2012.03.011; one assimilation
        with inflation 1 is the ensemble smoother of van Leeuwen and Evensen 1996.
    """
    count = z.shape[0]
    error = inflation * observed.covariance()
    dz, dd = z - z.mean(axis=0), predicted - predicted.mean(axis=0)
    cross = localised(dz.T @ dd / (count - 1), z.var(axis=0, ddof=1), predicted.var(axis=0, ddof=1), count)
    total = dd.T @ dd / (count - 1) + error
    # Centred, so that a small ensemble's mean is not moved by the luck of its noise.
    perturbed = (noise - noise.mean(axis=0)) @ np.linalg.cholesky(error).T
    away = observed.values[None, :] + perturbed - predicted
    return z + cho_solve(cho_factor(total), away.T).T @ cross.T
