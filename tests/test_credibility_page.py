"""The credibility page says what the repository holds, and a release's scores are told once."""

from __future__ import annotations

import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from mesolung.biology.parameters import read_parameters
from mesolung.reading import Refusal

AGAIN = "run python tools/credibility_page.py again"


@pytest.fixture
def tool(tool_module: Any) -> ModuleType:
    return tool_module("credibility_page")


@pytest.fixture
def said(tool: Any) -> dict[str, Any]:
    return tomllib.loads(tool.SAID.read_text(encoding="utf-8"))


def screened() -> dict[str, Any]:
    """A kept analysis of one effect, with a measured and two assumed inputs."""
    inputs = [
        {"id": name, "grade": grade, "module": "cells", "meaning": f"meaning of {name}"}
        for name, grade in (("measured", "A"), ("weak", "C"), ("strong", "C"))
    ]
    sizes = {
        name: {"size": s, "low": s / 2, "high": s * 2}
        for name, s in (("measured", 9.0), ("weak", 1.0), ("strong", 5.0))
    }
    effect = {
        "kind": "effect", "of": "cells vs vehicle", "endpoint": "pf_ratio@3d", "unit": "mmHg",
        "morris": {"inputs": sizes},
    }  # fmt: skip
    return {
        "study": "toy", "posterior": "prior-0", "trajectories": 10, "inputs": inputs, "quantities": [effect]
    }  # fmt: skip


def validation(version: str = "0.2.0") -> dict[str, Any]:
    """What a validation of trials of cells keeps, as far as the history asks for it."""

    def of(mean: float) -> dict[str, Any]:
        both = {"no effect": {"mean": mean + 0.1, "error": 0.2}, "pooled": {"mean": mean, "error": 0.3}}
        return {"cells": both}

    return {
        "version": version,
        "headline": "Effect of cells: not distinguishable from a constant effect.",
        "bias": "all",
        "summary": {
            "observations": 40,
            "trials": 9,
            "coverage": {"90": {"inside": 0.85, "expected": 0.93}, "50": {"inside": 0.41, "expected": 0.5}},
        },
        "skill_by_bias": {"none": of(-0.2), "small_study": of(0.05), "all": of(0.07)},
        "studies": [{"posterior": "posterior-1"}, {"posterior": None}],
    }


MANIFEST = {"command": "mesolung validate trials"}


def test_the_page_is_up_to_date(tool: Any) -> None:
    assert tool.PAGE.read_text(encoding="utf-8") == tool.made(), AGAIN


def test_grades_are_counted(tool: Any) -> None:
    graded = read_parameters().graded
    page = tool.made()
    for grade in "ABC":
        assert f"{sum(row.grade == grade for row in graded)} of grade {grade}" in page
    # The page of misfits says so in words and leaves the count to this one.
    assert "most parameters are assumed" in page
    assert sum(row.grade == "C" for row in graded) > len(graded) / 2


def test_the_strongest_assumptions_are_the_assumed_ones(tool: Any, said: dict[str, Any]) -> None:
    ranked = tool.ranking_of(screened(), "mesolung sensitivity toy.toml")
    page = tool.page(said, tool.read_history(), ranked)
    assert "| 2 | `strong` |" in page and "| 3 | `weak` |" in page
    assert "meaning of measured" not in page and "mesolung sensitivity toy.toml" in page


def test_an_analysis_without_a_screening_ranks_nothing(tool: Any) -> None:
    found = screened()
    found["quantities"][0]["morris"] = None
    with pytest.raises(Refusal, match="no screening"):
        tool.ranking_of(found, "mesolung sensitivity toy.toml")


def test_what_was_not_computed_says_so(tool: Any, said: dict[str, Any]) -> None:
    page = tool.page(said, tool.read_history(), None)
    assert page.count("not yet computed") >= 4
    said["headline"]["row"][0] |= {"value": 0.71, "low": 0.5, "high": 1.02}
    assert "0.71 (0.50 to 1.02)" in tool.page(said, tool.read_history(), None)


def test_a_release_adds_its_scores_once(tool: Any, said: dict[str, Any], tmp_path: Path) -> None:
    rows = tool.read_history()
    row = tool.row_of(validation(), MANIFEST, "2026-12-01")
    assert row["part"] == "trials" and row["posterior"] == "posterior-1"
    # The best of the constant effects is the one to beat, without bias and with it.
    assert (row["skill"], row["skill_error"], row["skill_without_bias"]) == ("0.07", "0.3", "-0.2")
    path = tmp_path / "history.csv"
    path.write_text(tool.appended(rows, row), encoding="utf-8")
    longer = tool.read_history(path)
    assert longer[:-1] == rows and longer[-1] == row
    page = tool.page(said, longer, None)
    assert "0.07 (0.3)" in page and "not distinguishable" in page and "| no bias | -0.2 |" in page
    with pytest.raises(Refusal, match="already"):
        tool.appended(longer, row)


def test_a_damaged_history_is_refused_by_line(tool: Any, tmp_path: Path) -> None:
    path = tmp_path / "history.csv"
    good = tool.HISTORY.read_text(encoding="utf-8")
    path.write_text(good.replace(",264,", ",many,"), encoding="utf-8")
    with pytest.raises(Refusal, match="observations is no number"):
        tool.read_history(path)
    path.write_text(good + good.splitlines()[1] + "\n", encoding="utf-8")
    with pytest.raises(Refusal, match="twice"):
        tool.read_history(path)
    path.write_text("a,b\n", encoding="utf-8")
    with pytest.raises(Refusal, match="not the score history"):
        tool.read_history(path)


def test_what_is_named_as_evidence_exists(tool: Any, said: dict[str, Any]) -> None:
    said["factor"][0]["evidence"] = ["tests/test_nothing.py"]
    with pytest.raises(Refusal, match="no such file"):
        tool.page(said, tool.read_history(), None)


def test_risk_rises_with_influence_and_consequence(tool: Any) -> None:
    rank = {level: k for k, level in enumerate(tool.LEVELS)}
    for influence in tool.LEVELS:
        for consequence in tool.LEVELS:
            risk = rank[tool.RISK[influence, consequence]]
            assert min(rank[influence], rank[consequence]) <= risk <= max(rank[influence], rank[consequence])
