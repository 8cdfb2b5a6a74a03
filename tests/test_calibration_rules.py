"""Rules for verdicts and the statistics that targets are read with agree with independent calculations."""

import numpy as np
import pytest
from scipy.special import expit, logit
from scipy.stats import binomtest
from statsmodels.api import GLM, add_constant, families

from mesolung.calibration import weighted
from mesolung.calibration.association import odds_ratio, rate_ratio, risk_ratio, within_strata
from mesolung.calibration.between_studies import Mortality, between_study_sd
from mesolung.calibration.verdict import (
    MET,
    MISSED,
    binomial_interval,
    mortality_interval,
    over_draws,
    verdict_of,
    within_factor,
)


@pytest.fixture
def rng():
    return np.random.default_rng(3)


@pytest.mark.parametrize(("k", "n"), [(0, 8), (5, 8), (31, 31), (270, 1000)])
def test_shares_have_the_exact_binomial_interval(k, n):
    expected = binomtest(k, n).proportion_ci(method="exact")
    assert binomial_interval(k / n, n) == pytest.approx((expected.low, expected.high))


def test_the_spread_between_studies_widens_a_mortality():
    narrow, wide = mortality_interval(0.3, 500, 0.0), mortality_interval(0.3, 500, 0.25)
    assert wide[0] < narrow[0] < 0.3 < narrow[1] < wide[1]
    # With countless patients only the spread between studies is left.
    low, high = mortality_interval(0.3, 1e12, 0.25)
    assert logit(high) - logit(low) == pytest.approx(2 * 1.959964 * 0.25, rel=1e-5)


def test_like_studies_have_no_spread_and_unlike_ones_have_theirs(rng):
    assert between_study_sd([Mortality(str(k), 0.3, 400) for k in range(5)]) == 0.0
    shares = expit(-0.8 + 0.5 * rng.standard_normal(400))
    studies = [Mortality(str(k), rng.binomial(2000, p) / 2000, 2000) for k, p in enumerate(shares)]
    assert between_study_sd(studies) == pytest.approx(0.5, rel=0.1)


def test_verdicts():
    assert within_factor(4.0) == (2.0, 8.0)
    assert verdict_of(2.0, *within_factor(4.0)) == MET
    assert verdict_of(8.1, *within_factor(4.0)) == MISSED
    assert verdict_of(float("nan"), 0.0, 1.0) == MISSED, "nobody like the patients is no success"
    assert np.isnan(over_draws([1.0, float("nan"), 2.0])).all()
    assert over_draws(list(np.linspace(0, 1, 101))) == pytest.approx((0.05, 0.95))


def test_weights_count_as_repeats(rng):
    values, times = rng.normal(size=400), rng.integers(0, 4, 400)
    repeated = np.repeat(values, times)
    for p in (0.25, 0.5, 0.75):
        found = weighted.quantile(values, times.astype(float), p)
        assert found == pytest.approx(np.quantile(repeated, p), abs=0.03)
    assert weighted.mean(values, times.astype(float)) == pytest.approx(repeated.mean())
    assert weighted.deviation(values, times.astype(float)) == pytest.approx(repeated.std())
    assert np.isnan(weighted.median(values, np.zeros(400)))
    assert weighted.effective(np.ones(7)) == pytest.approx(7.0)


@pytest.mark.parametrize(("ours", "family"), [(odds_ratio, "Binomial"), (risk_ratio, "Poisson")])
def test_ratios_are_those_of_the_regression(rng, ours, family):
    x, w = rng.normal(size=600), rng.uniform(0.1, 1.0, 600)
    chance = expit(-1.5 + 0.4 * x + 0.3 * rng.normal(size=600))
    theirs = GLM(chance, add_constant(x), family=getattr(families, family)(), freq_weights=w).fit()
    assert ours(x, chance, w) == pytest.approx(np.exp(theirs.params[1]), rel=1e-6)


def test_what_draws_differ_by_is_no_association(rng):
    draw = np.repeat(np.arange(40), 200)
    shift = rng.normal(size=40)[draw]
    x = shift + rng.normal(size=draw.size)
    # Within a draw x does nothing; over draws it goes with death.
    chance = expit(-1.0 + 1.5 * shift)
    ones = np.ones(draw.size)
    assert odds_ratio(x, chance, ones) > 1.5
    assert odds_ratio(x, chance, ones, draw) == pytest.approx(1.0, abs=0.02)
    apart, mean = within_strata(x, ones, draw)
    assert apart + mean == pytest.approx(x) and abs(apart[draw == 3].mean()) < 1e-12


def test_rates_are_compared_at_the_same_times():
    # Twice the rate at every time, but the exposed are there when it is low.
    t1, t0 = np.array([1.0, 10.0]), np.array([10.0, 1.0])
    base = np.array([1.0, 0.1])
    assert rate_ratio((2 * base * t1, base * t0), (t1, t0)) == pytest.approx(2.0)
    assert np.isnan(rate_ratio((t1, 0 * t0), (t1, t0)))
