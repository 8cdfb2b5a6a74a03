"""The pathway map shows the model's own laws, completely, and can be read."""

from __future__ import annotations

import re
from itertools import combinations, pairwise
from pathlib import Path
from xml.etree import ElementTree as ET

import antimony
import numpy as np
import pytest
import roadrunner

from mesolung.biology import Assembled, assemble
from mesolung.biology.dependencies import BOTH, LOWERS, RAISES, Dependency, dependencies
from mesolung.biology.export import sbml_of
from mesolung.biology.laws import ModelText, laws_of, read_laws
from mesolung.biology.pathway import pathway_map, pathways
from mesolung.biology.pathway_grid import EMPTY, arranged
from mesolung.biology.pathway_layout import A3, Box, Layout, layout
from mesolung.biology.pathway_style import SMALL_SIZE
from mesolung.biology.pathway_words import short_words
from mesolung.reading import Refusal

SVG = "{http://www.w3.org/2000/svg}"
SMALLEST_LETTER_MM = 1.6


@pytest.fixture(scope="module")
def edges() -> tuple[Dependency, ...]:
    return dependencies(assemble())


@pytest.fixture(scope="module")
def picture() -> ET.Element:
    return ET.fromstring(pathway_map("ards"))


def toy(text: str, states: tuple[str, ...]) -> tuple[Dependency, ...]:
    antimony.clearPreviousLoads()
    assert antimony.loadAntimonyString(f"model toy()\n{text}\nend\n") >= 0, antimony.getLastError()
    return dependencies(Assembled(str(antimony.getSBMLString("toy")), text, (), states, ""))


def test_the_stored_picture_is_that_of_the_model(root: Path) -> None:
    """After a change of the modules: python tools/pathways.py."""
    assert (root / "docs" / "images" / "pathways.svg").read_text(encoding="utf-8") == pathway_map("ards")


def test_signs_are_those_of_the_derivatives() -> None:
    found = toy(
        """
        A = 0; B = 0; C = 0; D = 0; k = 2; K = 3; A has dimensionless; B has dimensionless;
        C has dimensionless; D has dimensionless; h = 0.5; lag := C / (K + C);
        A' = k * B - k * A; B' = max(0, A - h) * exp(-D / K) - lag * B; C' = (1 - A) * B - C^2;
        D' = piecewise(A, B > h, C) / sqrt(1 + B);
        """,
        ("A", "B", "C", "D"),
    )
    signs = {(e.source, e.target): e.sign for e in found}
    assert signs == {
        ("B", "A"): RAISES,
        ("A", "B"): RAISES,
        ("C", "B"): LOWERS,
        ("D", "B"): LOWERS,
        ("A", "C"): LOWERS,
        ("B", "C"): RAISES,
        ("A", "D"): RAISES,
        ("B", "D"): LOWERS,
        ("C", "D"): RAISES,
    }
    assert {e.through for e in found if e.source == "C" and e.target == "B"} == {("lag",)}


def test_an_influence_of_either_sign_is_neither() -> None:
    found = toy("A = 0; B = 0; B has dimensionless; A' = (0.5 - B)^2; B' = 1 - B;", ("A", "B"))
    assert [(e.source, e.target, e.sign) for e in found] == [("B", "A", BOTH)]


def test_every_dependency_of_the_text_is_a_line_and_no_other(edges: tuple[Dependency, ...]) -> None:
    """Against the names in the modules' text, read without libSBML."""
    text = read_laws()
    expected = {(s, t) for t in text.states for s in reached(t, text) if s != t}
    assert {(e.source, e.target) for e in edges} == expected


def reached(state: str, text: ModelText) -> set[str]:
    starts = {law.name: law for law in text.laws if law.kind == "value" and law.name not in text.states}
    law = text.law(state)
    assert law is not None
    names, found = list(law.names), set()
    while names:
        name = names.pop()
        if name in text.states:
            found.add(name)
        elif (inner := text.law(name) or starts.get(name)) is not None:
            names += inner.names
    return found


def test_signs_hold_along_a_course(edges: tuple[Dependency, ...]) -> None:
    """Against differences of the rates that another simulator computes, at days of a course of ARDS."""
    simulator = roadrunner.RoadRunner(sbml_of("ards"))
    states = read_laws().states
    simulator.integrator.setValue("absolute_tolerance", [1e-9] * len(states))

    def rates() -> dict[str, float]:
        return {state: float(np.real(simulator.getValue(f"{state}'"))) for state in states}

    right = wrong = 0
    for day in (1.0, 3.0, 7.0, 14.0):
        simulator.simulate(simulator.model.getTime(), day * 24.0, 2)
        before = rates()
        for source in states:
            value = simulator.getValue(source)
            simulator.setValue(source, value + 1e-4 * max(abs(value), 1e-3))
            after = rates()
            simulator.setValue(source, value)
            for e in (e for e in edges if e.source == source and e.sign != BOTH):
                change = after[e.target] - before[e.target]
                if abs(change) > 1e-8 * abs(before[e.target]) + 1e-15:
                    agrees = (change > 0.0) == (e.sign == RAISES)
                    right, wrong = right + agrees, wrong + (not agrees)
    assert right > 100 and right / (right + wrong) > 0.95, f"{right} right, {wrong} wrong"


def test_every_state_and_every_line_is_drawn(picture: ET.Element, edges: tuple[Dependency, ...]) -> None:
    shapes = {g.get("id", "") for g in picture.iter(f"{SVG}g")} - {""}
    assert shapes == {f"s-{state}" for state in read_laws().states}
    lines = [p.get("class", "") for p in picture.iter(f"{SVG}path")]
    drawn = {m.groups() for line in lines if (m := re.search(r"f-(\w+) t-(\w+)", line))}
    assert drawn == {(e.source, e.target) for e in edges}
    named = {text.text for text in picture.iter(f"{SVG}text")}
    assert {node.module for node in pathways().nodes.values()} <= named


def test_what_acts_from_another_module_is_written_below_the_state(picture: ET.Element) -> None:
    map_ = pathways("ards")
    for g in picture.iter(f"{SVG}g"):
        name = g.get("id", "").removeprefix("s-")
        if name not in map_.nodes:
            continue
        said = {span.text or "" for span in g.iter(f"{SVG}tspan")}
        outside = [e.source for e in map_.edges if e.target == name]
        outside = [s for s in outside if map_.nodes[s].module != map_.nodes[name].module]
        acting = {word[1:] for word in said}
        short = acting & map_.shorthands.keys()
        told = (acting - short).union(*(map_.shorthands[rule] for rule in short))
        assert told == {*outside, *map_.nodes[name].drivers}


def test_a_rule_stands_for_its_states_only_where_all_of_them_act_alike() -> None:
    known = {"all": ("A", "B", "C"), "some": ("B", "D")}

    def words(**signs: str) -> list[tuple[str, str, bool]]:
        acting = [Dependency(source, "T", sign, False, ()) for source, sign in signs.items()]
        return short_words(acting, known)

    assert words(A=RAISES, B=RAISES, C=RAISES, E=LOWERS) == [("all", RAISES, True), ("E", LOWERS, False)]
    assert words(A=RAISES, B=LOWERS, C=RAISES) == [
        ("A", RAISES, False), ("B", LOWERS, False), ("C", RAISES, False),
    ]  # fmt: skip
    assert words(A=RAISES, B=RAISES) == [("A", RAISES, False), ("B", RAISES, False)]
    assert words(B=LOWERS, D=LOWERS) == [("some", LOWERS, True)]


def test_the_legend_says_what_a_rule_stands_for(picture: ET.Element) -> None:
    said = ["".join(text.itertext()) for text in picture.iter(f"{SVG}text")]
    for rule, states in pathways().shorthands.items():
        assert len(states) > 1 and f"{rule} {' '.join(states)}" in said


@pytest.fixture(scope="module")
def places() -> Layout:
    map_ = pathways("ards")
    members: dict[str, list[str]] = {}
    for node in map_.nodes.values():
        members.setdefault(node.module, []).append(node.name)
    lines = {name: 1 + k % 6 for k, name in enumerate(map_.nodes)}
    return layout(members, lines, [(e.source, e.target) for e in map_.edges])


def test_nothing_lies_on_anything_else(places: Layout) -> None:
    assert not [
        (a, b) for a, b in combinations(places.modules, 2) if overlap(places.modules[a], places.modules[b])
    ]
    assert not [(a, b) for a, b in combinations(places.nodes, 2) if overlap(places.nodes[a], places.nodes[b])]
    for name, node in pathways().nodes.items():
        box, module = places.nodes[name], places.modules[node.module]
        assert module.x <= box.x and box.x + box.w <= module.x + module.w
        assert module.y <= box.y and box.y + box.h + box.below <= module.y + module.h
    for box in places.modules.values():
        assert box.x >= 0.0 and box.x + box.w <= places.width and box.y + box.h <= places.legend.y


def overlap(a: Box, b: Box) -> bool:
    return a.x < b.x + b.w and b.x < a.x + a.w and a.y < b.y + b.h + b.below and b.y < a.y + a.h + a.below


def test_the_small_print_can_be_read_on_a3(picture: ET.Element) -> None:
    _, _, width, height = map(float, picture.get("viewBox", "").split())
    assert width / height == pytest.approx(A3[0] / A3[1], rel=0.01)
    assert SMALL_SIZE * A3[0] / width >= SMALLEST_LETTER_MM


def test_drivers_are_marked_where_they_enter() -> None:
    nodes = pathways("ards").nodes
    assert "insult_epithelium" not in nodes["VIR"].drivers
    assert "BAC" in nodes["BAC"].drivers and nodes["OFX"].drivers == ("rate_OFX",)
    assert not any(node.drivers for node in pathways("healthy").nodes.values())
    assert "»" not in pathway_map("healthy") and "»" in pathway_map("ards")
    assert not any("BAC" in node.drivers for node in pathways("ards", "indirect").nodes.values())


def test_an_unknown_group_or_disease_is_refused() -> None:
    with pytest.raises(Refusal, match="unknown disease"):
        pathway_map("gout")
    with pytest.raises(Refusal, match="unknown group"):
        pathway_map("ards", "gout")


def test_neighbours_stand_together() -> None:
    chain = [f"s{k}" for k in range(9)]
    shuffled = [chain[(5 * k) % 9] for k in range(9)]
    pairs = list(pairwise(chain))
    grid = arranged(shuffled, pairs, 3)
    place = {state: (r, c) for r, row in enumerate(grid) for c, state in enumerate(row)}
    plain = {state: divmod(k, 3) for k, state in enumerate(shuffled)}

    def length(where: dict[str, tuple[int, int]]) -> float:
        return sum(abs(where[a][0] - where[b][0]) + abs(where[a][1] - where[b][1]) for a, b in pairs)

    assert sorted(place) == sorted(chain)
    assert length(place) < length(plain)
    assert arranged(["a", "b", "c"], [], 2) == [["a", "b"], ["c", EMPTY]]


def test_laws_are_read_with_their_lines() -> None:
    text = laws_of(
        {
            "m": "// Head of the module.\n// Second line.\nA = 1; A has pM;   // a thing\n\n// why\n"
            "f := 2 dimensionless * A \\\n     + exp(k_f * 1e-3 pM); f has pM;\n"
            'A\' = f - end_of; A is "thing";\n'
            "gone: at (A < A_least): A = 0 pM;\n"
        }
    )
    assert text.headers == {"m": "Head of the module. Second line."}
    law = text.law("f")
    assert law is not None
    assert (law.first, law.last, law.names, law.above) == (6, 7, ("A", "k_f"), "why")
    assert law.place == "modules/m.ant:6-7"
    rate = text.law("A")
    assert rate is not None and rate.names == ("f", "end_of")
    assert text.meanings["A"] == "thing" and text.units == {"A": "pM", "f": "pM"}
    assert [law.name for law in text.uses("A_least")] == ["gone"]
    assert text.states == ("A",) and text.observables == ("f",)
