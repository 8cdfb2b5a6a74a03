"""A dose table on disk: checked before anything is solved, then read along with its subjects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mesolung.cohort.cells import Place
from mesolung.cohort.doses import check_doses, events_of
from mesolung.cohort.staging import NUMBERS, ROW, TEXT, WHOLE, Staged
from mesolung.cohort.subjects import Subjects
from mesolung.engine import CompiledModel, EventTable

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

PAGE = 100_000
OWNED = "owned"


@dataclass(frozen=True)
class DoseTable:
    """A checked dose table.

    Attributes:
        staged: the table.
        owner: the database's name of the ID column; None where every subject gets every row.
    """

    staged: Staged
    owner: str | None

    def events(
        self, connection: DuckDBPyConnection, model: CompiledModel, first: int, last: int, end: float
    ) -> EventTable:
        """Read the events of some subjects.

        Arguments:
            connection: where the table is staged.
            model: the compiled model.
            first, last: rows of the subjects, from 1, both included.
            end: events after this time are left out.

        Returns:
            The events; subject 0 is the one of row ``first``.
        """
        if self.owner is None:
            columns, rows = _page(connection, self.staged, self.staged.table, f"ORDER BY {ROW}")
            subject = None
        else:
            which = f"WHERE subject_ BETWEEN {first} AND {last} ORDER BY subject_, {ROW}"
            columns, rows = _page(connection, self.staged, OWNED, which, ", subject_")
            subject = np.asarray(columns.pop("subject_"), dtype=np.int64) - first
        doses = check_doses(columns, model, Place(self.staged.file, rows))
        return events_of(doses, model, subject, last - first + 1, end)


def infused_states(connection: DuckDBPyConnection, staged: Staged) -> dict[str, int]:
    """Find which states a staged dose table infuses, before there is a model.

    Returns:
        Texts of the column CMT in rows with a positive RATE or DUR, with the first such row of each.
    """
    names = {name.upper(): f"c{k}" for k, name in enumerate(staged.columns)}
    if "CMT" not in names:
        return {}
    positive = [f"TRY_CAST({names[n]} AS DOUBLE) > 0" for n in ("RATE", "DUR") if n in names]
    if not positive:
        return {}
    found = connection.execute(
        f"SELECT trim(CAST({names['CMT']} AS {TEXT})) AS state, min({ROW}) FROM {staged.table} "
        f"WHERE ({' OR '.join(positive)}) AND {names['CMT']} IS NOT NULL GROUP BY state ORDER BY 2"
    ).fetchall()
    return {state: row for state, row in found if state not in ("", ".")}


def check_dose_table(
    connection: DuckDBPyConnection, staged: Staged, subjects: Subjects, model: CompiledModel
) -> DoseTable:
    """Check every row of a dose table and join it with the subjects.

    Arguments:
        connection: where both tables are staged.
        staged: the dose table.
        subjects: whose doses they are.
        model: the compiled model.

    Returns:
        The checked table.

    Raises:
        Refusal: as `dose_events`, with file, row and column.
    """
    for name, kind in zip(staged.columns, staged.kinds, strict=True):
        if kind != TEXT and not NUMBERS.fullmatch(kind):
            raise staged.refusal("the values are neither numbers nor text", column=name, found=kind)
    for first in range(1, max(staged.rows, 1) + 1, PAGE):
        which = f"WHERE {ROW} BETWEEN {first} AND {first + PAGE - 1} ORDER BY {ROW}"
        columns, rows = _page(connection, staged, staged.table, which)
        check_doses(columns, model, Place(staged.file, rows))
    owner = next((k for k, name in enumerate(staged.columns) if name.upper() == "ID"), None)
    if owner is None:
        return DoseTable(staged, None)
    if staged.kinds[owner] != TEXT and not WHOLE.fullmatch(staged.kinds[owner]):
        raise staged.refusal(
            "an id is text or a whole number", column=staged.columns[owner], found=staged.kinds[owner]
        )
    _join(connection, staged, owner, subjects)
    return DoseTable(staged, f"c{owner}")


def _join(connection: DuckDBPyConnection, staged: Staged, owner: int, subjects: Subjects) -> None:
    """Put the doses in the order of the subjects; sorting is left to the database, which spills to disk."""
    own = f"trim(CAST(d.c{owner} AS {TEXT}))"
    whose = f"trim(CAST(s.{subjects.id_column} AS {TEXT}))"
    tables = f"FROM {staged.table} d LEFT JOIN {subjects.staged.table} s ON {own} = {whose}"
    columns = ", ".join(f"d.c{k}" for k in range(len(staged.columns)))
    connection.execute(
        f"CREATE TABLE {OWNED} AS SELECT s.{ROW} AS subject_, d.{ROW}, {columns} {tables} "
        f"ORDER BY s.{ROW}, d.{ROW}"
    )
    stray = connection.execute(
        f"SELECT {ROW}, c{owner} FROM {OWNED} WHERE subject_ IS NULL ORDER BY {ROW} LIMIT 1"
    ).fetchone()
    if stray:
        raise staged.refusal(
            "no subject has that id",
            row=stray[0],
            column=staged.columns[owner],
            found=str(stray[1]).strip() if stray[1] is not None else "nothing",
        )


def _page(
    connection: DuckDBPyConnection, staged: Staged, table: str, which: str, more: str = ""
) -> tuple[dict[str, NDArray[Any]], NDArray[np.int64]]:
    cells = "".join(f", {_cell(k, kind)} AS c{k}" for k, kind in enumerate(staged.kinds))
    found = connection.execute(f"SELECT {ROW}{more}{cells} FROM {table} {which}").fetchnumpy()
    columns = {name: _array(found[f"c{k}"]) for k, name in enumerate(staged.columns)}
    if more:
        columns["subject_"] = _array(found["subject_"])
    return columns, np.asarray(found[ROW], dtype=np.int64)


def _array(column: Any) -> NDArray[Any]:
    return column if isinstance(column, np.ndarray) else np.asarray(column, dtype=object)


def _cell(k: int, kind: str) -> str:
    return (
        f"nullif(trim(c{k}), '')"
        if kind == TEXT
        else f"c{k}"
        if WHOLE.fullmatch(kind)
        else f"CAST(c{k} AS DOUBLE)"
    )
