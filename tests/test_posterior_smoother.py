"""The smoother gives back what was planted, and its test notices when it does not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.stats import chisquare

from mesolung.calibration.posterior.kalman import (
    Observed,
    assimilate,
    completed,
    localised,
    widening,
)

PARAMETERS, NUMBERS, MEMBERS, FITS, ROUNDS = 6, 12, 160, 200, 3
# What is wrong is noticed with fewer fits than what is right is confirmed with.
FEWER = 60
ERROR = 0.4
# Ranks are counted in so many bins of the members.
BINS = 8


def design() -> np.ndarray:
    """What numbers hang on: each on two parameters, some on none of the first."""
    return np.random.default_rng(7).normal(size=(NUMBERS, PARAMETERS)) * (
        np.random.default_rng(8).uniform(size=(NUMBERS, PARAMETERS)) < 0.5
    )


def forward(z: np.ndarray) -> np.ndarray:
    """Arms of a planted experiment: the first half of the numbers is one arm's, the second the other's."""
    y = z @ design().T
    return y + 0.05 * np.tanh(y)


def fitted(
    data: np.ndarray, key: int, error: float = ERROR, told: Callable[[np.ndarray], np.ndarray] = forward
) -> np.ndarray:
    """Fit one planted set of numbers."""
    random = np.random.default_rng([key, 1])
    z = random.normal(size=(MEMBERS, PARAMETERS))
    observed = Observed(data, np.full(data.size, error), [str(k) for k in range(data.size)])
    for _ in range(ROUNDS):
        z = assimilate(z, told(z), observed, float(ROUNDS), random.normal(size=(MEMBERS, data.size)))
    return z


def ranks(fit: Callable[[np.ndarray, int], np.ndarray], fits: int = FEWER) -> np.ndarray:
    """Where the planted values stand among the draws, int[fits, parameters]."""
    found = []
    for key in range(fits):
        random = np.random.default_rng([key, 0])
        truth = random.normal(size=PARAMETERS)
        data = forward(truth[None, :])[0] + ERROR * random.normal(size=NUMBERS)
        found.append((fit(data, key) < truth).sum(axis=0))
    return np.array(found)


def uniformity(found: np.ndarray) -> float:
    """Smallest chance, over parameters, of ranks as uneven as these; corrected for how many they are."""
    chances = [
        chisquare(np.histogram(column, bins=BINS, range=(0, MEMBERS + 1))[0]).pvalue for column in found.T
    ]
    return float(min(1.0, min(chances) * len(chances)))


def test_ranks_of_planted_truths_are_uniform() -> None:
    assert uniformity(ranks(fitted, FITS)) > 0.01


def test_a_wrong_likelihood_is_noticed() -> None:
    assert uniformity(ranks(lambda data, key: fitted(data, key, error=ERROR / 3.0))) < 1e-3


def test_swapped_arms_are_noticed() -> None:
    def swapped(data: np.ndarray, key: int) -> np.ndarray:
        half = NUMBERS // 2
        return fitted(np.concatenate([data[half:], data[:half]]), key)

    assert uniformity(ranks(swapped)) < 1e-3


def test_numbers_that_leak_in_twice_are_noticed() -> None:
    def twice(data: np.ndarray, key: int) -> np.ndarray:
        def four_times(z: np.ndarray) -> np.ndarray:
            return np.tile(forward(z), 4)

        return fitted(np.tile(data, 4), key, told=four_times)

    assert uniformity(ranks(twice)) < 1e-3


def test_a_linear_problem_has_its_known_answer() -> None:
    random = np.random.default_rng(3)
    a = random.normal(size=(5, 3))
    data, error = random.normal(size=5), np.full(5, 0.5)
    z = random.normal(size=(4000, 3))
    observed = Observed(data, error, list("aabbc"), discrepancy=0.3)
    for _ in range(4):
        z = assimilate(z, z @ a.T, observed, 4.0, random.normal(size=(4000, 5)))
    precision = np.linalg.inv(observed.covariance())
    covariance = np.linalg.inv(np.eye(3) + a.T @ precision @ a)
    mean = covariance @ a.T @ precision @ data
    assert z.mean(axis=0) == pytest.approx(mean, abs=0.06)
    assert np.cov(z.T) == pytest.approx(covariance, abs=0.05)


def test_a_parameter_that_no_number_hangs_on_keeps_its_prior() -> None:
    random = np.random.default_rng(5)
    z = random.normal(size=(512, 4))
    before = z.copy()
    observed = Observed(np.full(20, 2.0), np.full(20, 0.1), [str(k) for k in range(20)])
    for _ in range(4):
        predicted = z[:, :1] + 0.1 * random.normal(size=(512, 20))
        z = assimilate(z, predicted, observed, 4.0, random.normal(size=(512, 20)))
    assert z[:, 0].mean() == pytest.approx(2.0, abs=0.1)
    assert z[:, 1:].std(axis=0) == pytest.approx(before[:, 1:].std(axis=0), rel=0.05)
    assert z[:, 1:].mean(axis=0) == pytest.approx(before[:, 1:].mean(axis=0), abs=0.25)


def test_a_series_that_shares_the_models_error_teaches_less() -> None:
    random = np.random.default_rng(9)
    start = random.normal(size=(1000, 1))
    left = {}
    for series in ("alike", "apart"):
        names = ["x"] * 10 if series == "alike" else [str(k) for k in range(10)]
        observed = Observed(np.zeros(10), np.full(10, 0.1), names, discrepancy=0.5)
        left[series] = assimilate(
            start, np.tile(start, 10), observed, 1.0, random.normal(size=(1000, 10))
        ).std()
    assert left["alike"] > 1.8 * left["apart"]


def test_what_nobody_can_reach_pulls_no_harder_than_three_errors() -> None:
    predicted = np.random.default_rng(1).normal(size=(200, 2))
    observed = Observed(np.array([0.0, 50.0]), np.ones(2), ["a", "b"])
    factors = widening(predicted, observed)
    assert factors[0] == 1.0
    away = (50.0 - predicted[:, 1].mean()) / np.hypot(predicted[:, 1].std(), factors[1])
    assert away == pytest.approx(3.0, rel=1e-6)


def test_members_who_cannot_tell_are_not_pulled() -> None:
    predicted = np.array([[1.0, np.nan, 0.0], [3.0, np.nan, 2.0], [np.nan, 1.0, 4.0]])
    full, told = completed(predicted)
    assert full[2, 0] == 2.0
    assert told.tolist() == [True, False, True]


def test_chance_covariances_are_shrunk_and_clear_ones_are_not() -> None:
    cross = np.array([[0.02, 0.9]])
    found = localised(cross, np.ones(1), np.ones(2), 512)
    assert abs(found[0, 0]) < 0.01
    assert found[0, 1] == pytest.approx(0.9, rel=0.01)
