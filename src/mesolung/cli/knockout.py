"""`mesolung knockout`: what carries which endpoint of a study, mechanism by mechanism."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mesolung.cli.progress import shown_progress
from mesolung.cli.telling import status_of, tell
from mesolung.execution import worker_count
from mesolung.writing import numbered, whole_folder

if TYPE_CHECKING:
    from mesolung.population.posterior import Source

TABLE_WIDTH = 100


def knockout_file(
    path: Path,
    *,
    mechanisms: str | None,
    replicates: int,
    draws: int,
    seed: int,
    workers: int | None,
    out: Path | None,
    as_json: bool,
    source: Source = "auto",
) -> int:
    """Run the knock-outs of a study file, keep the page and print the outcome.

    Arguments:
        path: the study file.
        mechanisms: ids with commas between them, several off together joined by "+", "all-soluble" and
            "all"; None for each effect and mechanism of fate, all soluble factors and all effects.
        replicates: panels of subjects of each draw.
        draws: parameter draws.
        seed: start of every random stream.
        workers: threads; None for one per processor.
        out: the folder to make; None for ``runs/knockout-STEM-N``.
        as_json: print the JSON and nothing else on standard output.
        source: of the parameter draws: "auto", "prior" or "posterior".

    Returns:
        the exit status: 0, or 1 when at least 0.1 % of the subjects failed.

    Raises:
        Refusal: when the study, a mechanism, an option or the target folder is refused; nothing is run.
        NotWritten: when the disk is full.
    """
    from mesolung.biology.mechanisms import knockouts
    from mesolung.report.knockout import knockout_table, write_knockout
    from mesolung.study import read_study
    from mesolung.study.knockout import knock_out
    from mesolung.study.result import json_text

    off = knockouts(None if mechanisms is None else mechanisms.split(","))
    study = read_study(path)
    target = out or numbered(Path("runs") / f"knockout-{path.stem}")
    with whole_folder(target) as place:
        with shown_progress() as progress:
            found = knock_out(
                study,
                off,
                draws=draws,
                replicates=replicates,
                seed=seed,
                workers=worker_count(workers),
                progress=progress,
                source=source,
            )
        (place / "knockout.json").write_text(json_text(found), encoding="utf-8")
        write_knockout(
            found, place / "knockout.html", _command(path, mechanisms, replicates, draws, seed, source)
        )
    page = target / "knockout.html"
    tell(found, lambda: knockout_table(found), page, as_json=as_json, width=TABLE_WIDTH)
    return status_of(found["failed_subjects"], draws * replicates * found["subjects"] * (len(off) + 1))


def _command(
    path: Path, mechanisms: str | None, replicates: int, draws: int, seed: int, source: Source
) -> str:
    said = ["mesolung knockout", path.name]
    said += [] if mechanisms is None else [f"--mechanisms {mechanisms}"]
    said += [f"--draws {draws}", f"--replicates {replicates}", f"--seed {seed}"]
    said += [f"--draws-from {source}"] if source != "auto" else []
    return " ".join(said)
