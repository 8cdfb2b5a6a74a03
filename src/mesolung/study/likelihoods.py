"""How probable a published number is under each draw: log-likelihoods, their mixtures, standard errors."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gammaln, logsumexp, ndtri, xlog1py, xlogy

from mesolung.trial.contrasts import is_ratio
from mesolung.trial.outcomes import Floats

NORMAL_975 = float(ndtri(0.975))
LOG_ROOT_TWO_PI = 0.5 * np.log(2.0 * np.pi)


def shares(expected: ArrayLike, least: ArrayLike = 0.0) -> Floats:
    """Expected shares of subjects, kept from `least` to 1 - `least`.

    Args:
        expected: float64[D]; may leave 0 to 1 by rounding.
        least: float or float64[D], the smallest share that the subjects behind `expected` can tell from 0.

    Raises:
        ValueError: a share further outside 0 to 1 than rounding goes.
    """
    values = np.asarray(expected, dtype=np.float64)
    if np.any((values < -1e-9) | (values > 1 + 1e-9)):
        raise ValueError("an expected share of subjects lies outside 0 to 1")
    low = np.asarray(least, dtype=np.float64)
    return np.clip(values, low, 1.0 - low)


def events_log_likelihood(events: int, n: int, expected: ArrayLike) -> Floats:
    """Log of Binomial(n, expected) at the observed number of events.

    Args:
        events: subjects with the event, 0 to n.
        n: subjects observed.
        expected: float64[D], expected share of subjects with the event in each draw.

    Returns:
        float64[D]; nan where `expected` is nan.

    Raises:
        ValueError: events outside 0 to n, or an expected share outside 0 to 1.
    """
    share = shares(expected)
    if not 0 <= events <= n:
        raise ValueError(f"{events} events of {n} subjects")
    ways = gammaln(n + 1) - gammaln(events + 1) - gammaln(n - events + 1)
    return ways + xlogy(events, share) + xlog1py(n - events, -share)


def normal_log_likelihood(observed: float, standard_error: float, expected: ArrayLike) -> Floats:
    """Log density of Normal(expected, standard error) at the observed value, in the observation's unit.

    Args:
        observed: the published value (already a natural logarithm where the scale is one).
        standard_error: its published standard error, > 0, on the same scale.
        expected: float64[D], the expected value in each draw.

    Returns:
        float64[D]; nan where `expected` is nan.
    """
    distance = (observed - np.asarray(expected, dtype=np.float64)) / standard_error
    return -0.5 * distance**2 - np.log(standard_error) - LOG_ROOT_TWO_PI


def contrast_log_likelihood(value: float, standard_error: float, measure: str, expected: ArrayLike) -> Floats:
    """Log density of a published contrast: of its natural logarithm for a ratio, of itself for a difference.

    Args:
        value: the published contrast.
        standard_error: as `contrast_standard_error` gives it (of the logarithm for a ratio).
        measure: the measure.
        expected: float64[D], the expected contrast in each draw, on its own scale.

    Returns:
        float64[D]; nan where `expected` is nan, or not positive for a ratio.
    """
    wanted = np.asarray(expected, dtype=np.float64)
    if not is_ratio(measure):
        return normal_log_likelihood(value, standard_error, wanted)
    positive = (wanted > 0) & np.isfinite(wanted)
    return normal_log_likelihood(
        float(np.log(value)),
        standard_error,
        np.where(positive, np.log(np.where(positive, wanted, 1.0)), np.nan),
    )


def event_count_log_likelihood(count: float, expected: ArrayLike, variance: ArrayLike) -> Floats:
    """Log of a negative binomial with each draw's mean and variance, at an arm's total number of events.

    Args:
        count: events of the whole arm, >= 0.
        expected: float64[D], expected total of an arm of that size.
        variance: float64[D], its variance; where it does not exceed the mean, Poisson takes its place.

    Returns:
        float64[D]; nan where either is nan.
    """
    mean, spread = np.broadcast_arrays(np.asarray(expected, np.float64), np.asarray(variance, np.float64))
    excess = spread - mean
    over = excess > 1e-9 * np.maximum(mean, 1e-300)
    size = np.where(over, mean**2 / np.where(over, excess, 1.0), 1.0)
    negative = (
        gammaln(count + size)
        - gammaln(size)
        + xlogy(count, mean / (size + mean))
        - size * np.log1p(mean / size)
    )
    result = np.where(over, negative, xlogy(count, mean) - mean) - gammaln(count + 1.0)
    return np.where(np.isnan(mean) | np.isnan(spread), np.nan, result)


def median_log_kernels(observed: float, simulated: ArrayLike, scale: str = "linear") -> Floats:
    """Log of each simulated median's Gaussian kernel at the observed one; their mixture is the density.

    Bandwidth: Silverman's rule 0.9 min(sd, IQR / 1.34) R^(-1/5). On the log scale the kernels are of
    logarithms and the density is carried back to the observation's unit. Where the simulated medians (nearly)
    coincide the bandwidth is at least 0.5 % of the largest magnitude: a published median is rounded, and a
    density is finite.

    Args:
        observed: the published median.
        simulated: float64[R], medians of simulated arms with the observation's number of subjects.
        scale: "log" for endpoints on the log scale (used when all values are positive), else "linear".

    Returns:
        float64[R]; nan where the simulated median is nan.
    """
    medians = np.asarray(simulated, dtype=np.float64)
    known = medians[~np.isnan(medians)]
    log = scale == "log" and observed > 0 and bool(np.all(known > 0))
    points = np.log(np.where(medians > 0, medians, np.nan)) if log else medians
    target = float(np.log(observed)) if log else observed
    usable = points[~np.isnan(points)]
    if usable.size == 0:
        return np.full(medians.shape, np.nan)
    spread = float(usable.std(ddof=1)) if usable.size > 1 else 0.0
    quartile = float(np.subtract(*np.quantile(usable, [0.75, 0.25]))) / 1.34
    narrow = min(x for x in (spread, quartile, np.inf) if x > 0)
    least = 0.005 * (1.0 if log else max(abs(observed), float(np.max(np.abs(known))), 1e-300))
    silverman = 0.9 * narrow * usable.size**-0.2 if np.isfinite(narrow) else 0.0
    return normal_log_likelihood(target, max(silverman, least), points) - (target if log else 0.0)


def log_mixture(log_likelihoods: ArrayLike) -> float | None:
    """Log of the mean likelihood over draws without the nan; None without any, -inf when impossible."""
    values = np.asarray(log_likelihoods, dtype=np.float64)
    known = values[~np.isnan(values)]
    return float(logsumexp(known) - np.log(known.size)) if known.size else None


def standard_error(
    sd: float | None = None,
    se: float | None = None,
    ci95: tuple[float, float] | None = None,
    n: int | None = None,
) -> float | None:
    """The standard error of a published mean, from what was printed.

    Args:
        sd: standard deviation between subjects; needs `n`.
        se: standard error itself; taken first.
        ci95: 95 % confidence limits, taken as symmetric on a normal scale.
        n: subjects.

    Returns:
        The standard error in the mean's unit, or None when what was printed does not give a positive one.
    """
    if se is not None:
        found = se
    elif ci95 is not None:
        found = (ci95[1] - ci95[0]) / (2.0 * NORMAL_975)
    elif sd is not None and n:
        found = sd / np.sqrt(n)
    else:
        return None
    return float(found) if np.isfinite(found) and found > 0 else None


def contrast_standard_error(
    value: float,
    measure: str,
    *,
    ci95: tuple[float, float] | None = None,
    p: float | None = None,
    se: float | None = None,
) -> float | None:
    """The standard error of a published contrast: of its natural logarithm for a ratio.

    Args:
        value: the published contrast.
        measure: the measure; decides the scale.
        ci95: 95 % confidence limits on the printed scale.
        p: two-sided p-value, read as of a normal test of no effect; used without the others.
        se: standard error on the measure's scale; taken first.

    Returns:
        The standard error, or None when it cannot be told (no spread, a ratio or limit of 0, p = 0 or 1, or a
        value that is exactly no effect with only a p).
    """
    log = is_ratio(measure)
    if se is not None:
        found = se
    elif ci95 is not None:
        if log and min(ci95) <= 0:
            return None
        low, high = (float(np.log(x)) if log else x for x in ci95)
        found = (high - low) / (2.0 * NORMAL_975)
    elif p is not None and 0 < p < 1 and not (log and value <= 0):
        found = abs(float(np.log(value)) if log else value) / float(ndtri(1.0 - p / 2.0))
    else:
        return None
    return float(found) if np.isfinite(found) and found > 0 and not (log and value <= 0) else None
