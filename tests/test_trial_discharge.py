"""Subjects go home alive as their hazard says, unless they die first; days in hospital follow."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.trial_rows import TIMES, Row, followed

from mesolung.trial.analysis import analyse
from mesolung.trial.contrasts import contrast
from mesolung.trial.endpoints import endpoint_values, expected_values, value_of_death
from mesolung.trial.outcomes import Outcomes

DISCHARGED = Row("discharged", "discharged", better="higher", deaths="zero", value_at_death=0.0)
HOSPITAL = Row("hospital_days", "hospital_days", type="continuous", deaths="worst", highest=None, unit="d")
MORTALITY = Row("mortality", "death")
RATE = st.floats(1e-5, 0.02)


def midpoints(n: int) -> np.ndarray:
    return (np.arange(n) + 0.5) / n


def crowd(death: float, discharge: float, per_side: int = 400) -> Outcomes:
    """Subjects that differ in their luck alone, which covers the unit square evenly."""
    u, v = np.meshgrid(midpoints(per_side), midpoints(per_side))
    return followed(death, discharge, u.ravel(), v.ravel())


def mean(pair: tuple[np.ndarray, np.ndarray]) -> float:
    values, weights = pair
    return float(np.average(np.nan_to_num(values), weights=weights))


def test_discharge_of_a_constant_hazard_is_exponential():
    v = np.array([0.9, 0.5, 0.1])
    home = followed(0.0, 0.005, v=v)
    np.testing.assert_allclose(home.discharge_time, -np.log(v) / 0.005, rtol=1e-12)
    assert home.followed_to_discharge and np.all(np.isinf(home.death_time))


def test_the_first_of_death_and_discharge_rules_and_deaths_after_discharge_are_deaths():
    # Home at 231 h; death at 347 h, at 116 h, never, at 347 h.
    group = followed([0.002, 0.006, 0.0, 0.002], [0.003, 0.003, 0.003, 0.0])
    np.testing.assert_allclose(group.discharge_time[[0, 2]], np.log(2) / 0.003)
    assert np.isinf(group.discharge_time[[1, 3]]).all()
    assert list(endpoint_values(group, DISCHARGED, 672.0)) == [1.0, 0.0, 1.0, 0.0]
    assert list(endpoint_values(group, MORTALITY, 672.0)) == [1.0, 1.0, 0.0, 1.0]
    days = endpoint_values(group, HOSPITAL, 672.0)
    np.testing.assert_allclose(days, [np.log(2) / 0.072, 28.0, np.log(2) / 0.072, 28.0])
    survivors = endpoint_values(group, HOSPITAL, 672.0, deaths="survivors")
    assert np.isnan(survivors[[0, 1, 3]]).all() and survivors[2] == days[2]


def test_who_is_still_in_hospital_counts_the_whole_follow_up():
    group = followed(0.0, 0.0)
    assert endpoint_values(group, HOSPITAL, 672.0)[0] == 28.0
    assert endpoint_values(group, HOSPITAL, 100.0)[0] == pytest.approx(100 / 24)
    assert endpoint_values(group, DISCHARGED, 672.0)[0] == 0.0
    assert value_of_death(HOSPITAL, None, 336.0) == 14.0


@pytest.mark.parametrize(("death", "discharge"), [(0.0, 0.002), (0.0012, 0.004), (0.003, 0.0005)])
@pytest.mark.parametrize("deaths", ["worst", "zero", "survivors"])
@pytest.mark.parametrize("time_h", [672.0, 330.0, 55.5])
def test_expected_values_are_the_limit_of_recorded_ones(death, discharge, deaths, time_h):
    many, one = crowd(death, discharge), followed(death, discharge)
    for row in (DISCHARGED, HOSPITAL):
        recorded = np.nanmean(endpoint_values(many, row, time_h, deaths=deaths))
        assert mean(expected_values(one, row, time_h, deaths=deaths)) == pytest.approx(
            recorded, rel=4e-3, abs=1.5e-3
        )


def test_expected_discharge_is_the_closed_form_of_competing_risks():
    a, b, t = 0.0015, 0.004, 500.0
    home = b / (a + b) * (1 - np.exp(-(a + b) * t))
    found = expected_values(followed(a, b), DISCHARGED, t)[0][0]
    assert found == pytest.approx(home, rel=1e-12)
    stay = (1 - np.exp(-b * t)) / b / 24
    alive = expected_values(followed(a, b), HOSPITAL, t, deaths="survivors")
    assert alive[0][0] == pytest.approx(stay, rel=1e-10)
    assert alive[1][0] == pytest.approx(np.exp(-a * t), rel=1e-12)


@given(RATE, RATE, st.floats(1.0, 672.0))
def test_home_dead_and_in_hospital_add_to_one(death, discharge, time_h):
    group = followed(death, discharge)
    home = expected_values(group, DISCHARGED, time_h)[0][0]
    still = np.exp(-(death + discharge) * time_h)
    died_inside = death / (death + discharge) * (1 - still)
    assert home + still + died_inside == pytest.approx(1.0, rel=1e-9)
    days = expected_values(group, HOSPITAL, time_h)[0][0]
    assert 0.0 < days <= time_h / 24 * (1 + 1e-12)


@given(st.floats(1e-4, 0.01), st.floats(1.01, 5.0), st.floats(0.01, 0.99), st.floats(0.01, 0.99))
def test_a_higher_hazard_of_discharge_never_keeps_anyone_longer(rate, factor, u, v):
    slow, fast = followed(0.001, rate, u, v), followed(0.001, rate * factor, u, v)
    assert fast.discharge_time[0] <= slow.discharge_time[0]
    assert endpoint_values(fast, HOSPITAL, 672.0)[0] <= endpoint_values(slow, HOSPITAL, 672.0)[0]


def test_a_rate_ratio_of_discharge_keeps_the_dead_at_risk():
    # As many go home as would without deaths in the comparison: the dead are held to the end of follow-up.
    treated, control = crowd(0.001, 0.006, 60), crowd(0.001, 0.003, 60)
    time, home = treated.time_to_discharge(672.0)
    died_inside = np.isinf(treated.discharge_time) & (treated.death_time <= 672.0)
    assert np.all(time[died_inside] == 672.0) and not home[died_inside].any()
    done = analyse(
        endpoint_values(treated, DISCHARGED, 672.0),
        endpoint_values(control, DISCHARGED, 672.0),
        DISCHARGED,
        "hazard_ratio",
        treated_survival=(time, home),
        control_survival=control.time_to_discharge(672.0),
    )
    assert 1.5 < done.estimate < 2.0 and done.shift == 1 and done.significant
    a, b = (mean(expected_values(x, DISCHARGED, 672.0)) for x in (treated, control))
    assert contrast("hazard_ratio", a, b) == pytest.approx(done.estimate, rel=0.1)


def test_a_failed_course_is_missing_unless_something_came_first():
    hazard = np.tile(0.01 * TIMES, (3, 1))
    hazard[:, 10:] = np.nan  # nothing is known after 108 h
    u, v = np.array([0.9, 1e-6, 1e-6]), np.array([1e-6, 0.9, 1e-6])
    group = Outcomes(TIMES, {}, hazard, u, hazard, v)
    assert np.isinf(group.discharge_time[0]) and group.discharge_time[1] == pytest.approx(-np.log(0.9) / 0.01)
    assert np.isnan(group.discharge_time[2])
    home = endpoint_values(group, DISCHARGED, 672.0)
    assert home[0] == 0.0 and np.isnan(home[1:]).all()  # whether the second died later is not known
    assert endpoint_values(group, DISCHARGED, 60.0)[1] == 1.0
    assert np.isnan(group.time_to_discharge(672.0)[0][2])


def test_courses_without_discharge_say_so():
    group = Outcomes(TIMES, {}, np.zeros((1, TIMES.size)), np.array([0.5]))
    assert not group.followed_to_discharge
    with pytest.raises(ValueError, match="not followed to discharge"):
        endpoint_values(group, DISCHARGED, 24.0)
    with pytest.raises(ValueError, match="expected"):
        Outcomes(TIMES, {}, np.zeros((1, TIMES.size)), np.array([0.5]), np.zeros((2, 3)), np.array([0.5]))
