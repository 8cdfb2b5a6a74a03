"""Cases of the SBML Test Suite come out right or the model is refused by name; there is no wrong number."""

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

# Every eighth case keeps the test quick; the suite is sorted by number, so that all kinds are met.
STRIDE = 8


@pytest.fixture(scope="module")
def command(root: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("sbml_suite", root / "benchmarks" / "sbml_suite.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def suite(shared: Path) -> Path:
    folder = shared / "sbml-test-suite"
    if not folder.is_dir():
        pytest.skip(f"no folder {folder}")
    return folder


def test_no_case_has_a_wrong_number_and_none_that_passed_is_lost(command: ModuleType, suite: Path) -> None:
    cases = command.cases_in(suite)
    record = json.loads(command.RECORD.read_text(encoding="utf-8"))
    assert record["hash"] == command.case_hash(cases), (
        "other cases than those of the record: run with --write"
    )
    outcomes = list(command.run_suite(cases[::STRIDE]))
    assert [str(o) for o in outcomes if o.outcome == command.FAILED] == []
    lost = [str(o) for o in outcomes if o.outcome != command.PASSED and o.case not in record["not_passed"]]
    assert lost == []
    # What is served now is to be recorded, so that it cannot be lost again.
    gained = [o.case for o in outcomes if o.outcome == command.PASSED and o.case in record["not_passed"]]
    assert gained == [], "run with --write"


def test_the_record_holds_what_is_promised(command: ModuleType) -> None:
    record = json.loads(command.RECORD.read_text(encoding="utf-8"))
    assert record["failed"] == 0
    assert record["passed"] >= 0.85 * record["cases"]
    assert record["passed"] + record["refused"] == record["cases"]
    assert len(record["not_passed"]) == record["refused"]


def test_the_command_tells_each_case_and_counts(
    command: ModuleType, suite: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ("00001", "00937")
    for name in names:
        (tmp_path / name).symlink_to(suite / name)
    assert command.main([str(tmp_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "00001 passed" and lines[1].startswith("00937 refused: 'y': the engine does not serve")
    assert lines[2] == "1 passed, 0 failed, 1 refused"
    # A number that is not the suite's is a failure.
    (tmp_path / "00001").unlink()
    (tmp_path / "00001").mkdir()
    for file in (suite / "00001").iterdir():
        text = file.read_text(encoding="utf-8")
        if file.name.endswith("results.csv"):
            head, _, last = text.rstrip().rpartition("\n")
            text = f"{head}\n{last.rpartition(',')[0]},1e6\n"
        (tmp_path / "00001" / file.name).write_text(text, encoding="utf-8")
    assert command.main([str(tmp_path), "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["passed"], told["failed"], told["refused"]) == (0, 1, 1)
    assert "not 1000000" in told["not_passed"]["00001"]


def test_a_folder_without_cases_is_refused(
    command: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main([str(tmp_path / "nowhere")]) == 2
    assert "nowhere" in capsys.readouterr().err
