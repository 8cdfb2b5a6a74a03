"""What a published study observed."""

from __future__ import annotations

from typing import Literal

from mesolung.study.endpoint import Contrast, Deaths, Form
from mesolung.study.frozen import Frozen
from mesolung.study.where import Where

Statistic = Literal["events", "event_count", "mean", "median", "value", "contrast", "direction", "order"]
Direction = Literal["lower", "higher", "none"]
BASELINE = "baseline"


class Source(Frozen):
    """Where a number was read.

    Attributes:
        doi, url, where: the publication, and the place in it.
        status: "seen" in the publication, "derived" from what is printed there, or from "memory".
        version: versions of one result share one weight.
    """

    doi: str | None = None
    url: str | None = None
    where: str | None = None
    status: Literal["seen", "derived", "memory"] | None = None
    version: str | None = None


class Observation(Frozen):
    """One published number, direction or order; numbers are in the endpoint's base unit.

    With ``as_ = "percent_change"`` they are in percent; a ratio has no unit.

    Attributes:
        index: place among the observations of the file, from 0.
        form: which of the numbers below it is.
        arm: the arm, or the arms that were pooled; empty for an order.
        endpoint: row of the endpoint table, or ``state:NAME``.
        time_h: h since the study's origin; None for an endpoint that needs no time.
        time_unknown: whether the study does not say when it was: any time up to its end.
        as_, deaths, where: as for an endpoint of the plan.
        unit: in which the study printed its numbers; None where that is the base unit, or there is none.
        n: subjects observed; of a comparison or an order those of all its arms together.
        events: subjects with the event.
        event_count: events, not subjects.
        mean, sd, se: mean with standard deviation or standard error.
        median, iqr: median with first and third quartile.
        value: a bare number, or the value of a contrast.
        ci95: 95 % interval of the mean or of the contrast.
        p: two-sided p value of the contrast.
        versus: the other arm of a contrast or direction, or "baseline".
        contrast: measure of a published comparison.
        direction: what the trial's own two-sided test said.
        alpha: level of that test.
        order: arms, best first.
        source: where it was read.
    """

    index: int
    form: Statistic
    arm: tuple[str, ...]
    endpoint: str
    time_h: float | None = None
    time_unknown: bool = False
    as_: Form = "level"
    deaths: Deaths | None = None
    where: Where | None = None
    unit: str | None = None
    n: int | None = None
    events: int | None = None
    event_count: int | None = None
    mean: float | None = None
    sd: float | None = None
    se: float | None = None
    median: float | None = None
    iqr: tuple[float, float] | None = None
    value: float | None = None
    ci95: tuple[float, float] | None = None
    p: float | None = None
    versus: str | None = None
    contrast: Contrast | None = None
    direction: Direction | None = None
    alpha: float = 0.05
    order: tuple[str, ...] = ()
    source: Source = Source()
