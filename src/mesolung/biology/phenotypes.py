"""Phenotypes: classes of subjects that are read from biomarkers at a moment and change with time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from mesolung.reading import read_table

COLUMNS = ("name", "label", "observable", "threshold", "diseases", "meaning", "source")


@dataclass(frozen=True)
class Phenotype:
    """A row of ``phenotypes.csv``.

    Attributes:
        name, label: as study files and as people write it.
        observable: model output that decides.
        threshold: a subject is of the class while the output is above it, in the output's unit.
        diseases: diseases whose subjects have the class or have it not.
        meaning, source: what the class is and where its definition comes from.
    """

    name: str
    label: str
    observable: str
    threshold: float
    diseases: tuple[str, ...]
    meaning: str
    source: str


@cache
def phenotypes() -> Mapping[str, Phenotype]:
    """Read ``phenotypes.csv``: name -> row.

    Raises:
        Refusal: for a table that cannot be read.
    """
    found = {}
    for row in read_table(files("mesolung.biology") / "phenotypes.csv", COLUMNS):
        found[row["name"]] = Phenotype(
            name=row["name"],
            label=row["label"],
            observable=row["observable"],
            threshold=float(row["threshold"]),
            diseases=tuple(part.strip() for part in row["diseases"].split(";")),
            meaning=row["meaning"],
            source=row["source"],
        )
    return MappingProxyType(found)


def phenotypes_of(diseases: Iterable[str]) -> dict[str, Phenotype]:
    """Find the phenotypes that subjects of all of some diseases have.

    Arguments:
        diseases: names.

    Returns:
        name -> row.
    """
    wanted = tuple(diseases)
    return {name: row for name, row in phenotypes().items() if all(d in row.diseases for d in wanted)}
