"""The stages of the posterior: their order, what each may move, and how much work each takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from mesolung.biology.parameters import Parameters
from mesolung.calibration.moves import measured
from mesolung.calibration.posterior.ensemble import can_move
from mesolung.calibration.step_targets import read_step_targets
from mesolung.reading import Refusal, read_table

STAGE_COLUMNS = (
    "stage", "group", "after", "method", "iterations", "subjects", "discrepancy", "about",
)  # fmt: skip
MOVE_COLUMNS = ("stage", "move")
STEP_COLUMNS = ("step", "move", "sd")
NONE, SMOOTHER, WEIGHTS, SIZE = METHODS = ("none", "smoother", "weights", "size")
GROUPS = ("acute", "chronic")
ALL = "all"
STEP, MODULE, BUT = "step:", "module:", "-"
TURNOVER_STEP = 1


@dataclass(frozen=True)
class Stage:
    """One stage.

    Attributes:
        name: of it.
        group: "acute" or "chronic".
        after: the stage whose draws it starts from; "" for the prior's.
        method: "none" (compared alone), "smoother", "weights" or "size".
        iterations: assimilations, or temperings at most.
        subjects: virtual subjects of each member, in each cohort or arm.
        discrepancy: standard deviation that the model's own error gives each series of data.
        about: what it learns from.
    """

    name: str
    group: str
    after: str
    method: str
    iterations: int
    subjects: int
    discrepancy: float
    about: str


@cache
def stages() -> Mapping[str, Stage]:
    """The stages by name, each after the one that it starts from.

    Returns:
        all of them, in order.

    Raises:
        Refusal: with the line of a stage that cannot be.
    """
    return stages_of(files("mesolung.calibration.posterior") / "stages.csv")


def stages_of(place: Path | Traversable) -> dict[str, Stage]:
    """Read a table of stages.

    Arguments:
        place: the table.

    Returns:
        stages by name, in the order of the table.

    Raises:
        Refusal: with the line of a stage that cannot be.
    """
    found: dict[str, Stage] = {}
    for row in read_table(place, STAGE_COLUMNS):

        def refused(why: str, what: str, allowed: str, line: int = row.line) -> Refusal:
            return Refusal(why, file=place.name, line=line, found=what, allowed=allowed)

        if row["group"] not in GROUPS:
            raise refused("unknown group", row["group"], ", ".join(GROUPS))
        if row["method"] not in METHODS:
            raise refused("unknown method", row["method"], ", ".join(METHODS))
        if row["after"] and row["after"] not in found:
            raise refused("a stage starts from one above it", row["after"], ", ".join(found) or "nothing")
        try:
            numbers = int(row["iterations"]), int(row["subjects"]), float(row["discrepancy"])
        except ValueError:
            raise refused("no number", row["iterations"], "whole numbers, and a spread") from None
        if min(numbers) < 0 or (row["method"] != NONE and numbers[0] < 1):
            raise refused("too few", str(numbers[0]), "1 assimilation or more")
        found[row["stage"]] = Stage(
            row["stage"], row["group"], row["after"], row["method"], *numbers, row["about"]
        )
    return found


def asked_for(names: Sequence[str]) -> list[Stage]:
    """The stages that a command names.

    Arguments:
        names: of stages, or "acute", "chronic" or "all".

    Returns:
        stages in their order, each once.

    Raises:
        Refusal: for another word.
    """
    known = stages()
    wanted: set[str] = set()
    for name in names:
        if name not in (*known, *GROUPS, ALL):
            raise Refusal("unknown stage", found=name, allowed=", ".join([*known, *GROUPS, ALL]))
        wanted |= {s.name for s in known.values() if name in (s.name, s.group, ALL)}
    return [stage for stage in known.values() if stage.name in wanted]


def before(stage: Stage) -> list[str]:
    """The stages whose draws a stage rests on, the first first.

    Arguments:
        stage: any.
    """
    chain: list[str] = []
    name = stage.after
    while name:
        chain.insert(0, name)
        name = stages()[name].after
    return chain


def resting_on(name: str) -> list[str]:
    """The stages that rest on one, in order, without itself.

    Arguments:
        name: of a stage.
    """
    return [other.name for other in stages().values() if name in before(other)]


def moved_by(stage: Stage, table: Parameters, resource: Path | Traversable | None = None) -> tuple[str, ...]:
    """What a stage may move: parameters with an uncertainty, by name, by module or by step of the ladder.

    Arguments:
        stage: any.
        table: of parameters.
        resource: a table of moves; None for the shipped ``moves.csv``.

    Returns:
        ids in the order of the table of parameters; a move "-NAME" takes one away again. Of the ladder's
        moves those count that are typical values with an uncertainty: spreads between subjects and drivers
        of diseases stay as the ladder set them.

    Raises:
        Refusal: with the line of a move of a parameter that is not there, was measured, or has no
            uncertainty; of a module that is not there.
    """
    place = resource if resource is not None else files("mesolung.calibration.posterior") / "moves.csv"
    held = {t.output for t in read_step_targets() if t.step == TURNOVER_STEP}
    wanted: set[str] = set()
    for row in read_table(place, MOVE_COLUMNS):
        if row["stage"] != stage.name:
            continue
        move = row["move"]
        if move.startswith(BUT):
            wanted.discard(move.removeprefix(BUT))
        elif move.startswith(STEP):
            ladder = read_table(files("mesolung.calibration") / "steps.csv", STEP_COLUMNS)
            own = {r["move"] for r in ladder if r["step"] == move.removeprefix(STEP)}
            wanted |= {name for name in own if name in table and can_move(table[name])}
        elif move.startswith(MODULE):
            own = set(table.of_module(move.removeprefix(MODULE)))
            if not own:
                raise Refusal("no such module", file=place.name, line=row.line, found=move)
            wanted |= {n for n in own if _uncertain(table, n) and not measured(table[n]) and n not in held}
        else:
            if move not in table or not _uncertain(table, move):
                raise Refusal("no parameter with an uncertainty", file=place.name, line=row.line, found=move)
            if measured(table[move]):
                raise Refusal(f"{move} was measured and is not fitted", file=place.name, line=row.line)
            wanted.add(move)
    if stage.method == SMOOTHER:
        # A spike is no normal number: what may be exactly 0 is weighed, never moved.
        wanted = {name for name in wanted if can_move(table[name])}
    return tuple(name for name in table.ids if name in wanted)


def _uncertain(table: Parameters, name: str) -> bool:
    row = table[name]
    return can_move(row) or row.distribution.startswith("spike-")
