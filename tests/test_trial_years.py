"""Endpoints of trials that last for years: events that come again, visits and their errors, slopes, falls."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tests.trial_rows import Row

from mesolung.biology.rows import Error
from mesolung.trial.analysis import analyse
from mesolung.trial.endpoints import endpoint_values, expected_values
from mesolung.trial.negative_binomial import negative_binomial_test
from mesolung.trial.outcomes import Outcomes
from mesolung.trial.recurrent import YEAR_H, Recurring, events_until
from mesolung.trial.visits import Visits, visit_times

TIMES = np.arange(0.0, 3 * YEAR_H + 1.0, YEAR_H / 12)
HAZARD = "HAZ_exacerbation"
RATE = Row(
    "exacerbation_rate", "rate", (HAZARD,), type="rate", unit="1/year", highest=None, default_contrast="ratio"
)
COUNT = replace(RATE, name="exacerbation_count", rule="count", type="count", unit="count")
FIRST = replace(RATE, name="time_to_exacerbation", rule="time_to", type="time", unit="d", better="higher")
EVER = replace(RATE, name="exacerbation", rule="happened", type="binary", unit="fraction", deaths="zero")
VISITED: dict[str, Any] = {"visit_every_h": YEAR_H / 4, "error": Error("fev1", 0.131)}
FEV1 = Row("fev1", "level", ("fev1",), type="continuous", better="higher", unit="L", highest=None, **VISITED)
SLOPE = replace(FEV1, name="fev1_slope", rule="slope", unit="mL/year", lowest=None, share=1000.0)
FALLS = replace(FEV1, name="fall", rule="falls", type="binary", above=(0.1,), deaths="worst", highest=1.0)


def subjects(
    n: int = 4000, rate: float = 1.2, death: float = 0.0, seed: int = 1, spread: float = 0.0, **more: Any
) -> Outcomes:
    """Subjects with events at constant rates a year, and an FEV1 that falls by 50 mL a year."""
    u = (np.arange(n) + 0.5) / n
    own = rate * np.exp(spread * np.sin(37.0 * np.arange(n)))
    years = TIMES / YEAR_H
    return Outcomes(
        TIMES,
        {HAZARD: own[:, None] * years, "fev1": np.broadcast_to(1.5 - 0.05 * years, (n, years.size))},
        np.broadcast_to(death * years, (n, years.size)),
        u[np.argsort(np.sin(np.arange(n)), kind="stable")],
        recurring={HAZARD: Recurring(seed, HAZARD, 1, n)},
        **more,
    )


def test_events_of_a_constant_rate_are_poisson() -> None:
    group = subjects()
    for years in (1.0, 3.0):
        counts = endpoint_values(group, COUNT, years * YEAR_H)
        assert counts.mean() == pytest.approx(1.2 * years, rel=0.05)
        assert counts.var() == pytest.approx(1.2 * years, rel=0.1)
    np.testing.assert_allclose(expected_values(group, COUNT, 3 * YEAR_H)[0], 3.6, rtol=1e-9)


def test_the_first_of_them_is_the_one_that_has_happened() -> None:
    group = subjects(500)
    first = endpoint_values(group, FIRST, YEAR_H)
    ever = endpoint_values(group, EVER, YEAR_H)
    counts = endpoint_values(group, COUNT, YEAR_H)
    assert np.array_equal(ever == 1.0, counts > 0)
    assert np.array_equal(first * 24.0 < YEAR_H, counts > 0)
    chance = expected_values(group, EVER, YEAR_H)[0]
    np.testing.assert_allclose(chance, -np.expm1(-1.2), rtol=1e-6)
    # Alone, its mean time up to the end is that of an exponential that is cut there.
    mean = expected_values(group, FIRST, 3 * YEAR_H)[0] * 24.0 / YEAR_H
    np.testing.assert_allclose(mean, -np.expm1(-3.6) / 1.2, rtol=2e-3)


def test_severe_events_are_some_of_all_of_them() -> None:
    group = subjects(2000)
    severe = endpoint_values(group, replace(COUNT, share=0.2), 3 * YEAR_H)
    every = endpoint_values(group, COUNT, 3 * YEAR_H)
    assert np.all(severe <= every)
    assert severe.sum() / every.sum() == pytest.approx(0.2, abs=0.02)
    chance = expected_values(group, replace(EVER, share=0.2), 3 * YEAR_H)[0]
    np.testing.assert_allclose(chance, -np.expm1(-0.72), rtol=1e-6)


def test_follow_up_ends_with_death_and_with_leaving() -> None:
    lost = np.full(3000, 0.5 * YEAR_H)
    group = subjects(3000, lost_time=lost)
    np.testing.assert_allclose(endpoint_values(group, COUNT, 3 * YEAR_H).mean(), 0.6, rtol=0.1)
    np.testing.assert_allclose(endpoint_values(group, RATE, 3 * YEAR_H).mean(), 1.2, rtol=0.1)
    assert np.isnan(endpoint_values(group, FEV1, YEAR_H)).all()
    dying = subjects(3000, death=0.5)
    value, weight = expected_values(dying, RATE, 3 * YEAR_H)
    np.testing.assert_allclose(value, 1.2, rtol=1e-9)
    np.testing.assert_allclose(weight, -np.expm1(-1.5) / 0.5, rtol=1e-3)


def test_a_rate_of_unequal_follow_up_is_events_over_years() -> None:
    rng = np.random.default_rng(3)
    years = [rng.uniform(0.2, 3.0, 400) for _ in range(2)]
    counts = [rng.poisson(rate * t) for rate, t in zip((0.7, 1.2), years, strict=True)]
    done = analyse(
        counts[0] / years[0],
        counts[1] / years[1],
        RATE,
        "ratio",
        treated_years=years[0],
        control_years=years[1],
    )
    ratio = (counts[0].sum() / years[0].sum()) / (counts[1].sum() / years[1].sum())
    assert done.estimate == pytest.approx(ratio)
    assert done.significant and done.shift == -1


def test_equal_years_give_the_test_of_counts() -> None:
    rng = np.random.default_rng(5)
    a, b = rng.negative_binomial(2, 0.5, 80), rng.negative_binomial(2, 0.4, 90)
    plain = negative_binomial_test(a, b)
    assert negative_binomial_test(a, b, np.ones(80), np.ones(90)) == plain
    nearly = negative_binomial_test(a, b, np.ones(80), np.append(np.ones(89), 1.0 + 1e-9))
    assert nearly == pytest.approx(plain, rel=1e-4)


def test_no_true_difference_is_found_in_one_of_twenty_trials() -> None:
    rng = np.random.default_rng(11)
    found = []
    for _ in range(200):
        years = rng.uniform(0.3, 1.0, 120)
        mean = years * np.exp(0.83 * rng.standard_normal(120))
        counts = rng.poisson(mean)
        found.append(negative_binomial_test(counts[:60], counts[60:], years[:60], years[60:]) < 0.05)
    assert 0.01 <= np.mean(found) <= 0.11


def test_a_visit_differs_from_what_is_true_by_its_error() -> None:
    group = subjects(4000, visits=Visits(7, 1, 4000))
    shown = endpoint_values(group, FEV1, YEAR_H)
    assert shown.mean() == pytest.approx(1.45, abs=0.01)
    assert shown.std() == pytest.approx(0.131, rel=0.05)
    # What is expected has no error, and a change has that of two visits.
    np.testing.assert_allclose(expected_values(group, FEV1, YEAR_H)[0], 1.45)
    assert endpoint_values(group, FEV1, YEAR_H, "change").std() == pytest.approx(0.131 * 2**0.5, rel=0.05)


def test_percent_predicted_has_the_error_of_the_same_blow() -> None:
    group = subjects(100, visits=Visits(7, 1, 100))
    group = replace(group, outputs={**group.outputs, "fev1_pp": 40.0 * group.outputs["fev1"]})
    row = replace(
        FEV1, name="fev1_pp", outputs=("fev1_pp",), unit="percent", error=Error("fev1", 0.131, per="fev1")
    )
    np.testing.assert_allclose(
        endpoint_values(group, row, YEAR_H), 40.0 * endpoint_values(group, FEV1, YEAR_H), rtol=1e-12
    )


def test_another_visit_or_endpoint_changes_no_error() -> None:
    one, two = Visits(7, 2, 50), Visits(7, 3, 50)
    np.testing.assert_array_equal(one.scores("fev1", 100.0), two.scores("fev1", 100.0)[:100])
    assert not np.array_equal(one.scores("fev1", 100.0), one.scores("fev1", 200.0))
    assert not np.array_equal(one.scores("fev1", 100.0), one.scores("fvc", 100.0))


def test_a_slope_is_the_line_through_the_visits() -> None:
    truth = subjects(2000)
    np.testing.assert_allclose(endpoint_values(truth, SLOPE, 3 * YEAR_H), -50.0, rtol=1e-9)
    value, weight = expected_values(truth, SLOPE, 3 * YEAR_H)
    np.testing.assert_allclose(value, -50.0, rtol=1e-9)
    np.testing.assert_allclose(weight, 1.0)
    seen = endpoint_values(replace(truth, visits=Visits(7, 1, 2000)), SLOPE, 3 * YEAR_H)
    years = visit_times(YEAR_H / 4, 3 * YEAR_H) / YEAR_H
    sd = 131.0 / np.sqrt(np.sum((years - years.mean()) ** 2))
    assert seen.mean() == pytest.approx(-50.0, abs=4.0 * sd / 2000**0.5)
    assert seen.std() == pytest.approx(sd, rel=0.06)


def test_a_slope_needs_three_visits() -> None:
    left = np.array([0.3, 0.6, 4.0]) * YEAR_H
    group = subjects(3, lost_time=left)
    assert np.isnan(endpoint_values(group, SLOPE, 3 * YEAR_H)).tolist() == [True, False, False]


def test_a_fall_is_told_with_the_chance_that_its_errors_leave() -> None:
    group = subjects(4000, visits=Visits(7, 1, 4000))
    fell = endpoint_values(group, FALLS, 2 * YEAR_H)
    chance = expected_values(group, FALLS, 2 * YEAR_H)[0]
    # Exactly the amount is lost, so that half of the visits show it.
    np.testing.assert_allclose(chance, 0.5, atol=1e-6)
    assert fell.mean() == pytest.approx(0.5, abs=0.03)
    kept = endpoint_values(group, replace(FALLS, rule="holds"), 2 * YEAR_H)
    np.testing.assert_array_equal(kept, 1.0 - fell)


def test_progression_is_the_first_fall_or_death() -> None:
    row = replace(FALLS, rule="progression_time", type="time", unit="d", better="higher")
    group = subjects(1000, death=0.2)
    time = endpoint_values(group, row, 3 * YEAR_H) * 24.0
    progressed = endpoint_values(group, replace(row, rule="progressed"), 3 * YEAR_H)
    assert progressed.all()
    # Everybody has lost the amount two years on, as the eighth visit shows.
    assert time.max() == pytest.approx(2 * YEAR_H)
    np.testing.assert_allclose(np.minimum(group.death_time, 2 * YEAR_H), time)


def test_a_count_before_enrolment_is_the_rate_at_time_0() -> None:
    before = np.array([0.0, 2.0, 1.0])
    group = subjects(3, history={"exacerbation_rate": before})
    np.testing.assert_array_equal(endpoint_values(group, RATE, 0.0), before)


def test_events_do_not_follow_how_many_replicates_there_are() -> None:
    small, large = subjects(40), subjects(40)
    large = replace(large, recurring={HAZARD: Recurring(1, HAZARD, 2, 20)})
    small = replace(small, recurring={HAZARD: Recurring(1, HAZARD, 1, 40)})
    first = [events_until(g, HAZARD, np.full(40, YEAR_H)).count[:20] for g in (small, large)]
    np.testing.assert_array_equal(first[0], first[1])
