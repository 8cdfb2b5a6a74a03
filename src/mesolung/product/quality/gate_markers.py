"""Which gate of a gate file tells of which marker: by a table of the laboratory, else by the gates' names."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from os import PathLike

from mesolung.product.quality.columns import find_header
from mesolung.product.quality.gated import VIABLE
from mesolung.product.quality.panel import marker_of, positive_marker
from mesolung.product.quality.sheet import read_sheet
from mesolung.reading import Refusal

NAMES: Mapping[str, tuple[str, ...]] = {
    "gate": (r"gates?(?: ?(?:name|id))?", r"populations?(?: name)?"),
    "marker": (r"markers?(?: name)?", r"antigen", r"tells? of"),
}
_ALIVE = re.compile(r"viab\w*|live(?: cells)?|alive", re.IGNORECASE)
SHOWN = 8


def read_gate_markers(path: str | PathLike[str]) -> dict[str, str]:
    """Read the table that says which marker each gate tells of.

    Arguments:
        path: text with columns gate and marker; "viable" for the gate of living cells.

    Returns:
        gate -> marker, in the order of the file.

    Raises:
        Refusal: for another table, a row without gate or marker, or a gate or marker that stands twice.
    """
    sheet = read_sheet(path)
    header = find_header(sheet, NAMES, ["gate", "marker"])
    if header is None:
        line, titles = sheet.rows[0]
        sheet.refuse("no table of gates and markers", line, ", ".join(titles), "columns gate and marker")
    found: dict[str, str] = {}
    for line, cells in sheet.rows[header.row + 1 :]:
        gate, said = header.cell(cells, "gate"), header.cell(cells, "marker")
        if not gate or not said:
            sheet.refuse("row without gate or marker", line, " | ".join(cells)[:60], "a gate and a marker")
        marker = VIABLE if _ALIVE.fullmatch(said) else marker_of(said) or said
        if gate in found or marker in found.values():
            sheet.refuse("gate or marker stands twice", line, f"{gate}, {marker}", "each once")
        found[gate] = marker
    return found


def gate_markers(names: Sequence[str], told: Mapping[str, str] | None, file: object) -> dict[str, str]:
    """Tell which gates of a file stand for a marker, or for living cells.

    Arguments:
        names: of the gates.
        told: gate -> marker, as `read_gate_markers` reads them; None to go by the names of the gates.
        file: the gate file, for refusals.

    Returns:
        gate -> marker, "viable" for the gate of living cells; gates that tell of nothing are left out.

    Raises:
        Refusal: for a gate that the file lacks, two gates of one marker, or no gate that tells of anything.
    """
    shown = ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")
    if told is not None:
        for gate in told:
            if gate not in names:
                raise Refusal("no such gate", file=str(file), found=gate, allowed=shown)
        return dict(told)
    found: dict[str, str] = {}
    for name in names:
        own = name.rsplit("/", 1)[-1].strip()
        marker = VIABLE if _ALIVE.fullmatch(own) else positive_marker(name)
        if not marker:
            continue
        same = next((gate for gate, other in found.items() if other == marker), None)
        if same is not None:
            allowed = "a table of gate and marker (--gate-markers) that names one"
            raise Refusal(
                f"two gates of {marker}", file=str(file), found=f"{same} and {name}", allowed=allowed
            )
        found[name] = marker
    if not found:
        allowed = "gates named by marker, as CD73+ or viable, or a table of gate and marker (--gate-markers)"
        raise Refusal("no gate that tells of a marker", file=str(file), found=shown, allowed=allowed)
    return found
