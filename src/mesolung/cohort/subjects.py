"""The table of subjects: a row a subject, columns named as parameters and as states (values at time 0)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mesolung.cohort.staging import NUMBERS, ROW, TEXT, WHOLE, Staged
from mesolung.engine import CompiledModel, infusion_parameter

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

ID = "id"


@dataclass(frozen=True)
class Subjects:
    """A checked table of subjects.

    Attributes:
        staged: the table.
        id_column: the database's name of the id's column.
        id_kind: the database's type of an id: a whole number where every id is one, else text.
        parameters: pairs of a column's name there and the index of the parameter it holds.
        initial: pairs of a column's name there and the index of the state whose value at time 0 it holds.
    """

    staged: Staged
    id_column: str
    id_kind: str
    parameters: tuple[tuple[str, int], ...]
    initial: tuple[tuple[str, int], ...]

    def __len__(self) -> int:
        return self.staged.rows


@dataclass(frozen=True)
class Rows:
    """Some subjects, one after the other in the table.

    Attributes:
        first, last: their rows, from 1, both included.
        ids: whole numbers or texts [subjects].
        parameters: float64[subjects, parameters], the model's own where the table has no column.
        initial: float64[subjects, states], or None where the table has no column of a state.
    """

    first: int
    last: int
    ids: NDArray[Any]
    parameters: NDArray[np.float64]
    initial: NDArray[np.float64] | None


def check_subjects(connection: DuckDBPyConnection, staged: Staged, model: CompiledModel) -> Subjects:
    """Check every cell of a table of subjects.

    Arguments:
        connection: where the table is staged.
        staged: the table.
        model: whose parameters and states the columns name.

    Returns:
        The checked table.

    Raises:
        Refusal: no or two id columns, a column that the model does not have, no rows, an id that is missing,
            not text or whole number, or there twice; a value that is missing or not a finite number. With
            row and column.
    """
    named = [k for k, name in enumerate(staged.columns) if name.lower() == ID]
    if len(named) != 1:
        raise staged.refusal("the table needs one column 'id'", found=", ".join(staged.columns))
    own = {infusion_parameter(state) for state in model.states}
    known = [name for name in model.parameters if name not in own]
    parameters, initial = [], []
    for k, name in enumerate(staged.columns):
        if k == named[0]:
            continue
        if name in known:
            parameters.append((f"c{k}", model.parameters.index(name)))
        elif name in model.states:
            initial.append((f"c{k}", model.states.index(name)))
        else:
            raise unknown_column(staged, name, (*known, *model.states))
    if not staged.rows:
        raise staged.refusal("the table has no rows")
    kind = _check_ids(connection, staged, named[0])
    _check_numbers(connection, staged, [k for k in range(len(staged.columns)) if k != named[0]])
    return Subjects(staged, f"c{named[0]}", kind, tuple(parameters), tuple(initial))


def unknown_column(staged: Staged, name: str, known: tuple[str, ...]) -> Exception:
    """The refusal of a column that means nothing to the model, with names that come near."""
    near = get_close_matches(name, known, 3, 0.5)
    return staged.refusal(
        "the model has no parameter or state of that name", column=name, allowed=", ".join(near) or None
    )


def read_subjects(
    connection: DuckDBPyConnection, subjects: Subjects, model: CompiledModel, first: int, last: int
) -> Rows:
    """Read some rows of a checked table.

    Arguments:
        connection: where the table is staged.
        subjects: the table.
        model: the model.
        first, last: rows, from 1, both included.

    Returns:
        The rows.
    """
    pairs = (*subjects.parameters, *subjects.initial)
    ids = f"CAST(trim(CAST({subjects.id_column} AS {TEXT})) AS {subjects.id_kind}) AS id"
    columns = ", ".join([ids, *(f"CAST({column} AS DOUBLE) AS {column}" for column, _ in pairs)])
    found = connection.execute(
        f"SELECT {columns} FROM {subjects.staged.table} WHERE {ROW} BETWEEN ? AND ? ORDER BY {ROW}",
        [first, last],
    ).fetchnumpy()
    table = np.tile(model.default_parameters, (last - first + 1, 1))
    for column, k in subjects.parameters:
        table[:, k] = found[column]
    initial = None
    if subjects.initial:
        initial = model.initial(table)
        for column, k in subjects.initial:
            initial[:, k] = found[column]
    return Rows(first, last, np.asarray(found["id"]), table, initial)


def spans(rows: int, chunk: int) -> Iterator[tuple[int, int]]:
    """Cut rows 1 to ``rows`` into pieces of at most ``chunk``: first and last row of each."""
    for first in range(1, rows + 1, chunk):
        yield first, min(first + chunk - 1, rows)


def _check_ids(connection: DuckDBPyConnection, staged: Staged, k: int) -> str:
    column, table = f"c{k}", staged.table
    if staged.kinds[k] != TEXT and not WHOLE.fullmatch(staged.kinds[k]):
        raise staged.refusal(
            "an id is text or a whole number", column=staged.columns[k], found=staged.kinds[k]
        )
    missing = connection.execute(
        f"SELECT min({ROW}) FROM {table} "
        f"WHERE {column} IS NULL OR trim(CAST({column} AS {TEXT})) IN ('', '.')"
    ).fetchone()
    if missing and missing[0] is not None:
        raise staged.refusal("the value is missing", row=missing[0], column=staged.columns[k])
    twice = connection.execute(
        f"SELECT min({ROW}), max({ROW}), trim(CAST({column} AS {TEXT})) AS id FROM {table} "
        f"GROUP BY id HAVING count(*) > 1 ORDER BY 2 LIMIT 1"
    ).fetchone()
    if twice:
        raise staged.refusal(
            f"the id stands there already, in row {twice[0]}",
            row=twice[1],
            column=staged.columns[k],
            found=twice[2],
        )
    whole = connection.execute(
        f"SELECT bool_and(coalesce(CAST(TRY_CAST(id AS BIGINT) AS {TEXT}) = id, false)) "
        f"FROM (SELECT trim(CAST({column} AS {TEXT})) AS id FROM {table})"
    ).fetchone()
    return "BIGINT" if whole and whole[0] else TEXT


def _check_numbers(connection: DuckDBPyConnection, staged: Staged, columns: list[int]) -> None:
    """Look at all cells in one pass; the first wrong one in the order of rows is named."""
    for k in columns:
        if staged.kinds[k] != TEXT and not NUMBERS.fullmatch(staged.kinds[k]):
            raise staged.refusal(
                "the values are not numbers",
                column=staged.columns[k],
                found=staged.kinds[k],
                allowed="numbers",
            )
    if not columns:
        return
    wrong = ", ".join(
        f"min(CASE WHEN isfinite(TRY_CAST(c{k} AS DOUBLE)) THEN NULL ELSE {ROW} END)" for k in columns
    )
    rows = connection.execute(f"SELECT {wrong} FROM {staged.table}").fetchone() or ()
    found = [(row, k) for row, k in zip(rows, columns, strict=True) if row is not None]
    if not found:
        return
    row, k = min(found)
    cell = connection.execute(f"SELECT c{k} FROM {staged.table} WHERE {ROW} = ?", [row]).fetchone()
    text = str(cell[0]).strip() if cell and cell[0] is not None else ""
    if text in ("", "."):
        raise staged.refusal("the value is missing", row=row, column=staged.columns[k])
    raise staged.refusal(
        "the value is not a finite number",
        row=row,
        column=staged.columns[k],
        found=text,
        allowed="a finite number",
    )
