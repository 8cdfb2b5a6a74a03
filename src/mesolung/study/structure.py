"""Checking the structure of a study file: pydantic's errors become one refusal with file and line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args, get_origin

from pydantic import BaseModel, Tag, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from mesolung.reading import Refusal
from mesolung.reading.toml import Document
from mesolung.study.arm import UNKNOWN
from mesolung.study.place import Place, listed
from mesolung.study.written import StudyFile

# What pydantic calls a type, and what the reader of a message calls it.
TYPES = {
    "string_type": 'text in quotes; a quantity has its unit, as "28 d"',
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "list_type": "a list in brackets",
    "dict_type": "a table",
    "model_type": "a table",
    "model_attributes_type": "a table",
    "finite_number": "a finite number",
    "int_from_float": "a whole number",
    "bool_parsing": "true or false",
    "int_parsing": "a whole number",
    "int_parsing_size": "a whole number of at most 18 digits",
    "float_parsing": "a number",
}
# The members of a union, as `mesolung.study.written` tags them.
FORMS = {"table": "a table", "number": "a number", "list": "a list", "text": "text in quotes"}
BOUNDS = {
    "greater_than": ("gt", "more than"),
    "greater_than_equal": ("ge", "at least"),
    "less_than": ("lt", "less than"),
    "less_than_equal": ("le", "at most"),
}


def read_structure(document: Document) -> StudyFile:
    """Check keys and types of a study file.

    Arguments:
        document: the file.

    Returns:
        its content as written.

    Raises:
        Refusal: for the first thing, by line, that has no place in a study file.
    """
    try:
        return StudyFile.model_validate(document.values)
    except ValidationError as error:
        raise refusal_of(error, document) from None


def refusal_of(error: ValidationError, document: Document, root: type[BaseModel] = StudyFile) -> Refusal:
    """Turn pydantic's list of errors into the refusal that helps most.

    Arguments:
        error: from validating the file's values.
        document: the file.
        root: what it was validated as.

    Returns:
        the refusal of the error that stands first in the file.
    """
    errors = error.errors(include_url=False)
    # What is missing often stands there under a wrong name, so it is told last.
    found = [e for e in errors if e["type"] != "missing"] or errors
    return min((_refusal(e, document, root) for e in found), key=lambda refusal: refusal.line or 0)


def _refusal(details: ErrorDetails, document: Document, root: type[BaseModel]) -> Refusal:
    path, tail = _path(details["loc"], document.values)
    place = Place(document, path)
    kind, context, value = details["type"], details.get("ctx", {}), details["input"]
    key = ".".join(str(part) for part in path if isinstance(part, str)) or "the file"
    if kind == "extra_forbidden":
        return _unknown_key(place, details["loc"], root)
    if kind == "missing":
        return place.refuse(f"{key}: {tail} is missing" if path else f"{tail} is missing")
    if kind == "literal_error":
        names = _options(details["loc"], root)
        if names == [UNKNOWN]:
            forms = _forms(details["loc"], root).replace(FORMS["text"], f'"{UNKNOWN}"')
            return place.refuse(f"{key}: wrong type", found=value, allowed=forms or f'"{UNKNOWN}"')
        if isinstance(value, str):
            return place.unknown(str(path[-1]), value, names)
        return place.refuse(f"{key}: not allowed", found=value, allowed=listed(names))
    if kind in TYPES:
        return place.refuse(f"{key}: wrong type", found=value, allowed=TYPES[kind])
    if kind in BOUNDS:
        name, words = BOUNDS[kind]
        return place.refuse(f"{key}: impossible value", found=value, allowed=f"{words} {context[name]:g}")
    if kind.startswith("union_tag"):
        return place.refuse(f"{key}: wrong type", found=value, allowed=_forms(details["loc"], root))
    if kind in ("too_short", "too_long"):
        count = context.get("min_length", context.get("max_length"))
        words = "at least" if kind == "too_short" else "at most"
        return place.refuse(f"{key}: wrong number of values", found=value, allowed=f"{words} {count}")
    if kind in ("string_too_short", "empty"):
        return place.refuse(f"{key}: an empty name", found=value)
    message = details["msg"].removeprefix("Value error, ")
    return place.refuse(f"{key}: {message[:1].lower()}{message[1:]}", found=value)


def _forms(loc: tuple[int | str, ...], root: type[BaseModel]) -> str:
    """The ways in which the field at a location may be written."""
    field = _field(loc, root)
    return " or ".join(FORMS[tag] for tag in _tags(field.annotation)) if field else ""


def _tags(annotation: Any) -> Iterator[str]:
    for inner in get_args(annotation):
        if isinstance(inner, Tag):
            yield inner.tag
        else:
            yield from _tags(inner)


def _path(loc: tuple[int | str, ...], values: Any) -> tuple[tuple[int | str, ...], str]:
    """The part of pydantic's location that is in the file, and the key after it that is not.

    A location also names the member of a union that was tried; no such key is in the file.
    """
    path: list[int | str] = []
    tail = ""
    for part in loc:
        below = _below(values, part)
        if below is None:
            tail = str(part)
        else:
            values = below
            path.append(part)
    return tuple(path), tail


def _below(values: Any, part: int | str) -> Any:
    """What a table or list holds under a key or index; None for nothing, which TOML cannot hold."""
    if isinstance(values, dict):
        return values.get(part)
    if isinstance(values, list) and isinstance(part, int) and part < len(values):
        return values[part]
    return None


def _unknown_key(place: Place, loc: tuple[int | str, ...], root: type[BaseModel]) -> Refusal:
    key = next(part for part in reversed(place.path) if isinstance(part, str))
    model = _model(loc[:-1], root)
    return place.unknown("key", key, (str(name) for name in _fields(model)) if model else ())


def _options(loc: tuple[int | str, ...], root: type[BaseModel]) -> list[str]:
    """The texts that the field at a location may hold."""
    field = _field(loc, root)
    return list(_literals(field.annotation)) if field else []


def _fields(model: type[BaseModel]) -> dict[int | str, FieldInfo]:
    return {field.alias or name: field for name, field in model.model_fields.items()}


def _field(loc: tuple[int | str, ...], root: type[BaseModel]) -> FieldInfo | None:
    """The field that a location ends in, or that its end lies within."""
    return _walk(loc, root)[1]


def _model(loc: tuple[int | str, ...], root: type[BaseModel]) -> type[BaseModel] | None:
    """The model of the table at a location."""
    return _walk(loc, root)[0]


def _walk(
    loc: tuple[int | str, ...], root: type[BaseModel]
) -> tuple[type[BaseModel] | None, FieldInfo | None]:
    """Go down the fields, with the table of any union: the model arrived at, and the last field passed."""
    model: type[BaseModel] | None = root
    last: FieldInfo | None = None
    named = False
    for part in loc:
        if named or model is None:
            named = False  # a name that the user chose
            continue
        field = _fields(model).get(part)
        if field is None:
            continue  # an index, or the member of a union
        last = field
        named = get_origin(field.annotation) is dict
        model = next(_models(field.annotation), None)
    return model, last


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models(inner)


def _literals(annotation: Any) -> Iterator[str]:
    for inner in get_args(annotation):
        if isinstance(inner, str | int):
            yield str(inner)
        else:
            yield from _literals(inner)
