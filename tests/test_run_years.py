"""A run of a trial that lasts for years, on a small library: what it answers, and what changes no number."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mesolung.population import library
from mesolung.study import read_study, run
from mesolung.study.result import Result
from mesolung.study.run import run_study

REPLICATES = 3
STUDY = """
schema = 1
name = "years"
disease = "ipf"
duration = "52 week"
randomised = true
[population]
size = 40
[[arm]]
name = "MSC"
ratio = 1
[[arm.treatment]]
product = {{ source = "bone marrow" }}
dose = "50e6 cells"
route = "endobronchial"
times = {{ start = "0 d", every = "30 d", count = 3 }}
[[arm]]
name = "nintedanib"
ratio = 1
[[arm.treatment]]
product = {{ type = "drug", name = "nintedanib" }}
dose = "150 mg"
route = "oral"
times = "unknown"
[[arm]]
name = "placebo"
ratio = 2
control = true
{more}
"""
ASKED = (
    "fvc_slope",
    "fvc_decline_10_or_death",
    "progression_free_survival",
    "exacerbation_rate",
    "mortality",
)


def asked(*names: str) -> str:
    return "".join(f'[[endpoint]]\nname = "{name}"\ntime = "52 week"\n' for name in names)


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory):
    """Run the study with some endpoints."""
    folder: Path = tmp_path_factory.mktemp("study")

    def made(*names: str, drop: str = "") -> Result:
        path = folder / "study.toml"
        text = STUDY.format(more=asked(*names))
        path.write_text(text.replace("size = 40\n", f"size = 40\n{drop}\n"), encoding="utf-8")
        return run_study(read_study(path), replicates=REPLICATES, seed=5)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(library, "COURSES_PER_DRAW", 120)
        patch.setattr(run, "DRAWS_AT_LEAST", REPLICATES)
        yield made


@pytest.fixture(scope="module")
def whole(answered) -> Result:
    return answered(*ASKED)


def test_every_endpoint_is_answered_in_every_arm(whole: Result) -> None:
    for arm, found in whole.json["arms"].items():
        assert len(found) == len(ASKED), arm
        for key, answer in found.items():
            assert np.isfinite(answer["mean"]) and np.isfinite(answer["expected"]["p50"]), (arm, key)
    measures = {k: v["measure"] for k, v in whole.json["contrasts"]["MSC vs placebo"].items()}
    assert measures["exacerbation_rate@364d"] == "ratio"
    assert measures["progression_free_survival@364d"] == "hazard_ratio"


def test_an_endpoint_more_changes_no_other_number(answered, whole: Result) -> None:
    few: dict[str, Any] = answered("fvc_slope", "mortality").json
    for arm, found in few["arms"].items():
        for key, answer in found.items():
            assert answer == whole.json["arms"][arm][key]


def test_who_leaves_is_missing_and_changes_no_expectation(answered, whole: Result) -> None:
    stay: dict[str, Any] = answered(*ASKED, drop='dropout = "none"').json
    for arm, found in stay["arms"].items():
        for key in ("fvc_slope@364d", "mortality@364d", "exacerbation_rate@364d"):
            assert found[key]["expected"] == whole.json["arms"][arm][key]["expected"]
    informative: dict[str, Any] = answered(*ASKED, drop='dropout = "informative"').json
    mortality = [one["arms"]["placebo"]["mortality@364d"] for one in (stay, whole.json, informative)]
    assert mortality[0] == mortality[1] == mortality[2], "deaths are known of those who left"


def test_nintedanib_slows_the_loss(whole: Result) -> None:
    effect = whole.json["effect"]["nintedanib vs placebo"]["fvc_slope@364d"]
    assert effect["p50"] > 0.0


def test_years_before_enrolment_are_known(whole: Result) -> None:
    subjects = whole.subjects
    assert {"age", "pack_years", "exacerbations_12_months"} <= set(subjects.columns)
    assert subjects["age"].between(40, 110).all()
