"""Carriers are weighed by what they predict; where data cannot tell them apart the prior decides."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from mesolung.biology.parameters import read_parameters
from mesolung.calibration.posterior.ensemble import Ensemble
from mesolung.calibration.posterior.experiments import Told
from mesolung.calibration.posterior.likelihoods import by_laboratory, log_likelihood
from mesolung.calibration.posterior.sizing import SIZES, chance_of_none, sizes_given
from mesolung.calibration.posterior.spikes import copied, scores, systematic, value_of
from mesolung.calibration.posterior.stacking import (
    Predictive,
    floored,
    left_out,
    prior_weights,
    stacked,
    steadied,
)
from mesolung.calibration.posterior.store import CARRIERS, variants_of
from mesolung.calibration.relations.relation import EFFECT, Relation

PRIOR = np.array([0.1, 0.2, 0.3, 0.4])


def relation(published: object, measure: str, **others: object) -> Relation:
    """A relation of an invented study."""
    made = Relation(
        "study",
        0,
        (),
        "animal",
        "two-sided quantitative",
        EFFECT,
        1,
        "il6@1d",
        "ratio",
        0.5,
        None,
        None,
        "seen",
    )
    return replace(made, published=published, measure=measure, **others)  # type: ignore[arg-type]


def told(one: Relation, values: list[float], **others: object) -> Told:
    """What members give for it."""
    made = np.array(values)
    found = Told(one, made, 1.0, np.ones(made.size), np.empty((0, made.size)), -1)
    return replace(found, **others)  # type: ignore[arg-type]


def test_variants_that_predict_alike_keep_their_prior_weights() -> None:
    alike = np.random.default_rng(1).normal(size=(30, 1)) * np.ones((1, 4))
    assert stacked(alike, PRIOR) == pytest.approx(PRIOR, abs=1e-8)


def test_the_variant_that_predicts_best_gains_and_none_is_lost() -> None:
    log_predictive = np.zeros((30, 4))
    log_predictive[:, 1] = 1.0
    found = stacked(log_predictive, PRIOR)
    assert found[1] > 0.7
    assert found.min() > 0.0 and found.sum() == pytest.approx(1.0)


def test_no_carrier_falls_below_five_percent_on_or_off() -> None:
    on = np.array([[0, 1, 0, 1], [0, 0, 1, 1]], bool)
    found = floored(np.array([0.97, 0.01, 0.01, 0.01]), on)
    assert found[on[0]].sum() >= 0.05 - 1e-9 and found[on[1]].sum() >= 0.05 - 1e-9
    other = floored(np.array([0.001, 0.001, 0.001, 0.997]), on)
    assert other[~on[0]].sum() >= 0.05 - 1e-9 and other[~on[1]].sum() >= 0.05 - 1e-9
    assert floored(PRIOR, on) == pytest.approx(PRIOR)


def test_a_laboratory_is_predicted_from_the_others() -> None:
    # Members of "b" fit laboratory two only as they have learnt from it: left out, they predict it badly.
    variant = ["a"] * 200 + ["b"] * 200
    random = np.random.default_rng(2)
    own = {"one": random.normal(0.0, 0.01, 400), "two": np.concatenate([np.full(200, -1.0), np.zeros(200)])}
    own["two"][200:300] = -8.0
    with_all = left_out(own, variant, 0.0).log
    without = left_out(own, variant, 1.0).log
    assert without[1, 1] < with_all[1, 1]
    assert without[1, 0] == pytest.approx(-1.0, abs=1e-6)


def crowd(
    random: np.random.Generator, count: int = 512
) -> tuple[np.ndarray, list[str], np.ndarray, np.ndarray]:
    """Members with carriers on by chance: flags, labels, and of the labels the carriers on and the prior."""
    chances = np.array([0.8, 0.6, 0.6, 0.6, 0.6])
    flags = random.random((count, chances.size)) < chances
    labels = ["".join("ny"[int(f)] for f in row) for row in flags]
    names = sorted(set(labels))
    on = np.array([[name[c] == "y" for name in names] for c in range(chances.size)])
    return flags, labels, on, prior_weights(on, chances)


def test_the_luck_of_few_members_is_no_evidence_for_their_variant() -> None:
    # What tells members apart has nothing to do with carriers: some fit all laboratories better than others.
    steady, raw = [], []
    for seed in range(3):
        random = np.random.default_rng(seed)
        _, labels, on, prior = crowd(random)
        better = random.normal(0.0, 0.2, len(labels))
        own = {f"laboratory {k}": better + random.normal(0.0, 1.0, len(labels)) for k in range(49)}
        found = left_out(own, labels, 0.0)
        weights = stacked(steadied(found, on), prior)
        assert np.abs(on @ weights - on @ prior).max() < 0.1, "no carrier gains by it"
        steady.append((weights / prior).max())
        raw.append((stacked(found.log, prior) / prior).max())
    assert max(steady) < 2.0
    assert max(raw) > 5.0, "without steadying, variants of a few lucky members would win"


def test_what_many_members_show_survives_the_steadying() -> None:
    # A carrier that helps only where another is off: no main effect, and every variant has its members.
    random = np.random.default_rng(6)
    flags, labels, on, prior = crowd(random, 4096)
    gain = np.where(flags[:, 1] & ~flags[:, 2], 1.5, 0.0)
    own = {f"laboratory {k}": gain + random.normal(0.0, 0.3, len(labels)) for k in range(49)}
    weights = stacked(steadied(left_out(own, labels, 0.0), on), prior)
    assert weights[on[1] & ~on[2]].sum() > prior[on[1] & ~on[2]].sum() + 0.3


def test_a_number_without_error_is_left_as_it_is() -> None:
    on = np.array([[0, 1, 0, 1], [0, 0, 1, 1]], bool)
    own = np.array([[0.0, 1.0, 0.5, -2.0]])
    assert steadied(Predictive(own, np.zeros((1, 4))), on) == pytest.approx(own, abs=1e-6)


def test_the_priors_weights_are_products_of_chances() -> None:
    on = np.array([[0, 1, 0, 1], [0, 0, 1, 1]], bool)
    assert prior_weights(on, np.array([0.6, 0.8])) == pytest.approx([0.08, 0.12, 0.32, 0.48])


def test_a_laboratorys_own_effect_makes_its_results_less_telling() -> None:
    study = [told(replace(relation(0.5, "ratio"), observation=k), [0.5, 1.0]) for k in range(3)]
    found = by_laboratory(study, 0.3)["study"]
    apart = np.sum([log_likelihood(one, 0.0, 0.3) for one in study], axis=0)
    assert 0.0 < found[0] - found[1] < float(apart[0] - apart[1])


def test_directions_orders_and_sizes_favour_members_that_show_them() -> None:
    lower = log_likelihood(told(relation("lower", "direction"), [-5.0, 0.0, 5.0]), 0.0, 0.3)
    assert lower[0] > lower[1] > lower[2]
    none = log_likelihood(told(relation("none", "direction"), [-5.0, 0.0, 5.0]), 0.0, 0.3)
    assert none[1] > none[0] == pytest.approx(none[2])
    size = log_likelihood(told(relation(0.5, "ratio", low=0.4, high=0.6), [0.5, 1.0, math.nan]), 0.0, 0.3)
    assert size[0] > size[1] and size[2] == 0.0
    order = told(relation(("a", "b"), "order"), [0.0, 0.0], orders=np.array([[1.0, 2.0], [2.0, 1.0]]))
    found = log_likelihood(order, 0.0, 0.3)
    assert found[0] > found[1]


def test_copies_keep_what_is_off_off_and_the_spread() -> None:
    table = read_parameters()
    start = Ensemble(table, 400)
    names = ["gain_EV", "gain_niche", "secrete_PGE2"]
    noise = np.random.default_rng(3).normal(size=(400, 3))
    of = np.random.default_rng(4).integers(0, 400, 400)
    made = copied(start, names, of, np.ones(400), np.ones(400, bool), noise)
    assert np.array_equal(made.values("gain_EV") == 0.0, start.values("gain_EV")[of] == 0.0)
    before = np.log(start.values("secrete_PGE2"))
    after = np.log(made.values("secrete_PGE2"))
    assert after.std() == pytest.approx(before.std(), rel=0.15)
    assert set(variants_of(made)) <= set(variants_of(start))
    assert all(carrier in table for carrier in CARRIERS)


def test_scores_and_values_undo_each_other() -> None:
    table = read_parameters()
    start = Ensemble(table, 64)
    for name in ("gain_EV", "secretion_resting", "gain_clearance", "k_PGE2"):
        values = start.values(name)
        assert value_of(table[name], scores(table[name], values)) == pytest.approx(values)


def test_picking_is_in_proportion() -> None:
    assert np.bincount(systematic(np.array([1.0, 0.0, 3.0]), 8, 0.5)).tolist() == [2, 0, 6]


def test_trials_that_say_nothing_leave_the_null_at_its_prior() -> None:
    row = read_parameters()["human_effect"]
    none = float(row.uncertainty.split(";")[0])
    flat = np.zeros((len(SIZES), 5))
    assert chance_of_none(row, flat) == pytest.approx(np.full(5, none))
    u = (np.arange(2000) + 0.5) / 2000
    found = sizes_given(row, np.zeros((len(SIZES), 2000)), u)
    assert (found == 0.0).mean() == pytest.approx(none, abs=0.01)
    assert np.median(found[found > 0.0]) == pytest.approx(row.value, rel=0.05)


def test_no_trial_makes_an_effect_or_its_absence_certain() -> None:
    row = read_parameters()["human_effect"]
    strong = np.array([[-50.0], [-10.0], [0.0], [-5.0]])
    assert chance_of_none(row, strong) == pytest.approx([0.05])
    assert chance_of_none(row, -strong) == pytest.approx([0.95], abs=0.9)
    against = np.array([[0.0], [-50.0], [-50.0], [-50.0]])
    assert chance_of_none(row, against) == pytest.approx([0.95], abs=0.1)
    sized = sizes_given(row, np.repeat(strong, 1000, axis=1), (np.arange(1000) + 0.5) / 1000)
    assert 0.5 < np.median(sized[sized > 0.0]) < 2.0


def test_a_trial_is_left_out_without_running_any(tmp_path, monkeypatch) -> None:
    import csv

    from mesolung.calibration.posterior import leaving_out
    from mesolung.calibration.posterior.sizing import TRIALS, _text
    from mesolung.calibration.posterior.store import Stored

    trials = {
        "helps": np.repeat(np.array([[0.0], [2.0], [5.0], [5.0]]), 300, axis=1),
        "quiet": np.zeros((len(SIZES), 300)),
    }
    stored = Stored(tmp_path, {"human": {"seed": 1, "draws": 300}}, {}, {"human": {TRIALS: _text(trials)}})
    monkeypatch.setattr(leaving_out, "read_store", lambda folder: stored)
    assert leaving_out.trials_of(tmp_path).keys() == trials.keys()
    whole = leaving_out.human_effect_without("no such trial", tmp_path)
    without = leaving_out.human_effect_without("helps", tmp_path)
    same = leaving_out.human_effect_without("quiet", tmp_path)
    assert (whole == 0.0).mean() < 0.15 < (without == 0.0).mean()
    assert np.array_equal(whole, same)
    assert len(list(csv.reader(_text(trials).splitlines()))) == 1 + 2 * len(SIZES)
