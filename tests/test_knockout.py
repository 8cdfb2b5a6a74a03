"""Knock-outs: paired on the same draws and subjects, exact zeros, refusals by name."""

import json
from pathlib import Path

import numpy as np
import pytest
from tests.study_text import cells_arm, control_arm

from mesolung.biology import assemble
from mesolung.biology.mechanisms import knockouts, mechanisms
from mesolung.biology.parameters import read_parameters
from mesolung.cli.main import main
from mesolung.engine import compile_model
from mesolung.population import library
from mesolung.reading import Refusal
from mesolung.report.knockout import knockout_html, knockout_table
from mesolung.study import read_study, run
from mesolung.study.knockout import knock_out
from mesolung.study.result import json_text

DRAWS, SUBJECTS = 8, 6
STUDY = (
    'schema = 1\nname = "cells"\ndisease = "covid19-ards"\nduration = "7 d"\n'
    + cells_arm(dose="10e6 cells/kg")
    + control_arm("vehicle")
    + '[[endpoint]]\nname = "pf_ratio"\ntime = "7 d"\n[[endpoint]]\nname = "mortality"\ntime = "7 d"\n'
)


@pytest.fixture(scope="module", autouse=True)
def small_library():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(library, "COURSES_PER_DRAW", 100)
        patch.setattr(run, "DRAWS_AT_LEAST", DRAWS)
        yield


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("knockout") / "cells.toml"
    path.write_text(STUDY, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def found(file: Path) -> dict:
    off = knockouts(["PGE2", "KYN", "PGE2+KYN", "EV", "all-soluble", "all", "tumour"])
    return knock_out(read_study(file), off, draws=DRAWS, subjects=SUBJECTS)


def test_every_switch_is_a_parameter_of_the_compiled_model():
    model = compile_model(assemble().sbml)
    known = {row.id: row for row in read_parameters().rows}
    for one in mechanisms().values():
        assert one.switch in known
        assert one.switch in model.parameters
        assert one.evidence and one.grade in "ABC"
        if one.switch.startswith("on_"):
            assert known[one.switch].value == 1 and known[one.switch].distribution == "fixed"


def test_every_switch_of_the_model_is_in_the_registry():
    switches = {row.id for row in read_parameters().rows if row.id.startswith("on_")}
    assert switches <= {one.switch for one in mechanisms().values()}


def test_all_effects_off_leaves_what_fate_and_harm_do(found):
    (deaths,) = [e for e in found["endpoints"] if e["endpoint"].startswith("mortality")]
    # Cells that do nothing can only harm: no draw is better off than by the solver's rounding.
    assert deaths["knockouts"]["all"]["without"]["p95"] <= 1e-3


def test_a_set_is_not_the_sum_of_its_parts_but_is_a_set(found):
    assert {k["id"]: len(k["switches"]) for k in found["knockouts"]}["PGE2+KYN"] == 2
    assert "on_PGE2" in {k["id"]: k["switches"] for k in found["knockouts"]}["all-soluble"]


def test_the_same_seed_gives_the_same_object(file, found):
    again = knock_out(read_study(file), knockouts(["PGE2", "KYN"]), draws=DRAWS, subjects=SUBJECTS, workers=2)
    for mine, theirs in zip(again["endpoints"], found["endpoints"], strict=True):
        assert mine["with_all"] == theirs["with_all"]
        # Another knock-out in the same run changes no number.
        assert mine["knockouts"]["KYN"] == theirs["knockouts"]["KYN"]


def test_a_mechanism_that_touches_no_endpoint_acts_in_no_draw(found):
    for entry in found["endpoints"]:
        line = entry["knockouts"]["tumour"]
        # Steps are chosen by all states, so that what is left is the solver's rounding.
        assert line["acting"] == 0.0
        assert abs(line["carried"]["mean"]) <= 1e-3 * max(abs(entry["with_all"]["p95"]), 1e-3)


def test_page_and_table_say_what_carries(found):
    page = knockout_html(found, "mesolung knockout cells.toml")
    assert "Monte-Carlo error" in page and "all soluble factors" in page
    assert "<script>" in page and "http-equiv" in page
    assert knockout_table(found) is not None
    assert np.isfinite(json.loads(json_text(found))["endpoints"][0]["with_all"]["mean"])


@pytest.mark.parametrize("name", ["PGE3", "soluble", ""])
def test_an_unknown_mechanism_is_refused_with_those_allowed(name):
    with pytest.raises(Refusal) as refused:
        knockouts([name])
    assert "efferocytosis" in str(refused.value) and "all-soluble" in str(refused.value)


def test_a_mechanism_named_twice_is_refused():
    with pytest.raises(Refusal, match="twice"):
        knockouts(["PGE2", "PGE2"])
    with pytest.raises(Refusal, match="twice"):
        knockouts(["PGE2+PGE2"])


def test_the_command_refuses_before_it_runs(file, tmp_path, capsys):
    with pytest.raises(SystemExit) as left:
        main(["knockout", str(file), "--mechanisms", "PGE3", "--out", str(tmp_path / "out")])
    assert left.value.code == 2
    assert "PGE2" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_study_without_a_product_is_refused(tmp_path):
    path = tmp_path / "none.toml"
    path.write_text(
        'schema = 1\nname = "none"\ndisease = "ards"\nduration = "7 d"\n'
        + control_arm("a").replace("control = true\n", "")
        + control_arm("b")
        + '[[endpoint]]\nname = "mortality"\ntime = "7 d"\n',
        encoding="utf-8",
    )
    with pytest.raises(Refusal, match="no arm is given a product"):
        knock_out(read_study(path), knockouts(["PGE2"]), draws=DRAWS, subjects=SUBJECTS)
