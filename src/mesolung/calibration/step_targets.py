"""Targets of the ladder's steps, and what the model gives for them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mesolung.reading import Refusal, Row, read_table

COLUMNS = (
    "step", "cohort", "measure", "output", "group", "day", "value", "tolerance", "unit", "source",
)  # fmt: skip
# Below this share of its target the logarithm of what a model gives says nothing more.
LEAST = 0.01
RELATIVE = " relative to "


@dataclass(frozen=True)
class StepTarget:
    """A published or assumed number that a step is led by.

    Attributes:
        step: of the ladder.
        cohort: a disease, or what else the number is of.
        measure: what it measures; "... relative to COHORT" is a ratio of the same of two cohorts.
        output: state, observable or parameter that it measures.
        group: of whom.
        day: since onset or enrolment; nan for none.
        value: in ``unit``.
        tolerance: standard deviation of the natural logarithm.
        unit: of the value.
        source: where it was seen, or "assumed: reason".
    """

    step: int
    cohort: str
    measure: str
    output: str
    group: str
    day: float
    value: float
    tolerance: float
    unit: str
    source: str

    @property
    def name(self) -> str:
        """Cohort, measure, output, group and day; unlike any other target's of its step."""
        words = [self.cohort, self.measure, self.output, self.group]
        return " ".join(w for w in words if w) + (f" day {self.day:g}" if math.isfinite(self.day) else "")

    @property
    def parts(self) -> tuple[str, str]:
        """The measure alone, and the cohort that it is relative to, "" for none."""
        measure, _, other = self.measure.partition(RELATIVE)
        return measure, other


@dataclass(frozen=True)
class Compared:
    """One target beside the model.

    Attributes:
        name, unit, source: of the target.
        published: its value, in ``unit``.
        tolerance: standard deviation of the natural logarithm.
        model: what the model gives, in ``unit``; nan when it has hardly anybody to take it from.
        residual: distance in tolerances.
    """

    name: str
    published: float
    tolerance: float
    model: float
    residual: float
    unit: str
    source: str


def compared(target: StepTarget, model: float) -> Compared:
    """Put the model's value beside a target.

    Arguments:
        target: any.
        model: in the target's unit.

    Returns:
        both.
    """
    residual = log_residual(model, target.value, target.tolerance)
    return Compared(target.name, target.value, target.tolerance, model, residual, target.unit, target.source)


def log_residual(model: float, published: float, tolerance: float) -> float:
    """Say how far a value is from its target.

    Arguments:
        model, published: in one unit.
        tolerance: standard deviation of the natural logarithm.

    Returns:
        log(model / published) over the tolerance; nan where the model has no value.
    """
    if not math.isfinite(model):
        return math.nan
    return math.log(max(model / published, LEAST)) / tolerance


def residuals_of(found: list[Compared]) -> NDArray[np.float64]:
    """Collect the distances of targets.

    Arguments:
        found: targets beside the model.

    Returns:
        float64[targets], in tolerances.
    """
    return np.array([c.residual for c in found])


def line_of(found: Compared) -> str:
    """Write a target on one line.

    Arguments:
        found: a target beside the model.

    Returns:
        name, published value, model's value, unit and distance in tolerances, marked when beyond 2.5.
    """
    far = " ***" if not abs(found.residual) <= 2.5 else ""
    return (
        f"{found.name}: published {found.published:.4g}, model {found.model:.4g} {found.unit}, "
        f"{found.residual:+.1f}{far}"
    )


def read_step_targets(resource: Path | Traversable | None = None) -> tuple[StepTarget, ...]:
    """Read the targets of all steps.

    Arguments:
        resource: a table; None for the shipped ``step-targets.csv``.

    Returns:
        the targets in the order of the table.

    Raises:
        Refusal: naming file and line of one that is no number, lacks tolerance or source, or stands twice.
    """
    place = resource if resource is not None else files("mesolung.calibration") / "step-targets.csv"
    targets: list[StepTarget] = []
    for row in read_table(place, COLUMNS):
        target = _target(row, place.name)
        if any(t.step == target.step and t.name == target.name for t in targets):
            raise Refusal("stands twice", file=place.name, line=row.line, found=target.name)
        targets.append(target)
    return tuple(targets)


def _target(row: Row, file: str) -> StepTarget:
    try:
        step, value, tolerance = int(row["step"]), float(row["value"]), float(row["tolerance"])
        day = float(row["day"] or math.nan)
    except ValueError:
        raise Refusal("step, day, value and tolerance are numbers", file=file, line=row.line) from None
    if not (value > 0.0 and tolerance > 0.0):
        raise Refusal(
            "value and tolerance are above 0", file=file, line=row.line, found=f"{value:g}, {tolerance:g}"
        )
    if not row["source"]:
        raise Refusal("a target says where it was seen or that it is assumed", file=file, line=row.line)
    return StepTarget(
        step, row["cohort"], row["measure"], row["output"], row["group"], day, value, tolerance,
        row["unit"], row["source"],
    )  # fmt: skip
