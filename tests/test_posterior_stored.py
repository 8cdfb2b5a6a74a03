"""A short stage, run again, gives the stored draws; and the same on any number of threads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import ks_2samp

from mesolung.biology import assemble
from mesolung.biology.parameters import read_parameters
from mesolung.calibration.posterior.calibrate import Calibration
from mesolung.calibration.posterior.stages import asked_for
from mesolung.calibration.posterior.store import read_store
from mesolung.engine import CompiledModel, compile_model
from mesolung.population.posterior import folder_of_posterior, modules_digest, numbers_digest

SHORT = "endotoxin"
ALPHA, MEMBERS, SEED = 1e-3, 128, 1


@pytest.fixture(scope="module")
def model() -> tuple[CompiledModel, str]:
    """The compiled biology, and the hash of its text."""
    made = assemble()
    return compile_model(made.sbml), made.model_hash


@pytest.fixture(autouse=True)
def points(tmp_path, monkeypatch) -> None:
    """No point of an earlier run is gone on with; kernels stay where they are."""
    monkeypatch.setattr(
        "mesolung.calibration.posterior.checkpoint.cache_folder", lambda name: tmp_path / name
    )


def run(model: tuple[CompiledModel, str], folder: Path, members: int, workers: int = 1):
    """The short stage's moved parameters."""
    made = Calibration(
        read_parameters(), *model, members, SEED, workers, folder, lambda line: None,
        lambda what, done, total: None,
    )  # fmt: skip
    made.run(asked_for(["turnover", SHORT]), False, "test")
    return read_store(folder).values[SHORT], read_store(folder).records[SHORT]


def test_a_short_stage_gives_its_stored_draws_again(model, tmp_path) -> None:
    stored = read_store(folder_of_posterior())
    record = stored.records.get(SHORT)
    if record is None:
        pytest.skip("no posterior is stored")
    if record["parameters_numbers"] != numbers_digest(read_parameters()):
        pytest.skip("the stored posterior is of other numbers, and no run uses it")
    if record["modules_sha256"] != modules_digest():
        pytest.skip("the stored posterior is of other laws, and no run uses it")
    found, _ = run(model, tmp_path, MEMBERS)
    chances = {name: np.asarray(ks_2samp(found[name], stored.values[SHORT][name]))[1] for name in found}
    assert {name: p for name, p in chances.items() if p < ALPHA} == {}


def test_threads_change_no_draw(model, tmp_path) -> None:
    one, _ = run(model, tmp_path / "one", 16)
    two, _ = run(model, tmp_path / "two", 16, workers=2)
    assert all(np.array_equal(one[name], two[name]) for name in one)


def test_a_short_stage_learns_and_predicts_better(model, tmp_path) -> None:
    table = read_parameters()
    found, record = run(model, tmp_path, MEMBERS)
    prior = {name: float(table[name].uncertainty) for name in found}
    after = {name: float(np.log(values).std()) for name, values in found.items() if (values > 0).all()}
    narrower = [after[name] / prior[name] for name in after if table[name].distribution == "lognormal"]
    assert min(narrower) < 0.7
    assert record["inside_90_after"] >= record["inside_90_before"] - 0.05
