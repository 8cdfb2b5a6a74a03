"""The words of `mesolung lot`; what it does is imported when it is called."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mesolung.cli.limits import MOST_DRAWS
from mesolung.cli.options import Json, Seed, Workers, folder_to_make


def lot(
    path: Annotated[
        Path,
        typer.Argument(help="The lot file, TOML; or a table of published lots, CSV.", metavar="LOT.toml"),
    ],
    fcs: Annotated[Path | None, typer.Option(help="Flow cytometry of the lot.", metavar="FILE")] = None,
    control: Annotated[
        Path | None, typer.Option(help="Flow cytometry of its isotype or unstained control.", metavar="FILE")
    ] = None,
    gates: Annotated[
        Path | None, typer.Option(help="Gating-ML 2.0 gates, instead of the default ones.", metavar="FILE")
    ] = None,
    gate_markers: Annotated[
        Path | None,
        typer.Option(help="Table of gate and marker; else the gates' names tell.", metavar="FILE"),
    ] = None,
    nta: Annotated[Path | None, typer.Option(help="Particle tracking of the lot.", metavar="FILE")] = None,
    plate: Annotated[Path | None, typer.Option(help="A plate of its potency assay.", metavar="FILE")] = None,
    counts: Annotated[Path | None, typer.Option(help="A cell counter's table.", metavar="FILE")] = None,
    spec: Annotated[
        list[str] | None,
        typer.Option(
            help="A specification by name, or a file of one's own, .toml or .csv; may stand several times. "
            "Else all that come with mesolung for such a product."
        ),
    ] = None,
    in_: Annotated[
        Path | None, typer.Option("--in", help="A study file to give the lot in.", metavar="STUDY.toml")
    ] = None,
    draws: Annotated[
        int, typer.Option(min=2, max=MOST_DRAWS, help="Parameter draws of the study, a lot each.")
    ] = 100,
    seed: Seed = 1,
    workers: Workers = None,
    out: Annotated[Path | None, folder_to_make("runs/lot-STEM-N")] = None,
    json: Json = False,
) -> None:
    """Make the card of a lot: release, dose, potency; and what it would mean in a study."""
    from mesolung.cli.lot import lot_file

    code = lot_file(
        path,
        fcs=fcs,
        control=control,
        gates=gates,
        gate_markers=gate_markers,
        nta=nta,
        plate=plate,
        counts=counts,
        specs=spec or (),
        study=in_,
        draws=draws,
        seed=seed,
        workers=workers,
        out=out,
        as_json=json,
    )
    raise typer.Exit(code)
