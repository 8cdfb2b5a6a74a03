"""Scores of published observations are the probabilities that they are said to be."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from mesolung.study.likelihoods import contrast_standard_error, standard_error
from mesolung.study.scores import (
    Score,
    bands,
    joint_score,
    one_weight,
    resample,
    score_contrast,
    score_direction,
    score_event_count,
    score_events,
    score_mean,
    score_median,
    score_order,
    score_value,
)

stats: Any = scipy.stats  # its results are not typed

EXPECTED = np.array([0.2, 0.35, 0.4, 0.6])
RNG = np.random.default_rng(11)
SHARES = st.lists(st.floats(0.001, 0.999), min_size=1, max_size=12)


def log_score(score: Score) -> float:
    """The log score of an observation that is scored."""
    assert score.log_score is not None
    return score.log_score


@given(SHARES, st.integers(1, 40))
def test_event_scores_are_the_probabilities_of_a_mixture(shares, n):
    chance = [np.exp(log_score(score_events(k, n, shares))) for k in range(n + 1)]
    np.testing.assert_allclose(
        chance, np.mean([stats.binom.pmf(range(n + 1), n, p) for p in shares], axis=0), 1e-9
    )
    assert sum(chance) == pytest.approx(1.0)


@given(SHARES, st.integers(1, 40))
def test_event_quantiles_are_those_of_the_mixture(shares, n):
    found = score_events(0, n, shares)
    cumulative = np.mean([stats.binom.cdf(range(n + 1), n, p) for p in shares], axis=0)
    for level, quantile in ((0.05, found.p05), (0.5, found.p50), (0.95, found.p95)):
        assert isinstance(quantile, int)
        assert cumulative[quantile] >= level - 1e-9
        assert quantile == 0 or cumulative[quantile - 1] < level + 1e-9


def test_inside_90_includes_both_ends():
    found = score_events(3, 12, EXPECTED)
    low, high = int(found.p05 or 0), int(found.p95 or 0)
    inside = [score_events(k, 12, EXPECTED).inside_90 for k in range(13)]
    assert inside == [low <= k <= high for k in range(13)]
    assert inside[low] and inside[high] and not inside[high + 1]


def test_simulated_trials_agree_with_the_event_quantiles():
    draws = RNG.beta(2, 3, 300)
    simulated = RNG.binomial(12, draws[:, None], (300, 400)).ravel()
    exact, counted = score_events(4, 12, draws), bands(simulated, counts=True)
    assert (exact.p05, exact.p50, exact.p95) == (counted.p05, counted.p50, counted.p95)
    assert exact.log_score == pytest.approx(np.log(np.mean(simulated == 4)), abs=0.02)


def test_an_impossible_observation_is_minus_infinity_unless_the_share_is_a_count():
    assert score_events(1, 10, np.zeros(3)).log_score == -np.inf
    kept = score_events(1, 10, np.zeros(3), least=1 / 128)
    assert kept.log_score == pytest.approx(stats.binom.logpmf(1, 10, 1 / 128))
    with pytest.raises(ValueError, match="11 events of 10"):
        score_events(11, 10, EXPECTED)
    with pytest.raises(ValueError, match="outside 0 to 1"):
        score_events(1, 10, [1.2])


def test_a_mean_is_scored_by_a_mixture_of_normals():
    expected, simulated = np.array([100.0, 140.0, np.nan]), RNG.normal(120, 20, 500)
    se = standard_error(sd=60.0, n=36)
    assert se == 10.0
    found = score_mean(125.0, se, expected, simulated)
    density = np.mean(stats.norm([100.0, 140.0], 10.0).pdf(125.0))
    assert found.log_score == pytest.approx(np.log(density)) and found.inside_90
    low, high = np.quantile(simulated, [0.05, 0.95])
    assert (found.p05, found.p95) == pytest.approx((low, high))
    assert score_mean(125.0, None, expected, simulated).log_score is None


def test_densities_are_in_the_observations_unit():
    one = score_mean(125.0, 10.0, [120.0], [120.0]).log_score
    thousand = score_mean(0.125, 0.010, [0.120], [0.120]).log_score
    assert thousand == pytest.approx(one + np.log(1000.0))
    medians = np.exp(RNG.normal(3, 0.5, 300))
    one = score_median(20.0, medians, "log").log_score
    assert score_median(0.020, medians / 1000, "log").log_score == pytest.approx(one + np.log(1000.0))


def test_standard_errors_from_what_was_printed():
    assert standard_error(se=2.0, sd=9.0, n=9) == 2.0
    assert standard_error(ci95=(10.0, 13.92)) == pytest.approx(1.0, rel=1e-4)
    assert standard_error() is None and standard_error(sd=3.0) is None and standard_error(sd=0.0, n=4) is None
    half = contrast_standard_error(0.64, "risk_ratio", ci95=(0.51, 0.81))
    assert half == pytest.approx(np.log(0.81 / 0.51) / 3.919928)
    from_p = contrast_standard_error(0.5, "hazard_ratio", p=0.02)
    assert 2 * stats.norm.sf(abs(np.log(0.5)) / from_p) == pytest.approx(0.02)
    assert contrast_standard_error(-4.0, "difference", p=0.05) == pytest.approx(4 / 1.959964, rel=1e-6)
    for p in (None, 0.0, 1.0):
        assert contrast_standard_error(0.5, "odds_ratio", p=p) is None
    assert contrast_standard_error(0.5, "odds_ratio", ci95=(0.0, 2.0)) is None
    assert contrast_standard_error(1.0, "risk_ratio", p=0.5) is None


def test_a_ratio_is_scored_on_the_log_scale_and_a_difference_on_its_own():
    expected, simulated = np.array([0.6, 0.9, 1.1]), np.array([0.5, 0.8, 1.3])
    ratio = score_contrast(0.64, 0.118, "risk_ratio", expected, simulated)
    assert ratio.log_score == pytest.approx(
        np.log(np.mean(stats.norm(np.log(expected), 0.118).pdf(np.log(0.64))))
    )
    plain = score_contrast(-0.1, 0.05, "risk_difference", -expected / 10, simulated)
    assert plain.log_score == pytest.approx(np.log(np.mean(stats.norm(-expected / 10, 0.05).pdf(-0.1))))
    # a ratio and its inverse are the same statement
    inverse = score_contrast(1 / 0.64, 0.118, "risk_ratio", 1 / expected, 1 / simulated)
    assert inverse.log_score == pytest.approx(ratio.log_score)
    assert score_contrast(0.64, 0.118, "risk_ratio", [0.0, np.nan], simulated).log_score is None


@pytest.mark.parametrize("scale", ["linear", "log"])
def test_a_median_is_scored_by_a_density_that_integrates_to_one(scale):
    medians = np.exp(RNG.normal(4, 0.3, 200))
    grid = np.linspace(0.5, 400, 8000)
    density = np.exp([log_score(score_median(x, medians, scale)) for x in grid])
    assert np.trapezoid(density, grid) == pytest.approx(1.0, abs=1e-3)


def test_the_median_density_approaches_the_true_one():
    medians = RNG.normal(100, 10, 4000)
    for x in (90.0, 100.0, 115.0):
        assert score_median(x, medians).log_score == pytest.approx(stats.norm(100, 10).logpdf(x), abs=0.1)


def test_a_median_whose_simulations_coincide_has_a_finite_density():
    at_zero = score_median(0.0, np.zeros(50))
    assert at_zero.log_score is not None and at_zero.inside_90
    same = score_median(14.0, np.full(50, 14.0))
    assert np.isfinite(log_score(same)) and log_score(same) > log_score(score_median(15.0, np.full(50, 14.0)))
    assert score_median(14.0, np.full(50, np.nan)).log_score is None
    assert score_median(14.0, [14.0]).log_score is not None


def test_event_counts_are_negative_binomial():
    mean, variance = np.array([8.0, 12.0]), np.array([20.0, 12.0])
    found = score_event_count(9, mean, variance)
    size = 64 / 12
    chance = (stats.nbinom.pmf(9, size, size / (size + 8)) + stats.poisson.pmf(9, 12)) / 2
    assert found.log_score == pytest.approx(np.log(chance))
    cumulative = (stats.nbinom.cdf(range(80), size, size / (size + 8)) + stats.poisson.cdf(range(80), 12)) / 2
    for level, quantile in ((0.05, found.p05), (0.5, found.p50), (0.95, found.p95)):
        assert quantile == int(np.searchsorted(cumulative, level))
    none = score_event_count(0, [0.0, 0.0], [0.0, 0.0])
    assert none.log_score == pytest.approx(0.0) and (none.p05, none.p95) == (0, 0)


def test_a_bare_value_is_answered_not_scored():
    found = score_value(7.0, np.arange(101.0))
    assert (found.p05, found.p50, found.p95) == (5.0, 50.0, 95.0)
    assert found.inside_90 and found.log_score is None and found.log_likelihoods is None


def test_a_direction_is_scored_by_its_class():
    p = np.array([0.01] * 60 + [0.04] * 20 + [0.5] * 119 + [np.nan])
    shift = np.array([-1.0] * 60 + [1.0] * 20 + [-1.0] * 120)
    found = {name: score_direction(name, p, shift) for name in ("lower", "none", "higher")}
    one = found["lower"]
    assert one.p_lower == pytest.approx(0.30, abs=0.01) and one.p_higher == pytest.approx(0.10, abs=0.01)
    assert sum(x or 0.0 for x in (one.p_lower, one.p_none, one.p_higher)) == pytest.approx(1.0)
    for name, score in found.items():
        assert score.log_score == pytest.approx(np.log(getattr(score, f"p_{name}")))
    strict = score_direction("lower", p, shift, alpha=0.02)
    assert strict.p_higher == pytest.approx(1 / 3 / 201)
    assert np.isfinite(log_score(score_direction("higher", p, shift, 0.02)))
    with pytest.raises(ValueError, match="expected one of lower, none, higher"):
        score_direction("better", p, shift)


@given(st.lists(st.tuples(*[st.integers(0, 3)] * 3), min_size=1, max_size=30))
def test_the_orderings_of_three_arms_share_all_probability(trials):
    values = dict(zip("abc", np.array(trials, dtype=float).T, strict=True))
    orders = [(x, y, z) for x in "abc" for y in "abc" for z in "abc" if len({x, y, z}) == 3]
    assert sum(np.exp(log_score(score_order(o, values, "higher"))) for o in orders) == pytest.approx(1.0)
    for order in orders:  # best first by "higher" is worst first by "lower"
        up, down = score_order(order, values, "higher"), score_order(order[::-1], values, "lower")
        assert up.log_score == pytest.approx(down.log_score)


def test_an_ordering_is_scored_by_its_share_of_trials():
    low, high = RNG.random(2000), RNG.random(2000) + 0.5
    found = score_order(["high", "low"], {"low": low, "high": high}, "higher")
    assert np.exp(log_score(found)) == pytest.approx(np.mean(high > low), abs=1e-3)


def test_joint_is_a_mixture_of_products_not_a_product_of_mixtures():
    treated, control = score_events(1, 12, EXPECTED * 0.8), score_events(7, 12, EXPECTED)
    terms = {"UC-MSC": treated.log_likelihoods, "vehicle": control.log_likelihoods}
    found = joint_score(terms, "vehicle")
    product = stats.binom.pmf(1, 12, EXPECTED * 0.8) * stats.binom.pmf(7, 12, EXPECTED)
    assert found.log_score == pytest.approx(np.log(product.mean()))
    assert found.treated_given_control == pytest.approx(
        np.log(product.mean() / stats.binom.pmf(7, 12, EXPECTED).mean())
    )
    assert found.log_score != pytest.approx(log_score(treated) + log_score(control), abs=0.01)


def test_joint_does_not_depend_on_the_order_of_arms():
    terms = {name: RNG.normal(-3, 2, 50) for name in ("c", "a", "b")}
    assert joint_score(terms, "a") == joint_score({name: terms[name] for name in ("b", "c", "a")}, "a")


def test_joint_without_a_control_has_no_conditional_score():
    terms = {"high": np.array([-1.0, -2.0]), "low": np.array([-2.0, -1.0])}
    assert joint_score(terms, None).treated_given_control is None
    assert joint_score(terms, "vehicle").treated_given_control is None
    alone = joint_score({"vehicle": terms["high"]}, "vehicle")
    assert alone.log_score is not None and alone.treated_given_control is None
    assert joint_score({}, None).log_score is None
    unscored = joint_score({**terms, "middle": None}, "low")
    assert unscored == joint_score(terms, "low")


def test_joint_leaves_a_draw_out_of_both_mixtures():
    terms = {"t": np.array([-1.0, np.nan, -3.0]), "c": np.array([-2.0, -0.1, -1.0])}
    kept = {name: values[[0, 2]] for name, values in terms.items()}
    assert joint_score(terms, "c") == joint_score(kept, "c")


def test_a_sample_is_of_the_assigned_first_and_takes_nobody_twice():
    values = np.array([1.0, np.nan, 3.0, 5.0, 7.0, 9.0])
    own = np.array([True, True, True, True, False, False])
    u = np.array([0.3, 0.0, 0.9, 0.1, 0.2, 0.1])
    np.testing.assert_array_equal(resample(values, own, 2, u), [1.0, 5.0])
    np.testing.assert_array_equal(resample(values, own, 3, u), [1.0, 3.0, 5.0])
    np.testing.assert_array_equal(resample(values, own, 4, u), [1.0, 3.0, 5.0, 9.0])
    np.testing.assert_array_equal(resample(values, own, 7, u), [1.0, np.nan, 3.0, 5.0, 7.0, 9.0, np.nan])
    assert np.isnan(resample([np.nan], [True], 2, [0.5])).all()


@pytest.mark.parametrize("n", [6, 12, 40])
def test_a_sample_of_another_size_varies_as_an_arm_of_that_size(n):
    rng = np.random.default_rng(11)
    own = np.arange(64) < 12
    means = [np.mean(resample(rng.normal(size=64), own, n, rng.random(64))) for _ in range(4000)]
    # 4000 standard deviations of a mean: their relative error is 1.1 %.
    assert np.std(means) == pytest.approx(1 / np.sqrt(n), rel=0.05)


def test_versions_of_a_result_weigh_as_one():
    terms = np.array([-1.0, -2.0, np.nan])
    np.testing.assert_array_equal(one_weight([terms]), terms)
    np.testing.assert_array_equal(one_weight([terms, terms, terms]), terms)
    np.testing.assert_array_equal(one_weight([terms, terms - 1.0]), terms - 0.5)


def test_a_score_writes_the_keys_of_the_result_file():
    found = score_events(1, 12, EXPECTED).as_json()
    assert list(found) == ["statistic", "observed", "p05", "p50", "p95", "inside_90", "log_score"]
    assert json.loads(json.dumps(found))["observed"] == 1 and type(found["p05"]) is int
    direction = score_direction("none", [0.5], [1]).as_json()
    assert direction["p05"] is None and {"p_lower", "p_none", "p_higher"} < set(direction)
    assert score_order(["a", "b"], {"a": [1.0], "b": [2.0]}, "lower").as_json()["observed"] == ["a", "b"]


def test_nothing_evaluable_gives_nulls():
    for score in (
        score_events(1, 4, [np.nan]),
        score_mean(1.0, 1.0, [np.nan], [np.nan]),
        score_value(1.0, []),
    ):
        assert (score.p05, score.inside_90, score.log_score) == (None, None, None)
