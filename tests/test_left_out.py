"""A trial that is scored tells nothing of its own prediction; a leak, a swapped arm or a bad weight shows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.planted import trial

from mesolung.calibration.importance import Weights, smoothed
from mesolung.calibration.validation.by_draw import by_draw
from mesolung.calibration.validation.leave_one_out import leave_one_out, with_record
from mesolung.calibration.validation.left_out import (
    CARE,
    HUMAN,
    kind_of,
    leave_out,
    log_weights_without,
    picked_subject,
    picks_of,
)
from mesolung.calibration.validation.lines import Subject, lines_of
from mesolung.calibration.validation.predicted import Bases, Predicted
from mesolung.calibration.validation.scoring import blocks_of
from mesolung.calibration.validation.told_by import care_by_draw, effects_by_draw
from mesolung.calibration.validation.validate import score
from mesolung.calibration.validation.widths import widths_of
from mesolung.report.validation import validation_html
from mesolung.study import read_study
from mesolung.study.basis import Basis

DRAWS = 400
# Draws of an effect that all planted trials share: natural log of the risk ratio.
EFFECT = np.random.default_rng(7).normal(0.0, 0.4, DRAWS)
DISCREPANCY = 0.1
COHORT = """schema = 1
name = "{name}"
disease = "covid19-ards"
duration = "28 d"
[population]
size = {n}
[[arm]]
name = "patients"
size = {n}
[[endpoint]]
name = "mortality"
time = "28 d"
[[observation]]
arm = "patients"
endpoint = "mortality"
time = "28 d"
events = {events}
n = {n}
"""


def planted(folder: Path, name: str, effect: float, n: int = 200, control: float = 0.4, swap: bool = False):
    """A trial whose true log risk ratio is ``effect``, predicted by draws of it."""
    folder.mkdir(exist_ok=True)
    treated = np.clip(control * np.exp(EFFECT), 0.0, 0.99)
    events = (round(n * min(control * float(np.exp(effect)), 0.99)), round(n * control))
    shown = (events[1], events[0]) if swap else events
    return trial(folder, name, shown, n, (treated, np.full(DRAWS, control)))


def series(folder: Path, effect: float, count: int = 6, **more) -> list[Subject]:
    return [planted(folder, f"trial-{k}", effect, **more) for k in range(count)]


def told_by(subjects) -> dict[str, np.ndarray]:
    return {s.key: effects_by_draw(s, DISCREPANCY) for s in subjects}


def mean_effect(log_weights: np.ndarray) -> float:
    return float(smoothed(log_weights).values @ EFFECT)


def left_out(subjects, **more):
    return leave_out(subjects, human_discrepancy=DISCREPANCY, care_discrepancy=DISCREPANCY, **more)


def test_the_others_tell_the_effect_of_a_trial_that_is_left_out(tmp_path: Path) -> None:
    told = told_by(series(tmp_path, -0.4))
    found = mean_effect(log_weights_without("trial-0", told, ()))
    # Published results are taken as biased towards benefit, so the truth lies nearer to none.
    assert -0.45 < found < -0.15


def test_the_scored_trial_is_not_among_its_own_weights(tmp_path: Path) -> None:
    """What trial 0 saw changes nothing of its weights; were it leaked into them, it would."""
    usual = series(tmp_path / "a", -0.3)
    other = [planted(tmp_path / "b", "trial-0", 0.5), *usual[1:]]
    first, second = told_by(usual), told_by(other)
    assert np.array_equal(
        log_weights_without("trial-0", first, ()), log_weights_without("trial-0", second, ())
    )
    leaked = [mean_effect(np.sum(list(told.values()), axis=0)) for told in (first, second)]
    assert abs(leaked[0] - leaked[1]) > 0.02
    # The others do learn from it.
    assert not np.array_equal(
        log_weights_without("trial-1", first, ()), log_weights_without("trial-1", second, ())
    )
    made = [left_out(subjects).subjects[0].predicted.bases[0].own.expected for subjects in (usual, other)]
    assert np.array_equal(made[0], made[1])


def test_a_trial_of_noise_gains_nothing_from_a_leak(tmp_path: Path) -> None:
    """Trials that only chance parts: predicted from the others they score worse than with a leak."""
    rng = np.random.default_rng(2)
    subjects = [planted(tmp_path, f"trial-{k}", float(rng.normal(0.0, 0.5)), 400) for k in range(6)]
    told = told_by(subjects)
    honest = score(left_out(subjects).subjects, bias="none").json["summary"]["log_score"]["mean"]
    leaked = []
    for subject in subjects:
        picked = picks_of(smoothed(np.asarray(told[subject.key] * 2.0)), subject.key, 0)
        leaked.append(picked_subject(subject, picked))
    assert score(leaked, bias="none").json["summary"]["log_score"]["mean"] > honest + 0.3


def test_taking_a_trial_out_of_what_was_learnt_is_learning_from_the_others(tmp_path: Path) -> None:
    subjects = series(tmp_path, -0.2, n=100)
    subjects[2] = planted(tmp_path, "trial-2", 0.4, 100)
    told = told_by(subjects)
    posterior = smoothed(np.sum(list(told.values()), axis=0))
    picked = np.random.default_rng(1).choice(DRAWS, 4000, p=posterior.values)
    learnt = {name: values[picked] for name, values in told.items()}
    weights = smoothed(log_weights_without("trial-2", learnt, set(learnt)))
    assert weights.reliable
    exact = mean_effect(log_weights_without("trial-2", told, ()))
    assert abs(exact - float(posterior.values @ EFFECT)) > 0.04
    assert float(weights.values @ EFFECT[picked]) == pytest.approx(exact, abs=0.02)


def test_swapped_arms_turn_the_effect_around(tmp_path: Path) -> None:
    right = mean_effect(log_weights_without("trial-0", told_by(series(tmp_path / "a", -0.4)), ()))
    wrong = mean_effect(log_weights_without("trial-0", told_by(series(tmp_path / "b", -0.4, swap=True)), ()))
    assert right < -0.15 and wrong > 0.1


def test_a_trial_whose_weights_cannot_be_trusted_is_named_and_not_scored(tmp_path: Path) -> None:
    """Draws that have learnt a trial by heart know nothing of a world without it."""
    subjects = series(tmp_path, -0.3, 3)
    odd = planted(tmp_path, "odd", 0.9, 4000)
    found = left_out([*subjects, odd], learnt={HUMAN: {"odd"}})
    held = {one.trial: one for one in found.held}
    assert not held["odd"].scored and "odd" not in [s.key for s in found.subjects]
    assert found.record()["refit_needed"] == [name for name, one in held.items() if not one.scored]
    again = left_out(
        [*subjects, odd], learnt={HUMAN: {"odd"}}, refit=lambda name: [odd] if name == "odd" else None
    )
    kept = {one.trial: one for one in again.held}["odd"]
    assert kept.refit and kept.scored and odd in again.subjects


def test_equal_weights_score_as_no_weights(tmp_path: Path) -> None:
    subject = planted(tmp_path, "alone", 0.1)
    found = left_out([subject])
    assert found.held[0].effective == pytest.approx(DRAWS)
    plain, left = (score([s], bias="all").json for s in (subject, found.subjects[0]))
    assert left["observations"] == plain["observations"] and left["items"] == plain["items"]


def test_copies_of_a_draw_stand_in_one_block() -> None:
    values = np.zeros(100)
    values[[10, 40, 41, 90]] = [0.1, 0.2, 0.3, 0.4]
    picked = picks_of(Weights(values, 0.0), "x", 0)
    block, _ = blocks_of(100, 100)
    assert np.bincount(picked, minlength=100)[[10, 40, 41, 90]].tolist() == [10, 20, 30, 40]
    assert all(len(set(block[picked == d])) <= np.ceil(values[d] * 20) + 1 for d in (10, 40, 41, 90))


def test_all_that_scores_read_follows_the_picked_draws(tmp_path: Path) -> None:
    subject = planted(tmp_path, "x", 0.0)
    basis = Basis(
        np.arange(4.0), np.arange(4.0), np.arange(4.0), np.arange(4.0), np.arange(4.0),
        {"a": np.arange(4.0)}, np.zeros(1),
    )  # fmt: skip
    held = replace(subject, predicted=Predicted({0: Bases(basis, basis, basis)}, draws=4))
    found = picked_subject(held, np.array([3, 3, 0, 1])).predicted.bases[0]
    for one in (found.own, found.control, found.level):
        assert one is not None
        for values in (one.expected, one.spread, one.simulated, one.p_values, one.shifts, one.orders["a"]):
            assert values.tolist() == [3.0, 3.0, 0.0, 1.0]
        assert one.least.size == 1


def cohort(folder: Path, name: str, share: float, n: int = 500) -> Subject:
    folder.mkdir(exist_ok=True)
    file = folder / f"{name}.toml"
    file.write_text(COHORT.format(name=name, n=n, events=round(share * n)), encoding="utf-8")
    risk = np.clip(0.35 * np.exp(EFFECT), 0.0, 0.99)
    own = Basis(expected=risk, spread=risk * (1.0 - risk))
    return Subject(name, read_study(file), Predicted({0: Bases(own)}, draws=DRAWS, about={}), {})


def test_usual_care_is_told_by_other_studies_of_it(tmp_path: Path) -> None:
    cohorts = [cohort(tmp_path, f"c{k}", share) for k, share in enumerate((0.25, 0.3, 0.28, 0.32))]
    assert {kind_of(s.study) for s in cohorts} == {CARE}
    assert kind_of(planted(tmp_path, "t", 0.0).study) == HUMAN
    told = {s.key: care_by_draw(s, 0.1) for s in cohorts}
    weights = smoothed(log_weights_without("c0", told, ())).values
    risk = np.clip(0.35 * np.exp(EFFECT), 0.0, 0.99)
    assert float(weights @ risk) == pytest.approx(0.3, abs=0.02)
    found = left_out(cohorts)
    lines = [line for s in found.subjects for line in lines_of(s, ())]
    widths = widths_of(lines)
    assert widths["results"] == len(lines) and widths["ratio"] > 0.0
    assert 0.0 <= widths["pit_flat"] <= 1.0


def test_a_level_that_no_draw_reaches_outvotes_nothing(tmp_path: Path) -> None:
    """One in twenty results may say nothing of the model, so that a far one tells all draws nearly alike."""
    far = care_by_draw(cohort(tmp_path, "far", 0.002, 5000), 0.1)
    near = care_by_draw(cohort(tmp_path, "near", 0.3), 0.1)
    assert np.ptp(far) < np.ptp(near)


def test_the_page_says_that_trials_were_left_out(tmp_path: Path) -> None:
    subjects = series(tmp_path, -0.2, 4)
    found, record = leave_one_out([], subjects, bias="none", draws=DRAWS)
    json = with_record(score(found.subjects, bias="none").json, record)
    assert {one["trial"] for one in json["leave_one_out"]["trials"]} == {s.key for s in subjects}
    page = validation_html(json, "mesolung validate trials --leave-one-out")
    assert "was predicted from all others of its kind" in page and "Left out in turn" in page


def test_bias_by_design_is_integrated_out_of_what_a_trial_says(tmp_path: Path) -> None:
    """An open trial says less of a draw than a blinded one does, and its mean is moved towards none."""
    from mesolung.calibration.validation.bias import chosen

    subject = planted(tmp_path, "open", -0.4)
    plain = by_draw([subject], (), DRAWS)
    biased = by_draw([subject], chosen("small_study"), DRAWS)
    assert plain.used == (("open", 0), ("open", 1)) and plain.power == 1.0
    assert mean_effect(biased.values) > mean_effect(plain.values) + 0.01
    assert biased.values.max() - np.median(biased.values) < plain.values.max() - np.median(plain.values)
