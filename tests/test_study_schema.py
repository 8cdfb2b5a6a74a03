"""The JSON Schemas of the study file and of the result describe what is really read and written."""

from __future__ import annotations

import copy
import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from mesolung.study.schema import result_schema, study_schema

# The example of the documented format, with its placeholders.
RESULT = json.loads("""
{"schema": 1, "study": "…", "replicates": 200, "seed": 1, "version": "…", "posterior": "prior-3f2a91c0",
 "inputs_sha256": "…", "failed_subjects": 0, "failed_replicates": 0,
 "assumed_inputs": ["weight", "product.passage"], "warnings": [],
 "arms": {"UC-MSC": {"mortality@28d": {"unit": "fraction", "n": 12, "mean": 0.31, "p05": 0.08, "p50": 0.33,
   "p95": 0.58, "expected": {"p05": 0.15, "p50": 0.3, "p95": 0.5}}}},
 "contrasts": {"UC-MSC vs vehicle": {"mortality@28d": {"measure": "risk_ratio", "p05": 0.4, "p50": 0.86,
   "p95": 1.5, "p_success": 0.12}}},
 "effect": {"UC-MSC vs vehicle": {"mortality@28d": {"measure": "risk_ratio", "p05": 0.7, "p50": 0.93,
   "p95": 1.05, "p_benefit": 0.71}}},
 "observations": [{"index": 0, "arm": "UC-MSC", "endpoint": "mortality@28d", "as": "level", "where": null,
   "versus": null, "version": null, "statistic": "events", "observed": 1, "n": 12, "p05": 1, "p50": 4,
   "p95": 7, "inside_90": true, "log_score": -2.9}],
 "joint": [{"endpoint": "mortality@28d", "log_score": -5.1, "treated_given_control": -2.4}]}
""")


def faults(schema: dict[str, Any], value: Any) -> list[str]:
    """What a schema has against a value."""
    return [error.message for error in Draft202012Validator(schema).iter_errors(value)]


@pytest.mark.parametrize("schema", [study_schema(), result_schema()], ids=["study", "result"])
def test_the_schemas_are_draft_2020_12(schema: dict[str, Any]) -> None:
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"].endswith("2020-12/schema")
    assert json.loads(json.dumps(schema)) == schema


def test_the_example_study_is_valid(root: Path) -> None:
    study = tomllib.loads((root / "examples" / "lanzoni-2021.toml").read_text(encoding="utf-8"))
    assert faults(study_schema(), study) == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("kindd",), "trial"),
        (("schema",), 2),
        (("kind",), "patient"),
        (("disease",), "plague"),
        (("origin",), "birth"),
        (("species",), "dog"),
        (("injury",), {"agent": "lpz"}),
        (("injury",), {"agent": "lps", "dose": "3 mg"}),
        (("arm", 1, "injury"), "some"),
        (("assay",), {"ratio": True}),
        (("population", "include"), {"sofaa": "> 8"}),
        (("population", "background", "heparin"), {"responder": 2}),
        (("arm", 0, "treatment", 0, "product", "type"), "magic"),
        (("arm", 0, "name"), ""),
        (("arm", 0, "colour"), "red"),
        (("arm", 0, "treatment", 0, "route"), "rectal"),
        (("arm", 0, "treatment", 0, "dose"), 100e6),
        (("population", "size"), "24"),
        (("population", "baseline", "bloodtype"), 0.3),
        (("population", "background", "heparin"), 1.5),
        (("endpoint", 0, "name"), "happiness"),
        (("endpoint", 0, "as_"), "change"),
        (("observation", 0, "source", "status"), "guessed"),
    ],
    ids=lambda part: ".".join(map(str, part)) if isinstance(part, tuple) else None,
)
def test_what_the_reader_refuses_by_its_form_the_schema_refuses_too(
    root: Path, path: tuple[Any, ...], value: Any
) -> None:
    study = tomllib.loads((root / "examples" / "lanzoni-2021.toml").read_text(encoding="utf-8"))
    place = study
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    assert faults(study_schema(), study)


def test_every_key_of_the_study_schema_has_a_type_that_toml_can_hold() -> None:
    assert '"null"' not in json.dumps(study_schema())


def test_the_documented_result_is_valid() -> None:
    assert faults(result_schema(), RESULT) == []


def test_what_is_not_finite_may_be_null() -> None:
    result = copy.deepcopy(RESULT)
    result["joint"][0].update(log_score=None, treated_given_control=None)
    result["effect"]["UC-MSC vs vehicle"]["mortality@28d"].update(
        p05=None, p50=None, p95=None, p_benefit=None
    )
    result["arms"]["UC-MSC"]["mortality@28d"]["mean"] = None
    result["observations"][0].update(n=None, p05=None, p50=None, p95=None, inside_90=None, log_score=None)
    assert faults(result_schema(), result) == []


def test_directions_orders_and_pooled_arms_are_answered() -> None:
    result = copy.deepcopy(RESULT)
    direction = {
        **RESULT["observations"][0],
        "statistic": "direction",
        "observed": "lower",
        "versus": "vehicle",
    }
    direction.update(p_lower=0.2, p_none=0.7, p_higher=0.1, p05=None, p50=None, p95=None, inside_90=None)
    order = {
        **RESULT["observations"][0],
        "statistic": "order",
        "observed": ["high", "low"],
        "arm": ["high", "low"],
    }
    result["observations"] += [direction, order]
    assert faults(result_schema(), result) == []


@pytest.mark.parametrize(
    "path",
    [
        (),
        ("arms", "UC-MSC", "mortality@28d"),
        ("arms", "UC-MSC", "mortality@28d", "expected"),
        ("contrasts", "UC-MSC vs vehicle", "mortality@28d"),
        ("effect", "UC-MSC vs vehicle", "mortality@28d"),
        ("observations", 0),
        ("joint", 0),
    ],
    ids=lambda path: ".".join(map(str, path)) or "top",
)
def test_a_result_has_every_key_and_no_other(path: tuple[Any, ...]) -> None:
    for change in ("more", "less"):
        result = copy.deepcopy(RESULT)
        place = result
        for key in path:
            place = place[key]
        if change == "more":
            place["timing"] = 3.1
        else:
            place.pop(next(iter(place)))
        assert faults(result_schema(), result), change
