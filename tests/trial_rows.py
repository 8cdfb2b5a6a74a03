"""Rows of the endpoint table and courses made up for tests of trials."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mesolung.trial.outcomes import Outcomes

TIMES = np.arange(0.0, 28 * 24 + 1, 12.0)


@dataclass(frozen=True)
class Row:
    """An endpoint row with the attributes that trials read."""

    name: str
    rule: str
    outputs: tuple[str, ...] = ()
    above: tuple[float, ...] = (0.5,)
    type: str = "binary"
    better: str = "lower"
    deaths: str | None = "survivors"
    value_at_death: float | None = None
    lowest: float | None = 0.0
    highest: float | None = 1.0
    scale: str = "linear"
    unit: str = "fraction"
    test: str | None = None
    default_contrast: str | None = "risk_ratio"
    minimum_important: float | None = None
    share: float = 1.0
    error: Any = None
    visit_every_h: float = 0.0
    slope_from_h: float = 0.0


def quantity(name: str = "pf_ratio", **others: Any) -> Row:
    """A continuous row without bounds, of survivors; a level is read from the output of its own name."""
    usual: dict[str, Any] = {
        "rule": "level", "type": "continuous", "better": "higher", "lowest": None, "highest": None,
        "default_contrast": "difference",
    }  # fmt: skip
    row = Row(**{"name": name, **usual, **others})
    return replace(row, outputs=(name,)) if row.rule == "level" and not row.outputs else row


def followed(
    death: Any,
    discharge: Any,
    u: Any = 0.5,
    v: Any = 0.5,
    **outputs: Any,
) -> Outcomes:
    """Subjects with constant hazards of death and discharge, 1/h, and outputs as functions or arrays."""
    n = max(np.size(x) for x in (death, discharge, u, v))
    n = max([n, *(np.shape(f)[0] for f in outputs.values() if np.ndim(f) == 2)])
    times = TIMES
    one, two = (np.broadcast_to(np.asarray(x, dtype=float), (n,)) for x in (u, v))
    rates = [np.broadcast_to(np.asarray(x, dtype=float), (n,))[:, None] * times for x in (death, discharge)]
    values = {
        name: np.broadcast_to(np.asarray(f(times) if callable(f) else f, dtype=float), (n, times.size)).copy()
        for name, f in outputs.items()
    }
    return Outcomes(times, values, rates[0], one.copy(), rates[1], two.copy())
