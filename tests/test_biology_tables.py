"""The model's text and its tables agree: every parameter, unit, endpoint and driver."""

from __future__ import annotations

import re
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import libsbml
import numpy as np
import pytest
from tests.biology_subjects import model, sbml

from mesolung.biology.assemble import (
    MODULES,
    OUTSIDE,
    AssemblyError,
    assemble,
    consistency_problems,
    module_text,
    unit_id,
)
from mesolung.biology.disease import diseases, read_disease
from mesolung.biology.parameters import COLUMNS, Parameters, read_parameters
from mesolung.biology.tables import endpoints
from mesolung.reading import Refusal

Unit = dict[str, int]
# The same quantity under two names: mass concentration, and counts per volume of lining fluid.
SAME = {"pg/mL": {"pM": 1, "kDa": 1}, "cells": {"cell": 1}}


def names_in(name: str) -> set[str]:
    text = re.sub(r"//.*|\"[^\"]*\"", "", module_text(name))
    return set(re.findall(r"[A-Za-z_]\w*", text))


def test_every_parameter_of_the_table_is_used_and_every_used_one_stands_in_it() -> None:
    used = set().union(*(names_in(name) for name in MODULES if name != "units"))
    table = {row.id for row in read_parameters() if row.module not in OUTSIDE}
    assert table <= used
    assert set(model().parameters) == table


def test_every_row_says_where_it_comes_from() -> None:
    for row in read_parameters():
        assert re.match(r"(assumed|seen|derived): \S", row.source), row.id
        if row.source.startswith("assumed"):
            assert row.grade == "C", row.id
        assert len(row.meaning) > 3, row.id
        assert ".csv" not in row.source, row.id


def test_grades_are_counted_of_rows_that_evidence_can_bear_on() -> None:
    table = read_parameters()
    settings = {row.id for row in table if row.is_setting}
    assert {"antibiotic", "rate_OFX", "age", "age_reference", "copies_in_Gcopy", "product_size"} <= settings
    assert not settings & {"plasma_volume", "BAC_extinct", "frailty", "IL6p_healthy", "human_effect"}
    assert {row.id for row in table.graded} == set(table.ids) - settings
    assert all(row.distribution == "fixed" and not row.between_subject for row in table if row.is_setting)


def test_lots_vary_in_one_place() -> None:
    assert not [row.id for row in read_parameters() if row.between_lot]


def test_product_rows_are_one_and_drivers_are_off() -> None:
    for row in read_parameters():
        if row.module == "product":
            # None of it unless a lot says so; parts add to a whole.
            nothing = ("aggregates", "asleep", "drift", "transformation", "nk")
            none = row.id.removeprefix("product_") in nothing or row.id.startswith("product_tumour_")
            usual = 0.0 if none else 1.0
            assert (row.value, row.distribution) == (usual, "fixed")
        if row.module in ("driver", "background"):
            assert (row.value, row.distribution) == (0.0, "fixed")


def test_libsbml_finds_neither_error_nor_warning() -> None:
    assert consistency_problems(libsbml.readSBMLFromString(sbml())) == []


@pytest.mark.parametrize(
    ("name", "unit"), [("fluid_clearance", "1"), ("IL10_half", "1"), ("mass_IL6", "1"), ("BAC_half", "Gcell")]
)
def test_a_wrong_unit_is_refused(name: str, unit: str) -> None:
    table = read_parameters()
    wrong = Parameters(tuple(replace(row, unit=unit) if row.id == name else row for row in table), "wrong")
    with pytest.raises(AssemblyError):
        assemble(wrong)


def test_a_missing_parameter_is_refused_by_name() -> None:
    table = read_parameters()
    fewer = Parameters(tuple(row for row in table if row.id != "k_trap"), "fewer")
    with pytest.raises(AssemblyError, match="k_trap"):
        assemble(fewer)


def test_assembly_repeats_itself() -> None:
    first, second = assemble(), assemble()
    assert first.sbml == second.sbml
    assert first.model_hash == second.model_hash
    assert set(first.states) == set(model().states)


# libSBML lets some wrong prefixes pass. Here every named unit is a dimension of its own.
def unit_of(text: str) -> Unit:
    if text == "dimensionless":
        return {}
    if text == "Gcell_h":
        return {"Gcell": 1, "h": 1}
    top, *below = re.sub(r"^per_", "dimensionless_per_", text).split("_per_")
    unit: Unit = {} if top == "dimensionless" else {top: 1}
    for part in below:
        unit[part] = unit.get(part, 0) - 1
    if unit.get("pg") == 1 and unit.get("mL") == -1:
        unit = times(unit, {"pM": 1, "kDa": 1, "pg": -1, "mL": 1})
    return plain(unit)


def plain(unit: Unit) -> Unit:
    return {name: power for name, power in unit.items() if power}


def times(a: Unit, b: Unit, power: int = 1) -> Unit:
    return plain({name: a.get(name, 0) + power * b.get(name, 0) for name in {*a, *b}})


def derive(node: libsbml.ASTNode, known: dict[str, Unit]) -> Unit:
    inside = [derive(node.getChild(i), known) for i in range(node.getNumChildren())]
    kind = node.getType()
    if node.isName():
        return known[node.getName()]
    if node.isNumber():
        return unit_of(node.getUnits()) if node.getUnits() else {}
    if kind == libsbml.AST_TIMES:
        total: Unit = {}
        for unit in inside:
            total = times(total, unit)
        return total
    if kind == libsbml.AST_DIVIDE:
        return times(inside[0], inside[1], -1)
    if kind in (libsbml.AST_POWER, libsbml.AST_FUNCTION_POWER):
        if inside[0] == {}:
            assert inside[1] == {}, libsbml.formulaToL3String(node)
            return {}
        power = node.getChild(1).getValue()
        assert power == int(power), libsbml.formulaToL3String(node)
        return plain({name: n * int(power) for name, n in inside[0].items()})
    if kind in (libsbml.AST_FUNCTION_EXP, libsbml.AST_FUNCTION_LN):
        assert inside[0] == {}
        return {}
    assert kind in (libsbml.AST_PLUS, libsbml.AST_MINUS, libsbml.AST_FUNCTION_MAX, libsbml.AST_FUNCTION_MIN)
    assert all(unit == inside[0] for unit in inside), libsbml.formulaToL3String(node)
    return inside[0]


def unit_mistakes(text: str) -> list[str]:
    parsed = libsbml.readSBMLFromString(text).getModel()
    known = {p.getId(): unit_of(p.getUnits()) for p in parsed.getListOfParameters()}
    wrong = []
    laws = [(r.getVariable(), r.getMath(), {"h": -1} if r.isRate() else {}) for r in parsed.getListOfRules()]
    laws += [(a.getSymbol(), a.getMath(), {}) for a in parsed.getListOfInitialAssignments()]
    for name, math, per in laws:
        try:
            if derive(math, known) != times(known[name], per):
                wrong.append(name)
        except AssertionError:
            wrong.append(name)
    return wrong


def test_units_agree_to_the_prefix() -> None:
    assert unit_mistakes(sbml()) == []


@pytest.mark.parametrize(("name", "unit"), [("k_TNF", "1/year"), ("kill_neutrophil", "1/Gcopy/h")])
def test_a_wrong_prefix_is_found(name: str, unit: str) -> None:
    table = read_parameters()
    wrong = Parameters(tuple(replace(row, unit=unit) if row.id == name else row for row in table), "wrong")
    try:
        text = assemble(wrong).sbml
    except AssemblyError:
        return
    assert unit_mistakes(text)


def test_unit_ids_follow_one_rule() -> None:
    assert [unit_id(u) for u in ("1", "1/h", "pM/Gcell/h", "1/Gcopy/h", "mL")] == [
        "dimensionless", "per_h", "pM_per_Gcell_per_h", "per_Gcopy_per_h", "mL",
    ]  # fmt: skip


def test_endpoints_that_the_model_serves_have_their_units() -> None:
    served = set(model().observables) & set(endpoints())
    assert {
        "pf_ratio", "sofa", "oxygenation_index", "compliance", "evlw", "il6", "il8", "il10", "tnf",
        "viral_load", "bacterial_load", "m2_fraction", "bal_neutrophils",
        "viable_cells_lung", "viable_cells_blood",
    } <= served  # fmt: skip
    same = {
        "points": "1", "percent": "1", "fraction": "1", "cells": "cell", "mL/kg PBW": "mL/kg",
        "ppb": "1", "percent/h": "1/h", "1e9/L": "Gcell/L", "1e3/mL": "thousand/mL", "fold": "1",
    }  # fmt: skip
    for name in served:
        wanted = endpoints()[name].unit
        assert model().units[name] == unit_id(same.get(wanted, wanted)), name


def test_diseases_drive_what_the_model_has() -> None:
    known = {*model().states, *model().parameters}
    assert set(diseases()) == {
        *("ards", "covid19-ards", "healthy", "pneumonia", "sepsis"),
        *("asthma", "copd", "ipf"),
    }
    varying = {row.id for row in read_parameters() if row.between_subject > 0.0}
    for name in diseases():
        disease = read_disease(name)
        assert {driver.target for driver in disease.drivers} <= known
        assert disease.onset.observable in (None, *model().states, *model().observables)
        spreads = [*disease.covariates.values(), *(driver.amount for driver in disease.drivers)]
        assert {who for spread in spreads for who, _ in spread.correlation} <= varying


def test_driver_events_follow_their_subjects() -> None:
    disease = read_disease("ards")
    rng = np.random.default_rng(0)
    z = {name: rng.standard_normal(4000) for name in disease.normals}
    z |= {name: rng.standard_normal(4000) for name in
          ("inflammation_gain", "epithelial_susceptibility", "endothelial_susceptibility")}  # fmt: skip
    made = disease.events(z)
    target = np.array(made.names)[made.target]
    pneumonia, antibiotic = (set(made.subject[target == name].tolist()) for name in ("BAC", "antibiotic"))
    assert pneumonia == antibiotic
    assert len(pneumonia) / 4000 == pytest.approx(0.5, abs=0.03)
    assert not pneumonia & set(made.subject[target == "insult_epithelium"].tolist())
    organ = target == "rate_OFX"
    first = np.zeros(4000)
    np.maximum.at(first, made.subject[organ], made.value[organ])
    assert np.corrcoef(np.log(first), z["inflammation_gain"])[0, 1] > 0.2
    for k in range(20):
        value = made.value[organ & (made.subject == k)]
        assert value.size == 2
        assert value.min() == 0.0
    assert made.time.min() >= 0.0


def test_an_unknown_disease_is_refused_by_name() -> None:
    with pytest.raises(Refusal, match="influenza"):
        read_disease("influenza")


@pytest.mark.parametrize(
    ("column", "text"),
    [("value", "much"), ("distribution", "uniform"), ("grade", "D"), ("uncertainty", "0.4")],
)
def test_a_row_that_cannot_be_used_is_refused_with_its_line(tmp_path: Path, column: str, text: str) -> None:
    row: dict[str, str] = dict.fromkeys(COLUMNS, "")
    row |= {"id": "k", "module": "m", "value": "1", "unit": "1", "species": "human", "grade": "C"}
    row |= {
        "distribution": "spike-normal",
        "uncertainty": "0.3;0.2",
        "source": "assumed: test",
        "meaning": "test",
    }
    row[column] = text
    file = tmp_path / "parameters.csv"
    file.write_text(f"{','.join(COLUMNS)}\n{','.join(row.values())}\n")
    with pytest.raises(Refusal, match=r"parameters\.csv:2"):
        read_parameters(file)


def test_what_is_taken_from_one_is_a_share_in_every_draw() -> None:
    """A law that holds something back by a share must not turn its sign: `1 - share * signal`."""
    text = "".join(f.read_text(encoding="utf-8") for f in (files("mesolung.biology") / "modules").iterdir())
    table = read_parameters()
    shares = {n for n in re.findall(r"1 dimensionless - (\w+) \*", text) if n in table}
    assert {"dex_license", "dex_drive", "il10_brake", "vasoconstriction"} <= shares
    for name in shares:
        row = table[name]
        assert row.distribution in ("fixed", "logit-normal") and 0.0 <= row.value <= 1.0, name
