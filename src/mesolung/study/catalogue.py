"""The published studies that the package ships: what there is, where it stands, and what may be fitted to."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType

from mesolung.reading import Refusal, read_table

CATALOGUE = "catalogue.csv"
CATALOGUE_COLUMNS = (
    "name", "folder", "title", "kind", "disease", "species", "observations", "numbers", "sources",
)  # fmt: skip
SPLIT_COLUMNS = ("study", "observation", "kind", "relation", "group", "key")
FOLDERS = (
    "trials", "usual-care", "natural-history", "drugs", "animals", "in-vitro", "endotoxin", "viral-load",
    "fate",
)  # fmt: skip
NEAREST = 3


@dataclass(frozen=True)
class Entry:
    """A published study as a file of the package.

    Attributes:
        name: of the file without its ending; unique.
        folder: which kind of evidence it is, one of `FOLDERS`.
        title: the study's own name.
        kind: of the study file: trial, animal, ex-vivo or in-vitro.
        disease: of the study file; empty for an assay without one.
        species: of the study file.
        observations: how many it holds.
        numbers: how many of them are a number with its n or spread, which can be scored as such.
        sources: publications or addresses that its observations name, sorted.
    """

    name: str
    folder: str
    title: str
    kind: str
    disease: str
    species: str
    observations: int
    numbers: int
    sources: tuple[str, ...]

    @property
    def path(self) -> Path:
        """The study file."""
        return place() / self.folder / f"{self.name}.toml"


def place() -> Path:
    """Find the folder of the shipped evidence.

    Returns:
        its path in the installed package.
    """
    return Path(str(files("mesolung.study") / "evidence"))


@cache
def entries() -> tuple[Entry, ...]:
    """List the shipped studies.

    Returns:
        all of them, sorted by name.

    Raises:
        Refusal: for a list that cannot be used.
    """
    return tuple(
        Entry(
            name=row["name"],
            folder=row["folder"],
            title=row["title"],
            kind=row["kind"],
            disease=row["disease"],
            species=row["species"],
            observations=int(row["observations"]),
            numbers=int(row["numbers"]),
            sources=tuple(row["sources"].split("; ")) if row["sources"] else (),
        )
        for row in read_table(place() / CATALOGUE, CATALOGUE_COLUMNS)
    )


def entry(name: str) -> Entry:
    """Find a shipped study.

    Arguments:
        name: of its file, without the ending.

    Returns:
        the study.

    Raises:
        Refusal: when there is none of that name, with the nearest ones.
    """
    known = _by_name()
    if name in known:
        return known[name]
    near = get_close_matches(name.lower(), known, n=NEAREST, cutoff=0.5)
    raise Refusal(
        "no such study among the evidence",
        found=name,
        allowed=", ".join(near) if near else "mesolung evidence lists them",
    )


@cache
def _by_name() -> Mapping[str, Entry]:
    return MappingProxyType({one.name: one for one in entries()})


def selected(disease: str | None = None, kind: str | None = None) -> tuple[Entry, ...]:
    """List the shipped studies of a disease or of a kind.

    Arguments:
        disease: as study files name it; None for any.
        kind: of evidence, as `FOLDERS`, or of the study file; None for any.

    Returns:
        the studies, sorted by name.

    Raises:
        Refusal: for a disease or kind that no shipped study has.
    """
    found = entries()
    if disease is not None:
        _check("disease", disease, {one.disease for one in found} - {""})
        found = tuple(one for one in found if one.disease == disease)
    if kind is not None:
        _check("kind", kind, {k for one in entries() for k in (one.folder, one.kind)})
        found = tuple(one for one in found if kind in (one.folder, one.kind))
    return found


def _check(what: str, name: str, known: set[str]) -> None:
    if name not in known:
        raise Refusal(f"no evidence of this {what}", found=name, allowed=", ".join(sorted(known)))


def groups(name: str) -> tuple[str, ...]:
    """Tell what each observation of a shipped study may be used for.

    Arguments:
        name: of the study.

    Returns:
        a group for each observation, in the file's order: "fit" for what parameters may be tuned to; "unseen"
        for what the tuner never sees, a third of the relations of animals and assays; "loo:NAME" for a trial
        of cells or vesicles in humans, which is left out whole when it is scored.

    Raises:
        Refusal: when there is no study of that name, or the split cannot be used.
    """
    return _split()[entry(name).name]


def split_sha256() -> str:
    """Compute the hash by which the split is known.

    Returns:
        SHA-256 of ``split.csv``.
    """
    return hashlib.sha256((place() / "split.csv").read_bytes()).hexdigest()


@cache
def _split() -> Mapping[str, tuple[str, ...]]:
    stored = json.loads((place() / "split.json").read_text(encoding="utf-8"))["sha256"]
    if split_sha256() != stored:
        raise Refusal(
            "the split of the evidence is not the one that was drawn",
            file=place() / "split.csv",
            found=split_sha256(),
            allowed=stored,
        )
    found: dict[str, list[str]] = {}
    for row in read_table(place() / "split.csv", SPLIT_COLUMNS):
        found.setdefault(row["study"], []).append(row["group"])
    return MappingProxyType({name: tuple(of) for name, of in found.items()})
