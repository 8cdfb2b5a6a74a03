"""First step: turnover is what was measured, and stays so."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from mesolung.biology.parameters import Parameter, Parameters
from mesolung.calibration.ladder_step import Evaluated, NotFitted, Outcome, Tell
from mesolung.calibration.moves import FITTED, SEEN, Move
from mesolung.calibration.step_targets import Compared, StepTarget
from mesolung.calibration.written_values import Tables

RATE = "1/h"


@dataclass(frozen=True)
class TurnoverStep:
    """Measured rates beside the table's.

    Attributes:
        targets: the stated values; their tolerance is for rounding, and is not to be passed.
    """

    targets: Sequence[StepTarget]
    title: str = "turnover"
    draws: int = 0
    courses: int = 0

    def evaluate(self, tables: Tables) -> Evaluated:
        """Compare the table with what was stated.

        Arguments:
            tables: of parameters.

        Returns:
            every rate; a problem for one that is not the stated one, or is measured and not listed.
        """
        found, problems = [], []
        for target in self.targets:
            row = tables.parameters.find(target.output)
            value = row.value if row else math.nan
            residual = math.log(value / target.value) / target.tolerance if value > 0.0 else math.nan
            found.append(
                Compared(
                    target.output, target.value, target.tolerance, value, residual, target.unit, target.source
                )
            )
            if not abs(residual) <= 1.0:
                problems.append(f"{target.output} is {value:.4g}, stated is {target.value:.4g} {target.unit}")
        listed = {t.output for t in self.targets}
        problems += [
            f"{row.id} is a measured rate that the step does not list"
            for row in measured_rates(tables.parameters)
            if row.id not in listed
        ]
        return Evaluated(found, tuple(problems))

    def fit(self, tables: Tables, moves: Sequence[Move], rounds: int, tell: Tell) -> Outcome:
        """Refuse: nothing moves in this step.

        Raises:
            NotFitted: always.
        """
        raise NotFitted("nothing moves in this step")


def measured_rates(parameters: Parameters) -> list[Parameter]:
    """List the rates that were measured.

    Arguments:
        parameters: the table.

    Returns:
        rows in 1/h of grade A or B whose value was seen and not fitted.
    """
    return [
        row
        for row in parameters
        if row.unit == RATE and row.grade in "AB" and row.source.startswith(SEEN) and FITTED not in row.source
    ]
