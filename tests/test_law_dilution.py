"""Dilution and rest: soluble factors alone are too dilute, and cells leave a healthy lung as it was."""

from __future__ import annotations

import numpy as np
import pytest
from tests.biology_subjects import (
    COUNTERS,
    DAY,
    MEMORY,
    Subjects,
    Values,
    course,
    events,
    initial,
    joined,
    model,
    subjects,
)

from mesolung.biology.mechanisms import EFFECT, SOLUBLE, mechanisms

COUNT = 16
# A clinical dose as it arrives alive, Gcell.
DOSE = 0.08
ON = {"human_effect": 1.0, "gain_niche": 10.0, "gain_efferocytosis": 1.0, "gain_EV": 1.0, "gain_mito": 1.0}
# What the host makes of the factors: lasting reprogramming, and its own IL-10.
AMPLIFIED = ("reprogram_PGE2", "on_IL10")
SIGNALS = ("drive", "IL6", "TNF")
# Cells and what they leave behind are not of the host; sensitisation is memory.
LEFT = ("MSC_", "MARK_", "DNA_", "EV_")
KEPT = (*COUNTERS, *MEMORY, "SENS")
# Collagen above health turns over within months: little may have been made.
SLOW = {"COL": 0.02, "COLM": 0.005, "MFB": 0.02}


def cells(group: Subjects, at_d: float) -> Subjects:
    who = np.arange(group.count)
    place = ("MSC_blood",)
    given = events(who, np.full(group.count, at_d * DAY), place * group.count, np.full(group.count, DOSE))
    return Subjects(group.parameters, joined(group.events, given))


def avoided(treated: Subjects, untreated: Subjects, signal: str) -> float:
    """Area under a signal that the dose takes away over a week, relative to that without it."""
    area = [
        course(who, 16, every=0.25, outputs=(signal,))[signal][:, 36:].sum(axis=1)
        for who in (treated, untreated)
    ]
    return float(np.mean(1.0 - area[0] / area[1]))


@pytest.fixture(scope="module")
def ill() -> Subjects:
    return subjects("covid19-ards", COUNT, seed=31, uncertain=False).with_values(**ON)


@pytest.mark.parametrize("signal", SIGNALS)
def test_soluble_factors_mixed_evenly_are_a_fifth_of_the_whole_at_most(ill: Subjects, signal: str) -> None:
    other = [m.switch for m in mechanisms().values() if m.group == EFFECT and m.carrier != SOLUBLE]
    dilute = ill.with_values(**dict.fromkeys([*other, *AMPLIFIED], 0.0))
    whole = avoided(cells(ill, 9.0), ill, signal)
    alone = avoided(cells(dilute, 9.0), dilute, signal)
    assert whole > 0.02
    assert alone < 0.2 * whole


def test_a_healthy_lung_given_cells_returns_to_rest() -> None:
    healthy = subjects("healthy", COUNT, seed=5).with_values(**ON)
    start = initial(healthy)
    end = course(cells(healthy, 0.5), 60, every=1.0, outputs=model().states)
    for place, name in enumerate(model().states):
        if name in KEPT or name.startswith(LEFT):
            continue
        rest: Values = start[:, place]
        away = np.abs(end[name] - rest[:, None])
        if name in SLOW:
            assert np.all(away <= SLOW[name]), name
            continue
        # Of its rest, or of how far the cells moved a state that rests at 0.
        assert np.all(away[:, -1] <= 0.01 * np.maximum(np.abs(rest), away.max(axis=1)) + 1e-9), name


def test_cells_leave_a_healthy_lung_and_only_labels_stay() -> None:
    healthy = subjects("healthy", COUNT, seed=5).with_values(**ON)
    end = course(cells(healthy, 0.5), 60, every=10.0, outputs=("MSC_living", "MSC_blood", "MARK_lung"))
    assert np.all(end["MSC_living"][:, -1] < 1e-4 * DOSE)
    assert np.all(end["MSC_blood"][:, -1] < 1e-4 * DOSE)
    assert np.all(end["MARK_lung"][:, 1] > 0.0)
