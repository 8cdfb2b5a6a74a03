"""Result tables that grow chunk by chunk and appear as one CSV or Parquet file."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from mesolung.cohort.staging import form_of
from mesolung.reading import Refusal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

COMPRESSION = "zstd"
# A row group is held in memory while it is written; these bound its size.
GROUP_ROWS, GROUP_BYTES = 122_880, 2**25


class GrowingTable:
    """A table that takes rows chunk by chunk.

    CSV grows in place. Parquet cannot be appended to, so that chunks become parts, which are put together
    at the end; never more than one chunk is in memory.
    """

    def __init__(
        self,
        connection: DuckDBPyConnection,
        target: Path,
        place: Path,
        scratch: Path,
        kinds: Mapping[str, str],
    ) -> None:
        """Start an empty table.

        Arguments:
            connection: the database that writes.
            target: the file's final name, which says its form.
            place: where to write it.
            scratch: an existing folder for parts, on the same disk.
            kinds: the database's type of each column, in order.

        Raises:
            Refusal: for Parquet with column names that differ in the case of letters only.
        """
        self._connection, self._place, self._scratch = connection, place, scratch
        self._kinds, self._form = dict(kinds), form_of(target)
        self._stem = target.name
        self._parts: list[Path] = []
        if self._form == ".csv":
            self._place.write_bytes((",".join(map(_quoted, kinds)) + "\n").encode())
            return
        small: dict[str, str] = {}
        for name in kinds:
            if name.lower() in small:
                raise Refusal(
                    "columns of Parquet must not differ in the case of letters only",
                    file=target,
                    found=f"{small[name.lower()]} and {name}",
                    allowed="CSV, or one of them (--outputs)",
                )
            small[name.lower()] = name

    def add(self, columns: Mapping[str, NDArray[Any] | None]) -> None:
        """Add rows.

        Arguments:
            columns: an array for each column, NaN or None for an empty cell; None where all are empty.
        """
        given = {f"c{k}": values for k, values in enumerate(columns.values()) if values is not None}
        part = self._scratch / f"{self._stem}.{len(self._parts):06d}"
        self._connection.register("chunk", given)
        try:
            self._copy(f"SELECT {self._selected(columns)} FROM chunk", part)
        finally:
            self._connection.unregister("chunk")
        if self._form == ".csv":
            with part.open("rb") as source, self._place.open("ab") as file:
                shutil.copyfileobj(source, file)
            part.unlink()
        else:
            self._parts.append(part)

    def finish(self) -> None:
        """Put the parts together, in order."""
        if self._form == ".csv":
            return
        if not self._parts:
            columns = ", ".join(
                f"CAST(NULL AS {kind}) AS {_name(name)}" for name, kind in self._kinds.items()
            )
            self._copy(f"SELECT {columns} LIMIT 0", self._place)
            return
        files = ", ".join("'" + str(part).replace("'", "''") + "'" for part in self._parts)
        self._copy(f"SELECT * FROM read_parquet([{files}])", self._place)
        for part in self._parts:
            part.unlink()

    def _selected(self, columns: Mapping[str, NDArray[Any] | None]) -> str:
        return ", ".join(
            f"CAST({'NULL' if columns[name] is None else f'c{k}'} AS {kind}) AS {_name(name)}"
            for k, (name, kind) in enumerate(self._kinds.items())
        )

    def _copy(self, query: str, path: Path) -> None:
        rows = max(2048, min(GROUP_ROWS, GROUP_BYTES // (8 * len(self._kinds))))
        parquet = f"FORMAT parquet, COMPRESSION {COMPRESSION}, ROW_GROUP_SIZE {rows}"
        options = "FORMAT csv, HEADER false" if self._form == ".csv" else parquet
        self._connection.execute(f"COPY ({query}) TO '{str(path).replace(chr(39), chr(39) * 2)}' ({options})")


def _name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"' if set(name) & set(',"\n\r') else name
