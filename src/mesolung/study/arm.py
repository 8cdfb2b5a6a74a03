"""An arm of a study and what its subjects are given."""

from __future__ import annotations

from types import MappingProxyType
from typing import Literal

from mesolung.product.product import Product
from mesolung.study.frozen import Frozen, FrozenMapping
from mesolung.study.injury import Assay, Injury
from mesolung.study.population import Background, Distribution

DoseUnit = Literal[
    "cells",
    "cells/kg",
    "cells/kg PBW",
    "particles",
    "particles/kg",
    "cell-equivalents",
    "ug",
    "ug/kg",
    "mL",
    "mg",
    "mg/kg",
    "mg/m2",
]
UNKNOWN = "unknown"
DoseBasis = Literal["counted", "viable"]
Route = Literal[
    "intravenous",
    "intra-arterial",
    "intratracheal",
    "endobronchial",
    "nebulised",
    "intranasal",
    "intraperitoneal",
    "intramuscular",
    "perfusate",
    "oral",
    "inhaled",
]


class Treatment(Frozen):
    """A product given to every subject of an arm.

    Attributes:
        product: the lot as far as it is described.
        dose: one administration, in ``dose_unit``; None where the study says it is unknown, or where an assay
            states its ratio instead.
        most: the largest administration, cells, whatever the subject weighs; None without a cap.
        dose_unit: "cells" a subject, "cells/kg" of actual or "cells/kg PBW" of predicted body weight; for
            other products particles, cell-equivalents, masses or volumes.
        dose_basis: whether the dose counts all cells or the viable ones.
        route: where it goes in; "unknown" where the study says so; None in a culture, which has none.
        times_h: starts of the administrations, h since enrolment, increasing; empty where unknown.
        infusion_h: length of one administration, h; None when not stated.
        longest_infusion_h: where lengths differ between subjects the longest, ``infusion_h`` the shortest.
    """

    product: Product
    dose: float | None
    dose_unit: DoseUnit
    most: float | None = None
    dose_basis: DoseBasis = "counted"
    route: Route | Literal["unknown"] | None
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
        injury: what its subjects are injured by, the study's where the arm says nothing; empty for a sham.
        has_own_injury: whether the arm restates the injury.
        assay: the study's assay with what the arm restates; None where there is none.
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
    injury: tuple[Injury, ...] = ()
    has_own_injury: bool = False
    assay: Assay | None = None
