"""The ladder of calibration: turnover, endotoxin, virus, usual care, drugs, each on what came before.

python -m mesolung.calibration.ladder                    every step's targets under the present table
python -m mesolung.calibration.ladder --step 2           one step only
python -m mesolung.calibration.ladder --step 4 --fit     moves what the step may; writes values and record
python -m mesolung.calibration.ladder --record           moves nothing, and records the present table
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mesolung.biology import assemble
from mesolung.calibration.ladder_record import (
    RECORD,
    entry_of,
    fit_of,
    mismatch,
    read_record,
    text_of,
    with_entry,
)
from mesolung.calibration.ladder_step import Evaluated, NotFitted, Step, Tell
from mesolung.calibration.moves import Move, read_moves
from mesolung.calibration.step_cohorts import CohortStep
from mesolung.calibration.step_drugs import DrugStep
from mesolung.calibration.step_endotoxin import EndotoxinStep
from mesolung.calibration.step_targets import line_of, read_step_targets
from mesolung.calibration.step_turnover import TurnoverStep
from mesolung.calibration.usual_care import DRAWS as DRUG_DRAWS
from mesolung.calibration.written_values import Tables, read_tables, replace_together, tables_of
from mesolung.engine import CompiledModel, compile_model
from mesolung.execution import worker_count
from mesolung.reading import Refusal

TURNOVER, ENDOTOXIN, VIRUS, USUAL_CARE, DRUGS = STEPS = (1, 2, 3, 4, 5)
SEED, ROUNDS, DRAWS, COURSES, VOLUNTEERS = 1, 5, 24, 16, 256
INTERRUPTED = 130


@dataclass(frozen=True)
class Ladder:
    """The steps over one set of files.

    Attributes:
        steps: number -> step.
        seed: of all of them.
        folder: with ``parameters.csv`` and ``diseases``; None for the package's own.
        record: the file of the record.
        tell: called with lines of output.
    """

    steps: dict[int, Step]
    seed: int = SEED
    folder: Path | None = None
    record: Path = RECORD
    tell: Tell = print

    def show(self, numbers: Iterable[int]) -> int:
        """Evaluate steps under the present tables and print them.

        Arguments:
            numbers: of the steps.

        Returns:
            0; 1 when a step's table cannot be kept or its record is of another table.
        """
        tables, record, status = read_tables(self.folder), read_record(self.record), 0
        for number in numbers:
            found = self._evaluate(number, tables)
            stale = mismatch(record, number, tables)
            if stale:
                self.tell(f"step {number} {stale}")
            status |= bool(stale or found.problems)
        return status

    def keep(self, numbers: Iterable[int]) -> int:
        """Record steps under the present tables, moving nothing.

        Arguments:
            numbers: of the steps.

        Returns:
            0; 1 when a step's table cannot be kept, which is not recorded then.

        Raises:
            Refusal: when a table changes meanwhile; nothing is written then.
        """
        tables, record, status = read_tables(self.folder), read_record(self.record), 0
        others: dict[Path, str] = {}
        for number in numbers:
            found = self._evaluate(number, tables)
            if found.problems:
                status = 1
                continue
            record = with_entry(record, number, entry_of(self.steps[number], tables, found, self.seed))
            others |= found.files
        self._write(tables, tables, record, others)
        return status

    def fit(self, numbers: Iterable[int], moves: Sequence[Move], rounds: int) -> int:
        """Fit steps one after another, writing each when it is done; record all again under the last table.

        Arguments:
            numbers: of the steps.
            moves: of all steps.
            rounds: of each fit, at most.

        Returns:
            0; 1 when a step does not get to a table that can be kept, where the ladder ends.

        Raises:
            Refusal: when a table changes meanwhile; nothing of that step is written then.
        """
        for number in numbers:
            step, tables, record = self.steps[number], read_tables(self.folder), read_record(self.record)
            mine = [m for m in moves if m.step == number]
            new, fit = tables, None
            self.tell(f"step {number}, {step.title}: {len(mine)} parameters and drivers may move")
            if mine:
                try:
                    outcome = step.fit(tables, mine, rounds, self.tell)
                except NotFitted as why:
                    self.tell(f"step {number} is not fitted: {why}; nothing of it was written")
                    return 1
                new = tables_of(outcome.texts)
                fit = fit_of(tables, new, mine, outcome)
                for name, values in fit["moved"].items():
                    self.tell(f"{name}: {values['before']} -> {values['after']}")
            found = self._evaluate(number, new)
            if found.problems:
                self.tell(f"step {number}: nothing of it was written")
                return 1
            record = with_entry(record, number, entry_of(step, new, found, self.seed), fit)
            self._write(tables, new, record, found.files)
        tables, record = read_tables(self.folder), read_record(self.record)
        recorded = [n for n in self.steps if str(n) in record["steps"]]
        return self.keep([n for n in recorded if mismatch(record, n, tables)])

    def _evaluate(self, number: int, tables: Tables) -> Evaluated:
        step = self.steps[number]
        self.tell(f"step {number}, {step.title}")
        started = time.monotonic()
        found = step.evaluate(tables)
        for line in found.compared:
            self.tell(line_of(line))
        for problem in found.problems:
            self.tell(f"step {number}: {problem}")
        self.tell(f"step {number}: {len(found.compared)} targets, {time.monotonic() - started:.1f} s")
        return found

    def _write(
        self, before: Tables, after: Tables, record: dict[str, Any], others: dict[Path, str] | Any
    ) -> None:
        replace_together({**after.texts, **others, self.record: text_of(record)}, before.texts)


def steps_of(
    model: CompiledModel, *, draws: int | None = None, seed: int = SEED, workers: int = 2, tell: Tell = print
) -> dict[int, Step]:
    """Make the five steps.

    Arguments:
        model: the compiled biology.
        draws: parameter draws of the cohorts and of the drug step; None for each step's own number.
        seed: of all.
        workers: threads; no result depends on them.
        tell: called with lines of progress.

    Returns:
        number -> step.
    """
    targets = read_step_targets()

    def cohorts(title: str, number: int) -> CohortStep:
        mine = [t for t in targets if t.step == number]
        return CohortStep(title, model, mine, seed, draws or DRAWS, COURSES, workers)

    return {
        TURNOVER: TurnoverStep([t for t in targets if t.step == TURNOVER]),
        ENDOTOXIN: EndotoxinStep(model, seed, VOLUNTEERS, workers),
        VIRUS: cohorts("virus", VIRUS),
        USUAL_CARE: cohorts("usual care", USUAL_CARE),
        DRUGS: DrugStep(model, seed, draws or DRUG_DRAWS, workers, tell),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Arguments:
        arguments: of the command line.

    Returns:
        0; 1 when a record is of another table, or a step does not get to its targets; 2 when something cannot
        be used; 130 after Ctrl-C, with nothing half-written.
    """
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        prog="python -m mesolung.calibration.ladder", description=__doc__, formatter_class=raw
    )
    parser.add_argument("--step", type=int, choices=STEPS, action="append", help="default: all")
    parser.add_argument("--fit", action="store_true", help="move parameters; write values and record")
    parser.add_argument("--record", action="store_true", help="move nothing; write the record")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="of a fit, at most")
    parser.add_argument("--draws", type=int, default=None, help=f"{DRAWS}; {DRUG_DRAWS} for drugs")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--workers", type=int, default=None)
    options = parser.parse_args(arguments)
    if options.rounds < 1 or (options.draws is not None and options.draws < 1):
        parser.error("rounds and draws are at least 1")
    numbers = sorted(set(options.step or STEPS))
    try:
        tables = read_tables()
        fixed = frozenset(t.output for t in read_step_targets() if t.step == TURNOVER)
        moves = read_moves(tables.parameters, tables.diseases, fixed)
        model = compile_model(assemble().sbml)
        workers = worker_count(options.workers)
        steps = steps_of(model, draws=options.draws, seed=options.seed, workers=workers, tell=_line)
        ladder = Ladder(steps, options.seed, tell=_line)
        if options.fit:
            return ladder.fit(numbers, moves, options.rounds)
        return ladder.keep(numbers) if options.record else ladder.show(numbers)
    except Refusal as problem:
        print(problem, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped: steps that were finished are written, the one under way is not", file=sys.stderr)
        return INTERRUPTED


def _line(text: str) -> None:
    """A line at once, so that a long fit can be followed through a pipe."""
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
