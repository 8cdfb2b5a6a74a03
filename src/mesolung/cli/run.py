"""`mesolung run`: from a study file to a run folder and what it says."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mesolung.cli.progress import shown_progress
from mesolung.cli.telling import tell
from mesolung.execution import worker_count
from mesolung.reading import Refusal
from mesolung.writing import numbered, whole_folder

if TYPE_CHECKING:
    from mesolung.population.posterior import Source

TABLE_WIDTH = 100


def run_file(
    path: Path,
    *,
    replicates: int,
    draws: int | None,
    seed: int,
    workers: int | None,
    scheduler: str | None,
    out: Path | None,
    as_json: bool,
    release: bool,
    source: Source = "auto",
    posterior: Path | None = None,
) -> int:
    """Run a study file, keep the run folder and print the outcome.

    Arguments:
        path: the study file.
        replicates: whole trials to simulate.
        draws: parameter draws that the scores mix over; None for as many as replicates.
        seed: start of every random stream.
        workers: threads; None for one per processor.
        scheduler: a cluster's address, refused.
        out: the folder to make; None for ``runs/STEM-HASH-N``.
        as_json: print the result's JSON and nothing else on standard output, instead of the table.
        release: use the larger number of subjects for expected values.
        source: of the parameter draws: "auto", "prior" or "posterior".
        posterior: folder of a posterior to take them from instead; None for none.

    Returns:
        the exit status: 0, or 1 when at least 0.1 % of the subjects failed.

    Raises:
        Refusal: when the study, an option or the target folder is refused; nothing is run.
        NotWritten: when the disk is full.
    """
    if scheduler is not None:
        raise Refusal("--scheduler is not supported yet", found=scheduler, allowed="--workers N")
    # Only now, because these rooms are what takes time to import.
    from mesolung.population.own_posterior import posterior_in
    from mesolung.report import terminal_table, write_report
    from mesolung.study import inputs_sha256, read_study
    from mesolung.study.result import write_run_folder
    from mesolung.study.run import run_study

    study = read_study(path)
    own = posterior_in(posterior)
    target = out or numbered(Path("runs") / f"{path.stem}-{inputs_sha256(study)[:8]}")
    # Opened before the run, so that an existing target is refused before minutes are spent.
    with whole_folder(target) as place:
        with shown_progress() as progress:
            result = run_study(
                study,
                replicates=replicates,
                draws=draws,
                seed=seed,
                workers=worker_count(workers),
                release=release,
                progress=progress,
                source=source,
                own=own,
            )
            progress("writing the report", 0, 0)
            write_run_folder(result, place)
            write_report(result, place / "report.html")
    page = target / "report.html"
    tell(result.json, lambda: terminal_table(result), page, as_json=as_json, width=TABLE_WIDTH)
    return 0 if result.manifest["complete"] else 1
