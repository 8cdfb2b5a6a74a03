"""All relations predicted and judged, class by class, beside the rule that cells always help."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mesolung.calibration.check_record import text_of as listed_text
from mesolung.calibration.relations.judging import (
    MET,
    RULES,
    VERDICTS,
    Told,
    Verdict,
    told_of,
    verdict,
    verdict_of_rule,
)
from mesolung.calibration.relations.relation import CLASSES, EFFECT, Relation
from mesolung.calibration.validation.predicted import Predicted
from mesolung.study import Study

DIGITS = 4
ALL = "all classes"


@dataclass(frozen=True)
class Judged:
    """A relation with what became of it.

    Attributes:
        relation: as published.
        told: by the model.
        verdict: of the model.
        rule: verdict of "cells always help"; None where it says nothing.
    """

    relation: Relation
    told: Told
    verdict: Verdict
    rule: Verdict | None


def judge(
    found: Sequence[Relation], studies: Mapping[str, Study], predicted: Mapping[str, Predicted]
) -> list[Judged]:
    """Judge relations by what was predicted of their studies.

    Arguments:
        found: the relations.
        studies: by name.
        predicted: by name of the study.
    """
    made = []
    for one in found:
        study = studies[one.study]
        arms = [
            study.observations[index].arm[0]
            for index in (one.observation, *one.beside)
            if study.observations[index].arm
        ]
        told = told_of(one, predicted[one.study], arms)
        made.append(Judged(one, told, verdict(one, told), verdict_of_rule(one, found)))
    return made


def summary(judged: Sequence[Judged]) -> dict[str, dict[str, dict[str, Any]]]:
    """Count verdicts.

    Arguments:
        judged: all relations.

    Returns:
        part -> class -> met, missed, not modelled yet, share met of those answered, and the rule's number met
        among the same answered ones and among all. Parts: effects of products as seen, the same with those
        that were derived, and what needs no product.
    """
    return summary_of_lines([_line(one) for one in judged])


def summary_of_lines(lines: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, dict[str, Any]]]:
    """Count the verdicts of a record's lines.

    Arguments:
        lines: of a record.

    Returns:
        as `summary`.
    """
    parts: dict[str, Callable[[Mapping[str, Any]], bool]] = {
        "effects, seen": lambda line: line["about"] == EFFECT and line["status"] == "seen",
        "effects, seen or derived": lambda line: line["about"] == EFFECT,
        "disease and fate": lambda line: line["about"] != EFFECT,
    }
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for part, belongs in parts.items():
        mine = [line for line in lines if belongs(line)]
        found[part] = {
            name: _counted([line for line in mine if name in (ALL, line["class"])])
            for name in (*CLASSES, ALL)
        }
    return found


def _counted(lines: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    counts: dict[str, Any] = {v: sum(line["verdict"] == v for line in lines) for v in VERDICTS}
    answered = [line for line in lines if "reason" not in line]
    counts["share_met"] = counts[MET] / len(answered) if answered else None
    ruled = [line for line in answered if line["rule"] is not None]
    counts["rule_met_of_answered"] = sum(line["rule"] == MET for line in ruled) if ruled else None
    every = [line for line in lines if line["rule"] is not None]
    counts["rule_met_of_all"] = sum(line["rule"] == MET for line in every) if every else None
    counts["relations"] = len(lines)
    return counts


def record_of(judged: Sequence[Judged], about: Mapping[str, Any]) -> dict[str, Any]:
    """Put a scoring into a form that is kept.

    Arguments:
        judged: all relations.
        about: what it was made with: date, hashes, draws, seed.

    Returns:
        the record, with the SHA-256 of its lines and counts.
    """
    return with_lines({**about, "rules": dict(RULES)}, [_line(one) for one in judged])


def with_lines(about: Mapping[str, Any], lines: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Make a record of lines: counts, reasons, hash.

    Arguments:
        about: what the lines were made with, put first.
        lines: of this scoring, and of earlier ones.

    Returns:
        the record, with the SHA-256 of its lines and counts.
    """
    reasons: dict[str, int] = {}
    for line in lines:
        if "reason" in line:
            reasons[line["reason"]] = reasons.get(line["reason"], 0) + 1
    body = {
        "summary": _plain(summary_of_lines(lines)),
        "not_modelled": dict(sorted(reasons.items(), key=lambda pair: (-pair[1], pair[0]))),
        "lines": list(lines),
    }
    known = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
    return {**about, "sha256": known, **body}


def text_of(record: Mapping[str, Any]) -> str:
    """Write a record, one relation a line, so that a change is seen where it is.

    Arguments:
        record: from `record_of`.
    """
    return listed_text(record, "lines")


def _line(one: Judged) -> dict[str, Any]:
    relation, told = one.relation, one.told
    published = list(relation.published) if isinstance(relation.published, tuple) else relation.published
    line: dict[str, Any] = {
        "relation": relation.key,
        "class": relation.class_,
        "about": relation.about,
        "endpoint": relation.endpoint,
        "measure": relation.measure,
        "published": published,
        "interval": [relation.low, relation.high] if relation.low is not None else None,
        "status": relation.status,
        "verdict": one.verdict,
        "rule": one.rule,
    }
    if told.reason:
        line["reason"] = told.reason
    elif told.order:
        line["predicted"] = list(told.order)
    else:
        line["predicted"] = [told.median, told.low, told.high]
        if told.classes:
            line["classes"] = told.classes
    return _plain(line)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(v) for key, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None
    return value
