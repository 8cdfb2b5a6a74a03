"""What the engine refuses, and what becomes of a subject that cannot be solved."""

from __future__ import annotations

from dataclasses import dataclass

from mesolung.reading import Refusal


class EngineError(Refusal):
    """A model or a request that the engine cannot serve, named."""


@dataclass(frozen=True)
class SubjectFailure:
    """One subject that could not be solved to its last output.

    ``subject`` is its row; ``time`` where it stopped, in the model's time unit; ``reason`` in words;
    ``fastest_state`` the state that changed fastest there, relative to its own size; ``suspect_parameter``
    the parameter of that state's law whose value is furthest from the model's own.
    """

    subject: int
    time: float
    reason: str
    fastest_state: str
    suspect_parameter: str

    def __str__(self) -> str:
        return (
            f"subject {self.subject} stopped at time {self.time:.6g}: {self.reason} (fastest state "
            f"{self.fastest_state}; look at parameter {self.suspect_parameter})"
        )
