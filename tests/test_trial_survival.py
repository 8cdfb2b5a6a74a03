"""Survival curves, the log-rank test and the hazard ratio agree with statsmodels and with closed forms."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.duration.hazard_regression import PHReg
from statsmodels.duration.survfunc import SurvfuncRight, survdiff
from tests.trial_rows import quantity

from mesolung.trial.analysis import analyse
from mesolung.trial.survival import kaplan_meier, log_rank, survival_bands

MORTALITY, SURVIVAL = (
    quantity(name, type="binary", better=better, deaths=None, default_contrast="hazard_ratio")
    for name, better in (("mortality", "lower"), ("survival", "higher"))
)
HOSPITAL_DAYS = replace(MORTALITY, name="hospital_days", type="time")

ARMS = st.lists(st.tuples(st.integers(1, 12), st.booleans()), min_size=3, max_size=25)


def arrays(arm: list[tuple[int, bool]]) -> tuple[np.ndarray, np.ndarray]:
    return np.array([t for t, _ in arm], dtype=float), np.array([e for _, e in arm])


def exponential(rate: float, n: int, seed: int, end: float = 672.0) -> tuple[np.ndarray, np.ndarray]:
    time = np.random.default_rng(seed).exponential(1 / rate, n)
    return np.minimum(time, end), time <= end


@given(ARMS)
@settings(max_examples=40, deadline=None)
def test_kaplan_meier_is_statsmodels(arm):
    time, event = arrays(arm)
    grid = np.array([0.0, 0.5, 1.0, 3.0, 7.5, 12.0, 20.0])
    fitted = SurvfuncRight(time, event)
    reference = np.append(1.0, fitted.surv_prob)[np.searchsorted(fitted.surv_times, grid, side="right")]
    curve = kaplan_meier(time, event, grid)
    np.testing.assert_allclose(curve.survival, reference, rtol=1e-12, atol=1e-14)
    assert curve.at_risk[0] == time.size and np.all(np.diff(curve.at_risk) <= 0)
    assert curve.deaths[-1] == event.sum() and np.all(np.diff(curve.survival) <= 0)


def test_without_censoring_the_curve_is_the_share_alive():
    time, event = exponential(0.002, 200, 1)
    grid = np.linspace(0, 671, 30)
    shares = [(time > t).mean() for t in grid]
    np.testing.assert_allclose(kaplan_meier(time, event, grid).survival, shares, rtol=1e-12)


@given(ARMS, ARMS)
@settings(max_examples=60, deadline=None)
def test_log_rank_is_statsmodels(first, second):
    one, two = arrays(first), arrays(second)
    arm = np.repeat([0, 1], [len(first), len(second)])
    try:
        times, events = (np.concatenate(both) for both in zip(one, two, strict=True))
        _, reference = survdiff(times, events, arm)
    except np.linalg.LinAlgError:
        reference = 1.0  # nobody died while both arms had somebody at risk: there is nothing to compare
    found = log_rank(*one, *two).p_value
    assert found == pytest.approx(reference, rel=1e-8, abs=1e-12)


@pytest.mark.parametrize("ties", [False, True])
def test_the_hazard_ratio_is_coxs_with_efrons_ties(ties):
    one, two = exponential(0.003, 60, 2), exponential(0.0015, 80, 3)
    if ties:
        one, two = ((np.ceil(time / 72), event) for time, event in (one, two))
    data = pd.DataFrame(
        {
            "time": np.concatenate([one[0], two[0]]),
            "event": np.concatenate([one[1], two[1]]),
            "arm": np.repeat([1, 0], [60, 80]),
        }
    )
    fitted = PHReg(data["time"], data[["arm"]], status=data["event"], ties="efron").fit()
    found = log_rank(*one, *two)
    assert found.hazard_ratio == pytest.approx(float(np.exp(fitted.params[0])), rel=1e-5)
    assert not found.zero_cell


def test_the_hazard_ratio_finds_the_true_one():
    found = log_rank(*exponential(0.001, 10_000, 4), *exponential(0.002, 10_000, 5))
    assert found.hazard_ratio == pytest.approx(0.5, rel=0.04)


@given(ARMS, ARMS)
@settings(max_examples=60, deadline=None)
def test_exchanging_the_arms_inverts_the_hazard_ratio(first, second):
    one, other = log_rank(*arrays(first), *arrays(second)), log_rank(*arrays(second), *arrays(first))
    assert one.hazard_ratio * other.hazard_ratio == pytest.approx(1.0, rel=1e-6)
    assert one.p_value == pytest.approx(other.p_value, rel=1e-9) and one.zero_cell == other.zero_cell


def test_an_arm_without_events_has_a_finite_ratio_that_says_so():
    alive = (np.full(10, 672.0), np.zeros(10, dtype=bool))
    found = log_rank(*alive, *exponential(0.003, 10, 6))
    assert found.zero_cell and 0 < found.hazard_ratio < 0.2
    nobody = log_rank(*alive, *alive)
    assert nobody.p_value == 1.0 and nobody.hazard_ratio == 1.0 and nobody.zero_cell
    empty = (np.array([]), np.array([], dtype=bool))
    assert np.isnan(log_rank(*empty, *alive).p_value) and np.isnan(log_rank(*empty, *alive).hazard_ratio)


def test_arms_that_do_not_overlap_have_a_finite_ratio():
    early, late = (np.arange(1.0, 9.0), np.ones(8, bool)), (np.arange(20.0, 28.0), np.ones(8, bool))
    found = log_rank(*early, *late)
    assert found.zero_cell and 1 < found.hazard_ratio < 100


def test_success_follows_the_hazard_of_what_is_bad():
    fewer, more = exponential(0.0005, 150, 7), exponential(0.003, 150, 8)
    for row in (MORTALITY, SURVIVAL):
        values = [(event if row is MORTALITY else ~event).astype(float) for _, event in (fewer, more)]
        found = analyse(values[0], values[1], row, treated_survival=fewer, control_survival=more)
        assert found.test == "log-rank" and found.estimate < 0.5 and found.significant
        assert found.shift == (-1 if row is MORTALITY else 1)
        assert not analyse(
            values[0], values[1], row, treated_survival=more, control_survival=fewer
        ).significant
    # A short stay is better: there the event, discharge, is what one waits for.
    short, long = exponential(0.2, 80, 9, np.inf)[0], exponential(0.05, 80, 10, np.inf)[0]
    stay = analyse(short, long, HOSPITAL_DAYS)
    assert stay.estimate > 1 and stay.significant and stay.shift == -1
    # Deaths, when known, do not take the place of the duration.
    assert analyse(short, long, HOSPITAL_DAYS, treated_survival=fewer, control_survival=more) == stay


def test_bands_over_replicates():
    grid = np.array([0.0, 100.0, 672.0])
    curves = [kaplan_meier(*exponential(0.001, 12, seed), grid) for seed in range(200)]
    bands = survival_bands(curves)
    assert bands.at_risk[0] == 12 and bands.survival_p05[0] == bands.survival_p95[0] == 1.0
    assert bands.deaths[-1] == pytest.approx(12 * (1 - np.exp(-0.672)), abs=0.4)
    assert bands.survival_p05[-1] < bands.survival_p50[-1] < bands.survival_p95[-1]
    with pytest.raises(ValueError, match="same grid"):
        survival_bands([curves[0], kaplan_meier([1.0], [True], [0.0])])
