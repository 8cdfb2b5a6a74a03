"""What each key of the study file means, with an example: for the JSON Schema and for the documentation."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from mesolung.biology.columns import text_of, wrong
from mesolung.reading import read_table

COLUMNS = ("table", "key", "meaning", "example")


@dataclass(frozen=True)
class Key:
    """A row of ``keys.csv``.

    Attributes:
        table: name of the table's model in `mesolung.study.written`, or ``Product``.
        key: as study files write it.
        meaning: what it says.
        example: a line of TOML that sets it.
    """

    table: str
    key: str
    meaning: str
    example: str

    @property
    def value(self) -> Any:
        """The example's value."""
        return tomllib.loads(self.example)[self.key]


@cache
def keys() -> Mapping[tuple[str, str], Key]:
    """Read ``keys.csv``.

    Returns:
        (table, key) -> row, in the order of the file.

    Raises:
        Refusal: for a table that cannot be used.
    """
    found: dict[tuple[str, str], Key] = {}
    for row in read_table(files("mesolung.study") / "keys.csv", COLUMNS):
        one = Key(*(text_of(row, column) for column in COLUMNS))
        if (one.table, one.key) in found:
            raise wrong(row, "key", "stands twice")
        found[one.table, one.key] = one
    return MappingProxyType(found)


def described(schema: dict[str, Any]) -> dict[str, Any]:
    """Put meanings and examples into the schema of the study file.

    Arguments:
        schema: of the study file or the lot file, with its definitions; a table that it lacks is passed over.

    Returns:
        the same schema, changed in place.
    """
    tables = {schema["title"]: schema, **schema["$defs"]}
    if "LotFile" in tables:
        # A lot file has the keys of a product at its top.
        tables["Product"] = schema
    for (table, key), row in keys().items():
        if table not in tables:
            continue
        properties = tables[table]["properties"]
        properties[key] = {**properties[key], "description": row.meaning, "examples": [row.value]}
    return schema
