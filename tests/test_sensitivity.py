"""Sensitivity of a small study: what must act acts, what cannot does not, on any number of workers."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.study_text import cells_arm, control_arm

from mesolung.calibration.sensitivity import points
from mesolung.calibration.sensitivity.analysis import analyse, ranked
from mesolung.calibration.sensitivity.inputs import is_uncertain, moved, named, value_at
from mesolung.cli.main import main
from mesolung.engine import SubjectFailure
from mesolung.population import library
from mesolung.population.draws import Draws, draw_prior
from mesolung.product.priors import priors_hash
from mesolung.reading import Refusal
from mesolung.report.analysis_page import analysis_html
from mesolung.report.sensitivity import sensitivity_page, sensitivity_table
from mesolung.study import read_study, run
from mesolung.study.catalogue import entry
from mesolung.study.result import json_text

STUDY = (
    'schema = 1\nname = "cells"\ndisease = "covid19-ards"\nduration = "3 d"\n'
    + cells_arm(dose="10e6 cells/kg")
    + control_arm("vehicle")
    + '[[endpoint]]\nname = "pf_ratio"\ntime = "3 d"\n[[endpoint]]\nname = "mortality"\ntime = "3 d"\n'
)
ANIMALS = (
    'schema = 1\nname = "mice"\nkind = "animal"\nspecies = "mouse"\ndisease = "lps"\nduration = "2 d"\n'
    'origin = "injury"\n[injury]\nagent = "lps"\namount = "50 ug"\nroute = "intratracheal"\n'
    + cells_arm(dose="1e6 cells")
    + control_arm("vehicle")
    + '[[endpoint]]\nname = "bal_protein"\ntime = "2 d"\n'
)
MOVED = ["human_effect", "gain_EV", "product", "dex_license"]


@pytest.fixture(scope="module", autouse=True)
def small_library():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(library, "COURSES_PER_DRAW", 100)
        patch.setattr(run, "DRAWS_AT_LEAST", 8)
        yield


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sensitivity") / "cells.toml"
    path.write_text(STUDY, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def found(file: Path) -> dict[str, Any]:
    return _analyse(file, MOVED)


def _analyse(path: Path, names: list[str], workers: int = 1, **more: Any) -> dict[str, Any]:
    options: dict[str, Any] = {"trajectories": 2, "samples": 4, "top": 2, "subjects": 16, "spread": 4} | more
    return analyse(read_study(path), parameters=names, workers=workers, **options)


def test_the_answer_is_the_same_on_any_number_of_workers(file, found):
    again = _analyse(file, MOVED, workers=3)
    assert json_text(again) == json_text(found)


def test_what_multiplies_every_benefit_moves_the_effect_and_no_untreated_arm(found):
    by = {(q["kind"], q["of"], q["endpoint"]): q for q in found["quantities"]}
    effect = by["effect", "cells vs vehicle", "pf_ratio@3d"]["morris"]["inputs"]
    assert effect["human_effect"]["size"] > 0
    for name in ("human_effect", "gain_EV", "product"):
        assert by["arm", "vehicle", "pf_ratio@3d"]["morris"]["inputs"][name]["size"] == pytest.approx(
            0, abs=1e-6
        )
    # A steroid that nobody is given changes nothing.
    assert effect["dex_license"]["size"] == pytest.approx(0.0, abs=1e-6)
    assert found["strongest"][0] == "human_effect"


def test_points_and_failures_are_counted(found):
    inputs = len(found["inputs"])
    assert found["points"] == 4 + 2 * (inputs + 1) + 4 * (2 + 2)
    assert found["failed_subjects"] == 0
    assert found["solved_subjects"] == found["points"] * found["subjects"] * 2


def test_without_a_posterior_no_effect_is_recommended_as_a_point(found):
    for one in found["quantities"]:
        if one["kind"] == "effect":
            assert one["recommendation"]["point"] is None
            assert one["recommendation"]["contraction"] == 0.0
        else:
            assert one["recommendation"] is None


def test_page_and_table_say_what_moves_it(found):
    page = analysis_html(sensitivity_page(found, "mesolung sensitivity cells.toml"))
    assert "human_effect" in page and "no single number" in page
    assert "<script>" in page and "http-equiv" in page
    assert sensitivity_table(found) is not None
    assert json.loads(json_text(found))["quantities"]


def test_an_experiment_on_animals_is_analysed_too(tmp_path):
    path = tmp_path / "mice.toml"
    path.write_text(ANIMALS, encoding="utf-8")
    made = _analyse(path, ["gain_EV", "k_license"], method="morris", spread=2)
    assert made["failed_subjects"] == 0
    assert any(q["kind"] == "effect" for q in made["quantities"])


def test_one_endpoint_is_looked_at_and_an_unknown_one_refused(file):
    with pytest.raises(Refusal) as refused:
        analyse(read_study(file), endpoint="sofa", subjects=8)
    assert "pf_ratio@3d" in str(refused.value) and "mortality@3d" in str(refused.value)


@pytest.mark.parametrize("command", ["sensitivity", "discriminate"])
def test_a_culture_is_refused(tmp_path, capsys, command):
    with pytest.raises(SystemExit) as left:
        main([command, str(entry("assay-meisel2004").path), "--out", str(tmp_path / "out")])
    assert left.value.code == 2
    said = capsys.readouterr().err
    assert "ex-vivo" in said and "in-vitro" in said


def test_a_cancelled_analysis_keeps_nothing(file, tmp_path, monkeypatch, capsys):
    def stopped(*_: Any, **__: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(points, "simulate", stopped)
    with pytest.raises(SystemExit) as left:
        main(["sensitivity", str(file), "--subjects", "8", "--out", str(tmp_path / "out")])
    assert left.value.code == 130
    assert "cancelled" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_subjects_that_fail_are_counted_and_their_points_left_out(file, monkeypatch):
    solve = points.simulate
    calls = []

    def sometimes(setting: Any, panels: Any, *rest: Any) -> Any:
        trials = solve(setting, panels, *rest)
        calls.append(1)
        if len(calls) != 6:
            return trials
        lost = {
            name: np.full_like(course, np.nan) for name, course in trials.arms["cells"].paired.outputs.items()
        }
        hazard = np.full_like(trials.arms["cells"].paired.cumulative_hazard, np.nan)
        gone = replace(trials.arms["cells"].paired, outputs=lost, cumulative_hazard=hazard)
        arms = {**trials.arms, "cells": replace(trials.arms["cells"], paired=gone, outcomes=gone)}
        failure = SubjectFailure(0, 0.0, "made up", "none", "none")
        return replace(trials, arms=arms, failures={**trials.failures, "cells": (failure,)})

    monkeypatch.setattr(points, "simulate", sometimes)
    made = _analyse(file, ["human_effect", "gain_EV"], method="morris", spread=4, trajectories=3)
    assert made["failed_subjects"] == 1
    kept = {q["of"]: q["morris"]["kept"] for q in made["quantities"] if q["endpoint"] == "pf_ratio@3d"}
    assert kept == {"cells": 2, "vehicle": 3, "cells vs vehicle": 2}


def test_with_a_posterior_that_narrowed_the_effect_a_point_is_recommended(file, monkeypatch):
    def narrow(count: int, also: str, *_: Any) -> Draws:
        """A made-up posterior that knows everything but one gain, and that nearly."""
        prior = draw_prior(count, also)
        told = {name: np.full(count, row.value) for name, row in prior.parameters.items()}
        told["gain_EV"] = 1.0 + 0.01 * np.arange(count)
        return replace(prior, posterior="posterior-00000000", values=told)

    monkeypatch.setattr(run, "draws_for", narrow)
    made = _analyse(file, ["gain_EV"], method="morris", spread=8)
    assert made["posterior"] == "posterior-00000000"
    (own,) = made["inputs"]
    assert own["contraction"] > 0.9
    effect = next(q for q in made["quantities"] if q["kind"] == "effect")
    assert effect["recommendation"]["contraction"] > 0.2
    assert effect["recommendation"]["point"] == pytest.approx(effect["over_draws"]["p50"], rel=0.6)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--parameters", "human_efect"], "human_effect"),
        (["--parameters", "gain_EV,gain_EV"], "twice"),
        (["--method", "sobol"], "--parameters"),
        (["--samples", "100"], "power of two"),
        (["--method", "fast"], "morris"),
        (["--endpoint", "fev1"], "pf_ratio@3d"),
    ],
)
def test_the_command_refuses_before_it_runs(file, tmp_path, capsys, options, said):
    with pytest.raises(SystemExit) as left:
        main(["sensitivity", str(file), "--out", str(tmp_path / "out"), *options])
    assert left.value.code == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_quantiles_are_the_priors_own():
    draws = draw_prior(8, priors_hash())
    at = value_at(draws, "gain_niche", np.array([0.1, 0.39, 0.7]))
    assert at[0] == 0.0 and at[1] == 0.0 and at[2] == pytest.approx(6.0)
    assert value_at(draws, "k_license", np.array([0.5]))[0] == pytest.approx(0.12)
    assert not is_uncertain(draws, draws.parameters["phagocyte_half"])


def test_quantiles_of_a_posterior_are_those_of_its_draws():
    prior = draw_prior(40, priors_hash())
    values = {**prior.values, "k_license": np.linspace(1.0, 2.0, 40)}
    posterior = Draws("posterior-00000000", prior.parameters, values, prior.key)
    found = value_at(posterior, "k_license", np.array([0.01, 0.5, 0.99]))
    assert set(found) <= set(values["k_license"]) and found[0] < found[1] < found[2]


def test_inputs_that_are_not_moved_stay_at_their_medians():
    draws = draw_prior(8, priors_hash())
    inputs = named(
        [i for i in _inputs(draws) if i.id in ("k_license", "gain_EV")],
        ["k_license"],
    )
    at = moved(draws, inputs, np.array([[0.2], [0.8]]))
    first, second = at.at(0), at.at(1)
    assert first.values["k_license"][0] < second.values["k_license"][0]
    assert first.values["k_trap"][0] == second.values["k_trap"][0] == pytest.approx(33.0)
    assert first.values["phagocyte_half"][0] == 3.0
    assert first.key == draws.key


def _inputs(draws: Draws):
    from mesolung.calibration.sensitivity.inputs import inputs_of

    return inputs_of(draws, draws.parameters, True)


def test_ranking_goes_by_effects_where_there_are_any():
    sizes = [np.array([1.0, 9.0, 0.0]), np.array([2.0, 0.1, 0.0])]
    assert ranked(sizes, ["arm", "effect"]) == [0, 1, 2]
    assert ranked(sizes, ["arm", "arm"])[:2] == [0, 1]
    assert ranked([np.array([np.nan, np.nan])], ["effect"]) == [0, 1]
