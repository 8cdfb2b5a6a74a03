"""Where the results of a cohort go: rows as they come or one set of bands, and a table of failures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mesolung.cohort.bands import Bands, quantile_name
from mesolung.cohort.summary import MOST_NAMED, Failure, words
from mesolung.cohort.tables import GrowingTable
from mesolung.reading import Refusal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@dataclass(frozen=True)
class Solved:
    """One chunk's results: values of its subjects, or their bands."""

    ids: NDArray[Any]
    values: NDArray[np.float64] | None
    bands: Bands | None
    failures: tuple[tuple[int, Failure], ...]


@dataclass(frozen=True)
class Question:
    """What is asked of every subject."""

    times: NDArray[np.float64]
    outputs: tuple[str, ...]
    rtol: float
    atol: ArrayLike | None
    max_steps: int
    quantiles: tuple[Fraction, ...] | None


class Sink:
    """The files of one cohort, and the count of those who failed.

    Attributes:
        failed: subjects that could not be solved; ``named``: the first of them.
    """

    def __init__(
        self,
        connection: DuckDBPyConnection,
        id_kind: str,
        question: Question,
        target: Path,
        place: Path,
        scratch: Path,
        told: tuple[Path, Path] | None,
    ) -> None:
        """Start empty files.

        Arguments:
            connection: the database that writes.
            id_kind: its type of an id.
            question: what was asked.
            target, place, scratch: as `GrowingTable`.
            told: target and place of the table of failures, if it is wanted.

        Raises:
            Refusal: for outputs whose names cannot be columns.
        """
        self._question, self._bands, self._rows = question, None, 0
        self.failed = 0
        self.named: list[Failure] = []
        numbers = dict.fromkeys(question.outputs, "DOUBLE")
        if question.quantiles is None:
            kinds = {"id": id_kind, "time": "DOUBLE", **numbers, "failure": "VARCHAR"}
        else:
            self._bands = Bands(question.outputs, question.times)
            whole = {"subjects": "BIGINT", "missing": "BIGINT"}
            names = ("mean", "lowest", "highest", *map(quantile_name, question.quantiles))
            kinds = {"output": "VARCHAR", "time": "DOUBLE", **whole, **dict.fromkeys(names, "DOUBLE")}
        if question.quantiles is None and len(kinds) != len(numbers) + 3:
            raise Refusal("an output has the name of another column", allowed="not id, time, failure")
        self._table = GrowingTable(connection, target, place, scratch, kinds)
        self._told = None
        if told is not None:
            words_ = ("reason", "fastest_state", "suspect_parameter")
            about = {"id": id_kind, "time": "DOUBLE", **dict.fromkeys(words_, "VARCHAR")}
            self._told = GrowingTable(connection, *told, scratch, about)

    def take(self, solved: Solved) -> None:
        """Take the next chunk's results."""
        self.failed += len(solved.failures)
        self.named += [failure for _, failure in solved.failures][: MOST_NAMED - len(self.named)]
        if self._told is not None and solved.failures:
            self._told.add(_failure_columns([failure for _, failure in solved.failures]))
        if self._bands is not None and solved.bands is not None:
            self._bands.merge(solved.bands)
        elif solved.values is not None:
            self._add(solved, solved.values)

    def finish(self) -> int:
        """Complete the files; the number of rows of the results."""
        if self._bands is not None:
            columns = self._bands.table(self._question.quantiles or ())
            self._rows = len(columns["time"])
            self._table.add(columns)
        self._table.finish()
        if self._told is not None:
            self._told.finish()
        return self._rows

    def _add(self, solved: Solved, values: NDArray[np.float64]) -> None:
        count, times = values.shape[:2]
        flat = values.reshape(count * times, -1)
        sayings = None
        if solved.failures:
            sayings = np.full(count, None, dtype=object)
            for k, failure in solved.failures:
                sayings[k] = words(failure)
            sayings = np.repeat(sayings, times)
        columns: dict[str, NDArray[Any] | None] = {
            "id": np.repeat(solved.ids, times),
            "time": np.tile(self._question.times, count),
        }
        columns.update({name: flat[:, k] for k, name in enumerate(self._question.outputs)})
        self._table.add({**columns, "failure": sayings})
        self._rows += count * times


def _failure_columns(failures: Sequence[Failure]) -> dict[str, NDArray[Any] | None]:
    ids = np.array([f.id for f in failures], dtype=object if isinstance(failures[0].id, str) else np.int64)
    return {
        "id": ids,
        "time": np.array([f.time for f in failures]),
        **{
            name: np.array([getattr(f, name) for f in failures], dtype=object)
            for name in ("reason", "fastest_state", "suspect_parameter")
        },
    }
