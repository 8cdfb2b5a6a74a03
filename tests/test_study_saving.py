"""Reading a study and writing it down are each other's inverse, whatever the study holds."""

from __future__ import annotations

import json
import tempfile
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from mesolung.study import Study, canonical, inputs_sha256, read_study, study_text
from mesolung.study.arms import DOSE_UNITS
from mesolung.study.injuries import agents
from mesolung.study.possible import GROUPS, animals, possible_endpoints
from mesolung.study.schema import study_schema

TEXTS = st.text(
    st.characters(categories=("L", "N", "P", "S"), include_characters=" "), min_size=1, max_size=20
).filter(lambda name: bool(name.strip()) and name != "baseline")
ROUTES = ("intravenous", "intra-arterial", "intranasal", "nebulised", "oral", "perfusate")
TIME_UNITS = ("h", "min", "d", "week")
SCHEMA = Draft202012Validator(study_schema())
# Of every kind some endpoints, with a unit that is not the table's.
MEASURED = {
    "trial": (("ferritin", "ug/L"), ("il17", "ng/mL"), ("eosinophil_count", "cells/uL")),
    "animal": (("bal_neutrophil_count", "cells/mL"), ("bal_il6", "ng/mL"), ("collagen", "percent")),
    "ex-vivo": (("bal_protein", "g/L"), ("excess_lung_water", "mL"), ("il6", "ng/mL")),
    "in-vitro": (("t_cell_proliferation", "fraction"), ("il10", "ng/mL"), ("il6", "ng/mL")),
}


def quantities(low: float, high: float, units: tuple[str, ...]) -> st.SearchStrategy[str]:
    """Texts of a number and a unit."""
    return st.builds(lambda x, u: f"{x!r} {u}", st.floats(low, high), st.sampled_from(units))


@st.composite
def injuries(draw: st.DrawFn) -> dict[str, Any]:
    """An injury of any agent, with as much of it as the study says."""
    agent = agents()[draw(st.sampled_from(sorted(agents())))]
    one: dict[str, Any] = {"agent": agent.name}
    if draw(st.booleans()):
        one["amount"] = draw(quantities(0.001, 1.0, agent.units[:1]))
    if draw(st.booleans()):
        one["route"] = draw(st.sampled_from(ROUTES))
    if draw(st.booleans()):
        one["start"] = draw(quantities(-20.0, 10.0, ("h",)))
        one["end"] = draw(quantities(11.0, 20.0, ("h",)))
    return one


@st.composite
def treatments(draw: st.DrawFn, kind: str) -> dict[str, Any]:
    """A product of any type with a dose that it may have, or an unknown one."""
    product: Any = draw(st.sampled_from([name for name in DOSE_UNITS if name != "vehicle"]))
    described: dict[str, Any] = {"type": product}
    if product == "drug":
        described["name"] = draw(st.sampled_from(["dexamethasone", "nintedanib", "heparin"]))
    elif draw(st.booleans()):
        described["source"] = draw(st.sampled_from(["bone marrow", "Wharton's jelly", "other"]))
    one: dict[str, Any] = {"product": described}
    if kind != "in-vitro" or draw(st.booleans()):
        one["dose"] = draw(st.just("unknown") | quantities(1.0, 1000.0, DOSE_UNITS[product]))
        given = [name for name in ROUTES if name != "oral" or product == "drug"]
        one["route"] = draw(st.sampled_from((*given, "unknown")))
        one["times"] = draw(
            st.just("unknown")
            | st.lists(
                quantities(-1.0, 10.0, ("h",)),
                min_size=1,
                max_size=3,
                unique_by=lambda t: round(float(t[:-2]), 3),
            )
        )
    if draw(st.booleans()):
        one["infusion"] = draw(quantities(1.0, 90.0, ("min",)))
    return one


@st.composite
def numbers(draw: st.DrawFn, names: list[str]) -> dict[str, Any]:
    """What an observation of a quantity says, in any form."""
    form = draw(st.sampled_from(["mean", "median", "value", "contrast", "direction", "order"]))
    value = draw(st.floats(1.0, 50.0))
    n = draw(st.integers(8, 400))
    if form == "mean":
        spread = draw(st.sampled_from(["sd", "se", "ci95"]))
        return {"mean": value, spread: [value * 0.5, value * 1.5] if spread == "ci95" else value / 3, "n": n}
    if form == "median":
        return {"median": value, "iqr": [value * 0.9, value * 1.2]}
    if form == "value" or len(names) < 2:
        return {"value": value}
    if form == "contrast":
        told = draw(st.sampled_from([{"p": 0.03}, {"ci95": [0.5, 60.0]}, {}]))
        return {"contrast": "ratio", "value": value, "versus": names[1], "n": n, **told}
    if form == "order":
        return {"order": names[:2], "arm": []}
    return {"direction": draw(st.sampled_from(["lower", "higher", "none"])), "versus": names[1], "alpha": 0.1}


@st.composite
def studies(draw: st.DrawFn) -> dict[str, Any]:
    """A study file of any kind, as nested values."""
    kind = draw(st.sampled_from(sorted(MEASURED)))
    acute = kind == "trial"
    study: dict[str, Any] = {
        "schema": 1,
        "name": draw(TEXTS),
        "kind": kind,
        "disease": draw(st.sampled_from(["ards", "covid19-ards"] if acute else sorted(GROUPS["models"]))),
        "species": "human" if acute else draw(st.sampled_from(sorted(animals()))),
        "duration": draw(quantities(21.0, 500.0, ("d",))),
        "origin": draw(st.sampled_from(["enrolment", "injury", "onset"])),
        "randomised": draw(st.booleans()),
    }
    if draw(st.booleans()):
        study["injury"] = draw(injuries() | st.lists(injuries(), min_size=2, max_size=2, unique_by=str))
    if kind == "in-vitro" and draw(st.booleans()):
        study["assay"] = {"responder": draw(TEXTS), "ratio": draw(st.sampled_from([0.1, "1:20", "unknown"]))}
    population: dict[str, Any] = {}
    if draw(st.booleans()):
        age = {"mean": draw(st.floats(1.0, 4.0)), "unit": "year", "min": 0.5}
        population["baseline"] = {"age": age if draw(st.booleans()) else {**age, "sd": 0.3, "max": 4.5}}
    if acute and draw(st.booleans()):
        population["background"] = {
            "dexamethasone": {"share": 0.5, "dose": "6 mg", "start": draw(quantities(-5.0, 5.0, ("d",)))},
            "nintedanib": {"share": 0.1, "dose": draw(quantities(1.0, 500.0, ("mg", "ug")))},
        }
    if acute and draw(st.booleans()):
        population["include"] = {"sofa": ">= 3", "pf_ratio": "< 40 kPa", "female": "= 1"}
    if population:
        study["population"] = population
    names = draw(st.lists(TEXTS, min_size=1, max_size=3, unique=True))
    study["arm"] = []
    for name in names:
        arm: dict[str, Any] = {"name": name, "size": draw(st.integers(1, 300) | st.just("unknown"))}
        if draw(st.booleans()):
            arm["treatment"] = draw(st.lists(treatments(kind), max_size=2))
        if draw(st.booleans()):
            arm["injury"] = draw(st.just("none") | injuries())
        if acute and draw(st.booleans()):
            arm["background"] = {"dexamethasone": {"share": 0.75, "start": "0 d"}}
        if kind == "in-vitro" and draw(st.booleans()):
            arm["assay"] = {"ratio": draw(st.floats(0.001, 10.0)), "contact": "transwell"}
        study["arm"].append(arm)
    study["observation"] = []
    for endpoint, unit in MEASURED[kind]:
        said = draw(numbers(names))
        one = {"arm": names[0], "endpoint": endpoint, "time": draw(quantities(-3.0, 20.0, ("d",))), **said}
        if one["arm"] == []:
            del one["arm"]
        if {"mean", "median", "value"} & set(one) and "contrast" not in one and draw(st.booleans()):
            one["unit"] = unit
        study["observation"].append(one)
    return study


def toml(study: dict[str, Any]) -> str:
    """Nested values as TOML: a line for every key of the top, everything below it inline."""
    return "\n".join(f"{key} = {inline(value)}" for key, value in study.items())


def inline(value: Any) -> str:
    """A value as inline TOML."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(k)} = {inline(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(inline, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def read(text: str) -> Study:
    """Read a study from text."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "study.toml"
        path.write_text(text, encoding="utf-8")
        return read_study(path)


@given(written=studies())
@settings(max_examples=25, deadline=None)
def test_what_is_written_down_is_read_as_the_same_study(written: dict[str, Any]) -> None:
    study = read(toml(written))
    text = study_text(study)
    again = read(text)
    assert canonical(again) == canonical(study) and inputs_sha256(again) == inputs_sha256(study)
    assert study_text(again) == text, "the written form is its own"
    assert list(SCHEMA.iter_errors(tomllib.loads(text))) == []


@given(written=studies())
@settings(max_examples=20, deadline=None)
def test_the_schema_allows_what_the_reader_reads(written: dict[str, Any]) -> None:
    assert read(toml(written)).name == written["name"]
    assert list(SCHEMA.iter_errors(written)) == []


def test_the_example_is_written_and_read_as_it_stands(root: Path) -> None:
    study = read_study(root / "examples" / "lanzoni-2021.toml")
    assert read(study_text(study)) == study


@pytest.mark.parametrize("kind", sorted(MEASURED))
def test_every_endpoint_that_can_be_asked_for_is_written_and_read(kind: str) -> None:
    acute = kind == "trial"
    disease, species = ("ards", "human") if acute else ("lps", "pig")
    head = f'schema = 1\nname = "all"\nkind = "{kind}"\ndisease = "{disease}"\nspecies = "{species}"\n'
    parts = [head + 'duration = "28 d"\n[[arm]]\nname = "one"\nsize = 3']
    for name in possible_endpoints((disease,), species, kind):
        parts.append(f'[[endpoint]]\nname = "{name}"\ntime = "7 d"')
    study = read("\n".join(parts))
    assert len(study.endpoints) > 60 and read(study_text(study)) == study
