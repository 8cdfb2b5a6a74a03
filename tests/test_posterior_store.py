"""A stored posterior is whole or refused, is used where it belongs, and leaves what was not fitted alone."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tests.whole_posterior import said_to_be_whole

from mesolung.biology.parameters import read_parameters
from mesolung.calibration.posterior.diagnostics import inference_data, learnt
from mesolung.calibration.posterior.outcome import Outcome
from mesolung.calibration.posterior.stages import stages
from mesolung.calibration.posterior.store import Stored, read_store, with_stage, write_store
from mesolung.population import posterior as stored
from mesolung.population.draws import draw_prior
from mesolung.population.posterior import Posterior, as_draws, draws_for, most_draws, read_posterior
from mesolung.reading import Refusal

COUNT = 40
FITTED = {"k_LPS": 0.5, "k_tol": 1.0}


def write(folder: Path, stage: str = "endotoxin", narrower: float = 0.5) -> Posterior:
    """Store a posterior in which two parameters are narrower than their priors."""
    table = read_parameters()
    prior = draw_prior(COUNT, "x", table).values
    values = {
        name: np.exp(np.log(table[name].value) + narrower * np.log(prior[name] / table[name].value))
        for name in FITTED
    }
    values = {k: np.array([float(f"{x:.7g}") for x in v]) for k, v in values.items()}
    record = {
        "stage": stage, "about": "test", "identity": "0", "seed": 1, "draws": COUNT, "seconds": 1.0,
        "parameters_numbers": stored.numbers_digest(table), "modules_sha256": stored.modules_digest(),
        "date": "2026-01-01", "numbers": 0, "moved_count": len(values),
        "inside_90_before": None, "inside_90_after": None, "checks": [],
    }  # fmt: skip
    made = with_stage(Stored(folder), stage, record, Outcome(values, []))
    write_store(made, table, COUNT, {"command": "test", "seed": 1, "date": "2026-01-01"})
    return said_to_be_whole(folder)


@pytest.fixture
def place(tmp_path, monkeypatch) -> Path:
    """A folder that stands for the package's own."""
    folder = tmp_path / "posterior"
    monkeypatch.setattr(stored, "folder_of_posterior", lambda: folder)
    return folder


def test_without_a_stored_posterior_draws_are_the_priors(place) -> None:
    found = draws_for(8, "x")
    assert found.posterior.startswith("prior-") and found.note == ""
    with pytest.raises(Refusal, match="is not there"):
        draws_for(8, "x", "posterior")


def test_a_stored_posterior_comes_back_and_is_used(place) -> None:
    made = write(place)
    found = read_posterior()
    assert found is not None and found.id == made.id == found.manifest["id"]
    assert np.array_equal(found.draws, made.draws) and found.weights.sum() == pytest.approx(1.0)
    draws, prior = draws_for(16, "x"), draw_prior(16, "x")
    assert draws.posterior == made.id and draws.key == prior.key and draws.note == ""
    assert np.array_equal(draws.values["k_LPS"], found.values_of("k_LPS")[:16])
    for name in prior.values:
        if name not in FITTED:
            assert np.array_equal(draws.values[name], prior.values[name])
    assert draws_for(16, "x", "prior").posterior.startswith("prior-")


def test_a_posterior_with_open_stages_is_used_when_asked_for_alone(place) -> None:
    made = write(place)
    manifest = json.loads((place / "posterior.json").read_text(encoding="utf-8"))
    manifest["open"] = ["copd"]
    (place / "posterior.json").write_text(json.dumps(manifest), encoding="utf-8")
    assert draws_for(8, "x").posterior.startswith("prior-") and most_draws() is None
    assert draws_for(8, "x", "posterior").posterior == made.id and most_draws("posterior") == COUNT


def test_a_store_names_the_stages_that_are_open(tmp_path) -> None:
    write(tmp_path)
    again = read_store(tmp_path)
    write_store(again, read_parameters(), COUNT, {})
    found = read_posterior(tmp_path)
    assert found is not None and set(found.open) == set(stages()) - {"endotoxin"}


def test_contraction_says_how_much_narrower(place) -> None:
    write(place)
    found = read_posterior()
    assert found is not None
    assert found.contraction("k_LPS") == pytest.approx(0.75, abs=0.01)
    assert found.contraction("k_act") == 0.0
    assert found.stage_of("k_LPS") == "endotoxin" and found.stage_of("k_act") == ""
    lines = learnt(found)
    assert {one.name for one in lines} == set(FITTED)
    assert all(one.contraction == pytest.approx(0.75, abs=0.01) for one in lines)


def test_more_draws_than_are_stored_are_refused(place) -> None:
    write(place)
    with pytest.raises(Refusal, match="more draws"):
        draws_for(COUNT + 1, "x")
    assert draws_for(COUNT + 1, "x", "prior").count == COUNT + 1


def test_a_posterior_of_other_numbers_is_not_used_in_silence(place) -> None:
    write(place)
    manifest = json.loads((place / "posterior.json").read_text(encoding="utf-8"))
    manifest["parameters_numbers"] = "other"
    (place / "posterior.json").write_text(json.dumps(manifest), encoding="utf-8")
    found = draws_for(8, "x")
    assert found.posterior.startswith("prior-") and "other numbers" in found.note
    with pytest.raises(Refusal, match="other numbers in parameters"):
        draws_for(8, "x", "posterior")


def test_a_draw_changed_by_hand_is_refused(place) -> None:
    write(place)
    path = place / "draws.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    lines[3] = lines[3].replace(lines[3].split(",")[3], "0.123")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    with pytest.raises(Refusal, match="not those that were stored"):
        read_posterior(place)


@pytest.mark.parametrize(
    ("text", "said"),
    [("draw,weight\n", "not a table of draws"), ("draw,weight,variant,k_LPS\n0,1,none\n", "not whole"),
     ("draw,weight,variant,k_LPS\n0,1,none,x\n", "no number")],
)  # fmt: skip
def test_a_broken_table_is_refused_with_its_file(place, text: str, said: str) -> None:
    write(place)
    (place / "draws.csv").write_text(text, encoding="utf-8")
    with pytest.raises(Refusal, match=said) as caught:
        read_posterior(place)
    assert str(caught.value.file).endswith("draws.csv")


def test_an_unknown_source_is_refused(place) -> None:
    with pytest.raises(Refusal, match="unknown source"):
        draws_for(8, "x", "guess")  # type: ignore[arg-type]


def test_a_stage_done_again_takes_away_what_rested_on_it(place) -> None:
    write(place)
    kept = read_store(place)
    record = {**kept.records["endotoxin"], "stage": "virus"}
    both = with_stage(kept, "virus", record, Outcome({"kill_CD8": np.full(COUNT, 0.02)}, []))
    assert list(both.records) == ["endotoxin", "virus"]
    again = with_stage(both, "endotoxin", kept.records["endotoxin"], Outcome({}, []))
    assert list(again.records) == ["endotoxin"]


def test_stages_come_back_whatever_later_ones_moved_again(tmp_path) -> None:
    write(tmp_path)
    kept = read_store(tmp_path)
    record = {**kept.records["endotoxin"], "stage": "virus"}
    again = {"k_LPS": np.full(COUNT, 1.5), "kill_CD8": np.full(COUNT, 0.02)}
    both = with_stage(kept, "virus", record, Outcome(again, []))
    write_store(both, read_parameters(), COUNT, {})
    found = read_store(tmp_path)
    for stage, values in both.values.items():
        assert list(found.values[stage]) == list(values)
        assert all(np.array_equal(found.values[stage][n], v) for n, v in values.items())
    posterior = read_posterior(tmp_path)
    assert posterior is not None and posterior.values_of("k_LPS").tolist() == [1.5] * COUNT
    assert posterior.stage_of("k_LPS") == "virus" and posterior.stage_of("k_tol") == "endotoxin"


def test_a_posterior_of_ones_own_makes_draws(place) -> None:
    own = Posterior(np.full((8, 1), 2.0), ("k_LPS",), np.full(8, 0.125), ("none",) * 8)
    found = as_draws(own, 4, "x")
    assert found.values["k_LPS"].tolist() == [2.0] * 4 and found.posterior == own.id


def test_arviz_reads_the_draws(place) -> None:
    arviz = pytest.importorskip("arviz")
    write(place)
    found = read_posterior(place)
    assert found is not None
    summary = arviz.summary(inference_data(found), kind="stats")
    assert set(summary.index) == set(FITTED)


def test_prior_draws_of_spikes_keep_their_scores() -> None:
    table = read_parameters()
    prior = draw_prior(200, "x", table).values
    z = stored.latent_of(table["gain_EV"], prior["gain_EV"])
    off = prior["gain_EV"] == 0.0
    assert off.any() and z[off].max() < z[~off].min()
    assert abs(stored.latent_of(table["k_LPS"], prior["k_LPS"]).mean()) < 0.3
