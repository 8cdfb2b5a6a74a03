"""The benchmark gives every tool the same task, finds the same trajectories, and compares at equal error."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path

import antimony
import numpy as np
import pytest
from benchmarks import peers
from benchmarks.diffsl import write_diffsl
from benchmarks.measure import scaled_error, sizes_of, straight, time_at
from benchmarks.one import OWN, with_doses, with_outputs
from benchmarks.peer import ENTRIES
from benchmarks.source import write_source
from benchmarks.task import Task, make_task
from benchmarks.tasks import influenza_task
from benchmarks.walk import Walk

from mesolung.engine import ADD_STATE, SET_PARAMETER, EventTable, compile_model
from mesolung.engine.evaluate import evaluate
from mesolung.engine.sbml import read_sbml

ROOT = Path(__file__).resolve().parent.parent
# AMICI compiles its model in C++ for a minute: too long here, and the benchmark itself shows its agreement.
QUICK_ENOUGH = [tool for tool in ENTRIES if tool != "amici"]


def small_task() -> Task:
    """Every kind of change: doses at the start and later, a parameter that changes, a state that dies out."""
    text = """
    model small
      drug = 1; grower = 5; effect = 0.1;
      k = 0.7; growth = 0.05; kill = 0.4; half := 0.5*k; n = 1.5; least = 0.02; gain = 2*k;
      drug' = -k*drug + infusion; infusion = 0;
      grower' = growth*grower - kill*n*grower*drug^1.5/(half^1.5 + drug^1.5);
      effect' = gain*max(grower - 1, 0)/(1 + effect) - 0.3*effect;
      gone: at (grower < least): grower = 0;
    end
    """
    antimony.clearPreviousLoads()
    assert antimony.loadAntimonyString(text) >= 0, antimony.getLastError()
    sbml = str(antimony.getSBMLString(antimony.getMainModuleName()))
    model = compile_model(sbml)
    rows = model.default_parameters * np.exp(
        0.2 * np.random.default_rng(1).standard_normal((3, len(model.parameters)))
    )
    drug, infusion = model.states.index("drug"), model.parameters.index("infusion")
    events = EventTable.of(
        row
        for i in range(3)
        for row in (
            (i, 0.0, ADD_STATE, drug, 0.5),
            (i, 3.3 + 0.4 * i, ADD_STATE, drug, 4.0),
            (i, 7.1, SET_PARAMETER, infusion, 1.5),
            (i, 30.2, SET_PARAMETER, infusion, 0.2),
        )
    )
    rows[:, infusion] = 0.0
    return make_task("small", model, sbml, rows, events, np.linspace(0.0, 48.0, 13), "h")


@pytest.mark.parametrize("tool", QUICK_ENOUGH)
def test_a_tool_agrees_with_the_engine_on_doses_and_events(tool: str) -> None:
    entry = ENTRIES[tool]
    if reason := entry.absent():
        pytest.skip(reason)
    task = small_task()
    reference = ENTRIES[OWN].load()(task, np.empty(0)).run(1e-10)[1]
    # The grower dies out for at least one subject, so that the model's own event is tested, too.
    assert (reference[:, -1, task.states.index("grower")] == 0.0).any()
    sizes = sizes_of(reference)
    peer = entry.load()(task, sizes)
    seconds, values = peer.run(min(peer.tolerances))
    assert seconds > 0.0
    assert scaled_error(values, reference, sizes) < 1e-4
    assert scaled_error(peer.run(min(peer.tolerances), 1)[1], reference[:1], sizes) < 1e-4


def test_the_legs_of_a_course_hold_every_output_once_and_every_dose_in_order() -> None:
    task = small_task()
    for subject in range(task.subjects):
        legs = task.legs(subject)
        assert [k for leg in legs for k in leg.outputs] == list(range(len(task.times)))
        assert sum(len(leg.changes) for leg in legs) == 4
        assert [a.stop for a in legs[:-1]] == [b.start for b in legs[1:]]
        assert legs[0].start == 0.0 and legs[-1].stop == task.times[-1]


def test_a_walk_finds_where_a_state_falls_below_its_bound() -> None:
    antimony.clearPreviousLoads()
    antimony.loadAntimonyString(
        "model m\n x = 1; y = 0; k = 0.5; least = 0.3; x' = -k*x; y' = x; gone: at (x < least): x = 0; end"
    )
    sbml = str(antimony.getSBMLString(antimony.getMainModuleName()))
    model = compile_model(sbml)
    task = make_task(
        "m", model, sbml, model.default_parameters[None, :], EventTable.of(), np.array([0.0, 8.0]), "h"
    )
    x, y = task.states.index("x"), task.states.index("y")

    def exact(states: np.ndarray, parameters: np.ndarray, grid: np.ndarray) -> np.ndarray:
        table = np.empty((len(grid), 2))
        table[:, x] = states[x] * np.exp(-0.5 * (grid - grid[0]))
        table[:, y] = states[y] + (states[x] - table[:, x]) / 0.5
        return table

    values = Walk(task, exact).run(0)
    # y gains (1 - 0.3) / 0.5 until x is gone, and nothing more.
    assert values[1] == pytest.approx([0.0, 1.4] if x == 0 else [1.4, 0.0], rel=1e-7)


def test_diffsl_text_gives_the_rates_of_the_model() -> None:
    task = small_task()
    system = read_sbml(task.sbml)
    sizes = np.array([2.0, 10.0, 0.5])
    words = {
        "pow": pow,
        "exp": math.exp,
        "max": max,
        "min": min,
        "sqrt": math.sqrt,
        "log": math.log,
        "abs": abs,
    }
    states = np.array([1.3, 4.0, 0.7])
    _, derived = system.start(task.rows[0])
    values: dict[str, object] = dict(words)
    values.update({f"p{i}": v for i, v in enumerate(task.rows[0].tolist())})
    values.update({f"c{i}": v for i, v in enumerate(derived.tolist())})
    values.update({f"y{i}": v for i, v in enumerate((states / sizes).tolist())})
    head, _, rates = write_diffsl(system, sizes).partition("F_i {")
    for line in head.splitlines():
        name, brace, rest = line.partition(" { ")
        if brace and rest.endswith(" }"):
            values[name] = eval(rest.removesuffix(" }"), values)
    found = [
        eval(line.strip().rstrip(","), values) for line in rates.strip().rstrip("}").strip().splitlines()
    ]
    expected = evaluate(system.graph, system.rates, states, task.rows[0], derived)
    assert np.array(found) * sizes == pytest.approx(np.array(expected), rel=1e-12)


def test_python_source_gives_rates_and_jacobian_of_the_model() -> None:
    task = small_task()
    system = read_sbml(task.sbml)
    words: dict[str, object] = {"math": math}
    exec(write_source(system), words)
    states, row = np.array([1.3, 4.0, 0.7]), task.rows[0]
    _, derived = system.start(row)
    fixed = np.empty(int(words["INVARIANTS"]))  # type: ignore[call-overload]
    words["prepare"](row, derived, fixed)  # type: ignore[operator]
    rates, matrix = np.empty(3), np.zeros((3, 3))
    words["rates"](states, 0.0, fixed, rates)  # type: ignore[operator]
    words["jacobian"](states, 0.0, fixed, matrix)  # type: ignore[operator]
    assert rates == pytest.approx(
        np.array(evaluate(system.graph, system.rates, states, row, derived)), rel=1e-12
    )
    entries = evaluate(system.graph, list(system.jacobian.values()), states, row, derived)
    for (i, j), entry in zip(system.jacobian, entries, strict=True):
        assert matrix[i, j] == pytest.approx(float(entry), rel=1e-12)


def test_time_at_an_error_is_interpolated_between_points_on_both_sides_alone() -> None:
    assert time_at([(1e-3, 1.0), (1e-5, 4.0)], 1e-4) == pytest.approx(2.0)
    assert time_at([(1e-3, 1.0), (2e-4, 4.0)], 1e-4) is None
    assert time_at([(float("inf"), 1.0), (1e-5, 4.0)], 1e-4) is None


def test_a_value_that_is_not_a_number_is_an_infinite_error() -> None:
    reference = np.ones((1, 2, 1))
    assert scaled_error(np.full((1, 2, 1), np.nan), reference, sizes_of(reference)) == float("inf")
    assert scaled_error(reference * 1.001, reference, sizes_of(reference)) == pytest.approx(0.001 / 1.001)


def test_a_straight_line_is_told_from_a_bent_one() -> None:
    assert straight([1, 2, 4], [3.0, 5.0, 9.0])["each"] == pytest.approx(2.0)
    assert straight([1, 2, 4], [3.0, 5.0, 9.0])["deviation"] < 1e-12
    assert straight([1, 2, 4], [1.0, 4.0, 16.0])["deviation"] > 0.05


def test_more_doses_and_outputs_change_nothing_else() -> None:
    task = influenza_task(4)
    assert len(with_doses(task, 6).events) == len(task.events) + 6 * 4
    assert not set(with_doses(task, 6).events.time) & set(task.times)
    assert len(with_outputs(task, 40).times) == 41
    assert with_outputs(task, 20).fingerprint() == task.fingerprint()


def test_a_subject_is_the_same_however_many_are_asked_for() -> None:
    few, many = influenza_task(3), influenza_task(9)
    assert np.array_equal(few.rows, many.rows[:3])
    assert few.fingerprint() == many.first(3).fingerprint()


def test_the_quick_comparison_has_its_figures_and_names_what_is_absent() -> None:
    found = peers.quick(8, "influenza")
    assert found["scaled_error"] == 1e-4
    for tool in peers.QUICK_TOOLS:
        assert (tool in found["ms_per_subject"]) != (tool in found["absent"])
    if not ENTRIES["roadrunner"].absent():
        assert found["ratio_to_fastest_peer"] > 0.0
        assert found["fastest_peer"] in found["ms_per_subject"]
        # Times are of runs at the target error: the finer of the two points is below it.
        assert all(error < 1e-4 for error in found["agreement"].values())
    json.dumps(found, allow_nan=False)


def test_a_tool_that_fails_is_named_with_the_reason(tmp_path: Path) -> None:
    assert "No such file" in peers.run_tool(OWN, tmp_path / "nothing", 1, True)["failed"]


def test_a_result_has_a_hash_that_a_changed_number_does_not_have() -> None:
    result = peers.with_hash({"ms": 1.0})
    assert peers.with_hash(result) == result
    assert peers.with_hash({**result, "ms": 2.0})["hash"] != result["hash"]


def test_the_stored_result_is_whole_and_is_what_the_pages_show() -> None:
    kept = json.loads(peers.STORED.read_text(encoding="utf-8"))
    assert peers.with_hash(kept)["hash"] == kept["hash"]
    done = subprocess.run(
        [sys.executable, "tools/benchmark_page.py", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
