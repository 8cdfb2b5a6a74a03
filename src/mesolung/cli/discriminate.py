"""`mesolung discriminate`: which experiment would tell the carriers of effect apart."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mesolung.cli.progress import shown_progress
from mesolung.cli.telling import status_of, tell
from mesolung.execution import worker_count
from mesolung.reading import Refusal
from mesolung.writing import numbered, whole_folder

if TYPE_CHECKING:
    from mesolung.population.posterior import Source

TABLE_WIDTH = 110


def discriminate_file(
    path: Path,
    *,
    arms: str | None,
    blocked: str | None,
    times: str | None,
    sizes: str | None,
    bound: float,
    draws: int,
    subjects: int,
    seed: int,
    workers: int | None,
    out: Path | None,
    as_json: bool,
    source: Source = "auto",
) -> int:
    """Rank experiments like a study file's, keep the page and print the outcome.

    Arguments:
        path: the study file.
        arms: "viable,apoptotic,EV,secretome" or some of them; None for all.
        blocked: mechanisms with commas between them, "none" for none; None for the usual ones.
        times: of lavage after the first dose, as "24 h,72 h"; None for the usual ones.
        sizes: subjects of an arm, as "6,12"; None for the usual ones.
        bound: weight that the true carrier is to reach.
        draws: parameter draws.
        subjects: of each draw.
        seed: start of every random stream.
        workers: threads; None for one per processor.
        out: the folder to make; None for ``runs/discriminate-STEM-N``.
        as_json: print the JSON and nothing else on standard output.
        source: of the parameter draws: "auto", "prior" or "posterior".

    Returns:
        the exit status: 0, or 1 when at least 0.1 % of the subjects failed.

    Raises:
        Refusal: when the study, an option or the target folder is refused; nothing is run.
        NotWritten: when the disk is full.
    """
    from mesolung.calibration.discrimination.analysis import discriminate
    from mesolung.calibration.discrimination.arms import SIZES, TIMES_H
    from mesolung.report.analysis_page import write_analysis
    from mesolung.report.discriminate import discriminate_page, discriminate_table
    from mesolung.study import read_study
    from mesolung.study.result import json_text

    hours = TIMES_H if times is None else [_hours(text) for text in _names("--times", times)]
    numbers = SIZES if sizes is None else [_size(text) for text in _names("--sizes", sizes)]
    off: Sequence[str] | None = None if blocked is None else _names("--blocked", blocked)
    study = read_study(path)
    target = out or numbered(Path("runs") / f"discriminate-{path.stem}")
    with whole_folder(target) as place:
        with shown_progress() as progress:
            found = discriminate(
                study,
                arms=None if arms is None else _names("--arms", arms),
                blocked=[] if off == ["none"] else off,
                times_h=hours,
                sizes=numbers,
                bound=bound,
                draws=draws,
                subjects=subjects,
                seed=seed,
                workers=worker_count(workers),
                progress=progress,
                source=source,
            )
        (place / "discriminate.json").write_text(json_text(found), encoding="utf-8")
        said = _command(path, arms, blocked, times, sizes, bound, draws, subjects, seed, source)
        write_analysis(discriminate_page(found, said), place / "discriminate.html")
    page = target / "discriminate.html"
    tell(found, lambda: discriminate_table(found), page, as_json=as_json, width=TABLE_WIDTH)
    return status_of(found["failed_subjects"], found["solved_subjects"])


def _names(option: str, text: str) -> list[str]:
    names = [name.strip() for name in text.split(",")]
    if not all(names):
        raise Refusal(f"{option}: an empty name", found=text, allowed="names with commas between them")
    if len(set(names)) < len(names):
        raise Refusal(f"{option}: a name stands twice", found=text, allowed="each once")
    return names


def _hours(text: str) -> float:
    from mesolung.units import quantity

    try:
        return quantity(text).to("h")
    except ValueError:
        raise Refusal("--times: not a time", found=text, allowed='as "24 h,72 h"') from None


def _size(text: str) -> int:
    if not text.isdecimal():
        raise Refusal("--sizes: not a whole number", found=text, allowed="as 6,12,24")
    return int(text)


def _command(
    path: Path,
    arms: str | None,
    blocked: str | None,
    times: str | None,
    sizes: str | None,
    bound: float,
    draws: int,
    subjects: int,
    seed: int,
    source: Source,
) -> str:
    said = ["mesolung discriminate", path.name]
    named = {"arms": arms, "blocked": blocked, "times": times, "sizes": sizes}
    said += [f'--{name} "{text}"' for name, text in named.items() if text is not None]
    said += [f"--bound {bound:g}", f"--draws {draws}", f"--subjects {subjects}", f"--seed {seed}"]
    said += [f"--draws-from {source}"] if source != "auto" else []
    return " ".join(said)
