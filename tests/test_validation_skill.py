"""Skill is claimed only of a model that beats every constant effect on its own control arm."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.planted import DRAWS, trial, trials

from mesolung.calibration.validation.baselines import BASELINES, CONSTANT, POOLED, SHRUNKEN
from mesolung.calibration.validation.bias import spread_out
from mesolung.calibration.validation.published import expected_of_next, published_effects
from mesolung.calibration.validation.skill import Difference, verdict
from mesolung.calibration.validation.validate import score


def draws(sd: float) -> np.ndarray:
    return np.exp(sd * spread_out("planted", DRAWS))


def skill(subjects):
    return score(subjects, bias="none").json["skill"]["cells"]


def test_a_model_without_any_effect_is_the_constant_of_one(tmp_path: Path) -> None:
    found = skill(trials(tmp_path, 8, 60, 1.0, lambda control: control))
    assert found[CONSTANT]["mean"] == pytest.approx(0.0, abs=1e-12)
    first = score(trials(tmp_path, 8, 60, 1.0, lambda c: c), bias="none").json["headline"]
    assert "not distinguishable from a constant effect" in first


def test_a_model_that_knows_each_trial_s_effect_shows_skill(tmp_path: Path) -> None:
    """Half of the trials harm and half help, which no constant effect can tell."""
    harm = trials(tmp_path, 12, 400, 1.5, lambda control: np.minimum(1.5 * control, 0.99))
    help_ = [
        replace(s, key=f"other-{s.key}", study=s.study.model_copy(update={"name": f"other {s.key}"}))
        for s in trials(tmp_path, 12, 400, 0.6, lambda control: 0.6 * control, seed=2)
    ]
    json = score([*harm, *help_], bias="none").json
    assert all(one["verdict"] == "better" for one in json["skill"]["cells"].values())
    assert "predicted better than a constant effect" in json["headline"]


def test_a_model_that_is_sure_of_a_wrong_effect_is_told_to_be_worse(tmp_path: Path) -> None:
    json = score(trials(tmp_path, 20, 200, 1.0, lambda control: 0.5 * control), bias="none").json
    assert json["skill"]["cells"][CONSTANT]["verdict"] == "worse"
    assert "predicted worse than a constant effect" in json["headline"]


def test_an_overconfident_model_scores_worse_than_an_honest_one(tmp_path: Path) -> None:
    """Both expect a risk ratio of 0.75; it is 1. One says how little it knows."""
    honest = skill(
        trials(tmp_path, 20, 150, 1.0, lambda control: np.minimum(0.75 * draws(0.4) * control, 0.99))
    )
    sure = skill(trials(tmp_path, 20, 150, 1.0, lambda control: 0.75 * control))
    assert sure[CONSTANT]["mean"] < honest[CONSTANT]["mean"] - 0.5


def test_a_constant_effect_is_found_by_pooling_and_then_nothing_is_gained(tmp_path: Path) -> None:
    """Where all trials share one effect, the model that knows it gains on no effect, not on pooling."""
    found = skill(trials(tmp_path, 20, 300, 0.7, lambda control: 0.7 * control))
    assert found[CONSTANT]["verdict"] == "better"
    assert abs(found[POOLED]["mean"]) < 0.25
    assert found[SHRUNKEN]["mean"] > found[POOLED]["mean"]


def test_the_trial_that_is_scored_is_not_pooled(tmp_path: Path) -> None:
    subjects = trials(tmp_path, 6, 100, 0.8, lambda control: control)
    effects = [e for s in subjects for e in published_effects(s.study)]
    own = [e for e in effects if e.trial != "trial-03"]
    found = expected_of_next(effects, "trial-03", "cells", "mortality", 672.0)
    again = expected_of_next(own, "trial-03", "cells", "mortality", 672.0)
    assert found == again and found is not None and found.trials == len(own)
    assert expected_of_next(effects[:2], effects[0].trial, "cells", "mortality", 672.0) is None


def test_files_of_one_registry_number_are_one_trial(tmp_path: Path) -> None:
    subjects = trials(tmp_path, 6, 100, 0.8, lambda control: control)
    same = [replace(s, study=s.study.model_copy(update={"registry": "NCT00000000"})) for s in subjects]
    assert skill(same)[CONSTANT]["trials"] == 1
    assert np.isnan(skill(same)[CONSTANT]["error"])


def test_few_trials_claim_nothing() -> None:
    clear = Difference(3.0, 0.1, 0.1, 4)
    assert clear.verdict == 0 and replace(clear, trials=5).verdict == 1
    assert replace(clear, trials=5, mean=0.25).verdict == 0
    assert replace(clear, trials=5, monte_carlo=2.0).verdict == 0
    better = dict.fromkeys(BASELINES, replace(clear, trials=9))
    assert verdict(better) == 1  # pyright: ignore[reportArgumentType]
    assert verdict({**better, POOLED: replace(clear, trials=9, mean=0.0)}) == 0
    assert verdict({**better, POOLED: replace(clear, trials=9, mean=-3.0)}) == -1
    assert verdict({}) == 0


def test_without_a_treated_arm_nothing_is_said_of_an_effect(tmp_path: Path) -> None:
    risk = 0.4 * draws(0.1)
    one = trial(tmp_path, "cohort", (3, 4), 10, (risk, risk))
    alone = one.study.model_copy(update={"observations": one.study.observations[1:]})
    json = score([replace(one, study=alone)]).json
    assert json["headline"].startswith("No treated arm")
    assert json["skill"] == {} and len(json["observations"]) == 1


def test_what_is_not_modelled_is_counted_and_never_scored(tmp_path: Path) -> None:
    risk = 0.4 * draws(0.1)
    one = trial(tmp_path, "half", (3, 4), 10, (risk, risk))
    half = replace(one.predicted, bases={1: one.predicted.bases[1]}, not_modelled={0: "waits"})
    json = score([replace(one, predicted=half)]).json
    assert json["not_modelled"] == {"observations": 1, "reasons": {"waits": 1}}
    assert [line["index"] for line in json["observations"]] == [1]
    assert json["summary"]["observations"] == 1
