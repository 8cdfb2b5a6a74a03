"""Endpoints of animal experiments and of lungs out of the body: how each is read from the model's outputs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from mesolung.biology.animal_disease import animal_diseases
from mesolung.biology.columns import names_of, number_of, one_of, text_of, wrong
from mesolung.biology.tables import ON, RULES, Endpoint
from mesolung.reading import read_table
from mesolung.study.possible import endpoint_where

COLUMNS = ("name", "kinds", "diseases", "rule", "outputs", "above", "meaning")
HEALTHY = "healthy"
# Kinds of studies whose subjects the experimenter injures.
EXPERIMENTS = ("animal", "ex-vivo")
EVERY = "every"


@dataclass(frozen=True)
class Reading:
    """A row of ``animal_endpoints.csv``.

    Attributes:
        kinds: of studies that have it.
        diseases: that have it.
        rule: how it is read off a course.
        outputs: of the model that it is read from.
        above: level from which a yes or no is a yes; empty where there is none.
        meaning: what it stands for there.
    """

    kinds: tuple[str, ...]
    diseases: tuple[str, ...]
    rule: str
    outputs: tuple[str, ...]
    above: tuple[float, ...]
    meaning: str


@cache
def readings() -> Mapping[str, Reading]:
    """Read ``animal_endpoints.csv``: endpoint -> row; Refusal for a table that cannot be used."""
    found: dict[str, Reading] = {}
    for row in read_table(files("mesolung.biology") / "animal_endpoints.csv", COLUMNS):
        name = text_of(row, "name")
        if name in found:
            raise wrong(row, "name", "stands twice")
        kinds = names_of(row, "kinds")
        if not set(kinds) <= set(EXPERIMENTS):
            raise wrong(row, "kinds", f"are not among {', '.join(EXPERIMENTS)}")
        whose = (*animal_diseases(), HEALTHY) if row["diseases"] == EVERY else names_of(row, "diseases")
        if not set(whose) <= {*animal_diseases(), HEALTHY}:
            raise wrong(row, "diseases", "hold one that no experiment sets")
        level = number_of(row, "above")
        rule = one_of(row, "rule", RULES)
        outputs = names_of(row, "outputs") if row["outputs"] else ()
        above = (ON if level is None else level,) if rule == "present" else ()
        found[name] = Reading(kinds, whose, rule, outputs, above, text_of(row, "meaning"))
    return MappingProxyType(found)


def animal_endpoint(name: str, disease_names: Iterable[str], species: str, kind: str) -> Endpoint | None:
    """Find an endpoint that the model serves in an experiment.

    Arguments:
        name: of the endpoint.
        disease_names, species: of the study.
        kind: of the study.

    Returns:
        its row, with the outputs that it is read from; None where the model does not serve it there.
    """
    row, wanted = readings().get(name), tuple(disease_names)
    if row is None or kind not in row.kinds or not set(wanted) <= set(row.diseases):
        return None
    known = endpoint_where(name, wanted, species, kind)
    if known is None:
        return None
    return replace(known, rule=row.rule, outputs=row.outputs, above=row.above)
