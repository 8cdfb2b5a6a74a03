"""The tool that breaks the code on purpose tells a break that was noticed from one that was not."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

LIST = """
[[mutant]]
name = "noticed"
file = "src/sums.py"
old = "a + b"
new = "a - b"
test = "tests/test_sums.py::test_two_and_two"

[[mutant]]
name = "unnoticed"
file = "src/sums.py"
old = "return 0"
new = "return 1"
test = "tests/test_sums.py::test_two_and_two"

[[mutant]]
name = "stale"
file = "src/sums.py"
old = "no such text"
new = ""
test = "tests/test_sums.py::test_two_and_two"

[[mutant]]
name = "no program"
file = "src/sums.py"
old = "def add(a, b):"
new = "def add(a, b:"
test = "tests/test_sums.py::test_two_and_two"

[[mutant]]
name = "broken test"
file = "src/sums.py"
old = "a + b"
new = "a - b"
test = "tests/test_sums.py::test_that_fails_anyway"
"""


def test_each_mutant_gets_its_verdict(root: Path, tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "tests").mkdir()
    source = "def add(a, b):\n    return a + b\n\n\ndef nothing():\n    return 0\n"
    (tmp_path / "src" / "sums.py").write_text(source, encoding="utf-8")
    (tmp_path / "tests" / "test_sums.py").write_text(
        "from sums import add\n\n\ndef test_two_and_two():\n    assert add(2, 2) == 4\n\n\n"
        "def test_that_fails_anyway():\n    assert False\n",
        encoding="utf-8",
    )
    (tmp_path / "list.toml").write_text(LIST, encoding="utf-8")
    tool = [
        sys.executable,
        str(root / "tools" / "mutants.py"),
        str(tmp_path / "list.toml"),
        "--root",
        str(tmp_path),
    ]
    done = subprocess.run(tool, capture_output=True, text=True, timeout=120)
    verdicts = [line.split(": ")[0] for line in done.stdout.splitlines()]
    assert verdicts == [
        "killed",
        "survived",
        "the text stands 0 times in src/sums.py",
        # A module that cannot be imported is a usage or a collection error, by version of pytest.
        verdicts[3] if verdicts[3].startswith("pytest could not run") else "pytest could not run",
        "its test fails before anything is broken",
        "1 killed, 4 survived",
    ]
    assert done.returncode == 1
    assert (tmp_path / "src" / "sums.py").read_text(encoding="utf-8") == source


def mutants() -> list[dict[str, str]]:
    """The project's own list."""
    root = Path(__file__).resolve().parent.parent
    return tomllib.loads((root / "tools" / "mutants.toml").read_text(encoding="utf-8"))["mutant"]


@pytest.mark.parametrize("mutant", mutants(), ids=lambda mutant: mutant["name"])
def test_the_list_fits_the_code(root: Path, mutant: dict[str, str]) -> None:
    assert (root / mutant["file"]).read_text(encoding="utf-8").count(mutant["old"]) == 1
    file, _, name = mutant["test"].partition("::")
    function = name.split("[")[0]
    assert f"def {function}(" in (root / file).read_text(encoding="utf-8")
