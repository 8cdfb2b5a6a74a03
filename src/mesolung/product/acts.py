"""What a donor's age, culture, priming, edits and engineering do to named properties of a lot."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import combinations
from math import log10
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from mesolung.biology.columns import built_rows, one_of, required_of, text_of, wrong
from mesolung.biology.parameters import GRADES
from mesolung.product.assays import PROPERTIES
from mesolung.product.priming_doses import priming_strength
from mesolung.product.product import Product
from mesolung.reading import Row
from mesolung.streams import uniforms

COLUMNS = ("what", "agent", "on", "effect", "uncertainty", "none", "source", "grade", "meaning")
# What else may be moved: natural logarithms of rates and times, log odds of shares; the culture state and the
# share of HLA class I that is gone themselves.
OTHERS = (
    "culture_state",
    "life",
    "doubling_time",
    "ev_yield",
    "viability",
    "hold_loss",
    "complement_lysis",
    "licensing_lag",
    "ev_vesicle_share",
    "ev_co_isolates",
    "missing_self",
)
ANY = "any other"
GENE = "gene modification"
YOUNG, DECADE = 30.0, 10.0  # years: a younger donor is as one of 30, and slopes are a decade's
SPARSE = 4000.0  # cells/cm2, the reference of seeding
LOW_OXYGEN = 0.08
ROOM = 22.0  # C, at which the loss in the bag was measured


@dataclass(frozen=True)
class Act:
    """A row of ``acts.csv``.

    Attributes:
        what, agent: what was done, and with what; `ANY` is the row of agents that have none of their own.
        on: what it moves, a key of `PROPERTIES` or one of `OTHERS`.
        effect: typical shift on the scale of what it moves, if there is one.
        uncertainty: its standard deviation.
        none: probability that there is no effect at all.
        source, grade, meaning: where it comes from.
        line: of the table.
    """

    what: str
    agent: str
    on: str
    effect: float
    uncertainty: float
    none: float
    source: str
    grade: str
    meaning: str
    line: int

    def drawn(self, key: str, draws: NDArray[np.intp]) -> NDArray[np.float64]:
        """Draw the shift.

        Arguments:
            key: of the parameter draws.
            draws: intp[R], draw of each replicate.

        Returns:
            float64[R]; 0 in the share ``none`` of the draws.
        """
        stream = f"draw:act:{self.what}:{self.agent}:{self.on}"
        u = uniforms(key, stream, 0, int(draws.max()) + 1)[draws]
        rest = np.clip((u - self.none) / (1.0 - self.none), 1e-16, 1.0 - 1e-16)
        return np.where(u < self.none, 0.0, self.effect + self.uncertainty * ndtri(rest))

    @property
    def mean(self) -> float:
        """Mean of the shift over draws."""
        return (1.0 - self.none) * self.effect

    @property
    def variance(self) -> float:
        """Variance of the shift over draws."""
        return (1.0 - self.none) * (self.uncertainty**2 + self.effect**2) - self.mean**2


@cache
def acts() -> Mapping[tuple[str, str], tuple[Act, ...]]:
    """Read ``acts.csv``: (what, agent) -> rows.

    Raises:
        Refusal: for a table that cannot be used.
    """
    found: dict[tuple[str, str], list[Act]] = {}
    for row, act in built_rows(files("mesolung.product") / "acts.csv", COLUMNS, _act):
        same = found.setdefault((act.what, act.agent), [])
        if any(one.on == act.on for one in same):
            raise wrong(row, "on", "stands twice")
        same.append(act)
    return MappingProxyType({key: tuple(rows) for key, rows in found.items()})


def _act(row: Row) -> Act:
    none = required_of(row, "none")
    if not 0.0 <= none < 1.0:
        raise wrong(row, "none", "is no probability below 1")
    return Act(
        text_of(row, "what"),
        text_of(row, "agent"),
        one_of(row, "on", (*PROPERTIES, *OTHERS)),
        required_of(row, "effect"),
        required_of(row, "uncertainty"),
        none,
        text_of(row, "source"),
        one_of(row, "grade", GRADES),
        text_of(row, "meaning"),
        row.line,
    )


def stated_acts(product: Product) -> Iterator[tuple[Act, float]]:
    """List the rows that what is stated of a product calls, each with how many times over.

    Arguments:
        product: validated.

    Yields:
        (row, times).
    """
    age = product.donor.age if product.donor else None
    if age is not None:
        yield from _rows("donor", "age", max(age - YOUNG, 0.0) / DECADE)
    if product.isolation:
        yield from _rows("isolation", product.isolation)
    culture = product.culture
    if culture:
        if culture.medium:
            yield from _rows("medium", culture.medium)
        if culture.vessel:
            yield from _rows("vessel", culture.vessel)
        if culture.oxygen is not None and culture.oxygen <= LOW_OXYGEN:
            yield from _rows("oxygen", "low")
        if culture.seeding_density is not None:
            yield from _rows("density", "tenfold", log10(culture.seeding_density / SPARSE))
    strength = strengths(product)
    for what, agent in interventions(product):
        yield from _rows(what, agent, strength.get((what, agent), 1.0))
    if product.freezing and product.freezing.cryoprotectant:
        yield from _rows("cryoprotectant", product.freezing.cryoprotectant)
    if product.freezing and product.freezing.thaw:
        yield from _rows("thaw", product.freezing.thaw)
    if product.hold:
        if product.hold.diluent:
            yield from _rows("diluent", product.hold.diluent)
        if product.hold.temperature is not None:
            yield from _rows("temperature", "ten degrees", (product.hold.temperature - ROOM) / 10.0)
    if product.vesicles and product.vesicles.isolation:
        yield from _rows("ev isolation", product.vesicles.isolation)


def _rows(what: str, agent: str, times: float = 1.0) -> Iterator[tuple[Act, float]]:
    rows = acts().get((what, agent)) or acts().get((what, ANY), ())
    if times:
        yield from ((row, times) for row in rows)


def interventions(product: Product) -> tuple[tuple[str, str], ...]:
    """List what was done to the cells or vesicles on purpose: (what, agent) of the table, each once.

    Arguments:
        product: validated.
    """
    done: list[tuple[str, str]] = []
    for one in product.priming:
        gene = one.kind == GENE
        agent = one.agent or ANY
        done.append(("gene", f"{agent} overexpressed") if gene else (one.kind, agent))
    done += [("gene", f"{one.gene} {one.change}") for one in product.edit]
    done += [(one.kind, one.agent or ANY) for one in product.engineering]
    return tuple(dict.fromkeys(done))


def strengths(product: Product) -> Mapping[tuple[str, str], float]:
    """How many times over each priming acts, by its dose and time; the strongest where it was given twice.

    Arguments:
        product: validated.
    """
    found: dict[tuple[str, str], float] = {}
    for one in product.priming:
        key = (one.kind, one.agent or ANY)
        found[key] = max(found.get(key, 0.0), priming_strength(one))
    return found


def is_known(what: str, agent: str) -> bool:
    """Tell whether the table has a row of this very agent, or needs none."""
    return (what, agent) in acts() and (agent != ANY or what not in ("inflammatory mediators", "gene"))


def pairs(product: Product) -> tuple[tuple[tuple[str, str], tuple[str, str]], ...]:
    """List the pairs of interventions that were given together; none has been measured beside its parts.

    Arguments:
        product: validated.
    """
    return tuple(combinations(sorted(interventions(product)), 2))
