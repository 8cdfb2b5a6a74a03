"""What docs/engine-use.md shows is what happens: commands print what stands below them, Python runs."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import antimony
import numpy as np
import pytest
from scipy.integrate import solve_ivp
from tests.cohort_models import say

import mesolung

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "engine-use.md"
EXAMPLE = ROOT / "examples" / "simeoni-2004"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the example, to work in."""
    folder = tmp_path / "simeoni-2004"
    shutil.copytree(EXAMPLE, folder)
    monkeypatch.chdir(folder)
    return folder


def blocks(language: str) -> list[str]:
    return re.findall(
        rf"^```{language}\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )


def test_commands_print_what_stands_below_them(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    steps = [step for block in blocks("console") for step in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]]
    assert len(steps) >= 4
    for step in steps:
        command, _, shown = step.partition("\n")
        program, *arguments = shlex.split(command)
        if program == "head":
            count, name = int(arguments[0].removeprefix("-")), arguments[1]
            assert "".join((here / name).read_text(encoding="utf-8").splitlines(True)[:count]) == shown
            continue
        assert program == "mesolung"
        said = say(capsys, *arguments)
        assert (said.status, said.out) == (0, shown)


def test_python_runs(here: Path) -> None:
    names: dict[str, object] = {}
    for block in blocks("python"):
        exec(compile(block, str(PAGE), "exec"), names)
    assert (here / "bands.parquet").exists()


def test_every_option_is_told() -> None:
    from typer.main import get_command

    from mesolung.cli.main import app

    command = get_command(app).commands["cohort"]  # pyright: ignore[reportAttributeAccessIssue]
    text = PAGE.read_text(encoding="utf-8")
    options = {name for p in command.params for name in p.opts if name.startswith("--")} - {"--out", "--help"}
    assert {name for name in options if f"`{name}" not in text} == set()


def test_the_sbml_is_the_antimony(here: Path) -> None:
    antimony.clearPreviousLoads()
    assert antimony.loadAntimonyFile(str(here / "model.ant")) >= 0, antimony.getLastError()
    written = (here / "model.xml").read_text(encoding="utf-8")

    def without_version(text: str) -> str:
        return re.sub(r"<!--.*?-->", "", text)

    assert without_version(str(antimony.getSBMLString("simeoni_2004"))) == without_version(written)


def published(time: float, state: np.ndarray) -> list[float]:
    """The paper's equations, written a second time."""
    central, peripheral, x1, x2, x3, x4 = state
    kill, weight = 0.629 * central / 0.81 * x1, x1 + x2 + x3 + x4
    growth = 0.273 * x1 / (1 + (0.273 / 0.814 * weight) ** 20) ** (1 / 20)
    away = 24 * 0.0060 * central - 24 * 0.0838 * peripheral
    return [
        -24 * 0.868 * central - away,
        away,
        growth - kill,
        kill - 0.968 * x2,
        0.968 * (x2 - x3),
        0.968 * (x3 - x4),
    ]


def test_the_model_is_the_papers_equations(here: Path) -> None:
    model = mesolung.compile_model(here / "model.xml")
    assert model.states == ("central", "peripheral", "x1", "x2", "x3", "x4")
    events = mesolung.dose_events(
        {"TIME": [13], "AMT": [30], "CMT": ["central"], "ADDL": [2], "II": [4]}, model, ids=[1]
    )
    found = model.solve(
        model.default_parameters[None], [13.0, 17.0, 21.0, 40.0], events=events, rtol=1e-9
    ).values[0]
    state, time = np.array([0, 0, 0.055, 0, 0, 0]), 0.0
    for moment, row in zip((13.0, 17.0, 21.0, 40.0), found, strict=True):
        state = solve_ivp(published, (time, moment), state, method="LSODA", rtol=1e-10, atol=1e-14).y[:, -1]
        state[0] += 30.0 if moment < 40 else 0.0
        time = moment
        assert row == pytest.approx(state, rel=1e-6, abs=1e-10)
