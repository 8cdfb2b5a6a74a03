"""What a person reads of a validation: one HTML page, and a compact table for the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mesolung.report.answer import BANNER
from mesolung.report.html import page_html
from mesolung.report.numbers import number
from mesolung.report.shown import plain
from mesolung.report.validation_figures import forest_figure, pit_figure, skill_figure
from mesolung.report.validation_words import (
    bias_table,
    covered,
    crps_table,
    joint_table,
    left_out_table,
    mark,
    observation_table,
    observed,
    part_table,
    plus_minus,
    predicted,
    reason_table,
    skill_table,
    study_table,
    term_table,
    unscored_table,
    what,
    who,
)
from mesolung.report.words import words_of

if TYPE_CHECKING:
    from rich.console import RenderableType

WIDTH = 110
MOST_FAILURES = 25


def validation_html(json: Mapping[str, Any], command: str) -> str:
    """Make the page of a validation.

    Arguments:
        json: the object that `mesolung validate --json` prints.
        command: what repeats it.

    Returns:
        HTML with plotly.js inside; the same text for the same validation.
    """
    json = plain(json)
    words = words_of([])
    figures = [forest_figure(json, words), skill_figure(json), pit_figure(json)]
    return page_html(
        "validation.html",
        headline=json["headline"],
        sentences=sentences(json),
        banner=BANNER,
        version=json["version"],
        failures=observation_table(json, words, True),
        forest=figures[0],
        skill=figures[1],
        skill_table=skill_table(json),
        baselines=json["baselines"],
        bias=bias_table(json),
        terms=term_table(json),
        parts=part_table(json),
        pit=figures[2],
        crps=crps_table(json),
        held=observation_table(json, words, False),
        joint=joint_table(json, words),
        studies=study_table(json),
        left_out=left_out_table(json),
        reasons=reason_table(json),
        unscored=unscored_table(json),
        command=command,
    )


def write_validation(json: Mapping[str, Any], path: str | Path, command: str) -> None:
    """Write the page of a validation.

    Arguments:
        json, command: as `validation_html`.
        path: the file to make.

    Raises:
        Refusal: when the file exists or cannot be written.
    """
    from mesolung.writing import whole_file

    page = validation_html(json, command)
    with whole_file(path) as place:
        place.write_text(page, encoding="utf-8")


def left_out_sentences(json: Mapping[str, Any]) -> list[str]:
    """What a validation with one trial left out at a time is, and how usual care fared.

    Arguments:
        json: of the validation; nothing is said of one without leaving out.
    """
    found = json.get("leave_one_out")
    if not found:
        return []
    needed = found["refit_needed"]
    said = [
        f"Each of {number(len(found['trials']))} trials was predicted from all others of its kind; "
        f"{number(found['scored'])} are scored. "
        + (f"A refit is needed, and nothing is scored, of: {', '.join(needed)}." if needed else "")
    ]
    care = found["usual_care"]
    if care["ratio"] is not None:
        said.append(
            f"Usual care: the median 90 % interval is {care['ratio']:.2f} times as wide as studies differ "
            f"(3.3 standard deviations between studies; {number(care['results'])} results)."
        )
    if care["pit_flat"] is not None:
        said.append(
            f"Usual care: {number(care['pits'])} randomised PITs are as far from flat with chance "
            f"{care['pit_flat']:.2g} (observations taken as independent)."
        )
    return [one.strip() for one in said]


def sentences(json: Mapping[str, Any]) -> list[str]:
    """What a validation found, in a few sentences.

    Arguments:
        json: of the validation.
    """
    summary = json["summary"]
    inside = summary["coverage"]["90"]
    said = [
        f"{number(summary['failed'])} of {number(summary['observations'])} scored observations of "
        f"{number(summary['trials'])} trials failed (outside the 90 % interval, or a direction or order "
        "given less than 10 %).",
    ]
    if inside["observations"]:
        half = summary["coverage"]["50"]
        said.append(
            f"Inside the 90 % interval: {covered(inside)}; inside the 50 % interval: {covered(half)}. "
            "In brackets what a right model would reach: more than the name for counts, which come in steps."
        )
    if summary["answered_only"]:
        said.append(
            f"{number(summary['answered_only'])} observations are answered and stand in no score (bare "
            "numbers, ratios that touch 0 and the like): the last table counts them by reason."
        )
    said += left_out_sentences(json)
    missing = json["not_modelled"]["observations"]
    refused = sum(bool(one["refused"]) for one in json["studies"])
    if missing or refused:
        said.append(
            f"{number(missing)} observations are not modelled yet and {number(refused)} studies could not be "
            "run; they are counted below, never scored."
        )
    chosen = json["bias"]
    said.append(
        "Bias of published results is left out of these scores."
        if chosen == "none"
        else f"These scores allow for bias of published results ({chosen.replace('_', ' ')}); the table of "
        "bias says what the first line would be without."
    )
    return said


def validation_table(json: Mapping[str, Any], folder: str | Path | None = None) -> RenderableType:
    """Show a validation in the terminal, the failures first.

    Arguments:
        json: of the validation.
        folder: where the page was written.
    """
    from rich import box
    from rich.console import Group
    from rich.constrain import Constrain
    from rich.table import Table
    from rich.text import Text

    json = plain(json)
    words = words_of([])

    def grid(title: str, headings: list[str], rows: list[tuple[str, ...]], right: set[int]) -> Table:
        made = Table(
            title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold"
        )
        for i, heading in enumerate(headings):
            made.add_column(Text(heading), justify="right" if i in right else "left", overflow="fold")
        for row in rows:
            made.add_row(*(Text(cell) for cell in row))
        return made

    parts: list[Any] = [Text(json["headline"], style="bold")]
    parts += [Text(sentence) for sentence in sentences(json)]
    own = [line for line in json["observations"] if line["scored"]]
    shown = own[: max(MOST_FAILURES, 0)]
    if shown:
        rows = [
            (
                str(line["study"]),
                who(line),
                what(line, words),
                predicted(line),
                observed(line),
                mark(line),
                plus_minus(line.get("log_score"), line.get("log_score_error")),
            )
            for line in shown
        ]
        title = f"The {len(shown)} most surprising of {len(own)}"
        headings = ["Study", "Arm", "Endpoint", "Predicted (90 %)", "Observed", "In 90 %", "Log score"]
        parts.append(grid(title, headings, rows, {3, 4, 6}))
    for made in (skill_table(json), bias_table(json), part_table(json)):
        if made is not None:
            parts.append(
                grid(made.caption, list(made.header), [tuple(r) for r in made.rows], set(made.numeric))
            )
    refused = [one for one in json["studies"] if one["refused"]]
    parts += [Text(f"could not be run: {one['study']}: {one['refused']}", style="bold") for one in refused]
    reasons = json["not_modelled"]["reasons"]
    parts += [Text(f"not modelled yet: {count} of: {reason}") for reason, count in list(reasons.items())[:10]]
    if folder is not None:
        parts.append(Text(f"folder: {folder}", overflow="fold"))
    parts.append(Text(BANNER + ".", style="italic"))
    return Constrain(Group(*parts), WIDTH)


__all__ = ["sentences", "validation_html", "validation_table", "write_validation"]
