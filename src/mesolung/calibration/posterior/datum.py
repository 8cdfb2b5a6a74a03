"""One published number that a stage learns from, and the gate that lets no other in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mesolung.calibration.posterior.kalman import Observed
from mesolung.reading import Refusal

FIT = "fit"
# How a number may be known; what was recalled is no data.
KNOWN = ("seen", "derived", "assumed")


@dataclass(frozen=True)
class Datum:
    """A published or assumed number.

    Attributes:
        name: unlike any other's of its stage.
        value: as published, in ``unit``.
        observed: the same on the scale on which its error is normal: its natural logarithm as a rule.
        error: standard deviation on that scale.
        series: what it shares a model discrepancy with: one output of one group.
        unit: of the value.
        source: where it was seen, or "assumed: reason".
        status: "seen", "derived" or "assumed".
        group: what the split of the evidence lets it be used for: "fit" or nothing that may be fitted to.
    """

    name: str
    value: float
    observed: float
    error: float
    series: str
    unit: str
    source: str
    status: str = "seen"
    group: str = FIT


def admitted(data: Sequence[Datum], stage: str, human: bool = False) -> tuple[Datum, ...]:
    """Let data into a stage, or stop.

    Arguments:
        data: of the stage.
        stage: its name.
        human: whether the stage may learn from human trials of cells or vesicles, which are left out one at a
            time when they are scored ("loo:NAME").

    Returns:
        the data.

    Raises:
        Refusal: for a number that is kept aside, was recalled, stands twice or has no error: nothing of the
            stage is run then.
    """
    seen: set[str] = set()
    for one in data:
        allowed = one.group == FIT or (human and one.group.startswith("loo:"))
        if not allowed:
            raise Refusal(
                f"stage {stage} may not learn from it", found=f"{one.name} ({one.group})", allowed=FIT
            )
        if one.status not in KNOWN:
            raise Refusal(
                f"stage {stage} may not learn from it",
                found=f"{one.name} ({one.status})",
                allowed=", ".join(KNOWN),
            )
        if not (np.isfinite(one.observed) and one.error > 0.0):
            raise Refusal(
                f"a number of stage {stage} has no error", found=one.name, allowed="a positive error"
            )
        if one.name in seen:
            raise Refusal(f"a number of stage {stage} stands twice", found=one.name)
        seen.add(one.name)
    return tuple(data)


def observed_of(data: Sequence[Datum], discrepancy: float) -> Observed:
    """What an ensemble is held against.

    Arguments:
        data: m of them.
        discrepancy: standard deviation that the model's own error gives each series.
    """
    return Observed(
        np.array([one.observed for one in data]),
        np.array([one.error for one in data]),
        [one.series for one in data],
        discrepancy,
    )
