"""The analysis of one trial: an estimate, a test, and whether it succeeded."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from mesolung.trial.contrasts import is_ratio, sign_of_better
from mesolung.trial.endpoints import DEATH_ENDPOINTS, EndpointRow
from mesolung.trial.estimates import Estimate, estimate, logarithms, on_logarithms
from mesolung.trial.named_tests import canonical_test, compare, default_test
from mesolung.trial.negative_binomial import negative_binomial_test
from mesolung.trial.outcomes import Bools, Floats
from mesolung.trial.survival import LogRank, log_rank
from mesolung.trial.two_samples import Verdict
from mesolung.trial.win_ratio import composite_rank, win_ratio

SIGNIFICANCE = 0.05
# Rules of times whose follow-up to their own event is given beside them.
OWN_TIMES = ("time_to", "progression_time")
Followed = tuple[ArrayLike, ArrayLike]
FollowUp = tuple[Floats, Bools]
Arms = tuple[FollowUp, FollowUp]


@dataclass(frozen=True)
class Analysis:
    """What a trial's statistician reports for one endpoint.

    Attributes:
        measure: the measure of effect, and `estimate` its value (treated against control; nan: not
            estimable).
        test: the test, and `p_value` its two-sided p (nan: not testable).
        significant: p < 0.05 in the endpoint's better direction.
        zero_cell: true when a ratio had an empty cell and 0.5 was added to all cells.
        shift: which way the treated arm lies, in the endpoint's own values: -1 lower, 0 neither, 1 higher.
    """

    measure: str
    test: str
    estimate: float
    p_value: float
    significant: bool
    zero_cell: bool
    shift: int


def analyse(
    treated: ArrayLike,
    control: ArrayLike,
    row: EndpointRow,
    measure: str | None = None,
    *,
    test: str | None = None,
    as_: str = "level",
    treated_survival: Followed | None = None,
    control_survival: Followed | None = None,
    treated_years: ArrayLike | None = None,
    control_years: ArrayLike | None = None,
) -> Analysis:
    """Analyses one endpoint of one trial as its statistician would.

    Levels of an endpoint on the log scale are tested, and their ratio formed, on logarithms (so the ratio is
    of geometric means); a value of 0 or less there stands at the table's lowest value if positive, else at
    the smallest positive value of the trial. Changes are tested as they are. Ratios with a zero cell add 0.5
    to all cells: of the 2 x 2 table, of the two total counts, of wins and losses, of observed and expected
    events.

    Args:
        treated: float64[a], the endpoint's values; nan left out.
        control: float64[b], the same.
        row: the endpoint.
        measure: a measure of `contrasts.MEASURES`; default the table's, else "none".
        test: a name of `named_tests.TESTS`; default as `named_tests.default_test` says.
        as_: "level", "change" or "percent_change", as the values were formed.
        treated_survival, control_survival: (hours followed, whether it ended in death) of every subject of
            the arm, as `Outcomes.time_to_death` gives it, for ``discharged`` in discharge, for a duration in
            its event; needed by hazard ratio and log-rank, unless the endpoint is itself a duration whose
            values are inf where it did not come. With them a win ratio compares deaths before values.
        treated_years, control_years: float64[a] and float64[b], years over which a rate was counted; without
            them all subjects were followed for as long.

    Returns:
        The `Analysis`.

    Raises:
        ValueError: an unknown measure or test, one that the endpoint's type cannot have, or survival missing.
    """
    measure = measure or row.default_contrast or "none"
    is_ratio(measure)  # refuses an unknown measure before anything is computed
    name = canonical_test(test) if test else default_test(row, measure, as_)
    a, b = np.asarray(treated, dtype=np.float64), np.asarray(control, dtype=np.float64)
    deaths: Arms | None = None
    if treated_survival is not None and control_survival is not None:
        deaths = _arrays(treated_survival), _arrays(control_survival)
    times: LogRank | None = None
    if measure == "hazard_ratio" or name == "log-rank":
        followed = _follow_up(a, b, row, deaths)
        if followed is None:
            raise ValueError(f"{row.name}: hazard ratio and log-rank need each subject's follow-up")
        times = log_rank(*followed[0], *followed[1])
    if measure == "win_ratio":
        a, b = _hierarchy(a, b, row, deaths)
    if row.type == "rate" and treated_years is not None and control_years is not None:
        return _of_rates(a, treated_years, b, control_years, row, measure, name)
    a, b = a[~np.isnan(a)], b[~np.isnan(b)]
    log = measure != "win_ratio" and on_logarithms(row, as_)
    if name == "log-rank" and times is not None:
        verdict = _of_hazards(times, row)
    else:
        verdict = compare(name, *(logarithms(a, b, row) if log else (a, b)))
    if measure == "hazard_ratio" and times is not None:
        effect = Estimate(times.hazard_ratio, times.zero_cell)
    elif measure == "win_ratio":
        won = win_ratio(a, b, row.better)
        effect = Estimate(won.estimate, won.zero_cell)
    else:
        effect = estimate(measure, a, b, row, log)
    success = succeeded(verdict, row)
    return Analysis(measure, name, effect.value, verdict.p_value, success, effect.zero_cell, verdict.shift)


def _of_rates(
    a: Floats,
    years_a: ArrayLike,
    b: Floats,
    years_b: ArrayLike,
    row: EndpointRow,
    measure: str,
    name: str,
) -> Analysis:
    """Events over years of each arm, compared by a negative binomial whose mean grows with the years."""
    one, two = np.asarray(years_a, dtype=np.float64), np.asarray(years_b, dtype=np.float64)
    seen_a, seen_b = ~np.isnan(a) & (one > 0), ~np.isnan(b) & (two > 0)
    a, one, b, two = a[seen_a], one[seen_a], b[seen_b], two[seen_b]
    counts = np.rint(a * one), np.rint(b * two)
    if name == "negative-binomial":
        excess = counts[0].sum() * two.sum() - counts[1].sum() * one.sum()
        verdict = Verdict(negative_binomial_test(*counts, one, two), int(np.sign(excess)))
    else:
        verdict = compare(name, a, b)
    value, zero_cell = np.nan, False
    if a.size and b.size and measure != "none":
        zero_cell = is_ratio(measure) and 0.0 in (counts[0].sum(), counts[1].sum())
        add = 0.5 if zero_cell else 0.0
        rates = (counts[0].sum() + add) / one.sum(), (counts[1].sum() + add) / two.sum()
        value = rates[0] / rates[1] if is_ratio(measure) else rates[0] - rates[1]
    return Analysis(
        measure, name, float(value), verdict.p_value, succeeded(verdict, row), bool(zero_cell), verdict.shift
    )


def succeeded(verdict: Verdict, row: EndpointRow) -> bool:
    """Whether a verdict is significant (p < 0.05) in the endpoint's better direction, where it has one."""
    if row.better == "neither":
        return False
    return bool(verdict.p_value < SIGNIFICANCE and verdict.shift == sign_of_better(row))


def _of_hazards(times: LogRank, row: EndpointRow) -> Verdict:
    """The log-rank verdict, its shift in the endpoint's values: more hazard is a shorter time."""
    excess = int(np.sign(times.observed[0] - times.expected[0]))
    return Verdict(times.p_value, -excess if row.name == "survival" or row.type == "time" else excess)


def _follow_up(a: Floats, b: Floats, row: EndpointRow, deaths: Arms | None) -> Arms | None:
    """The follow-up that hazards are of: to death, unless the endpoint is a duration (inf: censored)."""
    if row.rule in OWN_TIMES or row.type != "time" or row.name in DEATH_ENDPOINTS:
        return deaths
    pooled = np.concatenate([a, b])
    end = float(np.max(pooled[np.isfinite(pooled)], initial=0.0))
    return (np.where(np.isinf(a), end, a), np.isfinite(a)), (np.where(np.isinf(b), end, b), np.isfinite(b))


def _arrays(followed: Followed) -> FollowUp:
    return np.asarray(followed[0], dtype=np.float64), np.asarray(followed[1], dtype=np.bool_)


def _hierarchy(a: Floats, b: Floats, row: EndpointRow, deaths: Arms | None) -> tuple[Floats, Floats]:
    """Values for a win ratio, in the endpoint's direction: ranks, deaths first, where follow-up is known."""
    if deaths is None or row.rule in OWN_TIMES:
        return a, b
    death = np.concatenate([np.where(died, time, np.inf) for time, died in deaths])
    rank = sign_of_better(row) * composite_rank(np.concatenate([a, b]), death, row.better)
    return rank[: a.size], rank[a.size :]
