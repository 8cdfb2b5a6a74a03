"""What a step of the ladder may move, by how much at first sight, and what it must leave alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

import numpy as np
from scipy.special import expit, logit

from mesolung.biology.disease import Disease
from mesolung.biology.parameters import Parameter, Parameters
from mesolung.reading import Refusal, Row, read_table

COLUMNS = ("step", "move", "sd")
BETWEEN = "between_subject"
# Families whose value a factor cannot carry out of their support, and the one that moves on its logit.
BY_A_FACTOR, BY_ITS_LOGIT = ("fixed", "lognormal"), "logit-normal"
# A measured value is seen; what was fitted to a measured course may be fitted again.
SEEN, FITTED = "seen:", "fitted"


@dataclass(frozen=True)
class Move:
    """One number that a step fits.

    Attributes:
        step: of the ladder.
        name: a parameter, ``parameter.between_subject`` for its spread, or ``disease:target`` for the amounts
            of a disease's drivers of that target.
        sd: of the normal prior of its logarithm around the table's value; of its logit for a share. 0 where
            the step has a method of its own.
    """

    step: int
    name: str
    sd: float

    @property
    def disease(self) -> str:
        """Whose driver it moves; "" for a parameter."""
        return self.name.partition(":")[0] if ":" in self.name else ""

    @property
    def target(self) -> str:
        """The driver's target, or the parameter."""
        return self.name.rpartition(":")[2].removesuffix(f".{BETWEEN}")

    @property
    def spread(self) -> bool:
        """Whether it moves a spread between subjects."""
        return self.name.endswith(f".{BETWEEN}")


def measured(row: Parameter) -> bool:
    """Say whether a parameter was measured in humans, so that nothing may fit it.

    Arguments:
        row: of the table.

    Returns:
        whether its grade is A and its value was seen, not fitted.
    """
    return row.grade == "A" and row.source.startswith(SEEN) and FITTED not in row.source


def read_moves(
    parameters: Parameters,
    diseases: Mapping[str, Disease],
    fixed: frozenset[str] = frozenset(),
    resource: Path | Traversable | None = None,
) -> tuple[Move, ...]:
    """Read what every step moves.

    Arguments:
        parameters: the table of parameters.
        diseases: by name.
        fixed: parameters that the first step holds at their measured values.
        resource: a table; None for the shipped ``steps.csv``.

    Returns:
        the moves in the order of the table.

    Raises:
        Refusal: naming file and line of a move that there is nothing to move by, that was measured, or whose
            family cannot be moved; of a move that stands twice in its step.
    """
    place = resource if resource is not None else files("mesolung.calibration") / "steps.csv"
    moves: list[Move] = []
    for row in read_table(place, COLUMNS):
        try:
            move = _move(row)
            if any(m.step == move.step and m.name == move.name for m in moves):
                raise Refusal("stands twice in its step", found=move.name)
            _insist(move, parameters, diseases, fixed)
        except Refusal as error:
            raise Refusal(
                error.problem, file=place.name, line=row.line, found=error.found, allowed=error.allowed
            ) from None
        moves.append(move)
    return tuple(moves)


def moved_value(row: Parameter, x: float) -> float:
    """Move a typical value.

    Arguments:
        row: of the table.
        x: how far, on the logarithm, or on the logit of a share.

    Returns:
        the new value, inside the support of the row's family whatever x is.
    """
    if row.distribution == BY_ITS_LOGIT:
        return float(expit(logit(row.value) + x))
    return float(row.value * np.exp(x))


def _move(row: Row) -> Move:
    try:
        step, sd = int(row["step"]), float(row["sd"] or 0.0)
    except ValueError:
        raise Refusal("step and sd are numbers", found=f"{row['step']}, {row['sd']}") from None
    if not 0.0 <= sd < np.inf:
        raise Refusal("sd is a number from 0 up", found=row["sd"])
    return Move(step, row["move"], sd)


def _insist(
    move: Move, parameters: Parameters, diseases: Mapping[str, Disease], fixed: frozenset[str]
) -> None:
    if move.disease:
        disease = diseases.get(move.disease)
        if disease is None:
            raise Refusal("no such disease", found=move.disease, allowed=", ".join(diseases))
        if move.target not in {d.target for d in disease.drivers}:
            raise Refusal(f"{move.disease} has no driver of it", found=move.target)
        return
    row = parameters.find(move.target)
    if row is None:
        raise Refusal("no such parameter", found=move.target)
    if measured(row) or row.id in fixed:
        raise Refusal(f"{row.id} was measured and is not fitted", found=row.source)
    if move.spread:
        if row.between_subject <= 0.0:
            raise Refusal(f"{row.id} does not vary between subjects")
    elif move.sd > 0.0 and (row.distribution not in (*BY_A_FACTOR, BY_ITS_LOGIT) or row.value <= 0.0):
        raise Refusal(
            f"{row.id} cannot be moved by a factor", found=f"{row.distribution}, value {row.value:g}"
        )
