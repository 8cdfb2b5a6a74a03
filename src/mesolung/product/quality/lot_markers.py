"""Markers and viability of lots, collected from reports of trials: the three tables of CIDMap."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import numpy as np
import numpy.typing as npt

from mesolung.product.quality.measured import Mark, Measured
from mesolung.product.quality.repair import Repair
from mesolung.product.quality.sheet import Sheet, read_sheet

SINGLE = ("ref_number", "phase", "patient", "notes", "marker", "value")
RANGE = ("ref_number", "marker", "mean_value", "n", "se_value", "phase")
QUALIFIERS: dict[str, Mark] = {
    "greater than": ">",
    "minimum": ">",
    "less than": "<",
    "maximum": "<",
    "average": "",
}
WORDS = ("+", "X", "d", "I")  # the collection's marks for what a report says without a number


@dataclass(frozen=True)
class LotMarker:
    """One marker of one lot, or of the lots of a report.

    Attributes:
        lot: reference and patient, as "12/patient 1"; the reference alone where a report speaks of all.
        reference: number of the report.
        marker: as "CD73" or "Viability".
        value: positive or viable cells, %; marked where the report gives a limit, without a number where it
            gives a word, None where it gives nothing.
        status: "measure" for what was measured, "release" for a limit of release, as the report says.
        phase: of the trial.
        test: how it was measured, or whether.
        lots: how many lots the value is of; None where the report does not say.
        standard_error: of a mean, in percent points; None where there is none.
        line: line of the file.
    """

    lot: str
    reference: str
    marker: str
    value: Measured | None
    status: str
    phase: str
    test: str
    lots: int | None
    standard_error: float | None
    line: int


@dataclass(frozen=True)
class LotMarkers:
    """A table of lots' markers.

    Attributes:
        file: the file.
        rows: in the order of the file, those without a value included.
        repairs: what was unusual.
    """

    file: Path
    rows: tuple[LotMarker, ...]
    repairs: tuple[Repair, ...]

    @property
    def lots(self) -> tuple[str, ...]:
        """The lots, in the order in which they first stand."""
        return tuple(dict.fromkeys(row.lot for row in self.rows))

    @property
    def markers(self) -> tuple[str, ...]:
        """The markers, in the order in which they first stand."""
        return tuple(dict.fromkeys(row.marker for row in self.rows))

    def values(self, marker: str) -> npt.NDArray[np.float64]:
        """Measured percentages of a marker (n,): neither limits nor values of release."""
        found = [
            row.value.value
            for row in self.rows
            if row.marker == marker and row.status == "measure" and row.value is not None and row.value.known
        ]
        return np.array([value for value in found if value is not None])

    def median(self, marker: str) -> float | None:
        """Median of a marker's measured percentages; None where there are none."""
        return self.quantile(marker, 0.5)

    def quantile(self, marker: str, at: float) -> float | None:
        """Quantile of a marker's measured percentages; None where there are none."""
        values = self.values(marker)
        return float(np.quantile(values, at)) if values.size else None


def read_lot_markers(path: str | PathLike[str]) -> LotMarkers:
    """Read a CIDMap table: of single lots, of means, or of papers (two header rows).

    Raises:
        Refusal: for another table, a percentage outside 0 to 100, or a qualifier that is not read.

    Source: Rand and others, CIDMap, doi 10.5281/zenodo.4012398 (MIT).
    """
    sheet = read_sheet(path)
    first, header = sheet.rows[0]
    titles = [cell.casefold() for cell in header]
    if titles == list(SINGLE):
        rows = _read(sheet, 1, len(SINGLE), _single)
    elif titles == list(RANGE):
        rows = _read(sheet, 1, len(RANGE), _mean)
    elif len(sheet.rows) > 2 and "ref_number" in sheet.rows[1][1]:
        sheet.log.add("line 2", "a second row of titles", "its short titles name the columns")
        short = sheet.rows[1][1]
        rows = _read(sheet, 2, len(short), lambda s, line, cells: _paper(s, line, cells, short))
    else:
        sheet.refuse("no table of lots' markers", first, ", ".join(titles)[:100], ", ".join(SINGLE))
    return LotMarkers(sheet.file, tuple(rows), sheet.log.entries)


Reader = Callable[[Sheet, int, tuple[str, ...]], list[LotMarker]]


def _read(sheet: Sheet, first: int, width: int, reader: Reader) -> list[LotMarker]:
    rows = []
    for line, cells in sheet.rows[first:]:
        if len(cells) != width:
            sheet.refuse("wrong number of cells", line, len(cells), width)
        rows += reader(sheet, line, cells)
    if not rows:
        sheet.refuse("a table without rows", found="a header alone")
    return rows


def _percent(sheet: Sheet, cell: str, line: int, what: str, mark: Mark = "") -> Measured | None:
    found = sheet.measured(cell, line, what, "%")
    if found is None or found.value is None:
        return found
    if not 0 <= found.value <= 100:
        sheet.refuse(f"{what}: percentage outside its range", line, cell, "0 to 100 %")
    return Measured(found.value, "%", found.mark or mark, cell, line)


def _single(sheet: Sheet, line: int, cells: tuple[str, ...]) -> list[LotMarker]:
    reference, phase, patient, notes, marker, cell = cells
    value = _percent(sheet, cell, line, marker)
    lot = f"{reference}/{patient}"
    return [LotMarker(lot, reference, marker, value, "measure", phase, notes, 1, None, line)]


def _mean(sheet: Sheet, line: int, cells: tuple[str, ...]) -> list[LotMarker]:
    reference, marker, cell, n, error, phase = cells
    value = _percent(sheet, cell, line, marker)
    count = sheet.measured(n, line, "n")
    spread = sheet.measured(error, line, "se_value")
    lots = int(count.value) if count is not None and count.value is not None else None
    sd = spread.value if spread is not None else None
    return [LotMarker(reference, reference, marker, value, "measure", phase, "mean", lots, sd, line)]


def _paper(sheet: Sheet, line: int, cells: tuple[str, ...], titles: tuple[str, ...]) -> list[LotMarker]:
    row = dict(zip(titles, cells, strict=True))
    rows = []
    for title in titles:
        match = re.fullmatch(r"(.+)_value", title)
        if match is None:
            continue
        name = match[1]
        qualifier = row.get(f"{name}_qualifier", row.get(f"{name}_qualifer", "")).casefold()
        value = None
        if row[title] not in ("", "NA"):
            if qualifier not in (*QUALIFIERS, "", "na"):
                sheet.refuse(f"{name}: qualifier that is not read", line, qualifier, ", ".join(QUALIFIERS))
            if row[title] in WORDS:
                sheet.log.add("values", f"the mark {row[title]}", "kept as text, without a number")
                value = Measured(None, "", "", row[title], line)
            else:
                value = _percent(sheet, row[title], line, name, QUALIFIERS.get(qualifier, ""))
        marker = "Viability" if name == "viability" else name
        test, status = row.get(f"{name}_test", ""), row.get(f"{name}_status", "")
        reference = row["ref_number"]
        rows.append(
            LotMarker(
                reference, reference, marker, value, status, row.get("phase", ""), test, None, None, line
            )
        )
    return rows
