"""The options of `mesolung register`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mesolung.cli.options import DrawsFrom, Json, Seed, Source, Trials, Workers


def register(
    study: Annotated[
        Path | None,
        typer.Argument(
            help="A study file to register a prediction of; with --score a study file, or a folder of them, "
            "whose observations have arrived.",
            metavar="[STUDY.toml]",
        ),
    ] = None,
    score: Annotated[
        bool, typer.Option("--score", help="Score registered predictions whose observations have arrived.")
    ] = False,
    folder: Annotated[Path, typer.Option(help="The register.", metavar="FOLDER")] = Path("register"),
    replicates: Trials = 200,
    seed: Seed = 1,
    workers: Workers = None,
    json: Json = False,
    draws_from: DrawsFrom = Source.auto,
) -> None:
    """Write down a prediction before its trial reports, or score those whose trials have reported."""
    from mesolung.cli.register import register_study, score_register

    if score:
        raise typer.Exit(score_register(folder, study, as_json=json))
    code = register_study(
        study,
        folder,
        replicates=replicates,
        seed=seed,
        workers=workers,
        as_json=json,
        source=draws_from.value,
    )
    raise typer.Exit(code)
