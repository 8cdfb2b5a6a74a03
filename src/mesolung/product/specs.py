"""Specifications of a release: definitions that come with the package, and a user's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from mesolung.product.attributes import attribute_names, is_share
from mesolung.product.product import SOURCES, Product
from mesolung.reading import Refusal, read_toml
from mesolung.reading.table import read_table
from mesolung.reading.toml import Document

SCHEMA = 1
TOP = ("schema", "name", "source", "about", "tissues", "limit")
KEYS = ("what", "at_least", "at_most", "is", "unit", "tissues")
ABOUT = ("cells", "ev")
COLUMNS = ("what", "at_least", "at_most", "is", "unit")


@dataclass(frozen=True)
class Limit:
    """One limit.

    Attributes:
        what: attributes, of which the first that was measured counts.
        at_least, at_most: bounds, in the attribute's unit; shares as fractions.
        equals: what a test must have said.
        unit: that the attribute must be in; None for whatever it is in.
        tissues: sources that it is for; empty for all.
    """

    what: tuple[str, ...]
    at_least: float | None = None
    at_most: float | None = None
    equals: str | bool | None = None
    unit: str | None = None
    tissues: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The limit in words."""
        if self.equals is not None:
            return "yes" if self.equals is True else "no" if self.equals is False else self.equals
        bounds = [f"at least {self._shown(self.at_least)}"] if self.at_least is not None else []
        bounds += [f"at most {self._shown(self.at_most)}"] if self.at_most is not None else []
        return ", ".join(bounds)

    def _shown(self, bound: float) -> str:
        if is_share(self.what[0]):
            return f"{100.0 * bound:g} %"
        return f"{bound:g} {self.unit or ''}".strip().replace("e+0", "e").replace("e+", "e")


@dataclass(frozen=True)
class Spec:
    """A specification.

    Attributes:
        id: name of its file, without ending.
        name: title.
        source: where it is from.
        about: "cells" or "ev".
        limits: in the file's order.
        tissues: sources of cells that it is for; empty for all.
    """

    id: str
    name: str
    source: str
    about: str
    limits: tuple[Limit, ...]
    tissues: tuple[str, ...] = ()


def is_for(tissues: tuple[str, ...], product: Product) -> bool:
    """Tell whether a limit or specification is for a product; one whose source is not stated may be any.

    Arguments:
        tissues: sources; empty for all.
        product: validated.
    """
    return not tissues or "source" in product.unstated or product.source in tissues


@cache
def bundled() -> dict[str, Spec]:
    """The specifications that come with the package: id -> specification, ids sorted."""
    found = {}
    folder = files("mesolung.product") / "specifications"
    for entry in sorted(folder.iterdir(), key=lambda one: one.name):
        if entry.name.endswith(".toml"):
            with as_file(entry) as path:
                spec = read_spec(path)
            found[spec.id] = spec
    return found


def specs_for(product: Product, asked: Sequence[str] = ()) -> tuple[Spec, ...]:
    """Choose specifications.

    Arguments:
        product: whose type decides where nothing is asked for.
        asked: ids of bundled ones, or paths of files.

    Returns:
        those asked for, whatever tissue they are for; else every bundled one about such a product.

    Raises:
        Refusal: for one that is neither bundled nor a file that can be used.
    """
    if not asked:
        about = "ev" if product.type == "ev" else "cells"
        found = (spec for spec in bundled().values() if spec.about == about)
        return tuple(spec for spec in found if is_for(spec.tissues, product))
    chosen = []
    for name in asked:
        if name in bundled():
            chosen.append(bundled()[name])
        elif Path(name).suffix.lower() in (".toml", ".csv"):
            chosen.append(read_spec(Path(name)))
        else:
            known = f"{', '.join(bundled())}, or a file that ends in .toml or .csv"
            raise Refusal("unknown specification", found=name, allowed=known)
    return tuple(chosen)


def read_spec(path: Path) -> Spec:
    """Read a specification.

    Arguments:
        path: TOML, schema 1; or CSV with the columns what, at_least, at_most, is, unit.

    Returns:
        the specification.

    Raises:
        Refusal: for a file that cannot be used, with its line.
    """
    if path.suffix.lower() == ".csv":
        return _of_table(path)
    document = read_toml(path)
    values = document.values
    _known(values, TOP, document)
    if values.get("schema") != SCHEMA or isinstance(values.get("schema"), bool):
        raise _wrong(document, ("schema",), "unknown schema", values.get("schema"), SCHEMA)
    texts = {}
    for key in ("name", "source"):
        texts[key] = values.get(key)
        if not isinstance(texts[key], str) or not texts[key].strip():
            raise _wrong(document, (key,), f"{key} is missing or no text", texts[key], "text in quotes")
    if values.get("about", "cells") not in ABOUT:
        raise _wrong(document, ("about",), "unknown kind of product", values["about"], ", ".join(ABOUT))
    written = values.get("limit")
    if not isinstance(written, list) or not written or not all(isinstance(one, dict) for one in written):
        raise _wrong(document, ("limit",), "no limit", written, "[[limit]]")
    limits = tuple(_limit(one, document, ("limit", i)) for i, one in enumerate(written))
    about, tissues = values.get("about", "cells"), _tissues(values, document, ("tissues",))
    return Spec(path.stem, texts["name"], texts["source"], about, limits, tissues)


def _of_table(path: Path) -> Spec:
    limits = []
    for row in read_table(path, COLUMNS):
        said: dict[str, Any] = {"what": [one.strip() for one in row["what"].split(";")]}
        for key in ("at_least", "at_most"):
            if row[key]:
                try:
                    said[key] = float(row[key])
                except ValueError:
                    raise Refusal(
                        f"{key} is not a number",
                        file=path,
                        line=row.line,
                        found=row[key],
                        allowed="a number with a point, as 0.95",
                    ) from None
        if row["is"]:
            said["is"] = {"true": True, "false": False}.get(row["is"].lower(), row["is"])
        if row["unit"]:
            said["unit"] = row["unit"]
        limits.append(_limit(said, path, row.line))
    if not limits:
        raise Refusal("no limit", file=path, allowed="a row a limit")
    about = "cells"
    return Spec(path.stem, path.stem, f"the file {path.name}", about, tuple(limits))


def _limit(said: dict[str, Any], where: Document | Path, place: tuple[str | int, ...] | int) -> Limit:
    def wrong(problem: str, found: Any, allowed: Any, key: str = "") -> Refusal:
        if isinstance(where, Document):
            path = place if isinstance(place, tuple) else ()
            return _wrong(where, (*path, key) if key else path, problem, found, allowed)
        line = place if isinstance(place, int) else None
        return Refusal(problem, file=where, line=line, found=found, allowed=allowed)

    for key in said:
        if key not in KEYS:
            raise wrong("unknown key of a limit", key, ", ".join(KEYS), key)
    what = said.get("what")
    names = [what] if isinstance(what, str) else what
    if not isinstance(names, list) or not names:
        raise wrong("what is missing", what, "the name of an attribute", "what")
    for name in names:
        if name not in attribute_names():
            raise wrong("unknown attribute", name, ", ".join(attribute_names()), "what")
    bounds = {}
    for key in ("at_least", "at_most"):
        value = said.get(key)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
            raise wrong(f"{key} is not a number", value, "a number; a share as a fraction", key)
        bounds[key] = None if value is None else float(value)
    equals, unit = said.get("is"), said.get("unit")
    if equals is not None and not isinstance(equals, str | bool):
        raise wrong("is: neither text nor true or false", equals, 'as is = "negative"', "is")
    if unit is not None and not isinstance(unit, str):
        raise wrong("unit is no text", unit, "text in quotes", "unit")
    low, high = bounds["at_least"], bounds["at_most"]
    if (low is None and high is None) == (equals is None):
        raise wrong("a limit has a bound, or what it is", said, "at_least, at_most or is")
    if low is not None and high is not None and low > high:
        raise wrong("bounds out of order", f"{low:g} to {high:g}", "at_least up to at_most", "at_least")
    tissues: tuple[str, ...] = ()
    if "tissues" in said and isinstance(where, Document) and isinstance(place, tuple):
        tissues = _tissues(said, where, (*place, "tissues"))
    return Limit(tuple(names), low, high, equals, unit, tissues)


def _tissues(values: dict[str, Any], document: Document, place: tuple[str | int, ...]) -> tuple[str, ...]:
    found = values.get("tissues", [])
    if not isinstance(found, list) or ("tissues" in values and not found):
        raise _wrong(document, place, "tissues is no list", found, 'as tissues = ["bone marrow"]')
    for name in found:
        if name not in SOURCES:
            raise _wrong(document, place, "unknown source of cells", name, ", ".join(SOURCES))
    return tuple(found)


def _known(values: dict[str, Any], keys: Sequence[str], document: Document) -> None:
    for key in values:
        if key not in keys:
            raise _wrong(document, (key,), "unknown key", key, ", ".join(keys))


def _wrong(
    document: Document, path: tuple[str | int, ...], problem: str, found: Any, allowed: Any
) -> Refusal:
    return Refusal(problem, file=document.file, line=document.line(*path), found=found, allowed=allowed)
