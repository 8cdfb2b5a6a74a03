"""The answers of a run: what each arm shows, how arms compare, and the effect within subjects."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mesolung.study.observations import PERCENT
from mesolung.study.pooled import Pool
from mesolung.study.replicates import ArmTrials, Asked
from mesolung.trial.analysis import Analysis, analyse
from mesolung.trial.contrasts import benefits, contrast
from mesolung.trial.estimates import is_geometric
from mesolung.trial.recurrent import YEAR_H

NEITHER = "neither"  # better of a state of the model
RATES = ("rate",)  # rules
QUANTILES = {"p05": 0.05, "p50": 0.5, "p95": 0.95}


def quantiles(values: NDArray[np.float64]) -> dict[str, float]:
    """The 5, 50 and 95 % quantiles of what is finite or infinite, nan left out.

    Arguments:
        values: float64[k].

    Returns:
        p05, p50, p95; nan when nothing is left.
    """
    kept = values[~np.isnan(values)]
    if kept.size == 0:
        return dict.fromkeys(QUANTILES, float("nan"))
    # "inverted_cdf" gives values that were simulated: no arithmetic on an infinite ratio.
    return {k: float(np.quantile(kept, q, method="inverted_cdf")) for k, q in QUANTILES.items()}


def unit_of(asked: Asked) -> str:
    """The unit of an endpoint's values: percent for a percent change, else the table's.

    Arguments:
        asked: the endpoint.
    """
    return PERCENT if asked.as_ == "percent_change" else asked.row.unit


def arm_answer(arm: ArmTrials, asked: Asked) -> dict[str, Any]:
    """What one arm shows at one endpoint.

    Arguments:
        arm: its replicates.
        asked: the endpoint.

    Returns:
        the object under ``arms`` of the result; with a filter, n is the median number who meet it.
    """
    recorded = arm.recorded(asked)
    with np.errstate(invalid="ignore"):
        count = (~np.isnan(recorded)).sum(axis=1)
        means = np.where(count > 0, np.nansum(recorded, axis=1) / np.maximum(count, 1), np.nan)
    answer: dict[str, Any] = {
        "unit": unit_of(asked),
        "n": int(np.median(arm.of_interest(asked).sum(axis=1))),
        "mean": float(_mean(means)),
    }
    return {**answer, **quantiles(means), "expected": quantiles(arm.expected(asked)[: recorded.shape[0]])}


def analyses(
    treated: ArmTrials | Pool,
    control: ArmTrials | Pool,
    asked: Asked,
    measure: str | None,
    test: str | None,
) -> list[Analysis]:
    """Analyse every replicate trial as its statistician would.

    Arguments:
        treated, control: two arms, or groups of arms.
        asked: the endpoint.
        measure: contrast, or None for the endpoint's own.
        test: name of the test, or None for the endpoint's own.

    Returns:
        one analysis a replicate.
    """
    rows = zip(
        treated.recorded(asked),
        control.recorded(asked),
        treated.follow_up(asked),
        control.follow_up(asked),
        strict=True,
    )
    rate = asked.row.rule in RATES
    return [
        analyse(
            a,
            b,
            asked.row,
            measure,
            test=test,
            as_=asked.as_,
            treated_survival=s,
            control_survival=t,
            # A rate is of the years that a subject was followed for.
            treated_years=s[0] / YEAR_H if rate else None,
            control_years=t[0] / YEAR_H if rate else None,
        )
        for a, b, s, t in rows
    ]


def contrast_answer(done: Sequence[Analysis], asked: Asked) -> dict[str, Any]:
    """Sum up a contrast over replicates.

    Arguments:
        done: one analysis a replicate.
        asked: the endpoint.

    Returns:
        the object under ``contrasts`` of the result; no success is told where no direction is better.
    """
    success = float("nan") if asked.row.better == NEITHER else float(np.mean([a.significant for a in done]))
    estimates = np.array([a.estimate for a in done])
    return {
        "measure": done[0].measure,
        **quantiles(estimates),
        "p_success": success,
    }


def effect_answer(treated: ArmTrials, control: ArmTrials, asked: Asked, measure: str) -> dict[str, Any]:
    """Sum up the paired contrast: the same subjects under both arms, draw by draw.

    A ratio on the log scale is of geometric means, as the trials' own analyses have it; benefit is then of
    the geometric means too.

    Arguments:
        treated, control: two arms.
        asked: the endpoint.
        measure: contrast.

    Returns:
        the object under ``effect`` of the result; no benefit is told where no direction is better.
    """
    geometric = is_geometric(measure, asked.row, asked.as_)
    asked = asked.of_risk(measure)
    a, b = treated.expected_paired(asked, geometric), control.expected_paired(asked, geometric)
    kept = ~(np.isnan(a) | np.isnan(b))
    replicates = treated.members.shape[0]
    # Draws beyond the replicates enter the scores only.
    a, b = a[:replicates][kept[:replicates]], b[:replicates][kept[:replicates]]
    if a.size == 0:
        return {"measure": measure, **quantiles(a), "p_benefit": float("nan")}
    better = float("nan") if asked.row.better == NEITHER else float(np.mean(benefits(a, b, asked.row)))
    return {"measure": measure, **quantiles(np.atleast_1d(contrast(measure, a, b))), "p_benefit": better}


def pairs(arms: Iterable[str], control: str | None) -> list[tuple[str, str]]:
    """Which arms are compared: each with the control; without one each pair, second against first by name.

    Arguments:
        arms: names.
        control: name of the control arm, or None.

    Returns:
        (treated, control) pairs, sorted.
    """
    names = sorted(arms)
    if control is not None:
        return [(name, control) for name in names if name != control]
    return [(second, first) for i, first in enumerate(names) for second in names[i + 1 :]]


def _mean(values: NDArray[np.float64]) -> float:
    kept = values[~np.isnan(values)]
    return float(kept.mean()) if kept.size else float("nan")
