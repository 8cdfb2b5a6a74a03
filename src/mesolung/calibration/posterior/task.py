"""One stage of a calibration, about to be carried out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from mesolung.calibration.posterior.checkpoint import Checkpoints
from mesolung.calibration.posterior.ensemble import Ensemble
from mesolung.calibration.posterior.forward import Forward, Weighing, Work
from mesolung.calibration.posterior.stages import Stage

Model = TypeVar("Model", Forward, Weighing)


@dataclass(frozen=True, eq=False)
class Task(Generic[Model]):
    """What every method carries an ensemble through a stage with.

    Attributes:
        stage: which.
        forward: its data and the model of them.
        start: the ensemble as the stage before left it.
        names: parameters that may move; none for a stage that only compares.
        work: what forward models share.
        points: where it goes on from, and keeps where it has got to.
        tell: called with lines of progress.
    """

    stage: Stage
    forward: Model
    start: Ensemble
    names: Sequence[str]
    work: Work
    points: Checkpoints
    tell: Callable[[str], object]
