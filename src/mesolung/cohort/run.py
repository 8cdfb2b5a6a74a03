"""A cohort from a table of subjects to a table of results, chunk by chunk, in a memory that does not grow."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mesolung import __version__
from mesolung.cohort.bands import Bands
from mesolung.cohort.dose_table import DoseTable, check_dose_table, infused_states
from mesolung.cohort.model import model_of
from mesolung.cohort.sink import Question, Sink, Solved
from mesolung.cohort.staging import form_of, stage, staging
from mesolung.cohort.subjects import Rows, Subjects, check_subjects, read_subjects, spans
from mesolung.cohort.summary import CohortSummary, Failure
from mesolung.engine import CompiledModel, EventTable, Solution
from mesolung.execution import stream_chunks
from mesolung.reading import Refusal
from mesolung.writing import whole_file

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Stage = Callable[[str, int, int], None]

# Results of one chunk in memory, and subjects in it, unless told otherwise.
CHUNK_BYTES = 2**24
MOST_IN_CHUNK = 4096
MOST_TIMES = 1_000_000


@dataclass(frozen=True)
class Piece:
    """One chunk's subjects and what happens to them."""

    rows: Rows
    events: EventTable


def run_cohort(
    model: str | Path,
    subjects: str | Path,
    out: str | Path,
    times: ArrayLike,
    *,
    doses: str | Path | None = None,
    outputs: Sequence[str] | None = None,
    quantiles: Sequence[Fraction] | None = None,
    failures: str | Path | None = None,
    rtol: float = 1e-5,
    atol: float | None = None,
    max_steps: int = 20_000,
    workers: int = 1,
    chunk: int | None = None,
    progress: Stage | None = None,
) -> CohortSummary:
    """Solve a model for every row of a table and write what comes out, in constant memory.

    Every file is checked to its last cell before anything is solved; ``out`` appears whole or not at all. The
    numbers in it depend on neither ``workers`` nor ``chunk``.

    Arguments:
        model: SBML, or Antimony where the name ends with ``.ant``.
        subjects: CSV or Parquet, a row a subject: a column ``id``, and columns named as parameters and as
            states with their values at time 0. What has no column is as in the model.
        out: CSV or Parquet, a row a subject and time: id, time, the outputs, and ``failure``, which says in
            all rows of a subject that could not be solved where and why; its outputs are empty from there on.
            With ``quantiles`` a row an output and time instead: see `Bands.table`.
        times: float64[times], ascending, not before 0, in the model's time unit.
        doses: CSV or Parquet; see `dose_events`.
        outputs: states and observables; None for all states.
        quantiles: parts from 0 to 1 for bands instead of subjects.
        failures: CSV or Parquet to write with a row a failed subject.
        rtol, atol, max_steps: as `CompiledModel.solve`.
        workers: threads.
        chunk: subjects that a thread takes at a time; None for as many as fit 16 MiB of results.
        progress: called with (stage in words, done, total).

    Returns:
        The summary.

    Raises:
        Refusal: for a file, row or option that cannot be used; nothing is written.
        NotWritten: when the disk is full.
    """
    target = Path(out)
    form_of(target)
    if failures is not None and Path(failures).absolute() == target.absolute():
        raise Refusal("the table of failures cannot be the table of results", file=target)
    if chunk is not None and chunk < 1:
        raise Refusal("a chunk holds at least one subject", found=chunk)
    show = progress or _silent
    with ExitStack() as stack:
        # Targets first, so that an existing file is refused before anything is read.
        place = stack.enter_context(whole_file(target))
        told = None
        if failures is not None:
            form_of(Path(failures))
            told = Path(failures), stack.enter_context(whole_file(failures))
        folder = tempfile.TemporaryDirectory(
            prefix=f".{target.name}.", suffix=".unfinished", dir=target.parent
        )
        scratch = Path(stack.enter_context(folder))
        connection = stack.enter_context(staging(scratch))
        show("reading tables", 0, 0)
        people = stage(connection, Path(subjects), "subjects")
        given = None if doses is None else stage(connection, Path(doses), "doses")
        infused = {} if given is None else infused_states(connection, given)
        show("compiling the model", 0, 0)
        compiled = model_of(Path(model), infused, given)
        show("checking tables", 0, 0)
        checked = check_subjects(connection, people, compiled)
        table = None if given is None else check_dose_table(connection, given, checked, compiled)
        question = _question(compiled, times, outputs, rtol, atol, max_steps, quantiles)
        size = chunk or _chunk(question)
        pieces = _pieces(connection, checked, table, compiled, size, float(question.times[-1]))
        solved = stream_chunks(lambda piece: _solve(compiled, question, piece), pieces, workers)
        # Closed before the files are, so that no thread is left when something ends the loop.
        stack.enter_context(closing(solved))
        sink = Sink(connection, checked.id_kind, question, target, place, scratch, told)
        done = 0
        for result in solved:
            sink.take(result)
            done += len(result.ids)
            show("subjects", done, len(checked))
        show("writing", 0, 0)
        rows = sink.finish()
    return CohortSummary(
        out=target,
        kind="subject" if quantiles is None else "band",
        subjects=len(checked),
        times=len(question.times),
        rows=rows,
        outputs=question.outputs,
        units=tuple(compiled.units.get(name, "") for name in question.outputs),
        failed=sink.failed,
        failures=tuple(sink.named),
        kernel_id=compiled.kernel_id,
        rtol=rtol,
        version=__version__,
    )


def _question(
    model: CompiledModel,
    times: ArrayLike,
    outputs: Sequence[str] | None,
    rtol: float,
    atol: float | None,
    max_steps: int,
    quantiles: Sequence[Fraction] | None,
) -> Question:
    """Have the engine refuse what it would refuse of the first chunk, on no subject at all."""
    moments = np.ascontiguousarray(times, dtype=np.float64)
    if moments.ndim != 1 or not 1 <= len(moments) <= MOST_TIMES:
        raise Refusal("output times", found=moments.shape, allowed=f"1 to {MOST_TIMES} times in one row")
    names = tuple(model.states if outputs is None else outputs)
    twice = [name for k, name in enumerate(names) if name in names[:k]]
    if twice:
        raise Refusal("an output is named twice", found=twice[0])
    for part in quantiles or ():
        if not 0 <= part <= 1:
            raise Refusal("a quantile is a part", found=float(part), allowed="0 to 1")
    none = np.zeros((0, len(model.parameters)))
    model.solve(none, moments, outputs=names, rtol=rtol, atol=atol, max_steps=max_steps)
    return Question(
        moments, names, rtol, atol, max_steps, None if quantiles is None else tuple(dict.fromkeys(quantiles))
    )


def _chunk(question: Question) -> int:
    """Subjects whose results fit `CHUNK_BYTES`; whole vectors of the widest processor."""
    one = 8 * len(question.times) * max(1, len(question.outputs))
    return max(8, min(MOST_IN_CHUNK, CHUNK_BYTES // one // 8 * 8))


def _pieces(
    connection: DuckDBPyConnection,
    subjects: Subjects,
    doses: DoseTable | None,
    model: CompiledModel,
    chunk: int,
    end: float,
) -> Iterator[Piece]:
    for first, last in spans(len(subjects), chunk):
        rows = read_subjects(connection, subjects, model, first, last)
        events = EventTable.of() if doses is None else doses.events(connection, model, first, last, end)
        yield Piece(rows, events)


def _solve(model: CompiledModel, question: Question, piece: Piece) -> Solved:
    """Solve one chunk; this is what the threads do."""
    rows = piece.rows
    solution = model.solve(
        rows.parameters,
        question.times,
        rows.initial,
        piece.events,
        question.outputs,
        rtol=question.rtol,
        atol=question.atol,
        max_steps=question.max_steps,
        chunk=len(rows.ids),
    )
    failures = _named(solution, rows.ids)
    if question.quantiles is None:
        return Solved(rows.ids, solution.values, None, failures)
    bands = Bands(question.outputs, question.times)
    bands.add(solution.values)
    return Solved(rows.ids, None, bands, failures)


def _named(solution: Solution, ids: NDArray[Any]) -> tuple[tuple[int, Failure], ...]:
    found = []
    for f in solution.failures:
        own = ids[f.subject]
        name = own if isinstance(own, str) else int(own)
        found.append((f.subject, Failure(name, f.time, f.reason, f.fastest_state, f.suspect_parameter)))
    return tuple(found)


def _silent(stage: str, done: int, total: int) -> None:
    """Take no notice of progress."""
