"""The words of `mesolung sensitivity`; what it does is imported when it is called."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from mesolung.cli.options import DrawsFrom, Json, Seed, Source, StudyFile, Workers, folder_to_make


class Method(StrEnum):
    """How a sensitivity analysis is made."""

    morris = "morris"
    sobol = "sobol"
    both = "both"


def sensitivity(
    study: StudyFile,
    endpoint: Annotated[
        str | None, typer.Option(help="The endpoint to look at, as mortality@28d; else all of the plan.")
    ] = None,
    method: Annotated[
        Method, typer.Option(help="Screen by Morris, share out the variance by Sobol, or both in turn.")
    ] = Method.both,
    trajectories: Annotated[int, typer.Option(min=2, max=1000, help="Paths of the screening.")] = 10,
    samples: Annotated[
        int, typer.Option(min=2, max=65536, help="Samples of the Sobol indices, a power of two.")
    ] = 256,
    top: Annotated[int, typer.Option(min=1, max=50, help="Inputs that the indices are of.")] = 10,
    parameters: Annotated[
        str | None,
        typer.Option(help="Inputs to look at, as human_effect,gain_EV,product.", metavar="NAMES"),
    ] = None,
    subjects: Annotated[int, typer.Option(min=8, max=1024, help="Subjects of a point.")] = 32,
    seed: Seed = 1,
    workers: Workers = None,
    out: Annotated[Path | None, folder_to_make("runs/sensitivity-STEM-N")] = None,
    draws_from: DrawsFrom = Source.auto,
    json: Json = False,
) -> None:
    """Find which uncertain numbers move a study's endpoints and its effect."""
    from mesolung.cli.sensitivity import sensitivity_file

    code = sensitivity_file(
        study,
        endpoint=endpoint,
        method=method.value,
        trajectories=trajectories,
        samples=samples,
        top=top,
        parameters=parameters,
        subjects=subjects,
        seed=seed,
        workers=workers,
        out=out,
        as_json=json,
        source=draws_from.value,
    )
    raise typer.Exit(code)
