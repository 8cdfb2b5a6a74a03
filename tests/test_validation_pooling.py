"""The random-effects meta-analysis gives the published answers of a published data set."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from statsmodels.stats.meta_analysis import combine_effects
from tests.planted import DRAWS, trial

from mesolung.calibration.validation.pooling import (
    dersimonian_laird,
    log_risk_ratio,
    pooled,
    standardised_difference,
    together,
)
from mesolung.calibration.validation.published import published_effects

# BCG vaccine against tuberculosis: cases and subjects, vaccinated and not.
# Source: Colditz 1994 JAMA 271:698; the pooled values, Viechtbauer 2010 J Stat Softw 36(3), section 3.
BCG = (
    (4, 123, 11, 139), (6, 306, 29, 303), (3, 231, 11, 220), (62, 13598, 248, 12867), (33, 5069, 47, 5808),
    (180, 1541, 372, 1451), (8, 2545, 10, 629), (505, 88391, 499, 88391), (29, 7499, 45, 7277),
    (17, 1716, 65, 1665), (186, 50634, 141, 27338), (5, 2498, 3, 2341), (27, 16913, 29, 17854),
)  # fmt: skip


def effects() -> tuple[np.ndarray, np.ndarray]:
    found = [log_risk_ratio(*map(float, row)) for row in BCG]
    y, v = zip(*(one for one in found if one is not None), strict=True)
    return np.array(y), np.array(v)


def test_the_bcg_trials_pool_as_published() -> None:
    found = pooled(*effects())
    assert found.mean == pytest.approx(-0.7145, abs=5e-5)
    assert found.error == pytest.approx(0.1798, abs=5e-5)
    assert found.between == pytest.approx(0.3132, abs=5e-5)
    assert found.trials == 13


def test_the_moment_estimate_agrees_with_another_program() -> None:
    y, v = effects()
    other = combine_effects(y, v, method_re="dl")
    assert dersimonian_laird(y, v) == pytest.approx(other.tau2, rel=1e-10)  # pyright: ignore[reportAttributeAccessIssue]
    assert dersimonian_laird(y, v) == pytest.approx(0.3088, abs=5e-5)


def test_equal_trials_have_no_variance_between_them() -> None:
    found = pooled([0.2, 0.2, 0.2], [0.1, 0.1, 0.1])
    assert (found.mean, found.between) == (pytest.approx(0.2), 0.0)
    assert found.spread == pytest.approx(np.sqrt(0.1 / 3))


def test_empty_cells_are_filled_and_trials_without_events_tell_nothing() -> None:
    assert log_risk_ratio(0, 10, 0, 12) is None
    assert log_risk_ratio(10, 10, 12, 12) is None
    found = log_risk_ratio(0, 10, 3, 10)
    assert found == pytest.approx((np.log((0.5 / 11) / (3.5 / 11)), 1 / 0.5 - 1 / 11 + 1 / 3.5 - 1 / 11))


def test_a_standardised_difference_is_hedges() -> None:
    found = standardised_difference((103.0, 5.5, 50.0), (100.0, 4.5, 50.0))
    # Borenstein 2009, Introduction to Meta-Analysis, chapter 4: g = 0.5924, variance 0.0411.
    assert found == pytest.approx((0.5924, 0.0411), abs=2e-4)
    assert standardised_difference((1.0, 0.0, 5.0), (1.0, 0.0, 5.0)) is None


def test_two_arms_of_one_trial_count_once() -> None:
    assert together([(0.2, 0.1), (0.4, 0.1)]) == pytest.approx((0.3, 0.05))


def test_what_the_model_does_not_have_is_pooled_with_nothing(tmp_path: Path) -> None:
    line = '[[observation]]\narm = "{}"\nendpoint = "pao2"\ntime = "7 d"\nmean = 80\nsd = 10\nn = 15\n'
    risk = np.full(DRAWS, 0.3)
    more = line.format("cells") + line.format("none")
    study = trial(tmp_path, "gases", (3, 5), 15, (risk, risk), more=more).study
    assert len(study.observations) == 4
    assert [one.endpoint for one in published_effects(study)] == ["mortality"]
