"""Individual courses as summaries: quartiles over subjects by bins of time, never a single subject."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

LEAST = 5  # subjects of a bin; fewer would tell of single patients
BELOW = -math.inf


@dataclass(frozen=True)
class Sample:
    """One measurement of one subject; ``value`` is minus infinity below detection."""

    subject: str
    time: float
    value: float
    row: int


@dataclass(frozen=True)
class Bin:
    """Quartiles over subjects of a bin of time.

    Attributes:
        low, high: of the bin, the upper end not in it.
        n: subjects.
        found: subjects above detection.
        quartiles: of the subjects' own medians; minus infinity below detection.
        rows: of the evidence.
    """

    low: float
    high: float
    n: int
    found: int
    quartiles: tuple[float, float, float]
    rows: tuple[int, ...]

    @property
    def middle(self) -> float:
        """Its time."""
        return (self.low + self.high) / 2


def bins_of(samples: Iterable[Sample], edges: Sequence[tuple[float, float]]) -> Iterator[Bin]:
    """Summarise samples by time; a subject counts once a bin, by the lower median of its samples.

    Arguments:
        samples: of one quantity in one group.
        edges: (from, to) of the bins.

    Yields:
        bins with at least `LEAST` subjects.
    """
    every = list(samples)
    for low, high in edges:
        inside = [s for s in every if low <= s.time < high]
        of: dict[str, list[float]] = {}
        for sample in inside:
            of.setdefault(sample.subject, []).append(sample.value)
        if len(of) < LEAST:
            continue
        values = sorted(sorted(v)[(len(v) - 1) // 2] for v in of.values())
        yield Bin(
            low, high, len(values), sum(math.isfinite(v) for v in values), _quartiles(values),
            tuple(s.row for s in inside),
        )  # fmt: skip


def _quartiles(values: list[float]) -> tuple[float, float, float]:
    if all(math.isfinite(v) for v in values):
        low, middle, high = np.quantile(values, [0.25, 0.5, 0.75])
        return float(low), float(middle), float(high)
    # Below detection there is nothing to interpolate with.
    low, middle, high = (values[round(p * (len(values) - 1))] for p in (0.25, 0.5, 0.75))
    return low, middle, high
