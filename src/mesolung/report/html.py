"""How pages are made of templates: one environment, figures as JSON, plotly.js put in last."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from mesolung.report.style import Figure

if TYPE_CHECKING:
    from jinja2 import Environment


def page_html(template: str, **content: Any) -> str:
    """Make a page of a template of this room.

    Arguments:
        template: its file, as "report.html".
        content: values of its names.

    Returns:
        HTML with plotly.js inside; the same text for the same values.
    """
    return with_plotly(templates().get_template(template).render(**content))


def templates() -> Environment:
    """The templates of this room, and the filter that writes a figure."""
    from jinja2 import Environment, PackageLoader

    environment = Environment(
        loader=PackageLoader("mesolung.report"), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["figure_json"] = figure_json
    return environment


def with_plotly(page: str) -> str:
    """Put plotly.js where a rendered page leaves room for it.

    Arguments:
        page: HTML with the mark of the base template.
    """
    from plotly.offline import get_plotlyjs

    # Put in last and as it is: a template engine would read it all for nothing.
    return page.replace("<!--plotly.js-->", f"<script>{get_plotlyjs()}</script>", 1)


def figure_json(figure: Figure) -> Any:
    """Write what plotly draws so that it can stand inside a script element.

    Arguments:
        figure: any.

    Returns:
        JSON as safe markup: the signs that could end the element are written as escapes.
    """
    from markupsafe import Markup

    text = json.dumps(
        {"data": list(figure.data), "layout": {**figure.layout, "height": figure.height}},
        sort_keys=True,
        separators=(",", ":"),
        allow_nan=False,
    )
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(text)
