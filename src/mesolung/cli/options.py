"""Options that mean the same in several commands, with one text each."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from mesolung.cli.limits import MOST_REPLICATES


class Source(StrEnum):
    """Where parameter draws come from."""

    auto = "auto"
    prior = "prior"
    posterior = "posterior"


DrawsFrom = Annotated[
    Source,
    typer.Option(
        help="Parameter draws of the stored posterior or of the prior; auto: the posterior where one "
        "with all its stages is stored for the tables as they are."
    ),
]
StudyFile = Annotated[Path, typer.Argument(help="The study file, TOML.", metavar="STUDY.toml")]
Trials = Annotated[int, typer.Option(min=1, max=MOST_REPLICATES, help="Whole trials to simulate.")]
Seed = Annotated[int, typer.Option(min=0, help="Start of every random stream.")]
Workers = Annotated[int | None, typer.Option(min=1, help="Threads; else one per processor.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object, nothing else.")]
OfDisease = Annotated[str | None, typer.Option(help="Only studies of this disease.")]


def folder_to_make(otherwise: str) -> Any:
    """Describe the option that names the folder a command makes.

    Arguments:
        otherwise: the folder without the option, as ``runs/knockout-STEM-N``.

    Returns:
        the option, for the type of a command's argument.
    """
    return typer.Option(help=f"Folder to make; else {otherwise}.", metavar="FOLDER")
