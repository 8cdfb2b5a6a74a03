"""Published relations: all listed and locked, judged by stated rules, told apart from a rule of thumb."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from mesolung.calibration.relations import __main__ as command
from mesolung.calibration.relations.judging import (
    ABSENT,
    MET,
    MISSED,
    Told,
    size_met,
    told_of,
    verdict,
    verdict_of_rule,
)
from mesolung.calibration.relations.listing import FIT, relations, relations_of
from mesolung.calibration.relations.locked import check_lock, lock, text_of
from mesolung.calibration.relations.looked_at import apart, looked_at
from mesolung.calibration.relations.relation import (
    CLASSES,
    DIRECTION,
    EFFECT,
    NULL,
    ORDERING,
    QUANTITATIVE,
    Relation,
)
from mesolung.calibration.relations.scoring import Judged, judge, record_of, summary, with_lines
from mesolung.calibration.validation.predicted import Bases, Predicted
from mesolung.reading import Refusal
from mesolung.study import read_study
from mesolung.study.basis import Basis
from mesolung.study.catalogue import Entry, entries, groups


def relation(**changes) -> Relation:
    usual = {
        "study": "s",
        "observation": 0,
        "beside": (),
        "kind": "animal",
        "class_": QUANTITATIVE,
        "about": EFFECT,
        "helps": 1,
        "endpoint": "evlw@1d",
        "measure": "ratio",
        "published": 0.5,
        "low": None,
        "high": None,
        "status": "seen",
    }
    return Relation(**{**usual, **changes})


def test_the_list_is_the_locked_one():
    found = relations(FIT)
    check_lock(found)
    assert len({one.key for one in found if one.measure != "order"}) == len(
        [one for one in found if one.measure != "order"]
    )
    assert {one.class_ for one in found} <= set(CLASSES)


def test_every_eligible_observation_is_in_a_relation():
    found = relations(FIT)
    used = {(one.study, index) for one in found for index in (one.observation, *one.beside)}
    for entry in entries():
        if entry.folder not in ("animals", "in-vitro", "fate"):
            continue
        study, group = read_study(entry.path), groups(entry.name)
        for one in study.observations:
            eligible = group[one.index] == "fit" and one.source.status in ("seen", "derived")
            assert ((entry.name, one.index) in used) == eligible


def test_what_nothing_may_be_fitted_to_is_not_listed():
    text = text_of(relations(FIT))
    for entry in entries():
        if entry.folder in ("animals", "in-vitro", "fate"):
            for index, group in enumerate(groups(entry.name)):
                if group == "unseen":
                    assert not any(
                        index in (one.observation, *one.beside)
                        for one in relations(FIT)
                        if one.study == entry.name
                    )
    assert "unseen" not in text


def test_a_list_is_locked_with_a_reason_and_a_change_is_seen(tmp_path: Path):
    at, found = tmp_path / "list.csv", [relation()]
    with pytest.raises(Refusal, match="why"):
        lock(found, " ", "2026-01-01", to=at)
    with pytest.raises(Refusal, match="not locked"):
        check_lock(found, at=at)
    first = lock(found, "first", "2026-01-01", to=at)
    assert check_lock(found, at=at) == first
    with pytest.raises(Refusal, match="locked already"):
        lock(found, "again", "2026-01-02", to=at)
    with pytest.raises(Refusal, match="other relations"):
        check_lock([relation(published=0.6)], at=at)
    lock([relation(published=0.6)], "a number was wrong", "2026-01-03", to=at)
    log = json.loads(at.with_suffix(".json").read_text(encoding="utf-8"))["log"]
    assert [one["reason"] for one in log] == ["first", "a number was wrong"]
    at.write_text(at.read_text(encoding="utf-8").replace("0.6", "0.7"), encoding="utf-8")
    with pytest.raises(Refusal, match="not the one that was locked"):
        check_lock([relation(published=0.6)], at=at)


@pytest.mark.parametrize(
    ("published", "value", "met"),
    [
        (0.5, 0.5, True),
        (0.5, math.sqrt(0.5), True),
        (0.5, 0.9, False),
        (0.5, 0.2, False),
        (0.5, 1.5, False),
        (1.02, 1.05, True),
        (1.02, 1.5, False),
    ],
)
def test_a_ratio_is_met_within_two_fold_of_its_distance_from_one(published, value, met):
    assert size_met(relation(published=published), value) is met


def test_levels_differences_and_intervals():
    level = relation(measure="level", published=10.0)
    assert size_met(level, 19.0) and size_met(level, 5.1) and not size_met(level, 21.0)
    inside = relation(measure="level", published=10.0, low=1.0, high=40.0)
    assert size_met(inside, 39.0) and not size_met(inside, 41.0)
    difference = relation(measure="difference", published=-4.0)
    assert size_met(difference, -2.5) and not size_met(difference, 4.0)


def direction(published: str, p_values, shifts, expected, **changes) -> tuple[Relation, Predicted]:
    basis = Basis(
        expected=np.asarray(expected, float), p_values=np.asarray(p_values), shifts=np.asarray(shifts, float)
    )
    made = relation(measure="direction", published=published, class_=DIRECTION, **changes)
    return made, Predicted({0: Bases(basis)}, draws=len(p_values))


def test_a_direction_is_met_by_the_likeliest_class_or_the_median_side():
    few = direction("lower", [0.5] * 9 + [0.01], [-1] * 10, [-0.1] * 10)
    assert verdict(few[0], told_of(*few)) == MET  # none is likelier, but the median lies below
    other = direction("higher", [0.5] * 9 + [0.01], [-1] * 10, [-0.1] * 10)
    assert verdict(other[0], told_of(*other)) == MISSED
    null = direction("none", [0.5] * 10, [-1] * 10, [-0.1] * 10)
    assert verdict(null[0], told_of(*null)) == MET
    strong = direction("none", [0.001] * 10, [-1] * 10, [-0.1] * 10)
    assert verdict(strong[0], told_of(*strong)) == MISSED
    nothing = direction("lower", [0.9] * 10, [1] * 10, [0.0] * 10)
    assert verdict(nothing[0], told_of(*nothing)) == MISSED  # no effect lies on no side


def test_orders_ratios_of_arms_and_what_is_absent():
    order = relation(measure="order", class_=ORDERING, published=("a", "b"), beside=(1,))
    bases = {0: Bases(Basis(expected=np.array([1.0, 2.0]))), 1: Bases(Basis(expected=np.array([3.0, 4.0])))}
    assert verdict(order, told_of(order, Predicted(bases), ["a", "b"])) == MET
    assert verdict(order, told_of(order, Predicted(bases), ["b", "a"])) == MISSED
    ratio = relation(published=0.5, beside=(1,))
    own, below = Basis(expected=np.array([2.0, 2.2])), Basis(expected=np.array([4.0, 4.0]))
    both = Predicted({0: Bases(own, below), 1: Bases(below)})
    assert told_of(ratio, both).median == pytest.approx(0.525)
    missing = told_of(ratio, Predicted({0: Bases(own, below)}, {1: "no such endpoint"}))
    assert missing.reason == "no such endpoint"
    assert verdict(ratio, missing) == ABSENT


def test_cells_always_help_has_no_nulls_and_a_usual_size():
    others = [relation(study=f"s{k}", published=p) for k, p in enumerate((0.5, 0.4, 0.6))]
    mine = relation(published=0.45)
    assert verdict_of_rule(mine, [*others, mine]) == MET
    assert verdict_of_rule(relation(published=0.01), others) == MISSED
    null = relation(measure="direction", published="none", class_=NULL, helps=0)
    assert verdict_of_rule(null, others) == MISSED
    opposite = relation(measure="direction", published="higher", class_=NULL, helps=-1)
    assert verdict_of_rule(opposite, others) == MISSED
    helped = relation(measure="direction", published="lower", class_=DIRECTION)
    assert verdict_of_rule(helped, others) == MET
    assert verdict_of_rule(relation(about="disease"), others) is None


def test_planted_studies_are_judged_and_counted(tmp_path: Path):
    path = tmp_path / "planted.toml"
    path.write_text(
        'schema = 1\nname = "planted"\nkind = "animal"\nspecies = "mouse"\ndisease = "lps"\n'
        'duration = "2 d"\n'
        '[[arm]]\nname = "vehicle"\nsize = 6\ncontrol = true\n'
        '[[arm]]\nname = "MSC"\nsize = 6\n[[arm.treatment]]\nproduct = { type = "cells" }\n'
        'dose = "1e6 cells"\nroute = "intravenous"\n'
        'times = ["0 d"]\n'
        + "".join(
            f'[[observation]]\narm = "{arm}"\nendpoint = "bal_tnf"\ntime = "2 d"\nmean = {mean}\nsd = 10.0\n'
            'n = 6\nunit = "pg/mL"\nsource = { status = "seen" }\n'
            for arm, mean in (("vehicle", 100.0), ("MSC", 50.0))
        )
        + '[[observation]]\narm = "MSC"\nendpoint = "wet_dry"\ntime = "2 d"\nversus = "vehicle"\n'
        'direction = "none"\nsource = { status = "seen" }\n',
        encoding="utf-8",
    )
    study = read_study(path)
    entry = Entry("planted", "animals", "planted", "animal", "lps", "mouse", 3, 2, ())
    found = relations_of(study, entry, ("fit", "fit", "unseen"), "fit")
    assert [(one.measure, one.about) for one in found] == [("level", "disease"), ("ratio", EFFECT)]
    assert found[1].published == pytest.approx(0.5) and found[1].beside == (0,) and found[1].helps == 1
    low, high = found[1].low, found[1].high
    assert low is not None and high is not None and low < 0.5 < high
    (null,) = relations_of(study, entry, ("unseen", "unseen", "fit"), "fit")
    assert null.class_ == NULL and null.helps == 0
    half, whole = Basis(expected=np.array([50.0, 60.0])), Basis(expected=np.array([100.0, 100.0]))
    predicted = Predicted({0: Bases(whole), 1: Bases(half, whole)}, {2: "waits"})
    judged = judge([*found, null], {"planted": study}, {"planted": predicted})
    assert [one.verdict for one in judged] == [MET, MET, ABSENT]
    counts = summary(judged)["effects, seen"]
    assert (counts[QUANTITATIVE][MET], counts[NULL][ABSENT], counts["all classes"]["share_met"]) == (
        1,
        1,
        1.0,
    )
    record = record_of(judged, {"date": "2026-01-01"})
    assert record["not_modelled"] == {"waits": 1} and len(record["sha256"]) == 64


def test_a_prediction_that_changes_changes_the_hash():
    one = Judged(relation(), Told(median=0.5, low=0.4, high=0.6), MET, MET)
    other = Judged(relation(), Told(median=0.6, low=0.4, high=0.7), MET, MET)
    assert record_of([one], {})["sha256"] != record_of([other], {})["sha256"]


def line(key, verdict):
    made = {
        "relation": key,
        "class": NULL,
        "about": EFFECT,
        "status": "seen",
        "verdict": verdict,
        "rule": None,
    }
    return made | ({"reason": "no such part"} if verdict == ABSENT else {})


def test_a_relation_of_the_unseen_part_is_scored_once(monkeypatch):
    scored = []

    def score(found, *, draws, seed, workers, about):
        scored.append([one.key for one in found])
        return with_lines(about, [line(one.key, MISSED if one.key == "s#2" else MET) for one in found])

    monkeypatch.setattr(command, "score", score)
    monkeypatch.setattr(command, "looked_at", lambda: {"s#3": "a law cites it"})
    found = [relation(observation=k) for k in range(4)]
    before = {
        "lines": [line("s#0", MET), line("s#1", MISSED), line("s#2", ABSENT)],
        "scored": [{"date": "2026-01-01", "relations": 3}],
        "looked_at_verdicts": {"s#3": MET},
    }
    record = command.score_unseen(found, before, about={"date": "2026-02-02"}, draws=2)
    assert scored == [["s#2"]]
    assert [one["verdict"] for one in record["lines"]] == [MET, MISSED, MISSED]
    assert record["looked_at"] == {"s#3": "a law cites it"}
    assert [one["date"] for one in record["scored"]] == ["2026-01-01", "2026-02-02"]
    assert record["summary"]["effects, seen"]["all classes"]["met"] == 1
    with pytest.raises(Refusal, match="scored already"):
        command.score_unseen(found, record, about={"date": "2026-03-03"})
    first = command.score_unseen(found, None, about={"date": "2026-01-01"})
    assert [one["relation"] for one in first["lines"]] == ["s#0", "s#1", "s#2"]
    assert first["looked_at_verdicts"] == {"s#3": MET}


def test_what_was_looked_at_is_of_the_unseen_part():
    counted, others = apart(relations("unseen"), looked_at())
    assert {one.key for one in others} == set(looked_at())
    assert not set(looked_at()) & {one.key for one in counted}
    with pytest.raises(Refusal, match="no such relation"):
        apart(counted, {"s#0": "why"})


@pytest.mark.parametrize("options", [["--list", "--unseen"], ["--score", "--unseen", "--study", "x"], []])
def test_options_that_do_not_go_together_are_refused(options, capsys):
    with pytest.raises(SystemExit) as left:
        command.main(options)
    assert left.value.code == 2


def test_the_stored_record_is_of_the_locked_list(root: Path):
    folder = root / "src" / "mesolung" / "calibration"
    record = json.loads((folder / "relations-score.json").read_text(encoding="utf-8"))
    locked = json.loads((folder / "relations.json").read_text(encoding="utf-8"))
    assert record["relations_sha256"] == locked["sha256"]
    assert record["part"] == "fit" and len(record["lines"]) == locked["log"][-1]["relations"]


def test_the_page_is_that_of_the_records(root: Path, tool_module):
    tool = tool_module("relations_page")
    records = [json.loads(p.read_text(encoding="utf-8")) for p in (tool.RECORD, tool.LOCK, tool.KNOCKED)]
    unseen = json.loads(tool.UNSEEN.read_text(encoding="utf-8")) if tool.UNSEEN.exists() else None
    record, locked, knocked = records
    assert tool.PAGE.read_text(encoding="utf-8") == tool.page(record, locked, unseen, knocked)
