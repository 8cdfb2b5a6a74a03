"""A product lot: what is known of it, and what the body receives.

The readers of quality files stand here too; each is imported from its module when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

_QUALITY = "mesolung.product.quality"
_MODULES = {
    "Capture": "particles",
    "CellCount": "counts",
    "CellCounts": "counts",
    "Channel": "fcs_channels",
    "Estimate": "logistic",
    "FlowFile": "fcs",
    "GateSet": "gatingml",
    "Gated": "gated",
    "LogisticFit": "logistic",
    "LotMarker": "lot_markers",
    "LotMarkers": "lot_markers",
    "Measured": "measured",
    "ParticleSizes": "particles",
    "Plate": "plate",
    "Population": "gated",
    "PopulationRow": "populations",
    "PopulationTable": "populations",
    "Repair": "repair",
    "Spillover": "spillover",
    "Well": "plate",
    "apply_gates": "gating",
    "auto_gate": "auto_gate",
    "compensate": "spillover",
    "fit_logistic": "logistic",
    "logicle": "transforms",
    "lots_of": "mesolung.product.published",
    "read_counts": "counts",
    "read_fcs": "fcs",
    "read_gates": "gatingml",
    "read_lot_markers": "lot_markers",
    "read_nanosight": "nanosight",
    "read_nta": "nta",
    "read_plate": "plate",
    "read_populations": "populations",
    "read_spillover": "spillover",
    "read_zetaview": "zetaview",
    "share_interval": "gated",
    "spillover_of": "spillover",
}

__all__ = list(_MODULES)  # pyright: ignore[reportUnsupportedDunderAll]

if TYPE_CHECKING:
    from mesolung.product.published import lots_of as lots_of
    from mesolung.product.quality.auto_gate import auto_gate as auto_gate
    from mesolung.product.quality.counts import CellCount as CellCount
    from mesolung.product.quality.counts import CellCounts as CellCounts
    from mesolung.product.quality.counts import read_counts as read_counts
    from mesolung.product.quality.fcs import FlowFile as FlowFile
    from mesolung.product.quality.fcs import read_fcs as read_fcs
    from mesolung.product.quality.fcs_channels import Channel as Channel
    from mesolung.product.quality.gated import Gated as Gated
    from mesolung.product.quality.gated import Population as Population
    from mesolung.product.quality.gated import share_interval as share_interval
    from mesolung.product.quality.gating import apply_gates as apply_gates
    from mesolung.product.quality.gatingml import GateSet as GateSet
    from mesolung.product.quality.gatingml import read_gates as read_gates
    from mesolung.product.quality.logistic import Estimate as Estimate
    from mesolung.product.quality.logistic import LogisticFit as LogisticFit
    from mesolung.product.quality.logistic import fit_logistic as fit_logistic
    from mesolung.product.quality.lot_markers import LotMarker as LotMarker
    from mesolung.product.quality.lot_markers import LotMarkers as LotMarkers
    from mesolung.product.quality.lot_markers import read_lot_markers as read_lot_markers
    from mesolung.product.quality.measured import Measured as Measured
    from mesolung.product.quality.nanosight import read_nanosight as read_nanosight
    from mesolung.product.quality.nta import read_nta as read_nta
    from mesolung.product.quality.particles import Capture as Capture
    from mesolung.product.quality.particles import ParticleSizes as ParticleSizes
    from mesolung.product.quality.plate import Plate as Plate
    from mesolung.product.quality.plate import Well as Well
    from mesolung.product.quality.plate import read_plate as read_plate
    from mesolung.product.quality.populations import PopulationRow as PopulationRow
    from mesolung.product.quality.populations import PopulationTable as PopulationTable
    from mesolung.product.quality.populations import read_populations as read_populations
    from mesolung.product.quality.repair import Repair as Repair
    from mesolung.product.quality.spillover import Spillover as Spillover
    from mesolung.product.quality.spillover import compensate as compensate
    from mesolung.product.quality.spillover import read_spillover as read_spillover
    from mesolung.product.quality.spillover import spillover_of as spillover_of
    from mesolung.product.quality.transforms import logicle as logicle
    from mesolung.product.quality.zetaview import read_zetaview as read_zetaview


def __getattr__(name: str) -> Any:
    """Import a public name from its module at first use.

    Raises AttributeError for a name that is not public.
    """
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    place = _MODULES[name]
    return getattr(import_module(place if "." in place else f"{_QUALITY}.{place}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_MODULES])
