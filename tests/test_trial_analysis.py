"""The analysis of a trial agrees with references, and says when it corrected or could not tell."""

from __future__ import annotations

from dataclasses import replace
from math import comb
from typing import Any

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.trial_rows import quantity

from mesolung.trial.analysis import analyse
from mesolung.trial.contrasts import MEASURES, benefits, contrast, null_value
from mesolung.trial.named_tests import canonical_test, default_test
from mesolung.trial.negative_binomial import negative_binomial_test
from mesolung.trial.paired import analyse_against_baseline
from mesolung.trial.two_samples import fisher, mann_whitney, welch
from mesolung.trial.win_ratio import composite_rank, win_ratio

stats: Any = scipy.stats  # its results are not typed


PF_RATIO = quantity(lowest=20.0, highest=650.0)
IL6 = quantity("il6", scale="log", better="lower", lowest=0.01, default_contrast="ratio")
MORTALITY = quantity("mortality", type="binary", better="lower", default_contrast="risk_ratio")
SURVIVAL = quantity("survival", type="binary", better="higher", default_contrast="risk_ratio")
FREE_DAYS = quantity("ventilator_free_days", better="higher", deaths="zero", test="mann-whitney")
EXACERBATIONS = quantity("exacerbation_rate", type="count", better="lower", default_contrast="ratio")
HOSPITAL_DAYS = quantity("hospital_days", type="time", better="lower", default_contrast="hazard_ratio")


def arm(events: int, n: int) -> np.ndarray:
    """An arm of n subjects with a number of events."""
    return np.repeat([1.0, 0.0], [events, n - events])


TABLES = st.tuples(st.integers(1, 30), st.integers(1, 30)).flatmap(
    lambda n: st.tuples(st.integers(0, n[0]), st.just(n[0]), st.integers(0, n[1]), st.just(n[1]))
)
SAMPLES = st.lists(st.integers(-20, 20).map(float), min_size=2, max_size=25).map(np.array)


@given(TABLES)
def test_fisher_is_scipys(table):
    a, m, b, n = table
    reference = stats.fisher_exact([[a, m - a], [b, n - b]]).pvalue
    assert fisher(arm(a, m), arm(b, n)).p_value == pytest.approx(reference, rel=1e-9, abs=1e-300)


def test_fisher_of_the_published_trial():
    result = analyse(arm(1, 12), arm(7, 12), MORTALITY)
    tables = [comb(12, k) * comb(12, 8 - k) for k in (0, 1, 7, 8)]
    assert result.p_value == pytest.approx(sum(tables) / comb(24, 8), rel=1e-9)
    assert result.estimate == pytest.approx(1 / 7) and result.significant and not result.zero_cell
    assert not analyse(arm(7, 12), arm(1, 12), MORTALITY).significant  # significant, but worse


@pytest.mark.parametrize("risk", [0.1, 0.3, 0.5])
@pytest.mark.parametrize("alpha", [0.01, 0.05, 0.2])
def test_fisher_keeps_its_level_under_the_null(risk, alpha):
    # Not a simulation: the exact probability of p <= alpha over all tables of 12 against 12.
    chance = stats.binom.pmf(np.arange(13), 12, risk)
    p = np.array([[fisher(arm(a, 12), arm(b, 12)).p_value for b in range(13)] for a in range(13)])
    assert float(chance @ (p <= alpha) @ chance) <= alpha


@pytest.mark.filterwarnings("ignore:Precision loss")
@given(SAMPLES, SAMPLES)
def test_welch_is_scipys(a, b):
    result = welch(a, b)
    if a.std() + b.std() == 0:
        assert result.p_value == float(a.mean() == b.mean())
    else:
        assert result.p_value == pytest.approx(stats.ttest_ind(a, b, equal_var=False).pvalue, rel=1e-9)


@given(SAMPLES, SAMPLES)
def test_mann_whitney_is_scipys(a, b):
    ties = np.unique(np.concatenate([a, b])).size < a.size + b.size
    method = "exact" if not ties and min(a.size, b.size) <= 8 else "asymptotic"
    reference = stats.mannwhitneyu(a, b, method=method).pvalue
    assert mann_whitney(a, b).p_value == pytest.approx(1.0 if np.isnan(reference) else reference, rel=1e-9)


@pytest.mark.parametrize("measure", ["risk_ratio", "risk_difference", "odds_ratio", "win_ratio"])
@given(TABLES)
def test_exchanging_the_arms_mirrors_the_estimate(measure, table):
    a, m, b, n = table
    one = analyse(arm(a, m), arm(b, n), MORTALITY, measure)
    other = analyse(arm(b, n), arm(a, m), MORTALITY, measure)
    assert one.p_value == pytest.approx(other.p_value, rel=1e-12) and one.shift == -other.shift
    if null_value(measure):
        assert one.estimate * other.estimate == pytest.approx(1.0)
    else:
        assert one.estimate == pytest.approx(-other.estimate)


@given(SAMPLES, SAMPLES, st.randoms())
@settings(max_examples=50)
def test_the_order_of_subjects_changes_nothing(a, b, shuffler):
    mixed = [list(a), list(b)]
    for values in mixed:
        shuffler.shuffle(values)
    for test in ("welch", "mann-whitney"):
        one = analyse(a, b, PF_RATIO, test=test)
        other = analyse(mixed[0], mixed[1], PF_RATIO, test=test)
        assert one.p_value == pytest.approx(other.p_value, rel=1e-9)
        assert one.estimate == pytest.approx(other.estimate, abs=1e-9)


def test_zero_cells_add_half_to_all_cells_and_say_so():
    none = analyse(arm(0, 10), arm(3, 10), MORTALITY)
    assert none.zero_cell and none.estimate == pytest.approx((0.5 / 11) / (3.5 / 11))
    odds = analyse(arm(0, 10), arm(3, 10), MORTALITY, "odds_ratio")
    assert odds.zero_cell and odds.estimate == pytest.approx(0.5 * 7.5 / (3.5 * 10.5))
    everyone = analyse(arm(10, 10), arm(3, 10), MORTALITY)
    assert everyone.zero_cell and everyone.estimate == pytest.approx((10.5 / 11) / (3.5 / 11))
    both = analyse(arm(0, 10), arm(0, 5), MORTALITY)
    assert both.zero_cell and both.p_value == 1.0 and both.estimate == pytest.approx((0.5 / 11) / (0.5 / 6))
    difference = analyse(arm(0, 10), arm(3, 10), MORTALITY, "risk_difference")
    assert not difference.zero_cell and difference.estimate == pytest.approx(-0.3)
    counts = analyse(np.zeros(4), np.array([1.0, 2.0, 0.0, 1.0]), EXACERBATIONS)
    assert counts.zero_cell and counts.estimate == pytest.approx(0.5 / 4.5)


@pytest.mark.parametrize("row", [PF_RATIO, MORTALITY, FREE_DAYS, IL6, EXACERBATIONS])
@pytest.mark.parametrize("sizes", [(0, 0), (0, 3), (3, 0)])
def test_an_arm_with_nobody_evaluable_is_not_analysed(row, sizes):
    arms = [np.concatenate([np.ones(n), np.full(4, np.nan)]) for n in sizes]
    result = analyse(arms[0], arms[1], row)
    assert np.isnan(result.p_value) and np.isnan(result.estimate) and not result.significant


def test_missing_values_are_left_out():
    a, b = np.array([1.0, 4.0, np.nan, 2.0]), np.array([np.nan, 9.0, 8.0, 7.5])
    assert analyse(a, b, PF_RATIO) == analyse(a[~np.isnan(a)], b[~np.isnan(b)], PF_RATIO)


def test_equal_arms_are_never_significant():
    for row in (PF_RATIO, FREE_DAYS, EXACERBATIONS, IL6, MORTALITY):
        same = (
            1.0 if row in (MORTALITY, EXACERBATIONS) else 0.1
        )  # 0.1 has no exact mean: rounding must not look like a spread
        result = analyse(np.full(7, same), np.full(11, same), row)
        assert not result.significant and result.shift == 0 and result.p_value == pytest.approx(1.0)


def test_log_scale_levels_are_compared_on_logarithms():
    rng = np.random.default_rng(0)
    a, b = np.exp(rng.normal(3, 1, 15)), np.exp(rng.normal(4, 1, 18))
    result = analyse(a, b, IL6)
    assert result.p_value == pytest.approx(stats.ttest_ind(np.log(a), np.log(b), equal_var=False).pvalue)
    assert result.estimate == pytest.approx(stats.gmean(a) / stats.gmean(b))
    change = analyse(a - 20, b - 20, IL6, "difference", as_="change")
    assert change.p_value == pytest.approx(stats.ttest_ind(a, b, equal_var=False).pvalue)
    # a value below detection stands at the table's lowest value
    floored = analyse(np.append(a, 0.0), b, IL6)
    assert floored.estimate == pytest.approx(stats.gmean(np.append(a, 0.01)) / stats.gmean(b))


def test_negative_binomial_agrees_with_statsmodels():
    import statsmodels.api as sm

    rng = np.random.default_rng(1)
    for size, means in ((40, (2.0, 3.0)), (25, (8.0, 6.0)), (60, (0.6, 0.5))):
        a, b = (rng.negative_binomial(1.5, 1.5 / (1.5 + mean), size).astype(float) for mean in means)
        y, x = np.concatenate([a, b]), np.repeat([1.0, 0.0], size)
        full = sm.NegativeBinomial(y, sm.add_constant(x)).fit(disp=0, maxiter=500)
        null = sm.NegativeBinomial(y, np.ones_like(y)).fit(disp=0, maxiter=500)
        reference = stats.chi2.sf(2 * (full.llf - null.llf), 1)
        assert negative_binomial_test(a, b) == pytest.approx(reference, rel=2e-4)


def test_counts_without_overdispersion_are_tested_as_poisson():
    a, b = np.array([2.0, 2, 3, 2, 3, 2]), np.array([4.0, 5, 4, 4, 5, 5])
    pooled = np.concatenate([a, b]).mean()
    ratio = sum(x.sum() * np.log(x.mean() / pooled) for x in (a, b))
    assert negative_binomial_test(a, b) == pytest.approx(stats.chi2.sf(2 * ratio, 1), rel=1e-9)
    assert analyse(a, b, EXACERBATIONS).estimate == pytest.approx(a.mean() / b.mean())


def test_negative_binomial_keeps_near_its_level_under_the_null():
    rng = np.random.default_rng(2)
    p = [
        negative_binomial_test(rng.negative_binomial(2, 0.4, 50), rng.negative_binomial(2, 0.4, 50))
        for _ in range(600)
    ]
    assert 0.025 < np.mean(np.array(p) < 0.05) < 0.085


@given(SAMPLES, SAMPLES, st.sampled_from(["higher", "lower"]))
def test_win_ratio_by_sorting_is_win_ratio_by_pairs(a, b, better):
    pairs = np.sign(a[:, None] - b[None, :]) * (1 if better == "higher" else -1)
    wins, losses = int((pairs > 0).sum()), int((pairs < 0).sum())
    found = win_ratio(a, b, better)
    assert (found.wins, found.losses, found.ties) == (wins, losses, int((pairs == 0).sum()))
    add = 0.5 if 0 in (wins, losses) else 0.0
    assert found.zero_cell == bool(add) and found.estimate == pytest.approx((wins + add) / (losses + add))


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=2, max_size=12), st.booleans())
def test_a_composite_ranks_death_before_value(subjects, higher):
    values = np.array([value for value, _ in subjects], dtype=float)
    death = np.array([float(time) if time < 4 else np.inf for _, time in subjects])
    rank = composite_rank(values, death, "higher" if higher else "lower")
    for i in range(values.size):
        for j in range(values.size):
            if death[i] != death[j]:
                assert np.sign(rank[i] - rank[j]) == np.sign(float(death[i] > death[j]) - 0.5)
            elif np.isinf(death[i]):
                assert np.sign(rank[i] - rank[j]) == np.sign(values[i] - values[j]) * (1 if higher else -1)
            else:
                assert rank[i] == rank[j]


def test_a_win_ratio_with_follow_up_puts_deaths_first():
    followed = [
        (np.array([10.0, 672.0]), np.array([True, False])),
        (np.array([5.0, 672.0]), np.array([True, False])),
    ]
    values = [np.array([np.nan, 100.0]), np.array([np.nan, 200.0])]
    found = analyse(
        values[0],
        values[1],
        PF_RATIO,
        "win_ratio",
        treated_survival=followed[0],
        control_survival=followed[1],
    )
    # The later death wins, each survivor beats the other arm's dead, the control survivor breathes better.
    assert found.estimate == pytest.approx(2 / 2) and found.test == "mann-whitney"


def test_success_is_in_the_endpoints_better_direction():
    low, high = np.arange(10.0), np.arange(10.0) + 30
    assert analyse(high, low, PF_RATIO).significant and not analyse(low, high, PF_RATIO).significant
    lower = replace(PF_RATIO, name="sofa", better="lower")
    assert analyse(low, high, lower).significant and not analyse(high, low, lower).significant
    for row in (PF_RATIO, lower):
        better, worse = (high, low) if row is PF_RATIO else (low, high)
        assert analyse(better, worse, row, "win_ratio").significant
        assert analyse(better, worse, row, "win_ratio").shift == np.sign(better[0] - worse[0])


def test_baseline_comparisons_are_paired():
    rng = np.random.default_rng(7)
    before = np.exp(rng.normal(4, 1, 20))
    now = before * np.exp(rng.normal(-0.5, 0.3, 20))
    ratio = analyse_against_baseline(now, before, IL6)
    assert ratio.p_value == pytest.approx(stats.ttest_rel(np.log(now), np.log(before)).pvalue, rel=1e-9)
    assert ratio.shift == -1 and ratio.significant and ratio.measure == "ratio"
    plain = analyse_against_baseline(now, before, PF_RATIO)
    assert plain.p_value == pytest.approx(stats.ttest_rel(now, before).pvalue, rel=1e-9)
    ranked = analyse_against_baseline(now, before, FREE_DAYS)
    assert (
        ranked.p_value == pytest.approx(stats.wilcoxon(now, before).pvalue) and ranked.test == "signed-rank"
    )
    binary = analyse_against_baseline(arm(1, 9), arm(7, 9), MORTALITY)
    assert binary.p_value == pytest.approx(stats.binomtest(0, 6).pvalue)
    assert analyse_against_baseline(before, before, PF_RATIO).p_value == 1.0
    assert np.isnan(analyse_against_baseline([np.nan, 1.0], [1.0, np.nan], PF_RATIO).p_value)


def test_each_type_has_its_test_unless_the_study_or_table_says_otherwise():
    assert default_test(MORTALITY) == "fisher" and default_test(PF_RATIO) == "welch"
    assert default_test(FREE_DAYS) == "mann-whitney" and default_test(HOSPITAL_DAYS) == "log-rank"
    assert default_test(EXACERBATIONS) == "negative-binomial"
    assert default_test(EXACERBATIONS, as_="change") == "welch"
    assert default_test(MORTALITY, "hazard_ratio") == "log-rank"
    assert canonical_test("Mann_Whitney") == "mann-whitney" and canonical_test("Fisher exact") == "fisher"
    assert analyse([1.0, 2, 3], [2.0, 3, 5], PF_RATIO, test="mann-whitney").test == "mann-whitney"


def test_what_cannot_be_analysed_is_refused():
    with pytest.raises(ValueError, match="is for binary endpoints"):
        analyse([1.0, 2.0], [1.0, 2.0], PF_RATIO, "risk_ratio")
    with pytest.raises(ValueError, match="expected one of risk_ratio"):
        analyse([1.0, 2.0], [1.0, 2.0], PF_RATIO, "relative_risk")
    with pytest.raises(ValueError, match="expected one of fisher"):
        analyse([1.0, 2.0], [1.0, 2.0], PF_RATIO, test="anova")
    with pytest.raises(ValueError, match="follow-up"):
        analyse(arm(1, 4), arm(2, 4), MORTALITY, "hazard_ratio")
    with pytest.raises(ValueError, match="0/1"):
        analyse([0.5, 1.0], [1.0, 0.0], MORTALITY)
    with pytest.raises(ValueError, match="negative"):
        analyse([-1.0, 1.0], [1.0, 0.0], EXACERBATIONS)


def test_contrasts_of_expected_values():
    a, b = np.array([0.2, 0.3]), np.array([0.4, 0.3])
    np.testing.assert_allclose(contrast("risk_ratio", a, b), [0.5, 1.0])
    np.testing.assert_allclose(contrast("risk_difference", a, b), [-0.2, 0.0])
    np.testing.assert_allclose(contrast("odds_ratio", a, b), [0.25 / (0.4 / 0.6), 1.0])
    # arms with proportional hazards H and 2 H
    assert contrast("hazard_ratio", 1 - np.exp(-2 * 0.3), 1 - np.exp(-0.3)) == pytest.approx(2.0)
    for measure in MEASURES:
        same = contrast(measure, 0.3, 0.3)
        assert (
            np.isnan(same) if measure in ("win_ratio", "none") else same == pytest.approx(null_value(measure))
        )


def test_benefit_is_in_the_better_direction_beyond_what_matters():
    a, b = np.array([0.30, 0.39, 0.50, np.nan]), np.full(4, 0.40)
    assert benefits(a, b, MORTALITY).tolist() == [True, True, False, False]
    assert benefits(a, b, replace(MORTALITY, minimum_important=0.05)).tolist() == [True, False, False, False]
    assert benefits(a, b, SURVIVAL).tolist() == [False, False, True, False]
    assert benefits(b, b, replace(MORTALITY, minimum_important=float("nan"))).tolist() == [False] * 4
