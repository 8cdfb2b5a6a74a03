"""Harm in single trials: exact intervals, bounds, labels; what the model expects of products; the page."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import binom

from mesolung.biology import assemble
from mesolung.biology.parameters import read_parameters
from mesolung.calibration.harm.__main__ import RECORD
from mesolung.calibration.harm.judging import (
    ABOVE,
    ABSENT,
    BELOW,
    BOUND_ONLY,
    INFORMATIVE,
    NO_PRODUCT,
    OUTSIDE,
    WITHIN,
    exact_interval,
    judge_row,
    rule_of_three,
)
from mesolung.calibration.harm.rows import HARMS, HarmRow, context, harm_rows
from mesolung.calibration.harm.scenarios import expectations
from mesolung.calibration.patients import Patients
from mesolung.engine import compile_model
from mesolung.population.draws import draw_prior
from mesolung.reading import Refusal
from mesolung.study.catalogue import groups

AGAIN = "run python -m mesolung.calibration.harm --write and tools/harm_page.py again"
LATE, MONTH = "donor-specific antibody, 180 d", "donor-specific antibody, 28 d"
ROW = HarmRow("a", 0, "fever", "cells", True, 2, 9, 1.0, "seen", "")


@pytest.fixture(scope="module")
def record() -> dict[str, Any]:
    return json.loads(RECORD.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def expected() -> dict[str, dict[str, Any]]:
    model = compile_model(assemble().sbml)
    enrolled = Patients(model, draw_prior(3, "test"), 4, 1).enrolled("covid supported")
    asked = ("no cells", "usual", "second course", "autologous", "HLA edited", "vesicles")
    return expectations(enrolled, asked)


@pytest.mark.parametrize(("events", "n"), [(0, 9), (2, 9), (15, 42), (7, 7)])
def test_an_interval_excludes_what_would_be_rarer_than_one_in_forty(events: int, n: int) -> None:
    low, high = exact_interval(events, n)
    if events:
        assert binom.sf(events - 1, n, low) == pytest.approx(0.025)
    if events < n:
        assert binom.cdf(events, n, high) == pytest.approx(0.025)
    assert low <= events / n <= high


def test_what_is_no_count_is_refused() -> None:
    for events, n in ((3, 2), (-1, 2), (0, 0)):
        with pytest.raises(ValueError, match="no count"):
            exact_interval(events, n)


def test_nobody_of_thirty_leaves_one_in_ten() -> None:
    assert rule_of_three(30) == pytest.approx(0.1) and rule_of_three(2) == 1.0
    # The rule is the exact one-sided 95 % bound to first order.
    assert rule_of_three(300) == pytest.approx(1.0 - 0.05 ** (1 / 300), rel=0.01)


def test_labels_follow_what_was_counted() -> None:
    def agreement(row: HarmRow, share: float) -> tuple[str, str]:
        one = judge_row(row, np.full(4, share))
        return one.agreement, one.label

    assert agreement(ROW, 0.2) == (WITHIN, INFORMATIVE)
    assert agreement(ROW, 0.05) == (OUTSIDE, INFORMATIVE)
    nobody = replace(ROW, events=0)
    assert agreement(nobody, 0.2) == (BELOW, BOUND_ONLY)
    assert agreement(nobody, 0.5) == (ABOVE, INFORMATIVE)
    assert agreement(replace(ROW, harm="thromboembolism"), 0.2)[1] == BOUND_ONLY
    assert agreement(replace(ROW, treated=False), 0.2)[1] == NO_PRODUCT
    assert judge_row(replace(ROW, harm="adverse_event"), None).agreement == ABSENT


def test_rows_are_of_single_trials_that_may_be_looked_at() -> None:
    rows = harm_rows()
    assert {"realist-phase1-2021", "ciss-2018", "hct-msc-2023"} <= {row.study for row in rows}
    for row in rows:
        assert row.harm in HARMS and 0 <= row.events <= row.n and row.status in ("seen", "derived")
        assert groups(row.study)[row.observation] != "unseen"


def test_context_is_told_as_such_and_a_bad_row_refused(tmp_path: Path) -> None:
    assert {one.kind for one in context()} == {"pooled", "review", "cases"}
    assert not {one.source for one in context()} & {row.study for row in harm_rows()}
    bad = tmp_path / "context.csv"
    bad.write_text(
        "harm,kind,what,value,low,high,unit,basis,source\nfever,guess,x,1,,,ratio,b,s\n", encoding="utf-8"
    )
    with pytest.raises(Refusal, match="kind"):
        context(bad)


def test_antibody_needs_a_donor_and_grows_with_time_and_doses(expected: dict[str, dict[str, Any]]) -> None:
    late = {name: shares[LATE][0] for name, shares in expected.items()}
    assert late["no cells"] == late["autologous"] == late["vesicles"] == 0.0
    assert 0.0 < late["HLA edited"] < 0.5 * late["usual"]
    assert late["second course"] > 1.2 * late["usual"]
    assert 0.0 < expected["usual"][MONTH][0] <= late["usual"]


def test_antibody_after_one_allogeneic_dose_lies_within_published_shares(record: dict[str, Any]) -> None:
    low, high = record["antibody"]
    assert (low, high) == (0.05, 0.34)
    for name in ("usual", "adipose", "three doses"):
        assert low <= record["scenarios"][name]["shares"][LATE][0] <= high


def test_fever_and_reactions_agree_with_the_trials_own_rows(record: dict[str, Any]) -> None:
    told = [
        x
        for x in record["lines"]
        if x["expected"] is not None and x["harm"] in ("fever", "infusion_reaction")
    ]
    assert len(told) >= 4
    assert {x["agreement"] for x in told} <= {WITHIN, BELOW}


def test_nothing_is_made_of_thrombosis_or_of_trials_without_events(record: dict[str, Any]) -> None:
    for x in record["lines"]:
        if x["treated"] and (x["events"] == 0 or x["harm"] == "thromboembolism"):
            assert x["label"] == BOUND_ONLY


def test_the_record_is_of_the_model_as_it_is(record: dict[str, Any]) -> None:
    assert record["parameters_sha256"] == read_parameters().hash, AGAIN
    assert record["model_sha256"] == assemble().model_hash, AGAIN


def test_the_page_is_that_of_the_record(root: Path, tool_module: Any) -> None:
    tool = tool_module("harm_page")
    assert tool.PAGE.read_text(encoding="utf-8") == tool.page(json.loads(RECORD.read_text())), AGAIN
