"""Phenotypes: classes of subjects that are read from biomarkers at a moment and change with time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from mesolung.biology.columns import named_rows, names_of, required_of, text_of
from mesolung.reading import Row

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
        Refusal: for a table that cannot be used.
    """
    return named_rows(files("mesolung.biology") / "phenotypes.csv", COLUMNS, _phenotype)


def _phenotype(row: Row) -> Phenotype:
    return Phenotype(
        name=row["name"],
        label=text_of(row, "label"),
        observable=text_of(row, "observable"),
        threshold=required_of(row, "threshold"),
        diseases=names_of(row, "diseases"),
        meaning=text_of(row, "meaning"),
        source=text_of(row, "source"),
    )


def phenotypes_of(diseases: Iterable[str]) -> dict[str, Phenotype]:
    """Find the phenotypes that subjects of all of some diseases have.

    Arguments:
        diseases: names.

    Returns:
        name -> row.
    """
    wanted = tuple(diseases)
    return {name: row for name, row in phenotypes().items() if all(d in row.diseases for d in wanted)}
