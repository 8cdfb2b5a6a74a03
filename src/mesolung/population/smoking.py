"""What courses of smokers have smoked by a moment: the driver of smoke, added up."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from mesolung.biology.disease import Disease
from mesolung.population.traits import PACK_YEARS, SMOKER

SMOKE = "smoke"
YEAR_H = 8766.0
CURRENT_SMOKER = "current_smoker"
# What is kept of a subject who smokes by the course of its disease: packs a day, and from when until when, h.
PACKS, FROM_H, UNTIL_H = "smoke_packs", "smoke_from", "smoke_until"


def smoked(disease: Disease, z: Mapping[str, NDArray[np.float64]]) -> dict[str, NDArray[np.float64]]:
    """Read from the drivers of a disease how its subjects smoke.

    Arguments:
        disease: whose drivers may set ``smoke``, in packs a day.
        z: standard normal numbers of the subjects.

    Returns:
        packs a day, start and end by name, float64[n] each, and whether the subject ever smoked; nothing of a
        disease that smoke does not drive.
    """
    if all(driver.target != SMOKE for driver in disease.drivers):
        return {}
    made = disease.events(z)
    own = made.target == made.names.index(SMOKE)
    n = next(iter(z.values())).size
    packs, start, end = np.zeros(n), np.full(n, np.inf), np.full(n, np.inf)
    for subject, time, value in zip(made.subject[own], made.time[own], made.value[own], strict=True):
        if value > 0.0:
            packs[subject], start[subject] = value, min(start[subject], time)
        else:
            end[subject] = min(end[subject], time)
    # Who is set to stop before starting never stops.
    end = np.where(end > start, end, np.inf)
    ever = (packs > 0.0).astype(np.float64)
    return {PACKS: packs, FROM_H: start, UNTIL_H: end, SMOKER: ever}


def smoking_at(
    name: str, kept: Mapping[str, NDArray[np.float64]], time_h: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Read what a subject has smoked by a moment.

    Arguments:
        name: "pack_years" or "current_smoker".
        kept: from `smoked`, of any shape that fits the moments.
        time_h: hours since the start of the course.

    Returns:
        float64, packs a day times years, or 1 for who smokes then and 0 for who does not.
    """
    smokes = (kept[FROM_H] <= time_h) & (time_h < kept[UNTIL_H]) & (kept[PACKS] > 0.0)
    if name == CURRENT_SMOKER:
        return smokes.astype(np.float64)
    if name != PACK_YEARS:
        raise KeyError(name)
    begun = np.minimum(kept[FROM_H], time_h)
    return kept[PACKS] * (np.minimum(kept[UNTIL_H], time_h) - begun) / YEAR_H
