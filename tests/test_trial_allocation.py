"""Who gets which arm depends on the subjects' uniforms and the arms' names, not on the order of the file."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesolung.trial.allocation import randomise

SIZES = st.dictionaries(
    st.text("abcdeé -", min_size=1, max_size=6), st.integers(0, 9), min_size=1, max_size=4
)


def named(uniforms: np.ndarray, sizes: dict[str, int]) -> list[str]:
    names = list(sizes)
    return [names[index] for index in randomise(uniforms, sizes)]


@given(SIZES, st.integers(0, 2**32), st.randoms())
def test_the_order_of_arms_changes_nothing(sizes, seed, shuffler):
    uniforms = np.random.default_rng(seed).random(sum(sizes.values()))
    names = list(sizes)
    shuffler.shuffle(names)
    assert named(uniforms, sizes) == named(uniforms, {name: sizes[name] for name in names})


@given(SIZES, st.integers(0, 2**32))
def test_every_arm_gets_its_size(sizes, seed):
    uniforms = np.random.default_rng(seed).random(sum(sizes.values()))
    got = named(uniforms, sizes)
    assert {name: got.count(name) for name in sizes} == sizes


def test_every_allocation_is_equally_likely():
    arms = randomise(np.random.default_rng(4).random((60_000, 4)), {"b": 2, "a": 2})
    _, counts = np.unique(arms @ [8, 4, 2, 1], return_counts=True)
    assert counts.size == 6  # 4 choose 2
    expected = 60_000 / 6
    assert float(np.sum((counts - expected) ** 2) / expected) < 20.5  # chi-squared, 5 df, p = 0.001


def test_many_trials_at_once_are_each_trial_alone():
    uniforms = np.random.default_rng(6).random((7, 24))
    sizes = {"UC-MSC": 12, "vehicle": 12}
    together = randomise(uniforms, sizes)
    for trial, row in zip(together, uniforms, strict=True):
        np.testing.assert_array_equal(trial, randomise(row, sizes))


def test_sizes_that_do_not_add_up_are_refused():
    with pytest.raises(ValueError, match="do not add up to 3"):
        randomise(np.array([0.1, 0.2, 0.3]), {"a": 1, "b": 1})
    with pytest.raises(ValueError, match="nan"):
        randomise(np.array([0.1, np.nan]), {"a": 1, "b": 1})
