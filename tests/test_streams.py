"""A random number is addressed by its place: nothing else that a study holds may change it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from mesolung.streams import normals, typical, uniforms, vary


@given(start=st.integers(0, 5000), count=st.integers(0, 200), seed=st.integers(0, 2**40))
def test_a_number_does_not_depend_on_how_many_are_asked_for(start, count, seed):
    long = uniforms(seed, "enrol", 3, start + count)
    assert np.array_equal(long[start:], uniforms(seed, "enrol", 3, count, start))


def test_streams_differ_by_seed_purpose_and_replicate():
    base = uniforms(1, "enrol", 0, 50)
    for other in (uniforms(2, "enrol", 0, 50), uniforms(1, "death", 0, 50), uniforms(1, "enrol", 1, 50)):
        assert not np.any(base == other)
    assert not np.any(base == uniforms("1", "enrol", 0, 50)), "a seed and a posterior never share a stream"


def test_numbers_are_uniform_and_independent_between_neighbouring_replicates():
    block = np.stack([uniforms(7, "death", r, 400) for r in range(100)])
    assert stats.kstest(block.ravel(), "uniform").pvalue > 1e-3
    assert abs(np.corrcoef(block[:-1].ravel(), block[1:].ravel())[0, 1]) < 0.02
    assert block.min() > 0 and block.max() < 1


def test_first_numbers_are_the_published_ones_for_ever():
    # Stored results of every study rest on these; a change is a change of numbers for every user.
    expected = [0.334670201, 0.125228938, 0.724821528]
    assert np.allclose(uniforms(1, "x", 0, 3), expected, atol=5e-9)


def test_normals_rise_with_the_uniforms():
    u, z = uniforms(5, "x", 0, 1000), normals("key", "x", 0, 10)
    assert np.all(np.isfinite(z))
    assert np.array_equal(np.argsort(normals(5, "x", 0, 1000)), np.argsort(u))


def test_negative_places_are_refused():
    with pytest.raises(ValueError):
        uniforms(1, "x", 0, -1)


@given(value=st.floats(0.01, 0.99), spread=st.floats(0, 2), z=st.floats(-4, 4))
def test_families_keep_their_support_and_their_median(value, spread, z):
    for family in ("normal", "lognormal", "logit-normal", "fixed"):
        assert np.isclose(vary(family, value, spread, 0.0), value)
    assert vary("lognormal", value, spread, z) > 0
    assert 0 <= vary("logit-normal", value, spread, z) <= 1
    assert vary("fixed", value, spread, z) == value


def test_a_spike_puts_its_probability_on_exactly_zero_and_keeps_the_slab():
    u = (np.arange(100_000) + 0.5) / 100_000
    drawn = typical("spike-lognormal", 1.0, "0.4;0.5", u)
    assert np.mean(drawn == 0.0) == pytest.approx(0.4, abs=1e-4)
    slab = np.log(drawn[drawn > 0])
    assert slab.mean() == pytest.approx(0.0, abs=1e-3)
    assert slab.std() == pytest.approx(0.5, abs=1e-2)
    assert np.all(vary("spike-lognormal", 0.0, 0.3, np.linspace(-3, 3, 7)) == 0.0), "off stays off"


def test_an_unknown_family_is_an_error():
    with pytest.raises(ValueError, match="cauchy"):
        vary("cauchy", 1.0, 1.0, 0.0)
