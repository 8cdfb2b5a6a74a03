"""An endpoint as a study asks for it."""

from __future__ import annotations

from typing import Literal

from mesolung.study.frozen import Frozen
from mesolung.study.where import Where

Form = Literal["level", "change", "percent_change"]
Deaths = Literal["survivors", "worst", "zero"]
Contrast = Literal[
    "risk_ratio",
    "risk_difference",
    "odds_ratio",
    "difference",
    "ratio",
    "hazard_ratio",
    "win_ratio",
    "none",
]
Test = Literal["fisher", "welch", "negative-binomial", "log-rank", "mann-whitney"]


class EndpointAsked(Frozen):
    """An endpoint of the study's plan.

    Attributes:
        name: row of the endpoint table, or ``state:NAME``.
        time_h: h since the study's origin; None for an endpoint that needs no time.
        as_: the level at that time, its change from enrolment, or that change in percent.
        deaths: what the dead count as; None for the table's rule.
        contrast: measure of the comparison of arms; None for the table's.
        test: statistical test; None for the table's, or the usual one of the endpoint's type.
        where: which subjects it is of; None for all.
    """

    name: str
    time_h: float | None = None
    as_: Form = "level"
    deaths: Deaths | None = None
    contrast: Contrast | None = None
    test: Test | None = None
    where: Where | None = None
