"""Instructions of fixed solves, counted exactly: a slower kernel shows on any machine, however busy it is.

    python -m benchmarks.instructions [--base REV] [--json] [--record WHY]

Every basic block of the engine's LLVM IR gets a counter, the solve runs with four lanes, and an instruction
counts as often as its block was entered. The numbers are those of the IR as the engine writes it, before
LLVM's few passes: they depend on neither the processor nor its vector width nor the clock, and a vector of
four subjects counts as one. `--base` counts another revision's engine on the same models beside this one's.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray

from benchmarks.network import network, to_sbml
from mesolung.engine import ADD_STATE, CompiledModel, EventTable, compile_model
from mesolung.engine import solve as solving

ROOT = Path(__file__).resolve().parent.parent
STORED = Path(__file__).with_name("instructions.json")
LANES = 4
RTOL = 1e-5
SUBJECTS = 16

_HEAD = re.compile(r"^define .*@([\w.$]+)\(")
_LABEL = re.compile(r"^([\w.$]+):")


@dataclass(frozen=True)
class Block:
    """A basic block: the function that it is in, and how many instructions it has."""

    function: str
    instructions: int


def with_counters(text: str, counters: int) -> tuple[str, list[Block]]:
    """Add a counter to every basic block.

    Arguments:
        text: LLVM IR.
        counters: address of as many 64-bit integers as there are blocks; 0 to learn how many that is.

    Returns:
        the IR with counters, and the blocks in the order of the counters.
    """
    lines: list[str] = []
    blocks: list[Block] = []
    function, waiting = "", False

    def count_here() -> None:
        k = len(blocks)
        place = f"inttoptr (i64 {counters + 8 * k} to ptr)"
        lines.append(f"  %count.old.{k} = load i64, ptr {place}")
        lines.append(f"  %count.new.{k} = add i64 %count.old.{k}, 1")
        lines.append(f"  store i64 %count.new.{k}, ptr {place}")
        blocks.append(Block(function, 0))

    for line in text.splitlines():
        bare = line.strip()
        head = _HEAD.match(line)
        if head:
            function, waiting = head.group(1), True
        elif function and bare == "}":
            function = ""
        elif function and _LABEL.match(bare):
            waiting = True
        # Slots and phis come first in a block; they move no data of their own.
        elif function and bare and not re.match(r";|[^=]* = (phi|alloca) ", bare):
            if waiting:
                count_here()
                waiting = False
            blocks[-1] = replace(blocks[-1], instructions=blocks[-1].instructions + 1)
        lines.append(line)
    return "\n".join(lines) + "\n", blocks


class Counted:
    """A model whose kernel counts as it runs."""

    def __init__(self, sbml: str) -> None:
        """Compile.

        Arguments:
            sbml: the model.
        """
        self._blocks: list[Block] = []
        self._counts = np.zeros(1, dtype=np.int64)
        original = solving.machine_code

        def counting(program: Any, lanes: int) -> bytes:
            _, self._blocks = with_counters(program.text, 0)
            self._counts = np.zeros(len(self._blocks), dtype=np.int64)
            text, _ = with_counters(program.text, self._counts.ctypes.data)
            return original(replace(program, text=text), lanes)

        with patch.object(solving, "machine_code", counting):
            self.model: CompiledModel = compile_model(sbml, lanes=LANES, cache=False)

    def count(
        self, parameters: NDArray[np.float64], times: NDArray[np.float64], events: EventTable
    ) -> dict[str, int]:
        """Solve, and count.

        Arguments:
            parameters, times, events: as `CompiledModel.solve` takes them.

        Returns:
            instructions by function of the kernel.
        """
        initial = self.model.initial(parameters)
        self._counts[:] = 0
        solution = self.model.solve(parameters, times, initial, events, rtol=RTOL)
        if solution.failures:
            raise RuntimeError(f"the fixed solve failed: {solution.failures[0]}")
        found: Counter[str] = Counter()
        for block, entered in zip(self._blocks, self._counts.tolist(), strict=True):
            # Long functions are cut into pieces with numbers.
            found[re.sub(r"_\d+$", "", block.function)] += block.instructions * entered
        return {name: count for name, count in sorted(found.items()) if count}


def fixed_solves() -> dict[str, dict[str, int]]:
    """Count the instructions of every fixed solve.

    Returns:
        for each model, instructions by function. The models are made up (stiff networks of Hill terms) and do
        not change with the biology: a small one, and one of 60 states, each with a dose.
    """
    found = {}
    for name, size in (("network of 12 states", 12), ("network of 60 states", 60)):
        text, _, _ = network(size)
        counted = Counted(to_sbml(text))
        model = counted.model
        z = np.random.default_rng(4).standard_normal((SUBJECTS, len(model.parameters)))
        rows = model.default_parameters * np.exp(0.1 * z)
        dose = EventTable.of((i, 25.0, ADD_STATE, 0, 5.0) for i in range(SUBJECTS))
        found[name] = counted.count(rows, np.linspace(0.0, 672.0, 29), dose)
    return found


def totals(counts: Mapping[str, Mapping[str, int]]) -> dict[str, int]:
    """The sum over functions, for each model."""
    return {name: sum(functions.values()) for name, functions in counts.items()}


def grown(
    now: Mapping[str, Mapping[str, int]], before: Mapping[str, Mapping[str, int]], tolerance: float
) -> list[str]:
    """Name what takes more instructions than before.

    Arguments:
        now, before: counts by model and function.
        tolerance: the part by which a model's sum may grow.

    Returns:
        a sentence for each model whose sum grew by more, with the functions that grew most; none where none
        did. A model that is new is not compared.
    """
    found = []
    for name, functions in now.items():
        if name not in before:
            continue
        total, old = sum(functions.values()), sum(before[name].values())
        if total > old * (1.0 + tolerance):
            more = {f: count - before[name].get(f, 0) for f, count in functions.items()}
            worst = sorted(more, key=lambda f: -more[f])[:3]
            named = ", ".join(f"{f} {more[f]:+,}" for f in worst if more[f] > 0)
            found.append(f"{name}: {old:,} -> {total:,} instructions ({total / old - 1.0:+.1%}): {named}")
    return found


def of_revision(revision: str) -> dict[str, dict[str, int]]:
    """Count the same solves with the engine of another revision.

    Arguments:
        revision: as git names it.

    Returns:
        instructions by model and function.

    Raises:
        SystemExit: when git does not know the revision, or its engine cannot be counted.
    """
    with tempfile.TemporaryDirectory() as folder:
        packed = subprocess.run(
            ["git", "-C", str(ROOT), "archive", revision, "src"], capture_output=True, check=False
        )
        if packed.returncode:
            raise SystemExit(f"git does not know the revision '{revision}': {packed.stderr.decode().strip()}")
        subprocess.run(["tar", "-x", "-C", folder], input=packed.stdout, check=True)
        path = os.pathsep.join([str(Path(folder) / "src"), str(ROOT)])
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.instructions", "--json"],
            capture_output=True,
            text=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": path},
            check=False,
        )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [""])[-1]
        raise SystemExit(f"the engine of '{revision}' cannot be counted: {last}")
    return json.loads(done.stdout)


def stored() -> dict[str, Any]:
    """The counts that are kept, with their tolerance and the reasons why they grew."""
    return json.loads(STORED.read_text(encoding="utf-8"))


def record(counts: Mapping[str, Mapping[str, int]], why: str) -> None:
    """Keep counts as the ones to compare with, and the reason.

    Arguments:
        counts: by model and function.
        why: one sentence; it stays in the file.
    """
    kept = stored() if STORED.exists() else {"tolerance": 0.02, "lanes": LANES, "decisions": [], "counts": {}}
    kept["decisions"].append({"why": why, "before": totals(kept["counts"]), "after": totals(counts)})
    kept["counts"] = {name: dict(functions) for name, functions in counts.items()}
    unfinished = STORED.with_name(f".{STORED.name}.{os.getpid()}")
    unfinished.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    unfinished.replace(STORED)


def show(now: Mapping[str, Mapping[str, int]], before: Mapping[str, Mapping[str, int]], title: str) -> str:
    """Set two counts side by side as text.

    Arguments:
        now, before: counts by model and function.
        title: what ``before`` is.

    Returns:
        lines for a terminal.
    """
    lines = [f"{'instructions':<24}{title:>16}{'here':>16}{'change':>9}"]
    for name, functions in now.items():
        old = before.get(name, {})
        rows = [(name, sum(old.values()), sum(functions.values()))]
        rows += [(f"  {f}", old.get(f, 0), functions.get(f, 0)) for f in sorted({*old, *functions})]
        for label, a, b in rows:
            change = f"{b / a - 1.0:+.1%}" if a else "new"
            lines.append(f"{label:<24}{a:>16,}{b:>16,}{change:>9}")
    return "\n".join(lines)


def summary(now: Mapping[str, Mapping[str, int]], before: Mapping[str, Mapping[str, int]], title: str) -> str:
    """One line a model: instructions before and now.

    Arguments:
        now, before: counts by model and function.
        title: what ``before`` is.

    Returns:
        lines for a terminal.
    """
    old = totals(before)
    return "\n".join(
        f"instructions, {name}: {count:,} ({title}: {old.get(name, 0):,})"
        for name, count in totals(now).items()
    )


def main() -> None:
    """Run from the command line; exit status 1 where the stored counts are exceeded."""
    parser = argparse.ArgumentParser(description="Instructions of fixed solves, base against head.")
    parser.add_argument(
        "--base", metavar="REV", help="a revision to compare with, instead of the stored counts"
    )
    parser.add_argument("--json", action="store_true", help="print the counts as JSON")
    parser.add_argument("--record", metavar="WHY", help="keep the counts, with the reason why they changed")
    choice = parser.parse_args()
    counts = fixed_solves()
    if choice.record:
        record(counts, choice.record)
    if choice.json:
        print(json.dumps(counts))
        return
    kept = stored()
    before = of_revision(choice.base) if choice.base else kept["counts"]
    print(show(counts, before, choice.base or "stored"))
    more = grown(counts, before, kept["tolerance"])
    if more:
        print("\nMore instructions than before:", *more, sep="\n")
        print("If that is meant: python -m benchmarks.instructions --record 'WHY'")
        raise SystemExit(1)


if __name__ == "__main__":
    main()
