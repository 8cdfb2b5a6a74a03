"""What the study file's format has and this version does not: refused by name before anything else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

from mesolung.product.product import PRODUCT_TYPES
from mesolung.reading import Refusal
from mesolung.reading.toml import Document
from mesolung.study.place import Place
from mesolung.study.study import Kind

SCHEMA = 1


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
    if isinstance(kind, str) and kind not in get_args(Kind):
        raise top.at("kind").unknown("kind", kind, get_args(Kind))
    for place, table in _treatments(document):
        if refusal := _of_treatment(place, table):
            raise refusal


def _of_treatment(place: Place, table: dict[str, Any]) -> Refusal | None:
    product = table.get("product")
    name = product.get("type", "cells") if isinstance(product, dict) else "cells"
    if isinstance(name, str) and name not in PRODUCT_TYPES:
        return place.at("product", "type").unknown("product type", name, PRODUCT_TYPES)
    return None


def _treatments(document: Document) -> Iterator[tuple[Place, dict[str, Any]]]:
    top = Place(document)
    for i, arm in _entries(document.values.get("arm")):
        for k, treatment in _entries(arm.get("treatment")):
            yield top.at("arm", i, "treatment", k), treatment


def _entries(tables: Any) -> Iterator[tuple[int, dict[str, Any]]]:
    if isinstance(tables, list):
        yield from ((i, table) for i, table in enumerate(tables) if isinstance(table, dict))
