"""Write the table and the figure of the benchmark from the stored result.

python tools/benchmark_page.py            writes docs/benchmarks.md, README.md, docs/images/benchmark.svg
python tools/benchmark_page.py --check    says whether they are what the stored result gives
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from svg_panels import Panel, Series, figure

ROOT = Path(__file__).resolve().parent.parent
RESULT = ROOT / "benchmarks" / "results" / "peers.json"
FIGURE = ROOT / "docs" / "images" / "benchmark.svg"
PAGES = (ROOT / "docs" / "benchmarks.md", ROOT / "README.md")
START, END = "<!-- benchmark: start -->", "<!-- benchmark: end -->"
SHORT_START, SHORT_END = "<!-- benchmark table: start -->", "<!-- benchmark table: end -->"
OWN = "mesolung"
COLOURS = {
    "mesolung": "#b2182b", "roadrunner": "#1f5fa8", "diffsol": "#1b7837", "amici": "#e08214",
    "copasi": "#762a83", "scipy": "#555555", "diffrax": "#35978f", "rxode2": "#8c510a", "mrgsolve": "#c51b7d",
}  # fmt: skip
TITLES = {"acute": "bundled acute model", "influenza": "influenza, Baccam et al. 2006"}
Result = Mapping[str, Any]


def table(result: Result) -> str:
    """Write the time at equal error of every tool on every task.

    Arguments:
        result: what ``benchmarks.peers --store`` kept.

    Returns:
        Markdown.
    """
    parts = []
    for name, compared in result["tasks"].items():
        about, tools = compared["task"], compared["tools"]
        own = tools[OWN]["ms"]
        parts.append(
            f"**{TITLES.get(name, name)}**: {about['states']} states, {about['parameters']} parameters "
            f"({about['parameters_that_differ']} differ between subjects), {about['subjects']} subjects, "
            f"{about['outputs']} outputs in {about['end']:g} {about['time_unit']}, "
            f"{about['doses_a_subject']:.0f} dose events a subject."
        )
        lines = [
            "| tool | version | ms a subject | times Mesolung's | cold start, s | from cache, s | peak, MB |",
            "|---|---|---|---|---|---|---|",
        ]
        order = sorted(tools, key=lambda tool: tools[tool]["ms"] or math.inf)
        for tool in order:
            row = tools[tool]
            cells = [row["tool"], row["version"], _digits(row["ms"])]
            cells += [_digits(row["ms"] / own) if row["ms"] and own else "-"]
            cells += [_digits(row.get("cold_start_s")), _digits(row["warm_start_s"])]
            lines.append("| " + " | ".join([*cells, f"{row['peak_memory_mb']:.0f}"]) + " |")
        parts.append("\n".join(lines))
        if compared["absent"]:
            parts.append("Absent: " + "; ".join(f"{t}: {why}" for t, why in compared["absent"].items()) + ".")
    parts.append(
        f"Measured on {result['date']}: {result['processor']}, one thread, {result['system']}, Python "
        f"{result['python']}; processor time at max scaled error {result['target_error']:g}, interpolated on "
        f"each tool's own curve, median of {result['repeats']} runs; result `{result['hash']}`."
    )
    return "\n\n".join(parts)


def details(result: Result) -> str:
    """Write how each tool was run, its curve, and what subjects, doses and outputs cost.

    Arguments:
        result: what ``benchmarks.peers --store`` kept.

    Returns:
        Markdown.
    """
    parts = []
    for name, compared in result["tasks"].items():
        tools = compared["tools"]
        parts.append(f"### {_capital(TITLES.get(name) or name)}: curves")
        lines = ["| tool | how it is run | rtol: max scaled error, ms a subject |", "|---|---|---|"]
        for row in tools.values():
            points = "; ".join(
                f"{p['rtol']:.0e}: {p['error']:.1e}, {_digits(p['ms'])}" for p in row["points"]
            )
            failed = "; ".join(f"{rtol}: {why}" for rtol, why in row.get("failed_at", {}).items())
            points += f"; not at {failed}" if failed else ""
            lines.append(f"| {row['tool']} | {row['how']} | {points} |")
        parts.append("\n".join(lines))
        parts.append(f"### {_capital(TITLES.get(name) or name)}: slopes")
        lines = [
            "| tool | ms a subject more | off a line | ms a dose more | off it | ms an output | off it |",
            "|---|---|---|---|---|---|---|",
        ]
        for row in tools.values():
            cells = []
            for what in ("subjects", "doses", "outputs"):
                line = row["slopes"].get(what)
                cells += [_digits(line["each"]), f"{line['deviation']:.0%}"] if line else ["-", "-"]
            lines.append(f"| {row['tool']} | {' | '.join(cells)} |")
        parts.append("\n".join(lines))
        own = tools[OWN]
        widths = "; ".join(f"{label}: {_digits(ms)} ms" for label, ms in own["widths"].items())
        parts.append(
            f"Mesolung by width of vector: {widths}. Two threads: {own['two_threads']:.2f} times one."
        )
    return "\n\n".join(parts)


def draw(result: Result) -> str:
    """Draw the work-precision curves.

    Arguments:
        result: what ``benchmarks.peers --store`` kept.

    Returns:
        SVG text: a panel a task, max scaled error across, time a subject up, both logarithmic.
    """
    tasks = result["tasks"]
    panels = []
    for name, compared in tasks.items():
        points = [p for row in compared["tools"].values() for p in row["points"] if p["error"] < 10.0]
        low, high = (f(p["ms"] for p in points) for f in (min, max))
        y_range = (10.0 ** math.floor(math.log10(low)), 10.0 ** math.ceil(math.log10(high)))
        series = [Series([result["target_error"]] * 2, y_range, colour="#999999", kind="dashed")]
        for tool, row in compared["tools"].items():
            shown = [p for p in row["points"] if 1e-7 <= p["error"] <= 1.0]
            x, y = [p["error"] for p in shown], [p["ms"] for p in shown]
            series += [Series(x, y, colour=COLOURS[tool], kind=kind) for kind in ("line", "points")]
        panels.append(
            Panel(
                f"{TITLES.get(name, name)}, {compared['task']['states']} states",
                "max scaled error (dimensionless)",
                "processor time, ms a subject",
                series,
                (1e-7, 1.0),
                y_range,
                x_log=True,
                y_log=True,
                width=480,
                height=360,
            )
        )
    tools = dict.fromkeys(tool for compared in tasks.values() for tool in compared["tools"])
    names = {tool: row["tool"] for c in tasks.values() for tool, row in c["tools"].items()}
    legend = [("line", COLOURS[tool], names[tool]) for tool in tools]
    title = "Time a subject against error, by tool; lower and further left is better"
    return figure(panels, len(panels), title, legend)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _digits(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _between(text: str, marks: tuple[str, str], content: str) -> str:
    if marks[0] not in text or marks[1] not in text:
        return text
    before, rest = text.split(marks[0], 1)
    return f"{before}{marks[0]}\n\n{content}\n\n{marks[1]}{rest.split(marks[1], 1)[1]}"


def pages(result: Result) -> dict[Path, str]:
    """Everything that shows the result.

    Arguments:
        result: what ``benchmarks.peers --store`` kept.

    Returns:
        file -> the text that it should have. A page shows the table where it has marks for it.
    """
    found = {FIGURE: draw(result)}
    for page in PAGES:
        text = _between(page.read_text(encoding="utf-8"), (SHORT_START, SHORT_END), table(result))
        found[page] = _between(text, (START, END), f"{table(result)}\n\n{details(result)}")
    return found


def main(arguments: Sequence[str]) -> int:
    """Run from the command line.

    Arguments:
        arguments: ``--check`` or nothing.

    Returns:
        exit status: 1 where ``--check`` finds a file that is not what the result gives.
    """
    stale = []
    for path, text in pages(json.loads(RESULT.read_text(encoding="utf-8"))).items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            stale.append(path.relative_to(ROOT))
            if "--check" not in arguments:
                path.write_text(text, encoding="utf-8")
    for path in stale:
        print(f"{path}: {'not what the stored result gives' if '--check' in arguments else 'written'}")
    return 1 if stale and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
