"""Spillover between detectors, and intensities with it taken out."""

from __future__ import annotations

from dataclasses import dataclass
from os import PathLike

import numpy as np
import numpy.typing as npt

from mesolung.product.quality.fcs import FlowFile
from mesolung.product.quality.sheet import Sheet, read_sheet
from mesolung.reading import Refusal

KEYWORDS = ("$SPILLOVER", "SPILLOVER", "SPILL", "$SPILL", "$COMP")
PREFIXES = ("Comp-", "FJ_Comp_", "Comp_")  # how other tools rename a compensated channel
WORST_CONDITION = 1e6


@dataclass(frozen=True, eq=False)
class Spillover:
    """How much of each fluorochrome every detector sees.

    Attributes:
        channels: names of the detectors.
        matrix: share of the light of a fluorochrome (row) in a detector (column), (n, n).
        source: keyword or file that it comes from.
    """

    channels: tuple[str, ...]
    matrix: npt.NDArray[np.float64]
    source: str


def spillover_of(flow: FlowFile) -> Spillover | None:
    """Find the spillover matrix in a file's own keywords.

    Returns:
        the matrix; None where the file holds none.

    Raises:
        Refusal: for a matrix that cannot be read or names channels that the file lacks.
    """
    keyword = next((key for key in KEYWORDS if flow.metadata.get(key, "").strip()), None)
    if keyword is None:
        return None
    cells = [cell.strip() for cell in flow.metadata[keyword].split(",")]
    try:
        n = int(cells[0])
        numbers = [float(cell) for cell in cells[n + 1 :]]
    except ValueError:
        numbers, n = [], 0
    if not 0 < n <= len(flow.channels) or len(numbers) != n * n:
        raise Refusal(
            f"{keyword} is no spillover matrix",
            file=flow.file,
            found=flow.metadata[keyword][:60],
            allowed="n, n names of channels, n × n numbers",
        )
    names = tuple(flow.names[flow.column(cell)] for cell in cells[1 : n + 1])
    return _checked(Spillover(names, np.array(numbers).reshape(n, n), keyword), str(flow.file))


def read_spillover(path: str | PathLike[str]) -> Spillover:
    """Read a spillover matrix from a text table.

    Arguments:
        path: a table whose first row names the channels ("#" before it is allowed), and whose rows, with the
            channel's name first or without, are the fluorochromes.

    Raises:
        Refusal: for a table that is not square, a cell that is no number, a channel twice, or a matrix that
            cannot be inverted.
    """
    sheet = read_sheet(path)
    (first, header), *rows = sheet.rows
    names = [cell.lstrip("# ") for cell in header]
    titled = names[:1] == [""] or (bool(rows) and all(cells[0] in names[1:] for _, cells in rows))
    names = names[1:] if titled else names
    while names and not names[-1]:
        names.pop()
    if not names or len(rows) != len(names):
        sheet.refuse("spillover matrix is not square", first, f"{len(rows)} rows, {len(names)} channels")
    matrix = np.array([_row(sheet, line, cells, names, titled) for line, cells in rows])
    return _checked(Spillover(tuple(names), matrix, str(sheet.file)), str(sheet.file))


def _row(sheet: Sheet, line: int, cells: tuple[str, ...], names: list[str], titled: bool) -> list[float]:
    cells = cells[1:] if titled else cells
    values = [sheet.measured(cell, line, "spillover") for cell in cells[: len(names)]]
    known = [value.value for value in values if value is not None and value.known and value.value is not None]
    if len(known) != len(names) or any(cells[len(names) :]):
        sheet.refuse("spillover row of another length", line, len(known), len(names))
    return known


def _checked(spill: Spillover, file: str) -> Spillover:
    if len(set(spill.channels)) != len(spill.channels):
        raise Refusal("a channel twice in a spillover matrix", file=file, found=", ".join(spill.channels))
    if not np.isfinite(spill.matrix).all() or np.linalg.cond(spill.matrix) > WORST_CONDITION:
        raise Refusal("spillover matrix cannot be inverted", file=file, found=spill.source)
    return spill


def compensate(flow: FlowFile, spillover: Spillover | None = None) -> npt.NDArray[np.float64]:
    """Take the spillover out of scaled intensities.

    Arguments:
        spillover: the matrix; that of the file where none is given.

    Returns:
        scaled values (events, channels); channels that the matrix does not name are as they were, and without
        any matrix all of them.

    Raises:
        Refusal: for a matrix that names channels that the file lacks.
    """
    spill = spillover or spillover_of(flow)
    values = flow.scaled.copy()
    if spill is None:
        return values
    at = [flow.column(name) for name in spill.channels]
    values[:, at] = values[:, at] @ np.linalg.inv(spill.matrix)
    return values
