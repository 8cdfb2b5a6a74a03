"""Usual care without cells: every published row that the model can be asked about, beside what it gives."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np

from mesolung.calibration.between_studies import between_study_sd, mortalities
from mesolung.calibration.enrolled import Enrolled
from mesolung.calibration.measures import COMPARISONS, MEASURES
from mesolung.calibration.patients import SOME_STEROID, TOCILIZUMAB, NotInTheModel, Patients
from mesolung.calibration.strata import needed, part_of
from mesolung.calibration.target_table import Row, number, rows_of
from mesolung.calibration.verdict import (
    ABSENT,
    FACTOR,
    TOO_FEW,
    Finding,
    binomial_interval,
    mortality_interval,
    over_draws,
    verdict_of,
    within_factor,
)
from mesolung.calibration.weighted import effective

TABLE = "usual-care.csv"
FAMILY = "usual care"
WITH, RELATIVE = " with ", " relative to "
LEAST_EFFECTIVE, LEAST_OF_A_DRAW = 20.0, 8.0
RULES = {
    "proportion": "within the binomial 95 % interval of its n",
    "mortality": "within the binomial 95 % interval of its n, widened by the sd between studies",
    "interval": "within the printed interval",
    "median": "within 2x",
    "spread": "spread within 2x",
    "fall": "below 1 and within 2x",
    "rise": "above 1 and within 2x",
}


@dataclass
class Comparer:
    """Answers rows of the table from virtual patients.

    Attributes:
        patients: the virtual cohorts.
    """

    patients: Patients
    _by_draw: dict[tuple[str, str], list[Enrolled]] = field(default_factory=dict, repr=False)

    def value(self, row: Row, draw: int | None = None) -> float:
        """Give the model's value of a target.

        Arguments:
            row: of ``usual-care.csv``.
            draw: number of a draw; None for all together.

        Returns:
            the value in the row's unit; nan where too few virtual patients are like the row's.

        Raises:
            NotInTheModel: when the model lacks a disease, a drug or an output.
        """
        measure, treatment, other = _parsed(row["measure"])
        day, output = float(row["day"] or 0), row["observable"]
        of = self._group(row["cohort"], treatment, draw)
        one = self._checked(part_of(of, row["stratum"]), output, draw)
        if one is None:
            return float("nan")
        if measure in COMPARISONS:
            base = SOME_STEROID if treatment == TOCILIZUMAB else ""
            twin = part_of(self._group(row["cohort"], base, draw), row["stratum"])
            return COMPARISONS[measure](one, twin, output, day)
        value = MEASURES[measure](one, output, day)
        if other:
            reference = self._checked(self._group(other, "", draw), output, draw)
            return value / MEASURES[measure](reference, output, day) if reference else float("nan")
        return value

    def values_of_draws(self, row: Row) -> list[float]:
        """Give the model's value of a target in every draw.

        Arguments:
            row: of ``usual-care.csv``.

        Returns:
            a value a draw; nan where a draw has too few such patients.

        Raises:
            NotInTheModel: as `value`.
        """
        return [self.value(row, d) for d in range(self.patients.draws.count)]

    def _group(self, name: str, treatment: str, draw: int | None) -> Enrolled:
        whole = self.patients.enrolled(name, treatment)
        if draw is None:
            return whole
        key = (name, treatment)
        if key not in self._by_draw:
            count = self.patients.draws.count
            self._by_draw[key] = [whole.where(whole.draw == d) for d in range(count)]
        return self._by_draw[key][draw]

    def _checked(self, e: Enrolled, output: str, draw: int | None) -> Enrolled | None:
        if output:
            needed(e, output)
        least = LEAST_EFFECTIVE if draw is None else LEAST_OF_A_DRAW
        return e if effective(e.weight * e.seen(0.0)) >= least else None


def bounds_of(row: Row, between: float) -> tuple[float, float]:
    """Say between what the model has to lie to meet a target.

    Arguments:
        row: of ``usual-care.csv``.
        between: standard deviation of logit mortality between studies.

    Returns:
        low and high, in the row's unit.
    """
    value, n = number(row["value"]), number(row["n"])
    rule: dict[str, Callable[[], tuple[float, float]]] = {
        "proportion": lambda: binomial_interval(value, n),
        "mortality": lambda: mortality_interval(value, n, between),
        "interval": lambda: (number(row["low"]), number(row["high"])),
        "median": lambda: within_factor(value),
        "spread": lambda: within_factor(value),
        "fall": lambda: (value / FACTOR, min(value * FACTOR, 1.0)),
        "rise": lambda: (max(value / FACTOR, 1.0), value * FACTOR),
    }
    return rule[row["rule"]]()


def name_of(row: Row) -> str:
    """Name a target.

    Arguments:
        row: of ``usual-care.csv``.

    Returns:
        study, patients, measure, output and day; unlike any other row's.
    """
    words = [row["key"], row["population"], row["cohort"], row["stratum"], row["measure"], row["observable"]]
    return " ".join(w for w in words if w) + (f" day {row['day']}" if row["day"] else "")


def residual(row: Row, value: float, between: float) -> float:
    """Say how far a value is from its target, for a fit.

    Arguments:
        row: of ``usual-care.csv``.
        value: the model's.
        between: as `bounds_of`.

    Returns:
        distance in half widths of what is allowed, on the logit scale for shares of patients, else on the
        logarithmic one: between -1 and 1 the target is met, or nearly so where the bounds lie askew.
    """
    low, high = bounds_of(row, between)
    published = number(row["value"])
    if row["rule"] in ("proportion", "mortality"):
        ends = np.clip([value, published, low, high], 1e-4, 1.0 - 1e-4)
        x, centre, a, b = np.log(ends / (1.0 - ends))
    else:
        x, centre, a, b = np.log(np.maximum([value, published, low, high], 1e-9))
    return float((x - centre) / max(0.5 * (b - a), 1e-9))


def residuals(patients: Patients, rows: Iterable[Row] | None = None) -> dict[str, float]:
    """Compare rows with virtual patients, for a fit.

    Arguments:
        patients: the virtual cohorts.
        rows: of the table; None for all but context.

    Returns:
        name of the target -> `residual`; nan where the model has too few such patients, and without the
        targets that the model cannot be asked about.
    """
    between = between_study_sd(mortalities())
    comparer = Comparer(patients)
    found = {}
    for row in [r for r in rows_of(TABLE) if r["use"] != "context"] if rows is None else rows:
        with suppress(NotInTheModel):
            found[name_of(row)] = residual(row, comparer.value(row), between)
    return found


def findings(patients: Patients, rows: Iterable[Row] | None = None, *, by_draw: bool = True) -> list[Finding]:
    """Compare rows of usual care with virtual patients.

    Arguments:
        patients: the virtual cohorts.
        rows: of the table; None for all.
        by_draw: whether to give what single draws give besides.

    Returns:
        a finding a row.
    """
    between = between_study_sd(mortalities())
    comparer = Comparer(patients)
    out = []
    for row in rows_of(TABLE) if rows is None else rows:
        low, high = bounds_of(row, between)
        note = row["note"]
        model, each, verdict = float("nan"), [], ABSENT
        try:
            model = comparer.value(row)
            verdict = verdict_of(model, low, high)
            if by_draw:
                each = comparer.values_of_draws(row)
            if np.isnan(model):
                note = "; ".join(n for n in (TOO_FEW, note) if n)
        except NotInTheModel as absent:
            note = f"the model has {absent}"
        out.append(
            Finding(
                FAMILY,
                name_of(row),
                number(row["value"]),
                low,
                high,
                model,
                *over_draws(each),
                row["unit"],
                RULES[row["rule"]],
                row["use"],
                verdict,
                note,
                {c: row[c] for c in ("key", "cohort", "stratum", "measure")},
            )
        )
    return out


def _parsed(measure: str) -> tuple[str, str, str]:
    """Measure, treatment and the cohort that it is relative to."""
    if WITH in measure:
        name, treatment = measure.split(WITH)
        return name, treatment, ""
    if RELATIVE in measure:
        name, other = measure.split(RELATIVE)
        return name, "", other
    return measure, "", ""
