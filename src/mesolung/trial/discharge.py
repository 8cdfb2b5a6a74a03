"""Discharge from hospital alive: what to expect of it beside death, before either is drawn."""

from __future__ import annotations

import numpy as np

from mesolung.trial.outcomes import Floats, Outcomes, Time
from mesolung.trial.support import HOURS_PER_DAY


def discharge_probability(outcomes: Outcomes, time_h: Time, beside_death: bool = True) -> Floats:
    """Probability that a subject has gone home alive by a time, free of the draw of its uniforms.

    Both hazards are constant between outputs, where the share of discharge among what happens is its share of
    the hazards: the cumulative incidence of competing risks (Kalbfleisch and Prentice 2002, chapter 8).

    Args:
        outcomes: courses followed to discharge.
        time_h: hours since enrolment.
        beside_death: whether death may come first; otherwise of those who stay alive.

    Returns:
        float64[n] in [0, 1].
    """
    _, _, _, leaves = _segments(outcomes, time_h, beside_death)
    return leaves.sum(axis=1)


def expected_hospital_days(outcomes: Outcomes, time_h: float, at_death: float) -> Floats:
    """Expected days in hospital by a time; who is still there counts all of them.

    Args:
        outcomes: courses followed to discharge.
        time_h: hours since enrolment.
        at_death: days that a death in hospital counts as; nan for the expectation of those who stay alive.

    Returns:
        float64[n], days.
    """
    beside_death = not np.isnan(at_death)
    start, width, total, leaves = _segments(outcomes, time_h, beside_death)
    # When something happens within a segment of constant hazard: an exponential cut off at its end.
    with np.errstate(invalid="ignore", divide="ignore"):
        late = np.where(total > 1e-6, 1.0 / total - 1.0 / np.expm1(total), 0.5 - total / 12.0)
    days = (leaves * (start + width * late)).sum(axis=1) / HOURS_PER_DAY
    home = leaves.sum(axis=1)
    stays = np.exp(-total.sum(axis=1))
    dies = 1.0 - home - stays
    result = days + stays * (time_h / HOURS_PER_DAY)
    return result + np.maximum(dies, 0.0) * at_death if beside_death else result


def _segments(outcomes: Outcomes, time_h: Time, beside_death: bool) -> tuple[Floats, Floats, Floats, Floats]:
    """float64[n, T] of each segment: its start and width (h), its total hazard, the chance to leave in it."""
    hours, death, discharge = outcomes.hazards_until(time_h)
    home = np.diff(discharge, axis=1)
    total = home + (np.diff(death, axis=1) if beside_death else 0.0)
    before = np.cumsum(total, axis=1) - total
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(total > 0, home / total, np.where(np.isnan(total), np.nan, 0.0))
    leaves = np.exp(-before) * share * -np.expm1(-total)
    return hours[:, :-1], np.diff(hours, axis=1), total, leaves
