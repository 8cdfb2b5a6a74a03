"""The page of the posterior says what is stored: what was learnt, what was not, and what still misses."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest

from mesolung.calibration.posterior.calibrate import status_of
from mesolung.population.posterior import Posterior, read_posterior


@pytest.fixture
def tool(tool_module: Any) -> ModuleType:
    return tool_module("posterior_page")


def test_the_page_and_its_figure_are_those_of_the_stored_posterior(tool: Any) -> None:
    posterior = read_posterior()
    if posterior is None:
        pytest.skip("no posterior is stored")
    again = "run python tools/posterior_page.py again"
    assert tool.PAGE.read_text(encoding="utf-8") == tool.page(posterior, status_of()), again
    assert tool.PICTURE.read_text(encoding="utf-8") == tool.picture(posterior), again


def test_what_was_hardly_narrowed_is_told_as_not_learnt(tool: Any) -> None:
    random = np.random.default_rng(1)
    prior = {n: Posterior(np.zeros((64, 0)), (), np.zeros(64), ()).prior_of(n) for n in ("k_LPS", "k_act")}
    narrow = np.full(64, np.median(prior["k_LPS"])) * np.exp(random.normal(0.0, 0.001, 64))
    made = Posterior(
        np.stack([narrow, prior["k_act"]], axis=1), ("k_LPS", "k_act"), np.full(64, 1 / 64), ("none",) * 64,
        {"stages": {"endotoxin": {"moved": ["k_LPS", "k_act"]}}},
    )  # fmt: skip
    nothing = [{"stage": "endotoxin", "about": "volunteers", "record": None, "stale": ""}]
    said = tool.page(made, nothing)
    assert "| endotoxin | volunteers | not done |" in said
    assert "2 stood in some stage; data narrowed 1 of them" in said.replace("\n", " ")
    assert "| endotoxin | 2 | 1 | `k_act` |" in said


def test_a_misfit_stays_on_the_page(tool: Any) -> None:
    made = Posterior(np.zeros((8, 0)), (), np.full(8, 1 / 8), ("none",) * 8, {"stages": {}})
    lines = [
        {"name": "hit", "unit": "1", "published": 1.0, "after": [0.5, 1.0, 2.0], "inside_after": True},
        {"name": "miss", "unit": "1", "published": 9.0, "after": [0.5, 1.0, 2.0], "inside_after": False},
    ]
    record = {
        "date": "2026-01-01", "moved_count": 0, "numbers": 2, "inside_90_before": 0.5, "inside_90_after": 0.5,
        "seconds": 60.0, "checks": lines,
    }  # fmt: skip
    said = tool.page(made, [{"stage": "virus", "about": "loads", "record": record, "stale": ""}])
    assert "1 of 2 numbers lie outside" in said
    assert "| virus | miss | 9 1 |" in said and "| virus | hit |" not in said
