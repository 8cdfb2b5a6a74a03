"""The few families that typical values, subjects and lots vary by, as functions of a standard normal."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit, ndtri

FAMILIES = ("fixed", "normal", "lognormal", "logit-normal")
SPIKE = "spike-"


def vary(family: str, value: ArrayLike, spread: ArrayLike, z: ArrayLike) -> NDArray[np.float64]:
    """Move a typical value by z standard deviations on its family's own scale.

    Arguments:
        family: "fixed", "normal", "lognormal" or "logit-normal", with or without "spike-" before it.
        value: typical value, any unit (median of the family); broadcast against the others.
        spread: standard deviation on the plain, natural-log or logit scale.
        z: standard normal number.

    Returns:
        float64, in the unit of ``value``. A value of exactly 0 stays 0 on the log scale: what a spike
        switched off stays off in every subject.

    Raises:
        ValueError: for a family that is not listed.
    """
    value, spread, z = np.broadcast_arrays(
        np.asarray(value, float), np.asarray(spread, float), np.asarray(z, float)
    )
    base = family.removeprefix(SPIKE)
    if base == "fixed":
        return np.array(value)
    if base == "normal":
        return value + spread * z
    if base == "lognormal":
        return value * np.exp(spread * z)
    if base == "logit-normal":
        return expit(logit(value) + spread * z)
    raise ValueError(f"family {family!r} is not one of {', '.join(FAMILIES)}")


def typical(family: str, value: float, uncertainty: str, u: ArrayLike) -> NDArray[np.float64]:
    """Draw typical values of a parameter from what is known of it.

    Arguments:
        family: as `vary`; "spike-" before it puts a probability on exactly 0.
        value: typical value if not 0.
        uncertainty: its standard deviation on the family's scale; for a spike "probability;deviation".
        u: uniform numbers on (0, 1), one a draw.

    Returns:
        float64, shape of ``u``, in the unit of ``value``.

    Raises:
        ValueError: for an unknown family or an uncertainty that is not a number.
    """
    u = np.asarray(u, float)
    if family.startswith(SPIKE):
        probability, spread = (float(part) for part in uncertainty.split(";"))
        rest = np.clip((u - probability) / (1.0 - probability), 1e-16, 1.0 - 1e-16)
        return np.where(u < probability, 0.0, vary(family, value, spread, ndtri(rest)))
    return vary(family, value, float(uncertainty or 0.0), ndtri(u))
