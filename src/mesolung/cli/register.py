"""`mesolung register`: a prediction written down before its trial reports, and scored when it does."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from mesolung.cli.progress import shown_progress
from mesolung.execution import worker_count
from mesolung.reading import Refusal

if TYPE_CHECKING:
    from mesolung.population.posterior import Source

TABLE_WIDTH = 110


def register_study(
    path: Path | None,
    folder: Path,
    *,
    replicates: int,
    seed: int,
    workers: int | None,
    as_json: bool,
    source: Source = "auto",
) -> int:
    """Register a prediction.

    Arguments:
        path: the study file.
        folder: the register.
        replicates: simulated trials and parameter draws.
        seed: start of every random stream.
        workers: threads; None for one per processor.
        as_json: print the entry's JSON and nothing else on standard output.
        source: of the parameter draws: "auto", "prior" or "posterior".

    Returns:
        0.

    Raises:
        Refusal: when the study or the register is refused.
    """
    if path is None:
        raise Refusal("which study?", allowed="mesolung register STUDY.toml, or --score")
    from mesolung.calibration.validation.register import register
    from mesolung.study import read_study
    from mesolung.study.result import json_text

    study = read_study(path)
    with shown_progress() as progress:
        entry = register(
            study,
            folder,
            replicates=replicates,
            seed=seed,
            workers=worker_count(workers),
            progress=progress,
            source=source,
        )
    if as_json:
        sys.stdout.write(json_text(entry.json))
        print(f"registered: {entry.path}", file=sys.stderr)
    else:
        print(f"registered: {entry.path}")
        print(f"number {entry.number}, {entry.json['registered']}, sha256 {entry.sha256}")
    return 0


def score_register(folder: Path, reported: Path | None, *, as_json: bool) -> int:
    """Score registered predictions whose observations have arrived.

    Arguments:
        folder: the register.
        reported: study files with observations; None for those that lie in the register.
        as_json: print one JSON object and nothing else.

    Returns:
        0, whatever the predictions were worth.

    Raises:
        Refusal: when an entry was changed or is missing, or a study file is refused.
    """
    from mesolung.calibration.validation.register import score_register as score
    from mesolung.study.result import json_text

    outcomes = score(folder, reported)
    records = [outcome.record() for outcome in outcomes]
    if as_json:
        sys.stdout.write(json_text({"schema": 1, "entries": records}))
        return 0
    from rich.console import Console

    from mesolung.report.register import register_table

    Console(width=None if sys.stdout.isatty() else TABLE_WIDTH).print(register_table(records))
    return 0
