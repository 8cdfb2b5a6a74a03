"""The page of a validation opens with what may be said, then with the failures; finished studies are kept."""

from __future__ import annotations

import json
from dataclasses import replace
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console
from tests.planted import DRAWS, trial, trials

from mesolung.calibration.validation import folder as folder_module
from mesolung.calibration.validation.bias import spread_out
from mesolung.calibration.validation.folder import predict_folder, read_folder
from mesolung.calibration.validation.kept import keep, kept
from mesolung.calibration.validation.predicted import Bases, Predicted
from mesolung.calibration.validation.shipped import files_of
from mesolung.calibration.validation.validate import score
from mesolung.reading import Refusal
from mesolung.report.validation import validation_html, validation_table
from mesolung.study.basis import Basis
from mesolung.study.result import json_text

RISK = 0.3 * np.exp(0.1 * spread_out("planted", DRAWS))


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory):
    place = tmp_path_factory.mktemp("studies")
    own = trials(place, 5, 40, 0.9, lambda control: control)
    missed = trial(place, "missed", (19, 20), 20, (RISK, RISK))
    refused = Predicted({}, {0: "waits for a part", 1: "waits for a part"}, "nobody meets table 1", DRAWS)
    gone = replace(trial(place, "gone", (1, 2), 9, (RISK, RISK)), predicted=refused)
    return score([*own, missed, gone], bias="all").json


def test_the_page_starts_with_the_headline_and_then_the_failures(found) -> None:
    page = validation_html(found, "mesolung validate mine")
    assert page.index("<h1>" + found["headline"].split(":")[0]) < page.index("What failed")
    assert page.index('id="failures"') < page.index('id="held"')
    assert "mesolung validate mine" in page and "nobody meets table 1" in page
    assert "http://" not in page.split("plotly.js", 1)[0]
    assert validation_html(found, "x") == validation_html(found, "x")


def test_the_most_surprising_observation_comes_first(found) -> None:
    first = found["observations"][0]
    assert (first["study"], first["failed"], first["inside_90"]) == ("missed", True, False)
    failed = [line["failed"] for line in found["observations"]]
    assert failed == sorted(failed, reverse=True)


def test_what_stands_in_no_score_is_counted_by_reason(tmp_path: Path) -> None:
    none = '[[observation]]\narm = "cells"\nversus = "none"\nendpoint = "mortality"\ntime = "28 d"\n'
    none += 'contrast = "risk_ratio"\nvalue = 0.0\nci95 = [0.0, 1.4]\n'
    bare = '[[observation]]\narm = "cells"\nendpoint = "sofa"\ntime = "7 d"\nvalue = 6\n'
    one = trial(tmp_path, "touches", (0, 4), 12, (RISK, RISK), more=none + bare)
    answered = Basis(expected=1.0 + RISK, spread=RISK, simulated=1.0 + RISK)
    bases = {**one.predicted.bases, 2: Bases(answered), 3: Bases(answered)}
    json = score([replace(one, predicted=replace(one.predicted, bases=bases))]).json
    reasons = json["not_scored"]["reasons"]
    assert json["not_scored"]["observations"] == json["summary"]["answered_only"] == 2 == len(reasons)
    assert "a ratio of 0 has no logarithm" in reasons
    page = validation_html(json, "mesolung validate mine")
    assert all(reason in page for reason in reasons) and "2 observations are answered" in page
    lines = {line["index"]: line for line in json["observations"]}
    assert lines[2]["reason"] == "a ratio of 0 has no logarithm" and "reason" not in lines[0]


def test_the_json_is_the_same_text_each_time_and_holds_no_nan(found) -> None:
    text = json_text(found)
    assert json.loads(text)["not_modelled"]["observations"] == 2
    assert "NaN" not in text and text == json_text(json.loads(text))


def test_the_terminal_shows_the_same(found) -> None:
    console = Console(width=110, record=True, file=StringIO())
    console.print(validation_table(found, "runs/validate-1"))
    told = " ".join(console.export_text().split())
    assert told.startswith("Effect of cells:") and "missed" in told and "runs/validate-1" in told


def test_predictions_come_back_as_they_were_kept(tmp_path: Path) -> None:
    own = Basis(expected=RISK, orders={"a": RISK, "b": 2 * RISK}, least=np.array([0.01]))
    one = Predicted({3: Bases(own, None, Basis(spread=RISK), (5.0, 6.0))}, {1: "why"}, "", 7, {"failed": 2})
    keep(one, tmp_path / "one.npz")
    back = kept(tmp_path / "one.npz")
    assert back is not None and back.bases[3].control is None
    assert np.array_equal(back.bases[3].own.orders["b"], 2 * RISK)
    assert back.bases[3].level is not None and back.bases[3].level.expected.size == 0
    assert (back.not_modelled, back.draws, back.about, back.bases[3].sizes) == (
        {1: "why"}, 7, {"failed": 2}, (5.0, 6.0),
    )  # fmt: skip
    (tmp_path / "two.npz").write_bytes((tmp_path / "one.npz").read_bytes()[:100])
    assert kept(tmp_path / "two.npz") is None and kept(tmp_path / "none.npz") is None


def test_a_validation_that_was_cut_off_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    studies = tmp_path / "studies"
    studies.mkdir()
    subjects = {s.study.name: s.predicted for s in trials(studies, 4, 10, 1.0, lambda control: control)}
    done: list[str] = []

    class Base:
        model_hash, scored = "hash", DRAWS
        model = type("Model", (), {"kernel_id": "kernel"})
        draws = type("Draws", (), {"posterior": "planted"})

    def run(study, base, **options):
        if len(done) == 2 and "again" not in done:
            done.append("again")
            raise KeyboardInterrupt
        done.append(study.name)
        return subjects[study.name]

    monkeypatch.setattr(folder_module, "base_setting", lambda *a, **k: Base())
    monkeypatch.setattr(folder_module, "predict", run)
    files = read_folder(studies)
    with pytest.raises(KeyboardInterrupt):
        predict_folder(files, place=tmp_path / "kept")
    assert len(done) == 3
    found, seconds = predict_folder(files, place=tmp_path / "kept")
    assert sorted(set(done) - {"again"}) == sorted(subjects) and len(done) == 5 and len(seconds) == 2
    assert [s.key for s in found] == sorted(subjects)
    _, none = predict_folder(files, place=tmp_path / "kept")
    assert not none


def test_a_folder_is_read_whole_before_anything_is_run(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="no such folder"):
        files_of(tmp_path / "nowhere")
    with pytest.raises(Refusal, match="holds no study file"):
        read_folder(tmp_path)
    trial(tmp_path, "good", (1, 2), 9, (RISK, RISK))
    (tmp_path / "bad.toml").write_text("schema = 1\nname = 3\n", encoding="utf-8")
    with pytest.raises(Refusal) as told:
        read_folder(tmp_path)
    assert "bad.toml" in str(told.value)
    (tmp_path / "bad.toml").unlink()
    assert [file.key for file in read_folder(tmp_path)] == ["good"]
    with pytest.raises(Refusal, match="no study of this disease"):
        files_of(tmp_path, "copd")
