"""Bias moves what a study would publish towards benefit, can be switched off, and enters no prediction."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.planted import DRAWS, trial, trials

from mesolung.biology.tables import endpoints
from mesolung.calibration.validation.bias import bias_of, biases, chosen, spread_out
from mesolung.calibration.validation.effect import Effect, moved
from mesolung.calibration.validation.lines import lines_of
from mesolung.calibration.validation.predicted import Bases
from mesolung.calibration.validation.validate import score
from mesolung.reading import Refusal
from mesolung.study.basis import Basis

RISK = 0.4 * np.exp(0.1 * spread_out("planted", DRAWS))


def expected(subject, bias: str) -> list[float]:
    return [float(np.mean(line.basis.expected)) for line in lines_of(subject, chosen(bias))]


def test_bias_moves_the_treated_arm_alone(tmp_path: Path) -> None:
    one = trial(tmp_path, "small", (3, 4), 15, (RISK, RISK))
    assert expected(one, "none") == pytest.approx([RISK.mean(), RISK.mean()])
    treated, control = expected(one, "small_study")
    assert control == pytest.approx(RISK.mean()) and treated < 0.9 * RISK.mean()


def test_a_small_study_is_moved_more_than_a_large_one(tmp_path: Path) -> None:
    small, large = (
        expected(trial(tmp_path, f"of-{n}", (n // 4, n // 3), n, (RISK, RISK)), "small_study")[0]
        for n in (12, 1200)
    )
    assert small < large < RISK.mean() and large > 0.95 * RISK.mean()


def test_each_term_has_its_studies(tmp_path: Path) -> None:
    designs = {
        "both": trial(tmp_path, "a", (3, 4), 15, (RISK, RISK)),
        "loose": trial(tmp_path, "b", (3, 4), 15, (RISK, RISK), blinded=False, randomised=False),
    }
    for name, subject in designs.items():
        one = subject.study.observations[0]

        def of(term: str, subjective: bool, subject=subject, one=one) -> bool:
            return bias_of(chosen(term), subject.study, one, subjective, "t", DRAWS) is not None

        assert of("open_label", True) is (name == "loose") and not of("open_label", False)
        assert of("confounding", False) is (name == "loose")
        assert of("small_study", False)
    assert not chosen("none") and len(chosen("all")) == len(biases()) == 3


def test_every_size_has_a_source() -> None:
    assert all(b.source and b.status and b.mean < 0 < b.sd for b in biases().values())


def test_the_headline_is_told_with_and_without_each_term(tmp_path: Path) -> None:
    subjects = trials(tmp_path, 8, 20, 0.6, lambda control: control)
    json = score(subjects, bias="none").json
    assert set(json["skill_by_bias"]) == {"none", "all", *biases()}
    assert json["skill_by_bias"]["none"] == json["skill"]
    assert json["skill_by_bias"]["all"] != json["skill"]


def test_bias_alone_explains_small_trials_that_seem_to_help(tmp_path: Path) -> None:
    """A model of no effect scores better where trials are small and drawn with that very bias."""
    subjects = trials(tmp_path, 30, 25, 0.62, lambda control: control)
    without = score(subjects, bias="none").json["summary"]["log_score"]["mean"]
    assert score(subjects, bias="small_study").json["summary"]["log_score"]["mean"] > without


def test_the_predictions_themselves_are_never_moved(tmp_path: Path) -> None:
    one = trial(tmp_path, "kept", (3, 4), 15, (RISK.copy(), RISK.copy()))
    score([one], bias="all")
    assert np.array_equal(one.predicted.bases[0].own.expected, RISK)


def test_an_unknown_bias_is_refused() -> None:
    with pytest.raises(Refusal, match="unknown bias") as told:
        chosen("hope")
    assert "small_study" in str(told.value)


@pytest.mark.parametrize("endpoint", ["mortality", "survival", "pf_ratio", "il6"])
def test_benefit_goes_the_way_that_is_better(tmp_path: Path, endpoint: str) -> None:
    row = endpoints()[endpoint]
    binary = row.type == "binary"
    level = np.full(DRAWS, 0.4 if binary else 100.0)
    basis = Basis(expected=level, spread=np.full(DRAWS, 400.0), simulated=level.copy())
    one = trial(tmp_path, "way", (3, 4), 15, (RISK, RISK)).study.observations[0]
    one = one.model_copy(update={"endpoint": endpoint, "form": "events" if binary else "mean"})
    effect = Effect(np.full(DRAWS, -0.5), np.zeros(DRAWS))
    shifted = moved(Bases(basis, basis, basis, (15.0, 15.0)), basis, one, row, effect)
    up = shifted.expected.mean() > level.mean()
    assert up is (row.better == "higher") or bool(up) == (row.better == "higher")


def test_a_contrast_and_a_direction_move_as_their_arms_do(tmp_path: Path) -> None:
    more = """[[observation]]
arm = "cells"
versus = "none"
endpoint = "mortality"
time = "28 d"
contrast = "risk_ratio"
value = 0.8
ci95 = [0.5, 1.28]
[[observation]]
arm = "cells"
versus = "none"
endpoint = "mortality"
time = "28 d"
direction = "none"
"""
    one = trial(tmp_path, "pair", (3, 4), 50, (RISK, RISK), more=more)
    ratio, direction = one.study.observations[2:]
    row, level = endpoints()["mortality"], Basis(expected=RISK, spread=RISK * (1 - RISK))
    effect = Effect(np.full(DRAWS, -0.2), np.full(DRAWS, -0.5))
    bases = Bases(Basis(expected=np.ones(DRAWS)), None, level, (50.0, 50.0))
    assert moved(bases, bases.own, ratio, row, effect).expected == pytest.approx(
        np.exp(-0.2 - 0.5 * np.log(1.28 / 0.5) / 3.92), rel=1e-3
    )
    flat = Basis(p_values=np.ones(DRAWS), shifts=np.zeros(DRAWS))
    z = moved(bases, flat, direction, row, effect)
    assert np.all(z.shifts == -1) and np.all(z.p_values < 1)


def test_the_open_label_term_acts_on_what_people_judge_and_decide(tmp_path: Path) -> None:
    names = [name for name, row in endpoints().items() if row.subjective]
    assert {"ventilation_or_death", "ventilator_free_days", "discharged", "hospital_days"} <= set(names)
    assert not {"mortality", "pf_ratio", "il6", "viral_load"} & set(names)

    def moves(endpoint: str, blinded: bool) -> float:
        subject = trial(tmp_path, f"{endpoint}-{blinded}", (3, 4), 15, (RISK, RISK), blinded=blinded)
        seen = [one.model_copy(update={"endpoint": endpoint}) for one in subject.study.observations]
        other = replace(subject, study=subject.study.model_copy(update={"observations": tuple(seen)}))
        treated, control = expected(other, "open_label")
        assert control == pytest.approx(RISK.mean())
        return treated / float(RISK.mean())

    assert moves("ventilation_or_death", False) < 0.97 and moves("discharged", False) > 1.03
    assert moves("ventilation_or_death", True) == moves("mortality", False) == pytest.approx(1.0)
