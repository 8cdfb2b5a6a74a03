"""The tables that the model is compared with are summaries, and what the evidence files give."""

import hashlib
import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import pytest

from mesolung.calibration.between_studies import STUDIES, between_study_sd, mortalities
from mesolung.calibration.compare_usual_care import RULES, bounds_of, name_of, residual
from mesolung.calibration.measures import COMPARISONS, MEASURES
from mesolung.calibration.patients import STRATA
from mesolung.calibration.step_targets import read_step_targets
from mesolung.calibration.target_table import TABLES, digest, number, rows_of

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "src" / "mesolung" / "calibration" / "targets"


@pytest.fixture(scope="module")
def tool():
    """The script that makes the tables, with its folder on the path as a script has it."""
    sys.path.insert(0, str(ROOT / "tools"))
    try:
        spec = importlib.util.spec_from_file_location(
            "calibration_targets", ROOT / "tools/calibration_targets.py"
        )
        assert spec and spec.loader
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        yield module
    finally:
        sys.path.remove(str(ROOT / "tools"))


def test_the_tables_are_what_the_evidence_gives(tool):
    if not tool.evidence().is_dir():
        pytest.skip(f"no evidence files at {tool.evidence()}; name their parent in MESOLUNG_SHARED")
    for name, text in tool.all_texts(tool.evidence()).items():
        assert (FOLDER / name).read_text(encoding="utf-8") == text, f"run {tool.__file__}: {name} differs"


def test_the_checksums_are_of_the_tables():
    stored = json.loads((FOLDER / "sources.json").read_text(encoding="utf-8"))
    for name in TABLES:
        assert stored["tables"][name]["sha256"] == digest(name)
        assert stored["tables"][name]["rows"] == len(rows_of(name))
    assert stored["evidence"]["usual-care-acute.csv"]["rows"] == 104
    text = (FOLDER / "usual-care.csv").read_bytes()
    assert hashlib.sha256(text).hexdigest() == digest("usual-care.csv")


def test_no_single_patient_ships():
    for row in rows_of("endotoxin.csv"):
        if row["study"] == "volunteers":
            assert int(row["n"]) == 20
    assert min(int(r["n"]) for r in rows_of("covid-courses.csv")) >= 4
    assert min(int(r["n"]) for r in rows_of("viral.csv")) >= 5
    columns = set().union(*(rows_of(name)[0] for name in TABLES))
    assert "subject" not in columns


def test_nothing_recalled_is_a_target_and_what_is_unused_has_a_reason():
    assert {r["status"] for r in rows_of("usual-care.csv")} == {"seen"}
    assert all(r["reason"] for r in rows_of("usual-care-unused.csv"))
    assert all(r["use"] in ("fit", "check", "context") for name in TABLES[:4] for r in rows_of(name))


def test_pooled_rows_are_context_and_recovery_is_called_fitted():
    for row in rows_of("usual-care.csv"):
        if "pooled" in row["note"]:
            assert row["use"] == "context"
        if row["key"] == "RECOVERY_DEX":
            assert row["use"] == "fit"
    assert {r["use"] for r in rows_of("covid-courses.csv") if r["cohort"] == "yale"} == {"check"}


def test_every_row_of_usual_care_can_be_asked():
    names = [name_of(r) for r in rows_of("usual-care.csv")]
    assert len(set(names)) == len(names)
    between = between_study_sd(mortalities())
    for row in rows_of("usual-care.csv"):
        measure = row["measure"].split(" with ")[0].split(" relative to ")[0]
        assert measure in MEASURES or measure in COMPARISONS, row["measure"]
        assert row["cohort"] in STRATA and row["rule"] in RULES
        low, high = bounds_of(row, between)
        assert low <= number(row["value"]) <= high
        assert residual(row, number(row["value"]), between) == pytest.approx(0.0, abs=1e-9)
        assert abs(residual(row, high, between)) <= 2.5


def test_the_between_study_spread_is_that_of_the_five_studies():
    studies = mortalities()
    assert [s.study for s in studies] == list(STUDIES)
    assert studies[2].share == pytest.approx(0.294 * 0.473 + 0.706 * 0.194, abs=2e-3)
    assert 0.2 < between_study_sd(studies) < 0.3


def test_volunteers_are_inside_their_own_quartiles():
    for row in rows_of("endotoxin.csv"):
        if row["study"] == "volunteers":
            assert number(row["q25"]) <= number(row["median"]) <= number(row["q75"])
        if row["censored"]:
            assert np.isnan(number(row["mean"])), "what is below detection is not a number"


def test_what_led_the_fit_is_called_fit():
    """A published number of the ladder that is also a target may not pass for an independent check."""
    led = [t for t in read_step_targets() if t.step > 1]
    rows = [r for r in rows_of("usual-care.csv") if r["use"] == "check"]
    for row in rows:
        doi = row["source"].rpartition("doi ")[2]
        same = [
            t.name
            for t in led
            if doi in t.source
            and t.output == row["observable"]
            and t.value == pytest.approx(number(row["value"]))
        ]
        assert not same, (name_of(row), same)
