"""Drugs of chronic disease move what they should, in their direction, and nothing in health."""

from __future__ import annotations

import numpy as np
import pytest
from tests.biology_subjects import Subjects, course, model, subjects
from tests.test_chronic_courses import ageing_people, driven, years

DRUGS = ("bronchodilator", "ics", "anti_il5", "anti_il4r", "anti_tslp", "nintedanib", "pirfenidone")


@pytest.fixture(scope="module")
def asthmatics() -> Subjects:
    people = ageing_people(20, 41, age=40.0, type2_bias=1.0, type17_bias=0.3)
    return driven(people, "allergen", 0.8)


@pytest.mark.parametrize("drug", DRUGS)
def test_a_drug_leaves_the_healthy_lung_as_it_is(drug: str) -> None:
    people = subjects("healthy", 20, seed=42)
    states = (
        "drive",
        "TYPE2",
        "COLM",
        "NARROW",
        "SCAR",
        "HAZ",
        "HAZ_exacerbation",
        "HAZ_pneumonia",
        "fvc_pp",
    )
    run = course(people.with_values(**{drug: 1.0}), 365, every=365, outputs=states)
    for name in states:
        assert np.abs(run[name][:, -1] - run[name][:, 0]).max() < 1e-3 * max(1.0, run[name].max()), name


def test_a_bronchodilator_opens_airways() -> None:
    people = subjects("healthy", 20, seed=43)
    start = model().initial(people.parameters)
    start[:, model().states.index("NARROW")] = 0.6
    without = course(people, 1, every=1, outputs=("fev1", "fev1_post"), initial=start)
    with_it = course(
        people.with_values(bronchodilator=1.0), 1, every=1, outputs=("fev1", "fev1_post"), initial=start
    )
    assert (with_it["fev1"] > without["fev1"]).all()
    assert with_it["fev1"] == pytest.approx(with_it["fev1_post"])
    assert with_it["fev1_post"] == pytest.approx(without["fev1_post"], rel=1e-3)


def test_an_antibody_to_il5_takes_eosinophils(asthmatics: Subjects) -> None:
    outputs = ("blood_eosinophils", "sputum_eosinophils", "feno", "hazard_exacerbation", "IGE")
    without, given = (
        years(asthmatics, 3.0, *outputs),
        years(driven(asthmatics, "anti_il5", 1.0, 1.0), 3.0, *outputs),
    )
    ratio = given["blood_eosinophils"][:, -1] / without["blood_eosinophils"][:, -1]
    assert 0.05 < np.median(ratio) < 0.35
    assert (given["sputum_eosinophils"][:, -1] < without["sputum_eosinophils"][:, -1]).all()
    assert given["feno"][:, -1] == pytest.approx(without["feno"][:, -1], rel=1e-3)


@pytest.mark.parametrize("drug", ["anti_il4r", "anti_tslp"])
def test_upstream_antibodies_lower_nitric_oxide_and_open_airways(asthmatics: Subjects, drug: str) -> None:
    outputs = ("feno", "fev1", "sputum_eosinophils", "IGE", "readiness")
    without, given = (
        years(asthmatics, 3.0, *outputs),
        years(driven(asthmatics, drug, 1.0, 1.0), 3.0, *outputs),
    )
    assert (given["feno"][:, -1] < 0.9 * without["feno"][:, -1]).all()
    assert (given["fev1"][:, -1] > without["fev1"][:, -1]).all()
    assert (given["readiness"][:, -1] < without["readiness"][:, -1]).all()


def test_an_inhaled_steroid_calms_airways_and_costs_pneumonia(asthmatics: Subjects) -> None:
    outputs = ("feno", "sputum_eosinophils", "TYPE2")
    without, given = (
        years(asthmatics, 3.0, *outputs),
        years(driven(asthmatics, "ics", 1.0, 1.0), 3.0, *outputs),
    )
    for name in outputs:
        assert (given[name][:, -1] < 0.9 * without[name][:, -1]).all(), name
    resistant = driven(ageing_people(20, 41, age=40.0, type2_bias=1.0, type17_bias=6.0), "allergen", 0.8)
    bare, treated = years(resistant, 3.0, "TYPE2"), years(driven(resistant, "ics", 1.0, 1.0), 3.0, "TYPE2")
    kept = np.median(treated["TYPE2"][:, -1] / bare["TYPE2"][:, -1])
    assert kept > 1.2 * np.median(given["TYPE2"][:, -1] / without["TYPE2"][:, -1])
    smokers = driven(ageing_people(20, 44, airway_susceptibility=2.0), "smoke", 1.2)
    rates = ("hazard_pneumonia", "chronic_stimulus")
    bare, treated = (
        years(smokers, 35.0, *rates, every=5.0),
        years(driven(smokers, "ics", 1.0, 30.0), 35.0, *rates, every=5.0),
    )
    assert np.median(treated["hazard_pneumonia"][:, -1] / bare["hazard_pneumonia"][:, -1]) == pytest.approx(
        1.52, abs=0.12
    )
    assert (treated["chronic_stimulus"][:, -1] < bare["chronic_stimulus"][:, -1]).all()


@pytest.mark.parametrize("drug", ["nintedanib", "pirfenidone"])
def test_antifibrotics_slow_the_fall_of_fvc(drug: str) -> None:
    ill = driven(ageing_people(25, 45, age=60.0), "micro_injury", 1.4)
    without = years(ill, 7.0, "fvc", "SCAR")
    given = years(driven(ill, drug, 1.0, 5.0), 7.0, "fvc", "SCAR")
    late = slice(5, None)
    assert np.diff(given["SCAR"][:, late]).sum() < np.diff(without["SCAR"][:, late]).sum()
    assert (given["fvc"][:, -1] > without["fvc"][:, -1]).all()
    # What is scar stays scar.
    assert (np.diff(given["SCAR"], axis=1) >= -1e-9).all()
