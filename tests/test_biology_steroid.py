"""Dexamethasone: benefit when ventilated and harm without oxygen need, both from states."""

from __future__ import annotations

import numpy as np
import pytest
from tests.biology_subjects import Subjects, Values, course, model, subjects

DAYS = 45


@pytest.fixture(scope="module")
def library() -> Subjects:
    return subjects("covid19-ards", 700, seed=41)


def treated(people: Subjects, start: Values, doses: int = 10) -> Subjects:
    for day in range(doses):
        people = people.with_dose("DEX", 6.0, start + 24.0 * day)
    return people


def deaths(people: Subjects, start: Values) -> float:
    run = course(people, DAYS, outputs=["HAZ"])
    rows, step = np.arange(len(start)), np.rint(start / 12.0).astype(int)
    hazard = run["HAZ"][rows, np.minimum(step + 56, run["time"].size - 1)] - run["HAZ"][rows, step]
    return float((1.0 - np.exp(-hazard)).mean())


def ventilated(library: Subjects) -> tuple[Subjects, Values]:
    run = course(library, 16, outputs=["ventilated"])
    on = run["ventilated"] > 0.5
    chosen = np.asarray(on.any(axis=1))
    return library.take(chosen), run["time"][on.argmax(1)][chosen] + 12.0


def without_oxygen(library: Subjects) -> tuple[Subjects, Values]:
    run = course(library, 12, outputs=["pf_ratio"])
    chosen = run["pf_ratio"].min(1) > 300.0
    return library.take(chosen), np.full(int(chosen.sum()), 9.0 * 24.0)


def test_mortality_of_usual_care_is_of_the_right_order(library: Subjects) -> None:
    assert 0.33 < deaths(*ventilated(library)) < 0.56
    # The mildest courses; RECOVERY's stratum, enrolled at its times, is compared by the calibration command.
    assert 0.02 < deaths(*without_oxygen(library)) < 0.21


def test_a_steroid_helps_the_ventilated_and_not_those_without_oxygen(library: Subjects) -> None:
    ratio = {}
    for name, group in (("ventilated", ventilated(library)), ("none", without_oxygen(library))):
        people, start = group
        ratio[name] = deaths(treated(people, start), start) / deaths(people, start)
    assert 0.51 < ratio["ventilated"] < 0.81
    assert 0.92 < ratio["none"] < 2.3


@pytest.mark.parametrize("side_effect", [0.0, 5.0])
def test_harm_without_oxygen_and_its_absence_are_both_reachable(
    library: Subjects, side_effect: float
) -> None:
    people, start = without_oxygen(library)
    people = people.with_values(dex_side_effect=side_effect)
    ratio = deaths(treated(people, start), start) / deaths(people, start)
    assert ratio < 1.0 if side_effect == 0.0 else ratio > 1.2


def test_a_steroid_lowers_interleukin_6_and_raises_oxygenation(library: Subjects) -> None:
    people, start = ventilated(library)
    plain, drug = (course(p, 24, outputs=["il6", "pf_ratio"]) for p in (people, treated(people, start)))
    rows, step = np.arange(len(start)), np.rint(start / 12.0).astype(int)
    assert np.median(drug["il6"][rows, step + 6] / plain["il6"][rows, step + 6]) < 0.95
    assert (drug["pf_ratio"] - plain["pf_ratio"])[rows, step + 10].mean() > 5.0


def test_a_steroid_from_the_first_symptoms_delays_clearance(library: Subjects) -> None:
    start = np.full(len(library.parameters), 3.5 * 24.0)
    plain, drug = (course(p, 30, outputs=["VIR", "AB"]) for p in (library, treated(library, start)))
    assert (drug["AB"][:, 28] < plain["AB"][:, 28]).mean() > 0.9
    assert np.median(drug["VIR"][:, 24] / plain["VIR"][:, 24]) > 1.1


def test_a_steroid_inhibits_licensing(library: Subjects) -> None:
    people, start = ventilated(library)
    cells = people.with_dose("MSC_blood", 0.1, start)
    earlier = np.maximum(start - 48.0, 0.0)
    plain, drug = (course(p, 20, outputs=["MSC_licensed"]) for p in (cells, treated(cells, earlier)))
    assert np.median(drug["MSC_licensed"].max(1)) < 0.8 * np.median(plain["MSC_licensed"].max(1))


def test_its_plasma_half_life_is_four_hours_and_its_effect_lags() -> None:
    people = (
        subjects("healthy", 1, seed=2, uncertain=False).with_values(k_dex=0.173).with_dose("DEX", 6.0, 0.0)
    )
    run = course(people, 2, every=1.0 / 24.0, outputs=["DEX", "DEXE", "steroid"])
    assert run["DEX"][0, 4] == pytest.approx(3.0, rel=0.01)
    assert run["DEXE"][0].argmax() > 3
    assert 0.0 < run["steroid"][0].max() < 1.0


def test_the_healthy_do_not_die_of_a_steroid() -> None:
    people = subjects("healthy", 100, seed=6)
    run = course(treated(people, np.zeros(100)), 28, outputs=["HAZ"])
    assert np.abs(run["HAZ"]).max() < 1e-12


def test_frail_and_old_die_more_and_the_hazard_never_falls_below_zero(library: Subjects) -> None:
    run = course(library.with_values(dex_side_effect=-2.0, rate_DEX=1.0), 30, outputs=["hazard", "HAZ"])
    assert run["hazard"].min() > -1e-12
    young, old = (
        course(library.with_values(age=age), 30, outputs=["HAZ"])["HAZ"][:, -1].mean() for age in (40, 80)
    )
    assert old > 2.0 * young
    assert "frailty" in model().parameters
