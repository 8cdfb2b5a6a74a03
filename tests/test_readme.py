"""What the README and CONTRIBUTING tell a reader to type works."""

from __future__ import annotations

import inspect
import re
import shlex
import shutil
from pathlib import Path

import pytest

from mesolung.cli import main
from mesolung.cli.main import run

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """The code blocks of the README in one language."""
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def commands() -> list[str]:
    """The `mesolung` commands of the README, without comments and redirections."""
    lines = [line for block in blocks("sh") for line in block.splitlines() if line.startswith("mesolung ")]
    return [re.split(r"\s+[#>]", line)[0].strip() for line in lines]


def fewer(text: str) -> str:
    """The same command with so few replicates that a test can wait for it."""
    return re.sub(r"(replicates[ =])\d+", r"\g<1>2", text)


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the examples, as a reader has it before them."""
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_readme_opens_with_the_two_commands() -> None:
    first = blocks("sh")[0]
    assert re.findall(r"^make \w+", first, re.MULTILINE) == ["make demo", "make test"]
    assert README.index(first) < 200


@pytest.mark.parametrize("command", commands())
def test_a_command_of_the_readme_works(clone: Path, command: str) -> None:
    with pytest.raises(SystemExit) as left:
        main(shlex.split(fewer(command))[1:])
    assert left.value.code == 0


@pytest.mark.parametrize("program", blocks("python"))
def test_a_program_of_the_readme_works(clone: Path, program: str, capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile(fewer(program), "README.md", "exec"), {})
    assert capsys.readouterr().out


def test_every_option_of_run_is_told() -> None:
    options = set(re.findall(r"^\| `(--[\w-]+)", README, re.MULTILINE))
    taken = {f"--{name.replace('_', '-')}" for name in inspect.signature(run).parameters} - {
        "--study",
        "--scheduler",
    }
    assert options == taken


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_targets_and_links_exist(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"`?make (?:PYTHON=\S+ )?([a-z]+)`", text)) <= targets
    links = re.findall(r"\]\((?!http|#)([^)#]+)", text)
    assert [link for link in links if not (ROOT / link).exists()] == []
