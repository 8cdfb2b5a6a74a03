"""What the steps of the ladder have in common: an evaluation, and a fit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from mesolung.calibration.moves import Move
from mesolung.calibration.step_targets import Compared
from mesolung.calibration.written_values import Tables

Tell = Callable[[str], object]


@dataclass(frozen=True)
class Evaluated:
    """A step's targets under one table.

    Attributes:
        compared: every target beside the model.
        problems: why the table cannot be kept, one a line; empty when it can.
        files: records that belong to it: file -> text.
    """

    compared: Sequence[Compared]
    problems: tuple[str, ...] = ()
    files: Mapping[Path, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """Where a step's fit ended.

    Attributes:
        texts: file -> text with the fitted values.
        before, after: cost at the start and at the end.
        rounds: rounds that it took.
    """

    texts: Mapping[Path, str]
    before: float
    after: float
    rounds: int


class NotFitted(Exception):
    """Raised when a fit does not get to its targets, or there is nothing to fit."""


class Step(Protocol):
    """One step of the ladder."""

    @property
    def title(self) -> str:
        """What it is about."""
        ...

    @property
    def draws(self) -> int:
        """Parameter draws that it evaluates; 0 for none."""
        ...

    @property
    def courses(self) -> int:
        """Subjects of each draw; 0 for none of its own."""
        ...

    def evaluate(self, tables: Tables) -> Evaluated:
        """Put the model beside the step's targets under a table."""
        ...

    def fit(self, tables: Tables, moves: Sequence[Move], rounds: int, tell: Tell) -> Outcome:
        """Move what the step may move; raises `NotFitted` where there is nothing or it fails."""
        ...
