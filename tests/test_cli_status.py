"""The command line's exit status, its one line of complaint, and what it leaves behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import mesolung
from mesolung.cli import main
from mesolung.cli.progress import shown_progress

EXAMPLE = Path(__file__).resolve().parent.parent / "examples" / "lanzoni-2021.toml"


@dataclass(frozen=True)
class Said:
    """What a command printed and how it ended."""

    status: int
    out: str
    err: str


@pytest.fixture
def say(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Said]:
    """Run the command line in this process, in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def command(*arguments: object) -> Said:
        with pytest.raises(SystemExit) as left:
            main([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        assert isinstance(left.value.code, int)
        return Said(left.value.code, printed.out, printed.err)

    return command


@pytest.fixture
def ends(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Put a stand-in for the simulation behind `mesolung run`: only how a run ends matters here."""

    def stand_in(failed: int = 0, solved: int = 24_000, error: BaseException | None = None) -> None:
        def run_study(study: object, **options: Any) -> SimpleNamespace:
            options["progress"]("subjects", 1, 2)
            if error is not None:
                raise error
            return SimpleNamespace(
                json={"failed_subjects": failed, "study": "x"},
                manifest={"complete": failed < 0.001 * solved or failed == 0},
            )

        def write(result: object, place: Path) -> None:
            (place / "result.json").write_text("{}", encoding="utf-8")

        monkeypatch.setattr("mesolung.study.run.run_study", run_study)
        monkeypatch.setattr("mesolung.study.result.write_run_folder", write)
        monkeypatch.setattr("mesolung.report.write_report", lambda result, path: path.write_text("report"))
        monkeypatch.setattr("mesolung.report.terminal_table", lambda result: "table")

    return stand_in


def one_line(text: str) -> bool:
    return text.count("\n") == 1 and text.startswith("mesolung: ") and "Traceback" not in text


def test_version_is_printed_at_once() -> None:
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "mesolung", "--version"], capture_output=True, text=True, timeout=60
    )
    # Half a second is the promise; a busy machine gets some room.
    assert time.perf_counter() - started < 2
    assert (done.returncode, done.stdout, done.stderr) == (0, f"mesolung {mesolung.__version__}\n", "")


def test_version_imports_nothing_heavy() -> None:
    program = (
        "import sys\nfrom mesolung.cli import main\n"
        "try:\n    main(['--version'])\nexcept SystemExit:\n    pass\n"
        "heavy = {'numpy', 'pandas', 'llvmlite', 'plotly', 'duckdb', 'pint', 'antimony'} & set(sys.modules)\n"
        "sys.exit(', '.join(heavy) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("fly",),
        ("run",),
        ("run", EXAMPLE, "--replicates", "0"),
        ("run", EXAMPLE, "--replicates", "many"),
        ("run", EXAMPLE, "--draws", "0"),
        ("run", EXAMPLE, "--workers", "0"),
        ("run", EXAMPLE, "--seed", "-1"),
        ("run", EXAMPLE, "--fast"),
        ("run", EXAMPLE, "--out", ""),
        ("run", EXAMPLE, "--out", "."),
        ("run", EXAMPLE, "--out", "x" * 300),
        ("run", "x" * 300),
        ("run", ""),
        ("run", EXAMPLE, EXAMPLE),
        ("run", EXAMPLE, "--json", "--json"),
        ("run", EXAMPLE, "--scheduler", "tcp://10.0.0.1:8786"),
        ("run", "no-such-file.toml"),
        ("schema", "diary"),
        ("schema", "study", "result"),
        ("explain", "no_such_name_at_all"),
        ("explain", ""),
        ("export",),
        ("export", "--out", "/"),
        ("export", "--out", "x" * 300),
        ("export", "--out", "model.xml", "-o", "model.xml"),
        ("export", "--out", "model.xml", "--format", "cellml"),
        ("export", "--out", "model.xml", "--disease", "flu"),
        ("export", "--out", "model.xml", "--disease", "ards", "--group", "none"),
    ],
    ids=lambda arguments: " ".join(str(a) for a in arguments if a != EXAMPLE),
)
def test_wrong_usage_is_refused_in_one_line(say, tmp_path: Path, arguments: tuple[object, ...]) -> None:
    said = say(*arguments)
    assert said.status == 2
    assert said.out == "" and one_line(said.err)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("run", EXAMPLE, "--replicates", "0"), "'--replicates': Input should be greater than or equal to 1"),
        (("run", EXAMPLE, "--replicates", "many"), "found many"),
        (("run", EXAMPLE, "--seed", "1", "--seed", "2"), "--seed stands twice (allowed: once)"),
        (("export", "-o", "a.xml", "--out", "b.xml"), "--out stands twice (allowed: once)"),
        (("schema", "diary"), "'diary' is not one of 'study', 'lot', 'result'"),
        (("explain", " "), "unknown name (found nothing;"),
    ],
)
def test_a_complaint_says_what_was_found(say, arguments: tuple[object, ...], says: str) -> None:
    assert says in say(*arguments).err


def test_a_complaint_is_no_longer_than_can_be_read(say) -> None:
    said = say("explain", "x" * 100_000)
    assert said.status == 2 and one_line(said.err) and len(said.err) < 1000


def test_scheduler_is_refused_by_name(say) -> None:
    said = say("run", EXAMPLE, "--scheduler", "tcp://10.0.0.1:8786")
    assert "--scheduler" in said.err and "not supported yet" in said.err


def test_an_existing_out_is_refused_before_anything_runs(say, ends, tmp_path: Path) -> None:
    ends(error=AssertionError("the study was run"))
    (tmp_path / "here").mkdir()
    said = say("run", EXAMPLE, "--out", "here")
    assert said.status == 2 and "exists already" in said.err and one_line(said.err)
    assert list((tmp_path / "here").iterdir()) == []


def test_a_run_leaves_a_numbered_folder(say, ends, tmp_path: Path) -> None:
    ends()
    for _ in range(2):
        said = say("run", EXAMPLE)
        assert said.status == 0
        report = Path(said.out.splitlines()[-1].removeprefix("report: "))
        assert report.is_file() and (report.parent / "result.json").is_file()
    names = sorted(folder.name for folder in (tmp_path / "runs").iterdir())
    assert [name.rsplit("-", 1)[1] for name in names] == ["1", "2"]
    assert names[0].startswith("lanzoni-2021-") and len(names[0].split("-")[2]) == 8


def test_json_is_all_that_stands_on_standard_output(say, ends) -> None:
    ends()
    said = say("run", EXAMPLE, "--json", "--out", "here")
    assert said.status == 0
    assert json.loads(said.out) == {"failed_subjects": 0, "study": "x"}
    assert "subjects 1/2" in said.err and "report: " in said.err


@pytest.mark.parametrize(("failed", "status"), [(0, 0), (23, 0), (24, 1), (24_000, 1)])
def test_failed_subjects_decide_the_status(say, ends, failed: int, status: int) -> None:
    ends(failed=failed)
    assert say("run", EXAMPLE, "--out", "here").status == status
    assert Path("here").is_dir()


def test_ctrl_c_leaves_nothing(say, ends, tmp_path: Path) -> None:
    ends(error=KeyboardInterrupt())
    said = say("run", EXAMPLE)
    assert said.status == 130
    assert said.err.splitlines()[-1] == "mesolung: cancelled; nothing was kept"
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_nothing(say, ends, tmp_path: Path) -> None:
    import errno

    ends(error=OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
    said = say("run", EXAMPLE)
    assert said.status == 1
    assert "disk is full" in said.err.splitlines()[-1] and "Traceback" not in said.err
    assert list(tmp_path.iterdir()) == []


def test_an_internal_error_is_one_line_and_leaves_nothing(say, ends, tmp_path: Path) -> None:
    ends(error=ZeroDivisionError("by\nzero"))
    said = say("run", EXAMPLE)
    assert said.status == 1
    assert said.err.splitlines()[-1].startswith("mesolung: internal error: ZeroDivisionError: by zero")
    assert "Traceback" not in said.err and list(tmp_path.iterdir()) == []


def test_an_internal_error_shows_where_on_demand(say, ends, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MESOLUNG_TRACEBACK", "1")
    ends(error=ZeroDivisionError("by zero"))
    assert "Traceback" in say("run", EXAMPLE).err


def test_progress_elsewhere_than_on_a_terminal_is_a_few_lines(capsys: pytest.CaptureFixture[str]) -> None:
    with shown_progress() as progress:
        for done in range(1000):
            progress("courses", done, 1000)
        progress("report", 0, 0)
    assert capsys.readouterr().err == "courses 0/1000\nreport\n"
