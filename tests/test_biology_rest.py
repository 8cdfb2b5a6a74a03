"""Health is an exact and stable rest point, for every subject."""

from __future__ import annotations

import numpy as np
import pytest
from tests.biology_subjects import (
    COUNTERS,
    DAY,
    LASTING,
    Subjects,
    Values,
    course,
    initial,
    model,
    rates,
    sources,
    subjects,
    system,
)

# The slowest way back to health: elastin, whose half-time is three years, in some draws twice as long.
SLOWEST = -1e-5
# Back within years, which tests/test_chronic_rest.py holds: goblet cells with mucus, muscle, elastin.
SLOW = ("GOB", "MUC", "ASM", "ELAS", "COLM")
HEALED = 90  # days after which a kick of a fifth is gone; type I cells live for four months
HEALED_BADLY_HURT = 180  # days after which half of the barrier lost is


@pytest.fixture(scope="module")
def people() -> Subjects:
    return subjects("healthy", 400, seed=11)


def turnover(people: Subjects) -> Values:
    """What flows through each state at health, float64[n, S]: the source that holds it, 0 without one."""
    flow = np.zeros((people.count, len(model().states)))
    constants = sources(people.parameters)
    for i, name in enumerate(system().constants):
        if name.startswith("src_"):
            flow[:, model().states.index(name.removeprefix("src_"))] = constants[:, i]
    return flow


def test_every_source_is_positive_for_any_draw(people: Subjects) -> None:
    names = system().constants
    of_states = [i for i, name in enumerate(names) if name.startswith("src_")]
    assert len(of_states) > 30
    assert sources(people.parameters)[:, of_states].min() > 0.0


def test_rates_at_health_are_nothing_against_turnover(people: Subjects) -> None:
    start = initial(people)
    moving = np.abs(rates(start, people.parameters))
    flow = turnover(people)
    for i, name in enumerate(model().states):
        # A state without source has no turnover of its own: rounding of one law is all that it may show.
        assert (moving[:, i] <= 1e-12 * np.maximum(flow[:, i], 1e-3)).all(), name


def test_a_healthy_year_changes_nothing(people: Subjects) -> None:
    run = course(people, 365, every=73)
    start = initial(people)
    for i, name in enumerate(model().states):
        moved = np.abs(run[name] - start[:, i : i + 1]).max()
        assert moved <= 1e-9 * max(1.0, np.abs(start[:, i]).max()), name
    # A year of what is left of the hazard by rounding, of either sign.
    assert np.abs(run["HAZ"]).max() < 1e-14
    assert np.abs(run["hazard"]).max() < 1e-15


def test_nothing_hangs_on_a_counter(people: Subjects) -> None:
    start = initial(people)
    later = initial(people, **dict.fromkeys(COUNTERS, 0.7))
    others = [i for i, name in enumerate(model().states) if name not in COUNTERS]
    at_rest, counted = (rates(states, people.parameters)[:, others] for states in (start, later))
    assert np.array_equal(at_rest, counted)


def jacobian(parameters: Values, start: Values, side: Values) -> Values:
    """Derivatives of the rates by the states towards one side of each, float64[n, S, S]."""
    found = np.empty((*start.shape, start.shape[1]))
    at_rest = rates(start, parameters)
    for j in range(start.shape[1]):
        # A state that is 0 at health can only rise.
        step = np.where(start[:, j] > 0.0, side[:, j], 1.0) * 1e-7 * np.maximum(start[:, j], 1e-3)
        moved = start.copy()
        moved[:, j] += step
        found[:, :, j] = (rates(moved, parameters) - at_rest) / step[:, None]
    return found


@pytest.mark.parametrize("side", ["above", "below", "mixed"])
def test_one_sided_jacobians_have_negative_eigenvalues(people: Subjects, side: str) -> None:
    """All kinks open (above the healthy value), all closed (below it), each state on a side of its own."""
    parameters = people.parameters
    start = initial(people)
    mixed = np.random.default_rng(3).choice([-1.0, 1.0], start.shape)
    sides = {"above": np.ones_like(start), "below": -np.ones_like(start), "mixed": mixed}
    kept = [i for i, name in enumerate(model().states) if name not in (*COUNTERS, *LASTING)]
    found = jacobian(parameters, start, sides[side])
    counters = [model().states.index(name) for name in COUNTERS]
    assert np.abs(found[:, kept][:, :, counters]).max() == 0.0
    grows = np.linalg.eigvals(found[:, kept][:, :, kept]).real.max(1)
    assert grows.max() < SLOWEST, f"{(grows >= SLOWEST).sum()} of {grows.size} draws, {grows.max():.3g} 1/h"


def test_a_hundred_kicks_of_a_fifth_return_within_three_months() -> None:
    people = subjects("healthy", 100, seed=12)
    start = initial(people)
    kicked = start * (1.0 + 0.2 * np.random.default_rng(5).uniform(-1.0, 1.0, start.shape))
    run = course(people, HEALED, every=HEALED, outputs=model().states, initial=kicked)
    for i, name in enumerate(model().states):
        if name not in (*COUNTERS, *SLOW):
            away = np.abs(run[name][:, -1] - start[:, i]) / np.where(start[:, i] > 0.0, start[:, i], 1.0)
            assert away.max() < 0.05, f"{name}: {(away >= 0.05).sum()} of 100, {away.max():.3g}"
    assert run["HAZ"].max() < 0.05
    assert run["SEC"].max() < 0.05


HURTS = {
    "half of the barrier": {"AT1": 0.5, "AT2": 0.5, "ENDO": 0.5},
    "half of the epithelium": {"AT1": 0.5, "AT2": 0.5},
    "half of the endothelium": {"ENDO": 0.5},
    "surfactant": {"SURF": 0.2},
    "flooded": {"EVLW": 22.0},
    "danger without germs": {"DAMP": 5.0},
    "clots": {"THR": 2.0, "FIB": 1.0},
    "scar": {"FIBRO": 3.0, "MFB": 1.0, "COL": 0.5},
    "neutrophils": {"NEU": 20.0, "NET": 2.0, "ROS": 2.0},
    "macrophages spent": {"AM": 1.0},
}


@pytest.mark.parametrize("hurt", HURTS)
def test_a_sterile_injury_heals_in_everybody(hurt: str) -> None:
    """Fibroproliferation with it: fibroblasts, myofibroblasts and collagen are back, and do not tip over."""
    people = subjects("healthy", 150, seed=13).with_values(inoculation=0.0)
    start = initial(people)
    run = course(people, HEALED_BADLY_HURT, every=30, initial=initial(people, **HURTS[hurt]))
    for i, name in enumerate(model().states):
        if name not in (*COUNTERS, *SLOW, *LASTING):
            scale = np.where(start[:, i] > 0.0, start[:, i], 1.0)
            away = np.abs(run[name][:, -1] - start[:, i]) / scale
            assert away.max() < 0.05, f"{name}: {(away >= 0.05).sum()} of 150, {away.max():.3g}"
    assert run["COLM"][:, -1].max() < 0.1
    assert (run["pf_ratio"][:, -1] > 0.95 * people.column("pf_healthy")).all()
    assert run["time"][-1] == HEALED_BADLY_HURT * DAY


def test_an_injury_scars_and_the_scar_goes() -> None:
    people = subjects("healthy", 150, seed=13).with_values(inoculation=0.0)
    run = course(people, 360, every=5, initial=initial(people, AT1=0.4, AT2=0.4, ENDO=0.4))
    for name in ("MFB", "COL"):
        most = run[name].max(1)
        assert np.median(most) > 0.005, name
        assert (run[name][:, -1] < 0.05 * np.maximum(most, 0.01)).all(), name
    assert (run["COLM"][:, -1] < 0.5 * np.maximum(run["COLM"].max(1), 0.01)).all()
    assert (np.diff(run["COLM"][:, -10:], axis=1) < 0.0).all()
