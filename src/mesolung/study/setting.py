"""What all parts of a run share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mesolung.biology.disease import Disease
from mesolung.engine import CompiledModel
from mesolung.population.draws import Draws
from mesolung.study.memory import Made, Memory
from mesolung.study.study import Study

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Setting:
    """A run before it starts.

    Attributes:
        study: the validated study.
        sizes: arm -> subjects of one replicate.
        model: the compiled biology.
        model_hash: of its text.
        diseases: of the study by name, names sorted.
        draws: parameter draws, those of the library at least.
        replicates: R.
        scored: D, draws that the scores mix over.
        subjects: M, subjects solved a slot.
        panel: the first of them, whose expected values are taken; the same number in every study.
        seed: of the run.
        workers: threads.
        chunk: subjects that a thread takes at a time; changes no number.
        progress: called with (stage, done, total).
        also: outputs to keep beside those that the study asks for, so that another study shares its courses.
        memory: what other studies of the same settings have solved; None for a study of its own.
    """

    study: Study
    sizes: Mapping[str, int]
    model: CompiledModel
    model_hash: str
    diseases: Mapping[str, Disease]
    draws: Draws
    replicates: int
    scored: int
    subjects: int
    panel: int
    seed: int
    workers: int
    chunk: int
    progress: Progress
    also: tuple[str, ...] = ()
    memory: Memory | None = None

    @property
    def slots(self) -> int:
        """S, replicates and scored draws together; slot s uses draw s mod D."""
        return max(self.replicates, self.scored)

    @property
    def draw_of_slot(self) -> NDArray[np.intp]:
        """intp[S], parameter draw of each slot."""
        return np.arange(self.slots, dtype=np.intp) % self.scored

    def remembered(self, inputs: Iterable[Any], make: Callable[[], Made]) -> Made:
        """Make something, unless another study has made it; arguments as `Memory.of`."""
        return make() if self.memory is None else self.memory.of(inputs, make)
