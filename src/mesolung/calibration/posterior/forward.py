"""What a stage asks of the model: its data, and what each member of the ensemble gives for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mesolung.calibration.posterior.datum import Datum
from mesolung.calibration.posterior.ensemble import Ensemble
from mesolung.calibration.step_targets import LEAST, Compared
from mesolung.engine import CompiledModel

Values = NDArray[np.float64]
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Work:
    """What all forward models share.

    Attributes:
        model: the compiled biology; its own parameter values are not used.
        model_hash: of its text.
        subjects: of each member, in each cohort or arm.
        seed: of the calibration.
        workers: threads; no result depends on them.
        progress: called with (what, done, total).
    """

    model: CompiledModel
    model_hash: str
    subjects: int
    seed: int
    workers: int
    progress: Progress


class Forward(Protocol):
    """A stage's data and the model of them."""

    @cached_property
    def data(self) -> tuple[Datum, ...]:
        """What the stage learns from, in a fixed order."""
        ...

    def predict(self, ensemble: Ensemble, work: Work) -> Values:
        """Each member's numbers on the data's scale, float64[n, m]; nan where it cannot tell."""
        ...


class Weighing(Protocol):
    """A stage that weighs members instead of moving them by their covariance."""

    @cached_property
    def data(self) -> tuple[Datum, ...]:
        """What the stage learns from."""
        ...

    def log_likelihoods(self, ensemble: Ensemble, work: Work) -> Mapping[str, Values]:
        """Of each laboratory or trial, float64[n]; 0 for a member that it cannot tell anything of."""
        ...


def unanswered(forward: Weighing, found: Mapping[str, Values]) -> list[str]:
    """Laboratories or trials among the data of which the model says nothing: nobody is like their table 1.

    Arguments:
        forward: the stage's data.
        found: what was told, by laboratory or trial.

    Returns:
        their names, in the order of the data.
    """
    return [name for name in dict.fromkeys(one.series for one in forward.data) if name not in found]


def members_at_a_time(subjects: int, most: int = 2048) -> int:
    """How many members are solved together, so that memory stays the same for any ensemble.

    Arguments:
        subjects: of each member.
        most: subjects at a time.
    """
    return max(1, most // max(subjects, 1))


def datum_of(one: Compared, series: str) -> Datum:
    """A target of the ladder as a datum.

    Arguments:
        one: the target beside some model's value.
        series: what it shares a model discrepancy with.
    """
    status = "assumed" if one.source.startswith("assumed") else "derived"
    return Datum(
        one.name,
        one.published,
        float(np.log(one.published)),
        one.tolerance,
        series,
        one.unit,
        one.source,
        status,
    )


def logarithm(model: float, published: float, least: float = 0.0) -> float:
    """What a member gives, on the log scale, as the ladder takes residuals: no lower than 1 % of the target.

    Arguments:
        model, published: in one unit.
        least: what so few subjects can tell from nothing, in that unit.
    """
    lowest = max(least, LEAST * published)
    return float(np.log(max(model, lowest))) if np.isfinite(model) else float("nan")


def rows_of_ensemble(model: CompiledModel, ensemble: Ensemble) -> Values:
    """Typical subjects, one a member.

    Arguments:
        model: the compiled biology.
        ensemble: the members.

    Returns:
        float64[n, P], columns as ``model.parameters``.
    """
    values = ensemble.draws("typical").values
    rows = np.tile(model.default_parameters, (ensemble.count, 1))
    for k, name in enumerate(model.parameters):
        if name in values:
            rows[:, k] = values[name]
    return rows
