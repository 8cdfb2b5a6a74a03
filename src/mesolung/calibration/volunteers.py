"""Healthy volunteers given endotoxin: simulated as given, and summaries of what their plasma shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mesolung.biology.disease import read_disease
from mesolung.calibration.cohort import Cohort, cohort, members_by_draw, mostly_solved
from mesolung.calibration.target_table import Row, number, rows_of
from mesolung.calibration.verdict import ABSENT, Finding
from mesolung.engine import ADD_STATE, SET_PARAMETER, CompiledModel
from mesolung.population.draws import Draws
from mesolung.population.events import joined, same_events

Values = NDArray[np.float64]
Who = NDArray[np.bool_]

TABLE = "endotoxin.csv"
FAMILY = "endotoxin"
STATE, RATE = "LPS", "rate_LPS"
CYTOKINES = ("tnf", "il6", "il8", "il10")
EVERY_H, LENGTH_H = 0.25, 8.0


@dataclass(frozen=True)
class Challenge:
    """How endotoxin was given.

    Attributes:
        bolus: ng/kg at time 0.
        rate: ng/kg/h from time 0 on.
        length: hours of the infusion.
    """

    bolus: float
    rate: float
    length: float


def challenge_of(row: Row) -> Challenge:
    """Read how the endotoxin of a row was given.

    Arguments:
        row: of ``endotoxin.csv``.

    Returns:
        the challenge.
    """
    return Challenge(float(row["bolus_ng_per_kg"]), float(row["rate_ng_per_kg_h"]), float(row["length_h"]))


def volunteers(
    model: CompiledModel, draws: Draws, count: int, challenge: Challenge, *, workers: int = 2
) -> Cohort | None:
    """Give endotoxin to healthy subjects.

    Arguments:
        model: the compiled biology.
        draws: parameter draws.
        count: volunteers of each draw.
        challenge: what they receive.
        workers: threads.

    Returns:
        the cohort, outputs every quarter of an hour for 8 h in pg/mL; None when the model knows no endotoxin.
    """
    if STATE not in model.states:
        return None
    who = np.arange(draws.count * count)
    one = np.ones(who.size)
    given = []
    if challenge.bolus > 0:
        given.append(same_events(ADD_STATE, model.states.index(STATE), who, 0.0, challenge.bolus * one))
    if challenge.rate > 0:
        rate = model.parameters.index(RATE)
        given.append(same_events(SET_PARAMETER, rate, who, 0.0, challenge.rate * one))
        given.append(same_events(SET_PARAMETER, rate, who, challenge.length, 0.0 * one))
    return cohort(
        model,
        read_disease("healthy"),
        draws,
        count,
        (*CYTOKINES, "il1b"),
        doses=joined(given),
        times_h=np.arange(0.0, LENGTH_H + 1e-9, EVERY_H),
        workers=workers,
    )


def all_volunteers(
    model: CompiledModel, draws: Draws, count: int, *, workers: int = 2
) -> dict[Challenge, Cohort]:
    """Give every challenge of the table to the same healthy subjects.

    Arguments:
        model, draws, count, workers: as `volunteers`.

    Returns:
        challenge -> cohort; empty when the model knows no endotoxin.
    """
    made = {c: volunteers(model, draws, count, c, workers=workers) for c in challenges(rows_of(TABLE))}
    return {c: mostly_solved(group) for c, group in made.items() if group is not None}


def median_course(group: Cohort, observable: str, times_h: Values, who: Who | None = None) -> Values:
    """Take the median over subjects at some times.

    Arguments:
        group: volunteers.
        observable: a cytokine in plasma.
        times_h: float64[k], hours.
        who: bool[N], which subjects; None for all.

    Returns:
        float64[k], pg/mL.
    """
    return np.nanmedian(_at(group, observable, times_h, who), axis=0)


def mean_course(group: Cohort, observable: str, times_h: Values, who: Who | None = None) -> Values:
    """Take the mean over subjects at some times.

    Arguments:
        group, observable, times_h, who: as `median_course`.

    Returns:
        float64[k], pg/mL.
    """
    return np.nanmean(_at(group, observable, times_h, who), axis=0)


def spread_course(group: Cohort, observable: str, times_h: Values) -> Values:
    """Take the standard deviation of the logarithm between the subjects of a draw, averaged over draws.

    Arguments:
        group, observable, times_h: as `median_course`.

    Returns:
        float64[k], of the natural logarithm. What draws differ by is uncertainty, not spread: left out.
    """
    logs = np.log(np.maximum(_at(group, observable, times_h, None), 1e-9))
    each = [np.nanvar(logs[members], axis=0, ddof=1) for members in members_by_draw(group)]
    return np.sqrt(np.mean(each, axis=0))


def peak(course: Values) -> float:
    """Take the largest value of a course.

    Arguments:
        course: float64[k].

    Returns:
        its maximum.
    """
    return float(np.nanmax(course))


def challenges(rows: Sequence[Row]) -> list[Challenge]:
    """List how endotoxin was given.

    Arguments:
        rows: of ``endotoxin.csv``.

    Returns:
        each challenge once, in order.
    """
    return list(dict.fromkeys(challenge_of(r) for r in rows))


def column(rows: Sequence[Row], name: str) -> Values:
    """Read a column.

    Arguments:
        rows: of ``endotoxin.csv``.
        name: of the column.

    Returns:
        float64[rows]; nan for an empty cell.
    """
    return np.array([number(r[name]) for r in rows])


def absent(name: str, published: float, unit: str, use: str) -> Finding:
    """Make the finding for what the model does not have.

    Arguments:
        name, published, unit, use: of the target.

    Returns:
        the finding.
    """
    nan = float("nan")
    return Finding(FAMILY, name, published, nan, nan, nan, nan, nan, unit, "", use, ABSENT)


def _at(group: Cohort, observable: str, times_h: Values, who: Who | None) -> Values:
    columns = np.searchsorted(group.times, times_h - 1e-6)
    values = group[observable][:, columns]
    return values if who is None else values[np.flatnonzero(who)]
