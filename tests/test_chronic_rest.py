"""Ten years: whoever is healthy stays so and comes back from kicks; what is lost for good is listed."""

from __future__ import annotations

import numpy as np
import pytest
from tests.biology_subjects import COUNTERS, LASTING, course, initial, model, subjects

TEN_YEARS = 3653.0
# A tenth of what a kick took from elastin is not yet renewed in everybody.
SLOW = {"ELAS": 0.06}


def test_ten_years_after_a_kick_everybody_is_back() -> None:
    """A fifth up or down, each state on its own: nobody tips into fibrosis, emphysema or asthma."""
    people = subjects("healthy", 60, seed=21)
    start = initial(people)
    kicked = start * (1.0 + 0.2 * np.random.default_rng(6).choice([-1.0, 1.0], start.shape))
    run = course(people, TEN_YEARS, every=TEN_YEARS, outputs=model().states, initial=kicked)
    for i, name in enumerate(model().states):
        if name in COUNTERS or name in LASTING:
            continue
        away = np.abs(run[name][:, -1] - start[:, i]) / np.where(start[:, i] > 0.0, start[:, i], 1.0)
        assert away.max() < SLOW.get(name, 0.01), f"{name}: {away.max():.3g}"
    for name in LASTING:
        assert np.abs(run[name][:, -1]).max() < 0.01, name


def test_ten_healthy_years_without_a_clock_change_nothing() -> None:
    people = subjects("healthy", 30, seed=22)
    run = course(people, TEN_YEARS, every=TEN_YEARS, outputs=(*model().states, "fev1_pp"))
    start = initial(people)
    for i, name in enumerate(model().states):
        assert np.abs(run[name][:, -1] - start[:, i]).max() <= 1e-9 * max(1.0, np.abs(start[:, i]).max()), (
            name
        )
    assert np.ptp(run["fev1_pp"], axis=1).max() < 1e-9


def test_a_lung_that_was_injured_badly_is_not_ill_ten_years_later() -> None:
    people = subjects("healthy", 60, seed=23).with_values(inoculation=0.0)
    hurt = initial(people, AT1=0.4, AT2=0.4, ENDO=0.4, MFB=1.0, COL=0.5, COLM=0.2, NEU=20.0)
    run = course(people, TEN_YEARS, every=TEN_YEARS, outputs=(*LASTING, "COLM", "MFB", "drive"), initial=hurt)
    assert run["COLM"][:, -1].max() < 0.01
    assert run["drive"][:, -1].max() < 1e-3
    assert run["SCAR"][:, -1].max() < 0.05
    assert run["EMPH"][:, -1].max() < 0.01
    assert run["NARROW"][:, -1].max() < 0.1


@pytest.mark.parametrize("factor", [0.8, 1.2])
def test_the_stiffness_loop_rests_in_health(factor: float) -> None:
    """Below its bound the loop is exactly off, also for a fifth more collagen than acute scars."""
    people = subjects("healthy", 60, seed=24)
    scarred = initial(people, COLM=0.17 * factor, MFB=0.1)
    run = course(people, 730, every=73, outputs=("stretch", "COLM", "SCAR", "TGFB"), initial=scarred)
    assert run["stretch"].max() == 0.0
    assert run["SCAR"].max() == 0.0
    assert (run["COLM"][:, -1] < 0.02).all()


def test_a_large_scar_feeds_itself_only_where_the_epithelium_is_senescent() -> None:
    """The same scar resolves where epithelium renews itself, and goes on where a third of it is senescent."""
    people = subjects("healthy", 30, seed=25).with_values(ageing=0.0)
    scarred = initial(people, COLM=1.0, COL=2.0, MFB=1.5)
    run = course(people, 1826, every=913, outputs=("COLM", "SCAR"), initial=scarred)
    assert run["SCAR"].max() == 0.0
    assert run["COLM"][:, -1].max() < 0.05
    old = initial(people, COLM=1.0, COL=2.0, MFB=1.5, SEN=0.33)
    run = course(people, 365, every=73, outputs=("COLM", "SCAR"), initial=old)
    assert (run["SCAR"][:, -1] > 0.01).all()
