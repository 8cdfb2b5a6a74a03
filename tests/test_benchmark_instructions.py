"""The kernel takes no more instructions than was decided, and the count is exact."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks import instructions
from benchmarks.network import network, to_sbml

from mesolung.engine import EventTable, compile_model


@pytest.fixture(scope="module")
def small() -> instructions.Counted:
    return instructions.Counted(to_sbml(network(6)[0]))


def test_a_count_is_exact_and_changes_no_number(small: instructions.Counted) -> None:
    rows = np.tile(small.model.default_parameters, (4, 1))
    times, none = np.linspace(0.0, 50.0, 6), EventTable.of()
    assert small.count(rows, times, none) == small.count(rows, times, none)
    plain = compile_model(to_sbml(network(6)[0]), lanes=instructions.LANES, cache=False)
    assert np.array_equal(small.model.solve(rows, times).values, plain.solve(rows, times).values)
    # Twice as many vectors of subjects that are all alike take almost exactly twice the instructions.
    once, twice = (sum(small.count(np.tile(rows, (n, 1)), times, none).values()) for n in (1, 2))
    assert twice == pytest.approx(2 * once, rel=0.01)


def test_every_instruction_of_a_block_is_counted_once() -> None:
    text = "define void @f(ptr %q) {\nentry:\n  %x = alloca i64\n  store i64 0, ptr %x\n  br label %next\n"
    text += "next:\n  %y = load i64, ptr %x\n  ret void\n}\ndeclare void @g()\n"
    counted, blocks = instructions.with_counters(text, 4096)
    assert [(b.function, b.instructions) for b in blocks] == [("f", 2), ("f", 2)]
    lines = counted.splitlines()
    assert lines.index("  %x = alloca i64") < next(k for k, line in enumerate(lines) if "count.old.0" in line)
    assert "inttoptr (i64 4104 to ptr)" in counted


def test_what_grew_is_named() -> None:
    before = {"model": {"rates": 100, "step": 100}}
    assert instructions.grown({"model": {"rates": 101, "step": 100}}, before, 0.02) == []
    assert instructions.grown({"model": {"rates": 90, "step": 100}}, before, 0.02) == []
    assert instructions.grown({"new": {"rates": 9}}, before, 0.02) == []
    (told,) = instructions.grown({"model": {"rates": 100, "step": 130}}, before, 0.02)
    assert "model: 200 -> 230" in told and "step +30" in told and "rates" not in told


def test_the_kernel_takes_no_more_instructions_than_was_decided(capsys: pytest.CaptureFixture[str]) -> None:
    kept = instructions.stored()
    now = instructions.fixed_solves()
    with capsys.disabled():
        print("\n" + instructions.summary(now, kept["counts"], "stored"))
    more = instructions.grown(now, kept["counts"], kept["tolerance"])
    assert not more, "\n".join([*more, "if that is meant: python -m benchmarks.instructions --record 'WHY'"])
    assert kept["decisions"] and kept["decisions"][-1]["after"] == instructions.totals(kept["counts"])
