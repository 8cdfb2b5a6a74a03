"""Assays of a lot: which property each tells of, how far it varies between lots, how weakly it is linked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from mesolung.biology.columns import named_rows, one_of, required_of, text_of, wrong
from mesolung.biology.parameters import GRADES
from mesolung.reading import Row

COLUMNS = ("name", "about", "scale", "sense", "spread", "link", "source", "grade", "meaning")
SCALES = ("log", "logit")
# Properties of a lot that an assay or an intervention may move, by the model's own parameter.
PROPERTIES: Mapping[str, str] = {
    "potency": "product_potency",
    "licensing": "product_licensing",
    "procoagulant": "product_procoagulant",
    "size": "product_size",
    "loss": "product_loss",
    "efferocytosis": "product_efferocytosis",
    "mito": "product_mito",
    "contact": "product_contact",
    "hla": "product_hla",
    "homing": "homing_retention",
    "engraftment": "k_engraft",
}


@dataclass(frozen=True)
class Assay:
    """A row of ``assays.csv``.

    Attributes:
        about: the property, a key of `PROPERTIES`.
        scale: "log", or "logit" of a reading that is a share.
        sense: 1 where a higher reading means more of the property, -1 where less.
        spread: SD of readings between lots, on the scale.
        link: correlation of a reading without error with the property in the body.
        source, grade, meaning: where it comes from.
    """

    about: str
    scale: str
    sense: float
    spread: float
    link: float
    source: str
    grade: str
    meaning: str


@cache
def assays() -> Mapping[str, Assay]:
    """Read ``assays.csv``: name -> row.

    Raises:
        Refusal: for a table that cannot be used.
    """
    return named_rows(files("mesolung.product") / "assays.csv", COLUMNS, _assay)


def _assay(row: Row) -> Assay:
    sense, link = required_of(row, "sense"), required_of(row, "link")
    if sense not in (-1.0, 1.0):
        raise wrong(row, "sense", "is neither 1 nor -1")
    if not 0.0 <= link < 1.0:
        raise wrong(row, "link", "is no correlation below 1")
    return Assay(
        one_of(row, "about", PROPERTIES),
        one_of(row, "scale", SCALES),
        sense,
        required_of(row, "spread"),
        link,
        text_of(row, "source"),
        one_of(row, "grade", GRADES),
        text_of(row, "meaning"),
    )
