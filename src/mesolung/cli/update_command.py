"""The words of `mesolung update`; what it does is imported when it is called."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mesolung.cli.limits import MOST_DRAWS
from mesolung.cli.options import Json, Seed, Workers, folder_to_make


def update(
    borrow: Annotated[
        float,
        typer.Option(help="How far the stored posterior is borrowed: 0 the prior alone, 1 all of it."),
    ],
    studies: Annotated[
        Path | None,
        typer.Option("--with", help="Your study files with observations, or one of them.", metavar="STUDIES"),
    ] = None,
    lots: Annotated[
        Path | None, typer.Option(help="Lot files of your laboratory, or one of them.", metavar="LOTS")
    ] = None,
    elicited: Annotated[
        Path | None,
        typer.Option(help="Experts' quantiles of parameters of grade C, CSV.", metavar="FILE.csv"),
    ] = None,
    study: Annotated[
        Path | None,
        typer.Option(help="A study whose effect is told before and after.", metavar="STUDY.toml"),
    ] = None,
    posterior: Annotated[
        Path | None,
        typer.Option(
            help="A posterior to start from; else the one that comes with mesolung.", metavar="FOLDER"
        ),
    ] = None,
    draws: Annotated[
        int | None, typer.Option(min=2, max=MOST_DRAWS, help="Parameter draws; else all that are stored.")
    ] = None,
    seed: Seed = 1,
    workers: Workers = None,
    out: Annotated[Path | None, folder_to_make("runs/update-N")] = None,
    json: Json = False,
) -> None:
    """Join your own studies, lots and experts with the stored posterior; nothing leaves the machine."""
    from mesolung.cli.update import update_posterior

    code = update_posterior(
        studies,
        lots=lots,
        elicited=elicited,
        borrow=borrow,
        headline=study,
        posterior=posterior,
        draws=draws,
        seed=seed,
        workers=workers,
        out=out,
        as_json=json,
    )
    raise typer.Exit(code)
