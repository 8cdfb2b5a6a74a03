"""``python -m benchmarks.sbml_suite FOLDER [--json] [--write]``: the SBML Test Suite through the engine.

A case passes when every variable is within the case's own tolerance at every time; a model that the engine
does not serve is refused by name; everything else has failed. ``--write`` keeps the counts beside this file.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mesolung.engine import CompiledModel, EngineError, compile_model
from mesolung.engine.sbml import open_sbml

RECORD = Path(__file__).with_name("sbml-suite.json")
PASSED, FAILED, REFUSED = "passed", "failed", "refused"
# Far below the tolerances of the cases (1e-2 to 1e-8), and no limit on steps that a case could meet.
RTOL, ATOL, MAX_STEPS = 1e-9, 1e-13, 10**6

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Outcome:
    """What became of one case: ``passed``, ``failed`` or ``refused``, and why."""

    case: str
    outcome: str
    why: str = ""

    def __str__(self) -> str:
        return f"{self.case} {self.outcome}" + (f": {self.why}" if self.why else "")


def cases_in(folder: Path) -> list[Path]:
    """List the cases of a folder of the suite.

    Arguments:
        folder: where the cases lie, a folder each.

    Returns:
        The folders in order.

    Raises:
        EngineError: when there is no case.
    """
    found = sorted(p.parent for p in folder.glob("*/*-settings.txt")) if folder.is_dir() else []
    if not found:
        raise EngineError("holds no case of the SBML Test Suite", file=folder)
    return found


def case_hash(cases: Sequence[Path]) -> str:
    """Name a list of cases: equal names mean equal lists."""
    return hashlib.sha256("\n".join(c.name for c in cases).encode()).hexdigest()[:16]


def run_case(case: Path, lanes: int = 2, cache: bool = False) -> Outcome:
    """Compile and solve one case, and compare it with the suite's numbers.

    Arguments:
        case: the folder of the case.
        lanes: width of the vectors.
        cache: whether compiled code is kept.

    Returns:
        What became of it.
    """
    file = sorted(case.glob(f"{case.name}-sbml-*.xml"))[-1]
    settings = _settings(case)
    names, table = _expected(case)
    try:
        model = compile_model(file, lanes=lanes, cache=cache)
        amounts = [n.strip() for n in settings.get("amount", "").split(",")]
        values = _found(model, file, names[1:], table[:, 0], amounts)
    except EngineError as refusal:
        return Outcome(case.name, REFUSED, str(refusal).removeprefix(f"{file}: "))
    except _NotSolved as failure:
        # What shows only in the solve, such as chance between events, is refused in the subject's record.
        refused = "the engine does not serve" in str(failure)
        return Outcome(case.name, REFUSED if refused else FAILED, str(failure))
    bound = float(settings["absolute"]) + float(settings["relative"]) * np.abs(table[:, 1:])
    same = (values == table[:, 1:]) | (np.isnan(values) & np.isnan(table[:, 1:]))
    with np.errstate(invalid="ignore"):
        close = (np.abs(values - table[:, 1:]) <= bound) | same
    if close.all():
        return Outcome(case.name, PASSED)
    i, k = np.argwhere(~close)[0]
    return Outcome(
        case.name,
        FAILED,
        f"{names[1 + k]} is {values[i, k]:.8g} at time {table[i, 0]:g}, not {table[i, 1 + k]:.8g}",
    )


class _NotSolved(Exception):
    """A case's one subject could not be solved."""


def _settings(case: Path) -> dict[str, str]:
    lines = (case / f"{case.name}-settings.txt").read_text(encoding="utf-8").splitlines()
    return {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}


def _expected(case: Path) -> tuple[list[str], Values]:
    with (case / f"{case.name}-results.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.reader(file) if any(cell.strip() for cell in row)]
    return [name.strip() for name in rows[0]], np.array([[float(cell) for cell in row] for row in rows[1:]])


def _found(model: CompiledModel, file: Path, names: list[str], times: Values, amounts: list[str]) -> Values:
    """The named quantities as the case wants them: species as amounts or as concentrations."""
    one = model.default_parameters[None, :]
    outputs = [*model.states, *model.observables]
    solution = model.solve(one, times, outputs=outputs, rtol=RTOL, atol=ATOL, max_steps=MAX_STEPS)
    if solution.failures:
        raise _NotSolved(str(solution.failures[0]))
    known = {name: solution[name][0] for name in outputs}
    known |= {name: np.full(len(times), value) for name, value in zip(model.parameters, one[0], strict=True)}
    known |= {name: np.full(len(times), value[0]) for name, value in model.derived(one).items()}
    sbml: Any = open_sbml(file).getModel()
    columns = []
    for name in names:
        if name not in known:
            raise EngineError(f"the case asks for '{name}', which is no quantity of the model")
        column, species = known[name], sbml.getSpecies(name)
        if species is not None:
            place = sbml.getCompartment(species.getCompartment())
            is_amount = species.getHasOnlySubstanceUnits() or place.getSpatialDimensions() == 0
            if is_amount != (name in amounts):
                size = known[place.getId()]
                column = column / size if is_amount else column * size
        columns.append(column)
    return np.column_stack(columns)


def run_suite(cases: Sequence[Path], cache: bool = False) -> Iterator[Outcome]:
    """Run cases in order; see `run_case`."""
    for case in cases:
        yield run_case(case, cache=cache)


def record_of(cases: Sequence[Path], outcomes: Sequence[Outcome]) -> dict[str, object]:
    """What ``--write`` keeps: the counts, the name of the list of cases, and which cases did not pass."""
    counts = Counter(o.outcome for o in outcomes)
    return {
        "cases": len(cases),
        "hash": case_hash(cases),
        **{name: counts[name] for name in (PASSED, FAILED, REFUSED)},
        "not_passed": {o.case: o.why for o in outcomes if o.outcome != PASSED},
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; see the module.

    Arguments:
        arguments: the words after the command's name; None for those of the process.

    Returns:
        0, 1 where a case failed, 2 where the folder holds no case.
    """
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sbml_suite", description=__doc__)
    parser.add_argument("folder", type=Path, help="where the cases lie, a folder each")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--write", action="store_true", help=f"keep the counts in {RECORD.name}")
    parser.add_argument("--stride", type=int, default=1, metavar="N", help="run every N-th case")
    parser.add_argument("--case", action="append", metavar="ID", help="run this case; may be repeated")
    options = parser.parse_args(arguments)
    try:
        cases = cases_in(options.folder)
    except EngineError as refusal:
        print(refusal, file=sys.stderr)
        return 2
    if options.write and (options.stride != 1 or options.case):
        parser.error("--write keeps the counts of the whole suite")
    cases = [c for c in cases if not options.case or c.name in options.case][:: options.stride]
    outcomes: list[Outcome] = []
    for outcome in run_suite(cases, cache=True):
        outcomes.append(outcome)
        if not options.json:
            print(outcome, flush=True)
    record = record_of(cases, outcomes)
    if options.write:
        RECORD.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    if options.json:
        print(json.dumps(record))
    else:
        print(", ".join(f"{record[name]} {name}" for name in (PASSED, FAILED, REFUSED)))
    return 1 if record[FAILED] else 0


if __name__ == "__main__":
    sys.exit(main())
