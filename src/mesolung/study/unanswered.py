"""The answer to what is not modelled yet: what was published, and why nothing is set beside it."""

from __future__ import annotations

from typing import Any

from mesolung.biology.states import STATE, state_row
from mesolung.biology.tables import endpoints
from mesolung.study.asked import key_of
from mesolung.study.modelled import left_out, not_modelled
from mesolung.study.observation import Observation
from mesolung.study.observations import PERCENT
from mesolung.study.possible import planned_endpoints
from mesolung.study.study import Study
from mesolung.trial.contrasts import is_ratio
from mesolung.units import convert

NOT_MODELLED = "not modelled yet"
NUMBER_OF = {
    "events": "events",
    "event_count": "event_count",
    "mean": "mean",
    "median": "median",
    "value": "value",
    "contrast": "value",
    "direction": "direction",
}


def unanswered(study: Study) -> list[dict[str, Any]]:
    """Make the entries of a result for the observations that are not modelled yet.

    Arguments:
        study: validated.

    Returns:
        objects as under ``observations`` of the result, in the file's order, with ``status`` and ``reason``;
        every prediction and score is None.
    """
    reasons = not_modelled(study)
    return [_entry(one, reasons[one.index]) for one in study.observations if one.index in reasons]


def _entry(one: Observation, reason: str) -> dict[str, Any]:
    return {
        "index": one.index,
        "arm": one.arm[0] if len(one.arm) == 1 else list(one.arm),
        "endpoint": key_of(one.endpoint, one.time_h, one.time_unknown),
        "as": one.as_,
        "where": one.where.text if one.where else None,
        "versus": one.versus,
        "version": one.source.version,
        "statistic": one.form,
        "observed": _observed(one),
        "unit": _printed_unit(one),
        "n": one.n,
        "p05": None,
        "p50": None,
        "p95": None,
        "inside_90": None,
        "log_score": None,
        "status": NOT_MODELLED,
        "reason": reason,
    }


def _printed_unit(one: Observation) -> str | None:
    if one.form in ("order", "direction", "events", "event_count") or _is_ratio(one):
        return None
    return one.unit or unit_of_observation(one)


def _is_ratio(one: Observation) -> bool:
    return one.form == "contrast" and one.contrast is not None and is_ratio(one.contrast)


def _observed(one: Observation) -> Any:
    """The published number in the unit that was printed, direction or order."""
    if one.form == "order":
        return list(one.order)
    value = getattr(one, NUMBER_OF[one.form])
    if one.unit is None or _is_ratio(one) or isinstance(value, str):
        return value
    return convert(float(value), unit_of_observation(one), one.unit)


def unit_of_observation(one: Observation) -> str:
    """The base unit of an observation's numbers."""
    if one.as_ == "percent_change":
        return PERCENT
    if one.endpoint.startswith(STATE):
        return state_row(one.endpoint).unit
    known = endpoints().get(one.endpoint)
    return known.unit if known else planned_endpoints()[one.endpoint].row.unit


def with_unanswered(
    study: Study, observations: list[dict[str, Any]], warnings: list[str]
) -> tuple[list[dict[str, Any]], list[str]]:
    """Put the entries of what is not modelled among the answers of a run.

    Arguments:
        study: the whole study.
        observations: answers of what is modelled.
        warnings: of the run.

    Returns:
        all observations in the file's order, and the warnings with what was left out.
    """
    together = sorted([*observations, *unanswered(study)], key=lambda entry: entry["index"])
    return together, [*warnings, *left_out(study)]
