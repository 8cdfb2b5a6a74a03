"""Virtual cohorts: the same subjects however many are asked for, and chances that add up."""

from dataclasses import replace

import numpy as np
import pytest

from mesolung.biology import assemble
from mesolung.biology.disease import read_disease
from mesolung.calibration import compare_covid
from mesolung.calibration.causes import cause_of
from mesolung.calibration.cohort import Cohort, chosen, cohort, mostly_solved
from mesolung.calibration.compare_covid import log_ratios, pairs_of
from mesolung.calibration.compare_usual_care import findings, residuals
from mesolung.calibration.enrolled import NON_SURVIVORS, SURVIVORS, Enrolled, enrol
from mesolung.calibration.measures import (
    death_after_infection,
    mortality,
    sd,
    secondary_infection,
    ventilation_days,
)
from mesolung.calibration.patients import COVID, DEXAMETHASONE, NotInTheModel, Patients
from mesolung.calibration.stays import stays_of
from mesolung.calibration.strata import part_of
from mesolung.calibration.verdict import MET
from mesolung.engine import ADD_STATE, EventTable, compile_model
from mesolung.population.draws import draw_prior

DAY = 24.0
OUTPUTS = ("pf_ratio", "ventilated", "il6", "IFN", "no_such_output")


@pytest.fixture(scope="module")
def model():
    return compile_model(assemble().sbml)


@pytest.fixture(scope="module")
def draws():
    return draw_prior(2, "test")


@pytest.fixture(scope="module")
def patients(model, draws):
    return Patients(model, draws, 48)


def made_up(values: dict[str, np.ndarray], every_h: float = 12.0) -> Cohort:
    """A cohort whose courses are written down instead of solved; the disease starts at time 0."""
    n, steps = next(iter(values.values())).shape
    nothing = np.empty(0)
    whole = nothing.astype(np.int64)
    base = {name: np.zeros((n, steps)) for name in ("HAZ", "DIS", "ventilated")}
    base["pf_ratio"] = np.full((n, steps), 200.0)
    return Cohort(
        model=None,  # type: ignore[arg-type]
        disease=replace(read_disease("ards"), onset=replace(read_disease("ards").onset, observable=None)),
        draws=draw_prior(1, "test"),
        times=np.arange(steps) * every_h,
        values={**base, **values},
        draw=np.zeros(n, np.intp),
        course=np.arange(n),
        parameters=np.zeros((n, 0)),
        events=EventTable(whole, nothing, whole, whole, nothing),
        covariates={},
        solved=np.ones(n, bool),
    )


def everybody(group: Cohort) -> Enrolled:
    return Enrolled(group, np.arange(group.size), np.zeros(group.size, np.intp), np.ones(group.size))


def test_a_course_is_the_same_however_many_are_asked_for(model, draws):
    disease = read_disease("covid19-ards")
    few, many = (cohort(model, disease, draws, count, OUTPUTS, length_h=10 * DAY) for count in (2, 5))
    assert "no_such_output" not in few, "what the model lacks is left out"
    for d in (0, 1):
        assert np.array_equal(few["il6"][few.draw == d], many["il6"][(many.draw == d) & (many.course < 2)])
    assert np.array_equal(chosen(many, np.array([7, 1]))["il6"], many["il6"][[7, 1]])


def test_a_treated_patient_is_the_same_until_treated(patients):
    base = patients.enrolled("covid ventilated")
    treated = patients.enrolled("covid ventilated", DEXAMETHASONE)
    assert base.size == treated.size > 5
    assert treated.at("il6", -1.0) == pytest.approx(base.at("il6", -1.0), rel=1e-3)
    assert not np.allclose(treated.at("il6", 5.0), base.at("il6", 5.0), rtol=1e-2)


def test_criteria_hold_at_enrolment(patients):
    e = patients.enrolled("ards ventilated")
    assert e.size > 5
    assert (e.at("pf_ratio", 0) <= 300.0).all() and (e.at("ventilated", 0) >= 0.5).all()
    parts = [part_of(e, name).size for name in ("mild", "moderate", "severe")]
    assert sum(parts) == e.size
    assert part_of(e, "direct").size + part_of(e, "indirect").size == e.size


def test_a_cause_is_the_one_that_the_drivers_followed(patients):
    group = patients.cohort("ards")
    cause = cause_of(group)
    assert set(cause) <= {name for name, _ in group.disease.groups}
    own = {d.target for d in group.disease.drivers if d.group == "pneumonia" and d.share == 1.0}
    others = {d.target for d in group.disease.drivers if d.group != "pneumonia"}
    only = sorted(own - others)
    assert only, "a driver that no other cause has"
    states, parameters = group.model.states, group.model.parameters
    state = only[0] in states
    place = (states if state else parameters).index(only[0])
    given = group.events.subject[(group.events.target == place) & ((group.events.kind == ADD_STATE) == state)]
    assert set(given.tolist()) == set(np.flatnonzero(cause == "pneumonia").tolist())


def test_residuals_are_small_where_targets_are_met(patients):
    found = {f.name: f for f in findings(patients, by_draw=False) if f.use != "context"}
    apart = residuals(patients)
    for name, value in apart.items():
        if found[name].verdict == MET:
            assert abs(value) < 3.0, name


def test_survivors_and_the_dead_make_up_everybody(patients):
    e = patients.enrolled("ards ventilated")
    for day in (0.0, 4.0):
        parts = e.with_outcome(SURVIVORS).seen(day) + e.with_outcome(NON_SURVIVORS).seen(day)
        assert parts == pytest.approx(e.seen(day))


def test_what_is_missing_is_named(patients):
    with pytest.raises(NotInTheModel, match="no disease plague"):
        patients.cohort("plague")


def test_death_and_discharge_share_the_stays():
    steps = 400
    t = np.arange(steps) * 12.0
    rate = {"HAZ": 0.002, "DIS": 0.006}
    group = made_up({name: np.tile(r * t, (3, 1)) for name, r in rate.items()})
    stays = stays_of(group)
    assert stays.admitted_h == pytest.approx(np.zeros(3))
    # A quarter of the exits are deaths, at every time.
    assert stays.dies[:, 10] / stays.inside[:, 10] == pytest.approx(np.full(3, 0.25), abs=1e-6)
    assert stays.inside[:, 10] == pytest.approx(np.exp(-0.008 * t[10]), rel=1e-9)
    assert stays.leaves + stays.dies == pytest.approx(stays.inside)


def test_nobody_is_discharged_before_being_ill():
    steps = 60
    ill = np.arange(steps)[None, :] >= 20
    leaving = np.tile(np.arange(steps) * 0.05, (2, 1))
    group = made_up({"DIS": leaving, "pf_ratio": np.where(ill, 150.0, 450.0).repeat(2, axis=0)})
    e = enrol(group, group["pf_ratio"] <= 300.0, "delay")
    assert (e.step > 20).all()
    assert e.weight == pytest.approx(np.exp(-0.05 * (e.step - 20.0)))


def test_measures_on_courses_written_down():
    steps, day = 121, np.arange(121) * 0.5
    ventilated = np.where(day[None, :] <= np.array([[3.0], [7.0], [20.0]]), 1.0, 0.0)
    infected = np.where(day[None, :] >= np.array([[5.0], [99.0], [10.0]]), 1.0, 0.0)
    rate = 0.01 * np.where(infected[:, :-1] > 0, 3.0, 1.0)
    hazard = np.concatenate([np.zeros((3, 1)), np.cumsum(rate * 0.5, axis=1)], axis=1)
    value = np.tile(np.array([[1.0], [3.0], [5.0]]), (1, steps))
    e = everybody(made_up({"ventilated": ventilated, "SEC": infected, "HAZ": hazard, "x": value}))
    assert ventilation_days(e, "ventilated", 28.0) == pytest.approx(7.0, abs=1.0)
    assert mortality(e, "", 28.0) == pytest.approx((1 - np.exp(-hazard[:, 56])).mean())
    alive = np.exp(-hazard[0, 9]) + np.exp(-hazard[2, 19])
    assert secondary_infection(e, "SEC", 28.0) == pytest.approx(alive / 3)
    assert death_after_infection(e, "SEC", 40.0) == pytest.approx(3.0, rel=1e-6)
    assert sd(e, "x", 0.0) == pytest.approx(np.std([1.0, 3.0, 5.0]))


def test_ratios_cancel_the_assay():
    rows = [r for r in compare_covid.rows_of(compare_covid.TABLE) if r["cohort"] == "yale"]
    pairs = pairs_of(rows)
    medians = np.array([float(r["median"]) for r in rows])
    assert log_ratios(medians, pairs) == pytest.approx(log_ratios(17.0 * medians, pairs))
    assert log_ratios(medians, pairs) == pytest.approx([p.log_ratio for p in pairs])
    assert not {p.row for p in pairs if p.row == p.base}


def test_groups_of_outcome_are_seen_while_in_hospital(patients):
    group = patients.cohort(COVID)
    stays = stays_of(group)
    weights = compare_covid.group_weights(group, stays)
    everyone = weights["died"] + weights["critical-survived"] + weights["severe-survived"]
    assert everyone == pytest.approx(stays.inside, abs=1e-12)
    before = group.times[None, :] < np.nan_to_num(stays.admitted_h, nan=np.inf)[:, None]
    assert (stays.inside[before] == 0).all()


def test_a_cohort_that_misses_more_than_one_in_twenty_is_not_compared():
    whole = made_up({"il6": np.ones((100, 3))})
    assert mostly_solved(replace(whole, solved=np.arange(100) >= 5)).size == 100
    with pytest.raises(RuntimeError, match=r"6\.0% of the courses of ards could not be solved \(limit 5%\)"):
        mostly_solved(replace(whole, solved=np.arange(100) >= 6))


def test_courses_that_are_left_out_are_told(model, draws):
    known = Patients(model, draws, 2)
    known._cohorts["ards"] = replace(made_up({"il6": np.ones((40, 3))}), solved=np.arange(40) >= 1)
    assert known.unsolved() == ["ards: 1 of 40 courses could not be solved and are left out"]
