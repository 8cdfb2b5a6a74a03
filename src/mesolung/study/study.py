"""A validated study: one experiment, everything in base units, nothing left to check."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import PrivateAttr

from mesolung.reading.toml import Document
from mesolung.study.arm import Arm
from mesolung.study.endpoint import EndpointAsked
from mesolung.study.frozen import Frozen
from mesolung.study.observation import Observation
from mesolung.study.population import Population


class Study(Frozen):
    """One experiment as `mesolung.study.read_study` gives it.

    Attributes:
        name: title.
        registry: number in a trial registry.
        kind: "trial".
        disease, species: names of the biology that is simulated.
        duration_h: length, h.
        origin: what time 0 is: "enrolment".
        randomised, blinded: design.
        population: who is studied.
        arms: in the file's order; names differ, at most one is the control.
        endpoints: the plan, the first is primary; empty when there are only observations.
        observations: what was published, in the file's order.
    """

    name: str
    registry: str | None = None
    kind: Literal["trial"] = "trial"
    disease: str
    species: str = "human"
    duration_h: float
    origin: Literal["enrolment"] = "enrolment"
    randomised: bool = False
    blinded: bool = False
    population: Population
    arms: tuple[Arm, ...]
    endpoints: tuple[EndpointAsked, ...] = ()
    observations: tuple[Observation, ...] = ()

    _document: Document | None = PrivateAttr(default=None)

    def __eq__(self, other: object) -> bool:
        """Compare what is studied; which file it was read from does not matter."""
        return isinstance(other, Study) and self.__dict__ == other.__dict__

    @property
    def control(self) -> Arm | None:
        """The arm that the others are compared with, if there is one."""
        return next((arm for arm in self.arms if arm.control), None)

    @property
    def file(self) -> str | None:
        """The file that the study was read from."""
        return None if self._document is None else str(self._document.file)

    @property
    def text(self) -> str:
        """The text of that file, as read."""
        return "" if self._document is None else self._document.text

    def line(self, *path: Any) -> int | None:
        """Find the line of a key in the study file.

        Arguments:
            path: keys and indices, as ("arm", 0, "treatment", 0, "dose").

        Returns:
            its line, or that of the nearest key above it that is there; None for a study without a file.
        """
        return None if self._document is None else self._document.line(*path)

    def from_document(self, document: Document) -> Study:
        """Remember where the study was read from.

        Arguments:
            document: the file.

        Returns:
            an equal study.
        """
        same = self.model_copy()
        same._document = document
        return same
