"""A run answers what the study asks, on people like its table 1, and says what it could not do."""

import json
from pathlib import Path

import jsonschema
import numpy as np
import pytest

from mesolung.reading import Refusal
from mesolung.study import read_study, run
from mesolung.study.result import TABLES, Result, json_text, write_run_folder
from mesolung.study.run import run_study
from mesolung.study.schema import result_schema

REPLICATES = 30

PLAN = """
schema = 1
name = "plan"
disease = "{disease}"
duration = "14 d"
[population]
size = 20
{population}
[[arm]]
name = "cells"
ratio = 1
[[arm.treatment]]
product = {{ source = "bone marrow", passage = 3, viability = 0.9 }}
dose = "{dose}"
route = "intravenous"
times = ["0 d"]
[[arm]]
name = "none"
ratio = 1
control = true
[[endpoint]]
name = "mortality"
time = "14 d"
[[endpoint]]
name = "pf_ratio"
time = "7 d"
as = "change"
[[endpoint]]
name = "viable_cells_lung"
time = "1 d"
"""


@pytest.fixture(scope="module", autouse=True)
def no_more_draws_than_replicates():
    """A library of the draws that are looked at and no others."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "DRAWS_AT_LEAST", REPLICATES)
        yield


def plan(folder: Path, *, disease: str = "ards", population: str = "", dose: str = "1e6 cells/kg") -> Path:
    file = folder / "plan.toml"
    file.write_text(PLAN.format(disease=disease, population=population, dose=dose), encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def result(root: Path) -> Result:
    return run_study(read_study(root / "examples" / "lanzoni-2021.toml"), replicates=REPLICATES, workers=2)


def test_the_json_is_as_its_schema_says(result):
    jsonschema.validate(json.loads(json_text(result.json)), result_schema())


def test_arms_and_observations_are_those_of_the_study(result):
    found = result.json
    assert set(found["arms"]) == {"UC-MSC", "vehicle"}
    assert [o["observed"] for o in found["observations"]] == [1, 7]
    assert all(np.isfinite(o["log_score"]) for o in found["observations"])
    assert set(found["contrasts"]) == set(found["effect"]) == {"UC-MSC vs vehicle"}


def test_the_enrolled_are_like_table_one_and_the_report_says_how_like(result):
    for arm in result.manifest["population"].values():
        assert arm["effective_size"] >= 50
        assert {line["name"] for line in arm["baseline"]} == {"age", "pf_ratio"}
        assert all(line["miss_sd"] <= 0.15 for line in arm["baseline"])
    start = result.bands[(result.bands.output == "pf_ratio") & (result.bands.time_h == 0)].set_index("arm")
    assert start.loc["vehicle", "p50"] == pytest.approx(108.5, rel=0.2)
    assert start.loc["UC-MSC", "p95"] <= 300.5


def test_the_effective_dose_falls_from_stage_to_stage(result):
    table = result.waterfall.set_index("stage")
    stages = ["counted", "viable", "delivered alive", "retained in lung", "licensed"]
    medians = table.loc[stages, "p50"].to_numpy()
    assert medians[0] == pytest.approx(200e6)
    assert np.all(np.diff(medians) < 0) and medians[-1] >= 0


def test_assumed_inputs_are_listed_with_value_and_reason(result):
    lines = result.manifest["assumed_inputs"]
    assert [line["name"] for line in lines] == result.json["assumed_inputs"]
    assert {"weight", "product.passage", "product.viability"} <= set(result.json["assumed_inputs"])
    assert all(line["why"] for line in lines)


def test_the_run_folder_holds_json_manifest_and_tables(result, tmp_path):
    write_run_folder(result, tmp_path)
    assert json.loads((tmp_path / "result.json").read_text(encoding="utf-8")) == json.loads(
        json_text(result.json)
    )
    import duckdb

    with duckdb.connect() as connection:
        for name in TABLES:
            stored = connection.execute(f"select count(*) from '{tmp_path / name}.parquet'").fetchone()
            assert stored == (len(getattr(result, name)),)


@pytest.mark.parametrize("disease", ["ards", "covid19-ards", "healthy"])
def test_every_disease_runs_without_a_table_one(tmp_path, disease):
    found = run_study(read_study(plan(tmp_path, disease=disease)), replicates=5, workers=2)
    arms = found.json["arms"]
    assert found.json["failed_subjects"] == 0
    assert arms["none"]["viable_cells_lung@1d"]["mean"] == 0
    assert arms["cells"]["viable_cells_lung@1d"]["mean"] > 1e6
    if disease == "healthy":
        assert arms["none"]["mortality@14d"]["expected"]["p95"] == pytest.approx(0.0, abs=1e-9)
        assert arms["none"]["pf_ratio@7d:change"]["mean"] == pytest.approx(0.0, abs=1e-6)


def test_a_dose_per_kilogram_follows_the_weight(tmp_path):
    heavy = '[population.baseline]\nweight = { mean = 110, sd = 15, unit = "kg" }'
    study = read_study(plan(tmp_path, population=heavy, dose="2e6 cells/kg"))
    table = run_study(study, replicates=10, workers=2).waterfall.set_index("stage")
    assert table.loc["counted", "p50"] == pytest.approx(220e6, rel=0.1)


def test_the_sites_own_risk_conditions_every_draw(tmp_path):
    study = read_study(plan(tmp_path, population="expected_mortality = 0.30"))
    control = run_study(study, replicates=8, workers=2).json["arms"]["none"]["mortality@14d"]["expected"]
    assert [control[q] for q in ("p05", "p50", "p95")] == pytest.approx([0.3, 0.3, 0.3], abs=1e-6)


def test_a_table_one_that_nobody_fits_is_refused_with_its_line(tmp_path):
    nobody = '[population.baseline]\nage = { mean = 22, sd = 1, unit = "year" }\nsofa = { mean = 20, sd = 1 }'
    file = plan(tmp_path, population=nobody)
    with pytest.raises(Refusal) as refused:
        run_study(read_study(file), replicates=5, workers=2)
    line = file.read_text(encoding="utf-8").splitlines().index("[population.baseline]") + 1
    assert str(refused.value).startswith(f"{file}:{line}: table 1 cannot be met")


def test_the_published_warnings_are_told(tmp_path):
    found = run_study(read_study(plan(tmp_path)), replicates=5, workers=2).json["warnings"]
    assert any(w.startswith("not blinded") for w in found) and any(
        w.startswith("not randomised") for w in found
    )


def enrolled(folder: Path, population: str, disease: str = "covid19-ards"):
    study = read_study(plan(folder, disease=disease, population=population))
    return run_study(study, replicates=20, workers=2)


def test_those_who_are_enrolled_are_themselves_like_table_one(tmp_path):
    """Of the subjects, not of the weights: each replicate's, from its own draw."""
    lines = (
        '[population.baseline]\nage = { mean = 55, sd = 12, unit = "year" }\nfemale = 0.5\n'
        'pf_ratio = { median = 140, iqr = [105, 190], unit = "mmHg", max = 300 }'
    )
    found = enrolled(tmp_path, lines)
    people = found.subjects
    assert people["age"].mean() == pytest.approx(55, abs=2.0)
    assert people["age"].std() == pytest.approx(12, rel=0.2)
    assert people["female"].mean() == pytest.approx(0.5, abs=0.08)
    start = found.bands[(found.bands.output == "pf_ratio") & (found.bands.time_h == 0)]
    assert start["p50"].to_numpy() == pytest.approx(140, rel=0.12)
    assert (start["p25"].to_numpy() == pytest.approx(105, rel=0.15)) and start["p95"].max() <= 300.5


def test_a_bound_on_a_trait_is_kept(tmp_path):
    people = enrolled(tmp_path, '[population.baseline]\nage = { min = 70, unit = "year" }').subjects
    assert people["age"].min() >= 70


def test_one_bound_leaves_the_diseases_other_one(tmp_path):
    found = enrolled(tmp_path, '[population.baseline]\npf_ratio = { min = 80, unit = "mmHg" }', "ards")
    start = found.traces[found.traces.time_h == 0]["pf_ratio"]
    assert start.min() >= 79.9 and start.max() <= 300.1


def test_covid_is_a_course_not_a_criterion(tmp_path):
    found = enrolled(tmp_path, "")
    start = found.bands[(found.bands.output == "pf_ratio") & (found.bands.time_h == 0)]
    assert start["p95"].max() > 320, "also those who need no oxygen"


def test_a_mean_and_spread_of_a_skewed_marker_can_be_met(tmp_path):
    lines = '[population.baseline]\nil6 = { mean = 60, sd = 70, unit = "pg/mL" }'
    found = enrolled(tmp_path, lines).manifest["population"]["cells"]["baseline"]
    assert found[0]["requested"]["mean"] == pytest.approx(60, rel=0.1) and found[0]["miss_sd"] <= 0.1


def test_a_mean_alone_takes_its_spread_from_the_candidates(tmp_path):
    lines = '[population.baseline]\npf_ratio = { mean = 150, unit = "mmHg", max = 300 }'
    found = enrolled(tmp_path, lines).manifest["population"]["cells"]["baseline"][0]
    assert found["requested"]["mean"] == pytest.approx(150, rel=0.1)
    assert 20 < found["requested"]["sd"] < 90


def test_every_draw_that_is_used_is_worth_fifty_subjects(result):
    assert all(p["smallest_effective_size_of_a_draw"] >= 50 for p in result.manifest["population"].values())
