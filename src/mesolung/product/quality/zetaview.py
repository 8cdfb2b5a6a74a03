"""ZetaView's text files of sizes (8.x)."""

from __future__ import annotations

import re
from os import PathLike
from pathlib import Path

import numpy as np

from mesolung.product.quality.measured import to_float
from mesolung.product.quality.particles import Capture, ParticleSizes
from mesolung.product.quality.repair import RepairLog
from mesolung.product.quality.sheet import read_text
from mesolung.reading import Refusal

COLUMNS = ("Size / nm", "Number", "Concentration / cm-3", "Volume / nm^3", "Area / nm^2")
KNOWN = (
    "Number of Traces",
    "Detected Particles",
    "Particle Drift Check Result",
    "Cell Check Result",
    "Conductivity",
)
SOUND = ("ok", "good", "very good", "passed", "pass", "yes")
END = -1.0  # a row of which parts the linear from the logarithmic table


def read_zetaview(path: str | PathLike[str]) -> ParticleSizes:
    """Read a ZetaView file of sizes.

    Arguments:
        path: text, head and table of sizes; of two tables, linear and logarithmic, the first is read.

    Returns:
        the measurement; without a table, one that says that it failed. The concentration is the sum over the
        table, as it stands: the file does not say whether it is multiplied by the dilution.

    Raises:
        Refusal: for a file that is none, or a table with a cell that is no number, sizes that do not rise or
            negative concentrations.
    """
    file = Path(path)
    log = RepairLog()
    lines = read_text(file, log).splitlines()
    # Latin-1 is what the instrument writes; it is no repair.
    head, start = _head(lines)
    if not any(key in head for key in KNOWN):
        raise Refusal(
            "not a ZetaView file of sizes",
            file=file,
            line=1,
            found=lines[0][:60],
            allowed=f"{COLUMNS[0]}, {KNOWN[0]} …",
        )
    traces = _number(head.get("Number of Traces", ""))
    dilution = _number(head.get("Dilution", ""))
    if dilution is not None and dilution <= 0:
        raise Refusal("dilution", file=file, found=head["Dilution"], allowed="above 0")
    size, number, per_ml = _table(file, lines, start, log) if start is not None else (np.empty(0),) * 3
    failed = None
    if start is None or not size.size:
        failed = "the run gave no table of sizes" + ("" if traces is None else f" and {traces:g} traces")
    name = head.get("Sample", file.name)
    average = Capture(name, tracks=traces, dilution=dilution)
    if failed is None:
        average = _statistics(name, size, number, per_ml, traces, dilution)
    return ParticleSizes(
        file,
        "ZetaView",
        head.get("Software", head.get("ZetaView", "")),
        head.get("Sample", ""),
        (average,),
        average,
        None,
        size,
        per_ml,
        dilution,
        None,
        tuple(_warnings(head, dilution)),
        failed,
        log.entries,
    )


def _head(lines: list[str]) -> tuple[dict[str, str], int | None]:
    """Keys of the head, and the line of the table's titles."""
    head: dict[str, str] = {}
    for i, line in enumerate(lines):
        if re.match(r"\s*Size\s*/\s*nm\s+Number", line):
            return head, i
        # "Conductivity: 53.0", "Conductivity:\t53" and "Dilution::\t1000" are all written.
        match = re.match(r"\s*([A-Za-z][^:\t]{0,60}?)\s*:+\s*([^\t]*)", line)
        if match:
            head.setdefault(match[1].strip(), match[2].strip())
            for key in ("Dilution",):
                # The number of traces and the dilution may share a line.
                more = re.search(rf"{key}\s*:+\s*([\d.,eE+]+)", line)
                if more:
                    head[key] = more[1]
    return head, None


def _number(text: str) -> float | None:
    match = re.match(r"[+-]?[\d.,]+(?:[eE][+-]?\d+)?", text)
    return to_float(match[0], "," in match[0] and "." not in match[0], "") if match else None


def _table(
    file: Path, lines: list[str], start: int, log: RepairLog
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sizes, numbers and concentrations of the first table."""
    titles = [title.strip() for title in lines[start].split("\t") if title.strip()]
    if titles[: len(COLUMNS)] != list(COLUMNS):
        raise Refusal(
            "columns of the table",
            file=file,
            line=start + 1,
            found=", ".join(titles),
            allowed=", ".join(COLUMNS),
        )
    rows: list[list[float]] = []
    comma = False
    for i, line in enumerate(lines[start + 1 :], start + 2):
        cells = [cell.strip() for cell in line.split("\t")]
        while cells and not cells[-1]:
            cells.pop()
        if not cells:
            if rows:
                break
            continue
        comma = comma or any("," in cell for cell in cells)
        values = [to_float(cell, comma, "") for cell in cells]
        if values[0] == END or (rows and re.match(r"[A-Za-z]", cells[0])):
            log.add(f"line {i}", "a second table of the same sizes", "the first table is read")
            break
        known = [value for value in values if value is not None]
        if len(known) != len(values) or len(known) < 3:
            raise Refusal(
                "row of the table", file=file, line=i, found=line.strip()[:60], allowed="numbers by tabs"
            )
        if known[0] <= (rows[-1][0] if rows else 0.0) or min(known[1:3]) < 0:
            raise Refusal(
                "row of the table",
                file=file,
                line=i,
                found=line.strip()[:60],
                allowed="rising sizes, numbers from 0",
            )
        rows.append(known[:3])
    if comma:
        log.add("numbers", "a comma within them", "read as the decimal sign")
    size, number, per_ml = np.array(rows).reshape(-1, 3).T
    return size, number, per_ml


def _statistics(
    name: str,
    size: np.ndarray,
    number: np.ndarray,
    per_ml: np.ndarray,
    traces: float | None,
    dilution: float | None,
) -> Capture:
    """What the table tells of sizes; each particle has the size of its bin."""
    total = float(number.sum())
    if total <= 0:
        return Capture(name, float(per_ml.sum()), tracks=traces, dilution=dilution)
    share = np.cumsum(number) / total
    mean = float((size * number).sum() / total)
    d10, d50, d90 = (float(size[int(np.searchsorted(share, q))]) for q in (0.1, 0.5, 0.9))
    sd = float(np.sqrt((number * (size - mean) ** 2).sum() / total))
    mode = float(size[int(np.argmax(number))])
    return Capture(name, float(per_ml.sum()), mean, mode, sd, d10, d50, d90, traces, dilution)


def _warnings(head: dict[str, str], dilution: float | None) -> list[str]:
    found = []
    for key in ("Particle Drift Check Result", "Cell Check Result"):
        result = head.get(key, "")
        if result and not result.casefold().startswith(SOUND):
            found.append(f"{key}: {result}.")
    if dilution is not None and dilution != 1:
        found.append(
            f"The dilution is {dilution:g}, and the file does not say whether its concentrations are "
            "multiplied by it."
        )
    return found
