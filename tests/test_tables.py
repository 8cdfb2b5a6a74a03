"""The tables of names: complete, consistent with the model, and refused when they are not."""

from __future__ import annotations

import csv
import re
import sys
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import get_args

import pytest
from pydantic import ValidationError

from mesolung.biology import phenotypes as phenotype_module
from mesolung.biology import tables
from mesolung.biology.animal_disease import animal_diseases
from mesolung.biology.challenges import challenges
from mesolung.biology.disease import diseases, read_disease
from mesolung.biology.parameters import read_parameters
from mesolung.biology.phenotypes import phenotypes
from mesolung.biology.species import species_names
from mesolung.biology.specimens import specimens
from mesolung.biology.states import states
from mesolung.biology.symbols import package_symbols
from mesolung.biology.tables import (
    backgrounds,
    covariates,
    definitions,
    endpoint_in,
    endpoints,
    output_of,
    reserved,
    routes,
)
from mesolung.population import traits as trait_module
from mesolung.product import acts as act_module
from mesolung.product import assays as assay_module
from mesolung.product import factors as factor_module
from mesolung.product import growth as growth_module
from mesolung.product import priors as prior_module
from mesolung.product import unstated as unstated_module
from mesolung.product.priors import read_sources
from mesolung.product.product import MODELLED_TYPES, PRODUCT_TYPES, SOURCES, Product
from mesolung.reading import Refusal
from mesolung.study.animal_endpoints import EXPERIMENTS
from mesolung.study.arm import DoseUnit, Route
from mesolung.study.arms import DOSE_UNITS
from mesolung.study.endpoint import Contrast, Deaths
from mesolung.study.injuries import agents
from mesolung.study.possible import (
    GROUPS,
    KINDS,
    animals,
    inclusions,
    known_diseases,
    planned_covariates,
    planned_endpoints,
)
from mesolung.trial.contrasts import MEASURES
from mesolung.trial.decline import FALLS, PROGRESSION, SLOPES
from mesolung.trial.endpoints import DEATH_ENDPOINTS, EndpointRow, value_of_death
from mesolung.trial.named_tests import TEST_OF_TYPE, TESTS
from mesolung.units import quantity, same_dimension

MODULES = files("mesolung.biology") / "modules"
# States that an endpoint without an output is read off.
OF_THE_TRIAL = {
    "death": "HAZ", "alive": "HAZ", "death_rate": "HAZ", "discharged": "DIS", "hospital_days": "DIS",
}  # fmt: skip
# Rules of a yes or no, or of a time to one, that need a level, a fall or a slope to tell it by.
WITH_LEVEL = ("present", "occurred", *FALLS, *PROGRESSION, "slope_below", "slope_above")
# Units of the endpoint table that the model spells in its own way.
SPELLED = {
    "points": "dimensionless",
    "percent": "dimensionless",
    "fraction": "dimensionless",
    "percent/h": "per_h",
    "cells": "cell",
    "mL/kg PBW": "mL_per_kg",
    "1e9/L": "Gcell_per_L",
    "1e3/mL": "thousand_per_mL",
    "ppb": "dimensionless",
    "m": "metre",
}

# Every name that the study file's format gives; a new one goes into a table first.
FORMAT = {
    "endpoint": """mortality survival ventilator_free_days ventilation pf_ratio oxygenation_index sofa
        lung_injury_score evlw compliance hospital_days il6 il8 il10 tnf il1b crp ang2 srage bal_neutrophils
        bal_cells bal_protein bacterial_load viral_load treg_percent m2_fraction ros cytokine_storm fev1
        fev1_slope fvc fvc_slope dlco six_minute_walk exacerbation_rate sgrq feno sputum_eosinophils
        sputum_neutrophils pc20 mucus airway_resistance collagen fibrosis_score mean_linear_intercept
        thromboembolism infusion_reaction secondary_infection serious_adverse_event donor_specific_antibody
        tumour_risk_index viable_cells_lung viable_cells_blood viable_cells_liver viable_cells_spleen
        label_lung label_blood label_liver label_spleen donor_dna_lung discharged ventilation_days
        ventilation_or_death vasopressor pvpi fluid_clearance_rate driving_pressure dead_space tnfr1 ddimer
        neutrophil_count lymphocyte_count hyperinflammatory""",
    "baseline": """age weight height pbw female smoker pack_years apache2 vasopressor days_ventilated
        fev1_percent_predicted fvc_percent_predicted dlco_percent_predicted""",
    "background": """dexamethasone systemic_steroid inhaled_steroid tocilizumab heparin antibiotic vasopressor
        mechanical_ventilation ecmo bronchodilator nintedanib pirfenidone prednisolone methylprednisolone
        hydrocortisone tiotropium salmeterol fluticasone budesonide azithromycin tezepelumab dupilumab
        mepolizumab formoterol remdesivir oxygen antiviral""",
    "kind": "trial animal ex-vivo in-vitro patient",
    "disease": """ards covid19-ards pneumonia sepsis copd asthma ipf healthy lps e-coli-pneumonia
        klebsiella-pneumonia pseudomonas-pneumonia sepsis-clp vili hyperoxia acid-aspiration influenza
        bleomycin silica elastase smoke ova hdm""",
    "species": "human mouse rat rabbit pig sheep",
    "origin": "enrolment injury onset",
    "product type": """cells ev conditioned-medium apoptotic-cells heat-killed-cells control-cells drug
        vehicle""",
    "route": """intravenous intra-arterial intratracheal endobronchial nebulised intranasal intraperitoneal
        intramuscular perfusate oral inhaled""",
}
SERVED = {
    "endpoint": set(endpoints()),
    "baseline": set(covariates()) | {n for n, r in endpoints().items() if r.at_enrolment},
    "background": set(backgrounds()),
    "kind": {"trial", "in-vitro", *EXPERIMENTS},
    "disease": {*diseases(), *animal_diseases()},
    "species": set(species_names()),
    "origin": {"enrolment", "onset"},
    "product type": set(MODELLED_TYPES),
    "route": {*routes(), "oral"},  # by mouth drugs alone, which have no way of their own
}


@pytest.mark.parametrize("kind", FORMAT)
def test_every_name_of_the_format_is_served_or_reserved_and_never_both(kind: str) -> None:
    waiting = {name for one, name in reserved() if one == kind and ":" not in name}
    assert SERVED[kind] & waiting == set()
    named = set(FORMAT[kind].split())
    if kind == "baseline":  # and every endpoint that has a value at enrolment
        named |= {name for name, row in endpoints().items() if row.at_enrolment}
        named |= set(planned_covariates())
    if kind == "endpoint":  # and what evidence has been published of
        named |= set(planned_endpoints())
    assert SERVED[kind] | waiting == named


def test_every_dose_unit_of_the_format_is_served_or_reserved() -> None:
    units = {"mg", "mg/kg", "mg/m2"}
    waiting = {name for kind, name in reserved() if kind == "dose unit"}
    assert waiting == units
    served = set(get_args(DoseUnit)) - waiting
    assert served == {unit for kind in MODELLED_TYPES if kind != "vehicle" for unit in DOSE_UNITS[kind]}
    for unit in waiting:
        assert quantity(f"1 {unit}").value == 1.0


def test_every_product_has_units_of_which_no_two_measure_the_same() -> None:
    assert set(DOSE_UNITS) == set(PRODUCT_TYPES)
    for units in DOSE_UNITS.values():
        for k, unit in enumerate(units):
            assert not any(same_dimension(unit, other) for other in units[:k])


def test_what_is_planned_is_told_apart_from_what_is_served() -> None:
    known = known_diseases()
    assert {d for group in GROUPS.values() for d in group} == set(known)
    for name, planned in planned_endpoints().items():
        served = endpoints().get(name)
        assert set(planned.kinds) <= set(KINDS) and set(planned.row.diseases) <= set(known)
        if served is None:
            assert re.fullmatch(r"[a-z][a-z0-9_]*", name) and ("endpoint", name) in reserved()
            assert planned.row.default_contrast in (*MEASURES, "none")
    labels = [p.row.label for p in planned_endpoints().values()]
    assert len(set(labels)) == len(labels)


def test_animals_injuries_and_rules_have_units_that_are_known() -> None:
    assert {*animals(), "human"} == set(species_names())
    assert all(0 < a.lightest_kg < a.heaviest_kg and a.oldest_year > 0 for a in animals().values())
    for agent in agents().values():
        for k, unit in enumerate(agent.units):
            assert quantity(f"1 {unit}").value == 1.0
            assert agent.label and agent.meaning, k
    for row in inclusions().values():
        assert row.accepts(row.unit) and row.diseases


def test_what_is_reserved_says_what_it_waits_for() -> None:
    assert all(reason.strip() for reason in reserved().values())


def test_names_are_names_and_mean_one_thing() -> None:
    names = [*endpoints(), *covariates()]
    assert len(set(names)) == len(names)
    assert set(backgrounds()) & set(names) <= {"vasopressor"}, "a support may be an endpoint too"
    names += list(backgrounds())
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", name) for name in names)
    labels = [row.label for row in (*endpoints().values(), *covariates().values())]
    assert len(set(labels)) == len(labels)


@pytest.mark.parametrize("row", [*endpoints().values(), *covariates().values()], ids=lambda row: row.name)
def test_units_and_bounds_of_a_row_hold_together(row: tables.Measured) -> None:
    assert row.unit in row.accepted_units and row.accepts(row.unit)
    assert all(same_dimension(unit, row.unit) for unit in row.accepted_units)
    assert not row.accepts("parsec") and not row.accepts("cells/kg")
    bounds = [b for b in (row.lowest, row.highest) if b is not None]
    assert bounds and all(low < high for low, high in pairwise(bounds))
    assert all(row.possible(b) for b in bounds)
    assert row.highest is None or not row.possible(row.highest * 1.001)
    assert set(row.diseases) <= set(diseases())


def test_units_have_more_than_one_spelling() -> None:
    assert covariates()["age"].accepts("years") and covariates()["age"].accepts("yr")
    assert not covariates()["weight"].accepts("kg PBW")
    assert not endpoints()["evlw"].accepts("mL/kg")
    assert not endpoints()["pf_ratio"].possible(900.0) and endpoints()["pf_ratio"].possible(108.5)


@pytest.mark.parametrize("row", endpoints().values(), ids=lambda row: row.name)
def test_an_endpoint_is_what_trials_can_read_and_analyse(row: tables.Endpoint) -> None:
    seen: EndpointRow = row  # the type checker holds the table and the trial together
    assert seen.type in TEST_OF_TYPE
    assert seen.test is None or seen.test in TESTS
    assert seen.default_contrast in (*MEASURES, "none") and seen.default_contrast in get_args(Contrast)
    assert seen.deaths in get_args(Deaths)
    assert row.species == ("human",)
    for rule in ("worst", "zero", row.deaths):
        value = value_of_death(row, rule, 672.0)
        if rule == "worst" and row.value_at_death is None:
            assert value == ((1.0 if row.better == "lower" else 0.0) if row.type == "binary" else value)
    if row.name in DEATH_ENDPOINTS:
        assert row.type == "binary" and not row.at_enrolment


@pytest.mark.parametrize("row", endpoints().values(), ids=lambda row: row.name)
def test_the_model_gives_every_endpoint_in_the_unit_of_its_row(row: tables.Endpoint) -> None:
    symbols = package_symbols()
    if row.rule in OF_THE_TRIAL:
        assert not row.outputs and symbols[OF_THE_TRIAL[row.rule]].kind == "state"
        return
    assert row.outputs and all(symbols[name].kind in ("observable", "state") for name in row.outputs)
    if row.rule == "level":
        sample = specimens().get(row.name)
        assert len(row.outputs) == 1 and (sample is None or row.outputs == (sample.output,))
        assert symbols[row.outputs[0]].unit == SPELLED.get(row.unit, row.unit.replace("/", "_per_"))


def test_a_sample_holds_a_share_of_an_output_and_says_where_that_is_from() -> None:
    for name, one in specimens().items():
        row = endpoints()[name]
        assert row.outputs == (one.output,) and row.share == one.share > 0
        assert row.unit == endpoints()[one.output].unit or row.rule == "present"
        assert re.match(r"assumed: \S", one.source) or re.search(r"20\d\d", one.source)
        assert (one.grade == "C") == one.source.startswith("assumed")
    others = [row for row in endpoints().values() if row.name not in specimens()]
    assert all(row.share == 1.0 or row.rule in SLOPES for row in others)


def test_a_challenge_names_parts_of_the_model_and_an_agent_of_study_files() -> None:
    symbols = package_symbols()
    for (agent, route), one in challenges().items():
        assert agent in agents() and (agent, route) == (one.agent, one.route)
        assert symbols[one.state].kind == "state" and symbols[one.state].unit == one.unit.replace(
            "/", "_per_"
        )
        assert symbols[one.rate].kind == "parameter" and symbols[one.rate].unit.endswith("_per_h")
        assert set(one.diseases) <= set(diseases()) and one.species == ("human",)
        assert any(same_dimension(one.unit, unit) for unit in agents()[agent].units)


def test_a_yes_or_no_has_a_level_for_each_of_its_outputs_in_every_disease() -> None:
    for row in endpoints().values():
        for disease in row.diseases:
            here = endpoint_in(row.name, disease)
            wanted = len(here.outputs) if row.rule in WITH_LEVEL else 0
            assert len(here.above) == wanted
            if row.rule in ("present", "occurred") and (row.name, disease) not in definitions():
                if row.name in phenotypes():
                    continue  # a class has the level of its own table, on a scale of log-odds
                assert all(0.0 < level < 1.0 for level in here.above)


def test_a_definition_is_of_an_endpoint_in_a_disease_that_has_it_and_says_where_it_is_from() -> None:
    for (name, disease), parts in definitions().items():
        row = endpoints()[name]
        assert disease in row.diseases and row.rule in WITH_LEVEL
        if row.rule not in SLOPES:
            assert tuple(output_of(part.output) for part in parts) == row.outputs
        for part in parts:
            assert endpoints()[part.output].possible(part.above) or row.rule in (*FALLS, *PROGRESSION)
            assert re.search(r"assumed: \S|10\.\d+/", part.source)
    storm = {d for name, d in definitions() if name == "cytokine_storm"}
    assert storm == set(endpoints()["cytokine_storm"].diseases)


def test_changes_and_table_1_are_of_endpoints_that_have_a_level() -> None:
    for row in endpoints().values():
        assert not row.at_enrolment or row.rule in ("level", "rate") or row.outputs == (row.name,)


def test_covariates_are_traits_that_the_diseases_draw() -> None:
    for row in covariates().values():
        for name in row.diseases:
            spread = read_disease(name).covariates.get(row.name)
            if spread is None:
                continue  # what follows from others: predicted weight, a score, the days before enrolment
            assert (spread.distribution == "share") == (row.scale == "binary")
            if row.scale != "binary":
                assert spread.unit == row.unit
                assert row.possible(spread.lowest) and row.possible(spread.highest)


def test_backgrounds_act_on_something_that_the_model_has() -> None:
    parameters = {row.id for row in read_parameters()}
    drugs = (MODULES / "drugs.ant").read_text(encoding="utf-8")
    for row in backgrounds().values():
        if row.how == "switch":
            assert row.target in parameters and row.duration_h > 0
        elif row.how == "occupancy":
            assert row.target in parameters and 0 < row.factor < (row.dose or 0) and row.every_h
        elif row.how == "dose":
            assert f"{row.target}' =" in drugs and f"{row.target} has {row.amount_unit};" in drugs
            assert row.unit == row.dose_unit and (row.dose or 0) > 0 and (row.every_h or 0) > 0
        else:
            assert package_symbols()[row.target].kind == "observable"
    dexamethasone = backgrounds()["dexamethasone"]
    assert (dexamethasone.dose, dexamethasone.duration_h, dexamethasone.every_h) == (6.0, 240.0, 24.0)


def test_routes_are_those_of_the_study_file_and_lead_into_the_model() -> None:
    assert {*routes(), "oral"} == set(get_args(Route))
    parameters = {row.id for row in read_parameters()}
    for row in routes().values():
        entered = (row.live_cells_enter, row.apoptotic_cells_enter, row.particles_enter)
        for state in filter(None, entered):
            assert state in states() and f"rate_{state}" in parameters
        assert row.airway == (row.live_cells_enter == "MSC_alv") == (row.particles_enter == "EV_alv")
        assert row.source.startswith("assumed: ") == (row.grade == "C")
    assert [row.name for row in routes().values() if row.through_blood] == ["intravenous", "intra-arterial"]


def test_tables_cannot_be_written_to() -> None:
    for table in (endpoints(), covariates(), backgrounds(), routes(), reserved()):
        with pytest.raises(TypeError):
            table["new"] = None  # pyright: ignore[reportIndexIssue]
    with pytest.raises(AttributeError):
        endpoints()["sofa"].unit = "cm"  # pyright: ignore[reportAttributeAccessIssue]


@pytest.mark.parametrize(
    ("column", "value", "says"),
    [
        ("accepted_units", "mmHg; kg", "accepted_units"),
        ("accepted_units", "mmHg; parsec", "unknown unit"),
        ("accepted_units", "kPa", "accepted_units"),
        ("name", "sofa", "stands twice"),
        ("name", "", "is empty"),
        ("lowest", "800", "is not above"),
        ("lowest", "x", "is not a number"),
        ("highest", "inf", "is not finite"),
        ("scale", "cubic", "unknown scale"),
        ("better", "up", "unknown better"),
        ("at_enrolment", "perhaps", "unknown at_enrolment"),
        ("diseases", "ards; ; healthy", "diseases"),
    ],
)
def test_a_damaged_table_is_refused_at_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, column: str, value: str, says: str
) -> None:
    text = (files("mesolung.biology") / "endpoints.csv").read_text(encoding="utf-8")
    lines = list(csv.reader(text.splitlines()))
    place = [line[0] for line in lines].index("pf_ratio")
    lines.append(lines.pop(place))
    lines[-1][lines[0].index(column)] = value
    with (tmp_path / "endpoints.csv").open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows(lines)
    monkeypatch.setattr(tables, "files", lambda package: tmp_path)
    with pytest.raises(Refusal, match=says) as caught:
        endpoints.__wrapped__()
    assert caught.value.line == len(lines) and "endpoints.csv" in str(caught.value)


@pytest.mark.parametrize(
    ("room", "file", "read", "column", "value", "says"),
    [
        ("biology", "phenotypes.csv", phenotype_module.phenotypes, "threshold", "high", "is not a number"),
        ("biology", "phenotypes.csv", phenotype_module.phenotypes, "threshold", "", "threshold is empty"),
        ("biology", "traits.csv", trait_module.traits, "distribution", "gamma", "unknown distribution"),
        ("biology", "traits.csv", trait_module.traits, "value", "nan", "value is not finite"),
        ("biology", "traits.csv", trait_module.traits, "grade", "D", "unknown grade"),
        ("biology", "definitions.csv", tables.definitions, "endpoint", "stroke", "unknown endpoint"),
        ("biology", "definitions.csv", tables.definitions, "above", "", "above is not a level"),
        ("biology", "reserved.csv", tables.reserved, "kind", "colour", "unknown kind"),
        ("biology", "backgrounds.csv", tables.backgrounds, "duration", "long", "duration is no time"),
        ("biology", "routes.csv", tables.routes, "delivered", "1.2", "delivered is no share"),
        ("biology", "routes.csv", tables.routes, "soluble_enter", "air", "unknown soluble_enter"),
        ("product", "factors.csv", factor_module.factors, "isolated", "some", "unknown isolated"),
        ("product", "unstated_doses.csv", unstated_module.unknown_doses, "dose", "", "dose is empty"),
        ("product", "priors.csv", prior_module.read_priors, "value", "1,5", "value is not a number"),
        ("product", "sources.csv", prior_module.read_sources, "procoagulant", "", "procoagulant is empty"),
        ("product", "lot_priors.csv", prior_module.read_priors, "value", "", "value is empty"),
        ("product", "acts.csv", act_module.acts, "on", "colour", "unknown on"),
        ("product", "acts.csv", act_module.acts, "none", "1", "none is no probability below 1"),
        ("product", "assays.csv", assay_module.assays, "sense", "2", "sense is neither 1 nor -1"),
        ("product", "assays.csv", assay_module.assays, "link", "1", "link is no correlation below 1"),
        ("product", "growth.csv", growth_module.growth, "doubling_time", "", "doubling_time is empty"),
        ("product", "unstated.csv", unstated_module.unstated, "what", "colour", "unknown what"),
        ("product", "unstated.csv", unstated_module.unstated, "share", "often", "share is not a number"),
    ],
)
def test_every_table_is_refused_at_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room, file, read, column: str, value: str, says: str
) -> None:
    folder = files(f"mesolung.{room}")
    for entry in folder.iterdir():
        if entry.name.endswith(".csv"):
            (tmp_path / entry.name).write_bytes(entry.read_bytes())
    with (tmp_path / file).open(encoding="utf-8", newline="") as stream:
        lines = list(csv.reader(stream))
    lines[1][lines[0].index(column)] = value
    with (tmp_path / file).open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows(lines)
    monkeypatch.setattr(sys.modules[read.__module__], "files", lambda package: tmp_path)
    with pytest.raises(Refusal, match=says) as caught:
        read.__wrapped__()
    assert (caught.value.file, caught.value.line) == (file, 2)


def test_a_product_knows_the_sources_of_the_table() -> None:
    assert set(SOURCES) == set(read_sources())


def test_a_product_says_what_is_not_known_of_it() -> None:
    product = Product(source="umbilical cord", cryopreserved=True)
    assert product.type == "cells" and product.unstated == ("passage", "viability")
    assert Product(type="vehicle").unstated == ()
    with pytest.raises(ValidationError):
        product.passage = 3  # pyright: ignore[reportAttributeAccessIssue]


@pytest.mark.parametrize(
    "stated",
    [
        {"type": "magic"},
        {"type": "ev", "viability": 0.9},
        {"type": "drug"},
        {"type": "drug", "name": "dexamethasone", "passage": 3},
        {"name": "dexamethasone"},
        {"source": "liver"},
        {"passage": -1},
        {"passage": 3.5},
        {"passage": "4"},
        {"passage": True},
        {"cryopreserved": "yes"},
        {"viability": 0.0},
        {"viability": 1.01},
        {"viability": float("nan")},
        {"viability": "95 %"},
        {"donor_age": 30},
        {"type": "vehicle", "passage": 4},
    ],
    ids=str,
)
def test_a_product_that_cannot_be_is_refused(stated: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Product.model_validate(stated)
