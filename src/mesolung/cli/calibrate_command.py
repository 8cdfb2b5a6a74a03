"""The words of `mesolung calibrate`; what it does is imported when it is called."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mesolung.cli.limits import MOST_DRAWS
from mesolung.cli.options import Seed, Workers


def calibrate(
    stage: Annotated[
        list[str] | None,
        typer.Option(
            help="A stage by name, or acute, chronic or all; may stand several times. Without one the stages "
            "are listed, with what is done."
        ),
    ] = None,
    resume: Annotated[
        bool,
        typer.Option("--resume", help="Leave finished stages; go on with one that was cut off."),
    ] = False,
    draws: Annotated[int, typer.Option(min=8, max=MOST_DRAWS, help="Draws of the posterior.")] = 512,
    seed: Seed = 1,
    workers: Workers = None,
    store: Annotated[
        Path | None,
        typer.Option(help="Where the posterior is kept; else in the package.", metavar="FOLDER"),
    ] = None,
    page: Annotated[
        Path | None,
        typer.Option(help="An HTML page of all stages to write besides.", metavar="FILE"),
    ] = None,
) -> None:
    """Learn the model's parameters from published data, stage by stage, and store the posterior."""
    from mesolung.cli.calibrate import calibrate_stages

    code = calibrate_stages(
        stage or [], resume=resume, draws=draws, seed=seed, workers=workers, folder=store, page=page
    )
    raise typer.Exit(code)
