"""What the names of the model are in public vocabularies: MIRIAM annotations, by identifiers.org address."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from mesolung.reading import Refusal, read_table

COLUMNS = ("name", "qualifier", "resource", "label")
# The biology qualifiers of MIRIAM that the table uses; "none" stands, with the reason, where nothing fits.
QUALIFIERS = ("is", "isVersionOf", "hasVersion", "hasPart", "occursIn", "hasProperty", "hasTaxon", "none")
HOST = "https://identifiers.org/"
FORMS = {
    "cell type": r"CL:\d{7}",
    "anatomy": r"UBERON:\d{7}",
    "protein": r"uniprot:[OPQ]\d[A-Z\d]{3}\d",
    "chemical": r"CHEBI:\d+",
    "drug": r"drugbank:DB\d{5}",
    "part of the cell": r"GO:\d{7}",
    "organism": r"taxonomy:\d+",
    "disease": r"MONDO:\d{7}",
}
MODEL = "model"
DISEASE = "disease:"


@dataclass(frozen=True)
class Annotation:
    """One thing that a vocabulary says about a name.

    Attributes:
        qualifier: how the name and the resource are related, one of `QUALIFIERS`.
        resource: address of the entry, empty for "none".
        label: what the vocabulary calls it; for "none" the reason.
    """

    qualifier: str
    resource: str
    label: str

    @property
    def identifier(self) -> str:
        """The entry without the host, as "CL:0000775"; empty for "none"."""
        return self.resource.removeprefix(HOST)


@cache
def read_annotations() -> Mapping[str, tuple[Annotation, ...]]:
    """Read the annotations of the package.

    Returns:
        name -> annotations in the order of ``annotations.csv``. A name is a state or observable, "model", or
        "disease:" with a disease's name.

    Raises:
        Refusal: for a qualifier or an address that cannot be used.
    """
    found: dict[str, list[Annotation]] = {}
    for row in read_table(files("mesolung.biology") / "annotations.csv", COLUMNS):
        annotation = Annotation(row["qualifier"], row["resource"], row["label"])
        if annotation.qualifier not in QUALIFIERS:
            raise _refusal("the qualifier is unknown", row.line, annotation.qualifier, ", ".join(QUALIFIERS))
        if not annotation.label or not _well_formed(annotation):
            raise _refusal(
                "the resource cannot be used", row.line, annotation.resource, HOST + "COLLECTION:ID"
            )
        found.setdefault(row["name"], []).append(annotation)
    return MappingProxyType({name: tuple(rows) for name, rows in found.items()})


def _well_formed(annotation: Annotation) -> bool:
    if annotation.qualifier == "none":
        return not annotation.resource
    return annotation.resource.startswith(HOST) and any(
        re.fullmatch(form, annotation.identifier) for form in FORMS.values()
    )


def _refusal(problem: str, line: int, found: str, allowed: str) -> Refusal:
    return Refusal(problem, file="annotations.csv", line=line, found=found, allowed=allowed)
