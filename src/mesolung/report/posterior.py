"""The page of a posterior: each stage's data beside predictions before and after, and what was learnt."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from mesolung.calibration.posterior.diagnostics import Learnt, learnt
from mesolung.population.posterior import read_posterior
from mesolung.report.answer import BANNER
from mesolung.writing import whole_file

# A strip shows a number's predictions relative to what was published, an eighth to eight times of it.
WIDTH, HEIGHT, MOST = 260.0, 26.0, math.log(8.0)
STYLE = (
    "body{font:15px/1.45 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem;color:#1b2733}"
    "table{border-collapse:collapse;width:100%;margin:.6rem 0 2rem}"
    "th,td{padding:.2rem .5rem;border-bottom:1px solid #dde3e8;text-align:left;vertical-align:middle}"
    "td.n{text-align:right;font-variant-numeric:tabular-nums}"
    ".b{stroke:#9aa7b2;stroke-width:3}.a{stroke:#1f6f8b;stroke-width:5}.p{fill:#b5452c}"
    ".e{stroke:#b5452c;stroke-width:1.5}.z{stroke:#c9d1d8;stroke-width:1}.no{color:#b5452c}"
)
LEGEND = (
    "Red: what was published, with its 95 % interval. Grey: 5 to 95 % of what the model predicted before the "
    "stage; blue: after it; both with the error of a published number. The axis is relative to what was "
    "published, from an eighth to eight times of it, on a log scale."
)


def posterior_html(lines: Sequence[Mapping[str, Any]], parameters: Sequence[Learnt]) -> str:
    """Write the page.

    Arguments:
        lines: from `mesolung.calibration.posterior.calibrate.status_of`.
        parameters: what was learnt of each, from `mesolung.calibration.posterior.diagnostics.learnt`.

    Returns:
        HTML that needs no other file.
    """
    parts = [
        f"<!doctype html><html lang=en><meta charset=utf-8><title>Posterior</title><style>{STYLE}</style>",
        f"<body><p>{escape(BANNER)}</p><h1>What was learnt, from what, and what was not</h1>",
        _overview(lines),
        f"<p>{escape(LEGEND)}</p>",
    ]
    parts += [_stage(line["stage"], line["record"]) for line in lines if line["record"] is not None]
    parts.append(_parameters(parameters))
    return "".join(parts) + "</body></html>\n"


def write_posterior(lines: Sequence[Mapping[str, Any]], folder: Path | None, path: Path) -> None:
    """Write the page of a stored posterior.

    Arguments:
        lines: as `posterior_html`.
        folder: of the posterior; None for the package's own.
        path: the file to make.

    Raises:
        Refusal: where the file exists already, or the posterior cannot be read.
    """
    posterior = read_posterior(folder)
    with whole_file(path) as place:
        place.write_text(posterior_html(lines, learnt(posterior) if posterior else []), encoding="utf-8")


def _overview(lines: Sequence[Mapping[str, Any]]) -> str:
    rows = []
    for line in lines:
        record = line["record"]
        if record is None:
            cells = ["not done", "", "", "", ""]
        else:
            cells = [
                line["stale"] or str(record["date"]),
                str(record["moved_count"]),
                str(record["numbers"]),
                _percent(record["inside_90_before"]),
                _percent(record["inside_90_after"]),
            ]
        rows.append([line["stage"], line["about"], *cells])
    head = ("stage", "learns from", "done", "parameters moved", "numbers", "inside 90 % before", "after")
    return _table(head, rows, numbers=(3, 4, 5, 6))


def _stage(name: str, record: Mapping[str, Any]) -> str:
    shown = [line for line in record["checks"] if "published" in line]
    made = f"{record['about']}; {record['draws']} draws, seed {record['seed']}."
    said = f"<h2>{escape(name)}</h2><p>{escape(made)}</p>"
    said += _weights(record)
    if shown:
        rows = [
            [
                escape(line["name"]),
                f"{_number(line['published'])} {escape(line['unit'])}",
                _band(line["before"]),
                _band(line["after"]),
                _strip(line),
                "" if line["inside_after"] in (True, None) else "<span class=no>outside</span>",
            ]
            for line in shown
        ]
        head = ("number", "published", "before", "after", "relative to published", "")
        said += _table(head, rows, numbers=(2, 3), plain=False)
    others = [line for line in record["checks"] if "published" not in line]
    if others:
        keys = [k for k in others[0] if k.startswith("log_predictive")]
        rows = [[line["name"], *(_number(line[k]) for k in keys)] for line in others]
        said += _table(("laboratory or trial", *(k.replace("_", " ") for k in keys)), rows)
    return said


def _weights(record: Mapping[str, Any]) -> str:
    if "variants" not in record:
        return ""
    rows = [
        [label, *(_number(one[k]) for k in ("prior", "stacked", "weight", "share"))]
        for label, one in sorted(record["variants"].items(), key=lambda pair: -pair[1]["weight"])
    ]
    said = f"<p>Likelihood used to the power {record['power']:g}.</p>"
    return said + _table(("carriers on", "prior", "stacked", "weight", "share of draws"), rows)


def _parameters(found: Sequence[Learnt]) -> str:
    rows = [
        [
            one.name,
            one.meaning,
            one.stage,
            one.grade,
            f"{_triple(one.prior)} {one.unit}",
            f"{_triple(one.posterior)} {one.unit}",
            f"{one.contraction:.2f}",
            f"{one.moved:+.1f}",
        ]
        for one in found
    ]
    head = ("parameter", "meaning", "stage", "grade", "prior", "posterior", "contraction", "moved, SD")
    note = (
        "Contraction: 1 - variance after over variance before; 0 nothing learnt, 1 all. Others keep theirs."
    )
    return f"<h2>Parameters</h2><p>{note}</p>" + _table(head, rows, numbers=(6, 7))


def _strip(line: Mapping[str, Any]) -> str:
    published = line["published"]
    if published is None or published <= 0.0:
        return ""

    def x(value: float | None) -> float:
        ratio = math.log(max(value or 0.0, 1e-300) / published)
        return WIDTH * (0.5 + 0.5 * max(-1.0, min(1.0, ratio / MOST)))

    def bar(band: Sequence[float] | None, kind: str, y: float) -> str:
        if band is None:
            return ""
        ends = f'x1="{x(band[0]):.1f}" x2="{x(band[2]):.1f}" y1="{y}" y2="{y}"'
        return f'<line class="{kind}" {ends}/><circle cx="{x(band[1]):.1f}" cy="{y}" r="2" fill="#fff"/>'

    middle = f'<line class="z" x1="{WIDTH / 2}" x2="{WIDTH / 2}" y1="0" y2="{HEIGHT}"/>'
    interval = f'<line class="e" x1="{x(line["low"]):.1f}" x2="{x(line["high"]):.1f}" y1="4" y2="4"/>'
    dot = f'<circle class="p" cx="{x(published):.1f}" cy="4" r="3"/>'
    inside = middle + interval + dot + bar(line["before"], "b", 13.0) + bar(line["after"], "a", 21.0)
    said = escape(f"{line['name']}: published {published:g}")
    return f'<svg role="img" aria-label="{said}" width="{WIDTH:g}" height="{HEIGHT:g}">{inside}</svg>'


def _table(
    head: Sequence[str], rows: Sequence[Sequence[str]], numbers: Sequence[int] = (), plain: bool = True
) -> str:
    top = "".join(f"<th>{escape(h)}</th>" for h in head)
    body = []
    for row in rows:
        cells = [
            f"<td{' class=n' if k in numbers else ''}>{escape(cell) if plain else cell}</td>"
            for k, cell in enumerate(row)
        ]
        body.append(f"<tr>{''.join(cells)}</tr>")
    return f"<table><tr>{top}</tr>{''.join(body)}</table>"


def _band(values: Sequence[float] | None) -> str:
    return "nobody" if values is None else _triple(values)


def _triple(values: Sequence[float]) -> str:
    return f"{_number(values[1])} ({_number(values[0])} to {_number(values[2])})"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}"


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.0%}"
