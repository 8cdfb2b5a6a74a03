"""`mesolung calibrate`: the posterior, stage by stage."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from mesolung.cli.progress import shown_progress
from mesolung.execution import worker_count
from mesolung.reading import Refusal

TABLE_WIDTH = 110


def calibrate_stages(
    names: Sequence[str],
    *,
    resume: bool,
    draws: int,
    seed: int,
    workers: int | None,
    folder: Path | None,
    page: Path | None,
) -> int:
    """Run stages of the calibration, or show which are done.

    Arguments:
        names: of stages, "acute", "chronic" or "all"; none to show which are done.
        resume: leave finished stages as they are, and go on with one that was cut off.
        draws: members of the ensemble.
        seed: of the perturbed observations and of resampling.
        workers: threads; None for one per processor.
        folder: where the posterior lies; None for the package's own.
        page: an HTML file to write besides, with every stage's data beside the predictions; None for none.

    Returns:
        0.

    Raises:
        Refusal: for an unknown stage, one whose stages before it are not done, or a stored stage of other
            tables; nothing is run then.
    """
    from mesolung.calibration.posterior.calibrate import calibration, status_of
    from mesolung.calibration.posterior.stages import asked_for

    if names:
        wanted = asked_for(names)
        with shown_progress() as progress:
            made = calibration(
                draws,
                seed=seed,
                workers=worker_count(workers),
                folder=folder,
                tell=lambda line: print(line, flush=True),
                progress=progress,
            )
            made.run(wanted, resume, command_of(names, draws, seed))
    elif resume:
        raise Refusal("--resume goes on with a stage", allowed="--stage NAME --resume")
    else:
        _show(status_of(folder))
    if page is not None:
        from mesolung.report.posterior import write_posterior

        write_posterior(status_of(folder), folder, page)
        print(f"page: {page}")
    return 0


def command_of(names: Sequence[str], draws: int, seed: int) -> str:
    """The command that repeats a calibration.

    Arguments:
        names, draws, seed: as `calibrate_stages`.
    """
    said = [
        "mesolung calibrate",
        *(f"--stage {name}" for name in names),
        f"--draws {draws}",
        f"--seed {seed}",
    ]
    return " ".join(said)


def _show(lines: Sequence[dict]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title="Stages of the posterior")
    for head in ("stage", "learns from", "done", "draws", "moved", "inside 90 % before", "after", "minutes"):
        table.add_column(head, overflow="fold")
    for line in lines:
        record = line["record"]
        if record is None:
            table.add_row(line["stage"], line["about"], "no", *[""] * 5)
            continue
        inside = [
            "-" if record[k] is None else f"{record[k]:.0%}" for k in ("inside_90_before", "inside_90_after")
        ]
        table.add_row(
            line["stage"],
            line["about"],
            line["stale"] or str(record["date"]),
            str(record["draws"]),
            str(record.get("moved_count", "")),
            *inside,
            f"{record['seconds'] / 60.0:.1f}",
        )
    Console(width=None if sys.stdout.isatty() else TABLE_WIDTH).print(table)
