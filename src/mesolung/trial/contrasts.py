"""Contrasts between two arms: measures, their null values and directions."""

from __future__ import annotations

from typing import overload

import numpy as np
from numpy.typing import ArrayLike

from mesolung.trial.endpoints import EndpointRow
from mesolung.trial.outcomes import Bools, Floats

RATIOS = ("risk_ratio", "odds_ratio", "ratio", "hazard_ratio", "win_ratio")
DIFFERENCES = ("risk_difference", "difference")
SOLVED_TO = 1e-5
MEASURES = (*RATIOS, *DIFFERENCES, "none")


def is_ratio(measure: str) -> bool:
    """Whether a measure lives on the natural-log scale, with 1 as no effect.

    Raises:
        ValueError: an unknown measure.
    """
    if measure not in MEASURES:
        raise ValueError(f"measure {measure!r}: expected one of {', '.join(MEASURES)}")
    return measure in RATIOS


def null_value(measure: str) -> float:
    """The value of a measure when the arms do not differ: 1 for ratios, 0 for differences and "none"."""
    return 1.0 if is_ratio(measure) else 0.0


@overload
def contrast(measure: str, treated: float, control: float) -> float: ...
@overload
def contrast(measure: str, treated: ArrayLike, control: ArrayLike) -> Floats | float: ...


def contrast(measure: str, treated: ArrayLike, control: ArrayLike) -> Floats | float:
    """A measure of effect from expected arm values, which carry no sampling noise and are not corrected.

    The hazard ratio is ln(1 - a) / ln(1 - b) of the arms' risks of death: the ratio of cumulative hazards of
    the whole arms. A win ratio needs the subjects, not the arms' means, and is nan here, as is "none".

    Args:
        measure: one of `MEASURES`.
        treated: expected value of the treated arm, one or one per draw (risks as fractions; for the hazard
            ratio the risk of death).
        control: the same of the control arm.

    Returns:
        float or float64[D]; nan where the measure is undefined (0 / 0).

    Raises:
        ValueError: an unknown measure.
    """
    a, b = np.asarray(treated, dtype=np.float64), np.asarray(control, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        if not is_ratio(measure):
            result = np.full(np.broadcast(a, b).shape, np.nan) if measure == "none" else a - b
        elif measure in ("risk_ratio", "ratio"):
            result = a / b
        elif measure == "odds_ratio":
            result = (a / (1.0 - a)) / (b / (1.0 - b))
        elif measure == "hazard_ratio":
            result = np.log1p(-a) / np.log1p(-b)
        else:
            result = np.full(np.broadcast(a, b).shape, np.nan)
    return float(result) if np.ndim(result) == 0 else result


def benefits(treated: ArrayLike, control: ArrayLike, row: EndpointRow) -> Bools:
    """In which draws the treated arm's expected value is better, beyond the smallest difference that matters.

    The comparison is of the arms' difference whatever measure is reported: `minimum_important` is in the
    endpoint's unit, and a ratio is on the same side of 1 as the difference is of 0.

    Args:
        treated: float64[D], expected value of the treated arm in each draw, in the endpoint's unit.
        control: float64[D], of the control arm.
        row: the endpoint (`better`, `minimum_important`).

    Returns:
        bool[D]; false where either value is nan.
    """
    a, b = np.asarray(treated, dtype=np.float64), np.asarray(control, dtype=np.float64)
    least = row.minimum_important if row.minimum_important is not None else 0.0
    # Two solved courses that should be equal differ by the solver's tolerance: that is no benefit.
    noise = SOLVED_TO * np.maximum(np.abs(a), np.abs(b))
    return sign_of_better(row) * (a - b) > np.maximum(noise, least if np.isfinite(least) else 0.0)


def sign_of_better(row: EndpointRow) -> int:
    """+1 when a higher value of the endpoint is better, -1 when a lower one is.

    Raises:
        ValueError: an endpoint with neither direction.
    """
    try:
        return {"higher": 1, "lower": -1}[row.better]
    except KeyError:
        raise ValueError(f"{row.name}: better = {row.better!r}, expected lower or higher") from None
