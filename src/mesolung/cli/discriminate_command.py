"""The words of `mesolung discriminate`; what it does is imported when it is called."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mesolung.cli.options import DrawsFrom, Json, Seed, Source, Workers, folder_to_make

MOST_DRAWS = 500


def discriminate(
    study: Annotated[
        Path,
        typer.Argument(
            help="The study file, TOML; an arm of it is given living cells.", metavar="STUDY.toml"
        ),
    ],
    arms: Annotated[
        str | None, typer.Option(help="Arms to consider, of viable,apoptotic,EV,secretome; else all.")
    ] = None,
    blocked: Annotated[
        str | None,
        typer.Option(
            help="Mechanisms that can be off in the viable arm, as EV,PGE2, or none; else the usual ones of "
            "a laboratory, and none in people.",
            metavar="NAMES",
        ),
    ] = None,
    times: Annotated[
        str | None, typer.Option(help='Times of lavage after the first dose, as "24 h,72 h".')
    ] = None,
    sizes: Annotated[str | None, typer.Option(help="Subjects of an arm to consider, as 6,12,24.")] = None,
    bound: Annotated[float, typer.Option(help="Weight that the true carrier is to reach.")] = 0.8,
    draws: Annotated[int, typer.Option(min=4, max=MOST_DRAWS, help="Parameter draws.")] = 32,
    subjects: Annotated[int, typer.Option(min=2, max=1024, help="Subjects of a draw.")] = 8,
    seed: Seed = 1,
    workers: Workers = None,
    out: Annotated[Path | None, folder_to_make("runs/discriminate-STEM-N")] = None,
    draws_from: DrawsFrom = Source.auto,
    json: Json = False,
) -> None:
    """Rank experiments by what they would tell of the carriers of effect, and of the decision."""
    from mesolung.cli.discriminate import discriminate_file

    code = discriminate_file(
        study,
        arms=arms,
        blocked=blocked,
        times=times,
        sizes=sizes,
        bound=bound,
        draws=draws,
        subjects=subjects,
        seed=seed,
        workers=workers,
        out=out,
        as_json=json,
        source=draws_from.value,
    )
    raise typer.Exit(code)
