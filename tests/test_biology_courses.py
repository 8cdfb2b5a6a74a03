"""Courses without treatment: they look like the disease, end, and do not come back."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from tests.biology_subjects import Subjects, Values, course, events, joined, model, subjects

DAYS = 150
TOLERANCE = 1e-5  # of a state's largest value: what the solver may leave below 0
SLOW = {"IMM", "HAZ", "OFX"}  # immunity lasts, the hazard counts, organ failure decays by its own law


@pytest.fixture(scope="module")
def covid() -> tuple[Subjects, Mapping[str, Values]]:
    people = subjects("covid19-ards", 600, seed=21)
    return people, course(people, DAYS)


@pytest.fixture(scope="module")
def ards() -> tuple[Subjects, Mapping[str, Values]]:
    people = subjects("ards", 600, seed=22)
    return people, course(people, DAYS)


def day_of(run: Mapping[str, Values], name: str, least: bool = False) -> Values:
    place = run[name].argmin(1) if least else run[name].argmax(1)
    return run["time"][place] / 24.0


def test_virus_peaks_in_the_first_week_and_is_cleared_in_weeks(covid) -> None:
    _, run = covid
    peak = day_of(run, "VIR")
    assert 3.0 <= np.median(peak) <= 6.0
    assert 6.5 <= np.median(np.log10(run["viral_load"].max(1))) <= 9.0
    found = run["VIR"] > 3e-5  # 1000 copies/mL of lining fluid
    last = run["time"][found.shape[1] - 1 - found[:, ::-1].argmax(1)] / 24.0
    assert 12.0 <= np.median(last) <= 24.0


def test_hypoxaemia_is_deepest_in_the_second_week_and_recovers(covid) -> None:
    _, run = covid
    severe = run["pf_ratio"].min(1) < 200.0
    assert 8.0 <= np.median(day_of(run, "pf_ratio", least=True)[severe]) <= 12.0
    week_after = run["pf_ratio"][severe, 2 * 45]
    assert np.median(week_after) > 350.0


def test_a_hospital_library_holds_mild_and_severe_courses(covid) -> None:
    _, run = covid
    least = run["pf_ratio"].min(1)
    assert (least < 300.0).mean() >= 0.5
    assert (least < 200.0).mean() >= 0.28
    assert (least < 100.0).mean() >= 0.02
    assert (least > 300.0).mean() >= 0.15


def test_interleukin_6_is_tens_to_hundreds_when_severe(covid) -> None:
    _, run = covid
    severe = run["pf_ratio"].min(1) < 150.0
    assert 50.0 < np.median(run["il6"][severe].max(1)) < 1000.0
    mild = run["pf_ratio"].min(1) > 350.0
    assert np.median(run["il6"][mild].max(1)) < 60.0


def test_non_pulmonary_organ_failure_goes_with_severity_but_not_only(covid) -> None:
    _, run = covid
    least = run["pf_ratio"].min(1)
    rank = lambda x: np.argsort(np.argsort(x))  # noqa: E731
    rho = np.corrcoef(rank(-least), rank(run["OFX"].max(1)))[0, 1]
    assert 0.2 < rho < 0.8


@pytest.mark.parametrize("disease", ["covid", "ards"])
def test_states_stay_positive(disease: str, request: pytest.FixtureRequest) -> None:
    _, run = request.getfixturevalue(disease)
    for name in model().states:
        assert run[name].min() >= -TOLERANCE * max(run[name].max(), 1.0), name


@pytest.mark.parametrize("disease", ["covid", "ards"])
def test_everybody_returns_to_health(disease: str, request: pytest.FixtureRequest) -> None:
    people, run = request.getfixturevalue(disease)
    start = model().initial(people.parameters)
    for i, name in enumerate(model().states):
        if name not in SLOW:
            away = np.abs(run[name][:, -1] - start[:, i]) / np.maximum(start[:, i], 0.05)
            assert away.max() < 0.05, name
    assert run["OFX"][:, -1].max() < 0.2


def test_virus_gone_stays_gone_and_immunity_lasts(covid) -> None:
    people, run = covid
    bound = people.column("VIR_extinct")
    later = run["VIR"][:, 2 * 60 :]
    assert (later < bound[:, None]).all()
    assert (run["IMM"][:, -1] > 0.5).all()


def test_a_second_inoculum_does_not_take_in_the_immune(covid) -> None:
    people, first = covid
    n = len(people.parameters)
    again = events(np.arange(n), np.full(n, 90.0 * 24.0), ["VIR"] * n, np.full(n, 1e-3))
    run = course(Subjects(people.parameters, joined(people.events, again)), 110, outputs=["VIR", "pf_ratio"])
    assert run["VIR"][:, -1].max() < 1e-6
    assert (run["pf_ratio"][:, -1] >= first["pf_ratio"][:, 2 * 110] - 1.0).all()


def test_the_healthy_clear_a_small_inoculum_of_bacteria_to_none() -> None:
    people = subjects("healthy", 200, seed=23)
    n = len(people.parameters)
    few = events(np.arange(n), np.zeros(n), ["BAC"] * n, np.full(n, 0.1))  # 1e5 CFU
    run = course(Subjects(people.parameters, few), 14, outputs=["BAC", "pf_ratio"])
    assert (run["BAC"][:, -1] == 0.0).mean() > 0.97
    cleared = run["BAC"][:, -1] == 0.0
    assert (run["pf_ratio"][cleared, -1] > 0.9 * people.column("pf_healthy")[cleared]).all()


def test_pneumonia_needs_its_antibiotic(ards) -> None:
    people, run = ards
    ill = run["BAC"].max(1) > 0.0
    assert (run["BAC"][ill, 2 * 30] == 0.0).mean() > 0.99
    without = people.take(ill)
    table = without.events
    switch = (table.kind != 0) & (table.target == model().parameters.index("antibiotic"))
    kept = type(table)(*(getattr(table, c)[~switch] for c in ("subject", "time", "kind", "target", "value")))
    untreated = course(Subjects(without.parameters, kept), 14, outputs=["BAC", "pf_ratio"])
    assert untreated["BAC"][:, -1].mean() > 100.0 * max(run["BAC"][ill, 28].mean(), 1e-3)
    assert untreated["pf_ratio"].min(1).mean() < run["pf_ratio"][ill].min(1).mean()


def test_direct_and_indirect_lung_injury_differ(ards) -> None:
    people, run = ards
    loss = (1.0 - run["EPI"].min(1)) / (1.0 - run["ENDO"].min(1))
    endothelium = people.events.target == model().parameters.index("insult_inflammation")
    indirect = np.zeros(len(people.parameters), bool)
    indirect[people.events.subject[endothelium & (people.events.kind != 0)]] = True
    assert np.median(loss[indirect]) != np.median(loss[~indirect])
    assert (run["pf_ratio"].min(1) < 300.0).mean() > 0.6
