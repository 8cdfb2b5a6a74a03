"""A stage learns from nothing that is kept aside, recalled, or of human trials before their turn."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mesolung.biology.parameters import read_parameters
from mesolung.calibration.posterior.datum import Datum, admitted
from mesolung.calibration.posterior.experiments import laboratories, laboratory_of
from mesolung.calibration.posterior.forward_chronic import Chronic
from mesolung.calibration.posterior.forward_drugs import Drugs
from mesolung.calibration.posterior.forward_experiments import Carriers, Fate, datum_of_relation
from mesolung.calibration.posterior.forward_human import DISEASES, HUMAN_EFFECT, Human
from mesolung.calibration.posterior.forward_ladder import Cohorts, Turnover
from mesolung.calibration.posterior.stages import (
    asked_for,
    before,
    moved_by,
    resting_on,
    stages,
    stages_of,
)
from mesolung.calibration.relations.listing import UNSEEN, relations
from mesolung.reading import Refusal

GOOD = Datum("il6", 2.0, 0.7, 0.1, "il6", "pg/mL", "doi")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"group": "unseen"}, "may not learn"),
        ({"group": "loo:must-ards-2022"}, "may not learn"),
        ({"status": "memory"}, "may not learn"),
        ({"error": 0.0}, "no error"),
        ({"observed": float("nan")}, "no error"),
    ],
)
def test_what_may_not_be_learnt_from_stops_the_stage(change: dict, said: str) -> None:
    with pytest.raises(Refusal, match=said):
        admitted([GOOD, replace(GOOD, name="other", **change)], "usual-care")


def test_a_number_that_stands_twice_stops_the_stage() -> None:
    with pytest.raises(Refusal, match="stands twice"):
        admitted([GOOD, GOOD], "usual-care")


def test_only_the_human_stage_may_learn_from_trials_of_cells() -> None:
    trial = replace(GOOD, group="loo:must-ards-2022")
    assert admitted([trial], "human", human=True) == (trial,)
    with pytest.raises(Refusal, match="unseen"):
        admitted([replace(GOOD, group="unseen")], "human", human=True)


def test_a_relation_that_is_kept_aside_is_refused_wherever_it_comes_from() -> None:
    leaked = [datum_of_relation(one) for one in relations(UNSEEN)[:5]]
    with pytest.raises(Refusal, match="may not learn"):
        admitted(leaked, "carriers")


@pytest.mark.parametrize(
    "forward",
    [
        Turnover(), Cohorts(3, "virus"), Cohorts(4, "usual-care"), Drugs(), Fate(), Carriers(0.3),
        Chronic("copd"), Chronic("asthma"), Chronic("ipf"),
    ],
    ids=lambda one: type(one).__name__,
)  # fmt: skip
def test_every_stage_has_data_that_may_be_fitted_to(forward) -> None:
    assert len(forward.data) > 2
    assert {one.group for one in forward.data} == {"fit"}


def test_human_trials_are_acute_and_each_can_be_left_out() -> None:
    found = Human(0.2)
    assert len(found.studies) > 5
    assert all(one.group.startswith("loo:") for one in found.data)
    assert all(set(study.disease_names) <= DISEASES for study, _ in found.studies.values())


def test_usual_care_knows_no_study_of_cells() -> None:
    from mesolung.study.catalogue import entries

    trials = {one.name for one in entries() if one.folder == "trials"}
    for forward in (Cohorts(3, "virus"), Cohorts(4, "usual-care"), Drugs()):
        assert not any(name in one.source for one in forward.data for name in trials)


def test_stages_move_what_they_are_for() -> None:
    table = read_parameters()
    known = stages()
    assert moved_by(known["turnover"], table) == ()
    assert moved_by(known["human"], table) == (HUMAN_EFFECT,)
    carriers = moved_by(known["carriers"], table)
    assert HUMAN_EFFECT not in carriers and "gain_EV" in carriers
    usual = set(moved_by(known["usual-care"], table))
    assert not usual & {row.id for row in table if row.module in ("cells", "fate", "harm", "product")}
    for stage in known.values():
        assert all(table[name].uncertainty for name in moved_by(stage, table))


def test_a_measured_parameter_is_not_moved(tmp_path) -> None:
    from mesolung.calibration.moves import measured

    table = read_parameters()
    name = next((row.id for row in table if measured(row) and float(row.uncertainty or 0) > 0), None)
    if name is None:
        pytest.skip("no measured parameter has an uncertainty")
    place = tmp_path / "moves.csv"
    place.write_text(f"stage,move\nendotoxin,{name}\n", encoding="utf-8")
    with pytest.raises(Refusal, match="was measured"):
        moved_by(stages()["endotoxin"], table, place)


@pytest.mark.parametrize("move", ["no_such_parameter", "module:nowhere"])
def test_a_move_of_nothing_is_refused(tmp_path, move: str) -> None:
    place = tmp_path / "moves.csv"
    place.write_text(f"stage,move\nendotoxin,{move}\n", encoding="utf-8")
    with pytest.raises(Refusal, match="no "):
        moved_by(stages()["endotoxin"], read_parameters(), place)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("a,acute,nowhere,smoother,4,1,0.1,x", "above it"),
        ("a,acute,,magic,4,1,0.1,x", "unknown method"),
        ("a,sometimes,,smoother,4,1,0.1,x", "unknown group"),
        ("a,acute,,smoother,0,1,0.1,x", "too few"),
        ("a,acute,,smoother,many,1,0.1,x", "no number"),
    ],
)
def test_a_stage_that_cannot_be_is_refused_with_its_line(tmp_path, row: str, said: str) -> None:
    place = tmp_path / "stages.csv"
    head = "stage,group,after,method,iterations,subjects,discrepancy,about"
    place.write_text(f"{head}\n{row}\n", encoding="utf-8")
    with pytest.raises(Refusal, match=said) as caught:
        stages_of(place)
    assert caught.value.line == 2


def test_stages_are_asked_for_by_name_by_group_or_all() -> None:
    assert [s.name for s in asked_for(["virus", "turnover"])] == ["turnover", "virus"]
    assert {s.group for s in asked_for(["chronic"])} == {"chronic"}
    assert len(asked_for(["all"])) == len(stages())
    with pytest.raises(Refusal, match="unknown stage"):
        asked_for(["tomorrow"])


def test_each_stage_rests_on_those_above_it() -> None:
    assert before(stages()["virus"]) == ["turnover", "endotoxin"]
    assert resting_on("drugs") == ["fate", "carriers", "human"]


def test_one_publication_is_one_laboratory() -> None:
    assert laboratory_of("nemeth2009") == laboratory_of("assay-nemeth2009")
    assert laboratory_of("a-study-of-its-own") == "a-study-of-its-own"
    assert len(laboratories()) > 10
