"""Gates, scales and compensation are those of the standard; counting them has its interval."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from scipy.stats import binomtest
from tests import quality_texts as texts
from tests.refused import changed

from mesolung.product import (
    FlowFile,
    apply_gates,
    compensate,
    logicle,
    read_fcs,
    read_gates,
    read_spillover,
    share_interval,
    spillover_of,
)
from mesolung.reading import Refusal

COUNTS = {
    row["gate"]: int(row["count"])
    for row in csv.DictReader((Path(__file__).parent / "quality_gates.csv").open(encoding="utf-8"))
}


@pytest.fixture
def flow(tmp_path: Path, tool_module: Callable[[str], ModuleType]) -> FlowFile:
    tool = tool_module("synthetic_lots")
    path = tmp_path / "lot.fcs"
    path.write_bytes(tool.fcs_bytes(tool.draw(tool.LOTS[0], 500)))
    return read_fcs(path)


def test_the_standards_own_gates_hold_the_events_that_flowkit_counts(shared: Path) -> None:
    folder = shared / "samples" / "FlowKit"
    gated = apply_gates(read_fcs(folder / "data1.fcs"), read_gates(folder / "gml_all_gates.xml"))
    assert gated.population("And1").count == 561
    assert {p.name: int(np.count_nonzero(gated.members[p.name])) for p in gated.populations} == COUNTS
    assert any("no spillover matrix" in sentence for sentence in gated.assumed)


def test_compensation_is_that_of_flowkit(shared: Path) -> None:
    folder = shared / "samples" / "FlowKit"
    flow = read_fcs(folder / "test_comp_example.fcs")
    # Sums over all events by FlowKit 1.3.2, the first with the matrix of the file comp_complete_example.csv.
    by_table = [4.96702651e06, 1.06765300e07, 2.73935300e06, 4.72514269e06, 8.87651693e06, 1.48757499e06]
    by_keyword = [5.09252000e06, 1.28106220e07, 2.73935300e06, 5.72116400e06, 9.56900200e06, 1.72146956e06]
    table = read_spillover(folder / "comp_complete_example.csv")
    np.testing.assert_allclose(compensate(flow, table).sum(axis=0)[3:9], by_table, rtol=1e-6)
    np.testing.assert_allclose(compensate(flow).sum(axis=0)[3:9], by_keyword, rtol=1e-6)


def test_gates_of_a_set_agree_with_what_they_say(tmp_path: Path, flow: FlowFile) -> None:
    path = tmp_path / "gates.xml"
    path.write_text(texts.GATES, encoding="utf-8")
    gated = apply_gates(flow, read_gates(path))
    area, side, values = flow.scaled[:, 0], flow.scaled[:, 2], compensate(flow)
    large = area >= 40_000
    shape = large & (area + side <= 300_000)
    marked = shape & (logicle(values[:, 4]) >= 0.5)
    round_ = ((area - 84_000) ** 2 + (side - 45_000) ** 2) / 1e8 <= 4
    expected = {"large": large, "shape": shape, "round": round_, "CD73": marked, "neither": ~large}
    for name, members in (expected | {"both": marked & round_}).items():
        np.testing.assert_array_equal(gated.members[name], members, err_msg=name)
    counted = gated.population("CD73")
    assert (counted.parent, counted.count, counted.of) == ("shape", marked.sum(), shape.sum())


def test_a_renamed_compensated_channel_is_found_and_told(tmp_path: Path, flow: FlowFile) -> None:
    path = tmp_path / "gates.xml"
    path.write_text(changed(texts.GATES, 'name="PE-A"', 'name="Comp-PE-A"'), encoding="utf-8")
    gated = apply_gates(flow, read_gates(path))
    assert any("channel Comp-PE-A; read as PE-A" in str(repair) for repair in gated.repairs)
    np.testing.assert_array_equal(
        gated.members["CD73"], gated.members["shape"] & (logicle(compensate(flow)[:, 4]) >= 0.5)
    )


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("/std/Gating-ML/v2.0/gating", "/std/Gating-ML/v1.5/gating", "not a Gating-ML 2.0 file"),
        ('transforms:W="0.5"', 'transforms:W="9"', "parameters of logicle that the scale does not allow"),
        ('gating:parent_id="large"', 'gating:parent_id="big"', "gate shape: no such gate (found big)"),
        ('ref="CD73"/>', 'ref="both"/>', "gates that refer to each other in a circle"),
        ('gating:min="40000"', 'gating:min="4e4 cells"', "min: not a number (found 4e4 cells"),
        ('gating:transformation-ref="scale"', 'gating:transformation-ref="logs"', "gate CD73: no such scale"),
        ("<gating:not>", "<gating:nor>", "not valid XML"),
        ("<gating:Gating-ML ", "<!DOCTYPE x><gating:Gating-ML ", "a document type or entity"),
    ],
)  # fmt: skip
def test_a_wrong_gate_file_is_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = tmp_path / "gates.xml"
    path.write_text(texts.GATES.replace(old, new), encoding="utf-8")
    with pytest.raises(Refusal) as caught:
        read_gates(path)
    assert message in str(caught.value)
    assert str(caught.value).startswith(str(path))


def test_a_gate_on_a_channel_that_is_not_there_is_refused(tmp_path: Path, flow: FlowFile) -> None:
    path = tmp_path / "gates.xml"
    path.write_text(changed(texts.GATES, 'name="PE-A"', 'name="PE-Texas-Red-A"'), encoding="utf-8")
    with pytest.raises(Refusal, match=r"no such channel \(found PE-Texas-Red-A; allowed: FSC-A"):
        apply_gates(flow, read_gates(path))


def test_compensation_gives_back_what_spilled(flow: FlowFile) -> None:
    spill = spillover_of(flow)
    assert spill is not None
    at = [flow.column(name) for name in spill.channels]
    np.testing.assert_allclose(compensate(flow)[:, at] @ spill.matrix, flow.scaled[:, at], atol=1e-6)
    np.testing.assert_array_equal(compensate(flow)[:, 0], flow.scaled[:, 0])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("FITC-A,PE-A\n1,0.1\n", "not square"),
        ("FITC-A,PE-A\n1,1\n1,1\n", "cannot be inverted"),
        ("FITC-A,FITC-A\n1,0\n0,1\n", "a channel twice"),
        ("FITC-A,PE-A\n1,0.1\nx,1\n", ":3: spillover: not a number (found x"),
    ],
)
def test_a_wrong_spillover_matrix_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "matrix.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(Refusal) as caught:
        read_spillover(path)
    assert message in str(caught.value)


def test_the_logicle_scale_is_its_definition() -> None:
    # Its top is 1, zero lies at W / M, and it is odd about zero: B(y) of Moore and Parks 2012.
    np.testing.assert_allclose(logicle([262144.0, 0.0]), [1.0, 0.5 / 4.5], atol=1e-9)
    at = logicle([-500.0, 500.0])
    np.testing.assert_allclose(at.mean(), 0.5 / 4.5, atol=1e-9)
    with pytest.raises(Refusal, match="parameters of logicle"):
        logicle([1.0], top=-1)


@pytest.mark.parametrize(("count", "of"), [(0, 20), (3, 20), (20, 20), (4781, 4825)])
@pytest.mark.parametrize(("method", "name"), [("wilson", "wilson"), ("exact", "exact")])
def test_intervals_of_shares_are_those_of_scipy(count: int, of: int, method: str, name: str) -> None:
    expected = binomtest(count, of).proportion_ci(0.95, method=name)
    np.testing.assert_allclose(share_interval(count, of, 0.95, method), expected, atol=1e-9)


def test_nothing_counted_is_nothing_known() -> None:
    assert share_interval(0, 0) == (0.0, 1.0)


def test_a_real_gate_file_and_its_matrix_agree(shared: Path) -> None:
    folder = shared / "samples" / "FlowKit"
    gates, table = read_gates(folder / "8_color_ICS.xml"), read_spillover(folder / "den_comp.csv")
    (unmixing,) = gates.matrices.values()
    assert unmixing.detectors == table.channels
    np.testing.assert_allclose(unmixing.matrix, table.matrix, atol=5e-6)
    assert len(gates.gates) > 5
