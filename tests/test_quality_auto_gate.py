"""The default gate finds what a synthetic lot was drawn with, and says what it took for granted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from mesolung.product import FlowFile, auto_gate, read_fcs
from mesolung.reading import Refusal

Make = Callable[..., FlowFile]


@pytest.fixture
def make(tmp_path: Path, tool_module: Callable[[str], ModuleType]) -> Make:
    tool = tool_module("synthetic_lots")

    def one(lot: int = 0, stained: bool = True, events: int = 4000, **labels: str) -> FlowFile:
        changed = [
            labels.get(name.replace("-", "_"), label)
            for name, label in zip(tool.NAMES, tool.LABELS, strict=True)
        ]
        path = tmp_path / f"{lot}-{stained}.fcs"
        path.write_bytes(tool.fcs_bytes(tool.draw(tool.LOTS[lot], events, stained), labels=changed))
        return read_fcs(path)

    return one


@pytest.mark.parametrize("lot", [0, 1, 2])
def test_shares_are_those_that_were_drawn(
    make: Make, tool_module: Callable[[str], ModuleType], lot: int
) -> None:
    drawn = tool_module("synthetic_lots").LOTS[lot]
    gated = auto_gate(make(lot))
    viable = gated.viability
    assert viable is not None and viable.percent is not None
    # 2 points: what the valley takes from either side, above the noise of counting.
    assert abs(viable.percent - 100 * drawn.viable) < 2
    for marker, share in drawn.positive.items():
        found = gated.population(f"{marker}+")
        assert found.parent == "viable"
        assert found.percent is not None and abs(found.percent - 100 * share) < 1.5
        assert found.low <= found.percent <= found.high


def test_debris_and_doublets_are_taken_out(make: Make) -> None:
    gated = auto_gate(make())
    cells, singlets = gated.population("cells"), gated.population("singlets")
    assert cells.percent == pytest.approx(92, abs=2)  # 8 % debris were drawn
    assert singlets.percent == pytest.approx(97, abs=1.5)  # 3 of 92 % doublets
    assert not np.any(gated.members["singlets"] & ~gated.members["cells"])


def test_a_control_sets_the_threshold_and_is_named(make: Make) -> None:
    control = make(0, stained=False)
    gated = auto_gate(make(0), control)
    assert any(f"percentile of the control {control.file.name}" in sentence for sentence in gated.assumed)
    own = auto_gate(control, control)
    for population in own.populations:
        if population.marker:
            assert population.percent == pytest.approx(0.5, abs=0.1)


def test_a_control_of_one_marker_goes_before_the_common_one(make: Make) -> None:
    stained = make(0)
    minus_one = make(1, stained=False)
    gated = auto_gate(stained, make(0, stained=False), fluorescence_minus_one={"cd73": minus_one})
    said = [s for s in gated.assumed if s.startswith("CD73+")]
    assert len(said) == 1 and "fluorescence-minus-one" in said[0]
    with pytest.raises(Refusal, match=r"a control of a marker that is not gated \(found CD29"):
        auto_gate(stained, fluorescence_minus_one={"CD29": minus_one})


def test_no_viability_dye_is_said_and_none_is_invented(make: Make) -> None:
    gated = auto_gate(make(PerCP_Cy5_5_A="CD19"))
    assert gated.viability is None
    assert any("No viability dye" in sentence for sentence in gated.assumed)
    assert gated.population("CD73+").parent == "singlets"


def test_one_peak_without_a_control_tells_no_share(make: Make) -> None:
    gated = auto_gate(make(0, stained=False))
    assert [p.name for p in gated.populations if p.marker] == []
    assert any("CD73 shows one peak and has no control" in sentence for sentence in gated.assumed)
    assert any("viability is not told" in sentence for sentence in gated.assumed)


def test_a_marker_on_two_channels_is_refused(make: Make) -> None:
    with pytest.raises(Refusal, match=r"a marker on two channels \(found CD73 on PE-A, APC-A"):
        auto_gate(make(APC_A="CD73 clone 2"))
    named = auto_gate(make(APC_A="CD73 clone 2"), markers={"CD73": "PE-A"})
    assert [p.name for p in named.populations if p.marker] == ["CD73+"]


def test_a_control_with_other_channels_or_too_few_cells_is_refused(make: Make) -> None:
    stained, control = make(0), make(0, stained=False)
    first = replace(control.channels[0], name="FSC-X")
    with pytest.raises(Refusal, match="a control with other channels"):
        auto_gate(stained, replace(control, channels=(first, *control.channels[1:])))
    with pytest.raises(Refusal, match=r"a control with too few cells \(found \d+; allowed: at least 100"):
        auto_gate(stained, replace(control, events=control.events[:60]))


def test_what_is_said_stays_the_same(make: Make) -> None:
    first, second = auto_gate(make(1)), auto_gate(make(1))
    assert first.assumed == second.assumed
    assert first.populations == second.populations
