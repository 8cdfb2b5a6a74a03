"""Mutated cytometry and gate files are read or refused: no crash, no hang, no unbounded memory."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

from tests import quality_texts as texts
from tests.quality_fuzz import fuzz, samples

from mesolung.product import apply_gates, auto_gate, read_fcs, read_gates

SMALL = 120  # events of a file that is mutated


def test_cytometry(tmp_path: Path, tool_module: Callable[[str], ModuleType]) -> None:
    lots, broken = tool_module("synthetic_lots"), tool_module("broken_fcs").broken
    sound = lots.fcs_bytes(lots.draw(lots.LOTS[0], SMALL))

    def read(path: Path) -> None:
        flow = read_fcs(path)
        assert flow.events.shape == (len(flow.events), len(flow.channels))
        assert len(set(flow.names)) == len(flow.names)
        if flow.datasets > 1:
            read_fcs(path, flow.datasets - 1)
        auto_gate(flow)

    real = samples(
        "FlowIO/data_start_offset_discrepancy_example.fcs",
        "FlowIO/variable_int_example.fcs",
        "FlowKit/index_sorted_example.fcs",
        "fcsparser/cyflow_cube_8.fcs",
    )
    assert fuzz([sound, *real, *broken(sound).values()], read, tmp_path, "fcs") > 10


def test_gates(tmp_path: Path, tool_module: Callable[[str], ModuleType]) -> None:
    lots = tool_module("synthetic_lots")
    sample = tmp_path / "sample.fcs"
    sample.write_bytes(lots.fcs_bytes(lots.draw(lots.LOTS[0], SMALL)))
    flow = read_fcs(sample)
    assert (
        fuzz([texts.GATES.encode()], lambda path: apply_gates(flow, read_gates(path)), tmp_path, "gates") > 10
    )
