"""The ladder's record is of the present tables; fits move only what they may, and write only what moved."""

import math
import re
import shutil
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from mesolung.biology import assemble
from mesolung.biology.parameters import read_parameters
from mesolung.calibration.followed_groups import GROUPS
from mesolung.calibration.followed_measures import MEASURES
from mesolung.calibration.gauss_newton import cost, gauss_newton, robust
from mesolung.calibration.ladder import COURSES, STEPS, TURNOVER, Ladder, main, steps_of
from mesolung.calibration.ladder_record import RECORD, mismatch, read_record, text_of
from mesolung.calibration.moves import Move, measured, moved_value, read_moves
from mesolung.calibration.step_cohorts import CohortStep
from mesolung.calibration.step_endotoxin import EndotoxinStep
from mesolung.calibration.step_targets import read_step_targets
from mesolung.calibration.step_turnover import TurnoverStep, measured_rates
from mesolung.calibration.written_values import (
    moved_texts,
    read_tables,
    replace_together,
    tables_of,
    with_amounts,
)
from mesolung.engine import compile_model
from mesolung.reading import Refusal

TOML = """name = "x"
[[driver]]  # the first
target = "BAC"
amount = { distribution = "lognormal", value = 3000.0, sd = 1.2, unit = "MCFU" }  # why
[[driver]]
target = "antibiotic"
amount = { value = 1.0 }
time = { distribution = "lognormal", value = 30.0, sd = 0.4, unit = "h" }
[delay]
value = 0.8
"""


@pytest.fixture(scope="module")
def tables():
    return read_tables()


@pytest.fixture(scope="module")
def model():
    return compile_model(assemble().sbml)


@pytest.fixture(scope="module")
def stored():
    return read_record()


@pytest.fixture
def folder(tmp_path):
    """A copy of the tables that a test may write to."""
    source = Path(str(files("mesolung.biology")))
    shutil.copy(source / "parameters.csv", tmp_path / "parameters.csv")
    shutil.copytree(source / "diseases", tmp_path / "diseases")
    return tmp_path


@pytest.mark.parametrize("number", STEPS)
def test_the_record_of_every_step_is_of_the_present_tables(number, tables, stored):
    assert RECORD.is_file()
    assert not mismatch(stored, number, tables), (
        "run the ladder again (--fit, or --record): the tables changed"
    )


def test_turnover_is_what_was_measured(tables):
    targets = [t for t in read_step_targets() if t.step == TURNOVER]
    assert TurnoverStep(targets).evaluate(tables).problems == ()
    assert {row.id for row in measured_rates(tables.parameters)} <= {t.output for t in targets}


def test_a_moved_turnover_is_named(tables):
    targets = [t for t in read_step_targets() if t.step == TURNOVER]
    rows = tuple(replace(r, value=2.0 * r.value) if r.id == "k_virus" else r for r in tables.parameters.rows)
    moved = replace(tables, parameters=replace(tables.parameters, rows=rows))
    assert any("k_virus" in problem for problem in TurnoverStep(targets).evaluate(moved).problems)


def test_the_endotoxin_step_gives_the_recorded_numbers_again(model, tables, stored):
    kept = {t["name"]: t["model"] for t in stored["steps"]["2"]["targets"]}
    again = EndotoxinStep(model, stored["seed"], 8, workers=1).courses_of(tables.parameters)
    assert len(again) > 50
    for found in again:
        assert found.model == pytest.approx(kept[found.name], rel=1e-3), found.name


def test_every_move_can_be_made_and_nothing_measured_is_among_them(tables):
    fixed = frozenset(t.output for t in read_step_targets() if t.step == TURNOVER)
    moves = read_moves(tables.parameters, tables.diseases, fixed)
    assert {m.step for m in moves} == set(STEPS) - {TURNOVER}
    for move in moves:
        if not move.disease:
            assert not measured(tables.parameters[move.target]) and move.target not in fixed


def test_a_parameter_that_says_which_step_set_it_is_moved_by_that_step(tables):
    moves = read_moves(tables.parameters, tables.diseases)
    made = {(m.step, m.target) for m in moves}
    for row in tables.parameters:
        for number in re.findall(r"ladder step (\d)", row.source):
            assert (int(number), row.id) in made, row.id


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("4,no_such,0.3", "no such parameter"),
        ("4,k_NEU_blood,0.3", "was measured and is not fitted"),
        ("4,EVLW_healthy,0.3", "was measured and is not fitted"),
        ("4,k_virus,0.3", "was measured and is not fitted"),
        ("4,gain_clearance,0.3", "cannot be moved by a factor"),
        ("4,hazard_scale.between_subject,0.3", "does not vary between subjects"),
        ("4,gout:BAC,0.3", "no such disease"),
        ("4,sepsis:insult_epithelium,0.3", "has no driver of it"),
        ("4,hazard_scale,-1", "sd is a number"),
        ("four,hazard_scale,1", "are numbers"),
        ("4,hazard_scale,1\n4,hazard_scale,1", "stands twice"),
    ],
)
def test_what_cannot_be_moved_is_refused_by_line(line, said, tables, tmp_path):
    file = tmp_path / "steps.csv"
    file.write_text(f"step,move,sd\n{line}\n", encoding="utf-8")
    last = 1 + line.count("\n") + 1
    with pytest.raises(Refusal, match=rf"steps\.csv:{last}: .*{said}"):
        read_moves(tables.parameters, tables.diseases, frozenset({"k_virus"}), file)


def test_targets_can_be_measured_and_say_where_they_are_from():
    targets = read_step_targets()
    for target in targets:
        assert target.source.startswith("assumed: ") or re.search(
            r"\d{4}|PMC|@|Adler|Phillips", target.source
        )
        if target.step in (3, 4):
            assert target.parts[0] in MEASURES and target.group in GROUPS, target.name


def test_values_stay_inside_their_support_however_far_they_move(tables):
    share = next(r for r in tables.parameters if r.distribution == "logit-normal")
    factor = next(r for r in tables.parameters if r.distribution == "lognormal")
    for x in (-5.0, -0.6, 0.0, 0.6, 5.0):
        assert 0.0 < moved_value(share, x) < 1.0
        assert moved_value(factor, x) == pytest.approx(factor.value * math.exp(x))
    assert moved_value(share, 0.0) == pytest.approx(share.value)


def test_gauss_newton_finds_the_minimum_of_a_linear_problem():
    rng = np.random.default_rng(3)
    slope, truth, sd = rng.normal(size=(12, 3)), np.array([0.4, -0.3, 0.2]), np.array([0.5, 1.0, 2.0])
    noise = 0.1 * rng.normal(size=12)

    def residuals(x):
        return slope @ (x - truth) + noise

    found = gauss_newton(residuals, sd, 25, lambda _: None)
    normal = slope.T @ slope + np.diag(1.0 / sd**2)
    assert found.x == pytest.approx(np.linalg.solve(normal, slope.T @ (slope @ truth - noise)), abs=1e-4)
    assert found.after == pytest.approx(cost(residuals(found.x), found.x, sd)) and found.after < found.before


def test_a_hopeless_target_pulls_no_harder_for_being_further_off():
    sd = np.array([1.0])

    def fitted(*others: float) -> float:
        def residuals(x):
            return np.array([*[x[0] - 0.5] * 4, *(x[0] - far for far in others)])

        return gauss_newton(residuals, sd, 20, lambda _: None).x[0]

    # Four squares, the prior's, and Huber's straight line: 10 x = 4 + 2 * 2.
    assert fitted() == pytest.approx(0.4, abs=0.01)
    assert fitted(100.0) == pytest.approx(0.8, abs=0.02)
    assert fitted(1000.0) == pytest.approx(0.8, abs=0.02)
    assert robust(np.array([np.nan, 1.0]))[1] == 1.0 and robust(np.array([np.nan]))[0] > 2.5


def test_a_fit_that_cannot_go_lower_stays_where_it_is():
    found = gauss_newton(lambda x: np.array([1.0]), np.array([1.0, 1.0]), 4, lambda _: None)
    assert found.x.tolist() == [0.0, 0.0] and found.rounds == 0 and found.before == found.after


def test_only_the_moved_cells_of_the_texts_change(tables):
    moves = [
        Move(4, "hazard_scale", 0.6),
        Move(2, "make_IL6p.between_subject", 0.5),
        Move(4, "vasoconstriction", 0.1),
        Move(4, "ards:BAC", 0.7),
        Move(4, "crp_make", 0.3),
    ]
    texts = moved_texts(tables, moves, [0.2, -0.1, 3.0, 0.5, 0.0])
    new = tables_of(texts)
    changed = {
        (path.name, line)
        for path, text in tables.texts.items()
        for line, (a, b) in enumerate(zip(text.splitlines(), texts[path].splitlines(), strict=True), start=1)
        if a != b
    }
    assert {name for name, _ in changed} == {"parameters.csv", "ards.toml"} and len(changed) == 4
    for row, was in zip(new.parameters, tables.parameters, strict=True):
        if row.id == "make_IL6p":
            assert row.between_subject == pytest.approx(was.between_subject * math.exp(-0.1), rel=1e-3)
            assert replace(row, between_subject=was.between_subject) == was
        elif row.id not in ("hazard_scale", "vasoconstriction"):
            assert row == was
    assert new.parameters["hazard_scale"].value == float(
        f"{tables.parameters['hazard_scale'].value * math.exp(0.2):.4g}"
    )
    assert new.parameters["hazard_scale"].source == tables.parameters["hazard_scale"].source
    assert 0.9 < new.parameters["vasoconstriction"].value < 1.0
    before, after = np.array(tables.value(moves[3])), np.array(new.value(moves[3]))
    assert after == pytest.approx(before * math.exp(0.5), rel=1e-3)
    others = [d for d in new.diseases["ards"].drivers if d.target != "BAC"]
    assert others == [d for d in tables.diseases["ards"].drivers if d.target != "BAC"]


def test_amounts_are_scaled_where_they_stand():
    text = with_amounts(TOML, {"BAC": 0.5}, "x.toml")
    assert text == TOML.replace("value = 3000.0", "value = 1500.0")
    with pytest.raises(Refusal, match="no amount"):
        with_amounts(TOML, {"VIR": 0.5}, "x.toml")


def test_files_change_together_or_not_at_all(folder):
    tables = read_tables(folder)
    texts = moved_texts(tables, [Move(4, "hazard_scale", 1.0), Move(4, "ards:BAC", 1.0)], [0.3, 0.3])
    disease = folder / "diseases" / "sepsis.toml"
    disease.write_text(disease.read_text(encoding="utf-8") + "# changed\n", encoding="utf-8")
    with pytest.raises(Refusal, match="has changed since it was read"):
        replace_together(texts, tables.texts)
    assert (folder / "parameters.csv").read_text(encoding="utf-8") == tables.texts[tables.parameter_file]
    assert not list(folder.rglob("*.new"))


def test_an_interrupted_fit_writes_nothing(folder, model):
    class Interrupted:
        title, draws, courses = "interrupted", 1, 1

        def evaluate(self, tables):
            raise AssertionError("nothing to evaluate")

        def fit(self, tables, moves, rounds, tell):
            raise KeyboardInterrupt

    before = {p: p.read_bytes() for p in folder.rglob("*.*")}
    ladder = Ladder({4: Interrupted()}, 1, folder, folder / "ladder.json", lambda _: None)
    with pytest.raises(KeyboardInterrupt):
        ladder.fit([4], [Move(4, "hazard_scale", 1.0)], 1)
    assert {p: p.read_bytes() for p in folder.rglob("*.*")} == before


def test_a_small_fit_of_cohorts_lowers_its_cost_and_records_the_table_that_it_wrote(folder, model):
    targets = [t for t in read_step_targets() if t.step == 4 and t.cohort == "pneumonia" and not t.parts[1]]
    step = CohortStep("usual care", model, targets, 1, 4, COURSES, 2)
    moves = [Move(4, "hazard_scale", 0.6), Move(4, "pneumonia:rate_OFX", 0.4)]
    ladder = Ladder({4: step}, 1, folder, folder / "ladder.json", lambda _: None)
    assert ladder.fit([4], moves, 1) == 0
    record, now = read_record(folder / "ladder.json"), read_tables(folder)
    entry = record["steps"]["4"]
    assert not mismatch(record, 4, now) and record["parameters_sha256"] == now.parameters.hash
    assert entry["cost"]["after"] < entry["cost"]["before"]
    assert entry["moved"]["hazard_scale"]["after"] == now.parameters["hazard_scale"].value
    assert [t["name"] for t in entry["targets"]] == [t.name for t in targets]
    # The same seed gives the same on any number of workers, from the files that were written.
    for workers in (1, 3):
        again = replace(step, workers=workers).evaluate(now)
        assert [c.model for c in again.compared] == pytest.approx(
            [math.nan if t["model"] is None else t["model"] for t in entry["targets"]],
            rel=1e-5,
            nan_ok=True,
        )
    assert ladder.show([4]) == 0
    (folder / "diseases" / "ards.toml").write_text(
        (folder / "diseases" / "ards.toml").read_text(encoding="utf-8") + "# changed\n", encoding="utf-8"
    )
    assert ladder.show([4]) == 1


def test_recording_moves_nothing(folder, model):
    ladder = Ladder(steps_of(model, draws=2), 1, folder, folder / "ladder.json", lambda _: None)
    before = (folder / "parameters.csv").read_bytes()
    assert ladder.keep([2]) == 0
    assert (folder / "parameters.csv").read_bytes() == before
    record = read_record(folder / "ladder.json")
    assert set(record["steps"]) == {"2"} and "moved" not in record["steps"]["2"]
    assert text_of(record) == (folder / "ladder.json").read_text(encoding="utf-8")
    assert read_parameters(folder / "parameters.csv").hash == record["parameters_sha256"]


@pytest.mark.parametrize("arguments", [["--step", "6"], ["--rounds", "0"], ["--draws", "0"]])
def test_arguments_out_of_bounds_are_refused(arguments, capsys):
    with pytest.raises(SystemExit) as left:
        main(arguments)
    assert left.value.code == 2 and capsys.readouterr().err
