"""Compiled code is kept, private and checked: a hit is fast, damage compiles anew, processes may share."""

import os
import subprocess
import sys
import warnings
from pathlib import Path

import antimony
import numpy as np
import pytest

from mesolung.engine import CompiledModel, compile_model
from mesolung.execution import cache_folder

TEXT = "model m\n x = 1; k = 0.5\n x' = -k*x^1.5\nend"


def sbml(text: str = TEXT) -> str:
    antimony.clearPreviousLoads()
    assert antimony.loadAntimonyString(text) >= 0
    return str(antimony.getSBMLString(antimony.getMainModuleName()))


def bits(model: CompiledModel) -> bytes:
    return model.solve(model.default_parameters[None, :], np.linspace(0, 9, 10)).values.tobytes()


def test_the_second_time_comes_from_the_cache_and_is_the_same(tmp_path: Path) -> None:
    first = compile_model(sbml(), cache=tmp_path / "kernels")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        second = compile_model(sbml(), cache=tmp_path / "kernels")
    assert not first.from_cache and second.from_cache
    assert first.kernel_id == second.kernel_id and bits(first) == bits(second)
    assert second.compile_seconds < 0.3
    if os.name == "posix":
        folder = tmp_path / "kernels"
        assert folder.stat().st_mode & 0o777 == 0o700
        assert all(p.stat().st_mode & 0o777 == 0o600 for p in folder.iterdir())


def test_other_laws_widths_and_no_cache_are_compiled_anew(tmp_path: Path) -> None:
    compile_model(sbml(), cache=tmp_path, lanes=2)
    assert not compile_model(sbml(), cache=tmp_path, lanes=4).from_cache
    assert not compile_model(sbml(TEXT.replace("1.5", "1.25")), cache=tmp_path, lanes=2).from_cache
    # Values of parameters are not part of the code.
    assert compile_model(sbml(TEXT.replace("k = 0.5", "k = 0.7")), cache=tmp_path, lanes=2).from_cache
    assert not compile_model(sbml(), cache=False).from_cache


@pytest.mark.parametrize("damage", ["cut", "flip", "empty", "noise"])
def test_a_damaged_file_is_compiled_anew_with_a_warning(tmp_path: Path, damage: str) -> None:
    good = bits(compile_model(sbml(), cache=tmp_path))
    (file,) = tmp_path.iterdir()
    content = bytearray(file.read_bytes())
    if damage == "cut":
        content = content[: len(content) // 2]
    elif damage == "flip":
        content[-100] ^= 1
    else:
        content = bytearray(b"" if damage == "empty" else os.urandom(1000))
    file.write_bytes(content)
    with pytest.warns(RuntimeWarning, match="damaged"):
        again = compile_model(sbml(), cache=tmp_path)
    assert not again.from_cache and bits(again) == good
    assert compile_model(sbml(), cache=tmp_path).from_cache


def test_a_folder_that_cannot_be_written_is_done_without(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("here")
    with pytest.warns(RuntimeWarning):
        model = compile_model(sbml(), cache=tmp_path / "file" / "kernels")
    assert bits(model) == bits(compile_model(sbml(), cache=tmp_path))


def test_processes_share_a_cache(tmp_path: Path) -> None:
    program = (
        "import sys, numpy as np, pathlib\n"
        "from mesolung.engine import compile_model\n"
        "m = compile_model(pathlib.Path(sys.argv[1]), cache=pathlib.Path(sys.argv[2]))\n"
        "v = m.solve(m.default_parameters[None, :], np.linspace(0, 9, 10)).values\n"
        "print(v.tobytes().hex())\n"
    )
    file, folder = tmp_path / "m.xml", tmp_path / "kernels"
    file.write_text(sbml(), encoding="utf-8")
    command = [sys.executable, "-W", "error", "-c", program, str(file), str(folder)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    answers = [p.communicate(timeout=120)[0] for p in running]
    assert all(p.returncode == 0 for p in running) and len(set(answers)) == 1 and answers[0].strip()
    assert len(list(folder.iterdir())) == 1
    assert compile_model(file, cache=folder).from_cache


def test_the_environment_names_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MESOLUNG_CACHE", str(tmp_path / "mine"))
    compile_model(sbml())
    assert [p.name for p in (tmp_path / "mine").iterdir()] == ["kernels"]
    assert len(list(cache_folder("kernels").iterdir())) == 1
    assert compile_model(sbml()).from_cache
