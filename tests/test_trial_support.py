"""Supports and events are read off their outputs: on at a time, begun since enrolment, days on and off."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from tests.trial_rows import TIMES, Row, followed

from mesolung.trial.endpoints import endpoint_values, expected_values, value_of_death
from mesolung.trial.support import first_time

VENTILATION_DAYS = Row("ventilation_days", "days_on", ("ventilated",), type="continuous", highest=None)
FREE_DAYS = Row("ventilator_free_days", "days_off", ("ventilated",), type="continuous", deaths="zero",
                better="higher", value_at_death=0.0, highest=None)  # fmt: skip
COMPOSITE = Row("ventilation_or_death", "occurred", ("ventilated",), deaths="worst", value_at_death=1.0)
INFECTION = Row("secondary_infection", "occurred", ("SEC",), deaths="zero")
STORM = Row("cytokine_storm", "present", ("il6", "crp"), (80.0, 97.0))


def rises(at: float) -> Callable[[np.ndarray], np.ndarray]:
    """An output that goes from 0 to 1 around an hour between two outputs."""
    return lambda t: np.clip((t - at) / 12.0 + 0.5, 0.0, 1.0)


def test_days_on_and_off_a_ventilator_share_the_days():
    course = np.where((TIMES >= 96) & (TIMES < 240), 1.0, 0.0)
    group = followed(0.0, 0.0, ventilated=course)
    on, off = (endpoint_values(group, row, 672.0)[0] for row in (VENTILATION_DAYS, FREE_DAYS))
    assert on == pytest.approx((234 - 90) / 24) and on + off == pytest.approx(28.0)
    assert expected_values(group, VENTILATION_DAYS, 672.0)[0][0] == pytest.approx(on)


def test_the_dead_have_no_days_on_a_ventilator_unless_asked_for():
    group = followed([0.0, 0.01], 0.0, ventilated=lambda t: 1.0 + 0 * t)
    assert np.isnan(endpoint_values(group, VENTILATION_DAYS, 672.0)[1])
    assert endpoint_values(group, VENTILATION_DAYS, 672.0, deaths="worst")[1] == 28.0
    assert endpoint_values(group, VENTILATION_DAYS, 672.0, deaths="zero")[1] == 0.0
    assert value_of_death(FREE_DAYS, "worst", 672.0) == 0.0
    assert np.isnan(endpoint_values(group, FREE_DAYS, 672.0, deaths="survivors")[1])


def test_what_has_occurred_stays_and_counts_from_its_crossing():
    group = followed(0.0, 0.0, SEC=np.array([rises(102.0)(TIMES), rises(306.0)(TIMES), 0 * TIMES]))
    np.testing.assert_allclose(first_time(group, "SEC"), [102.0, 306.0, np.inf])
    for time, found in ((101.0, [0, 0, 0]), (102.0, [1, 0, 0]), (400.0, [1, 1, 0])):
        assert list(endpoint_values(group, INFECTION, time)) == found
    passed = followed(0.0, 0.0, ventilated=np.where((TIMES > 60) & (TIMES < 200), 1.0, 0.0))
    assert endpoint_values(passed, COMPOSITE, 672.0)[0] == 1.0, "extubated again, and yet it has been"


def test_who_has_it_at_enrolment_is_not_at_risk():
    group = followed([0.0, 0.01], 0.0, SEC=np.array([[1.0], [0.7]]))
    assert np.isnan(endpoint_values(group, INFECTION, 672.0)).all()
    assert list(expected_values(group, INFECTION, 672.0)[1]) == [0.0, 0.0]


def test_an_infection_before_death_counts_and_none_after_it():
    # All die at 347 h; infected before, after, never.
    course = np.array([rises(102.0)(TIMES), rises(500.0)(TIMES), 0 * TIMES])
    group = followed(0.002, 0.0, SEC=course, u=[0.5, 0.5, 0.5])
    assert list(endpoint_values(group, INFECTION, 672.0)) == [1.0, 0.0, 0.0]
    assert list(endpoint_values(group, INFECTION, 672.0, deaths="worst")) == [1.0, 1.0, 1.0]
    assert np.isnan(endpoint_values(group, INFECTION, 672.0, deaths="survivors")).all()


@pytest.mark.parametrize("row", [COMPOSITE, INFECTION], ids=lambda row: row.name)
@pytest.mark.parametrize("deaths", ["worst", "zero", "survivors"])
@pytest.mark.parametrize("time_h", [672.0, 250.0, 90.0])
def test_expected_occurrence_is_the_limit_of_recorded_occurrence(row, deaths, time_h):
    n = 20_000
    course = {row.outputs[0]: rises(151.0)}
    many = followed(0.002, 0.0, u=(np.arange(n) + 0.5) / n, **course)
    recorded = np.nanmean(endpoint_values(many, row, time_h, deaths=deaths))
    values, _ = expected_values(followed(0.002, 0.0, **course), row, time_h, deaths=deaths)
    assert values[0] == pytest.approx(recorded, abs=1e-4)


def test_a_composite_is_at_least_each_of_its_parts():
    rng = np.random.default_rng(4)
    group = followed(rng.random(200) / 400, 0.0, rng.random(200), ventilated=np.cumsum(
        rng.random((200, TIMES.size)) / 40, axis=1))  # fmt: skip
    both = endpoint_values(group, COMPOSITE, 672.0)
    known = ~np.isnan(both)
    assert np.all(both[known] >= (group.death_time <= 672.0)[known])
    assert np.all(
        both[known] >= (first_time(group, "ventilated") <= np.minimum(672.0, group.death_time))[known]
    )


def test_a_storm_needs_both_at_the_same_time():
    il6, crp = np.where(TIMES < 200, 500.0, 10.0), np.where(TIMES > 100, 200.0, 10.0)
    group = followed(0.0, 0.0, il6=il6, crp=crp)
    assert [endpoint_values(group, STORM, t)[0] for t in (48.0, 150.0, 300.0)] == [0.0, 1.0, 0.0]


def test_a_time_of_its_own_for_every_subject():
    group = followed([0.0, 0.0, 0.0], 0.001, v=[0.5, 0.5, 0.5], il6=lambda t: 10.0 + t, crp=lambda t: 0 * t)
    row = Row("il6", "level", ("il6",), type="continuous", highest=None)
    times = np.array([24.0, 100.5, -3.0])
    found = endpoint_values(group, row, times)
    assert found[0] == 34.0 and found[1] == pytest.approx(110.5) and np.isnan(found[2])
    one = [endpoint_values(group, row, float(t))[k] for k, t in enumerate(times[:2])]
    np.testing.assert_array_equal(found[:2], one)
    _, weights = expected_values(group, row, times)
    assert list(weights) == [1.0, 1.0, 0.0]
    with pytest.raises(ValueError, match="one end of follow-up"):
        endpoint_values(
            followed([0.0, 0.0], 0.0, ventilated=lambda t: 0 * t), FREE_DAYS, np.array([1.0, 2.0])
        )
