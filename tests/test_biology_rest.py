"""Health is an exact and stable rest point, for every subject."""

from __future__ import annotations

import numpy as np
import pytest
from tests.biology_subjects import DAY, Subjects, course, model, rates, sources, subjects, system

ZERO_MODES = {"HAZ"}  # the cumulative hazard only counts


@pytest.fixture(scope="module")
def people() -> Subjects:
    return subjects("healthy", 400, seed=11)


def test_every_source_is_positive_for_any_draw(people: Subjects) -> None:
    names = system().constants
    of_states = [i for i, name in enumerate(names) if name.startswith("src_")]
    assert len(of_states) == 12
    assert sources(people.parameters)[:, of_states].min() >= 0.0


def test_rates_at_health_are_nothing_against_turnover(people: Subjects) -> None:
    start = model().initial(people.parameters)
    moving = np.abs(rates(start, people.parameters))
    turnover = np.zeros_like(moving)
    constants = sources(people.parameters)
    for i, name in enumerate(system().constants):
        if name.startswith("src_"):
            turnover[:, model().states.index(name.removeprefix("src_"))] = constants[:, i]
    assert (moving <= 1e-12 * turnover).all()


def test_a_healthy_year_changes_nothing(people: Subjects) -> None:
    run = course(people, 365, every=73)
    start = model().initial(people.parameters)
    for i, name in enumerate(model().states):
        assert np.abs(run[name] - start[:, i : i + 1]).max() <= 1e-9 * max(1.0, np.abs(start[:, i]).max()), (
            name
        )
    assert np.abs(run["HAZ"]).max() < 1e-20
    assert np.abs(run["hazard"]).max() < 1e-20


@pytest.mark.parametrize("side", [1.0, -1.0])
def test_one_sided_jacobians_have_negative_eigenvalues(people: Subjects, side: float) -> None:
    """All kinks open (above the healthy value) and all closed (below it)."""
    parameters = people.parameters[:60]
    start = model().initial(parameters)
    count = start.shape[1]
    jacobian = np.empty((len(parameters), count, count))
    at_rest = rates(start, parameters)
    for j in range(count):
        # A state that is 0 at health can only rise.
        step = np.where(start[:, j] > 0.0, side, 1.0) * 1e-7 * np.maximum(start[:, j], 1e-3)
        moved = start.copy()
        moved[:, j] += step
        jacobian[:, :, j] = (rates(moved, parameters) - at_rest) / step[:, None]
    zero = [model().states.index(name) for name in ZERO_MODES]
    assert np.abs(jacobian[:, zero, zero]).max() == 0.0
    kept = [i for i in range(count) if i not in zero]
    assert np.linalg.eigvals(jacobian[:, kept][:, :, kept]).real.max() < -1e-5


def test_kicks_of_a_fifth_return_within_six_weeks() -> None:
    people = subjects("healthy", 100, seed=12)
    start = model().initial(people.parameters)
    kicked = start * (1.0 + 0.2 * np.random.default_rng(5).uniform(-1.0, 1.0, start.shape))
    run = course(people, 42, every=42, outputs=model().states, initial=kicked)
    end = np.stack([run[name][:, -1] for name in model().states], -1)
    lasting = model().states.index("HAZ")
    away = np.abs(end - start) / np.where(start > 0.0, start, 1.0)
    away[:, lasting] = 0.0
    assert away.max() < 0.05
    assert run["HAZ"].max() < 0.05


def test_a_bad_injury_heals_in_everybody() -> None:
    people = subjects("healthy", 300, seed=13)
    start = model().initial(people.parameters)
    hurt = start.copy()
    for name, left in (("EPI", 0.5), ("ENDO", 0.5)):
        hurt[:, model().states.index(name)] = left
    run = course(people, 180, every=30, initial=hurt)
    assert (run["pf_ratio"][:, 0] < 0.8 * people.column("pf_healthy")).all()
    assert (run["pf_ratio"][:, -1] > 0.95 * people.column("pf_healthy")).all()
    assert np.abs(run["DAMP"][:, -1]).max() < 1e-2
    assert run["time"][-1] == 180 * DAY
