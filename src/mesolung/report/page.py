"""The report: one HTML file that needs nothing else, not even a network."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mesolung.report.answer import BANNER, BENEFIT, SUCCESS, more_sentences, one_sentence
from mesolung.report.comparison import lines_of
from mesolung.report.courses import course_figures
from mesolung.report.effects import effect_figures, effect_table, effects_of
from mesolung.report.forest import comparison_figures, comparison_table
from mesolung.report.html import page_html
from mesolung.report.plan import in_plan_order, read_plan
from mesolung.report.record import (
    assumed_table,
    enrolment_tables,
    facts_table,
    failure_tables,
    grade_table,
    limits,
    repeat_command,
    timing_table,
)
from mesolung.report.shown import Shown, plain, rows_of, study_text
from mesolung.report.style import Look
from mesolung.report.survival import risk_table, survival_figure
from mesolung.report.waterfall import waterfall_figures
from mesolung.report.words import words_of


def write_report(result: Shown, path: str | Path) -> None:
    """Write the report of a run as one self-contained HTML file.

    Arguments:
        result: a finished run.
        path: the file to make.

    Raises:
        Refusal: when the file exists or cannot be written.
    """
    from mesolung.writing import whole_file

    page = report_html(result)
    with whole_file(path) as place:
        place.write_text(page, encoding="utf-8")


def report_html(result: Shown) -> str:
    """Make the report of a run.

    Arguments:
        result: a finished run.

    Returns:
        HTML with plotly.js inside; the same text for the same result.
    """
    return page_html("report.html", **page_content(result))


def page_content(result: Shown) -> dict[str, Any]:
    """Collect what the page shows.

    Arguments:
        result: a finished run.

    Returns:
        Values of the template's names.
    """
    json, manifest = plain(result.json), plain(result.manifest or {})
    text = study_text(manifest)
    plan = read_plan(text)
    bands, survival, waterfall = rows_of(result.bands), rows_of(result.survival), rows_of(result.waterfall)
    words = words_of(bands)
    arms = [*(json.get("arms") or {}), *(str(r["arm"]) for r in [*bands, *survival, *waterfall])]
    lines, effects = lines_of(json, plan, words), effects_of(json, plan, words)
    compared = {e.control for e in effects}
    # Without the study file's text, the one arm that all others are compared with is the control.
    controls = plan.controls or (tuple(compared) if len(compared) == 1 else ())
    look = Look(tuple(in_plan_order(arms, plan)), controls)
    return {
        "title": str(json.get("study") or "Study"),
        "registry": _registry(text, result),
        "banner": BANNER,
        "answer": one_sentence(json, effects, lines),
        "more": more_sentences(effects, lines),
        "version": json.get("version"),
        "warnings": [str(w) for w in json.get("warnings") or []],
        "comparison": comparison_figures(lines, look),
        "comparison_table": comparison_table(lines, "Predicted and observed, all endpoints")
        if lines
        else None,
        "joint": _joint(json, words),
        "effects": effect_figures(effects, look),
        "effect_table": effect_table(effects) if effects else None,
        "success": SUCCESS,
        "benefit": BENEFIT,
        "survival": survival_figure(survival, lines, plan, look),
        "risk": risk_table(survival, plan),
        "courses": course_figures(bands, lines, plan, look, words.scales),
        "waterfall": waterfall_figures(waterfall, plan, look),
        "enrolment": enrolment_tables(manifest, plan, words),
        "study_text": text,
        "assumed": assumed_table(json, manifest),
        "grades": grade_table(manifest),
        "facts": facts_table(json, manifest),
        "failures": failure_tables(json, manifest),
        "timings": timing_table(manifest),
        "limits": limits(json),
        "command": repeat_command(json, manifest),
    }


def _registry(text: str | None, result: Shown) -> str:
    import tomllib

    try:
        found = tomllib.loads(text or "").get("registry")
    except tomllib.TOMLDecodeError:
        found = None
    return str(found or getattr(getattr(result, "study", None), "registry", None) or "")


def _joint(json: Mapping[str, Any], words: Any) -> Any:
    from mesolung.report.numbers import number
    from mesolung.report.tables import table

    rows = [
        (
            words.endpoint(str(e.get("endpoint"))),
            number(e.get("log_score")),
            number(e.get("treated_given_control")),
        )
        for e in json.get("joint") or []
    ]
    header = ("Endpoint", "Log score, all arms", "Log score, treated given control")
    return (
        table("Joint scores of the arms (natural log of the predictive probability)", header, rows, (1, 2))
        if rows
        else None
    )
