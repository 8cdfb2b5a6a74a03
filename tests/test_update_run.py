"""From private study files to a posterior that a run takes, with the model itself: few draws."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from pathlib import Path

import pytest

from mesolung.calibration import importance
from mesolung.calibration.updating import update as updating
from mesolung.calibration.validation import folder
from mesolung.cli import main
from mesolung.population import library
from mesolung.population.own_posterior import posterior_in
from mesolung.study import run

DRAWS = 8
STUDY = """schema = 1
name = "private"
disease = "covid19-ards"
duration = "7 d"
randomised = true
blinded = true
[population]
size = 20
[population.baseline]
pf_ratio = { max = 300, unit = "mmHg" }
[[arm]]
name = "cells"
size = 10
[[arm.treatment]]
product = { source = "umbilical cord" }
dose = "1e6 cells/kg"
route = "intravenous"
times = ["0 d"]
[[arm]]
name = "usual care"
size = 10
control = true
[[endpoint]]
name = "pf_ratio"
time = "7 d"
[[observation]]
arm = "cells"
endpoint = "pf_ratio"
time = "7 d"
mean = 190
sd = 80
n = 5
"""


@pytest.fixture(scope="module", autouse=True)
def small_library():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(library, "COURSES_PER_DRAW", 200)
        patch.setattr(run, "DRAWS_AT_LEAST", DRAWS)
        patch.setattr(updating, "DRAWS_AT_LEAST", DRAWS)
        # The shape of a tail needs more draws than a test can wait for.
        patch.setattr(importance.Weights, "reliable", True)
        yield


def test_a_private_study_becomes_a_posterior_that_a_run_takes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    studies = tmp_path / "studies"
    studies.mkdir()
    file = studies / "private.toml"
    file.write_text(STUDY, encoding="utf-8")
    made = []
    for workers in (1, 2):
        monkeypatch.setattr(folder, "kept", lambda path: None)
        out = tmp_path / f"out-{workers}"
        with pytest.raises(SystemExit) as left:
            main(
                [
                    *("update", "--with", str(studies), "--borrow", "0", "--workers", str(workers)),
                    *("--out", str(out), "--json"),
                ]
            )
        assert left.value.code == 0
        record = json.loads(capsys.readouterr().out)
        assert {p.name for p in out.iterdir()} == {"posterior.json", "draws.csv", "update.json", "update.md"}
        found = posterior_in(out)
        assert found is not None and found.id == record["posterior"] and found.count == DRAWS
        assert record["trials"]["private"]["observations"] == 1
        assert list(record["inputs"]) == ["private.toml"]
        made.append(record)
    # The same on any number of workers, whatever was kept.
    assert made[0] == made[1]
    with pytest.raises(SystemExit) as left:
        main(
            [
                *("run", str(file), "--posterior", str(tmp_path / "out-1"), "--replicates", str(DRAWS)),
                *("--out", str(tmp_path / "run"), "--json"),
            ]
        )
    assert left.value.code == 0
    assert json.loads(capsys.readouterr().out)["posterior"] == made[0]["posterior"]


PAGE = (Path(__file__).resolve().parent.parent / "docs" / "update.md").read_text(encoding="utf-8")


def test_the_page_s_example_works_as_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(Path(__file__).resolve().parent.parent / "examples", tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    (block,) = re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    for line in block.splitlines():
        words = shlex.split(re.sub(r"(--draws|--replicates) \d+", rf"\1 {DRAWS}", line))
        with pytest.raises(SystemExit) as left:
            main(words[1:])
        assert left.value.code == 0
    record = (tmp_path / "updated" / "update.md").read_text(encoding="utf-8")
    for said in (
        "cord-pilot.toml",
        "UC-24-017.toml",
        "experts.csv",
        "k_release",
        "The laboratory's own lots",
    ):
        assert said in record


def test_trials_are_left_out_from_a_folder_to_a_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    studies, out = tmp_path / "studies", tmp_path / "out"
    studies.mkdir()
    for k, share in enumerate((3, 5)):
        text = STUDY.replace('name = "private"', f'name = "trial {k}"').replace(
            "mean = 190", f"mean = {160 + 20 * k}"
        )
        for arm, events in (("cells", share), ("usual care", 4)):
            text += (
                f'[[observation]]\narm = "{arm}"\nendpoint = "mortality"\ntime = "7 d"\n'
                f"events = {events}\nn = 10\n"
            )
        (studies / f"t{k}.toml").write_text(text, encoding="utf-8")
    with pytest.raises(SystemExit) as left:
        main(
            [
                *(
                    "validate",
                    str(studies),
                    "--leave-one-out",
                    "--draws",
                    str(DRAWS),
                    "--draws-from",
                    "prior",
                ),
                *("--out", str(out), "--json"),
            ]
        )
    assert left.value.code == 0
    found = json.loads(capsys.readouterr().out)["leave_one_out"]
    assert {one["trial"] for one in found["trials"]} == {"trial 0", "trial 1"}
    assert {one["by"] for one in found["trials"]} == {"weights"}
    assert "Left out in turn" in (out / "validation.html").read_text(encoding="utf-8")
    command = json.loads((out / "manifest.json").read_text(encoding="utf-8"))["command"]
    assert command.endswith("--leave-one-out")
