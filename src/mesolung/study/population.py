"""Who is studied: table 1 and usual care, in base units."""

from __future__ import annotations

from types import MappingProxyType
from typing import Literal

from pydantic import Field

from mesolung.study.frozen import Frozen, FrozenMapping


class Distribution(Frozen):
    """A line of table 1: moments of the enrolled, that is after truncation, in the quantity's base unit.

    Either ``mean`` (with ``sd`` where it is known), or ``median`` with ``iqr``, or ``share``, or none of
    them, when only a bound is stated.

    Attributes:
        mean, sd: mean and standard deviation.
        median: median.
        iqr: first and third quartile.
        share: share of yes, 0 to 1, of a trait that a subject has or has not.
        min, max: bounds that every subject keeps.
        unit: the base unit of the table that declares the quantity.
    """

    mean: float | None = None
    sd: float | None = None
    median: float | None = None
    iqr: tuple[float, float] | None = None
    share: float | None = None
    min: float | None = None
    max: float | None = None
    unit: str


class Background(Frozen):
    """A drug or support of usual care.

    Attributes:
        share: share of subjects who receive it, 0 to 1.
        dose: one dose, in the unit of the table of backgrounds, a kilogram left out; None for the usual dose.
        per_kg: whether the dose is one per kg of the subject's weight.
        dose_unit: unit of the dose of a drug that the table does not have; None for the table's.
        start_h: start, h since enrolment.
        duration_h: how long it is given, h; None for the usual duration.
        every_h: time between doses, h; None for the usual interval.
        responder: share of those who receive it whom it helps; None where the study does not say.
    """

    share: float
    dose: float | None = None
    per_kg: bool = False
    dose_unit: str | None = None
    start_h: float = 0.0
    duration_h: float | None = None
    every_h: float | None = None
    responder: float | None = None


class Correlation(Frozen):
    """A Spearman correlation between two lines of table 1.

    Attributes:
        first, second: baseline names, in the order of the alphabet.
        rho: -1 to 1.
    """

    first: str
    second: str
    rho: float


class Inclusion(Frozen):
    """A rule by which subjects are chosen.

    Attributes:
        name: baseline name, or row of ``inclusions.csv``.
        relation: how the subject's value stands to ``value``.
        value: in ``unit``.
        unit: base unit of the name.
    """

    name: str
    relation: Literal[">=", "<=", ">", "<", "="]
    value: float
    unit: str


class Population(Frozen):
    """The subjects of one replicate before they are allocated.

    Attributes:
        size: subjects of one replicate; None when only the arms say it.
        onset_to_enrolment: time since onset at enrolment, h.
        expected_mortality: the site's own control risk, 0 to 1.
        dropout: how subjects leave a trial of years: "random"; "informative", sooner the more function they
            lose; "none"; None for the disease's usual, which is random.
        baseline: baseline name -> distribution, names sorted.
        correlation: rank correlations between quantities of the baseline, sorted.
        phenotype: phenotype -> share of subjects who are of it at enrolment, names sorted.
        background: background name -> who receives it and how, names sorted.
        include: rules by which subjects are chosen, sorted; those of table 1 are bounds of ``baseline`` too.
    """

    size: int | None = None
    onset_to_enrolment: Distribution | None = None
    expected_mortality: float | None = None
    dropout: Literal["random", "informative", "none"] | None = None
    baseline: FrozenMapping[str, Distribution] = MappingProxyType({})
    correlation: tuple[Correlation, ...] = ()
    phenotype: FrozenMapping[str, float] = Field(default_factory=dict, validate_default=True)
    background: FrozenMapping[str, Background] = MappingProxyType({})
    include: tuple[Inclusion, ...] = ()
