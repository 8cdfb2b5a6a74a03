"""JSON Schemas of what goes in and what comes out."""

from __future__ import annotations

from typing import Any

from mesolung.biology.phenotypes import phenotypes
from mesolung.biology.states import STATE, states
from mesolung.biology.tables import backgrounds, covariates, endpoints
from mesolung.study.injuries import agents
from mesolung.study.keys import described
from mesolung.study.lots import LotFile
from mesolung.study.possible import (
    IN_VITRO,
    inclusions,
    known_diseases,
    planned_covariates,
    planned_endpoints,
)
from mesolung.study.unanswered import NOT_MODELLED
from mesolung.study.unscored import IMPOSSIBLE, NOT_SCORED
from mesolung.study.usual_care import waiting_backgrounds
from mesolung.study.written import StudyFile

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def study_schema() -> dict[str, Any]:
    """Describe the study file, as an editor that completes TOML can use it.

    Returns:
        JSON Schema, draft 2020-12. A file that it refuses is refused; units, sums and whatever depends on
        two places of the file are checked by `mesolung.study.read_study` alone.
    """
    schema = _without_null(StudyFile.model_json_schema(by_alias=True, mode="validation"))
    definitions = schema["$defs"]
    measured = {**endpoints(), **{name: row.row for name, row in planned_endpoints().items()}}
    at_enrolment = {name for name, row in measured.items() if row.at_enrolment}
    traits = sorted({*covariates(), *planned_covariates(), *phenotypes(), *at_enrolment})
    care = sorted({*backgrounds(), *waiting_backgrounds()})
    for table in ("PopulationTable", "ArmTable"):
        definitions[table]["properties"]["baseline"]["propertyNames"] = {"enum": traits}
        definitions[table]["properties"]["background"]["propertyNames"] = {"enum": care}
    rules = {"enum": sorted({*traits, *inclusions()})}
    definitions["PopulationTable"]["properties"]["include"]["propertyNames"] = rules
    definitions["InjuryTable"]["properties"]["agent"] = {"enum": sorted(agents())}
    names = {"enum": [*sorted(measured), *(f"{STATE}{name}" for name in states())]}
    definitions["EndpointTable"]["properties"]["name"] = names
    definitions["ObservationTable"]["properties"]["endpoint"] = names
    known = {"enum": list(known_diseases())}
    mixture = next(p for p in schema["properties"]["disease"]["oneOf"] if p["type"] == "object")
    schema["properties"]["disease"] = {
        "anyOf": [known, {**mixture, "propertyNames": known, "minProperties": 1}]
    }
    of_treatment = definitions["TreatmentTable"]["properties"]
    lot_file = {"type": "string", "minLength": 1}
    of_treatment["product"] = {"anyOf": [of_treatment["product"], lot_file]}
    classes = {"enum": sorted(phenotypes())}
    definitions["PopulationTable"]["properties"]["phenotype"]["propertyNames"] = classes
    schema = described(schema)
    return {"$schema": DIALECT, **schema, **_outside_a_culture(), "title": "Mesolung study file, schema 1"}


def lot_schema() -> dict[str, Any]:
    """Describe the lot file, as an editor that completes TOML can use it.

    Returns:
        JSON Schema, draft 2020-12; what depends on two places of the file is checked by
        `mesolung.study.read_lot` alone.
    """
    schema = described(_without_null(LotFile.model_json_schema(by_alias=True, mode="validation")))
    return {"$schema": DIALECT, **schema, "title": "Mesolung lot file, schema 1"}


def _outside_a_culture() -> dict[str, Any]:
    """What every study states but one of a culture, which has no disease, and no route into a body."""
    treatment = {"items": {"required": ["dose", "route", "times"]}}
    arm = {"items": {"properties": {"treatment": treatment}}}
    culture = {"properties": {"kind": {"const": IN_VITRO}}, "required": ["kind"]}
    return {"if": culture, "else": {"required": ["disease"], "properties": {"arm": arm}}}


def result_schema() -> dict[str, Any]:
    """Describe what a run prints with ``--json`` and keeps as ``result.json``.

    Returns:
        JSON Schema, draft 2020-12; a number that is not finite is null.
    """
    number, text = {"type": ["number", "null"]}, {"type": "string"}
    name = {"type": ["string", "null"]}
    count = {"type": "integer", "minimum": 0}
    share = {"type": ["number", "null"], "minimum": 0, "maximum": 1}
    texts = {"type": "array", "items": text}
    bands = {"p05": number, "p50": number, "p95": number}
    measured = {"measure": text, **bands}
    observation = {
        "index": count,
        "arm": {"anyOf": [name, texts]},
        "endpoint": text,
        "as": {"enum": ["level", "change", "percent_change"]},
        "where": name,
        "versus": name,
        "version": name,
        "statistic": text,
        "observed": {"anyOf": [number, text, texts]},
        "n": {"type": ["integer", "null"], "minimum": 0},
        **bands,
        "inside_90": {"type": ["boolean", "null"]},
        "log_score": number,
    }
    # What is not modelled, or has no score that is a number, says so.
    status = {"enum": [NOT_MODELLED, NOT_SCORED, IMPOSSIBLE]}
    unscored = {"status": status, "reason": text, "unit": name}
    of_direction = {"p_lower": share, "p_none": share, "p_higher": share}
    arm = {"unit": text, "n": count, "mean": number, **bands, "expected": _table(bands)}
    result = {
        "schema": {"const": 1},
        "study": text,
        "replicates": {"type": "integer", "minimum": 1},
        "seed": count,
        "version": text,
        "posterior": text,
        "inputs_sha256": text,
        "failed_subjects": count,
        "failed_replicates": count,
        "assumed_inputs": texts,
        "warnings": texts,
        "arms": _named(_named(_table(arm))),
        "contrasts": _named(_named(_table({**measured, "p_success": share}))),
        "effect": _named(_named(_table({**measured, "p_benefit": share}))),
        "observations": {"type": "array", "items": _table(observation, {**of_direction, **unscored})},
        "joint": {
            "type": "array",
            "items": _table({"endpoint": text, "log_score": number, "treated_given_control": number}),
        },
    }
    return {"$schema": DIALECT, "title": "Mesolung result, schema 1", **_table(result)}


def _without_null(schema: Any) -> Any:
    """TOML has no null: a key that may be left out has its one type, not a choice."""
    if isinstance(schema, list):
        return [_without_null(part) for part in schema if part != {"type": "null"}]
    if not isinstance(schema, dict):
        return schema
    kept = {key: _without_null(part) for key, part in schema.items() if (key, part) != ("default", None)}
    choice = kept.pop("anyOf", [])
    return {**kept, "anyOf": choice} if len(choice) > 1 else {**kept, **(choice[0] if choice else {})}


def _table(properties: dict[str, Any], optional: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {**properties, **(optional or {})},
        "required": sorted(properties),
        "additionalProperties": False,
    }


def _named(values: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": values}
