"""CRPS and cumulative probabilities of the predictive mixtures that scores are of.

Source: Gneiting and Raftery 2007 J Am Stat Assoc 102:359, doi 10.1198/016214506000001437; of a mixture of
normals Grimit et al. 2006 Q J R Meteorol Soc 132:2925, doi 10.1256/qj.05.235.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betainc, gammaincc, ndtr

from mesolung.study.likelihoods import LOG_ROOT_TWO_PI

Values = NDArray[np.float64]
LONGEST_TABLE = 20_000


def normal_crps(observed: float, centres: ArrayLike, error: float) -> float:
    """CRPS of an equal mixture of normal distributions with one standard deviation.

    Arguments:
        observed: the value.
        centres: float64[D], means of the components.
        error: their standard deviation, > 0, in the same unit.

    Returns:
        float, in that unit; 0 is best.
    """
    at = np.asarray(centres, dtype=np.float64)
    return float(normal_crps_by_block(observed, at, error, np.zeros(at.size, np.intp), 0)[0])


def normal_crps_by_block(
    observed: float, centres: Values, error: float, block: NDArray[np.intp], blocks: int
) -> Values:
    """As `normal_crps`, with all components and with each block of them left out.

    Arguments:
        observed, centres, error: as there.
        block: intp[D], block of each component.
        blocks: K.

    Returns:
        float64[1 + K]; nan where nothing is left.
    """
    near = _folded(observed - centres, error)
    apart = _folded(centres[:, None] - centres[None, :], float(np.sqrt(2.0) * error))
    member = np.vstack([np.zeros(centres.size), block == np.arange(blocks)[:, None]]).astype(np.float64)
    kept = 1.0 - member
    count = kept.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        pairs = np.einsum("ki,ij,kj->k", kept, apart, kept, optimize=True)
        return kept @ near / count - 0.5 * pairs / count**2


def _folded(distance: Values, sd: float) -> Values:
    """E|X| of X normal with this mean and standard deviation."""
    z = distance / sd
    return distance * (2.0 * ndtr(z) - 1.0) + 2.0 * sd * np.exp(-0.5 * z * z - LOG_ROOT_TWO_PI)


def sample_crps(observed: float, sample: ArrayLike) -> float:
    """CRPS of the distribution that a sample was drawn from, without the bias of a finite sample.

    Arguments:
        observed: the value.
        sample: float64[R], at least two.

    Returns:
        float, in the sample's unit.

    Source: Zamo and Naveau 2018 Math Geosci 50:209, doi 10.1007/s11004-017-9709-7 ("fair").
    """
    x = np.sort(np.asarray(sample, dtype=np.float64))
    r = x.size
    # Sum over pairs of |x_i - x_j| by ranks.
    spread = 2.0 * float(np.sum((2.0 * np.arange(1, r + 1) - r - 1) * x)) / (r * (r - 1))
    return float(np.abs(x - observed).mean() - 0.5 * spread)


def counted(limit: int) -> Values:
    """Counts at which the cumulative probabilities of a distribution of counts are taken.

    Arguments:
        limit: largest count with a probability worth counting.

    Returns:
        float64[k], every count from 0, or equal steps where there are more than `LONGEST_TABLE`.
    """
    step = max(1, -(-limit // LONGEST_TABLE))
    return np.arange(0, limit + step, step, dtype=np.float64)


def counts_crps(observed: float, k: Values, below: Values) -> float:
    """CRPS of a distribution of counts.

    Arguments:
        observed: the count.
        k: float64[n], counts from `counted`.
        below: float64[n], probability of at most so many.

    Returns:
        float, in counts.
    """
    step = float(k[1] - k[0]) if k.size > 1 else 1.0
    beyond = max(0.0, observed - float(k[-1]) - 1.0)
    return step * float(np.sum((below - (k >= observed)) ** 2)) + beyond


def binomial_each(share: Values, n: int) -> Callable[[Values], Values]:
    """Cumulative probability of each component of a mixture of binomials.

    Arguments:
        share: float64[D].
        n: subjects.

    Returns:
        function of counts float64[k] that gives float64[D, k].
    """

    def below(k: Values) -> Values:
        whole = np.clip(np.asarray(k, np.float64), -1.0, float(n))
        inner = np.clip(whole, 0.0, n - 1.0)
        found = 1.0 - betainc(inner + 1.0, n - inner, share[:, None])
        return np.where(whole >= n, 1.0, np.where(whole < 0, 0.0, found))

    return below


def events_each(mean: Values, variance: Values) -> Callable[[Values], Values]:
    """Cumulative probability of each component of a mixture of negative binomials.

    Arguments:
        mean, variance: float64[D]; Poisson where the variance does not exceed the mean.

    Returns:
        function of counts float64[k] that gives float64[D, k].
    """
    excess = variance - mean
    over = excess > 1e-9 * np.maximum(mean, 1e-300)
    size = np.where(over, mean**2 / np.where(over, excess, 1.0), 1.0)
    chance = size / (size + mean)

    def below(k: Values) -> Values:
        whole = np.maximum(np.asarray(k, np.float64), 0.0)[None, :]
        of_events = betainc(size[:, None], whole + 1.0, chance[:, None])
        of_poisson = gammaincc(whole + 1.0, mean[:, None])
        return np.where(np.asarray(k)[None, :] < 0, 0.0, np.where(over[:, None], of_events, of_poisson))

    return below


def log_mixture_by_block(terms: Values, block: NDArray[np.intp], blocks: int) -> Values:
    """Log of the mean likelihood over components, with all of them and with each block left out.

    Arguments:
        terms: float64[n], log-likelihood of each component; nan is left out.
        block: intp[n], block of each component.
        blocks: K.

    Returns:
        float64[1 + K]; nan where no component is left, -inf where none allows the value.
    """
    known = ~np.isnan(terms)
    top = float(np.max(terms[known], initial=-np.inf))
    if not np.isfinite(top):
        return np.full(1 + blocks, top if known.any() else np.nan)
    each = np.where(known, np.exp(np.where(known, terms, top) - top), 0.0)
    sums = np.bincount(block, each, blocks)
    counts = np.bincount(block, known.astype(np.float64), blocks)
    with np.errstate(divide="ignore", invalid="ignore"):
        left = np.log((sums.sum() - sums) / (counts.sum() - counts))
        return top + np.concatenate([[np.log(sums.sum() / counts.sum())], left])
