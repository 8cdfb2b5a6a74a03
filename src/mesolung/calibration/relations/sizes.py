"""Published numbers and their intervals, as relations use them."""

from __future__ import annotations

import math

from scipy.stats import beta

from mesolung.study.basis import error_of, stated
from mesolung.study.likelihoods import NORMAL_975
from mesolung.study.observation import Observation


def number_of(one: Observation) -> float:
    """The number of an observation that is neither a comparison nor a direction.

    Arguments:
        one: of form mean, median, value, events or event_count.

    Returns:
        it in the endpoint's base unit; of events the share.
    """
    if one.form == "events":
        return stated(one.events) / stated(one.n)
    return float(stated({"mean": one.mean, "median": one.median}.get(one.form, one.value)))


def interval_of(one: Observation) -> tuple[float, float] | None:
    """The published 95 % interval of a number; of a median its quartiles; None where nothing was printed.

    Arguments:
        one: as `number_of`. Of events the exact interval of Clopper and Pearson 1934, doi
            10.1093/biomet/26.4.404.
    """
    if one.form == "events":
        k, n = stated(one.events), stated(one.n)
        low = 0.0 if k == 0 else float(beta.ppf(0.025, k, n - k + 1))
        return low, 1.0 if k == n else float(beta.ppf(0.975, k + 1, n - k))
    if one.form == "median":
        return one.iqr
    error = error_of(one)
    if error is None:
        return None
    middle = number_of(one)
    return middle - NORMAL_975 * error, middle + NORMAL_975 * error


def ratio_interval(one: Observation, other: Observation) -> tuple[float, float] | None:
    """The 95 % interval of a ratio of two numbers, from their standard errors; None without both.

    Arguments:
        one, other: above and below the line, both positive.

    Source: delta method on the natural logarithm (Hedges, Gurevitch and Curtis 1999, doi
        10.1890/0012-9658(1999)080[1150:TMAORR]2.0.CO;2).
    """
    parts = []
    for each in (one, other):
        value = number_of(each)
        if each.form == "events":
            parts.append((1.0 - value) / (stated(each.n) * value))
        else:
            error = error_of(each)
            if error is None:
                return None
            parts.append((error / value) ** 2)
    middle, error = math.log(number_of(one) / number_of(other)), math.sqrt(sum(parts))
    return math.exp(middle - NORMAL_975 * error), math.exp(middle + NORMAL_975 * error)
