"""Write synthetic flow cytometry files of MSC lots, for demonstration and tests: nobody measured them.

    python tools/synthetic_lots.py FOLDER                # every lot, stained and unstained
    python tools/synthetic_lots.py FOLDER --events 2000  # of another size
    python tools/synthetic_lots.py FOLDER --broken       # the first lot with one fault each, too

Every file says of itself, in the keyword MESOLUNG_SYNTHETIC, that it is synthetic, and in MESOLUNG_TRUTH the
shares that its events were drawn with. The same command writes the same bytes.
"""

from __future__ import annotations

import argparse
import io
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from mesolung.product.quality.fcs import SYNTHETIC
from mesolung.product.quality.lab import lab
from mesolung.streams import normals, uniforms

EVENTS = 4000
NAMES = (
    "FSC-A",
    "FSC-H",
    "SSC-A",
    "FITC-A",
    "PE-A",
    "APC-A",
    "BV421-A",
    "PE-Cy7-A",
    "BV605-A",
    "PerCP-Cy5-5-A",
    "Time",
)
LABELS = ("", "", "", "CD90", "CD73", "CD105", "CD45", "CD34", "HLA-DR", "7-AAD viability", "")
DYE = 9
STAINS = range(3, 10)
SPILL = {("FITC-A", "PE-A"): 0.12, ("PE-A", "PerCP-Cy5-5-A"): 0.08, ("PerCP-Cy5-5-A", "PE-Cy7-A"): 0.1}
DIM, BRIGHT, DEAD, NOISE = 150.0, 15_000.0, 20_000.0, 40.0  # intensities, of the cytometer's 262,144
DEBRIS, DOUBLETS = 0.08, 0.03  # of all events
SAID = "Events drawn at random by tools/synthetic_lots.py; no cell was measured"


@dataclass(frozen=True)
class SyntheticLot:
    """A lot to be drawn: its name, its share of viable cells, and of viable cells that carry each marker."""

    name: str
    viable: float
    positive: Mapping[str, float] = field(default_factory=dict)


# The shares are chosen to tell stories, and are nobody's measurement.
LOTS = (
    SyntheticLot(
        "young-cord",
        0.96,
        {"CD90": 0.99, "CD73": 0.985, "CD105": 0.975, "CD45": 0.004, "CD34": 0.004, "HLA-DR": 0.006},
    ),
    SyntheticLot(
        "old-marrow",
        0.9,
        {"CD90": 0.97, "CD73": 0.965, "CD105": 0.93, "CD45": 0.012, "CD34": 0.008, "HLA-DR": 0.05},
    ),
    SyntheticLot(
        "thawed",
        0.76,
        {"CD90": 0.98, "CD73": 0.98, "CD105": 0.94, "CD45": 0.006, "CD34": 0.006, "HLA-DR": 0.01},
    ),
)


def draw(lot: SyntheticLot, events: int = EVENTS, stained: bool = True) -> np.ndarray:
    """Draw the events of a lot (events, channels), spillover included; unstained, every stain is dim."""

    def chance(purpose: str) -> np.ndarray:
        return uniforms(lot.name, f"synthetic {purpose} {stained}", 0, events)

    def spread(purpose: str) -> np.ndarray:
        return normals(lot.name, f"synthetic {purpose} {stained}", 0, events)

    kind = chance("kind")
    debris, doublet = kind < DEBRIS, (kind >= DEBRIS) & (kind < DEBRIS + DOUBLETS)
    dead = ~debris & (chance("dead") >= lot.viable)
    values = np.zeros((events, len(NAMES)))
    height = np.where(
        debris, 9_000 * np.exp(0.35 * spread("height")), 80_000 * np.exp(0.14 * spread("height"))
    )
    values[:, 1] = height
    values[:, 0] = height * (1.05 + 0.03 * spread("area")) * np.where(doublet, 1.9, 1.0)
    values[:, 2] = np.where(debris, 6_000, 45_000) * np.exp(0.25 * spread("side"))
    for j in STAINS:
        label = LABELS[j]
        carries = dead if j == DYE else ~debris & (chance(label) < lot.positive.get(label, 0.0))
        level = np.where(carries & stained, DEAD if j == DYE else BRIGHT, DIM)
        values[:, j] = level * np.exp(0.45 * spread(label))
    values[:, 3:10] = values[:, 3:10] @ spillover()
    for j in STAINS:
        values[:, j] += NOISE * spread(f"noise {j}")
    values[:, 10] = np.arange(events) / 50
    return np.clip(values, None, 262_000).astype(np.float32)


def spillover() -> np.ndarray:
    """Share of each stain's light (row) that each detector sees (column)."""
    names = NAMES[3:10]
    matrix = np.eye(len(names))
    for (source, seen), share in SPILL.items():
        matrix[names.index(source), names.index(seen)] = share
    return matrix


def fcs_bytes(
    values: np.ndarray, names: Sequence[str] = NAMES, labels: Sequence[str] = LABELS, truth: str = "none"
) -> bytes:
    """An FCS 3.1 file of events (events, channels) that says of itself that it is synthetic."""
    matrix = ",".join(f"{value:g}" for value in spillover().ravel())
    keywords = {
        SYNTHETIC: SAID,
        "MESOLUNG_TRUTH": truth,
        "cyt": "none: synthetic events",
        "timestep": "0.01",
    }
    if tuple(names) == NAMES:
        keywords["spillover"] = f"{len(STAINS)},{','.join(names[3:10])},{matrix}"
    stream = io.BytesIO()
    fcs = lab("flowio", "writing FCS files")
    fcs.create_fcs(
        stream, _floats(values), list(names), opt_channel_names=list(labels), metadata_dict=keywords
    )
    return stream.getvalue()


def _floats(values: np.ndarray) -> array[float]:
    flat = array("f")
    flat.frombytes(np.ascontiguousarray(values, dtype="<f4").tobytes())
    return flat


def write_lots(folder: Path, events: int = EVENTS) -> list[Path]:
    """Write every lot, stained and unstained.

    Returns:
        the files, LOT.fcs and LOT-unstained.fcs.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for lot in LOTS:
        truth = ", ".join(
            f"{name} {share:g}" for name, share in {"viable": lot.viable, **lot.positive}.items()
        )
        for stained in (True, False):
            path = folder / f"{lot.name}{'' if stained else '-unstained'}.fcs"
            path.write_bytes(fcs_bytes(draw(lot, events, stained), truth=truth if stained else "unstained"))
            written.append(path)
    return written


def main() -> None:
    """Write the files that the command line asks for."""
    parser = argparse.ArgumentParser(description="Write synthetic flow cytometry files of MSC lots.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--events", type=int, default=EVENTS)
    parser.add_argument("--broken", action="store_true")
    asked = parser.parse_args()
    written = write_lots(asked.folder, asked.events)
    if asked.broken:
        from broken_fcs import broken

        for name, content in broken(written[0].read_bytes()).items():
            path = asked.folder / f"broken-{name}.fcs"
            path.write_bytes(content)
            written.append(path)
    for path in written:
        print(path)


if __name__ == "__main__":
    main()
