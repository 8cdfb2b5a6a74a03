"""`mesolung validate`: predictions against published studies, with scores, baselines and bias."""

from __future__ import annotations

import sys
from pathlib import Path
from time import perf_counter, process_time
from typing import TYPE_CHECKING

from mesolung.cli.progress import shown_progress
from mesolung.cli.telling import status_of, tell
from mesolung.execution import worker_count
from mesolung.writing import numbered, whole_folder

if TYPE_CHECKING:
    from mesolung.population.posterior import Source

TABLE_WIDTH = 110
CANCELLED = 130


def validate_folder(
    folder: Path | None,
    *,
    disease: str | None,
    release: bool,
    bias: str,
    draws: int | None,
    seed: int,
    workers: int | None,
    out: Path | None,
    as_json: bool,
    source: Source = "auto",
    leave_out: bool = False,
) -> int:
    """Validate a folder of studies, keep the page and print the outcome.

    Arguments:
        folder: study files, or one of them, or a part of the shipped evidence; None for all of that.
        disease: only studies of that disease, alone or in a mixture; None for all.
        release: every stored draw and the larger number of subjects.
        bias: "none", "all" or the name of a term.
        draws: parameter draws; None for 100, or every stored one.
        seed: start of every random stream.
        workers: threads; None for one per processor.
        out: the folder to make; None for ``runs/validate-NAME-N``.
        as_json: print the validation's JSON and nothing else on standard output.
        source: of the parameter draws: "auto", "prior" or "posterior".
        leave_out: predict each human trial of cells, and each study of usual care, from all others.

    Returns:
        the exit status: 0, or 1 when at least 0.1 % of the subjects failed.

    Raises:
        Refusal: when a study file, an option or the target folder is refused; nothing is run.
        NotWritten: when the disk is full.
    """
    from mesolung.calibration.validation.bias import chosen
    from mesolung.calibration.validation.folder import Bench, predict_folder
    from mesolung.calibration.validation.shipped import files_of
    from mesolung.calibration.validation.validate import score
    from mesolung.report.validation import validation_table, write_validation
    from mesolung.study.result import json_text

    chosen(bias)
    if leave_out:
        from mesolung.calibration.importance import arviz_for_weights
        from mesolung.calibration.validation.leave_one_out import leave_one_out, with_record

        arviz_for_weights()
    name, files = files_of(folder, disease)
    target = out or numbered(Path("runs") / f"validate-{name}")
    bench = Bench()
    start, worked = perf_counter(), process_time()
    try:
        with whole_folder(target) as place:
            with shown_progress() as progress:
                subjects, seconds = predict_folder(
                    files,
                    release=release,
                    draws=draws,
                    seed=seed,
                    workers=worker_count(workers),
                    progress=progress,
                    source=source,
                    bench=bench,
                )
                if leave_out:
                    progress("leaving one out", 0, 0)
                    left, record = leave_one_out(
                        files,
                        subjects,
                        bias=bias,
                        draws=subjects[0].predicted.draws,
                        release=release,
                        seed=seed,
                        workers=worker_count(workers),
                        progress=progress,
                        bench=bench,
                    )
                    progress("scoring", 0, 0)
                    json = with_record(score(left.subjects, bias=bias, seed=seed).json, record)
                else:
                    progress("scoring", 0, 0)
                    json = score(subjects, bias=bias, seed=seed).json
            manifest = {
                "command": command_of(folder, disease, release, bias, draws, seed, source, leave_out),
                "seconds": perf_counter() - start,
                "processor_seconds": process_time() - worked,
                "seconds_by_study": seconds,
                "studies": len(files),
            }
            (place / "validation.json").write_text(json_text(json), encoding="utf-8")
            (place / "manifest.json").write_text(json_text(manifest), encoding="utf-8")
            write_validation(json, place / "validation.html", manifest["command"])
    except KeyboardInterrupt:
        print(
            "mesolung: cancelled; finished studies are kept, the same command goes on after them",
            file=sys.stderr,
        )
        raise SystemExit(CANCELLED) from None
    page = target / "validation.html"
    tell(json, lambda: validation_table(json), page, as_json=as_json, width=TABLE_WIDTH)
    solved = sum(s.predicted.about.get("solved", 0) for s in subjects)
    failed = sum(s.predicted.about.get("failed", 0) for s in subjects)
    return status_of(failed, solved)


def command_of(
    folder: Path | None,
    disease: str | None,
    release: bool,
    bias: str,
    draws: int | None,
    seed: int,
    source: Source = "auto",
    leave_out: bool = False,
) -> str:
    """The command that repeats a validation.

    Arguments:
        folder, disease, release, bias, draws, seed, source, leave_out: as `validate_folder`.
    """
    said = ["mesolung validate"]
    said += [str(folder)] if folder is not None else []
    said += [f"--disease {disease}"] if disease is not None else []
    said += ["--release"] if release else []
    said += [f"--draws {draws}"] if draws is not None else []
    said += [f"--bias {bias}"] if bias != "all" else []
    said += [f"--seed {seed}"] if seed != 1 else []
    said += [f"--draws-from {source}"] if source != "auto" else []
    said += ["--leave-one-out"] if leave_out else []
    return " ".join(said)
