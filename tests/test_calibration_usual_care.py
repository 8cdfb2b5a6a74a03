"""Usual care is where it was published to be, before any cells; the record of the fit is of this table."""

import json

import numpy as np
import pytest

from mesolung.biology.parameters import read_parameters
from mesolung.calibration.usual_care import (
    FITTED,
    NO_OXYGEN,
    RECORD,
    STRATA,
    VENTILATED,
    evaluate,
    with_values,
    within_targets,
)

# Monte Carlo error of a mean over so few draws, and of a ratio of two.
SHORT, SLACK = 40, 0.05


@pytest.fixture(scope="module")
def stored():
    return json.loads(RECORD.read_text(encoding="utf-8"))


def test_the_record_is_of_the_bundled_table(stored):
    assert stored["parameters_sha256"] == read_parameters().hash, (
        "run the calibration again: the table has changed"
    )
    assert stored["fitted"] == {i: read_parameters()[i].value for i in FITTED}


def test_the_record_meets_its_targets(stored):
    ventilated = stored["strata"][VENTILATED.study]["model"]
    mild = stored["strata"][NO_OXYGEN.study]["model"]
    assert abs(ventilated["control"] - 0.414) <= 0.04
    assert 0.51 <= ventilated["risk_ratio"] <= 0.81
    assert 0.92 <= mild["risk_ratio"] <= 1.55
    assert mild["high"] > 1.0, "harm without oxygen need can be reached"


def test_a_short_run_gives_the_same(stored):
    found = evaluate(None, STRATA, SHORT, workers=2)
    assert within_targets(found, SLACK)
    for stratum in STRATA:
        kept = stored["strata"][stratum.study]["model"]
        assert found[stratum.study].control == pytest.approx(kept["control"], abs=SLACK)
        assert np.log(found[stratum.study].risk_ratio / kept["risk_ratio"]) == pytest.approx(0.0, abs=0.15)


def test_changed_values_keep_their_draws():
    table = read_parameters()
    changed = with_values(table, {"hazard_scale": 1.0})
    assert changed["hazard_scale"].value == 1.0 and changed.hash == table.hash
    assert changed["dex_shock"] == table["dex_shock"]
