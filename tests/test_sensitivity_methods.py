"""Screening and variance shares on functions whose answers are known."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import sobol_indices, uniform

from mesolung.calibration.sensitivity import morris, sobol

Values = NDArray[np.float64]
A, B = 7.0, 0.1


def ishigami(u: Values) -> Values:
    x = np.pi * (2.0 * u - 1.0)
    return np.sin(x[:, 0]) + A * np.sin(x[:, 1]) ** 2 + B * x[:, 2] ** 4 * np.sin(x[:, 0])


def known_shares() -> tuple[Values, Values]:
    """Closed form, Ishigami and Homma 1990, doi 10.1109/ISUMA.1990.151285."""
    v1 = 0.5 * (1.0 + B * np.pi**4 / 5.0) ** 2
    v2 = A**2 / 8.0
    v13 = B**2 * np.pi**8 * (1.0 / 18.0 - 1.0 / 50.0)
    total = v1 + v2 + v13
    return np.array([v1, v2, 0.0]) / total, np.array([v1 + v13, v2, v13]) / total


def test_shares_of_ishigami_are_the_closed_form() -> None:
    made = sobol.design(4096, 3, seed=1)
    found = sobol.indices(made, ishigami(made.points()), seed=1)
    first, total = known_shares()
    assert found.first == pytest.approx(first, abs=0.02)
    assert found.total == pytest.approx(total, abs=0.02)
    assert found.variance == pytest.approx(0.5 + A**2 / 8 + B * np.pi**4 / 5 + B**2 * np.pi**8 / 18, rel=0.02)


def test_intervals_hold_the_truth_and_narrow_with_more_samples() -> None:
    widths = []
    for samples in (128, 2048):
        made = sobol.design(samples, 3, seed=2)
        found = sobol.indices(made, ishigami(made.points()), seed=2)
        widths.append(np.diff(found.total_interval, axis=0).mean())
        _, total = known_shares()
        slack = 0.02
        assert np.all(found.total_interval[0] - slack <= total)
        assert np.all(total <= found.total_interval[1] + slack)
    assert widths[1] < 0.5 * widths[0]


def test_the_estimators_are_those_of_scipy() -> None:
    made = sobol.design(256, 3, seed=3)
    values = ishigami(made.points())
    table = values.reshape(5, 256)
    parts = {"f_A": table[:1], "f_B": table[1:2], "f_AB": table[2:, None, :]}
    theirs = sobol_indices(func=cast(Any, parts), n=256, dists=[uniform()] * 3)
    ours = sobol.indices(made, values, seed=3)
    assert ours.first == pytest.approx(np.ravel(theirs.first_order), abs=1e-9)
    assert ours.total == pytest.approx(np.ravel(theirs.total_order), abs=1e-9)


def test_a_failed_point_takes_its_row_alone() -> None:
    made = sobol.design(1024, 3, seed=1)
    values = ishigami(made.points())
    values[[5, 1024 + 5, 3 * 1024 + 9]] = np.nan
    found = sobol.indices(made, values, seed=1)
    assert found.kept == 1022
    assert found.total == pytest.approx(known_shares()[1], abs=0.05)


def test_what_does_not_vary_has_no_shares() -> None:
    made = sobol.design(64, 2, seed=1)
    found = sobol.indices(made, np.full(4 * 64, 3.7), seed=1)
    assert np.isnan(found.first).all() and np.isnan(found.total).all()


def test_samples_are_a_power_of_two() -> None:
    with pytest.raises(ValueError, match="power of two"):
        sobol.design(100, 2, seed=1)


def test_a_path_moves_one_input_at_a_step_over_half_of_its_distribution() -> None:
    made = morris.paths(40, 7, seed=1)
    assert made.points.min() > 0.0 and made.points.max() < 1.0
    steps = np.diff(made.points, axis=1)
    assert np.all(np.count_nonzero(steps, axis=2) == 1)
    assert np.allclose(np.abs(steps).sum(axis=2), morris.STEP)
    assert all(sorted(row) == list(range(7)) for row in made.moved.tolist())
    # Over many paths every quantile is seen alike.
    starts = morris.paths(2000, 1, seed=1).points[:, 0, 0]
    assert np.histogram(starts, bins=8, range=(0.0, 1.0))[0].min() > 180


def test_screening_finds_the_slopes_of_a_linear_function() -> None:
    slopes = np.array([4.0, -2.0, 0.0, 0.5])
    made = morris.paths(12, 4, seed=5)
    found = morris.effects(made, made.points @ slopes, seed=5)
    assert found.mean == pytest.approx(slopes * morris.STEP)
    assert found.size == pytest.approx(np.abs(slopes) * morris.STEP)
    assert found.spread == pytest.approx(0.0, abs=1e-12)
    assert found.low == pytest.approx(found.size) and found.high == pytest.approx(found.size)


def test_screening_of_ishigami_sees_that_inputs_act_together() -> None:
    made = morris.paths(200, 3, seed=1)
    values = ishigami(made.points.reshape(-1, 3)).reshape(200, 4)
    found = morris.effects(made, values, seed=1)
    # x3 acts through x1 alone: its mean is about 0, its size is not.
    assert abs(found.mean[2]) < 0.3 * found.size[2] or found.size[2] < 0.5
    assert np.all(found.low <= found.size) and np.all(found.size <= found.high)
    assert found.spread[0] > 0.5


def test_a_path_with_a_gap_is_left_out_as_a_whole() -> None:
    made = morris.paths(6, 3, seed=1)
    values = made.points @ np.array([1.0, 2.0, 3.0])
    values[2, 1] = np.nan
    found = morris.effects(made, values, seed=1)
    assert found.kept == 5 and found.size == pytest.approx(np.array([0.5, 1.0, 1.5]))


def test_the_same_seed_gives_the_same_design_and_more_of_it_changes_none() -> None:
    few, many = morris.paths(3, 5, seed=9), morris.paths(6, 5, seed=9)
    assert np.array_equal(few.points, many.points[:3])
    assert not np.array_equal(few.points, morris.paths(3, 5, seed=10).points)
    assert np.array_equal(sobol.design(32, 4, seed=9).a, sobol.design(32, 4, seed=9).a)
