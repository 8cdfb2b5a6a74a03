"""Products beside living cells act on the same receptors: what each brings, and what it cannot do."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from tests.biology_subjects import Subjects, Values, course, joined, model, subjects

from mesolung.biology.parameters import read_parameters
from mesolung.biology.tables import routes
from mesolung.product.product import Product
from mesolung.product.profile import lot_profile
from mesolung.study.arm import Treatment
from mesolung.study.dosing import entering, entering_over, unit_of_dose
from mesolung.trial.doses import product_doses

ON = {"human_effect": 1.0, "gain_niche": 6.0, "gain_efferocytosis": 1.0, "gain_EV": 1.0, "gain_mito": 1.0}
ENROLLED = 9.0 * 24.0  # hours after infection
PLACE = int(ENROLLED / 6.0)  # of enrolment in courses kept every 6 h
OUTPUTS = (
    "MSC_living", "MSC_licensed", "MSC_dying", "EV_lung", "EV_alv", "PGE2", "KYN", "HGF", "REPROG", "M1",
    "M2", "t_brake", "t_brake_node", "kyn_signal", "ev_signal", "TH1_node", "pf_ratio", "EMB",
)  # fmt: skip
COUNT = 24
CAPSULE = [{"kind": "encapsulation", "agent": "alginate", "release": "72 h"}]
Course = Mapping[str, Values]


@pytest.fixture(scope="module")
def ill() -> Subjects:
    """Subjects with COVID-19 at typical values of what is uncertain, carriers at work."""
    return subjects("covid19-ards", COUNT, seed=31, uncertain=False).with_values(**ON)


def treatment(kind: str, dose: str, route: str, **also: object) -> Treatment:
    number, unit = dose.split(" ", 1)
    product = Product.model_validate({"type": kind, "source": "umbilical cord", **also})
    return Treatment(product=product, dose=float(number), dose_unit=unit, route=route, times_h=(ENROLLED,))  # pyright: ignore[reportArgumentType]


def given(people: Subjects, one: Treatment) -> Subjects:
    """Give every subject a lot of its own, over half an hour at enrolment."""
    route = routes()[str(one.route)]
    profile = lot_profile(
        one.product,
        key="prior",
        draws=np.arange(people.count),
        seed=1,
        route=route,
        unit=unit_of_dose(one),
        typical={row.id: np.full(people.count, row.value) for row in read_parameters()},
    )
    amount = np.full(people.count, one.dose or 0.0)
    brought = entering(one, profile, amount, route, 1)
    over = entering_over(profile, 0.5, 1)
    events = product_doses(model(), amounts=brought.amounts, times_h=one.times_h, infusion_h=over)
    changed = people.parameters.copy()
    for name, value in profile.parameters.items():
        changed[:, model().parameters.index(name)] = value
    return Subjects(changed, joined(people.events, events))


@pytest.fixture(scope="module")
def courses(ill: Subjects) -> Mapping[str, Course]:
    """A week of each product after enrolment, kept every 6 h."""
    arms = {
        "nothing": ill,
        "cells": given(ill, treatment("cells", "1e8 cells", "intravenous")),
        "fibroblasts": given(ill, treatment("control-cells", "1e8 cells", "intravenous")),
        "apoptotic": given(ill, treatment("apoptotic-cells", "1e8 cells", "intravenous")),
        "heat-killed": given(ill, treatment("heat-killed-cells", "1e8 cells", "intravenous")),
        "ev": given(ill, treatment("ev", "1e12 particles", "intravenous")),
        "ev local": given(ill, treatment("ev", "1e12 particles", "intratracheal")),
        "ev capsule": given(ill, treatment("ev", "1e12 particles", "intratracheal", engineering=CAPSULE)),
        "medium": given(ill, treatment("conditioned-medium", "1e9 cell-equivalents", "intratracheal")),
    }
    return {name: course(who, 16, every=0.25, outputs=OUTPUTS) for name, who in arms.items()}


def after(run: Course, name: str) -> Values:
    """float64[subject, time] from enrolment on."""
    return run[name][:, PLACE:]


def test_vesicles_turn_macrophages_and_do_not_stop_t_cells(courses: Mapping[str, Course]) -> None:
    for name in ("ev", "ev local"):
        ev, none = courses[name], courses["nothing"]
        assert np.all(after(ev, "ev_signal").max(axis=1) > 0.01)
        assert np.all(after(ev, "REPROG").max(axis=1) > after(none, "REPROG").max(axis=1))
        for quiet in ("t_brake", "t_brake_node", "kyn_signal", "KYN", "PGE2", "MSC_living", "EMB"):
            assert np.all(after(ev, quiet) == 0.0), quiet
    cells = courses["cells"]
    assert np.all(after(cells, "t_brake").max(axis=1) > 0.0) and np.all(after(cells, "KYN").max(axis=1) > 0.0)


def test_local_vesicles_reach_the_lung_better_than_those_in_blood(courses: Mapping[str, Course]) -> None:
    local, blood = (after(courses[name], "EV_lung").sum(axis=1) for name in ("ev local", "ev"))
    assert np.median(local / blood) > 3.0


def test_large_vesicles_pass_mucus_less(ill: Subjects) -> None:
    people = given(ill, treatment("ev", "1e12 particles", "nebulised"))
    place = model().parameters.index("product_ev_size")
    seen = []
    for size in (0.5, 1.0, 2.0):
        changed = people.parameters.copy()
        changed[:, place] = size
        run = course(Subjects(changed, people.events), 11, every=0.25, outputs=("EV_lung",))
        seen.append(run["EV_lung"].max(axis=1))
    assert np.all(seen[0] > seen[1]) and np.all(seen[1] > 1.5 * seen[2])


def test_apoptotic_cells_act_without_living_ones(courses: Mapping[str, Course]) -> None:
    run, none = courses["apoptotic"], courses["nothing"]
    assert np.all(after(run, "MSC_living") == 0.0) and np.all(after(run, "KYN") == 0.0)
    raised = after(run, "REPROG").max(axis=1) > 0.01
    # A quarter of the draws gives them no effect.
    assert 0.5 < raised.mean() < 1.0
    share = [(after(r, "M2") / (after(r, "M1") + after(r, "M2")))[raised, 12] for r in (run, none)]
    # Who recovers sooner has fewer of both; nearly all have more of the calm among them.
    assert np.mean(share[0] > share[1]) > 0.8 and np.median(share[0]) > np.median(share[1])


def test_heat_killed_cells_are_engulfed_and_teach_little(courses: Mapping[str, Course]) -> None:
    run, apoptotic = courses["heat-killed"], courses["apoptotic"]
    assert np.all(after(run, "MSC_dying").max(axis=1) > 0.0) and np.all(after(run, "MSC_living") == 0.0)
    taught = [after(r, "REPROG").max(axis=1) for r in (run, apoptotic)]
    assert 0.0 < np.mean(taught[0]) < 0.5 * np.mean(taught[1])


def test_fibroblasts_come_and_die_as_cells_do_and_are_not_licensed(courses: Mapping[str, Course]) -> None:
    run, cells = courses["fibroblasts"], courses["cells"]
    assert np.all(after(run, "MSC_licensed") == 0.0) and np.all(after(run, "KYN") == 0.0)
    assert np.median(after(run, "MSC_living")[:, 1]) == pytest.approx(
        np.median(after(cells, "MSC_living")[:, 1]), rel=0.3
    )
    assert np.mean(after(run, "REPROG").max(axis=1)) < 0.6 * np.mean(after(cells, "REPROG").max(axis=1))
    assert np.mean(after(run, "t_brake").max(axis=1)) < 0.3 * np.mean(after(cells, "t_brake").max(axis=1))


def test_conditioned_medium_acts_at_once_and_fades(ill: Subjects) -> None:
    people = given(ill, treatment("conditioned-medium", "1e9 cell-equivalents", "intratracheal"))
    run = course(people, 20, every=1 / 48, outputs=("PGE2", "HGF", "KYN", "EV_alv", "REPROG", "MSC_living"))
    place = int(ENROLLED * 2)
    first, later = run["PGE2"][:, place + 1], run["PGE2"][:, place + 24]
    assert np.all(first > 0.0) and np.all(later < 0.001 * first)
    assert np.all(run["HGF"][:, place + 1] > 0.0) and np.all(run["EV_alv"][:, place + 1] > 0.0)
    assert np.all(run["KYN"] == 0.0) and np.all(run["MSC_living"] == 0.0)
    reprogrammed = run["REPROG"]
    assert np.all(reprogrammed[:, -1] < reprogrammed[:, place:].max(axis=1))


def test_little_of_medium_in_blood_comes_to_lung_fluid(ill: Subjects) -> None:
    levels = []
    for route in ("intratracheal", "intravenous"):
        people = given(ill, treatment("conditioned-medium", "1e9 cell-equivalents", route))
        levels.append(course(people, 9.5, every=1 / 48, outputs=("HGF",))["HGF"].max(axis=1))
    assert np.all(levels[1] < 0.3 * levels[0])


def test_a_subjects_own_cells_raise_no_antibody_to_the_donor(ill: Subjects) -> None:
    hazards = []
    for own in (True, False):
        people = given(ill, treatment("cells", "1e8 cells", "intravenous", autologous=own))
        hazards.append(course(people, 16, outputs=("HAZ_DSA",))["HAZ_DSA"][:, -1])
    assert np.all(hazards[0] == 0.0) and np.all(hazards[1] > 0.0)


def test_a_capsule_lets_go_of_vesicles_over_the_hours_that_are_stated(courses: Mapping[str, Course]) -> None:
    at_once, slowly = (after(courses[name], "EV_alv") for name in ("ev local", "ev capsule"))
    hours = 6.0 * np.arange(at_once.shape[1])
    level = slowly[:, (hours > 12.0) & (hours < 72.0)]
    assert level == pytest.approx(np.repeat(level[:, :1], level.shape[1], axis=1), rel=0.1), (
        "as many all the time"
    )
    late = (hours > 48.0) & (hours <= 72.0)
    assert np.all(slowly[:, late] > 5.0 * at_once[:, late]), "still coming when those given at once are gone"
    assert np.all(slowly[:, hours > 120.0] < 0.1 * slowly[:, late].max(axis=1, keepdims=True))
