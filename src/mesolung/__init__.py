"""Virtual studies of mesenchymal stromal cell (MSC) and MSC-EV therapy in lung disease.

Every public name of the package stands here; it is imported from its room when it is first used, so that a
command that needs only one room starts at once.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_ROOMS = {
    "CohortSummary": "mesolung.cohort",
    "CompiledModel": "mesolung.engine",
    "EventTable": "mesolung.engine",
    "Refusal": "mesolung.reading",
    "Result": "mesolung.study.result",
    "Study": "mesolung.study.study",
    "assemble": "mesolung.biology",
    "compile_model": "mesolung.engine",
    "dose_events": "mesolung.cohort",
    "read_lot": "mesolung.study",
    "read_study": "mesolung.study",
    "run_cohort": "mesolung.cohort",
    "run_study": "mesolung.study.run",
    "write_report": "mesolung.report",
}

__all__ = ["__version__", *_ROOMS]  # pyright: ignore[reportUnsupportedDunderAll]

if TYPE_CHECKING:
    from mesolung.biology import assemble as assemble
    from mesolung.cohort import CohortSummary as CohortSummary
    from mesolung.cohort import dose_events as dose_events
    from mesolung.cohort import run_cohort as run_cohort
    from mesolung.engine import CompiledModel as CompiledModel
    from mesolung.engine import EventTable as EventTable
    from mesolung.engine import compile_model as compile_model
    from mesolung.reading import Refusal as Refusal
    from mesolung.report import write_report as write_report
    from mesolung.study import read_lot as read_lot
    from mesolung.study import read_study as read_study
    from mesolung.study.result import Result as Result
    from mesolung.study.run import run_study as run_study
    from mesolung.study.study import Study as Study


def __getattr__(name: str) -> Any:
    """Import a public name from its room at first use.

    Raises AttributeError for a name that is not public.
    """
    if name not in _ROOMS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_ROOMS[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_ROOMS])
