"""What a solved cohort says of itself: how many, which failed, where it lies."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from mesolung.engine import SubjectFailure

# Of many failures so many are named in the summary; the table of failures names all.
MOST_NAMED = 100
# A cohort is complete with fewer failures than this part of it.
FEW = 0.001


@dataclass(frozen=True)
class Failure:
    """A subject that could not be solved to its last output.

    Attributes:
        id: the subject's.
        time: where it stopped, in the model's time unit; ``reason`` in words.
        fastest_state: the state that changed fastest there; ``suspect_parameter``: the parameter of its law
            furthest from the model's own value.
    """

    id: int | str
    time: float
    reason: str
    fastest_state: str
    suspect_parameter: str

    def __str__(self) -> str:
        return f"subject {self.id} {words(self)}"


@dataclass(frozen=True)
class CohortSummary:
    """The outcome of `run_cohort`.

    Attributes:
        out: the file; ``kind``: what a row of it is, "subject" or "band".
        subjects, times, rows: how many; ``outputs``: names; ``units``: of each, empty where it has none.
        failed: subjects that could not be solved; ``failures``: the first `MOST_NAMED` of them.
        kernel_id: equal ids give equal bits; ``rtol``: the tolerance; ``version``: of the package.
    """

    out: Path
    kind: str
    subjects: int
    times: int
    rows: int
    outputs: tuple[str, ...]
    units: tuple[str, ...]
    failed: int
    failures: tuple[Failure, ...]
    kernel_id: str
    rtol: float
    version: str

    @property
    def complete(self) -> bool:
        """Whether fewer than 0.1 % of the subjects failed."""
        return self.failed < FEW * self.subjects or self.failed == 0

    @property
    def json(self) -> dict[str, object]:
        """The summary as an object for JSON, without what differs between equal runs."""
        return {
            "schema": 1,
            "out": str(self.out),
            "row": self.kind,
            "subjects": self.subjects,
            "times": self.times,
            "rows": self.rows,
            "outputs": dict(zip(self.outputs, self.units, strict=True)),
            "complete": self.complete,
            "failed_subjects": self.failed,
            "failures": [asdict(failure) for failure in self.failures],
            "failures_left_out": self.failed - len(self.failures),
            "kernel": self.kernel_id,
            "rtol": self.rtol,
            "version": self.version,
        }


def words(failure: Failure | SubjectFailure) -> str:
    """Say where and why, without whom."""
    return (
        f"stopped at time {failure.time:.6g}: {failure.reason} (fastest state {failure.fastest_state}; "
        f"look at parameter {failure.suspect_parameter})"
    )
