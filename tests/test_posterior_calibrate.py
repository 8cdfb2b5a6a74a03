"""Stages go on after a kill with the same numbers, start where they may, and are stored one by one."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest

from mesolung.biology.parameters import read_parameters
from mesolung.calibration.posterior.calibrate import Calibration, status_of
from mesolung.calibration.posterior.datum import Datum
from mesolung.calibration.posterior.stages import asked_for
from mesolung.calibration.posterior.store import read_store
from mesolung.cli import main
from mesolung.population.posterior import read_posterior
from mesolung.reading import Refusal
from mesolung.report.posterior import posterior_html, write_posterior

MEMBERS = 24
KNOWN = ("k_LPS", "virus_production")


@dataclass
class Planted:
    """Two parameters read directly: what a stage is to find."""

    killed_at: int = -1
    calls: int = 0
    data: tuple[Datum, ...] = field(
        default=tuple(Datum(name, v, float(np.log(v)), 0.02, name, "1", "planted") for name, v in
                      zip(KNOWN, (1.7, 90.0), strict=True))
    )  # fmt: skip

    def predict(self, ensemble, work) -> np.ndarray:
        """As a forward model; dies at a call when told to."""
        self.calls += 1
        if self.calls == self.killed_at:
            raise KeyboardInterrupt
        return np.log(np.stack([ensemble.values(name) for name in KNOWN], axis=1))


def planted(folder: Path, forward: Planted, seed: int = 1, members: int = MEMBERS) -> Calibration:
    """A calibration whose stages all have the planted data."""
    return Calibration(
        read_parameters(), None, "", members, seed, 1, folder,  # type: ignore[arg-type]
        lambda line: None, lambda what, done, total: None, lambda stage, model: forward,  # type: ignore[arg-type]
    )  # fmt: skip


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch) -> None:
    """Points of these tests lie nowhere else."""
    monkeypatch.setenv("MESOLUNG_CACHE", str(tmp_path / "cache"))


FIRST = ["turnover", "endotoxin", "virus"]


def test_a_stage_finds_what_was_planted(tmp_path) -> None:
    planted(tmp_path, Planted(), members=200).run(asked_for(FIRST), False, "test")
    found = read_posterior(tmp_path)
    assert found is not None and found.count == 200
    # The prior's spread is a tenth; the number is known to a fiftieth, and the stage's discrepancy is more.
    assert np.median(found.values_of("k_LPS")) == pytest.approx(1.64, rel=0.03)
    assert 0.2 < found.contraction("k_LPS") < 0.9
    assert found.stage_of("virus_production") == "virus"


def test_a_killed_stage_goes_on_with_the_same_numbers(tmp_path) -> None:
    planted(tmp_path / "whole", Planted()).run(asked_for(FIRST), False, "test")
    cut = Planted(killed_at=4)
    with pytest.raises(KeyboardInterrupt):
        planted(tmp_path / "cut", cut).run(asked_for(FIRST), False, "test")
    again = Planted()
    planted(tmp_path / "cut", again).run(asked_for(FIRST), True, "test")
    for name in ("draws.csv",):
        assert (tmp_path / "whole" / name).read_text() == (tmp_path / "cut" / name).read_text()
    untouched = Planted()
    planted(tmp_path / "other", untouched).run(asked_for(FIRST), False, "test")
    assert again.calls < untouched.calls


def test_finished_stages_are_left_with_resume_and_done_again_without(tmp_path) -> None:
    planted(tmp_path, Planted()).run(asked_for(FIRST), False, "test")
    idle, busy = Planted(), Planted()
    planted(tmp_path, idle).run(asked_for(FIRST), True, "test")
    assert idle.calls == 0
    planted(tmp_path, busy).run(asked_for(["endotoxin"]), False, "test")
    assert busy.calls > 0
    assert list(read_store(tmp_path).records) == ["turnover", "endotoxin"]


def test_another_number_in_the_data_is_another_stage(tmp_path) -> None:
    planted(tmp_path, Planted()).run(asked_for(FIRST), False, "test")
    other = Planted()
    other.data = (replace(other.data[0], observed=0.1), other.data[1])
    planted(tmp_path, other).run(asked_for(FIRST), True, "test")
    assert other.calls > 0


def test_a_stage_whose_start_is_not_done_is_refused_before_anything_is_run(tmp_path) -> None:
    forward = Planted()
    with pytest.raises(Refusal, match="starts from turnover, which is not done"):
        planted(tmp_path, forward).run(asked_for(["virus"]), False, "test")
    assert forward.calls == 0 and not (tmp_path / "posterior.json").exists()


def test_stages_of_another_seed_or_number_of_draws_are_not_mixed(tmp_path) -> None:
    planted(tmp_path, Planted()).run(asked_for(FIRST[:2]), False, "test")
    with pytest.raises(Refusal, match="seed 1"):
        planted(tmp_path, Planted(), seed=2).run(asked_for(["virus"]), False, "test")
    with pytest.raises(Refusal, match="another number of draws"):
        planted(tmp_path, Planted(), members=30).run(asked_for(["virus"]), False, "test")


def test_the_page_shows_every_number_and_parameter(tmp_path) -> None:
    planted(tmp_path, Planted()).run(asked_for(FIRST), False, "test")
    page = tmp_path / "page.html"
    write_posterior(status_of(tmp_path), tmp_path, page)
    text = page.read_text(encoding="utf-8")
    assert "virus_production" in text and "<svg" in text and "not done" in text
    assert posterior_html(status_of(tmp_path / "empty"), []).count("not done") >= len(asked_for(["all"]))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--stage", "tomorrow"], "unknown stage"),
        (["--resume"], "--resume goes on with a stage"),
        (["--stage", "virus", "--draws", "4"], "4"),
    ],
)
def test_the_command_refuses_with_one_line(arguments: list[str], said: str, capsys) -> None:
    with pytest.raises(SystemExit) as left:
        main(["calibrate", *arguments])
    assert left.value.code == 2
    error = capsys.readouterr().err.strip()
    assert said in error and "\n" not in error


def test_the_command_lists_stages_when_none_is_named(tmp_path, capsys) -> None:
    with pytest.raises(SystemExit) as left:
        main(["calibrate", "--store", str(tmp_path)])
    assert left.value.code == 0
    assert "endotoxin" in capsys.readouterr().out
