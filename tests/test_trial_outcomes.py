"""Deaths follow the hazard, endpoints follow the course, and the dead count as the rule says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.trial_rows import TIMES, Row, quantity

from mesolung.trial.endpoints import endpoint_values, expected_values, raised, value_of_death
from mesolung.trial.outcomes import Outcomes

PF_RATIO = quantity(lowest=20.0, highest=650.0)
SOFA = quantity("sofa", better="lower", value_at_death=24.0, deaths="worst", test="mann-whitney")
IL6 = quantity("il6", scale="log", better="lower", lowest=0.01, default_contrast="ratio")
MORTALITY = quantity("mortality", type="binary", better="lower", default_contrast="risk_ratio", rule="death")
SURVIVAL = quantity("survival", type="binary", better="higher", default_contrast="risk_ratio", rule="alive")
ON = ("ventilated",)
VENTILATION = quantity(
    "ventilation", type="binary", better="lower", deaths="worst", rule="present", outputs=ON
)
FREE_DAYS = quantity("ventilator_free_days", better="higher", deaths="zero", rule="days_off", outputs=ON)


def courses(hazard: float | np.ndarray, uniforms, times: np.ndarray = TIMES, **outputs) -> Outcomes:
    """Subjects with a constant hazard (1/h) and outputs given as functions of time or as arrays."""
    u = np.atleast_1d(np.asarray(uniforms, dtype=float))
    rate = np.broadcast_to(np.asarray(hazard, dtype=float), u.shape)
    shape = (u.size, times.size)
    values = {
        name: np.broadcast_to(np.asarray(f(times) if callable(f) else f, dtype=float), shape).copy()
        for name, f in outputs.items()
    }
    return Outcomes(times, values, rate[:, None] * times, u)


def expected_value(outcomes: Outcomes, row: Row, time_h: float, **asked) -> float:
    """The arm's expected mean."""
    values, weights = expected_values(outcomes, row, time_h, **asked)
    return float(np.average(np.nan_to_num(values), weights=weights)) if weights.sum() > 0 else np.nan


def test_death_time_of_a_constant_hazard_is_exponential():
    u = np.array([0.9, 0.5, 0.1])
    np.testing.assert_allclose(courses(0.005, u).death_time, -np.log(u) / 0.005, rtol=1e-12)


def test_the_hardy_survive_and_the_doomed_die_at_once():
    death = courses(0.001, [1e-300, 0.0, 1.0]).death_time
    assert death[0] == np.inf and death[1] == np.inf and death[2] == 0.0


def test_alive_means_exp_minus_hazard_above_the_uniform():
    rng = np.random.default_rng(1)
    hazard = np.cumsum(rng.exponential(0.01, (500, TIMES.size)), axis=1)
    hazard -= hazard[:, :1]
    u = rng.random(500)
    death = Outcomes(TIMES, {}, hazard, u).death_time
    for k in (5, 30, TIMES.size - 1):
        np.testing.assert_array_equal(death > TIMES[k], np.exp(-hazard[:, k]) > u)


@given(st.floats(0.01, 0.99), st.floats(1e-5, 0.02), st.floats(1.01, 5.0))
def test_more_hazard_never_postpones_death(u, rate, factor):
    assert courses(rate * factor, u).death_time[0] <= courses(rate, u).death_time[0]


def test_expected_mortality_is_the_limit_of_recorded_mortality():
    u = (np.arange(20_000) + 0.5) / 20_000
    group = courses(0.0012, u)
    recorded = endpoint_values(group, MORTALITY, 336.0).mean()
    assert expected_value(group, MORTALITY, 336.0) == pytest.approx(1 - np.exp(-0.0012 * 336), rel=1e-12)
    assert recorded == pytest.approx(1 - np.exp(-0.0012 * 336), abs=1e-4)
    assert expected_value(group, SURVIVAL, 336.0) == pytest.approx(np.exp(-0.0012 * 336), rel=1e-12)


def test_mortality_and_survival_add_to_one_and_mortality_only_rises():
    group = courses(0.002, np.random.default_rng(2).random(300))
    shares = [endpoint_values(group, MORTALITY, t).mean() for t in (24.0, 100.0, 333.3, 672.0)]
    assert shares == sorted(shares) and 0 < shares[0] < shares[-1] < 1
    total = endpoint_values(group, MORTALITY, 200.0) + endpoint_values(group, SURVIVAL, 200.0)
    np.testing.assert_array_equal(total, 1.0)


def test_a_continuous_endpoint_is_read_between_outputs():
    group = courses(0.0, [0.5], pf_ratio=lambda t: 100 + t, il6=lambda t: 1000 * np.exp(-t / 40))
    assert endpoint_values(group, PF_RATIO, 30.5)[0] == pytest.approx(130.5, rel=1e-14)
    # Between outputs a log-scale endpoint is read on the log scale, which is exact for an exponential.
    assert endpoint_values(group, IL6, 30.5)[0] == pytest.approx(1000 * np.exp(-30.5 / 40), rel=1e-12)


def test_change_and_percent_change_are_from_the_baseline():
    group = courses(0.0, [0.5], pf_ratio=lambda t: 100 + t / 10)
    assert endpoint_values(group, PF_RATIO, 240.0, "change")[0] == pytest.approx(24.0)
    assert endpoint_values(group, PF_RATIO, 240.0, "percent_change")[0] == pytest.approx(24.0)
    zero = courses(0.0, [0.5], pf_ratio=lambda t: t)
    assert np.isnan(endpoint_values(zero, PF_RATIO, 240.0, "percent_change")[0])


def test_the_dead_count_as_the_rule_says():
    group = courses(0.01, [0.5, 1e-9], sofa=lambda t: 8 + 0 * t, pf_ratio=lambda t: 150 + 0 * t)
    assert list(endpoint_values(group, SOFA, 672.0)) == [24.0, 8.0]
    assert list(endpoint_values(group, SOFA, 672.0, deaths="zero")) == [0.0, 8.0]
    assert list(endpoint_values(group, SOFA, 672.0, "change")) == [16.0, 0.0]
    survivors = endpoint_values(group, SOFA, 672.0, deaths="survivors")
    assert np.isnan(survivors[0]) and survivors[1] == 8.0
    assert list(endpoint_values(group, PF_RATIO, 672.0, deaths="worst")) == [20.0, 150.0]


def test_worst_without_a_bound_is_refused():
    with pytest.raises(ValueError, match="no value at death and no worst bound"):
        value_of_death(quantity("crp", better="lower", lowest=0.0), "worst")
    with pytest.raises(ValueError, match="expected survivors, worst or zero"):
        value_of_death(SOFA, "best")


def test_expected_values_mix_or_weight_by_the_chance_of_death():
    group = courses(np.array([0.0, 0.002]), [0.5, 0.5], sofa=np.array([[4.0], [10.0]]))
    alive = np.exp(-0.002 * 672)
    values, weights = expected_values(group, SOFA, 672.0)
    np.testing.assert_allclose(values, [4.0, alive * 10 + (1 - alive) * 24], rtol=1e-12)
    np.testing.assert_array_equal(weights, 1.0)
    values, weights = expected_values(group, SOFA, 672.0, deaths="survivors")
    np.testing.assert_allclose(weights, [1.0, alive], rtol=1e-12)
    mean = expected_value(group, SOFA, 672.0, deaths="survivors")
    assert mean == pytest.approx((4 + alive * 10) / (1 + alive), rel=1e-12)


def test_expected_values_do_not_depend_on_the_uniforms():
    rng = np.random.default_rng(3)
    first, second = (courses(0.001, rng.random(20), sofa=lambda t: 5 + t / 100) for _ in range(2))
    assert expected_value(first, SOFA, 500.0) == expected_value(second, SOFA, 500.0)


def test_free_days_edges():
    half = np.where(TIMES < 336, 1.0, 0.0)
    group = courses(
        np.array([0.0, 0.0, 0.0, 0.01, 0.0]),
        [0.5] * 5,
        ventilated=np.array([0 * TIMES, 0 * TIMES + 1, half, 0 * TIMES, 0 * TIMES + 0.5]),
    )
    days = endpoint_values(group, FREE_DAYS, 672.0)
    # never; always; off half-way between the outputs at 324 h and 336 h; dead; 0.5 is ventilated
    np.testing.assert_allclose(days, [28.0, 0.0, (672 - 330) / 24, 0.0, 0.0], rtol=1e-12)


def test_free_days_count_reventilation_and_a_time_between_outputs():
    up_again = np.where((TIMES > 100) & (TIMES < 200), 1.0, 0.0)
    group = courses(0.0, [0.5], ventilated=up_again)
    # ventilated from 102 h (half-way from 96 to 108) to 198 h (half-way from 192 to 204)
    assert endpoint_values(group, FREE_DAYS, 672.0)[0] == pytest.approx((672 - 96) / 24)
    assert endpoint_values(group, FREE_DAYS, 150.5)[0] == pytest.approx(102 / 24)
    assert endpoint_values(group, FREE_DAYS, 0.0)[0] == 0.0


def test_dead_by_then_gives_no_free_days_but_dead_later_does():
    group = courses(0.002, [0.5], ventilated=lambda t: 0 * t)  # dies at 346.6 h
    assert endpoint_values(group, FREE_DAYS, 340.0)[0] == pytest.approx(340 / 24)
    assert endpoint_values(group, FREE_DAYS, 672.0)[0] == 0.0


@given(st.lists(st.floats(0, 1), min_size=5, max_size=5), st.floats(0.0, 48.0))
def test_free_days_lie_between_none_and_all_and_only_rise_with_time(levels, time):
    times = np.array([0.0, 12.0, 24.0, 36.0, 48.0])
    group = courses(0.0, [0.5], times, ventilated=np.array(levels))
    days = endpoint_values(group, FREE_DAYS, time)[0]
    assert 0 <= days <= time / 24 + 1e-12
    assert days <= endpoint_values(group, FREE_DAYS, 48.0)[0] + 1e-12


def test_ventilation_at_a_time():
    group = courses(np.array([0.0, 0.0, 0.01]), [0.5] * 3, ventilated=np.array([[0.49], [0.5], [0.0]]))
    assert list(endpoint_values(group, VENTILATION, 672.0)) == [0.0, 1.0, 1.0]


def test_a_failed_course_is_missing_unless_the_death_came_first():
    hazard = np.tile(0.01 * TIMES, (2, 1))
    hazard[:, 10:] = np.nan
    group = Outcomes(TIMES, {"ventilated": hazard * 0.0}, hazard, np.array([0.5, 1e-6]))
    for row in (MORTALITY, SURVIVAL, FREE_DAYS):
        values = endpoint_values(group, row, 672.0)
        assert not np.isnan(values[0]) and np.isnan(values[1])
    assert not np.isnan(endpoint_values(group, MORTALITY, 60.0)).any()
    assert np.isnan(expected_value(group, MORTALITY, 672.0))
    time, died = group.time_to_death(672.0)
    assert died.tolist() == [True, False] and np.isnan(time[1])


def test_times_outside_and_unknown_names_are_refused():
    group = courses(0.001, [0.5], pf_ratio=lambda t: t)
    with pytest.raises(ValueError, match="outside the outputs"):
        endpoint_values(group, MORTALITY, 60 * 24.0)
    with pytest.raises(KeyError, match="sofa"):
        endpoint_values(group, SOFA, 24.0)
    with pytest.raises(ValueError, match="has a level only"):
        endpoint_values(group, MORTALITY, 24.0, "change")
    with pytest.raises(ValueError, match="expected level, change or percent_change"):
        endpoint_values(group, PF_RATIO, 24.0, "ratio")
    with pytest.raises(ValueError, match="strictly increasing"):
        Outcomes(np.array([0.0, 0.0]), {}, np.zeros((1, 2)), np.array([0.5]))


def test_a_subject_does_not_depend_on_its_neighbours():
    rng = np.random.default_rng(5)
    rate, u, course = rng.random(40) / 300, rng.random(40), rng.random((40, TIMES.size))
    some = np.array([3, 17, 39])
    group, few = courses(rate, u, ventilated=course), courses(rate[some], u[some], ventilated=course[some])
    for row in (MORTALITY, FREE_DAYS, VENTILATION):
        whole, part = endpoint_values(group, row, 500.0), endpoint_values(few, row, 500.0)
        np.testing.assert_array_equal(whole[some], part)


def test_an_expected_logarithm_mixes_logarithms():
    row = quantity("il6", scale="log", better="lower", lowest=0.01, value_at_death=900.0, deaths="worst")
    group = courses(np.array([0.0, 0.002]), [0.5, 0.5], il6=np.array([[10.0], [100.0]]))
    alive = np.exp(-0.002 * 672)
    values, weights = expected_values(group, row, 672.0, logarithm=True)
    wanted = [np.log(10), alive * np.log(100) + (1 - alive) * np.log(900)]
    np.testing.assert_allclose(values, wanted, rtol=1e-12)
    np.testing.assert_array_equal(weights, 1.0)


def test_what_has_no_logarithm_is_raised_to_the_least_that_can_be_told():
    one, two = raised((np.array([0.0, 4.0, np.nan]), np.array([2.0, -1.0])), quantity(lowest=0.5))
    np.testing.assert_array_equal(one, [0.5, 4.0, np.nan])
    np.testing.assert_array_equal(two, [2.0, 0.5])
    assert list(raised((np.array([0.0, 4.0]), np.array([2.0])), quantity(lowest=0.0))[0]) == [2.0, 4.0]
    assert list(raised((np.zeros(2),), quantity())[0]) == [1.0, 1.0]
