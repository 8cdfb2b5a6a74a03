"""An arm of a study and what its subjects are given."""

from __future__ import annotations

from types import MappingProxyType
from typing import Literal

from mesolung.product.product import Product
from mesolung.study.frozen import Frozen, FrozenMapping
from mesolung.study.population import Background, Distribution

DoseUnit = Literal["cells", "cells/kg", "cells/kg PBW"]
UNKNOWN = "unknown"
DoseBasis = Literal["counted", "viable"]
Route = Literal["intravenous", "intratracheal", "endobronchial"]


class Treatment(Frozen):
    """A product given to every subject of an arm.

    Attributes:
        product: the lot as far as it is described.
        dose: one administration, in ``dose_unit``; None where the study says it is unknown.
        most: the largest administration, cells, whatever the subject weighs; None without a cap.
        dose_unit: "cells" a subject, "cells/kg" of actual or "cells/kg PBW" of predicted body weight.
        dose_basis: whether the dose counts all cells or the viable ones.
        route: where it goes in; "unknown" where the study says so.
        times_h: starts of the administrations, h since enrolment, increasing; empty where unknown.
        infusion_h: length of one administration, h; None when not stated.
        longest_infusion_h: where lengths differ between subjects the longest, ``infusion_h`` the shortest.
    """

    product: Product
    dose: float | None
    dose_unit: DoseUnit
    most: float | None = None
    dose_basis: DoseBasis = "counted"
    route: Route | Literal["unknown"]
    times_h: tuple[float, ...]
    infusion_h: float | None = None
    longest_infusion_h: float | None = None


class Arm(Frozen):
    """An arm.

    Attributes:
        name: as in the study file.
        size: subjects; None when the arms have ratios, or where the study says it is unknown.
        ratio: parts of the population; None when the arms have sizes.
        control: whether the other arms are compared with it; at most one arm of a study.
        treatments: what is given beside usual care.
        baseline: this arm's table 1: the population's, with what the arm restates.
        has_own_baseline: whether the arm restates any line of table 1.
        background: this arm's usual care: the population's, with what the arm restates.
        has_own_background: whether the arm restates any of usual care.
    """

    name: str
    size: int | None = None
    ratio: float | None = None
    control: bool = False
    treatments: tuple[Treatment, ...] = ()
    baseline: FrozenMapping[str, Distribution] = MappingProxyType({})
    has_own_baseline: bool = False
    background: FrozenMapping[str, Background] = MappingProxyType({})
    has_own_background: bool = False
