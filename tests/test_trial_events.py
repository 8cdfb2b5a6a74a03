"""Events that come by chance: a cumulative hazard, a uniform number of one's own, and death beside it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.trial_rows import TIMES, Row, followed

from mesolung.trial.endpoints import endpoint_values, expected_values
from mesolung.trial.outcomes import Outcomes

NAME = "HAZ_event"
EVENT = Row("event", "happened", outputs=(NAME,), deaths="zero")
SURVIVORS = replace(EVENT, deaths="survivors")
MONTH = 672.0
RATE = st.floats(1e-5, 0.02)
LUCK = st.floats(0.001, 0.999)


def met(event: Any, death: Any = 0.0, u: Any = 0.5, w: Any = 0.5) -> Outcomes:
    """Subjects with constant hazards of an event and of death, 1/h; u and w are the numbers that decide."""
    n = max(np.size(x) for x in (event, death, u, w))
    own, other, luck, chance = (
        np.broadcast_to(np.asarray(x, dtype=float), (n,)).copy() for x in (event, death, u, w)
    )
    group = followed(other, 0.0, luck, **{NAME: own[:, None] * TIMES})
    return replace(group, event_uniforms={NAME: chance})


def crowd(event: float, death: float, per_side: int = 250) -> Outcomes:
    """Subjects that differ in their luck alone, which covers the unit square evenly."""
    middles = (np.arange(per_side) + 0.5) / per_side
    u, w = np.meshgrid(middles, middles)
    return met(event, death, u.ravel(), w.ravel())


def expected(group: Outcomes, row: Row = EVENT, time_h: float = MONTH) -> tuple[float, float]:
    values, weights = expected_values(group, row, time_h)
    return float(values[0]), float(weights[0])


def test_an_event_of_a_constant_hazard_is_exponential() -> None:
    w = np.array([0.9, 0.5, 0.1])
    np.testing.assert_allclose(met(0.005, w=w).event_time(NAME), -np.log(w) / 0.005, rtol=1e-12)
    assert np.isinf(met(1e-5).event_time(NAME)).all()


def test_the_hazard_counts_from_enrolment_and_never_falls() -> None:
    early = met(0.004)
    before = replace(early, outputs={NAME: early.outputs[NAME] + 3.0})
    np.testing.assert_allclose(before.event_time(NAME), early.event_time(NAME))
    # A solver's rounding may let it fall; what has come is not undone.
    rounded = early.outputs[NAME].copy()
    rounded[:, 20:] -= 1e-9
    assert (np.diff(replace(early, outputs={NAME: rounded}).event_hazard(NAME)) >= 0.0).all()
    with pytest.raises(KeyError):
        early.event_time("HAZ_other")


@given(RATE, RATE, st.floats(1.0, MONTH))
def test_the_expected_value_is_the_closed_form_of_competing_risks(
    event: float, death: float, time_h: float
) -> None:
    """Kalbfleisch and Prentice 2002, chapter 8: the cumulative incidence of one of two constant hazards."""
    first = event / (event + death) * -np.expm1(-(event + death) * time_h)
    value, weight = expected(met(event, death), time_h=time_h)
    assert value == pytest.approx(first, rel=1e-9) and weight == 1.0
    alive, weight = expected(met(event, death), SURVIVORS, time_h)
    assert alive == pytest.approx(-np.expm1(-event * time_h), rel=1e-9)
    assert weight == pytest.approx(np.exp(-death * time_h), rel=1e-9)
    worst, _ = expected(met(event, death), replace(EVENT, deaths="worst"), time_h)
    assert worst == pytest.approx(-np.expm1(-(event + death) * time_h), rel=1e-9)


@pytest.mark.parametrize(("event", "death"), [(0.002, 0.0), (0.004, 0.0012), (0.0005, 0.003)])
@pytest.mark.parametrize("deaths", ["zero", "worst", "survivors"])
@pytest.mark.parametrize("time_h", [MONTH, 330.0, 55.5])
def test_expected_values_are_the_limit_of_recorded_ones(
    event: float, death: float, deaths: str, time_h: float
) -> None:
    row = replace(EVENT, deaths=deaths)
    recorded = np.nanmean(endpoint_values(crowd(event, death), row, time_h))
    assert expected(met(event, death), row, time_h)[0] == pytest.approx(recorded, rel=4e-3, abs=4e-3)


def test_death_first_is_no_event_and_an_event_before_death_is_one() -> None:
    # The event would come at 231 h in all; death at 116 h, at 347 h, never.
    group = met(0.003, [0.006, 0.002, 0.0])
    assert list(endpoint_values(group, EVENT, MONTH)) == [0.0, 1.0, 1.0]
    assert list(endpoint_values(group, EVENT, 200.0)) == [0.0, 0.0, 0.0]
    survivors = endpoint_values(group, SURVIVORS, MONTH)
    assert np.isnan(survivors[:2]).all() and survivors[2] == 1.0


@given(RATE, st.floats(0.1, 10.0), LUCK)
def test_arms_share_a_subjects_luck_and_a_higher_hazard_never_spares_it(
    rate: float, factor: float, w: float
) -> None:
    one, other = (met(r, w=w) for r in (rate, rate * factor))
    times = one.event_time(NAME)[0], other.event_time(NAME)[0]
    assert times[0] >= times[1] if factor >= 1.0 else times[0] <= times[1]
    assert met(rate, w=w).event_time(NAME)[0] == times[0]


def test_no_hazard_is_no_event() -> None:
    group = met(0.0, [0.0, 0.002])
    assert (endpoint_values(group, EVENT, MONTH) == 0.0).all()
    assert (expected_values(group, EVENT, MONTH)[0] == 0.0).all()


def test_a_subject_with_a_moment_of_its_own_is_read_there_and_not_outside_its_course() -> None:
    group = met(0.004, w=[0.5, 0.5, 0.5])
    moments = np.array([100.0, -5.0, 700.0])
    values, weights = expected_values(group, EVENT, moments)
    assert values[0] == pytest.approx(-np.expm1(-0.4)) and weights[0] == 1.0
    assert np.isnan(values[1:]).all() and (weights[1:] == 0.0).all()
    recorded = endpoint_values(group, EVENT, moments)
    assert recorded[0] == 0.0 and np.isnan(recorded[1:]).all()


def test_a_failed_course_is_missing_from_its_failure_on() -> None:
    hazard = np.tile(0.01 * TIMES, (2, 1))
    hazard[:, 10:] = np.nan  # nothing is known after 108 h
    group = Outcomes(
        TIMES,
        {NAME: hazard},
        np.zeros_like(hazard),
        np.full(2, 0.5),
        event_uniforms={NAME: np.array([0.9, 1e-6])},
    )
    times = group.event_time(NAME)
    assert times[0] == pytest.approx(-np.log(0.9) / 0.01) and np.isnan(times[1])
    before, after = (expected_values(group, EVENT, time_h) for time_h in (60.0, MONTH))
    assert before[0] == pytest.approx(-np.expm1(-0.6)) and (before[1] == 1.0).all()
    assert np.isnan(after[0]).all() and (after[1] == 0.0).all()


def test_a_change_of_an_event_is_refused() -> None:
    with pytest.raises(ValueError, match="no baseline"):
        endpoint_values(met(0.001), EVENT, MONTH, as_="change")
    with pytest.raises(ValueError, match="no baseline"):
        expected_values(met(0.001), EVENT, MONTH, as_="change")
