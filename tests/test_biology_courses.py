"""Courses without treatment: they look like the disease, end, and do not come back."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from tests.biology_subjects import (
    COUNTERS,
    DAY,
    MEMORY,
    Subjects,
    Values,
    course,
    events,
    initial,
    joined,
    model,
    subjects,
)

DAYS = 150
TOLERANCE = 1e-5  # of a state's largest value: what the solver may leave below 0
# Memory lasts, counters count, a scar of acute injury goes over months, organ failure decays by its own
# law, and what small airways and attachments lose is lost for good.
SLOW = {"MFB", *COUNTERS, *MEMORY, "COL", "COLM", "OFX", "NARROW", "EMPH", "SCAR"}
GROWERS = {"VIR": "VIR_extinct", "BAC": "BAC_extinct", "BAC_blood": "BAC_extinct", "NOS": "BAC_extinct"}
ROUNDING = 1e-60  # of one: a tube that nobody has lets in as much as its rounding to 0 leaves
CAPACITY = {"BAC": "bacteria_capacity", "NOS": "bacteria_capacity", "BAC_blood": "blood_capacity"}


@pytest.fixture(scope="module")
def covid() -> tuple[Subjects, Mapping[str, Values]]:
    people = subjects("covid19-ards", 400, seed=21)
    return people, course(people, DAYS)


@pytest.fixture(scope="module")
def ards() -> tuple[Subjects, Mapping[str, Values]]:
    people = subjects("ards", 400, seed=22)
    return people, course(people, DAYS)


def day_of(run: Mapping[str, Values], name: str, least: bool = False) -> Values:
    place = run[name].argmin(1) if least else run[name].argmax(1)
    return run["time"][place] / 24.0


def without(people: Subjects, name: str) -> Subjects:
    """The same subjects, without the events that set a parameter."""
    table = people.events
    hit = (table.kind != 0) & (table.target == model().parameters.index(name))
    return Subjects(
        people.parameters,
        type(table)(*(getattr(table, c)[~hit] for c in ("subject", "time", "kind", "target", "value"))),
    )


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
    # Days since infection: symptoms come four to five days after it, the lung is worst in their second week.
    assert 11.0 <= np.median(day_of(run, "pf_ratio", least=True)[severe]) <= 17.0
    assert np.median(run["pf_ratio"][severe, 2 * 60]) > 350.0


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
    assert 40.0 < np.median(run["il6"][severe].max(1)) < 1000.0
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
    """Whoever lives and whose infection is over.

    Nor does who had bacteria within the last month count: plasmablasts and clots of it may be left.
    A course whose hazard has run beyond any survival (1 in 1000) ends in death; so would one of a few hundred
    whose nosocomial bacteria withstand all that the ward gives.
    """
    people, run = request.getfixturevalue(disease)
    start = initial(people)
    alive = run["HAZ"][:, -1] < np.log(1000.0)
    assert alive.mean() > 0.9
    last = run["time"] >= run["time"][-1] - 30.0 * DAY
    organisms = np.max([run[name][:, last] for name in ("NOS", "BAC", "BAC_blood")], axis=0)
    unresolved = (organisms > 0.01).any(axis=1)
    assert (alive & unresolved).mean() < 0.02
    alive &= ~unresolved
    for i, name in enumerate(model().states):
        if name not in SLOW:
            away = np.abs(run[name][:, -1] - start[:, i]) / np.maximum(start[:, i], 0.05)
            # Type I cells live for four months, goblet cells for two; elastin comes back slowly.
            near = 0.1 if name in ("AT1", "GOB", "MUC", "ELAS") else 0.05
            assert away[alive].max() < near, f"{name}: {(away[alive] >= near).sum()} of {alive.sum()}"
    assert run["OFX"][:, -1].max() < 0.2
    # Scar goes over months: new collagen is past its peak and small, cross-linked collagen smaller still.
    assert run["MFB"][alive, -1].max() < 0.02
    assert run["COL"][alive, -1].max() < 0.4
    assert (run["COLM"][alive, -1] > 0.2).mean() < 0.01
    assert (run["COLM"][alive, -1] <= 0.97 * run["COLM"][alive].max(1) + 0.01).all()


def test_virus_gone_stays_gone_and_antibody_lasts(covid) -> None:
    people, run = covid
    bound = people.column("VIR_extinct")
    later = run["VIR"][:, 2 * 75 :]
    assert (later < bound[:, None]).all()
    assert (run["AB"][:, -1] > 0.5).all()
    assert (run["PC"][:, -1] > 0.9 * run["PC"].max(1)).all()


def test_a_second_inoculum_does_not_take_in_the_immune(covid) -> None:
    people, first = covid
    n = people.count
    again = events(np.arange(n), np.full(n, 90.0 * 24.0), ["VIR"] * n, np.full(n, 1e-3))
    run = course(Subjects(people.parameters, joined(people.events, again)), 110, outputs=["VIR", "pf_ratio"])
    assert run["VIR"][:, -1].max() < 1e-6
    assert (run["pf_ratio"][:, -1] >= first["pf_ratio"][:, 2 * 110] - 1.0).all()


def test_the_healthy_clear_a_small_inoculum_of_bacteria_to_none() -> None:
    people = subjects("healthy", 200, seed=23).with_dose("BAC", 0.1, 0.0)  # 1e5 CFU
    run = course(people, 14, outputs=["BAC", "BAC_blood", "pf_ratio"])
    one = people.column("BAC_extinct")
    cleared = (run["BAC"][:, -1] == 0.0) & (run["BAC_blood"][:, -1] < one)
    assert cleared.mean() > 0.97
    assert (run["pf_ratio"][cleared, -1] > 0.9 * people.column("pf_healthy")[cleared]).all()


@pytest.mark.parametrize("germ", GROWERS)
def test_less_than_one_does_not_grow_and_none_stays_none(germ: str) -> None:
    people = subjects("healthy", 100, seed=24)
    one = people.column(GROWERS[germ])
    for share in (0.1, 0.5, 0.99):
        few = course(people.with_dose(germ, share * one, 1.0), 20, outputs=[germ])
        assert (few[germ] < one[:, None]).all(), f"{(few[germ].max(1) >= one).mean():.2f} grew from {share}"
        assert (few[germ][:, -1] < 1e-3 * one).all()
    none = course(people, 150, every=10, outputs=[germ])
    assert np.abs(none[germ]).max() <= ROUNDING * one.min()


@pytest.mark.parametrize("germ", GROWERS)
def test_what_falls_below_one_is_gone(germ: str) -> None:
    """The extinction event: from some to exactly none, under what kills it."""
    people = subjects("healthy", 100, seed=24, uncertain=False)
    people = people.with_values(antibiotic=1.0, antibiotic_cross=1.0, k_virus=2.0, virus_infectivity=0.0)
    dosed = people.with_dose(germ, 5.0 * people.column(GROWERS[germ]), 1.0)
    run = course(dosed, 3, every=0.02, outputs=[germ])
    assert (run[germ].max(1) > people.column(GROWERS[germ])).all()
    assert (np.abs(run[germ][:, -1]) <= ROUNDING * people.column(GROWERS[germ])).all()


@pytest.mark.parametrize("germ", CAPACITY)
def test_what_grows_has_a_capacity(germ: str) -> None:
    """Nothing that kills: bacteria fill what holds them, from above and from below, and no more."""
    people = subjects("healthy", 20, seed=25, uncertain=False).with_values(
        kill_macrophage=0.0, kill_neutrophil=0.0, kill_blood=0.0, kill_blood_neutrophil=0.0,
        kill_nosocomial=0.0, kill_ward=0.0, kill_cough=0.0, k_invasion=0.0,
    )  # fmt: skip
    most = float(people.column(CAPACITY[germ])[0])
    for given in (1.0, 3.0 * most):
        run = course(people.with_dose(germ, given, 0.0), 10, outputs=[germ])
        assert (run[germ].max(1) <= max(given, most) * 1.001).all()
        assert np.abs(run[germ][:, -1] / most - 1.0).max() < 0.02


def test_virus_is_held_by_the_cells_that_it_can_infect() -> None:
    people = subjects("covid19-ards", 100, seed=26)
    run = course(people, 30, outputs=["VIR", "INFECTED", "AT2"])
    most = people.column("virus_production") / people.column("k_virus")
    assert (run["VIR"].max(1) < most).all()
    assert run["INFECTED"].max() <= 1.0


def test_pneumonia_needs_its_antibiotic(ards) -> None:
    people, run = ards
    ill = run["BAC"].max(1) > 0.0
    assert (run["BAC"][ill, 2 * 30] == 0.0).mean() > 0.99
    untreated = course(without(people.take(ill), "antibiotic"), 7, outputs=["BAC", "BAC_blood", "pf_ratio"])
    for place, least in (("BAC", 0.03), ("BAC_blood", 0.02)):
        still = (untreated[place][:, -1] > 1.0).mean()
        assert still > least, place
        assert still > 10.0 * (run[place][ill, 2 * 7] > 1.0).mean(), place
    assert untreated["pf_ratio"].min(1).mean() < run["pf_ratio"][ill, : 2 * 7 + 1].min(1).mean()


def test_nosocomial_pneumonia_of_the_ventilated_ends(ards) -> None:
    """The ward's antibiotic ends it, and what was had is counted."""
    _, run = ards
    had = run["NOS"].max(1) > 30.0
    alive = run["HAZ"][:, -1] < np.log(1000.0)
    assert 0.02 < had.mean() < 0.6
    assert (run["VENT"][had].max(1) > 0.1).all()
    assert (run["SEC"][had, -1] > 0.3).all()
    assert (run["SEC"][run["NOS"].max(1) < 1.0, -1] < 0.05).all()
    assert (run["NOS"][alive, -1] < 1e-6).mean() > 0.99


def test_direct_and_indirect_lung_injury_differ(ards) -> None:
    people, run = ards
    loss = (1.0 - run["EPI"].min(1)) / (1.0 - run["ENDO"].min(1))
    lung = people.events.target == model().parameters.index("insult_inflammation")
    sterile = np.zeros(people.count, bool)
    sterile[people.events.subject[lung & (people.events.kind != 0)]] = True
    assert np.median(loss[sterile]) != np.median(loss[~sterile])
    assert (run["pf_ratio"].min(1) < 300.0).mean() > 0.6
