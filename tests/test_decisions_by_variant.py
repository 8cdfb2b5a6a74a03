"""Decisions by variant: contrasts of the same patients, a null that only harms, the page of the record."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mesolung.biology import assemble
from mesolung.biology.parameters import read_parameters
from mesolung.calibration.contraction import RULE, recommend
from mesolung.calibration.variants.__main__ import RECORD, digest, piece
from mesolung.calibration.variants.contrasts import (
    FIRST,
    MEASURES,
    NEITHER,
    SECOND,
    SMALLEST,
    summed_up,
    variant_values,
)
from mesolung.calibration.variants.decisions import (
    ALL,
    AS_DRAWN,
    CARRIERS,
    DECISIONS,
    GIVEN,
    HUMAN,
    NULL,
    VARIANTS,
)
from mesolung.streams import normals

AGAIN = "run python -m mesolung.calibration.variants --write and tools/decisions_page.py again"
TYPICAL = dict.fromkeys(CARRIERS.values(), 2.0)


@pytest.fixture(scope="module")
def record() -> dict[str, Any]:
    return json.loads(RECORD.read_text(encoding="utf-8"))


def test_the_record_is_of_the_model_as_it_is(record: dict[str, Any]) -> None:
    assert record["parameters_sha256"] == read_parameters().hash, AGAIN
    assert record["model_sha256"] == assemble().model_hash, AGAIN


def test_a_small_piece_comes_out_as_recorded(record: dict[str, Any]) -> None:
    stored = record["piece"]
    assert stored["sha256"] == digest(stored["lines"]) and record["sha256"] == digest(record["lines"])
    now = piece()
    assert [x["answer"] for x in now] == [x["answer"] for x in stored["lines"]], AGAIN
    for one, other in zip(now, stored["lines"], strict=True):
        for key in ("mean", "low", "high", "error"):
            assert one[key] == pytest.approx(other[key], rel=0.02, abs=0.01), AGAIN


def test_one_carrier_at_a_time_is_on() -> None:
    for name, gain in CARRIERS.items():
        values = variant_values(name, TYPICAL)
        assert [g for g in CARRIERS.values() if values[g] > 0] == [gain] and values[HUMAN] == 1.0
    assert all(variant_values(ALL, TYPICAL)[g] == 2.0 for g in CARRIERS.values())
    assert variant_values(NULL, TYPICAL)[HUMAN] == 0.0


def test_every_decision_is_told_in_every_variant(record: dict[str, Any]) -> None:
    keys = {(x["decision"], x["variant"], x["measure"]) for x in record["lines"]}
    assert keys == {(d.name, v, m) for d in DECISIONS for v in VARIANTS for m in MEASURES}
    for decision in DECISIONS:
        assert {decision.a.given, decision.b.given} <= set(GIVEN)


def test_where_nothing_acts_nothing_is_gained(record: dict[str, Any]) -> None:
    """The null differs between choices by harm alone: more cells are then worse, and nothing is better."""
    null = [x for x in record["lines"] if x["variant"] == NULL]
    assert all(x["answer"] != SECOND for x in null)
    assert [x["decision"] for x in null if x["answer"] == FIRST and x["measure"] == "P/F"] in ([], ["dose"])


def test_what_is_small_or_within_the_error_is_no_difference() -> None:
    measure = "P/F"
    wide = np.array([30.0, -25.0, 1.0, 5.0, -8.0])
    assert summed_up(wide, measure)["answer"] == NEITHER
    small = np.array([0.5 * SMALLEST[measure] + k * 1e-3 for k in range(5)], np.float64)
    assert summed_up(small, measure)["answer"] == NEITHER
    assert summed_up(np.array([*(small + 5.0)]), measure)["answer"] == SECOND
    assert summed_up(np.array([*(-small - 5.0)]), measure)["answer"] == FIRST
    with_nobody = np.append(small + 5.0, np.nan)
    assert summed_up(with_nobody, measure)["answer"] == SECOND


def test_as_drawn_sets_nothing() -> None:
    assert variant_values(AS_DRAWN, TYPICAL) == {}


def _with_advice(record: dict[str, Any], prior: np.ndarray, posterior: np.ndarray) -> dict[str, Any]:
    one = {"decision": "dose", "measure": "P/F", **recommend(prior, posterior).record()}
    return {**record, "rule": RULE, "learnt_from": "posterior-0", "recommendations": [one]}


def test_a_decision_that_data_did_not_narrow_is_given_as_a_range(record, tool_module: Any) -> None:
    tool = tool_module("decisions_page")
    slope = 4.0 * normals(1, "toy slope", 0, 400)
    page = tool.page(_with_advice(record, slope, slope))
    assert "no point" in page and "0 %" in page
    narrowed = tool.page(_with_advice(record, slope, 2.0 + 0.2 * slope))
    assert "no point" not in narrowed and "**2." in narrowed


def test_a_record_without_it_says_that_it_was_not_computed(record, tool_module: Any) -> None:
    without = {k: v for k, v in record.items() if k != "recommendations"}
    assert "has not been computed" in tool_module("decisions_page").page(without)


def test_the_page_and_the_picture_are_those_of_the_record(root: Path, tool_module: Any) -> None:
    tool = tool_module("decisions_page")
    kept = json.loads(tool.RECORD.read_text(encoding="utf-8"))
    assert tool.PAGE.read_text(encoding="utf-8") == tool.page(kept), AGAIN
    assert tool.IMAGE.read_text(encoding="utf-8") == tool.picture(kept), AGAIN
