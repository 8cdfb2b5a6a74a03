"""The pathway map: states and what acts on them, read from the model's own laws, as one SVG picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mesolung.biology.annotations import read_annotations
from mesolung.biology.assemble import assemble
from mesolung.biology.dependencies import Dependency, dependencies
from mesolung.biology.disease import Disease, read_disease
from mesolung.biology.laws import ModelText, read_laws
from mesolung.biology.meanings import meaning_of
from mesolung.biology.parameters import read_parameters
from mesolung.biology.pathway_words import shorthands
from mesolung.reading import Refusal

CELL, MOLECULE, PATHOGEN, TISSUE, DRUG, MEASURE = "cell", "molecule", "pathogen", "tissue", "drug", "measure"
KINDS = (CELL, MOLECULE, PATHOGEN, TISSUE, DRUG, MEASURE)
_OF_VOCABULARY = {"CL": CELL, "uniprot": MOLECULE, "CHEBI": MOLECULE, "GO": MOLECULE, "taxonomy": PATHOGEN}
_OF_UNIT = {
    "Gcell": CELL,
    "pM": MOLECULE,
    "uM": MOLECULE,
    "Gparticle": MOLECULE,
    "MCFU": PATHOGEN,
    "Gcopy": PATHOGEN,
}
_DRUGS = "drugs"
_TISSUE_MODULE = "barrier"


@dataclass(frozen=True)
class Node:
    """A state on the map.

    Attributes:
        name, module: as in the model.
        kind: one of `KINDS`.
        meaning, unit: in words.
        place: file and lines of its rate law.
        drivers: drivers of the disease that enter its rate law or add to it.
    """

    name: str
    module: str
    kind: str
    meaning: str
    unit: str
    place: str
    drivers: tuple[str, ...]


@dataclass(frozen=True)
class Pathways:
    """What the map shows.

    Attributes:
        title: one line.
        nodes: state -> node, in the model's order.
        edges: dependencies, by target.
        headers: module -> its first sentence.
        shorthands: rule -> states for whose names its own stands.
    """

    title: str
    nodes: Mapping[str, Node]
    edges: tuple[Dependency, ...]
    headers: Mapping[str, str]
    shorthands: Mapping[str, tuple[str, ...]]


def pathway_map(disease: str = "healthy", group: str | None = None) -> str:
    """Draw the map.

    Arguments:
        disease: whose drivers are marked.
        group: only the drivers of everybody and of this group; None for those of all groups.

    Returns:
        SVG text; the same for the same model.

    Raises:
        Refusal: for an unknown disease or group.
    """
    from mesolung.biology.pathway_drawing import drawn

    return drawn(pathways(disease, group))


def pathways(disease: str = "healthy", group: str | None = None) -> Pathways:
    """Collect what the map shows; see `pathway_map` for arguments and errors."""
    chosen = read_disease(disease)
    text, table = read_laws(), read_parameters()
    entering = _drivers(text, _targets(chosen, group))
    nodes = {}
    for state in text.states:
        law = text.law(state)
        assert law is not None
        nodes[state] = Node(
            name=state,
            module=law.module,
            kind=kind_of(state, law.module, text.units.get(state, "")),
            meaning=meaning_of(state, text, table),
            unit=text.units.get(state, ""),
            place=law.place,
            drivers=entering.get(state, ()),
        )
    title = f"{len(nodes)} states of the model"
    if entering:
        title += f" and where the drivers of {chosen.label}" + (f" ({group})" if group else "") + " enter"
    headers = {module: header.split(". ")[0].rstrip(".") for module, header in text.headers.items()}
    return Pathways(title, nodes, dependencies(assemble()), headers, shorthands(text))


def kind_of(state: str, module: str, unit: str) -> str:
    """Tell what kind of thing a state is.

    Arguments:
        state: its name, looked up in the annotations first.
        module: the module that holds it.
        unit: id of its unit, which decides where the annotations do not.

    Returns:
        one of `KINDS`.
    """
    if module == _DRUGS:
        return DRUG
    for row in read_annotations().get(state, ()):
        if row.qualifier in ("is", "isVersionOf", "hasPart", "hasVersion"):
            collection = row.identifier.split(":")[0]
            if unit == "dimensionless" and module == _TISSUE_MODULE:
                return TISSUE
            return _OF_VOCABULARY.get(collection, TISSUE)
    if module == _TISSUE_MODULE:
        return TISSUE
    return _OF_UNIT.get(unit, MEASURE)


def _targets(disease: Disease, group: str | None) -> tuple[str, ...]:
    names = [name for name, _ in disease.groups]
    if group is not None and group not in names:
        allowed = ", ".join(names) or "none, the disease has no groups"
        raise Refusal(f"unknown group of {disease.name}", found=group, allowed=allowed)
    return tuple(dict.fromkeys(d.target for d in disease.drivers if group is None or d.group in ("", group)))


def _drivers(text: ModelText, targets: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """State -> drivers that are added to it, or that its rate law names, itself or through rules.

    The way ends at other states, so that only where a driver enters is marked, not what follows from it.
    """
    entering: dict[str, list[str]] = {}
    for target in targets:
        if target in text.states:
            entering.setdefault(target, []).append(target)
            continue
        names, seen = [target], {target}
        while names:
            for law in text.uses(names.pop()):
                if law.name in text.states:
                    entering.setdefault(law.name, []).append(target)
                elif law.name not in seen and law.name in text.observables:
                    seen.add(law.name)
                    names.append(law.name)
    return {state: tuple(dict.fromkeys(found)) for state, found in entering.items()}
