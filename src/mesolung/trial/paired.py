"""Comparison of an arm with its own baseline."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gammaln, stdtr
from scipy.stats import rankdata, wilcoxon

from mesolung.trial.analysis import Analysis, succeeded
from mesolung.trial.endpoints import EndpointRow
from mesolung.trial.named_tests import canonical_test, default_test
from mesolung.trial.outcomes import Floats
from mesolung.trial.two_samples import Verdict, moments


def analyse_against_baseline(
    level: ArrayLike, baseline: ArrayLike, row: EndpointRow, *, test: str | None = None
) -> Analysis:
    """Compares an arm's values with the same subjects' baselines.

    McNemar's exact test for binary endpoints, Wilcoxon's signed-rank test where the two-sample test would be
    of ranks or counts, else a paired t-test, on log ratios for the log scale (pairs not positive left out).

    Args:
        level: float64[n], values at the time of interest.
        baseline: float64[n], values of the same subjects at baseline; a pair with a nan is left out.
        row: the endpoint.
        test: a name of `TESTS` for the unpaired test whose kin is wanted; default as in `analyse`.

    Returns:
        The `Analysis`, with the mean change ("difference") or, on the log scale, the geometric mean ratio.
    """
    now, before = np.asarray(level, dtype=np.float64), np.asarray(baseline, dtype=np.float64)
    log = row.scale == "log" and row.type != "binary"
    known = ~(np.isnan(now) | np.isnan(before)) & ((now > 0) & (before > 0) if log else True)
    now, before = now[known], before[known]
    change = np.log(now / before) if log else now - before
    named = canonical_test(test) if test else default_test(row)
    if row.type == "binary":
        kind, verdict = "mcnemar", sign_test(change)
    elif named in ("mann-whitney", "negative-binomial"):
        kind, verdict = "signed-rank", signed_rank(change)
    else:
        kind, verdict = "paired-t", paired_t(change)
    mean = float(change.mean()) if change.size else np.nan
    measure, estimate = ("ratio", float(np.exp(mean))) if log else ("difference", mean)
    return Analysis(measure, kind, estimate, verdict.p_value, succeeded(verdict, row), False, verdict.shift)


def paired_t(change: Floats) -> Verdict:
    """One-sample t-test that the mean change is 0; nan with fewer than two values."""
    if change.size < 2:
        return Verdict(np.nan, 0)
    mean, spread = moments(change)
    error = np.sqrt(spread / change.size)
    if error == 0.0:
        return Verdict(1.0 if mean == 0.0 else 0.0, int(np.sign(mean)))
    return Verdict(2.0 * float(stdtr(change.size - 1, -abs(mean) / error)), int(np.sign(mean)))


def signed_rank(change: Floats) -> Verdict:
    """Wilcoxon signed-rank test of paired changes, zeros left out; 1 when nothing changed."""
    if change.size == 0:
        return Verdict(np.nan, 0)
    moved = change[change != 0]
    if moved.size == 0:
        return Verdict(1.0, 0)
    ranks = rankdata(np.abs(moved))
    shift = int(np.sign(float(np.sum(np.sign(moved) * ranks))))
    return Verdict(float(np.asarray(wilcoxon(moved))[1]), shift)


def sign_test(change: Floats) -> Verdict:
    """McNemar's exact test: of the pairs that changed, as many up as down."""
    if change.size == 0:
        return Verdict(np.nan, 0)
    up, down = int(np.sum(change > 0)), int(np.sum(change < 0))
    n = up + down
    k = np.arange(min(up, down) + 1)
    tail = np.exp(gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1) - n * np.log(2.0)).sum()
    return Verdict(min(1.0, 2.0 * float(tail)), int(np.sign(up - down)))
