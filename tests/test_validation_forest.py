"""The forest of trials shows what was predicted and what was published, misses in their own colour."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest


@pytest.fixture
def tool(tool_module: Any) -> ModuleType:
    return tool_module("validation_forest")


def observation(study: str, observed: float, failed: bool, treatment: str = "cells") -> dict[str, Any]:
    """A scored number of a treated arm, predicted as 5 (2 to 8) of 20."""
    return {
        "study": study, "arm": "MSC", "versus": None, "contrast": None, "endpoint": "mortality@28d",
        "treatment": treatment, "scored": True, "failed": failed, "statistic": "events", "n": 20,
        "unit": None, "observed": observed, "p50": 5.0, "interval_90": [2.0, 8.0],
    }  # fmt: skip


def validation(*lines: dict[str, Any]) -> dict[str, Any]:
    """A validation's JSON, as far as the forest reads it."""
    gain = {"mean": -0.3, "error": 0.2, "monte_carlo": 0.1, "trials": 3}
    return {"headline": "Told.", "observations": list(lines), "skill": {"cells": {"no effect": gain}}}


def test_each_treated_number_has_a_row_and_a_miss_its_colour(tool: Any) -> None:
    said = tool.forest(validation(observation("near", 6.0, False), observation("far", 15.0, True)))
    assert "near: MSC" in said and "far: MSC" in said and "15 of 20" in said
    points = said.split("</title>")[1]
    assert points.count(f"fill='{tool.FAILED}'") == 2, "one of the legend, one of the miss"
    assert points.count(f"fill='{tool.HELD}'") == 2
    assert "cells, against no effect (3 trials)" in said


def test_untreated_arms_are_no_part_of_it(tool: Any) -> None:
    with pytest.raises(SystemExit, match="no treated arm"):
        tool.forest(validation(observation("control", 6.0, False, treatment="")))
