"""`mesolung cohort`: from a model and a table of subjects to a table of results."""

from __future__ import annotations

import sys
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from mesolung.cli.progress import shown_progress
from mesolung.execution import worker_count
from mesolung.reading import Refusal

if TYPE_CHECKING:
    from mesolung.cohort import CohortSummary

# Failures named on standard error; the summary as JSON names more, the table of failures all.
MOST_SAID = 10
# So near to a whole number of steps counts as one.
NEARLY = 1e-9


def cohort_file(
    model: Path,
    subjects: Path,
    out: Path,
    *,
    end: float | None,
    step: float | None,
    times: str | None,
    doses: Path | None,
    outputs: str | None,
    rtol: float,
    atol: float | None,
    max_steps: int,
    workers: int | None,
    bands: bool,
    quantiles: str | None,
    chunk: int | None,
    failures: Path | None,
    as_json: bool,
) -> int:
    """Solve a model for a table of subjects, keep the results and print what became of it.

    Arguments:
        model, subjects, out, doses, failures: files; see `run_cohort`.
        end, step: output times 0, step, 2 step, ... and end; or ``times``: "0,1,2.5".
        outputs: names, with commas between them; None for all states.
        rtol, atol, max_steps: tolerances and limit of the solver.
        workers: threads; None for one per processor.
        bands: quantile bands instead of subjects; ``quantiles``: "0.05,0.5,0.95".
        chunk: subjects that a thread takes at a time.
        as_json: print the summary's JSON and nothing else on standard output.

    Returns:
        the exit status: 0, or 1 when at least 0.1 % of the subjects failed.

    Raises:
        Refusal: when a file or an option is refused; nothing is written.
        NotWritten: when the disk is full.
    """
    # Only now, because these rooms are what takes time to import.
    from mesolung.cohort import run_cohort
    from mesolung.cohort.bands import DEFAULT_QUANTILES

    if quantiles is not None and not bands:
        raise Refusal("--quantiles goes with --bands", found=quantiles)
    moments = _moments(end, step, times)
    parts = None
    if bands:
        asked = ",".join(DEFAULT_QUANTILES) if quantiles is None else quantiles
        parts = [Fraction(number) for number in _numbers("--quantiles", asked)]
    with shown_progress() as progress:
        summary = run_cohort(
            model,
            subjects,
            out,
            moments,
            doses=doses,
            outputs=None if outputs is None else _names(outputs),
            quantiles=parts,
            failures=failures,
            rtol=rtol,
            atol=atol,
            max_steps=max_steps,
            workers=worker_count(workers),
            chunk=chunk,
            progress=progress,
        )
    _print(summary, as_json)
    return 0 if summary.complete else 1


def _moments(end: float | None, step: float | None, times: str | None) -> list[float]:
    import math

    from mesolung.cohort.run import MOST_TIMES

    if times is not None:
        if end is not None or step is not None:
            raise Refusal("--times stands instead of --end and --step")
        return [float(number) for number in _numbers("--times", times)]
    if end is None or step is None:
        raise Refusal("output times are missing", allowed="--end with --step, or --times")
    if not (0 < step < math.inf and 0 <= end < math.inf):
        raise Refusal(
            "--end and --step", found=f"{end:g} and {step:g}", allowed="end at least 0, step above 0"
        )
    if end / step > MOST_TIMES:
        raise Refusal("too many output times", found=f"{end / step:.3g}", allowed=f"at most {MOST_TIMES}")
    whole = math.floor(end / step + NEARLY)
    moments = [min(k * step, end) for k in range(whole + 1)]
    return moments if moments[-1] >= end - NEARLY * step else [*moments, end]


def _numbers(option: str, text: str) -> list[Decimal]:
    """Numbers with commas between them, exactly as written."""
    found = []
    for cell in text.split(","):
        try:
            found.append(Decimal(cell.strip()))
        except InvalidOperation:
            raise Refusal(
                f"{option}: not a number", found=cell.strip() or "nothing", allowed="0.5,1,2"
            ) from None
        if not found[-1].is_finite():
            raise Refusal(f"{option}: not a finite number", found=cell.strip())
    return found


def _names(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",")]
    if not all(names):
        raise Refusal("--outputs: an empty name", found=text, allowed="names with commas between them")
    return names


def _print(summary: CohortSummary, as_json: bool) -> None:
    for failure in summary.failures[:MOST_SAID]:
        print(f"failed: {failure}", file=sys.stderr)
    left = summary.failed - min(MOST_SAID, len(summary.failures))
    if left:
        print(f"failed: {left} more (--failures FILE names all)", file=sys.stderr)
    if as_json:
        from mesolung.study.result import json_text

        sys.stdout.write(json_text(summary.json))
        return
    print(
        f"subjects {summary.subjects}, times {summary.times}, outputs {len(summary.outputs)}, "
        f"failed {summary.failed}"
    )
    # Alone on its line, so that it can be copied.
    print(f"{'bands' if summary.kind == 'band' else 'results'}: {summary.out}")
