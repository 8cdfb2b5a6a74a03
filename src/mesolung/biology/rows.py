"""Rows of the tables of names: what a study can measure, what subjects bring along, what they are given."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

from mesolung.units import convert

PER_KG = "/kg"
LUNG = "lung"


@dataclass(frozen=True)
class Measured:
    """A quantity that subjects have.

    Attributes:
        name: as study files write it.
        label: as people write it.
        unit: base unit; numbers of the row are in it, and so is a number whose unit is not stated.
        accepted_units: units that a study file may use for it.
        scale: "linear", "log" or "logit", on which its spread is most even; "binary" for a trait
            that a subject has or has not.
        lowest, highest: bounds of what is possible, None where there is none.
        diseases: names of the diseases that have it.
    """

    name: str
    label: str
    unit: str
    accepted_units: tuple[str, ...]
    scale: str
    lowest: float | None
    highest: float | None
    diseases: tuple[str, ...]

    def accepts(self, unit: str) -> bool:
        """Tell whether a study file may use a unit for it, however the unit is spelled."""
        try:
            return unit in self.accepted_units or any(
                convert(1.0, unit, known) == 1.0 for known in self.accepted_units
            )
        except ValueError:
            return False

    def possible(self, value: float) -> bool:
        """Tell whether a value, in ``unit``, lies within the bounds."""
        low = -inf if self.lowest is None else self.lowest
        high = inf if self.highest is None else self.highest
        return low <= value <= high


@dataclass(frozen=True)
class Error:
    """What one visit's measurement differs from what is true of the subject that day.

    Attributes:
        quantity: what is measured: endpoints read from one blow or one blood sample share their error.
        sd: standard deviation, in the endpoint's unit or that of ``per``; of the natural logarithm on "log".
        scale: "linear", the error is added; "log", it multiplies.
        per: output that ``sd`` is an error of, where the endpoint is that output relative to something; else
            None.
    """

    quantity: str
    sd: float
    scale: str = "linear"
    per: str | None = None


@dataclass(frozen=True)
class Endpoint(Measured):
    """What a trial can measure.

    Attributes:
        type: "binary", "count", "continuous", "time" or "rate".
        better: "lower" or "higher"; "neither" for a state of the model, which no table lists.
        needs_time: whether a study must say when it is measured.
        at_enrolment: whether subjects have a value at enrolment, so that it can stand in table 1.
        value_at_death: what a death counts as, in ``unit``, where a rule asks for it; else None.
        deaths: the usual rule for the dead: "survivors", "worst" or "zero".
        matrix: where it is measured.
        species: species that have it.
        subjective: whether knowing the treatment can move it: told by patients, judged, or a decision.
        minimum_important: least difference that matters to patients, in ``unit``, or None.
        test: the usual test, or None for that of the type.
        default_contrast: the usual measure of the difference between arms.
        rule: how it is read off a subject's course, one of `RULES`.
        outputs: model outputs that it is read from; empty where it is read off death or discharge.
        above: level of each output from which a yes or no is a yes; empty where there is none, or where it
            differs by disease (`endpoint_in` fills it in).
        share: what the sample holds of its outputs, where it is measured in one (`specimens`); which share of
            the events that an output is the hazard of it counts; units of the endpoint in one of its
            output's a year, of a slope; else 1.
        error: what a visit's measurement adds (`measurements`); None where a disease's trials have none.
        visit_every_h, slope_from_h: time between visits, and first visit of a slope, where a disease's trials
            have visits (`conduct`); 0 where they have none.
    """

    type: str
    better: str
    needs_time: bool
    at_enrolment: bool
    value_at_death: float | None
    deaths: str
    matrix: str
    species: tuple[str, ...]
    subjective: bool
    minimum_important: float | None
    test: str | None
    default_contrast: str
    rule: str = "level"
    outputs: tuple[str, ...] = ()
    above: tuple[float, ...] = ()
    share: float = 1.0
    error: Error | None = None
    visit_every_h: float = 0.0
    slope_from_h: float = 0.0


@dataclass(frozen=True)
class Threshold:
    """A part of the definition of a yes-or-no endpoint in one disease.

    Attributes:
        output: model output, with a row of its own in the endpoint table.
        above: level from which it counts, in that row's unit.
        source: publication, or "assumed: reason".
    """

    output: str
    above: float
    source: str


@dataclass(frozen=True)
class Covariate(Measured):
    """A trait of a subject that can stand in table 1 and is no endpoint."""


@dataclass(frozen=True)
class Background:
    """A drug or support of usual care.

    Attributes:
        name, label: as study files and as people write it.
        kind: "drug" or "support".
        target: what of the model it acts on.
        how: "dose", repeated amounts into the state ``target``; "switch", the parameter ``target`` is 1 while
            it is given; "occupancy", the parameter ``target`` is the share of the full effect that the dose
            has while it is given; "enrolment", the share of subjects that
            have it at enrolment, read from ``target``.
        dose: the usual dose, in ``dose_unit``; None but for "dose" and "occupancy".
        dose_unit: unit of a dose, a mass or activity, or that per kg of body weight; None likewise.
        most: largest single dose of one per kg, without the kilogram; None where there is none.
        factor: amount of the state that a unit of the drug is worth; of an "occupancy" the dose that has half
            of the largest effect, in ``dose_unit``.
        duration_h: usual length of the course, h; inf where it has none.
        every_h: usual time between doses, h; None but for "dose" and "occupancy".
        meaning: what it stands for.
    """

    name: str
    label: str
    kind: str
    target: str
    how: str
    dose: float | None
    dose_unit: str | None
    most: float | None
    factor: float
    duration_h: float
    every_h: float | None
    meaning: str

    @property
    def unit(self) -> str:
        """Unit of a dose, "" where there is none."""
        return self.dose_unit or ""

    @property
    def per_kg(self) -> bool:
        """Whether the usual dose is one per kg of body weight."""
        return self.unit.endswith(PER_KG)

    @property
    def amount_unit(self) -> str:
        """Unit of what one subject gets, a kilogram left out."""
        return self.unit.removesuffix(PER_KG)


@dataclass(frozen=True)
class Route:
    """A way of giving a product.

    Attributes:
        name: as study files write it.
        live_cells_enter, particles_enter: states that receive the living cells and the vesicles.
        apoptotic_cells_enter: state that receives cells that arrive dying; None where none comes to the lung.
        soluble_enter: where dissolved factors go, "lung" for lung fluid or "blood".
        delivered: typical share of what is given that arrives there.
        absorbed: typical share of vesicles and factors that leaves where they were injected for the blood.
        through_blood: whether the cells meet complement on their way.
        source: publication, or "assumed: reason", of the shares.
        grade: of the shares.
        meaning: where it is put.
    """

    name: str
    live_cells_enter: str
    apoptotic_cells_enter: str | None
    particles_enter: str
    soluble_enter: str
    delivered: float
    absorbed: float
    through_blood: bool
    source: str
    grade: str
    meaning: str

    @property
    def airway(self) -> bool:
        """Whether it puts the product into lung fluid."""
        return self.soluble_enter == LUNG
