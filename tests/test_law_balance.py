"""Cells are counted: what leaves one place arrives in another, and nothing falls below none."""

from __future__ import annotations

import libsbml
import numpy as np
import pytest
from tests.biology_subjects import (
    Subjects,
    Values,
    course,
    model,
    rates,
    sources,
    states_of,
    subjects,
    system,
)

from mesolung.biology.assemble import MODULES, OUTSIDE, merged_text, module_text, read_laws
from mesolung.biology.checks import Text, states_that_could_turn_negative
from mesolung.biology.parameters import read_parameters
from mesolung.biology.statements import read_statements
from mesolung.biology.symbols import find_symbols
from mesolung.engine.evaluate import evaluate

FLUXES = (
    "neutrophil_entry", "neutrophil_apoptosis", "neutrophil_engulfment", "neutrophil_necrosis",
    "monocyte_entry", "macrophage_activation", "macrophage_switch", "resident_activation", "nk_entry",
    "efferocytosis_M0", "efferocytosis_M1", "MSC_trapping", "MSC_release", "MSC_gone",
    "NEU_excess",
)  # fmt: skip
Ill = tuple[Subjects, dict[str, Values]]
EXACT = 1e-9  # of the largest flux


@pytest.fixture(scope="module", params=["covid19-ards", "ards", "sepsis"])
def ill(request: pytest.FixtureRequest) -> Ill:
    people = subjects(request.param, 40, seed=91).with_values(human_effect=1.0, gain_efferocytosis=5.0)
    people = people.with_dose("MSC_blood", 0.1, 96.0)
    return people, dict(course(people, 12, every=0.5, outputs=model().states))


def at(ill: Ill, step: int) -> tuple[dict[str, Values], dict[str, Values]]:
    """Rates of states and values of fluxes, sources and parameters by name; drivers as before the illness."""
    people, run = ill
    states, s = states_of(run, step), system()
    change = rates(states, people.parameters)
    held = sources(people.parameters)
    laws = [s.laws[s.observables.index(name)] for name in FLUXES]
    fluxes = evaluate(s.graph, laws, states, people.parameters, held)
    values = {name: run[name][:, step] for name in model().states}
    values |= dict(zip(FLUXES, fluxes, strict=True))
    values |= {name: held[:, i] for i, name in enumerate(system().constants)}
    values |= {name: people.parameters[:, i] for i, name in enumerate(model().parameters)}
    return {name: change[:, i] for i, name in enumerate(model().states)}, values


def agree(a: Values, b: Values, scale: Values) -> bool:
    return bool((np.abs(a - b) <= EXACT * (scale + 1e-6)).all())


STEPS = (4, 9, 14, 20)


@pytest.mark.parametrize("step", STEPS)
def test_lung_neutrophils_are_those_that_came_less_those_that_died(ill, step: int) -> None:
    change, v = at(ill, step)
    came = v["src_NEU"] + v["neutrophil_entry"]
    assert agree(change["NEU"], came - v["neutrophil_apoptosis"], came)
    assert step != 14 or v["neutrophil_entry"].max() > 1e-5
    # The apoptotic ones above those of health lie in the lung until they are engulfed or burst.
    dying = v["neutrophil_apoptosis"] * v["NEU_excess"] / v["NEU"]
    gone = v["neutrophil_engulfment"] + v["neutrophil_necrosis"]
    assert agree(change["NEU_dying"], dying - gone, dying + gone)


@pytest.mark.parametrize("step", STEPS)
def test_what_enters_the_lung_has_left_the_blood(ill, step: int) -> None:
    people, run = ill
    _, v = at(ill, step)
    stopped = people.with_values(neutrophil_influx=0.0, monocyte_influx=0.0, nk_influx=0.0)
    states = states_of(run, step)
    moved = rates(states, people.parameters) - rates(states, stopped.parameters)
    for blood, lung, flux in (
        ("NEU_blood", "NEU", "neutrophil_entry"),
        ("MONO", "M0", "monocyte_entry"),
        ("NK_blood", "NK", "nk_entry"),
    ):
        left, came = (moved[:, model().states.index(name)] for name in (blood, lung))
        assert agree(-left, v[flux], v[flux]), blood
        assert agree(came, v[flux], v[flux]), lung


@pytest.mark.parametrize("step", STEPS)
def test_macrophages_change_kind_and_not_number(ill, step: int) -> None:
    change, v = at(ill, step)
    total = sum((change[name] for name in ("M0", "M1", "M2")), np.zeros_like(change["M0"]))
    came = v["src_M0"] + v["src_M1"] + v["src_M2"] + v["monocyte_entry"] + v["resident_activation"]
    lost = v["k_macrophage"] * (v["M0"] + v["M1"] + v["M2"])
    assert agree(total, came - lost, came + lost)
    assert agree(change["AM"], v["k_AM"] * (v["AM_healthy"] - v["AM"]) - v["resident_activation"], v["AM"])
    taken = v["macrophage_activation"] + v["efferocytosis_M0"] + v["k_macrophage"] * v["M0"]
    assert agree(change["M0"], v["src_M0"] + v["monocyte_entry"] - taken, taken + v["monocyte_entry"])


@pytest.mark.parametrize("step", STEPS)
def test_given_cells_are_living_dying_or_gone(ill, step: int) -> None:
    change, v = at(ill, step)
    # Hours lived and what is remembered are of the cells that stand in the other states.
    label = [n for n in change if n.startswith(("MSC_", "MARK_")) and n not in ("MSC_hours", "MSC_memory")]
    flows = np.stack([change[name] for name in label], -1)
    assert agree(flows.sum(-1), np.zeros(40), np.abs(flows).sum(-1))
    assert step < 9 or v["MSC_gone"].min() > 0.0


def test_no_state_can_turn_negative() -> None:
    """Proved from the laws: where a state is 0 and the others are not negative, its rate is not either."""
    import antimony

    table = read_parameters()
    texts = {name: module_text(name) for name in MODULES}
    statements = read_statements(texts)
    antimony.clearPreviousLoads()
    assert antimony.loadAntimonyString(merged_text(table, texts)) >= 0
    document = libsbml.readSBMLFromString(antimony.getSBMLString("mesolung_acute"))
    text = Text(statements, table, find_symbols(statements, table), OUTSIDE)
    assert states_that_could_turn_negative(text, read_laws(document.getModel())) == ()
