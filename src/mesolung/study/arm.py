"""An arm of a study and what its subjects are given."""

from __future__ import annotations

from types import MappingProxyType
from typing import Literal

from mesolung.product.product import Product
from mesolung.study.frozen import Frozen, FrozenMapping
from mesolung.study.population import Background, Distribution

DoseUnit = Literal["cells", "cells/kg", "cells/kg PBW"]
DoseBasis = Literal["counted", "viable"]
Route = Literal["intravenous", "intratracheal", "endobronchial"]


class Treatment(Frozen):
    """A product given to every subject of an arm.

    Attributes:
        product: the lot as far as it is described.
        dose: one administration, in ``dose_unit``.
        dose_unit: "cells" a subject, "cells/kg" of actual or "cells/kg PBW" of predicted body weight.
        dose_basis: whether the dose counts all cells or the viable ones.
        route: where it goes in.
        times_h: starts of the administrations, h since enrolment, increasing.
        infusion_h: length of one administration, h; None when not stated.
    """

    product: Product
    dose: float
    dose_unit: DoseUnit
    dose_basis: DoseBasis = "counted"
    route: Route
    times_h: tuple[float, ...]
    infusion_h: float | None = None


class Arm(Frozen):
    """An arm.

    Attributes:
        name: as in the study file.
        size: subjects; None when the arms have ratios.
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
