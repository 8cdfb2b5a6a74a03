"""One HTML page of an analysis: headline, figures, tables, and what repeats it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mesolung.report.answer import BANNER
from mesolung.report.html import page_html
from mesolung.report.style import Figure
from mesolung.report.tables import Table


@dataclass(frozen=True)
class Analysis:
    """What a page of an analysis shows.

    Attributes:
        kind: of the analysis, as "Sensitivity".
        asked: heading of the figures.
        study, version, headline, command: words.
        said: paragraphs on how to read it.
        warnings: what was left out.
        figures, tables: in order.
        facts: how it was made.
    """

    kind: str
    asked: str
    study: str
    version: str
    headline: str
    command: str
    said: Sequence[str]
    warnings: Sequence[str]
    figures: Sequence[Figure]
    tables: Sequence[Table]
    facts: Table


def analysis_html(shown: Analysis) -> str:
    """Make the page.

    Arguments:
        shown: what it shows.

    Returns:
        HTML with plotly.js inside; the same text for the same analysis.
    """
    return page_html(
        "analysis.html", **{name: getattr(shown, name) for name in shown.__dataclass_fields__}, banner=BANNER
    )


def write_analysis(shown: Analysis, path: str | Path) -> None:
    """Write the page.

    Arguments:
        shown: what it shows.
        path: the file to make.

    Raises:
        Refusal: when the file exists or cannot be written.
    """
    from mesolung.writing import whole_file

    page = analysis_html(shown)
    with whole_file(path) as place:
        place.write_text(page, encoding="utf-8")
