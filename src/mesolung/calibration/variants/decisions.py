"""The variants, and the decisions as pairs of things to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mesolung.calibration.given import Giving
from mesolung.product.product import Product

CARRIERS = {
    "niche": "gain_niche",
    "efferocytosis": "gain_efferocytosis",
    "vesicles": "gain_EV",
    "mitochondria": "gain_mito",
    "contact": "gain_contact",
}
ALL, NULL = "all together", "null"
VARIANTS = (*CARRIERS, ALL, NULL)
# Every draw with the carriers and the human effect that it has: what a recommendation would rest on.
AS_DRAWN = "as drawn"
HUMAN, CLEARANCE = "human_effect", "gain_clearance"
SAID_OF_VARIANTS = {
    **{name: f"only `{gain}` above 0, at its typical value" for name, gain in CARRIERS.items()},
    ALL: "every carrier at its typical value",
    NULL: "`human_effect` 0: cells and vesicles do nothing but harm",
}

CORD, FROZEN = Product(source="umbilical cord", cryopreserved=False), True
USUAL = Giving(CORD, 1e8)
# What may be given. 1e8 umbilical cord cells, fresh, once, into a vein over an hour, at enrolment are what
# every other line differs from in one thing.
GIVEN: Mapping[str, tuple[Giving, str]] = {
    "usual": (USUAL, "1e8 fresh umbilical cord cells once, into a vein over 1 h, at enrolment"),
    "higher dose": (Giving(CORD, 1e9), "1e9 cells instead of 1e8"),
    "local": (Giving(CORD, 1e8, route="endobronchial"), "through a bronchoscope"),
    "late": (Giving(CORD, 1e8, days=(5.0,)), "5 d after enrolment"),
    "repeated": (Giving(CORD, 1e8, days=(0.0, 3.0, 6.0)), "on days 0, 3 and 6"),
    "vesicles": (
        Giving(Product(type="ev", source="umbilical cord"), 1.4e12, unit="particles"),
        "1.4e12 particles (2e10/kg) instead of cells",
    ),
    "dead": (Giving(Product(type="apoptotic-cells", source="umbilical cord"), 1e8), "apoptotic when given"),
    "frozen": (
        Giving(Product(source="umbilical cord", cryopreserved=FROZEN), 1e8),
        "given from frozen, without a culture rescue",
    ),
}
NONE = "none"
EVERYBODY, LOUD, QUIET = "everybody", "inflamed", "hypo-inflammatory"


@dataclass(frozen=True)
class Side:
    """One side of a decision: what is given against what, to whom.

    Attributes:
        given: name in `GIVEN`, or "none".
        against: the same.
        who: everybody, the inflamed or the hypo-inflammatory.
        steroid: whether both have dexamethasone.
    """

    given: str
    against: str = NONE
    who: str = EVERYBODY
    steroid: bool = False


@dataclass(frozen=True)
class Decision:
    """A choice between two things; the contrast is the second's benefit minus the first's.

    Attributes:
        name: as the page heads it.
        first, second: words.
        a, b: what they are.
    """

    name: str
    first: str
    second: str
    a: Side
    b: Side


USUAL_SIDE = Side("usual")
DECISIONS = (
    Decision("dose", "1e8 cells", "1e9 cells", USUAL_SIDE, Side("higher dose")),
    Decision("route", "intravenous", "endobronchial", USUAL_SIDE, Side("local")),
    Decision("time", "at enrolment", "5 d later", USUAL_SIDE, Side("late")),
    Decision("repetition", "one dose", "three doses", USUAL_SIDE, Side("repeated")),
    Decision("cells or vesicles", "cells", "vesicles", USUAL_SIDE, Side("vesicles")),
    Decision("living or dead", "living", "apoptotic", USUAL_SIDE, Side("dead")),
    Decision("fresh or frozen", "fresh", "frozen", USUAL_SIDE, Side("frozen")),
    Decision("whom", "hypo-inflammatory", "inflamed", Side("usual", who=QUIET), Side("usual", who=LOUD)),
    Decision("steroid", "without", "with", USUAL_SIDE, Side("usual", steroid=True)),
)
