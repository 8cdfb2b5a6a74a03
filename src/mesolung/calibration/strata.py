"""Parts of an enrolled cohort: by severity, phenotype, support, cause, first week and outcome."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mesolung.calibration.causes import cause_of
from mesolung.calibration.enrolled import NON_SURVIVORS, SURVIVORS, Enrolled
from mesolung.calibration.patients import NotInTheModel
from mesolung.calibration.stays import VENTILATED
from mesolung.calibration.weighted import quantile

Flags = NDArray[np.bool_]

MILD_ABOVE, SEVERE_UP_TO, ARDS_UP_TO = 200.0, 100.0, 300.0
# Bos 2017: 58 % of patients were in the reactive cluster.
REACTIVE_SHARE = 0.58
WEEK = 7.0
# A disease file names its direct causes so; all else is indirect.
DIRECT = ("pneumonia", "aspiration", "direct")


def part_of(enrolled: Enrolled, name: str) -> Enrolled:
    """Take a part of a cohort.

    Arguments:
        enrolled: the cohort.
        name: blank-separated names of parts, each taken of the one before; none for everybody.

    Returns:
        those subjects; for a part by outcome everybody, counted by the chance of that outcome.

    Raises:
        NotInTheModel: when the model lacks what the part is told by.
    """
    name = name.replace("not ventilated", "unventilated")
    for part in name.split():
        enrolled = _part(enrolled, part)
    return enrolled


def trajectory(enrolled: Enrolled) -> NDArray[np.str_]:
    """Say how the first week goes.

    Arguments:
        enrolled: subjects with mild ARDS.

    Returns:
        "improving" (no hypoxaemia from day 2 on), "worsening" (P/F at or below 200 mmHg) or "persisting".

    Source: definitions of Pham 2019 Anesthesiology 130:263, on the lowest P/F of days 1 to 7.
    """
    pf = enrolled.course("pf_ratio", WEEK)
    day = np.arange(pf.shape[1]) * enrolled.interval_d
    worsening = pf[:, day >= 1.0].min(axis=1) <= MILD_ABOVE
    improving = pf[:, day >= 2.0].min(axis=1) > ARDS_UP_TO
    return np.where(worsening, "worsening", np.where(improving, "improving", "persisting"))


def _part(e: Enrolled, name: str) -> Enrolled:
    if name in ("mild", "moderate", "severe"):
        pf = e.at("pf_ratio", 0)
        of = {
            "mild": pf > MILD_ABOVE,
            "moderate": (pf <= MILD_ABOVE) & (pf > SEVERE_UP_TO),
            "severe": pf <= SEVERE_UP_TO,
        }
        return e.where(of[name])
    if name in ("improving", "persisting", "worsening"):
        return e.where(trajectory(e) == name)
    if name in ("hyperinflammatory", "hypoinflammatory", "reactive", "uninflamed"):
        score = needed(e, "hyperinflammation").at("hyperinflammation", 0)
        if name in ("hyperinflammatory", "hypoinflammatory"):
            return e.where((score > 0) == (name == "hyperinflammatory"))
        limit = {
            d: quantile(score, e.weight * (e.draw == d), 1.0 - REACTIVE_SHARE) for d in np.unique(e.draw)
        }
        high = score > np.array([limit[d] for d in e.draw])
        return e.where(high == (name == "reactive"))
    if name == "unventilated":
        return e.where(e.at("ventilated", 0) < VENTILATED)
    if name in (SURVIVORS, NON_SURVIVORS):
        return e.with_outcome(name)
    if name in ("direct", "indirect"):
        return e.where(_is_direct(e) == (name == "direct"))
    raise KeyError(name)


def needed(e: Enrolled, output: str) -> Enrolled:
    """Insist that the model has an output.

    Arguments:
        e: subjects.
        output: its name.

    Returns:
        the same subjects.

    Raises:
        NotInTheModel: when it has not.
    """
    if output not in e:
        raise NotInTheModel(f"no {output}")
    return e


def _is_direct(e: Enrolled) -> Flags:
    """Which of the disease's groups of causes a subject fell into, from the drivers' own keyed numbers."""
    return np.isin(cause_of(e.group)[e.rows], DIRECT)
