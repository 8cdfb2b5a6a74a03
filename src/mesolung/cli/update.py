"""`mesolung update`: a sponsor's own studies, lots and experts joined with the stored posterior."""

from __future__ import annotations

import sys
from pathlib import Path

from mesolung.cli.progress import shown_progress
from mesolung.execution import worker_count
from mesolung.reading import Refusal
from mesolung.writing import numbered, whole_folder

RECORD, PAGE = "update.json", "update.md"
NOT_TRUSTED = 1


def update_posterior(
    studies: Path | None,
    *,
    lots: Path | None,
    elicited: Path | None,
    borrow: float,
    headline: Path | None,
    posterior: Path | None,
    draws: int | None,
    seed: int,
    workers: int | None,
    out: Path | None,
    as_json: bool,
) -> int:
    """Join private data with the stored posterior, keep the posterior and its record, and print the outcome.

    Arguments:
        studies: private study files, or one of them; None for none.
        lots: lot files of the sponsor's laboratory, or one of them; None for none.
        elicited: a CSV table of experts' quantiles; None for none.
        borrow: how far what is stored is borrowed, 0 to 1.
        headline: a study file whose effect is told before and after; None for none.
        posterior: folder of the posterior to start from; None for the package's own.
        draws: of the posterior; None for all that are stored.
        seed: start of every random stream.
        workers: threads; None for one per processor.
        out: the folder to make; None for ``runs/update-N``.
        as_json: print the record and nothing else on standard output.

    Returns:
        0, or 1 where the weights may not be trusted: then the folder has the record and no posterior.

    Raises:
        Refusal: for an input that is refused; nothing is run then.
    """
    from mesolung.calibration.importance import arviz_for_weights
    from mesolung.calibration.posterior.store import draws_text
    from mesolung.calibration.updating.elicited import read_elicited
    from mesolung.calibration.updating.lots import read_lots
    from mesolung.calibration.updating.update import Inputs, hashes_of, update
    from mesolung.calibration.validation.folder import read_folder
    from mesolung.population.own_posterior import posterior_in
    from mesolung.population.posterior import DRAWS, MANIFEST
    from mesolung.report.update import verdict, write_update
    from mesolung.study import read_study
    from mesolung.study.result import json_text

    if studies is None and lots is None and elicited is None:
        raise Refusal("nothing to learn from", allowed="--with STUDIES, --lots LOTS or --elicited FILE")
    arviz_for_weights()
    files = [] if studies is None else read_folder(studies)
    own_lots = {} if lots is None else read_lots(lots)
    opinions = {} if elicited is None else read_elicited(elicited)
    effect = None if headline is None else read_study(headline)
    paths: dict[str, Path] = {}
    for place, names in ((studies, [f"{f.key}.toml" for f in files]), (lots, list(own_lots))):
        if place is not None:
            paths |= {name: place if place.is_file() else place / name for name in names}
    for one in (elicited, headline):
        paths |= {} if one is None else {one.name: one}
    target = out or numbered(Path("runs") / "update")
    said = command_of(studies, lots, elicited, borrow, headline, posterior, draws, seed)
    with whole_folder(target) as place:
        with shown_progress() as progress:
            made = update(
                Inputs(files, own_lots, opinions, hashes_of(paths)),
                borrow=borrow,
                draws=draws,
                seed=seed,
                workers=worker_count(workers),
                progress=progress,
                headline=effect,
                stored=posterior_in(posterior),
                command=said,
            )
        (place / RECORD).write_text(json_text(made.record), encoding="utf-8")
        write_update(made.record, place / PAGE)
        if made.posterior is not None:
            (place / MANIFEST).write_text(json_text(made.posterior.manifest), encoding="utf-8")
            (place / DRAWS).write_text(draws_text(made.posterior), encoding="utf-8")
    if as_json:
        sys.stdout.write(json_text(made.record))
        print(f"record: {target / PAGE}", file=sys.stderr)
    else:
        print(verdict(made.record))
        print(f"record: {target / PAGE}")
        if made.posterior is not None:
            print(f"use it: mesolung run STUDY.toml --posterior {target}")
    return 0 if made.posterior is not None else NOT_TRUSTED


def command_of(
    studies: Path | None,
    lots: Path | None,
    elicited: Path | None,
    borrow: float,
    headline: Path | None,
    posterior: Path | None,
    draws: int | None,
    seed: int,
) -> str:
    """The command that repeats an update.

    Arguments:
        studies, lots, elicited, borrow, headline, posterior, draws, seed: as `update_posterior`.
    """
    said = ["mesolung update"]
    said += [f"--with {studies}"] if studies is not None else []
    said += [f"--lots {lots}"] if lots is not None else []
    said += [f"--elicited {elicited}"] if elicited is not None else []
    said += [f"--borrow {borrow:g}"]
    said += [f"--study {headline}"] if headline is not None else []
    said += [f"--posterior {posterior}"] if posterior is not None else []
    said += [f"--draws {draws}"] if draws is not None else []
    said += [f"--seed {seed}"] if seed != 1 else []
    return " ".join(said)
