"""The option that says where parameter draws come from."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer


class Source(StrEnum):
    """Where parameter draws come from."""

    auto = "auto"
    prior = "prior"
    posterior = "posterior"


DrawsFrom = Annotated[
    Source,
    typer.Option(
        help="Parameter draws of the stored posterior or of the prior; auto: the posterior where one is "
        "stored for the tables as they are."
    ),
]
