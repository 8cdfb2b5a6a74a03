"""Tables on the way in and out: CSV or Parquet, through a database file that keeps them out of memory."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mesolung.reading import Refusal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

FORMS = (".csv", ".parquet")
# What the database may hold in memory; what goes beyond it lies in the scratch folder.
MEMORY = "256MB"
LONGEST_LINE = 2**20
ROW = "row_"
NUMBERS = re.compile(r"(U?(TINY|SMALL|BIG|HUGE)?INT|U?INTEGER|FLOAT|DOUBLE|DECIMAL.*)")
WHOLE = re.compile(r"(U?(TINY|SMALL|BIG|HUGE)?INT|U?INTEGER)")
TEXT = "VARCHAR"


@dataclass(frozen=True)
class Staged:
    """A table in the database.

    Attributes:
        table: its name there; column k of the file is ``ck``, and ``row_`` counts rows from 1.
        file: where it came from.
        columns: the file's names of its columns, in order.
        kinds: the database's type of each; ``VARCHAR`` for all of a CSV file.
        rows: how many.
    """

    table: str
    file: Path
    columns: tuple[str, ...]
    kinds: tuple[str, ...]
    rows: int

    def refusal(
        self, problem: str, row: int | None = None, column: str | None = None, **more: object
    ) -> Refusal:
        """Say what is wrong at a row (from 1, the header not counted) and in a column."""
        place = (f"row {row}, " if row is not None else "") + (f"column '{column}': " if column else "")
        return Refusal(place + problem, file=self.file, **more)  # type: ignore[arg-type]


@contextmanager
def staging(folder: Path) -> Iterator[DuckDBPyConnection]:
    """Open an empty database for as long as the block lasts.

    Arguments:
        folder: an existing folder for its files, on a disk with room for the tables.

    Yields:
        the connection; one thread and a bounded memory, so that order and cost do not depend on the machine.

    Raises:
        KeyboardInterrupt: when a signal stopped the database, whatever it made of it.
    """
    import duckdb

    connection = duckdb.connect(str(folder / "staging.duckdb"))
    try:
        connection.execute(f"SET threads = 1; SET memory_limit = '{MEMORY}'")
        connection.execute("SET enable_progress_bar = false; SET preserve_insertion_order = true")
        connection.execute(f"SET temp_directory = {_text(folder / 'spilled')}")
        yield connection
    except (duckdb.Error, RuntimeError) as error:
        if interrupted(error):
            raise KeyboardInterrupt from None
        raise
    finally:
        connection.close()


def stage(connection: DuckDBPyConnection, path: Path, table: str) -> Staged:
    """Copy a file into the database.

    Arguments:
        connection: from `staging`.
        path: a file whose name ends with ``.csv`` (commas, a header, UTF-8) or ``.parquet``.
        table: the name that the table gets.

    Returns:
        The staged table.

    Raises:
        Refusal: for another ending, a file that cannot be read or is damaged, columns without or with the
            same name, rows of another length.
    """
    import duckdb

    form = form_of(path)
    try:
        with path.open("rb"):
            pass
    except OSError as error:
        raise Refusal(f"cannot be read: {error.strerror}", file=path) from None
    try:
        names = _csv_header(path) if form == ".csv" else _parquet_names(connection, path)
        _refuse_names(path, names)
        source = _csv_source(path, len(names)) if form == ".csv" else _parquet_source(path, len(names))
        connection.execute(f"CREATE TABLE {table} AS SELECT row_number() OVER () AS {ROW}, * FROM {source}")
    except duckdb.Error as error:
        if interrupted(error):
            raise
        raise _unreadable(path, error) from None
    kinds = tuple(str(kind) for _, kind, *_ in connection.execute(f"DESCRIBE {table}").fetchall()[1:])
    found = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
    return Staged(table, path, names, kinds, found[0] if found else 0)


def form_of(path: Path) -> str:
    """Tell a table's form from the end of its name.

    Raises:
        Refusal: for another ending than ``.csv`` and ``.parquet``.
    """
    form = path.suffix.lower()
    if form not in FORMS:
        raise Refusal(
            "a table is CSV or Parquet, by the end of its name",
            file=path,
            found=form or None,
            allowed=", ".join(FORMS),
        )
    return form


def _csv_header(path: Path) -> tuple[str, ...]:
    try:
        with path.open("rb") as file:
            # Line by line, so that what is wrong further down is told with its own line.
            lines = (line.decode("utf-8-sig") for line in iter(lambda: file.readline(LONGEST_LINE), b""))
            return tuple(cell.strip() for cell in next(csv.reader(lines, strict=True), []))
    except (UnicodeDecodeError, csv.Error) as error:
        raise Refusal(f"the header cannot be read: {error}", file=path, line=1) from None


def _csv_source(path: Path, width: int) -> str:
    columns = ", ".join(f"'c{k}': '{TEXT}'" for k in range(width))
    options = "auto_detect = false, header = true, delim = ',', quote = '\"', escape = '\"', nullstr = ''"
    return f"read_csv({_text(path)}, columns = {{{columns}}}, {options})"


def _parquet_names(connection: DuckDBPyConnection, path: Path) -> tuple[str, ...]:
    """The names as they stand in the file: the database itself would not tell ``k`` from ``K``."""
    schema = connection.execute(
        f"SELECT name, coalesce(num_children, 0) FROM parquet_schema({_text(path)})"
    ).fetchall()
    nested = [name for name, children in schema[1:] if children]
    if nested:
        raise Refusal(f"column '{nested[0]}' holds lists or tables", file=path, allowed="numbers and text")
    return tuple(name for name, _ in schema[1:])


def _parquet_source(path: Path, width: int) -> str:
    return f"read_parquet({_text(path)}) AS source({', '.join(f'c{k}' for k in range(width))})"


def _refuse_names(path: Path, names: tuple[str, ...]) -> None:
    if not names:
        raise Refusal("the table has no columns", file=path)
    for k, name in enumerate(names):
        if not name:
            raise Refusal(f"column {k + 1} has no name", file=path)
        if name in names[:k]:
            raise Refusal(f"column '{name}' stands there twice", file=path)


def interrupted(error: Exception) -> bool:
    """Whether the database was stopped by Ctrl-C or SIGTERM, which it tells as an error of its own.

    Arguments:
        error: any exception that came through a call of the database.

    Returns:
        True where it stands for a signal.
    """
    return any(word in str(error) for word in ("KeyboardInterrupt", "SystemExit", "nterrupted"))


def _unreadable(path: Path, error: Exception) -> Exception:
    """What the database says of a file, in one short line; a full disk stays what it is."""
    text = str(error)
    if "No space left" in text:
        return error
    line = re.search(r"CSV Error on Line: (\d+)", text)
    told = [part for part in text.splitlines() if part.strip() and not part.startswith("Original Line")]
    reason = told[1 if line and len(told) > 1 else 0].strip()
    return Refusal(f"cannot be read: {reason}", file=path, line=int(line[1]) if line else None)


def _text(value: object) -> str:
    return "'" + str(value).replace("'", "''") + "'"
