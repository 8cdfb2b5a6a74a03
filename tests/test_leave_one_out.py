"""A trial that the posterior has learnt from is predicted anew without it; what cannot be is not scored."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from tests.planted import trial
from tests.whole_posterior import said_to_be_whole

from mesolung.biology.parameters import read_parameters
from mesolung.calibration.posterior import leaving_out
from mesolung.calibration.posterior.forward_human import HUMAN_EFFECT, SIZES, Human
from mesolung.calibration.posterior.leaving_out import human_effect_without
from mesolung.calibration.posterior.outcome import Outcome
from mesolung.calibration.posterior.sizing import TRIALS, _text, sizes_given, together
from mesolung.calibration.posterior.stages import stages
from mesolung.calibration.posterior.store import Stored, with_stage, write_store
from mesolung.calibration.validation import folder as validated
from mesolung.calibration.validation import leave_one_out as leaving
from mesolung.calibration.validation import left_out
from mesolung.calibration.validation.folder import Bench, File, predict_folder
from mesolung.calibration.validation.leave_one_out import leave_one_out, stage_of_care
from mesolung.calibration.validation.left_out import CARE, HUMAN, PREDICTED_ANEW, REFIT_NEEDED
from mesolung.calibration.validation.lines import Subject
from mesolung.calibration.validation.predicted import Bases, Predicted
from mesolung.calibration.validation.published import published_effects
from mesolung.calibration.validation.told_by import effects_by_draw
from mesolung.calibration.validation.treatment import trial_of
from mesolung.calibration.validation.validate import score
from mesolung.population import posterior as population
from mesolung.population.draws import TREATMENT_MODULES
from mesolung.population.posterior import Posterior, Source, draws_for
from mesolung.streams import uniforms
from mesolung.study import Study, read_study
from mesolung.study.basis import Basis
from mesolung.study.setting import Setting

# With so few draws no weights can be trusted, and every trial that was learnt from has to be refitted.
FEW, MANY = 24, 400
# The made-up model: the natural log of a trial's risk ratio falls so much per unit of the human effect,
# up to the largest size that the stage stores.
SLOPE, CONTROL = 0.25, 0.4
# Another parameter that the made-up posterior has moved, of the stage before.
OTHER = "k_LPS"
DISCREPANCY = stages()["human"].discrepancy
COHORT = """schema = 1
name = "{name}"
{registry}
disease = "{disease}"
duration = "28 d"
[population]
size = 400
[[arm]]
name = "patients"
size = 400
[[endpoint]]
name = "mortality"
time = "28 d"
[[observation]]
arm = "patients"
endpoint = "mortality"
time = "28 d"
events = {events}
n = 400
"""


@dataclass
class World:
    """Studies, a posterior that learnt from some of them, and what was predicted of which draws."""

    place: Path
    files: list[File]
    count: int
    posterior: Posterior | None = None
    predicted: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    compiled: int = 0
    told: list[tuple[str, int, int]] = field(default_factory=list)
    stop_at: int = 10**6

    def predict(self) -> list[Subject]:
        return predict_folder(self.files, draws=self.count)[0]

    def leave_out(self, subjects: list[Subject] | None = None, bench: Bench | None = None):
        subjects = subjects if subjects is not None else self.predict()
        self.predicted.clear()
        return leave_one_out(
            self.files, subjects, bias="none", draws=self.count, bench=bench,
            progress=lambda *what: self.told.append(what),
        )  # fmt: skip


def beside(count: int) -> np.ndarray:
    """What a member's other parameters add to the log of the ratio, so that no two draws are alike."""
    return 0.05 * np.sin(3.7 * np.arange(count))


def risk(effect: np.ndarray) -> np.ndarray:
    return CONTROL * np.exp(beside(effect.size) - SLOPE * np.minimum(effect, SIZES[-1]))


def a_trial(folder: Path, name: str, events: int, n: int = 60, registry: str = "") -> File:
    """A trial of cells with the deaths of its treated arm, of a control arm as the model has it."""
    folder.mkdir(exist_ok=True, parents=True)
    made = trial(folder, name, (events, round(CONTROL * n)), n, (np.ones(1), np.ones(1)))
    if registry:
        path = folder / f"{name}.toml"
        text = path.read_text(encoding="utf-8").replace("disease", f'registry = "{registry}"\ndisease', 1)
        path.write_text(text, encoding="utf-8")
        return File(name, read_study(path), {})
    return File(name, made.study, {})


def a_cohort(folder: Path, name: str, events: int, disease: str = "ards", registry: str = "") -> File:
    folder.mkdir(exist_ok=True, parents=True)
    path = folder / f"{name}.toml"
    line = f'registry = "{registry}"' if registry else ""
    text = COHORT.format(name=name, events=events, disease=disease, registry=line)
    path.write_text(text, encoding="utf-8")
    return File(name, read_study(path), {0: "fit"})


def told_of(study: Study, count: int) -> np.ndarray:
    """What the stage of human trials stores of a trial: log likelihood by size and member."""
    effects = published_effects(study)
    human = Human(DISCREPANCY)
    expected = [np.tile(beside(count) - SLOPE * size, (len(effects), 1)) for size in SIZES]
    return np.stack([human.of_effects(study, effects, one) for one in expected])


def store(folder: Path, trials: list[Study], count: int, done: tuple[str, ...]) -> Posterior:
    """A posterior whose last stage learnt from trials, as `mesolung calibrate` writes one."""
    table = read_parameters()
    told = {trial_of(one): told_of(one, count) for one in trials}
    u = uniforms(1, "calibrate:human:size", 0, count)
    moved = {
        "endotoxin": {OTHER: np.linspace(0.5, 2.0, count) * table[OTHER].value},
        "human": {HUMAN_EFFECT: sizes_given(table[HUMAN_EFFECT], together(told, count), u)},
    }
    made = Stored(folder)
    for name in done:
        record = {
            "stage": name, "about": "test", "identity": "0", "seed": 1, "draws": count, "seconds": 1.0,
            "parameters_numbers": population.numbers_digest(table), "date": "2026-01-01", "numbers": 0,
            "modules_sha256": population.modules_digest(), "moved_count": 1,
            "inside_90_before": None, "inside_90_after": None, "checks": [],
        }  # fmt: skip
        values = {n: np.array([float(f"{x:.7g}") for x in v]) for n, v in moved.get(name, {}).items()}
        files = {TRIALS: _text(told)} if name == "human" else {}
        made = with_stage(made, name, record, Outcome(values, [], {}, files))
    write_store(made, table, count, {"command": "test", "seed": 1, "date": "2026-01-01"})
    return said_to_be_whole(folder)


@pytest.fixture
def world(tmp_path, monkeypatch):
    """Makes worlds in which studies are predicted by a made-up model of the human effect, not simulated."""
    number = iter(range(100))

    def make(
        files: list[File],
        count: int = FEW,
        learnt: list[str] | None = None,
        done: tuple[str, ...] = ("endotoxin", "human"),
    ) -> World:
        place = tmp_path / f"world-{next(number)}"
        found = World(place, files, count)
        monkeypatch.setenv("MESOLUNG_CACHE", str(place / "cache"))
        monkeypatch.setattr(population, "folder_of_posterior", lambda: place / "posterior")
        monkeypatch.setattr(leaving_out, "folder_of_posterior", lambda: place / "posterior")
        if done:
            names = [f.key for f in files] if learnt is None else learnt
            studies = [f.study for f in files if f.key in names and len(f.study.arms) > 1]
            found.posterior = store(place / "posterior", studies, count, done)

        def base_setting(study: Study, *, draws: int, source: Source = "auto", own=None, **_) -> Setting:
            found.compiled += 1
            return Setting(
                study=study, sizes={}, model=SimpleNamespace(kernel_id="kernel"), model_hash="model",  # type: ignore[arg-type]
                diseases={}, draws=draws_for(draws, "x", source, own=own), replicates=draws, scored=draws,
                subjects=1, panel=1, seed=1, workers=1, chunk=1, progress=lambda *_: None,
            )  # fmt: skip

        def predict(study: Study, base: Setting, **_) -> Predicted:
            if len(found.predicted) == found.stop_at:
                raise KeyboardInterrupt
            found.predicted.append((study.name, dict(base.draws.values)))
            return by_law(study, base.draws.values[HUMAN_EFFECT][: base.scored], base.draws.posterior)

        monkeypatch.setattr(validated, "base_setting", base_setting)
        monkeypatch.setattr(validated, "predict", predict)
        return found

    return make


def by_law(study: Study, effect: np.ndarray, name: str) -> Predicted:
    control = np.full(effect.size, CONTROL)
    level = Basis(expected=control, spread=control * (1.0 - control))
    about = {"posterior": name}
    if len(study.arms) == 1:
        level = Basis(expected=control * np.linspace(0.8, 1.2, effect.size), spread=level.spread)
        return Predicted({0: Bases(level)}, draws=effect.size, about=about)
    bases = {
        0: Bases(Basis(expected=risk(effect)), Basis(expected=control), level, (60.0, 60.0)),
        1: Bases(Basis(expected=control), sizes=(60.0, 0.0)),
    }
    return Predicted(bases, draws=effect.size, about=about)


def lines_by_trial(record: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["trial"]: one for one in record["trials"]}


def treated(found, key: str) -> np.ndarray:
    return next(s for s in found.subjects if s.key == key).predicted.bases[0].own.expected


def three(folder: Path, first: int = 12) -> list[File]:
    return [a_trial(folder, f"trial-{k}", events) for k, events in enumerate((first, 15, 18))]


def test_a_trial_is_predicted_anew_with_the_human_effect_that_leaves_it_out(world, tmp_path) -> None:
    """And with nothing else of the posterior changed."""
    here = world(three(tmp_path))
    found, record = here.leave_out()
    assert [name for name, _ in here.predicted] == ["trial-0", "trial-1", "trial-2"]
    usual = draws_for(FEW, "x")
    for name, values in here.predicted:
        without = human_effect_without(name)
        assert np.array_equal(values[HUMAN_EFFECT][:FEW], without)
        assert not np.allclose(without, usual.values[HUMAN_EFFECT])
        same = [n for n in usual.values if not np.array_equal(values[n][:FEW], usual.values[n])]
        assert same == [HUMAN_EFFECT]
        assert np.array_equal(treated(found, name), risk(without))
    assert here.posterior is not None and OTHER in here.posterior.names
    assert {one["by"] for one in record["trials"]} == {"refit"} and record["refit_needed"] == []
    assert record["scored"] == 3 and all(one["learnt"] for one in record["trials"])


@pytest.mark.parametrize("leaked", [False, True])
def test_what_a_trial_published_changes_nothing_of_its_own_prediction(
    world, tmp_path, monkeypatch, leaked: bool
) -> None:
    """Two worlds that only the first trial's deaths part; a leak of them into its own weights shows."""
    if leaked:

        def all_of_them(trial: str) -> np.ndarray:
            return human_effect_without("no such trial")

        monkeypatch.setattr(leaving, "human_effect_without", all_of_them)
    made = []
    for k, deaths in enumerate((4, 40)):
        here = world(three(tmp_path / str(k), deaths))
        found, _ = here.leave_out()
        made.append({s.key: treated(found, s.key) for s in found.subjects})
    one, other = made
    assert np.array_equal(one["trial-0"], other["trial-0"]) is not leaked
    # The others do learn from it.
    assert not np.array_equal(one["trial-1"], other["trial-1"])


@pytest.mark.parametrize("leaked", [False, True])
def test_nor_where_it_is_taken_out_by_weights(world, tmp_path, monkeypatch, leaked: bool) -> None:
    """Weights that may be trusted take the trial's own results out, up to the scatter of the draws."""
    if leaked:
        monkeypatch.setattr(left_out, "log_weights_without", lambda trial, told, learnt: 0.0 * told[trial])
    made, draws = [], []
    for k, first in enumerate((4, 12)):
        place = tmp_path / str(k)
        here = world([a_trial(place, f"trial-{i}", n, 20) for i, n in enumerate((first, 7, 8))], MANY)
        found, record = here.leave_out()
        assert lines_by_trial(record)["trial-0"]["by"] == "weights" and here.predicted == []
        made.append(float(np.log(treated(found, "trial-0")).mean()))
        draws.append(float(np.log(risk(draws_for(MANY, "x").values[HUMAN_EFFECT])).mean()))
    told = abs(draws[0] - draws[1])
    assert told > 0.02
    assert (abs(made[0] - made[1]) < 0.3 * told) is not leaked


def test_only_trials_whose_weights_cannot_be_trusted_are_predicted_anew(world, tmp_path) -> None:
    files = [*three(tmp_path), a_trial(tmp_path, "odd", 60, 3000)]
    here = world(files, MANY)
    found, record = here.leave_out()
    said = lines_by_trial(record)
    assert said["odd"]["by"] == "refit" and said["odd"]["khat"] > 0.7
    anew = [name for name, one in said.items() if one["by"] == "refit"]
    assert [name for name, _ in here.predicted] == anew and len(anew) < len(files)
    assert {s.key for s in found.subjects} == {f.key for f in files}


def test_weights_that_tell_draws_nothing_take_no_trial_out(world, tmp_path) -> None:
    """The stage has learnt from a trial that these predictions say nothing of: it is predicted anew."""
    here = world(three(tmp_path), MANY)
    subjects = here.predict()
    bases = {1: subjects[0].predicted.bases[1]}
    subjects[0] = replace(subjects[0], predicted=replace(subjects[0].predicted, bases=bases))
    _, record = here.leave_out(subjects)
    assert lines_by_trial(record)["trial-0"]["by"] == "refit"


def test_a_trial_whose_refit_cannot_be_had_scores_nowhere(world, tmp_path, monkeypatch) -> None:
    """A stage that was stored with another number of members says nothing of these draws."""

    def shorter(name: str) -> np.ndarray:
        whole = human_effect_without(name)
        return whole[:-1] if name == "trial-1" else whole

    monkeypatch.setattr(leaving, "human_effect_without", shorter)
    here = world(three(tmp_path))
    found, record = here.leave_out()
    assert record["refit_needed"] == ["trial-1"] and record["scored"] == 2
    assert lines_by_trial(record)["trial-1"]["by"] == REFIT_NEEDED
    json = score(found.subjects, bias="none").json
    for part in ("observations", "items", "studies"):
        assert {one["study"] for one in json[part]} == {"trial-0", "trial-2"}


def test_a_trial_that_was_not_learnt_from_has_no_refit(world, tmp_path) -> None:
    here = world(three(tmp_path), learnt=["trial-0"])
    _, record = here.leave_out()
    said = lines_by_trial(record)
    assert [name for name, _ in here.predicted] == ["trial-0"] and said["trial-0"]["by"] == "refit"
    assert record["refit_needed"] == ["trial-1", "trial-2"]
    assert not said["trial-1"]["learnt"] and not said["trial-2"]["learnt"]


def test_draws_of_the_prior_have_learnt_nothing(world, tmp_path) -> None:
    cohorts = [a_cohort(tmp_path, f"c{k}", 140 + 10 * k) for k in range(2)]
    here = world([*three(tmp_path), *cohorts], done=())
    _, record = here.leave_out()
    assert not any(one["learnt"] for one in record["trials"]) and here.predicted == []
    assert len(record["trials"]) == 5


def test_draws_of_another_posterior_have_learnt_nothing_that_is_known(world, tmp_path) -> None:
    here = world(three(tmp_path))
    about = {"posterior": "posterior-of-yours"}
    subjects = [replace(s, predicted=replace(s.predicted, about=about)) for s in here.predict()]
    _, record = here.leave_out(subjects)
    assert not any(one["learnt"] for one in record["trials"]) and here.predicted == []


@pytest.mark.parametrize("done", [("endotoxin",), ("endotoxin", "usual-care")])
def test_without_the_stage_of_human_trials_there_is_no_refit(world, tmp_path, done) -> None:
    here = world(three(tmp_path), done=done)
    _, record = here.leave_out()
    assert not any(one["learnt"] for one in record["trials"]) and here.predicted == []
    assert len(record["refit_needed"]) == 3


def test_usual_care_is_taken_out_where_a_stage_has_learnt_from_it(world, tmp_path) -> None:
    """Of a chronic disease that stage is its own; each study counts in its own kind only."""
    cohorts = [a_cohort(tmp_path, "acute", 160), a_cohort(tmp_path, "years", 20, "copd")]
    assert [stage_of_care(c.study) for c in cohorts] == ["usual-care", "copd"]
    for done, expected in (
        (("endotoxin",), set()),
        (("endotoxin", "usual-care"), {"acute"}),
        (("endotoxin", "usual-care", "copd"), {"acute", "years"}),
    ):
        here = world(cohorts, done=done)
        _, record = here.leave_out()
        assert {one["trial"] for one in record["trials"] if one["learnt"]} == expected


def test_files_of_a_trial_that_are_usual_care_are_left_out_with_usual_care(world, tmp_path) -> None:
    """One registry number may name a trial of cells and a cohort beside it."""
    number = "NCT00000001"
    cohort = a_cohort(tmp_path, "beside", 160, registry=number)
    others = [a_cohort(tmp_path, f"c{k}", 150 + k) for k in range(2)]
    files = [a_trial(tmp_path, "of-cells", 12, registry=number), *three(tmp_path), cohort, *others]
    here = world(files, done=("endotoxin", "usual-care", "human"), learnt=["trial-0", "of-cells"])
    found, record = here.leave_out()
    by = {(one["trial"], one["kind"]): one for one in record["trials"]}
    assert by[number, HUMAN]["by"] == "refit" and by[number, CARE]["learnt"]
    assert [name for name, _ in here.predicted] == ["of-cells", "trial-0"]
    assert by["trial-2", HUMAN]["by"] == REFIT_NEEDED and "trial-2" not in {s.key for s in found.subjects}
    # Too few draws for weights of a cohort, which no refit of the human effect is of.
    assert by[number, CARE]["by"] == REFIT_NEEDED and "beside" not in {s.key for s in found.subjects}
    # That usual care was learnt from says nothing of a trial of cells, and the other way round.
    here = world(files, done=("endotoxin", "usual-care", "human"), learnt=["trial-0"])
    _, record = here.leave_out()
    by = {(one["trial"], one["kind"]): one for one in record["trials"]}
    assert not by[number, HUMAN]["learnt"] and by[number, CARE]["learnt"]


def test_all_files_of_a_trial_are_predicted_anew_together(world, tmp_path) -> None:
    number = "NCT00000002"
    files = [a_trial(tmp_path, f"part-{k}", 12 + k, registry=number) for k in range(2)]
    here = world([*files, *three(tmp_path)])
    found, record = here.leave_out()
    without = risk(human_effect_without(number))
    assert all(np.array_equal(treated(found, f.key), without) for f in files)
    assert len(here.predicted) == 5 and len(record["trials"]) == 4


def test_a_leaving_out_that_was_cut_off_goes_on_where_it_was(world, tmp_path) -> None:
    here = world(three(tmp_path))
    subjects = here.predict()
    here.stop_at = 2
    with pytest.raises(KeyboardInterrupt):
        here.leave_out(subjects)
    assert len(here.predicted) == 2
    here.stop_at = 10**6
    found, record = here.leave_out(subjects)
    assert [name for name, _ in here.predicted] == ["trial-2"] and record["scored"] == 3
    assert np.array_equal(treated(found, "trial-0"), risk(human_effect_without("trial-0")))
    again, _ = here.leave_out(here.predict())
    assert here.predicted == []
    assert all(np.array_equal(treated(again, s.key), treated(found, s.key)) for s in found.subjects)


def test_refits_share_the_compiled_model_and_say_how_far_they_are(world, tmp_path) -> None:
    here = world(three(tmp_path))
    bench = Bench()
    subjects = predict_folder(here.files, draws=FEW, bench=bench)[0]
    here.leave_out(subjects, bench)
    assert here.compiled == 1
    assert here.told == [(PREDICTED_ANEW, k, 3) for k in range(4)]
    # Libraries hold untreated courses, and so may be shared by draws that part only here.
    assert read_parameters()[HUMAN_EFFECT].module in TREATMENT_MODULES


def test_a_draw_that_expects_no_death_at_all_does_not_outweigh_the_others(world, tmp_path) -> None:
    """The log of its ratio is infinite: it counts as the mean of the draws that can tell."""
    ratio = """[[observation]]
arm = "cells"
versus = "none"
endpoint = "mortality"
time = "28 d"
contrast = "risk_ratio"
value = 0.7
ci95 = [0.5, 0.98]
"""
    subject = trial(tmp_path, "x", (28, 40), 100, (np.ones(1), np.ones(1)), more=ratio)
    study = subject.study.model_copy(update={"observations": subject.study.observations[2:]})
    expected = np.array([0.0, 0.6, 0.7, 0.8])
    only = Predicted({study.observations[0].index: Bases(Basis(expected=expected))}, draws=4)
    found = effects_by_draw(Subject("x", study, only, {}), DISCREPANCY)
    assert np.isfinite(found).all()
    assert found[1:].min() <= found[0] <= found[1:].max()
