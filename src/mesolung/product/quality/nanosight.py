"""NanoSight's experiment summaries (NTA 3.x), one or several in a file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from os import PathLike

import numpy as np

from mesolung.product.quality.particles import Capture, ParticleSizes
from mesolung.product.quality.repair import RepairLog
from mesolung.product.quality.sheet import Sheet, read_sheet

TITLE = "NTA Experiment Summary File"
STATISTICS = {
    "Mean": "mean_nm",
    "Mode": "mode_nm",
    "SD": "sd_nm",
    "D10": "d10_nm",
    "D50": "d50_nm",
    "D90": "d90_nm",
    "Valid Tracks": "tracks",
}
SOUND = ("", "ok", "no", "none", "n/a")
HOUSEKEEPING = ("vibration correction applied",)  # said of a measurement that is sound
AGREED = 0.02  # of the average, by which its rounding may differ from the mean of the captures
Rows = Sequence[tuple[int, tuple[str, ...]]]


def read_nanosight(path: str | PathLike[str]) -> tuple[ParticleSizes, ...]:
    """Read NanoSight's experiment summaries.

    Arguments:
        path: an ExperimentSummary CSV of NTA 3.x.

    Returns:
        one measurement for every summary in the file, with the file's own averages.

    Raises:
        Refusal: for a file that is none, or a summary without captures, with a cell that is no number or with
            a negative one.
    """
    sheet = read_sheet(path)
    starts = [i for i, (_, cells) in enumerate(sheet.rows) if cells[0] == TITLE]
    if not starts:
        line, cells = sheet.rows[0]
        sheet.refuse("not a NanoSight experiment summary", line, cells[0], TITLE)
    ends = [*starts[1:], len(sheet.rows)]
    found = [_Summary(sheet, sheet.rows[i:j]).read() for i, j in zip(starts, ends, strict=True)]
    if starts[0]:
        sheet.log.add("file", f"{starts[0]} rows before the first summary", "left out")
    return tuple(found)


class _Summary:
    """One summary: its sections by name."""

    def __init__(self, sheet: Sheet, rows: Rows) -> None:
        self.sheet, self.rows = sheet, rows
        self.log = RepairLog()
        self.log.extend(sheet.log)
        self.sections: dict[str, list[tuple[int, tuple[str, ...]]]] = {"": []}
        name = ""
        for line, cells in rows:
            match = re.fullmatch(r"\[(.+)\]", cells[0])
            if match:
                name = match[1]
                self.sections.setdefault(name, []).append((line, cells))
            else:
                self.sections[name].append((line, cells))

    def row(self, section: str, title: str) -> tuple[int, tuple[str, ...]] | None:
        """The first row of a section whose title begins so."""
        for line, cells in self.sections.get(section, []):
            if cells[0].casefold().rstrip(":").startswith(title.casefold()):
                return line, cells
        return None

    def text(self, section: str, title: str) -> str:
        found = self.row(section, title)
        return next((cell for cell in found[1][1:] if cell), "") if found else ""

    def read(self) -> ParticleSizes:
        first = self.rows[0][0]
        named = self.row("Size Data", "Filename") or self.row("Experiment Details", "Filename")
        if named is None:
            self.sheet.refuse("a summary without captures", first, "no row Filename", "a row Filename")
        names = [c for c in named[1][1:] if c and c.casefold() not in ("average", "standard error")]
        if not names:
            self.sheet.refuse("a summary without captures", named[0], "no names", "one capture or more")
        n = len(names)
        table: list[dict[str, float | None]] = [{} for _ in range(n + 2)]
        for title, key in STATISTICS.items():
            self.numbers(table, n, key, self.row("Size Data", title))
        concentration = self.row("Results", "Concentration (Particles / ml)")
        self.numbers(table, n, "concentration_per_ml", concentration)
        dilution = self.row("Results", "Dilution factor")
        self.numbers(table, n, "dilution", dilution)
        captures = tuple(Capture(name, **values) for name, values in zip(names, table, strict=False))
        factors = {capture.dilution for capture in captures}
        if 0 in factors:
            self.sheet.refuse("dilution factor", dilution[0] if dilution else None, 0, "above 0")
        factor = factors.pop() if len(factors) == 1 else None
        size, per_ml = self.bins(n)
        error = table[n + 1]
        failed = None if any(c.mean_nm is not None for c in captures) else "the file gives no sizes"
        applied = "adjusted for this factor" in dilution[1][0] if dilution and factor is not None else None
        warnings = [*self.warnings(names), *self.disagreements(captures, table[n])]
        if factor is None:
            warnings.append(
                "The file records no dilution of all captures: what its concentrations are of is not known."
            )
        return ParticleSizes(
            self.sheet.file,
            "NanoSight",
            next(
                (c.removeprefix("Created with ") for _, (c, *_) in self.rows[:4] if c.startswith("Created")),
                "",
            ),
            self.text("Experiment Details", "Sample Name")
            or self.text("Experiment Details", "Sample Description"),
            captures,
            self.average(captures, table[n]),
            Capture("Standard Error", **error) if any(v is not None for v in error.values()) else None,
            size,
            per_ml,
            factor,
            applied,
            tuple(warnings),
            failed,
            self.log.entries,
        )

    def numbers(
        self, table: list[dict[str, float | None]], n: int, key: str, row: tuple[int, tuple[str, ...]] | None
    ) -> None:
        """Put a row's cells under captures, average and standard error."""
        if row is None:
            return
        line, cells = row
        for j in range(n + 2):
            cell = cells[j + 1] if j + 1 < len(cells) else ""
            value = self.sheet.measured(cell, line, cells[0])
            if value is not None and not value.known:
                self.sheet.refuse(f"{cells[0]}: a limit instead of a number", line, cell, "a number")
            number = None if value is None else value.value
            if number is not None and number < 0:
                self.sheet.refuse(f"{cells[0]}: negative", line, cell, "0 or more")
            table[j][key] = number

    def average(self, captures: tuple[Capture, ...], row: dict[str, float | None]) -> Capture:
        """The file's own average; where it gives none, that of the captures."""
        keys = ("concentration_per_ml", *STATISTICS.values())
        if any(row.get(key) is not None for key in keys):
            return Capture("Average", **row)
        means: dict[str, float | None] = {}
        for key in keys:
            known = [value for c in captures if (value := getattr(c, key)) is not None]
            means[key] = float(np.mean(known)) if known else None
        self.log.add("average", "none in the file", "the mean of the captures is taken")
        return Capture("mean of the captures", **means)

    def disagreements(self, captures: tuple[Capture, ...], row: dict[str, float | None]) -> list[str]:
        """Where the file's average is not that of its captures."""
        found = []
        for key, what in (("concentration_per_ml", "concentration"), ("mean_nm", "mean size")):
            known = [value for c in captures if (value := getattr(c, key)) is not None]
            stated = row.get(key)
            if known and stated and abs(np.mean(known) - stated) > AGREED * stated:
                found.append(
                    f"The file's average {what}, {stated:.4g}, is not that of its captures, "
                    f"{np.mean(known):.4g}."
                )
        return found

    def bins(self, n: int) -> tuple[np.ndarray, np.ndarray]:
        """Centres of the bins and the average in each; the mean of the captures where the file has none."""
        sizes, values = [], []
        inside = False
        for line, cells in self.sections.get("Size Data", []):
            if cells[0].startswith("Bin centre"):
                inside = True
            elif cells[0].startswith("Percentile"):
                break
            elif inside:
                read = [self.sheet.measured(c, line, "size distribution") for c in cells[: n + 2]]
                known = [None if m is None or not m.known else m.value for m in read]
                if known[0] is None:
                    self.sheet.refuse("bin without a size", line, cells[0], "nm")
                runs = [v for v in known[1 : n + 1] if v is not None]
                average = known[n + 1] if len(known) > n + 1 else None
                value = average if average is not None else float(np.mean(runs)) if runs else None
                if value is None or value < 0 or known[0] < 0 or (sizes and known[0] <= sizes[-1]):
                    self.sheet.refuse(
                        "bin of the size distribution",
                        line,
                        ", ".join(cells[:3]),
                        "rising sizes, numbers from 0",
                    )
                sizes.append(known[0])
                values.append(value)
        return np.array(sizes), np.array(values)

    def warnings(self, names: list[str]) -> list[str]:
        found = []
        for section in ("Concentration Warnings", "Information"):
            for _, cells in self.sections.get(section, [])[1:]:
                if cells[0].casefold() in HOUSEKEEPING:
                    continue
                odd = [
                    f"{name}: {cell}"
                    for name, cell in zip(names, cells[1:], strict=False)
                    if cell.casefold() not in SOUND
                ]
                if odd:
                    found.append(f"{cells[0]}: {'; '.join(odd)}.")
        return found
