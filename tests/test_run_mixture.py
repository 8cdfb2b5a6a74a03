"""A trial in a mixture of diseases: shares, phenotypes over time, and the same seed gives the same answer."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tests.study_text import cells_arm, control_arm

from mesolung.population import library
from mesolung.reading import Refusal
from mesolung.report import write_report
from mesolung.study import read_study, run
from mesolung.study.result import Result, json_text
from mesolung.study.run import run_study

REPLICATES = 6
STUDY = """schema = 1
name = "a mixture"
disease = {disease}
duration = "14 d"
randomised = true
blinded = true

[population]
onset_to_enrolment = {{ median = 2, iqr = [1, 4], max = 8, unit = "d" }}
[population.baseline]
age = {{ mean = 60, sd = 13, unit = "year" }}
pf_ratio = {{ mean = 170, sd = 55, unit = "mmHg", max = 300 }}
[population.correlation]
"age, sofa" = 0.2
[population.phenotype]
hyperinflammatory = 0.3
[population.background]
methylprednisolone = {{ share = 0.4, dose = "1 mg/kg", duration = "3 d" }}
tocilizumab = 0.3
heparin = 1.0

{arms}
[[endpoint]]
name = "mortality"
time = "14 d"
"""
CONTROL = control_arm("control", 20)
CELLS = cells_arm(size=20, dose="1e6 cells/kg PBW")
MIXTURE = "{ ards = 0.7, covid19-ards = 0.3 }"


@pytest.fixture(scope="module")
def small():
    """A library of a few draws: what is tested holds for any size."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(library, "COURSES_PER_DRAW", 240)
        patch.setattr(run, "DRAWS_AT_LEAST", REPLICATES)
        yield


def ran(folder: Path, disease: str, arms: str, workers: int = 2, chunk: int = 1024) -> Result:
    file = folder / "study.toml"
    file.write_text(STUDY.format(disease=disease, arms=arms), encoding="utf-8")
    return run_study(read_study(file), replicates=REPLICATES, workers=workers, chunk=chunk)


@pytest.fixture(scope="module")
def reference(small, tmp_path_factory) -> Result:
    return ran(tmp_path_factory.mktemp("mixture"), MIXTURE, CELLS + CONTROL)


def test_the_manifest_names_the_mixture_and_who_was_enrolled(reference):
    manifest = reference.manifest
    assert manifest["diseases"] == {"ards": 0.7, "covid19-ards": 0.3}
    for arm in ("cells", "control"):
        told = manifest["population"][arm]
        lines = {line["name"]: line for line in told["baseline"]}
        assert lines["disease ards"]["achieved"]["mean"] == pytest.approx(0.7, abs=0.02)
        assert lines["hyperinflammatory"]["achieved"]["mean"] == pytest.approx(0.3, abs=0.03)
        # What chance made of it in so many subjects.
        assert told["diseases"]["ards"] == pytest.approx(0.7, abs=0.15)
        assert sum(told["diseases"].values()) == pytest.approx(1.0)
        assert told["correlation"][0]["achieved"] == pytest.approx(0.2, abs=0.1)
        assert told["smallest_effective_size_of_a_draw"] >= 50.0


def test_a_phenotype_is_left_and_entered_as_time_goes_on(reference):
    shares = reference.manifest["population"]["control"]["phenotypes"]["hyperinflammatory"]
    assert set(shares) == {"0 d", "3 d", "7 d"}
    assert shares["0 d"] == pytest.approx(0.3, abs=0.12)
    assert all(0.0 <= share <= 1.0 for share in shares.values())
    assert len(set(shares.values())) > 1


def test_the_report_shows_mixture_correlations_and_phenotypes(reference, tmp_path):
    write_report(reference, tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    for words in (
        "Diseases of the subjects",
        "Rank correlations at enrolment",
        "Phenotypes among those alive",
    ):
        assert words in page


def test_subjects_carry_their_disease_and_predicted_weight(reference):
    subjects = reference.subjects
    assert set(subjects["disease"]) == {"ards", "covid19-ards"}
    expected = 50.0 - 4.5 * subjects["female"] + 0.91 * (subjects["height"] - 152.4)
    assert np.allclose(subjects["pbw"], expected)
    assert "physiology" not in subjects.columns


def test_workers_chunks_and_the_order_of_arms_and_diseases_change_no_digit(small, reference, tmp_path):
    other = ran(tmp_path, "{ covid19-ards = 0.3, ards = 0.7 }", CONTROL + CELLS, workers=1, chunk=37)
    assert json_text(other.json) == json_text(reference.json)


def test_one_more_arm_leaves_everybody_with_the_disease_they_had(small, reference, tmp_path):
    third = CONTROL.replace("control = true\n", "").replace('"control"', '"third"').replace("20", "10")
    more = ran(tmp_path, MIXTURE, CELLS + CONTROL + third + "[arm.background]\ndexamethasone = 1.0\n")
    first, found = (json.loads(json_text(r.json))["arms"] for r in (reference, more))
    assert found["control"]["mortality@14d"]["expected"] == first["control"]["mortality@14d"]["expected"]
    both = reference.subjects.merge(more.subjects, on=["replicate", "subject"])
    assert len(both) > 100 and (both["disease_x"] == both["disease_y"]).all()
    assert (both["age_x"] == both["age_y"]).all()


def test_a_phenotype_that_nobody_like_that_has_is_refused(small, tmp_path):
    text = STUDY.format(disease='"covid19-ards"', arms=CONTROL)
    text = text.replace("hyperinflammatory = 0.3", "hyperinflammatory = 0.97")
    text = text.replace("max = 300 }", "max = 300 }\nsofa = { mean = 1.5, sd = 0.6, max = 3 }")
    file = tmp_path / "study.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(Refusal, match="table 1 cannot be met"):
        run_study(read_study(file), replicates=REPLICATES, workers=2)
