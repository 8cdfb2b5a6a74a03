"""A registered prediction stays as it was, right or wrong, and is scored by what it said then."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.planted import DRAWS

from mesolung.calibration.validation.bias import spread_out
from mesolung.calibration.validation.entry import add_entry, design_sha256, read_register, registered_design
from mesolung.calibration.validation.register import score_register
from mesolung.cli import main
from mesolung.reading import Refusal
from mesolung.study import read_study

ROOT = Path(__file__).resolve().parent.parent
PLAN = ROOT / "tests" / "planted-study.toml"
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
OBSERVED = """
[[observation]]
arm = "dexamethasone"
endpoint = "mortality"
time = "28 d"
events = {treated}
n = 20
[[observation]]
arm = "usual care"
endpoint = "mortality"
time = "28 d"
events = {control}
n = 20
[[observation]]
arm = "dexamethasone"
versus = "usual care"
endpoint = "mortality"
time = "28 d"
contrast = "risk_ratio"
value = 0.8
ci95 = [0.5, 1.28]
[[observation]]
arm = "dexamethasone"
endpoint = "sofa"
time = "7 d"
mean = 5
sd = 3
n = 20
"""


def content(**more: Any) -> dict[str, Any]:
    """A prediction as the register keeps it, from planted draws."""
    risk = 0.3 * np.exp(0.2 * spread_out("control", DRAWS))
    ratio = np.exp(0.1 * spread_out("ratio", DRAWS))

    def arm(share: np.ndarray) -> dict[str, Any]:
        each = [float(v) for v in share]
        spread = [v * (1 - v) for v in each]
        return {"n": 20, "expected": each, "spread": spread, "least": [0.0], "means": each, "medians": each}

    shown = (ratio * np.exp(0.6 * spread_out("trials", DRAWS))).tolist()
    pair = {"measure": "risk_ratio", "expected": ratio.tolist(), "estimates": shown}
    pair |= {"p_values": [1.0] * DRAWS, "shifts": [0.0] * DRAWS}
    arms = {"dexamethasone": {"mortality@28d": arm(risk * ratio)}, "usual care": {"mortality@28d": arm(risk)}}
    return {
        "study": "planted",
        "version": "0.1.0",
        "draws": DRAWS,
        "design_sha256": design_sha256(read_study(PLAN)),
        "distributions": {
            "arms": arms,
            "contrasts": {"dexamethasone vs usual care": {"mortality@28d": pair}},
        },
        **more,
    }


def reported(folder: Path, treated: int, control: int) -> Path:
    file = folder / "planted-study.toml"
    text = PLAN.read_text(encoding="utf-8") + OBSERVED.format(treated=treated, control=control)
    file.write_text(text, encoding="utf-8")
    return file


def test_entries_are_numbered_dated_and_tied_together(tmp_path: Path) -> None:
    first = add_entry(tmp_path, "planted", content(), NOW)
    second = add_entry(tmp_path, "planted", content(), NOW)
    assert first.path.name == f"0001-2026-11-21-planted-{first.sha256[:8]}.json"
    assert second.json["previous"] == first.sha256 and second.number == 2
    assert [entry.sha256 for entry in read_register(tmp_path)] == [first.sha256, second.sha256]
    assert read_register(tmp_path / "none") == []


@pytest.mark.parametrize("change", ["number", "hash", "text"])
def test_a_changed_entry_is_refused_by_name(tmp_path: Path, change: str) -> None:
    entry = add_entry(tmp_path, "planted", content(), NOW)
    text = entry.path.read_text(encoding="utf-8")
    other = {
        "number": text.replace('"draws": 200', '"draws": 201'),
        "hash": text.replace(entry.sha256, "0" * 64),
        "text": text.replace('"study": "planted"', '"study": "better"'),
    }[change]
    assert other != text
    entry.path.write_text(other, encoding="utf-8")
    with pytest.raises(Refusal, match="was changed after it was registered") as told:
        read_register(tmp_path)
    assert entry.path.name in str(told.value)
    with pytest.raises(Refusal):
        add_entry(tmp_path, "planted", content(), NOW)


def test_a_removed_entry_leaves_a_gap(tmp_path: Path) -> None:
    first = add_entry(tmp_path, "planted", content(), NOW)
    add_entry(tmp_path, "planted", content(), NOW)
    first.path.unlink()
    with pytest.raises(Refusal, match="does not follow"):
        read_register(tmp_path)


def test_an_entry_cannot_be_overwritten(tmp_path: Path) -> None:
    add_entry(tmp_path, "planted", content(), NOW)
    (tmp_path / "broken.json").write_text("{}", encoding="utf-8")  # not numbered: no entry
    assert len(read_register(tmp_path)) == 1
    (tmp_path / "0002-x.json").write_text("{", encoding="utf-8")
    with pytest.raises(Refusal, match="cannot be read"):
        read_register(tmp_path)


def test_a_prediction_is_scored_when_its_trial_reports(tmp_path: Path) -> None:
    folder = tmp_path / "register"
    add_entry(folder, "planted", content(), NOW)
    waiting = score_register(folder, None)
    assert not waiting[0].lines
    outcome = score_register(folder, reported(tmp_path, 5, 6))[0]
    assert [line.one.form for line in outcome.lines] == ["events", "events", "contrast"]
    assert not any(line.failed for line in outcome.lines)
    assert len(outcome.not_predicted) == 1 and "sofa@7d" in outcome.not_predicted[0]


def test_a_wrong_call_is_told_and_stays(tmp_path: Path) -> None:
    folder = tmp_path / "register"
    entry = add_entry(folder, "planted", content(), NOW)
    before = entry.path.read_bytes()
    outcome = score_register(folder, reported(tmp_path, 18, 6))[0]
    assert outcome.record()["failed"] == 1
    assert entry.path.read_bytes() == before


def test_another_plan_scores_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "register"
    add_entry(folder, "planted", content(design_sha256="0" * 64), NOW)
    assert not score_register(folder, reported(tmp_path, 5, 6))[0].lines


def test_a_plan_is_the_same_before_and_after_it_reports(tmp_path: Path) -> None:
    assert design_sha256(read_study(PLAN)) == design_sha256(read_study(reported(tmp_path, 5, 6)))


def test_the_command_prints_json_and_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "register"
    add_entry(folder, "planted", content(), NOW)
    file = reported(tmp_path, 18, 6)
    for extra in (["--json"], []):
        with pytest.raises(SystemExit) as left:
            main(["register", "--score", str(file), "--folder", str(folder), *extra])
        assert left.value.code == 0
        out = capsys.readouterr().out
        if extra:
            assert json.loads(out)["entries"][0]["failed"] == 1
        else:
            assert "1 of them wrong somewhere" in out


@pytest.mark.parametrize(
    ("arguments", "said"), [(["register"], "which study"), (["register", "--score"], "no prediction")]
)
def test_wrong_calls_of_the_command_are_refused(
    arguments: list[str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as left:
        main(arguments)
    assert left.value.code == 2 and said in capsys.readouterr().err


def test_the_first_entry_of_the_project_is_as_it_was_registered(tmp_path: Path) -> None:
    """The planted study of the tests: committed, intact, and scored by what it said then."""
    entries = read_register(ROOT / "register")
    assert entries and registered_design(entries[0]) == design_sha256(read_study(PLAN))
    assert {"arms", "contrasts", "effect", "version", "posterior"} <= entries[0].json.keys()
    shutil.copytree(ROOT / "register", tmp_path / "register")
    outcome = score_register(tmp_path / "register", reported(tmp_path, 3, 5))[0]
    assert len(outcome.lines) == 3
