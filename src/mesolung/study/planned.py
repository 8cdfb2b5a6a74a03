"""What the study file's format has and this version does not: refused by name before anything else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mesolung.reading import Refusal
from mesolung.reading.toml import Document
from mesolung.study.place import Place

SCHEMA = 1
UNKNOWN = "unknown"
# Keys that may say "unknown" in the format, to be drawn from a prior.
MAY_BE_UNKNOWN = ("time", "times", "dose", "route", "size")


def refuse_planned(document: Document) -> None:
    """Refuse a study of another schema or kind, and every use of the format that is still to come.

    Arguments:
        document: the file.

    Raises:
        Refusal: for the first one, in the order of the file within each table.
    """
    values, top = document.values, Place(document)
    schema = values.get("schema")
    if "schema" not in values:
        raise top.refuse("schema is missing", allowed=f"schema = {SCHEMA}")
    if type(schema) is not int or schema != SCHEMA:
        raise top.at("schema").refuse("unknown schema", found=schema, allowed=SCHEMA)
    kind = values.get("kind", "trial")
    if isinstance(kind, str) and kind != "trial":
        raise top.at("kind").unknown("kind", kind, ["trial"])
    for place, table in _tables(document):
        for key in MAY_BE_UNKNOWN:
            if table.get(key) == UNKNOWN:
                raise place.at(key).not_yet(f'{key} = "{UNKNOWN}"')
        if place.path[0] == "arm" and (refusal := _of_treatment(place, table)):
            raise refusal


def _of_treatment(place: Place, table: dict[str, Any]) -> Refusal | None:
    if isinstance(table.get("product"), str):
        return place.at("product").not_yet(
            "a lot file", 'an inline table, as { type = "cells", source = "bone marrow" }'
        )
    if isinstance(table.get("product"), dict) and isinstance(
        name := table["product"].get("type", "cells"), str
    ):
        if name == "vehicle":
            # What it is in this version: an arm without a treatment.
            return place.at("product", "type").not_yet('product type "vehicle"', "an arm without treatment")
        if name != "cells":
            return place.at("product", "type").unknown("product type", name, ["cells"])
    if "max" in table or isinstance(table.get("dose"), dict):
        key = "max" if "max" in table else "dose"
        return place.at(key).not_yet("a cap on the dose", 'a dose, as "100e6 cells"')
    if isinstance(table.get("infusion"), list):
        return place.at("infusion").not_yet("a range of infusion times", 'one time, as "60 min"')
    return None


def _tables(document: Document) -> Iterator[tuple[Place, dict[str, Any]]]:
    """Tables that may hold a planned use: arms, their treatments, the population, endpoints, observations."""
    values, top = document.values, Place(document)
    for i, arm in _entries(values.get("arm")):
        yield top.at("arm", i), {"size": arm.get("size")}
        for k, treatment in _entries(arm.get("treatment")):
            yield top.at("arm", i, "treatment", k), treatment
    if isinstance(values.get("population"), dict):
        yield top.at("population"), {"size": values["population"].get("size")}
    for name in ("endpoint", "observation"):
        for i, table in _entries(values.get(name)):
            yield top.at(name, i), table


def _entries(tables: Any) -> Iterator[tuple[int, dict[str, Any]]]:
    if isinstance(tables, list):
        yield from ((i, table) for i, table in enumerate(tables) if isinstance(table, dict))
