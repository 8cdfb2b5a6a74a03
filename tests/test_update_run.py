"""From private study files to a posterior that a run takes, with the model itself: few draws."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from mesolung.calibration import importance
from mesolung.calibration.updating import update as updating
from mesolung.calibration.validation import folder
from mesolung.cli import main
from mesolung.population import library
from mesolung.population.posterior import posterior_in
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
        patch.setattr(importance, "LEAST_DRAWS", 2)
        patch.setattr(importance, "RELIABLE", np.inf)
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
