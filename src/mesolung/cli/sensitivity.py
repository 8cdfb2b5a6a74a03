"""`mesolung sensitivity`: which uncertain numbers move a study's endpoints and its effect."""

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


def sensitivity_file(
    path: Path,
    *,
    endpoint: str | None,
    method: str,
    trajectories: int,
    samples: int,
    top: int,
    parameters: str | None,
    subjects: int,
    seed: int,
    workers: int | None,
    out: Path | None,
    as_json: bool,
    source: Source = "auto",
) -> int:
    """Analyse a study file, keep the page and print the outcome.

    Arguments:
        path: the study file.
        endpoint: the one to look at; None for all of the plan.
        method: "morris", "sobol" or "both".
        trajectories: paths of the screening.
        samples: of the Sobol indices.
        top: how many inputs the indices are of.
        parameters: ids with commas between them; None for all that can act.
        subjects: of a point.
        seed: start of every random stream.
        workers: threads; None for one per processor.
        out: the folder to make; None for ``runs/sensitivity-STEM-N``.
        as_json: print the JSON and nothing else on standard output.
        source: of the parameter draws: "auto", "prior" or "posterior".

    Returns:
        the exit status: 0, or 1 when at least 0.1 % of the subjects failed.

    Raises:
        Refusal: when the study, an option or the target folder is refused; nothing is run.
        NotWritten: when the disk is full.
    """
    from mesolung.calibration.sensitivity.analysis import analyse
    from mesolung.report.analysis_page import write_analysis
    from mesolung.report.sensitivity import sensitivity_page, sensitivity_table
    from mesolung.study import read_study
    from mesolung.study.result import json_text

    study = read_study(path)
    names = None if parameters is None else [name.strip() for name in parameters.split(",")]
    target = out or numbered(Path("runs") / f"sensitivity-{path.stem}")
    with whole_folder(target) as place:
        with shown_progress() as progress:
            found = analyse(
                study,
                endpoint=endpoint,
                method=method,
                trajectories=trajectories,
                samples=samples,
                top=top,
                parameters=names,
                subjects=subjects,
                seed=seed,
                workers=worker_count(workers),
                progress=progress,
                source=source,
            )
        (place / "sensitivity.json").write_text(json_text(found), encoding="utf-8")
        said = _command(
            path, endpoint, method, trajectories, samples, top, parameters, subjects, seed, source
        )
        write_analysis(sensitivity_page(found, said), place / "sensitivity.html")
    page = target / "sensitivity.html"
    tell(found, lambda: sensitivity_table(found), page, as_json=as_json, width=TABLE_WIDTH)
    return status_of(found["failed_subjects"], found["solved_subjects"])


def _command(
    path: Path,
    endpoint: str | None,
    method: str,
    trajectories: int,
    samples: int,
    top: int,
    parameters: str | None,
    subjects: int,
    seed: int,
    source: Source,
) -> str:
    said = ["mesolung sensitivity", path.name]
    said += [] if endpoint is None else [f"--endpoint {endpoint}"]
    said += [f"--method {method}", f"--trajectories {trajectories}", f"--samples {samples}", f"--top {top}"]
    said += [] if parameters is None else [f"--parameters {parameters}"]
    said += [f"--subjects {subjects}", f"--seed {seed}"]
    said += [f"--draws-from {source}"] if source != "auto" else []
    return " ".join(said)
