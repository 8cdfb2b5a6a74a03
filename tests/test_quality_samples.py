"""Every real file of the samples has its test, and published lots load as lots."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from mesolung.product import (
    lots_of,
    read_fcs,
    read_gates,
    read_lot_markers,
    read_nta,
    read_spillover,
)
from mesolung.product.card import lot_card
from mesolung.product.release import decide
from mesolung.product.specs import specs_for
from mesolung.reading import Refusal

HERE = Path(__file__).parent
EVENTS = {row["file"] for row in csv.DictReader((HERE / "quality_samples.csv").open(encoding="utf-8"))}
MARKERS = "CIDMap_lot_markers"


def read(path: Path) -> object:
    """Read a file of the samples by what it is."""
    if path.parent.name == MARKERS:
        return read_lot_markers(path)
    if path.parent.name == "NanoSight_tidyNano":
        return read_nta(path)
    if path.suffix == ".xml":
        return read_gates(path)
    if path.suffix == ".csv":
        return read_spillover(path)
    return read_fcs(path)


def test_every_file_of_the_samples_is_read(shared: Path) -> None:
    folder = shared / "samples"
    refused = []
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or path.name == "README.md":
            continue
        try:
            assert read(path)
        except Refusal as refusal:
            refused.append(path.name)
            assert "\n" not in str(refusal), path.name
        if path.suffix in (".fcs", ".lmd"):
            # Names, events and their hash stand beside FlowIO's in test_quality_fcs.
            assert path.relative_to(folder).as_posix() in EVENTS
    # A workbook of instructions for another program, and no file of a lot.
    assert refused == ["experiment.xlsx"]


@pytest.mark.parametrize(
    ("name", "lots"), [("cd_values_single_processed.csv", 80), ("cd_values_range_processed.csv", 4)]
)
def test_published_tables_load_as_lots(shared: Path, name: str, lots: int) -> None:
    table = read_lot_markers(shared / "samples" / MARKERS / name)
    made = lots_of(table)
    assert len(made) >= lots and set(made) <= set(table.lots)
    for lot, product in made.items():
        assert product.lot == lot and "source" in product.unstated
        decisions = decide(product, specs_for(product, ()))
        assert {one.outcome for one in decisions} <= {"pass", "fail", "not tested"}
    lot, product = next(iter(made.items()))
    card = lot_card(product, (), key="prior-test", draws=20)
    assert card["lot"] == lot


def test_lots_reproduce_the_medians_of_the_samples(shared: Path) -> None:
    made = lots_of(read_lot_markers(shared / "samples" / MARKERS / "cd_values_single_processed.csv")).values()
    viable = [product.viability for product in made if product.viability is not None]
    assert np.median(viable) == pytest.approx(0.978, abs=0.002)
    for marker, percent in {"CD73": 99.0, "CD90": 97.8, "CD105": 99.8}.items():
        shares = [
            value for product in made if product.markers and (value := getattr(product.markers, marker))
        ]
        assert np.median(shares) == pytest.approx(percent / 100, abs=0.01), marker
