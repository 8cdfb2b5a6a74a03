"""Hospital stays in a cohort: onset, admission, and the chances of dying there or leaving alive."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mesolung.calibration.cohort import Cohort, keyed_normals

Values = NDArray[np.float64]
Flags = NDArray[np.bool_]

ADMITTED_BELOW_MMHG = 300.0
VENTILATED = 0.5


@dataclass(frozen=True)
class Stays:
    """What happens to subjects in hospital; chances given that they reached it.

    Attributes:
        onset_h: float64[N], start of symptoms, hours since the start of the course; nan for none.
        admitted_h: float64[N], admission; nan for none.
        inside: float64[N, T], chance of being alive and in hospital.
        dies: float64[N, T], chance of being in hospital then and dying there later.
        critical: bool[N], ever ventilated after admission.
    """

    onset_h: Values
    admitted_h: Values
    inside: Values
    dies: Values
    critical: Flags

    @property
    def leaves(self) -> Values:
        """float64[N, T], chance of being in hospital then and not dying there."""
        return np.maximum(self.inside - self.dies, 0.0)


def first_time(group: Cohort, holds: Flags) -> Values:
    """Find when something holds first.

    Arguments:
        group: the cohort.
        holds: bool[N, T].

    Returns:
        float64[N], hours since the start of the course; nan for never.
    """
    found = group.times[holds.argmax(axis=1)].astype(np.float64)
    return np.where(holds.any(axis=1), found, np.nan)


def onset_of(group: Cohort) -> Values:
    """Find the start of symptoms.

    Arguments:
        group: with the disease's onset observable among its values.

    Returns:
        float64[N], hours since the start of the course; nan for no symptoms.
    """
    onset = group.disease.onset
    if onset.observable is None:
        return np.full(group.size, onset.time_h)
    return first_time(group, group[onset.observable] > onset.above)


def admission_of(group: Cohort, onset_h: Values) -> Values:
    """Find the admission: when P/F falls below 300 mmHg, and some days after onset at the latest.

    Arguments:
        group: with ``pf_ratio``.
        onset_h: float64[N], from `onset_of`.

    Returns:
        float64[N], hours since the start of the course.
    """
    delay = group.disease.delay_from_onset
    planned = onset_h + delay.at(keyed_normals(group, "admission"))
    after = group.times[None, :] >= onset_h[:, None]
    hypoxaemic = first_time(group, (group["pf_ratio"] < ADMITTED_BELOW_MMHG) & after)
    return np.fmin(planned, hypoxaemic)


def stays_of(group: Cohort) -> Stays:
    """Follow subjects from admission to death or discharge.

    Arguments:
        group: with ``pf_ratio``, ``ventilated``, the onset observable and the cumulative hazards.

    Returns:
        their stays. Death and discharge are expected values over their hazards, not sampled.
    """
    onset = onset_of(group)
    admitted = admission_of(group, onset)
    here = group.times[None, :] >= np.where(np.isfinite(admitted), admitted, np.inf)[:, None]
    here &= group.solved[:, None]
    # Increments of the two hazards since the output before, none before admission.
    death = np.diff(np.nan_to_num(group.hazard), axis=1, prepend=0.0) * here
    leave = np.diff(np.nan_to_num(group.discharge_hazard), axis=1, prepend=0.0) * here
    both = np.maximum(death + leave, 0.0)
    inside = np.exp(-np.cumsum(both, axis=1))
    before = np.concatenate([np.ones((group.size, 1)), inside[:, :-1]], axis=1)
    dying = before * -np.expm1(-both) * np.divide(death, both, out=np.zeros_like(both), where=both > 0)
    later = dying[:, ::-1].cumsum(axis=1)[:, ::-1] - dying
    return Stays(
        onset_h=onset,
        admitted_h=admitted,
        inside=inside * here,
        dies=later * here,
        critical=np.any((group["ventilated"] >= VENTILATED) & here, axis=1),
    )
