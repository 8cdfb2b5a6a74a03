"""Oxygenation and ventilation day by day after enrolment, by outcome, as figures show them."""

from __future__ import annotations

from typing import Any

import numpy as np

from mesolung.calibration import weighted
from mesolung.calibration.enrolled import NON_SURVIVORS, SURVIVORS, Enrolled

DAYS = 14
SHOWN = ("pf_ratio", "ventilated")


def daily(enrolled: Enrolled) -> dict[str, Any]:
    """Summarise the first fortnight after enrolment.

    Arguments:
        enrolled: a cohort.

    Returns:
        "day", and for each outcome and output lists of "q25", "median", "q75" and "mean" a day, in the
        output's unit, of those alive and in hospital.
    """
    result: dict[str, Any] = {"day": list(range(DAYS + 1))}
    for outcome in (SURVIVORS, NON_SURVIVORS):
        group = enrolled.with_outcome(outcome)
        for output in SHOWN:
            lines: dict[str, list[float]] = {"q25": [], "median": [], "q75": [], "mean": []}
            for day in result["day"]:
                value, weight = group.at(output, day), group.weight * group.seen(day)
                for name, p in (("q25", 0.25), ("median", 0.5), ("q75", 0.75)):
                    lines[name].append(weighted.quantile(value, weight, p))
                lines["mean"].append(weighted.mean(np.asarray(value), weight))
            result[f"{outcome} {output}"] = lines
    return result
