"""The result as a compact table in the terminal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from mesolung.report.answer import BANNER, one_sentence
from mesolung.report.comparison import Line, lines_of, not_modelled, not_scored
from mesolung.report.effects import effects_of
from mesolung.report.numbers import UNKNOWN, median_interval, number, percent, unit_name
from mesolung.report.plan import read_plan
from mesolung.report.shown import Shown, plain, rows_of, study_text
from mesolung.report.words import words_of

if TYPE_CHECKING:
    from rich.console import RenderableType

WIDTH = 100


def terminal_table(result: Shown, folder: str | Path | None = None) -> RenderableType:
    """Show a result in at most 100 columns.

    Arguments:
        result: a finished run.
        folder: the run folder to name, if there is one; else the manifest's.

    Returns:
        What rich prints: predictions beside observations, contrasts, warnings, failures, the run folder.
    """
    from rich.console import Group
    from rich.constrain import Constrain
    from rich.table import Table
    from rich.text import Text

    json, manifest = plain(result.json), plain(result.manifest or {})
    plan = read_plan(study_text(manifest))
    words = words_of(rows_of(result.bands))
    lines, effects = lines_of(json, plan, words), effects_of(json, plan, words)

    def grid(headings: list[str], right: set[int]) -> Table:
        made = Table(box=_box(), pad_edge=False, header_style="bold")
        for i, heading in enumerate(headings):
            made.add_column(Text(heading), justify="right" if i in right else "left", overflow="fold")
        return made

    def add(to: Table, *cells: Any) -> None:
        # Text, not str: a name from a file must not be read as rich's markup.
        to.add_row(*(Text(str(cell)) for cell in cells))

    parts: list[Any] = [
        Text(str(json.get("study") or "Study"), style="bold"),
        Text(one_sentence(json, effects, lines)),
    ]

    def short(line: Line) -> str:
        entry = line.observation or {}
        return f"{number(entry.get('observed'))} of {number(line.n)}" if line.counts else line.observed_text()

    if lines:
        arms = grid(["Endpoint", "Arm", "Unit", "Predicted (90 %)", "Observed", "In 90 %"], {3, 4})
        for line in lines:
            mark = {"inside": "yes", "outside": "NO"}.get(line.inside_text(), UNKNOWN)
            add(arms, _kept(line.title), line.arm, line.unit_text(), line.predicted_text(), short(line), mark)
        parts.append(arms)
    for said, found in (("not modelled yet", not_modelled(lines)), ("in no score", not_scored(lines))):
        for reason, count in found:
            what = "1 observation" if count == 1 else f"{count} observations"
            parts.append(Text(f"{said}, {what}: {reason}"))
    for pair in dict.fromkeys(effect.pair for effect in effects):
        headings = [
            "Endpoint and measure",
            "Trials (90 %)",
            "P(success)",
            "Same patients (90 %)",
            "P(benefit)",
        ]
        table = grid(headings, {1, 2, 3, 4})
        for e in (effect for effect in effects if effect.pair == pair):
            measure = e.measure_words + (f" ({unit_name(e.unit)})" if e.unit else "")
            add(
                table,
                f"{_kept(e.title)}, {measure}",
                median_interval(e.trial, e.unit),
                percent(e.trial.get("p_success")),
                median_interval(e.paired, e.unit),
                percent(e.paired.get("p_benefit")),
            )
        parts += [Text(pair, style="bold"), table]
    parts += [Text(f"warning: {warning}", style="bold") for warning in json.get("warnings") or []]
    assumed = len(json.get("assumed_inputs") or [])
    parts.append(
        Text(
            f"{number(json.get('replicates'))} simulated trials, seed {json.get('seed', UNKNOWN)}, "
            f"{json.get('posterior', UNKNOWN)}, {assumed} assumed {'input' if assumed == 1 else 'inputs'}; "
            f"failed: {number(json.get('failed_subjects'))} subjects in "
            f"{number(json.get('failed_replicates'))} trials"
        )
    )
    place = folder if folder is not None else manifest.get("folder")
    if place:
        parts.append(Text(f"run folder: {place}", overflow="fold"))
    parts.append(Text(BANNER + ".", style="italic"))
    return Constrain(Group(*parts), WIDTH)


def _kept(title: str) -> str:
    """Keep an endpoint and its time on one line where there is room."""
    return title.replace(" at ", " at\u00a0").replace(" d", "\u00a0d")


def _box() -> Any:
    from rich import box

    return box.SIMPLE_HEAD
