"""What a finished stage leaves: moved parameters, and its data beside prior and posterior predictions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mesolung.calibration.posterior.datum import Datum
from mesolung.calibration.posterior.kalman import LEAST_KNOWN

Values = NDArray[np.float64]
QUANTILES = (0.05, 0.5, 0.95)
NORMAL_95 = 1.959964
DIGITS = 5
# Of weights and log likelihoods in a record.
SHORT = 4


@dataclass(frozen=True, eq=False)
class Outcome:
    """A finished stage.

    Attributes:
        values: id -> float64[n], what it moved, in the rows' units.
        checks: a line a datum, from `check_lines`.
        about: what else is recorded of it.
        files: further tables of the stage: name -> text.
    """

    values: Mapping[str, Values]
    checks: Sequence[Mapping[str, Any]]
    about: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)


def check_lines(
    data: Sequence[Datum], before: Values, after: Values, widened: Values, discrepancy: float, noise: Values
) -> list[dict[str, Any]]:
    """Put data beside what the ensemble predicts for them, before and after.

    Arguments:
        data: m of them.
        before, after: float64[n, m], predictions on the data's scale.
        widened: float64[m], factors on the errors of what nobody reached.
        discrepancy: of the stage's series.
        noise: float64[n, m], standard normal: a future number has its own error.

    Returns:
        a line a datum: published value, its 95 % interval by its own error, quantiles of what the model and
        an error as stated give before and after, whether the value lies inside 5 to 95 %, and the share of
        members that could tell. Values are printed on the published scale.
    """
    lines = []
    for k, one in enumerate(data):
        error = float(np.hypot(one.error, discrepancy))
        line: dict[str, Any] = {
            "name": one.name,
            "unit": one.unit,
            "published": _plain(one.value),
            "low": _plain(_back(one, one.observed - NORMAL_95 * one.error)),
            "high": _plain(_back(one, one.observed + NORMAL_95 * one.error)),
            "widened": _plain(float(widened[k])),
            "status": one.status,
            "source": one.source,
        }
        for name, predicted in (("before", before[:, k]), ("after", after[:, k])):
            known = np.isfinite(predicted)
            line[f"told_{name}"] = _plain(float(known.mean()))
            if known.mean() < LEAST_KNOWN:
                line[name], line[f"inside_{name}"] = None, None
                continue
            mine = np.quantile(predicted[known] + error * noise[known, k], QUANTILES)
            line[name] = [_plain(_back(one, float(q))) for q in mine]
            line[f"inside_{name}"] = bool(mine[0] <= one.observed <= mine[2])
        lines.append(line)
    return lines


def _back(one: Datum, scaled: float) -> float:
    """From the scale of the error to the published one: the logarithm's, unless the two are the same."""
    if one.observed == one.value:
        return scaled
    return float(np.exp(scaled))


def _plain(value: float) -> float | None:
    return float(f"{value:.{DIGITS}g}") if np.isfinite(value) else None


def short(value: float) -> float:
    """Round a weight or a log likelihood for a record.

    Arguments:
        value: any.

    Returns:
        its four leading digits.
    """
    return float(f"{float(value):.{SHORT}g}")
