"""What an adapter of a tool is, which there are, and which of them are absent here and why."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from shutil import which
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from benchmarks.task import Task

Values = NDArray[np.float64]

# The absolute tolerance of a state as a part of the relative one and of the state's size, as in the error.
ATOL_OF_SIZE = 1e-3


class Peer(Protocol):
    """A tool with a task loaded.

    ``task``: where ``any_task`` holds, another one of the same model may be put in its place; ``at_most``: so
    many subjects are solved where it takes seconds for one; ``name``, ``version``; ``how``: in a few words,
    how it is run; ``tolerances``: relative tolerances of its curve, from coarse to fine.
    """

    task: Task
    any_task: bool
    at_most: int | None
    name: str
    version: str
    how: str
    tolerances: tuple[float, ...]

    def run(self, rtol: float, subjects: int | None = None) -> tuple[float, Values]:
        """Solve subjects of the task.

        Arguments:
            subjects: how many, from the first; None for all.
            rtol: relative tolerance; the absolute one of each state is `ATOL_OF_SIZE` of it times its size.

        Returns:
            processor seconds spent solving, values set and doses given included where the tool does not do it
            by itself, and float64[subjects, times, states].
        """
        ...


@dataclass(frozen=True)
class Entry:
    """A tool that can be compared: label, module of its adapter, and the packages and program that it needs.

    A tool without a module is listed so that it is named as absent.
    """

    label: str
    module: str | None
    packages: tuple[str, ...]
    program: str | None = None

    def absent(self) -> str | None:
        """Why the tool cannot be run here; None where it can."""
        missing = [p for p in self.packages if find_spec(p) is None]
        if missing:
            return f"Python package{'s' if len(missing) > 1 else ''} {', '.join(missing)} not installed"
        if self.program and which(self.program) is None:
            return f"program {self.program} not found"
        if self.module is None:
            return "no adapter: none has been tried, for want of a machine with R and this package"
        return None

    def load(self) -> Callable[[Task, Values], Peer]:
        """The adapter: called with a task and the states' sizes, float64[states], it loads the model."""
        return import_module(f"benchmarks.{self.module}").load


OWN = "mesolung"
ENTRIES = {
    OWN: Entry("Mesolung", "peer_own", ()),
    "roadrunner": Entry("libRoadRunner (CVODE)", "peer_roadrunner", ("roadrunner",)),
    "diffsol": Entry("pydiffsol (BDF)", "peer_diffsol", ("pydiffsol",)),
    "amici": Entry("AMICI (CVODES + KLU)", "peer_amici", ("amici",), "swig"),
    "copasi": Entry("COPASI (LSODA)", "peer_copasi", ("COPASI",)),
    "scipy": Entry("SciPy LSODA + numba", "peer_scipy", ("numba",)),
    "diffrax": Entry("diffrax Kvaerno5", "peer_diffrax", ("diffrax", "jax")),
    "rxode2": Entry("rxode2 (R)", None, (), "Rscript"),
    "mrgsolve": Entry("mrgsolve (R)", None, (), "Rscript"),
}
