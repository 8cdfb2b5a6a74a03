"""Lot files: read by themselves, and where a study file names one as its product."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from mesolung.product.product import Product
from mesolung.product.quantities import written
from mesolung.reading import read_toml
from mesolung.reading.toml import Document
from mesolung.study.place import Place
from mesolung.study.saving import toml_lines
from mesolung.study.structure import refusal_of

SCHEMA = 1


class LotFile(Product):
    """A lot file, schema 1: the keys of a product, and the version of the format."""

    schema_: Annotated[Literal[1], Field(alias="schema", description="version of the format", examples=[1])]


def read_lot(path: str | os.PathLike[str]) -> Product:
    """Read and check a lot file.

    Arguments:
        path: the file, TOML, schema 1.

    Returns:
        the product, quantities in base units.

    Raises:
        Refusal: for the first thing that is wrong: file, line, what was found and what is allowed.
    """
    return lot_of(read_toml(path))


def lot_of(document: Document) -> Product:
    """Check a lot file that has been read.

    Arguments:
        document: the file.

    Returns:
        the product; one that says nothing of its number is known by the file's name.

    Raises:
        Refusal: as `read_lot`.
    """
    top, schema = Place(document), document.values.get("schema")
    if "schema" not in document.values:
        raise top.refuse("schema is missing", allowed=f"schema = {SCHEMA}")
    if type(schema) is not int or schema != SCHEMA:
        raise top.at("schema").refuse("unknown schema", found=schema, allowed=SCHEMA)
    try:
        LotFile.model_validate(document.values)
        return Product.model_validate(_product(document))
    except ValidationError as error:
        raise refusal_of(error, document, LotFile) from None


def lot_text(product: Product) -> str:
    """Write a lot as a lot file; reading it gives the same lot.

    Arguments:
        product: validated.
    """
    stated = written(product)
    single = {key: value for key, value in stated.items() if not isinstance(value, dict | list)}
    parts = [toml_lines([("schema", SCHEMA), *single.items()])]
    for key, value in stated.items():
        if isinstance(value, dict):
            parts.append(f"[{key}]\n{toml_lines(value.items())}".rstrip())
        elif isinstance(value, list):
            parts += [f"[[{key}]]\n{toml_lines(one.items())}" for one in value]
    return "\n\n".join(parts) + "\n"


def with_lots(document: Document) -> tuple[Document, Mapping[str, str]]:
    """Put the content of the lot files that a study file names in their place.

    Arguments:
        document: the study file.

    Returns:
        the study file with products instead of paths, lines as they were; and the lot files' texts by path.

    Raises:
        Refusal: for a lot file that is missing or refused, at the lot file's own line.
    """
    named = list(_named(document.values))
    if not named:
        return document, {}
    values, texts = deepcopy(document.values), {}
    for arm, treatment, path in named:
        file = document.file.parent / path
        if not file.is_file():
            place = Place(document, ("arm", arm, "treatment", treatment, "product"))
            raise place.refuse(
                "no such lot file", found=path, allowed="a table, or a path from the study file's folder"
            )
        lot = read_toml(file)
        lot_of(lot)
        values["arm"][arm]["treatment"][treatment]["product"] = _product(lot)
        texts[path] = lot.text
    return replace(document, values=values), texts


def _product(lot: Document) -> dict[str, Any]:
    stated = {key: value for key, value in lot.values.items() if key != "schema"}
    return {"lot": Path(lot.file).stem, **stated}


def _named(values: Mapping[str, Any]) -> Iterator[tuple[int, int, str]]:
    """Every product that is a path: number of the arm, of the treatment, and the path."""
    for i, arm in _entries(values.get("arm")):
        for k, treatment in _entries(arm.get("treatment")):
            if isinstance(treatment.get("product"), str):
                yield i, k, treatment["product"]


def _entries(tables: Any) -> Iterator[tuple[int, dict[str, Any]]]:
    if isinstance(tables, list):
        yield from ((i, table) for i, table in enumerate(tables) if isinstance(table, dict))
