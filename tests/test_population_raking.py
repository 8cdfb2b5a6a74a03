"""Enrolment looks like the printed table 1, and says so when it cannot."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesolung.population.raking import achieved, bins_of, effective_size, rake
from mesolung.population.table_one import Target, target_from_moments, target_from_quantiles


@settings(max_examples=40, deadline=None)
@given(mean=st.floats(30, 80), sd=st.floats(4, 18), below=st.floats(1.4, 4))
def test_printed_moments_are_those_after_truncation(mean, sd, below):
    # A normal cut off closer than one deviation below its mean is an exponential, and then nothing.
    lowest = mean - below * sd
    target = target_from_moments("age", mean, sd, lowest=lowest, highest=mean + 3 * sd)
    got = target.moments()
    assert got[0] == pytest.approx(mean, abs=0.1 * sd) and got[1] == pytest.approx(sd, rel=0.12)
    assert target.quantile(np.array([1e-6]))[0] >= lowest


def test_impossible_moments_are_refused():
    with pytest.raises(ValueError, match="no distribution between"):
        target_from_moments("age", 10.0, 5.0, lowest=18.0, highest=90.0)


@settings(max_examples=40, deadline=None)
@given(
    q1=st.floats(40, 90),
    gap1=st.floats(5, 80),
    gap2=st.floats(5, 80),
    scale=st.sampled_from(["linear", "log"]),
)
def test_a_split_normal_goes_through_three_printed_quantiles(q1, gap1, gap2, scale):
    three = np.array([q1, q1 + gap1, q1 + gap1 + gap2])
    target = target_from_quantiles("pf_ratio", three[1], (three[0], three[2]), scale=scale)
    assert np.allclose(target.quantile(np.array([0.25, 0.5, 0.75])), three, rtol=1e-6)


def test_quantiles_hold_after_truncation_too():
    target = target_from_quantiles("pf_ratio", 116.0, (68.0, 165.0), scale="log", highest=300.0)
    assert np.allclose(target.quantile(np.array([0.25, 0.5, 0.75])), [68, 116, 165], rtol=1e-3)
    assert target.quantile(np.array([1 - 1e-9]))[0] <= 300.0


@settings(max_examples=20, deadline=None)
@given(age=st.floats(50, 68), pf=st.floats(110, 190), share=st.floats(0.2, 0.6), seed=st.integers(0, 2**20))
def test_raking_meets_every_marginal_together(age, pf, share, seed):
    rng = np.random.default_rng(seed)
    pool = {
        "age": rng.normal(60, 14, 6000),
        "pf_ratio": rng.lognormal(np.log(150), 0.45, 6000),
        "female": rng.uniform(size=6000) < 0.4,
    }
    targets = [
        target_from_moments("age", age, 11.0),
        target_from_quantiles("pf_ratio", pf, (0.75 * pf, 1.3 * pf), scale="log"),
        Target("female", share=share),
    ]
    values = [np.asarray(v, float) for v in pool.values()]
    weights = rake(np.ones(6000), values, targets, bins=12)
    assert weights.sum() == pytest.approx(1.0) and np.all(weights >= 0)
    for value, target in zip(values, targets, strict=True):
        mean, sd = target.moments()
        assert abs(achieved(value, weights)[0] - mean) < 0.1 * sd
        count = 2 if target.share is not None else 12
        shares = np.bincount(bins_of(value, target, 12), weights, minlength=count)
        goal = [1 - share, share] if target.share is not None else np.full(12, 1 / 12)
        assert np.allclose(shares, goal, atol=1e-3)


def test_effective_size_counts_equal_weights_and_no_others():
    assert effective_size(np.ones(7)) == pytest.approx(7.0)
    assert effective_size(np.array([1.0, 0.0, 0.0])) == pytest.approx(1.0)
    assert effective_size(np.zeros(3)) == 0.0
