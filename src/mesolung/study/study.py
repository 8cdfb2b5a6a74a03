"""A validated study: one experiment, everything in base units, nothing left to check."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import PrivateAttr

from mesolung.reading.toml import Document
from mesolung.study.arm import Arm
from mesolung.study.endpoint import EndpointAsked
from mesolung.study.frozen import Frozen, FrozenMapping
from mesolung.study.injury import Assay, Injury
from mesolung.study.observation import Observation
from mesolung.study.population import Population

Kind = Literal["trial", "animal", "ex-vivo", "in-vitro"]
Species = Literal["human", "mouse", "rat", "rabbit", "pig", "sheep"]
Origin = Literal["enrolment", "injury", "onset"]


class Study(Frozen):
    """One experiment as `mesolung.study.read_study` gives it.

    Attributes:
        name: title.
        registry: number in a trial registry.
        kind: "trial" (every human study), "animal", "ex-vivo" (a lung out of the body) or "in-vitro".
        disease: name of the disease, or of the diseases of a mixture with their shares, names sorted.
        species: name of the species.
        duration_h: length, h.
        origin: what time 0 of endpoints and observations is: "enrolment", "injury" or "onset" of symptoms.
        randomised, blinded: design.
        population: who is studied.
        arms: in the file's order; names differ, at most one is the control.
        endpoints: the plan, the first is primary; empty when there are only observations.
        observations: what was published, in the file's order.
        injury: what makes the subjects ill, unless an arm says otherwise; empty where nothing is set.
        assay: what is measured in a culture; None where there is none.
    """

    name: str
    registry: str | None = None
    kind: Kind = "trial"
    disease: str | FrozenMapping[str, float]
    species: Species = "human"
    duration_h: float
    origin: Origin = "enrolment"
    randomised: bool = False
    blinded: bool = False
    population: Population
    arms: tuple[Arm, ...]
    endpoints: tuple[EndpointAsked, ...] = ()
    observations: tuple[Observation, ...] = ()
    injury: tuple[Injury, ...] = ()
    assay: Assay | None = None

    _document: Document | None = PrivateAttr(default=None)
    _lots: Mapping[str, str] = PrivateAttr(default_factory=dict)

    def __eq__(self, other: object) -> bool:
        """Compare what is studied; which file it was read from does not matter."""
        return isinstance(other, Study) and self.__dict__ == other.__dict__

    @property
    def diseases(self) -> Mapping[str, float]:
        """Share of subjects by disease, names sorted."""
        return {self.disease: 1.0} if isinstance(self.disease, str) else self.disease

    @property
    def disease_names(self) -> tuple[str, ...]:
        """The diseases of the subjects, sorted."""
        return tuple(self.diseases)

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

    @property
    def lots(self) -> Mapping[str, str]:
        """Text of each lot file that the study names, by the path that it is named by."""
        return self._lots

    def from_document(self, document: Document, lots: Mapping[str, str] | None = None) -> Study:
        """Remember where the study was read from.

        Arguments:
            document: the file.
            lots: text of the lot files that it names, by path.

        Returns:
            an equal study.
        """
        same = self.model_copy()
        same._document = document
        same._lots = dict(lots or {})
        return same

    @property
    def followed_from_onset(self) -> bool:
        """Whether it follows an illness by its days, gives nothing and does not say when it enrolled."""
        care = bool(self.population.background)
        treated = care or any(arm.treatments or arm.background for arm in self.arms)
        return self.origin == "onset" and not treated and self.population.onset_to_enrolment is None
