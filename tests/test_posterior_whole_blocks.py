"""Stages that weigh whole draws: planted carriers are found, silence changes nothing and is named."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pytest

from mesolung.biology.parameters import read_parameters
from mesolung.calibration.posterior.checkpoint import checkpoints_of
from mesolung.calibration.posterior.datum import Datum
from mesolung.calibration.posterior.ensemble import Ensemble
from mesolung.calibration.posterior.forward import Work
from mesolung.calibration.posterior.forward_human import HUMAN_EFFECT, SIZES
from mesolung.calibration.posterior.outcome import Outcome
from mesolung.calibration.posterior.sizing import size_effect
from mesolung.calibration.posterior.stages import moved_by, stages
from mesolung.calibration.posterior.store import CARRIERS
from mesolung.calibration.posterior.task import Task
from mesolung.calibration.posterior.weighing import weigh

MEMBERS = 256
LABORATORIES = tuple(f"laboratory {k}" for k in range(24))
SILENT = "silent"


@dataclass
class Planted:
    """Laboratories that see one parameter's score, or nothing."""

    watched: str
    pull: float

    @cached_property
    def data(self) -> tuple[Datum, ...]:
        """One number a laboratory, and one laboratory of which the model says nothing."""
        return tuple(Datum(n, 1.0, 0.0, 1.0, n, "1", "planted") for n in (*LABORATORIES, SILENT))

    def log_likelihoods(self, ensemble: Ensemble, work: Work) -> dict[str, np.ndarray]:
        """Members with the watched parameter on are likelier, by the pull."""
        on = ensemble.values(self.watched) != 0.0
        found: np.ndarray = self.pull * on
        return dict.fromkeys(LABORATORIES, found)


def weighed(pull: float) -> Outcome:
    """The stage of carriers on planted laboratories."""
    stage, table = stages()["carriers"], read_parameters()
    work = Work(None, "", 1, 1, 1, lambda what, done, total: None)  # type: ignore[arg-type]
    forward = Planted(CARRIERS[0], pull)
    return weigh(
        Task(
            stage, forward, Ensemble(table, MEMBERS), moved_by(stage, table), work,
            checkpoints_of("carriers", f"planted {pull}"), lambda line: None,
        )
    )  # fmt: skip


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch) -> None:
    """Points of these tests lie nowhere else."""
    monkeypatch.setenv("MESOLUNG_CACHE", str(tmp_path / "cache"))


def test_laboratories_that_tell_nothing_leave_every_carrier_at_its_prior() -> None:
    found = weighed(0.0)
    for carrier in found.about["carriers"].values():
        assert carrier["weight_on"] == pytest.approx(carrier["prior_on"], abs=0.02)
    assert found.about["unanswered"] == [SILENT], "what the model says nothing of is named"


def test_a_planted_carrier_gains_weight_and_no_other_does() -> None:
    found = weighed(1.0)
    first, *others = found.about["carriers"].values()
    assert first["weight_on"] > first["prior_on"] + 0.1
    assert first["weight_on"] <= 0.95
    for carrier in others:
        assert carrier["weight_on"] == pytest.approx(carrier["prior_on"], abs=0.1)
    on = found.values[CARRIERS[0]] != 0.0
    assert on.mean() == pytest.approx(first["weight_on"], abs=0.02), "as many draws as weight"


def test_a_planted_carrier_that_harms_the_prediction_loses_weight() -> None:
    first = next(iter(weighed(-1.0).about["carriers"].values()))
    assert 0.05 <= first["weight_on"] < first["prior_on"] - 0.15


@dataclass
class Trials:
    """One trial that is likelier with one size of the effect, and one that cannot be told."""

    best: int

    @cached_property
    def data(self) -> tuple[Datum, ...]:
        """An effect each."""
        return tuple(Datum(n, 1.0, 0.0, 1.0, n, "1", "planted") for n in ("told", SILENT))

    def log_likelihoods(self, ensemble: Ensemble, work: Work) -> dict[str, np.ndarray]:
        """Two nats for the best size over all others."""
        found = np.zeros((len(SIZES), ensemble.count))
        found[self.best] = 2.0
        return {"told": found}


@pytest.mark.parametrize(("best", "more"), [(0, True), (3, False)])
def test_human_trials_move_the_chance_of_no_effect_their_own_way(best: int, more: bool) -> None:
    stage, table = stages()["human"], read_parameters()
    work = Work(None, "", 1, 1, 1, lambda what, done, total: None)  # type: ignore[arg-type]
    found = size_effect(
        Task(
            stage, Trials(best), Ensemble(table, MEMBERS), [HUMAN_EFFECT], work,
            checkpoints_of("human", f"planted {best}"), lambda line: None,
        )
    )  # fmt: skip
    about = found.about
    assert (about["none_after"] > about["none_prior"]) is more
    assert about["unanswered"] == [SILENT]
    assert list(found.values) == [HUMAN_EFFECT], "a trial of cells bends nothing else"
