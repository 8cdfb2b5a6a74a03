"""From a folder to the page with the model itself: a small library, few draws."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mesolung.calibration.validation import folder
from mesolung.cli import main
from mesolung.population import library
from mesolung.study import read_study, run
from mesolung.study.run import run_study

DRAWS = 6
STUDY = """schema = 1
name = "small"
disease = "covid19-ards"
duration = "14 d"
randomised = true
[population]
size = 40
[population.baseline]
pf_ratio = { max = 300, unit = "mmHg" }
[[arm]]
name = "dexamethasone"
size = 20
[arm.background]
dexamethasone = { share = 1.0, dose = "6 mg", duration = "10 d" }
[[arm]]
name = "usual care"
size = 20
control = true
[[observation]]
arm = "dexamethasone"
endpoint = "mortality"
time = "14 d"
events = 3
n = 20
[[observation]]
arm = "usual care"
endpoint = "mortality"
time = "14 d"
events = 5
n = 20
[[observation]]
arm = "usual care"
endpoint = "pf_ratio"
time = "7 d"
mean = 200
sd = 60
n = 15
[[observation]]
arm = "dexamethasone"
versus = "usual care"
endpoint = "il6"
time = "3 d"
direction = "lower"
"""


@pytest.fixture(scope="module", autouse=True)
def small_library():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(library, "COURSES_PER_DRAW", 200)
        patch.setattr(run, "DRAWS_AT_LEAST", DRAWS)
        patch.setattr(folder, "DRAWS", DRAWS)
        yield


def test_a_folder_becomes_a_page_whose_scores_are_those_of_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    studies, out = tmp_path / "studies", tmp_path / "out"
    studies.mkdir()
    file = studies / "small.toml"
    file.write_text(STUDY, encoding="utf-8")
    with pytest.raises(SystemExit) as left:
        main(["validate", str(studies), "--bias", "none", "--out", str(out), "--json"])
    assert left.value.code == 0
    found = json.loads(capsys.readouterr().out)
    assert {p.name for p in out.iterdir()} == {"validation.html", "validation.json", "manifest.json"}
    own = {line["index"]: line for line in found["observations"]}
    assert own.keys() == {0, 1, 2, 3}
    reference = run_study(read_study(file), replicates=DRAWS, draws=DRAWS).json
    for line in reference["observations"]:
        assert own[line["index"]]["log_score"] == pytest.approx(line["log_score"], rel=1e-9)
    joint = {one["endpoint"]: one for one in reference["joint"]}
    for one in found["joint"]:
        assert one["log_score"] == pytest.approx(joint[one["endpoint"]]["log_score"], rel=1e-9)
    assert found["headline"].startswith("Effect of dexamethasone: not distinguishable")
    with pytest.raises(SystemExit):
        main(["validate", str(studies), "--bias", "small_study", "--out", str(tmp_path / "again"), "--json"])
    capsys.readouterr()
    manifest = json.loads((tmp_path / "again" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["seconds_by_study"] == {}
