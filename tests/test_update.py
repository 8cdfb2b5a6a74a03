"""Private data move draws as they should, no further than asked, and a conflict or a bad weight is told."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit, logit
from tests.planted import trial

from mesolung.biology.parameters import read_parameters
from mesolung.calibration import importance
from mesolung.calibration.importance import Weights, equal_draws, smoothed
from mesolung.calibration.posterior.store import draws_text
from mesolung.calibration.updating import update as updating
from mesolung.calibration.updating.borrow import borrowed, prior_draws, whole
from mesolung.calibration.updating.update import Inputs, contractions, update
from mesolung.calibration.validation.folder import File
from mesolung.calibration.validation.lines import Subject
from mesolung.population.own_posterior import posterior_in
from mesolung.population.posterior import (
    DRAWS,
    MANIFEST,
    Posterior,
    as_draws,
    draws_for,
)
from mesolung.reading import Refusal
from mesolung.report.update import update_markdown, verdict
from mesolung.study.result import json_text

COUNT = 400
# What the planted trials tell of: a fitted parameter whose prior is lognormal.
NAME, SPIKE = "k_trap", "gain_EV"
CONTROL = 0.4


def toy(mean: float = 1.0, sd: float = 0.5) -> Posterior:
    """A posterior that has moved one parameter by ``mean`` prior deviations, and switched one carrier on."""
    row = read_parameters()[NAME]
    none = prior_draws(COUNT)
    z = mean + sd * none.latent_prior(NAME)
    spike = none.prior_of(SPIKE)
    values = np.stack(
        [row.value * np.exp(float(row.uncertainty) * z), np.where(spike == 0.0, 0.5, spike)], axis=1
    )
    return replace(none, draws=values, names=(NAME, SPIKE))


def risk(posterior: Posterior) -> np.ndarray:
    """The planted model's risk of a treated patient: lower with a higher value of the parameter."""
    return expit(logit(CONTROL) - 0.6 * posterior.latent(NAME))


def predicting(folder: Path, events: tuple[int, int], n: int):
    """What stands in for the model: a trial whose treated arm follows the parameter."""
    folder.mkdir(exist_ok=True)

    def of(files, *, draws, seed, workers, progress, own):
        assert own.count == draws
        control = np.full(draws, CONTROL)
        return [trial(folder, "private", events, n, (risk(own), control))], {}

    return of


def files_of(folder: Path) -> list[File]:
    folder.mkdir(exist_ok=True)
    subject: Subject = trial(folder, "private", (0, 0), 10, (np.full(2, 0.5), np.full(2, 0.5)))
    return [File("private", subject.study, {})]


def joined(monkeypatch, folder: Path, z: float, n: int = 60, swap: bool = False, **more):
    """An update with a trial whose truth is a draw at ``z``."""
    events = (round(n * float(expit(logit(CONTROL) - 0.6 * z))), round(n * CONTROL))
    monkeypatch.setattr(
        updating, "predict_folder", predicting(folder, (events[1], events[0]) if swap else events, n)
    )
    inputs = Inputs(files_of(folder))
    return update(inputs, **{"borrow": 1.0, "stored": toy(0.0, 1.0), **more})


def mean_z(made) -> float:
    assert made.posterior is not None
    return float(made.posterior.latent(NAME).mean())


def test_data_of_a_draw_move_weight_to_draws_like_it(monkeypatch, tmp_path: Path) -> None:
    before = float(toy(0.0, 1.0).latent(NAME).mean())
    high = joined(monkeypatch, tmp_path / "a", 1.2)
    low = joined(monkeypatch, tmp_path / "b", -1.2)
    assert mean_z(high) > before + 0.5 and mean_z(low) < before - 0.5
    found = high.record["parameters"][NAME]
    assert 0.2 < found["contraction"] < 0.9 and found["moved"] > 0.5
    others = [one["contraction"] for name, one in high.record["parameters"].items() if name != NAME]
    assert abs(np.median(others)) < 0.1


def test_more_patients_contract_more(monkeypatch, tmp_path: Path) -> None:
    few = joined(monkeypatch, tmp_path / "a", 0.5, 20).record["parameters"][NAME]["contraction"]
    many = joined(monkeypatch, tmp_path / "b", 0.5, 120).record["parameters"][NAME]["contraction"]
    assert many > few + 0.2


def test_swapped_arms_move_the_other_way(monkeypatch, tmp_path: Path) -> None:
    right = joined(monkeypatch, tmp_path / "a", 1.2)
    wrong = joined(monkeypatch, tmp_path / "b", 1.2, swap=True)
    assert mean_z(right) > 0.4 and mean_z(wrong) < mean_z(right) - 0.5


def test_a_borrow_of_nothing_is_the_prior_and_of_all_the_posterior() -> None:
    stored = toy()
    nothing, all_ = borrowed(stored, 0.0), borrowed(stored, 1.0)
    assert all_ is stored
    prior = draws_for(COUNT, "x", "prior")
    own = as_draws(nothing, COUNT, "x")
    assert all(np.array_equal(own.values[name], prior.values[name]) for name in prior.values)
    assert nothing.id == prior_draws(COUNT).id


def test_a_part_is_borrowed_as_a_power_prior_has_it() -> None:
    """Of two normals with variances 1 and 1/4, means 0 and 1: precision and mean in closed form."""
    stored = toy(1.0, 0.5)
    a, b = stored.latent_prior(NAME), stored.latent(NAME)
    for amount in (0.25, 0.5, 0.9):
        precision = (1.0 - amount) / a.var() + amount / b.var()
        mean = ((1.0 - amount) * a.mean() / a.var() + amount * b.mean() / b.var()) / precision
        found = borrowed(stored, amount).latent(NAME)
        assert found.mean() == pytest.approx(mean, abs=1e-9)
        assert found.var() == pytest.approx(1.0 / precision, rel=1e-9)
        assert np.array_equal(np.argsort(found), np.argsort(a))
    on = [float(np.mean(borrowed(stored, f).values_of(SPIKE) != 0.0)) for f in (0.0, 0.3, 0.7, 1.0)]
    assert on == sorted(on) and on[0] < on[1] and on[3] == 1.0


def test_less_borrowed_evidence_lets_the_data_weigh_more(monkeypatch, tmp_path: Path) -> None:
    stored = toy(1.0, 0.3)
    found = [
        mean_z(joined(monkeypatch, tmp_path / str(amount), -0.5, borrow=amount, stored=stored))
        for amount in (0.0, 0.5, 1.0)
    ]
    assert found[0] < found[1] - 0.1 < found[2] - 0.2


def test_conflicting_data_are_told_with_a_smaller_borrow(monkeypatch, tmp_path: Path) -> None:
    stored = toy(2.0, 0.2)
    against = joined(monkeypatch, tmp_path / "a", -1.0, 100, stored=stored)
    conflict = against.record["conflict"]
    assert conflict["stored"]["told"] and conflict["stored"]["p"] < 0.05
    assert not conflict["prior"]["told"]
    assert conflict["suggested_borrow"] == 0.5 and "--borrow 0.5" in conflict["said"]
    assert "Conflict" in update_markdown(against.record)
    agreeing = joined(monkeypatch, tmp_path / "b", 2.0, 100, stored=stored)
    assert not agreeing.record["conflict"]["stored"]["told"]
    assert agreeing.record["conflict"]["suggested_borrow"] is None


def test_a_conflict_of_a_right_model_is_as_rare_as_it_says(tmp_path: Path) -> None:
    """Data simulated from the draws: the chance that is told is uniform."""
    from mesolung.calibration.updating.conflict import conflict_of

    rng = np.random.default_rng(3)
    stored = prior_draws(100)
    found = []
    for k in range(60):
        d = int(rng.integers(100))
        events = (int(rng.binomial(40, risk(stored)[d])), int(rng.binomial(40, CONTROL)))
        subject = trial(tmp_path, f"t{k}", events, 40, (risk(stored), np.full(100, CONTROL)))
        found.append(conflict_of([subject], 100, 1).p)
    assert 0.35 < np.mean(found) < 0.7
    assert np.mean(np.array(found) < 0.05) < 0.15


def test_weights_that_rest_on_too_few_draws_make_no_posterior(monkeypatch, tmp_path: Path) -> None:
    made = joined(monkeypatch, tmp_path, -3.0, 3000, stored=toy(1.0, 0.3))
    assert made.posterior is None and not made.record["weights"]["reliable"]
    assert made.record["posterior"] is None
    assert "refit" in verdict(made.record)


def test_the_posterior_is_read_back_and_runs(monkeypatch, tmp_path: Path) -> None:
    made = joined(monkeypatch, tmp_path / "studies", 0.8).posterior
    assert made is not None
    folder = tmp_path / "made"
    folder.mkdir()
    (folder / MANIFEST).write_text(json_text(made.manifest), encoding="utf-8")
    (folder / DRAWS).write_text(draws_text(made), encoding="utf-8")
    again = posterior_in(folder)
    assert again is not None and again.id == made.id and np.array_equal(again.draws, made.draws)
    draws = draws_for(16, "x", own=again)
    assert draws.posterior == made.id and np.array_equal(draws.values[NAME], made.values_of(NAME)[:16])
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    other = tmp_path / "other"
    other.mkdir()
    (other / MANIFEST).write_text(json_text({**manifest, "parameters_numbers": "0"}), encoding="utf-8")
    (other / DRAWS).write_text(draws_text(made), encoding="utf-8")
    with pytest.raises(Refusal, match="other numbers"):
        posterior_in(other)
    with pytest.raises(Refusal, match="holds no posterior"):
        posterior_in(tmp_path)


def test_the_record_has_what_an_assessor_asks_for(monkeypatch, tmp_path: Path) -> None:
    record = joined(monkeypatch, tmp_path, 0.8, command="mesolung update --with x --borrow 1").record
    for key in ("command", "version", "date", "seed", "made_from", "weights", "conflict", "inputs", "local"):
        assert key in record
    text = update_markdown(record)
    for said in ("mesolung update --with x", "k-hat", "Nothing was sent anywhere", NAME, "SHA-256"):
        assert said in text


def test_the_same_data_are_not_learnt_from_twice(monkeypatch, tmp_path: Path) -> None:
    made = joined(monkeypatch, tmp_path, 0.8).posterior
    assert made is not None
    again = replace(made, manifest={**made.manifest, "inputs": {"pilot.toml": "a" * 64}})
    inputs = Inputs(files_of(tmp_path), hashes={"renamed.toml": "a" * 64})
    with pytest.raises(Refusal, match="learnt from in an update before"):
        update(inputs, borrow=1.0, stored=again)
    human = replace(made, manifest={**made.manifest, "stages": {"human": {}}})
    monkeypatch.setattr(updating, "learnt_trials", lambda: {"private": None})
    with pytest.raises(Refusal, match="count twice"):
        update(Inputs(files_of(tmp_path)), borrow=1.0, stored=human)
    assert update(Inputs(files_of(tmp_path)), borrow=0.0, stored=human).record["borrow"] == 0.0


def test_draws_are_picked_by_their_weights() -> None:
    weights = np.array([0.5, 0.25, 0.125, 0.125])
    assert np.bincount(equal_draws(weights, 8, 0.5)).tolist() == [4, 2, 1, 1]
    assert equal_draws(np.full(5, 0.2), 5, 0.9).tolist() == [0, 1, 2, 3, 4]


def test_equal_weights_change_nothing() -> None:
    found = smoothed(np.zeros(50))
    assert found.reliable and found.effective == pytest.approx(50.0)
    start = prior_draws(50)
    assert all(abs(one["contraction"]) < 1e-9 for one in contractions(start, found).values())
    assert np.array_equal(whole(start, np.arange(50)).values_of(NAME), start.prior_of(NAME))


def test_too_few_draws_are_never_trusted() -> None:
    assert not smoothed(np.linspace(0.0, 1.0, 12)).reliable


def test_data_that_no_draw_allows_are_refused() -> None:
    with pytest.raises(Refusal, match="no draw"):
        smoothed(np.full(30, -np.inf))


def test_without_arviz_the_extra_is_named(monkeypatch) -> None:
    def missing(name: str):
        raise ImportError(f"No module named {name!r}")

    monkeypatch.setattr(importance, "import_module", missing)
    with pytest.raises(Refusal, match="arviz") as caught:
        update(Inputs(opinions={NAME: ()}), borrow=1.0)
    assert "mesolung[fit]" in str(caught.value)


@pytest.mark.parametrize("borrow", [-0.1, 1.5])
def test_a_borrow_outside_0_to_1_is_refused(borrow: float) -> None:
    with pytest.raises(Refusal, match="no borrow"):
        update(Inputs(opinions={NAME: ()}), borrow=borrow)


def test_nothing_to_learn_from_is_refused() -> None:
    with pytest.raises(Refusal, match="nothing to learn from"):
        update(Inputs(), borrow=1.0)


def test_a_shape_without_a_number_is_written_as_none() -> None:
    assert Weights(np.full(4, 0.25), float("inf")).shape is None
