"""What is written appears whole or not at all: full disk, Ctrl-C, SIGTERM, an existing target."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from mesolung.reading import Refusal
from mesolung.writing import NotWritten, numbered, whole_file, whole_folder

STOPS = (KeyboardInterrupt, SystemExit, RuntimeError, GeneratorExit)


def test_a_file_appears_when_it_is_complete(tmp_path: Path) -> None:
    target = tmp_path / "a" / "b" / "result.json"
    with whole_file(target) as place:
        place.write_text("{}", encoding="utf-8")
        assert not target.exists()
        assert place.parent == target.parent and place.name.startswith(".")
    assert target.read_text(encoding="utf-8") == "{}"
    assert [p.name for p in target.parent.iterdir()] == ["result.json"]


def test_a_folder_appears_when_it_is_complete(tmp_path: Path) -> None:
    target = tmp_path / "run"
    with whole_folder(target) as place:
        (place / "deep").mkdir()
        (place / "deep" / "x.txt").write_text("x", encoding="utf-8")
        assert not target.exists()
    assert (target / "deep" / "x.txt").read_text(encoding="utf-8") == "x"
    assert [p.name for p in tmp_path.iterdir()] == ["run"]


def test_a_folder_can_be_read_by_others_as_the_user_allows(tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    with whole_folder(tmp_path / "run") as place:
        (place / "x").touch()
    assert (tmp_path / "run").stat().st_mode == (tmp_path / "plain").stat().st_mode


@pytest.mark.parametrize("stop", STOPS)
@pytest.mark.parametrize("whole", [whole_file, whole_folder])
def test_nothing_remains_of_what_was_stopped(tmp_path: Path, whole, stop: type[BaseException]) -> None:
    with pytest.raises(stop):
        with whole(tmp_path / "runs" / "x") as place:
            (place if whole is whole_file else place / "part").write_text("half", encoding="utf-8")
            raise stop
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("whole", [whole_file, whole_folder])
@pytest.mark.parametrize("name", ["", ".", "/", "x" * 300, "a\0b"])
def test_a_name_that_nothing_can_have_is_refused(tmp_path: Path, monkeypatch, whole, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Refusal, match=r"exists already|cannot be written"), whole(name):
        raise AssertionError("the block was entered")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("whole", [whole_file, whole_folder])
@pytest.mark.parametrize("kind", ["file", "folder", "dangling link"])
def test_an_existing_target_is_refused_and_left_alone(tmp_path: Path, whole, kind: str) -> None:
    target = tmp_path / "x"
    if kind == "file":
        target.write_text("mine", encoding="utf-8")
    elif kind == "folder":
        target.mkdir()
    else:
        target.symlink_to(tmp_path / "nowhere")
    with pytest.raises(Refusal, match="exists"):
        with whole(target):
            pytest.fail("the block must not run")
    assert [p.name for p in tmp_path.iterdir()] == ["x"]
    assert kind != "file" or target.read_text(encoding="utf-8") == "mine"


def test_a_target_that_appears_meanwhile_is_left_alone(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="exists"):
        with whole_folder(tmp_path / "x") as place:
            (place / "part").touch()
            (tmp_path / "x").mkdir()
    assert list((tmp_path / "x").iterdir()) == [] and len(list(tmp_path.iterdir())) == 1


def test_a_target_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Refusal, match="cannot be written"):
        with whole_folder(tmp_path / "file" / "x"):
            pytest.fail("the block must not run")


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)),
        RuntimeError(f"IO Error: could not write: {os.strerror(errno.ENOSPC)}"),
    ],
)
def test_a_full_disk_is_said_in_one_line(tmp_path: Path, error: Exception) -> None:
    with pytest.raises(NotWritten, match="disk is full") as caught:
        with whole_folder(tmp_path / "x") as place:
            (place / "part").touch()
            raise error
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def child(program: str, *arguments: Path) -> subprocess.Popen[str]:
    """A Python process that runs a program, with its output at hand."""
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program), *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.skipif(os.name == "nt", reason="no limit on the size of files")
def test_a_disk_that_fills_leaves_nothing(tmp_path: Path) -> None:
    program = """
        import resource, sys
        from mesolung.writing import NotWritten, whole_folder
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
        try:
            with whole_folder(sys.argv[1]) as place:
                (place / "big").write_bytes(bytes(1_000_000))
        except NotWritten as error:
            print(error)
    """
    process = child(program, tmp_path / "runs" / "x")
    out, err = process.communicate(timeout=60)
    assert "the disk is full" in out and err == ""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="signals are not sent between processes")
@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGTERM, 128 + signal.SIGTERM), (signal.SIGINT, -signal.SIGINT)]
)
def test_a_process_that_is_stopped_leaves_nothing(tmp_path: Path, number: int, status: int) -> None:
    program = """
        import signal, sys, time
        from mesolung.writing import whole_folder
        # A parent that runs in the background may have left Ctrl-C switched off.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        with whole_folder(sys.argv[1]) as place:
            (place / "part").write_text("half")
            print("ready", flush=True)
            time.sleep(60)
    """
    process = child(program, tmp_path / "runs" / "x")
    assert process.stdout is not None and process.stdout.readline() == "ready\n"
    process.send_signal(number)
    process.communicate(timeout=60)
    assert process.returncode == status
    assert list(tmp_path.iterdir()) == []


def test_the_signals_are_as_before_afterwards(tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    with whole_folder(tmp_path / "x"):
        pass
    with pytest.raises(RuntimeError), whole_folder(tmp_path / "y"):
        raise RuntimeError
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before


def test_numbers_count_up_past_finished_and_unfinished_folders(tmp_path: Path) -> None:
    base = tmp_path / "runs" / "study-0a1b2c3d"
    assert numbered(base).name == "study-0a1b2c3d-1"
    with whole_folder(numbered(base)):
        assert numbered(base).name == "study-0a1b2c3d-2"
    assert numbered(base).name == "study-0a1b2c3d-2"
    (tmp_path / "runs" / "study-0a1b2c3d-10").mkdir()
    assert numbered(base).name == "study-0a1b2c3d-2"
