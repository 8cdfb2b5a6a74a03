"""Mutated tables of a quality laboratory are read or refused: no crash, no hang, no unbounded memory."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests import quality_texts as texts
from tests.quality_fuzz import fuzz, samples

from mesolung.product import (
    Plate,
    fit_logistic,
    read_counts,
    read_lot_markers,
    read_nta,
    read_plate,
    read_populations,
    read_spillover,
)


def _plate(path: Path) -> Plate:
    plate = read_plate(path)
    dose, signal = plate.standards()
    if dose.size:
        fit_logistic(dose, signal)
    return plate


MATRIX = "FITC-A,PE-A\n1,0.1\n0.02,1\n"
FAMILIES: dict[str, tuple[list[str], Callable[[Path], object]]] = {
    "populations": ([texts.POPULATIONS, texts.WIDE], read_populations),
    "particles": ([texts.nanosight(), texts.zetaview(), texts.zetaview(failed=True)], read_nta),
    "plates": ([texts.LONG, texts.GRID], _plate),
    "counts": ([texts.COUNTS], read_counts),
    "markers": ([texts.MARKERS], read_lot_markers),
    "spillover": ([MATRIX], read_spillover),
}


@pytest.mark.parametrize("family", FAMILIES)
def test_tables(family: str, tmp_path: Path) -> None:
    seeds, read = FAMILIES[family]
    coded = [seed.encode(code) for seed in seeds for code in ("utf-8", "utf-16")]
    coded += samples("NanoSight_tidyNano/beads2.csv") if family == "particles" else []
    assert fuzz(coded, read, tmp_path, family) > 10
