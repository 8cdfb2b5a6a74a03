"""Readings of a 96-well plate: as a grid of 8 by 12, or as a list of wells."""

from __future__ import annotations

import re
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import numpy as np
import numpy.typing as npt

from mesolung.product.quality.columns import Header, find_header
from mesolung.product.quality.measured import Measured
from mesolung.product.quality.repair import Repair
from mesolung.product.quality.sheet import Sheet, read_sheet

ROWS = "ABCDEFGH"
COLUMNS = 12
NAMES = {
    "well": (r"wells?(?: ?(?:id|name|position))?", r"position", r"location"),
    "signal": (
        r"signal|value|od\d*|abs(?:orbance)? ?\d*|rfu|rlu|fluorescence|luminescence|reading|raw|response",
    ),
    "role": (r"role|type|content|well ?type",),
    "sample": (r"sample(?: ?(?:id|name))?|name|lot",),
    "concentration": (r"conc(?:entration|\.)?|dose|standard(?: conc(?:entration)?)?",),
}
STANDARD = ("standard", "std", "calibrator", "reference", "s", "blank", "zero")


@dataclass(frozen=True)
class Well:
    """One well.

    Attributes:
        name: as "A1".
        row, column: from 0.
        signal: the reading; None for a well that was not read.
        role: "standard", "blank", "sample" or what the file says, in small letters; "" where it does not.
        sample: its name; "" for none.
        concentration: of a standard, in the column's unit.
        line: line of the file.
    """

    name: str
    row: int
    column: int
    signal: Measured | None
    role: str
    sample: str
    concentration: Measured | None
    line: int


@dataclass(frozen=True, eq=False)
class Plate:
    """One reading of a plate.

    Attributes:
        file: the file.
        wells: those that the file names, in its order.
        unit: unit of the concentrations; "" where there are none.
        repairs: what was unusual.
    """

    file: Path
    wells: tuple[Well, ...]
    unit: str
    repairs: tuple[Repair, ...]

    @property
    def signal(self) -> npt.NDArray[np.float64]:
        """Readings (8, 12); nan where there is none, or only a limit."""
        found = np.full((len(ROWS), COLUMNS), np.nan)
        for well in self.wells:
            if well.signal is not None and well.signal.known and well.signal.value is not None:
                found[well.row, well.column] = well.signal.value
        return found

    def standards(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Concentrations and signals of the standards and blanks (n,), those without a number left out."""
        pairs = []
        for well in self.wells:
            dose, signal = well.concentration, well.signal
            if well.role in ("standard", "blank") and dose and signal and dose.known and signal.known:
                pairs.append((dose.value or 0.0, signal.value or 0.0))
        both = np.array(pairs).reshape(-1, 2)
        return both[:, 0], both[:, 1]

    def samples(self) -> dict[str, tuple[float, ...]]:
        """Signals of each sample that is no standard, those without a number left out."""
        found: dict[str, list[float]] = {}
        for well in self.wells:
            if well.role in ("standard", "blank") or not well.sample or well.signal is None:
                continue
            if well.signal.known and well.signal.value is not None:
                found.setdefault(well.sample, []).append(well.signal.value)
        return {name: tuple(values) for name, values in found.items()}


def read_plate(path: str | PathLike[str], unit: str | None = None) -> Plate:
    """Read one plate.

    Arguments:
        path: text with a grid (rows A to H, columns 1 to 12, titles around it or none), or with a row per
            well: columns well, signal, and if known role, sample, concentration.
        unit: unit of the concentrations, where the file names none.

    Raises:
        Refusal: for neither form, a well twice or off the plate, a second grid, concentrations without a
            unit, a negative one, or a standard without one.
    """
    sheet = read_sheet(path)
    header = find_header(sheet, NAMES, ["well", "signal"])
    if header is None:
        return Plate(sheet.file, _grid(sheet), "", sheet.log.entries)
    given = _unit(sheet, header, unit)
    wells: dict[str, Well] = {}
    for line, cells in sheet.rows[header.row + 1 :]:
        well = _well(sheet, header, line, cells, given)
        if well.name in wells:
            sheet.refuse(
                f"well {well.name} stands twice",
                line,
                well.name,
                f"once; it is on line {wells[well.name].line}",
            )
        wells[well.name] = well
    if not wells:
        sheet.refuse("a table without rows", header.line, "a header alone")
    return Plate(sheet.file, tuple(wells.values()), given, sheet.log.entries)


def _unit(sheet: Sheet, header: Header, unit: str | None) -> str:
    if "concentration" not in header.columns:
        return ""
    stated = header.units["concentration"]
    if stated and unit and stated.casefold() != unit.casefold():
        sheet.refuse("unit of the concentrations", header.line, stated, unit)
    if not stated and not unit:
        sheet.refuse(
            "unit of the concentrations is missing",
            header.line,
            header.titles[header.columns["concentration"]],
            "a title such as concentration (ng/mL)",
        )
    return stated or unit or ""


def _well(sheet: Sheet, header: Header, line: int, cells: tuple[str, ...], unit: str) -> Well:
    name = header.cell(cells, "well")
    match = re.fullmatch(r"([A-Ha-h])\s*0?(\d{1,2})", name)
    if match is None or not 1 <= int(match[2]) <= COLUMNS:
        sheet.refuse("no well of a 96-well plate", line, name or "nothing", "A1 to H12")
    row, column = ROWS.index(match[1].upper()), int(match[2]) - 1
    if len(cells) > len(header.titles) and any(cells[len(header.titles) :]):
        sheet.refuse("wrong number of cells", line, len(cells), len(header.titles))
    role = header.cell(cells, "role").casefold()
    if role in STANDARD:
        role = "blank" if role in ("blank", "zero") else "standard"
    dose = sheet.measured(header.cell(cells, "concentration"), line, "concentration", unit)
    if dose is not None and dose.value is not None and dose.value < 0:
        sheet.refuse("negative concentration", line, dose.text, "0 or more")
    if role == "standard" and dose is None:
        sheet.refuse("a standard without its concentration", line, name, "a number")
    if role == "blank" and dose is None and unit:
        dose = Measured(0.0, unit, "", "", line)
    signal = sheet.measured(header.cell(cells, "signal"), line, f"signal of {name}")
    name = f"{ROWS[row]}{column + 1}"
    return Well(name, row, column, signal, role, header.cell(cells, "sample"), dose, line)


def _grid(sheet: Sheet) -> tuple[Well, ...]:
    """A grid, with its titles or, of just eight rows of twelve, without."""
    starts = [i for i, (_, cells) in enumerate(sheet.rows) if _numbered(cells) is not None]
    if len(starts) > 1:
        sheet.refuse("a second plate", sheet.rows[starts[1]][0], "two grids in a file", "one grid")
    if not starts:
        if len(sheet.rows) == len(ROWS) and all(len(cells) == COLUMNS for _, cells in sheet.rows):
            sheet.log.add("plate", "a grid without titles", "read as rows A to H and columns 1 to 12")
            return tuple(
                w for r, (line, cells) in enumerate(sheet.rows) for w in _cells(sheet, line, r, cells)
            )
        line, cells = sheet.rows[0]
        sheet.refuse(
            "no plate", line, ", ".join(cells)[:60], "columns well and signal, or a grid of A to H by 1 to 12"
        )
    first = starts[0]
    offset = _numbered(sheet.rows[first][1]) or 0
    found: list[Well] = []
    for r, letter in enumerate(ROWS):
        line, cells = (
            sheet.rows[first + 1 + r] if first + 1 + r < len(sheet.rows) else (sheet.rows[-1][0], ("",))
        )
        if letter not in [cell.upper() for cell in cells[:offset]]:
            sheet.refuse("row of the plate", line, cells[0] or "nothing", f"row {letter}")
        extra = [cell for cell in cells[offset + COLUMNS :] if cell and not re.search(r"[A-Za-z]", cell)]
        if extra:
            sheet.refuse("wrong number of cells", line, len(cells) - offset, COLUMNS)
        found += _cells(sheet, line, r, cells[offset : offset + COLUMNS])
    rest = len(sheet.rows) - first - 1 - len(ROWS)
    if rest > 0:
        sheet.log.add("file", f"{rest} rows after the grid", "left out")
    return tuple(found)


def _numbered(cells: tuple[str, ...]) -> int | None:
    """Cells before the titles 1 to 12 of a grid; None where they do not stand in the row."""
    for offset in (1, 2):
        if list(cells[offset : offset + COLUMNS]) == [str(n) for n in range(1, COLUMNS + 1)]:
            return offset
    return None


def _cells(sheet: Sheet, line: int, row: int, cells: tuple[str, ...]) -> list[Well]:
    padded = (*cells, *[""] * (COLUMNS - len(cells)))
    return [
        Well(
            f"{ROWS[row]}{j + 1}",
            row,
            j,
            sheet.measured(c, line, f"well {ROWS[row]}{j + 1}"),
            "",
            "",
            None,
            line,
        )
        for j, c in enumerate(padded)
    ]
