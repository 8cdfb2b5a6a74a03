"""The stored comparison with published data is of the bundled model and tables, and repeats."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from mesolung.biology import assemble
from mesolung.biology.parameters import read_parameters
from mesolung.calibration import checks, compare_endotoxin
from mesolung.calibration.check_record import RECORD
from mesolung.calibration.target_table import TABLES, digest, rows_of
from mesolung.calibration.verdict import ABSENT, MET, MISSED, verdict_of
from mesolung.engine import compile_model

ROOT = Path(__file__).resolve().parent.parent
AGAIN = "run `python -m mesolung.calibration.checks --write`, then tools/calibration_figures.py and _page.py"
SHORT = 6


@pytest.fixture(scope="module")
def stored():
    return json.loads(RECORD.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def model():
    return compile_model(assemble().sbml)


def test_the_record_is_of_the_bundled_tables(stored):
    assert stored["parameters_sha256"] == read_parameters().hash, AGAIN
    assert stored["targets_sha256"] == {name: digest(name) for name in TABLES}, AGAIN


def test_the_record_holds_every_target_and_its_counts(stored):
    targets = stored["targets"]
    usual = [t for t in targets if t["family"] == "usual care"]
    assert len(usual) == len(rows_of("usual-care.csv"))
    counted = [t["verdict"] for t in targets if t["use"] != "context"]
    assert stored["counts"]["all"] == {v: counted.count(v) for v in (MET, MISSED, ABSENT)}
    names = [(t["family"], t["name"]) for t in targets]
    assert len(set(names)) == len(names)


def test_verdicts_follow_from_the_numbers(stored):
    for t in stored["targets"]:
        if t["verdict"] == ABSENT or t["detail"].get("kind") in ("direction", "order"):
            continue
        model, low, high = (np.nan if t[c] is None else t[c] for c in ("model", "low", "high"))
        low = -np.inf if np.isnan(low) else low
        # Four digits are kept: a value that lies on its bound may be told either way.
        on_bound = any(np.isclose(model, b, rtol=2e-4) for b in (low, high))
        assert on_bound or t["verdict"] == verdict_of(float(model), float(low), float(high)), t["name"]


def test_a_short_run_gives_the_endotoxin_courses_again(stored, model):
    found = checks.all_findings(model, checks.draws_of(SHORT), 24, families=(compare_endotoxin.FAMILY,))
    kept = {t["name"]: t for t in stored["targets"] if t["family"] == compare_endotoxin.FAMILY}
    assert {f.name for f in found} == set(kept)
    for finding in found:
        if finding.name.endswith("median course"):
            again = np.log(finding.detail["model"])
            before = np.log(kept[finding.name]["detail"]["model"])
            # Six draws know the median to a fifth or so.
            assert np.abs(again - before).max() < 0.45, finding.name


def test_a_model_without_endotoxin_says_so():
    found = compare_endotoxin.findings({})
    assert found and {f.verdict for f in found} == {ABSENT}


def test_the_page_and_the_figures_are_those_of_the_record(stored, monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    figures, page = (__import__(name) for name in ("calibration_figures", "calibration_page"))
    text = (ROOT / "docs" / "calibration.md").read_text(encoding="utf-8")
    assert page.page_with(text, page.results(stored)) == text, AGAIN
    for name, draw in figures.FIGURES.items():
        assert (ROOT / "docs" / "images" / name).read_text(encoding="utf-8") == draw(stored), AGAIN
    for name in ("calibration_figures", "calibration_page", "svg_panels"):
        sys.modules.pop(name, None)


def test_a_figure_names_its_units(stored, monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    figures = __import__("calibration_figures")
    drawn = figures.endotoxin(stored)
    assert "pg/mL" in drawn and "hours" in drawn and drawn.startswith("<svg")
    sys.modules.pop("calibration_figures", None)


def test_one_line_says_all(model):
    finding = compare_endotoxin.findings({})[0]
    line = checks.line_of(finding)
    assert line.startswith("endotoxin: tnf median course: published 1") and line.endswith(ABSENT)


@pytest.mark.parametrize("wrong", [("--draws", "0"), ("--courses", "many"), ("--workers", "-1")])
def test_an_option_that_cannot_be_is_refused(wrong, capsys):
    with pytest.raises(SystemExit) as left:
        checks.main(list(wrong))
    assert left.value.code == 2
    assert f"found {wrong[1]}, allowed: a whole number from 1 on" in capsys.readouterr().err


def test_a_word_that_no_target_holds_is_refused(monkeypatch, capsys, stored):
    monkeypatch.setattr(checks, "compile_model", lambda sbml: None)
    monkeypatch.setattr(checks, "all_findings", lambda *args, **options: [])
    with pytest.raises(SystemExit) as left:
        checks.main(["--only", "sputum volume", "--draws", "1"])
    assert left.value.code == 2 and "(found sputum volume)" in capsys.readouterr().err
