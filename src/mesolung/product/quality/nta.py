"""Nanoparticle tracking of either maker."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

from mesolung.product.quality.nanosight import TITLE, read_nanosight
from mesolung.product.quality.particles import ParticleSizes
from mesolung.product.quality.repair import RepairLog
from mesolung.product.quality.sheet import read_text
from mesolung.product.quality.zetaview import read_zetaview

LOOKED_AT = 2000  # characters in which NanoSight's title stands


def read_nta(path: str | PathLike[str]) -> tuple[ParticleSizes, ...]:
    """Read sizes of particles from NanoSight's summary or ZetaView's text, whichever the file is.

    Raises:
        Refusal: for a file that is neither, or as its reader refuses it.
    """
    if TITLE in read_text(Path(path), RepairLog())[:LOOKED_AT]:
        return read_nanosight(path)
    return (read_zetaview(path),)
