"""One published relation: a size, an order or a direction that an experiment found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

QUANTITATIVE = "two-sided quantitative"
ORDERING = "ordering"
NULL = "null or opposite"
DIRECTION = "one-sided direction"
CLASSES = (QUANTITATIVE, ORDERING, NULL, DIRECTION)

# What a relation is about: a product, the illness without one, or where a product goes.
EFFECT, DISEASE, FATE = "effect", "disease", "fate"

Class = Literal["two-sided quantitative", "ordering", "null or opposite", "one-sided direction"]
Measure = Literal["ratio", "difference", "level", "direction", "order"]


@dataclass(frozen=True)
class Relation:
    """A relation of a shipped experiment.

    Attributes:
        study: name of its file.
        observation: index in that file; of an order made of several numbers the first of them.
        beside: further observations that it is made of: the control's number of a ratio, the other numbers
            of an order.
        kind: animal, ex-vivo, in-vitro or trial.
        class_: two-sided quantitative, ordering, null or opposite, or one-sided direction.
        about: effect, disease or fate.
        helps: 1 where the published side is the better one of a product against none, -1 where it is the
            worse one, 0 for neither and for what compares two products or none.
        endpoint: with its time, as results name it.
        measure: ratio, difference, level, direction or order.
        published: the number in the endpoint's base unit, the side, or the arms from the lowest to the
            highest.
        low, high: published 95 % interval (quartiles of a median) in the measure's unit; None without one.
        status: "seen", or "derived" by arithmetic from what was seen.
    """

    study: str
    observation: int
    beside: tuple[int, ...]
    kind: str
    class_: Class
    about: str
    helps: int
    endpoint: str
    measure: Measure
    published: float | str | tuple[str, ...]
    low: float | None
    high: float | None
    status: str

    @property
    def key(self) -> str:
        """Name in records: study, observation and those beside it."""
        return "+".join([f"{self.study}#{self.observation}", *map(str, self.beside)])
