"""The comparison with published courses of chronic disease: its measures, its table, its patients."""

from __future__ import annotations

import numpy as np
import pytest
from tests.biology_subjects import model

from mesolung.calibration.chronic import DISEASES, TABLE, compared, mean, quantile, slope, strata, untreated
from mesolung.calibration.chronic_patients import COHORTS, OUTPUTS, STEP_Y, enrolled
from mesolung.calibration.target_table import number, rows_of
from mesolung.population.draws import draw_prior


def test_every_row_has_a_value_within_its_bounds_and_a_source() -> None:
    rows = rows_of(TABLE)
    assert {row["disease"] for row in rows} == set(DISEASES)
    for row in rows:
        assert number(row["low"]) <= number(row["value"]) <= number(row["high"]), row
        assert len(row["source"]) > 5, row
        assert row["cohort"] in (*COHORTS, "ageing"), row
    keys = [(r["disease"], r["cohort"], r["arm"], r["measure"], r["stratum"]) for r in rows]
    assert len(set(keys)) == len(keys)


def test_measures_of_straight_lines_are_their_slopes() -> None:
    years = np.arange(0.0, 3.0 + STEP_Y, STEP_Y)
    falls = np.array([20.0, 60.0])
    values = {name: np.zeros((2, years.size)) for name in OUTPUTS}
    values["fev1_post"] = 2.0 - 1e-3 * falls[:, None] * years
    values["HAZ"] = np.tile(0.05 * years, (2, 1))
    values["HAZ_exacerbation"] = np.array([0.5, 1.5])[:, None] * years
    w = np.array([1.0, 1.0])
    assert slope(values["fev1_post"]) == pytest.approx(-1e-3 * falls)
    assert untreated("fev1_fall", values, w) == pytest.approx(40.0)
    assert untreated("fev1_fall_sd", values, w) == pytest.approx(20.0)
    assert untreated("exacerbation_rate", values, np.array([3.0, 1.0])) == pytest.approx(0.75)
    assert untreated("death_3_years", values, w) == pytest.approx(-np.expm1(-0.15))
    with pytest.raises(KeyError):
        untreated("no_such_measure", values, w)


def test_weights_count() -> None:
    values, weight = np.array([3.0, 1.0, 2.0]), np.array([0.0, 1.0, 3.0])
    assert mean(values, weight) == pytest.approx(1.75)
    assert quantile(values, weight, 0.5) == 2.0
    assert np.isnan(mean(values, 0.0 * weight))


def test_patients_meet_the_bounds_of_their_cohort() -> None:
    patients = enrolled(model(), draw_prior(1, "chronic"), COHORTS["trial"], 30)
    start = {name: v[:, 0] for name, v in patients.values.items()}
    assert len(patients.chosen) > 5
    for name, (low, high) in COHORTS["trial"].bounds.items():
        assert (start[name] >= low).all()
        assert (start[name] <= high).all()
    assert ((patients.weight > 0.0) & (patients.weight <= 1.0)).all()
    assert strata(start)["all"].all()


def test_ageing_is_inside() -> None:
    for row, value in compared(model(), draw_prior(1, "chronic"), "healthy", 30):
        assert number(row["low"]) < value < number(row["high"])
