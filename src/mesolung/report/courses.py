"""Time courses: median with 50 % and 90 % bands by arm, doses, and what was observed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mesolung.report.comparison import Line, same_endpoint, spread_of
from mesolung.report.numbers import UNKNOWN, axis_value, is_number, number, unit_name
from mesolung.report.observed import observed_key, observed_mark
from mesolung.report.plan import Plan, in_plan_order, split_key
from mesolung.report.style import INK, Figure, Look, axis, layout, log_ticks, plot_text
from mesolung.report.tables import table

MOST_TIMES = 120
_QUANTILES = ("p05", "p25", "p50", "p75", "p95")
Rows = Sequence[Mapping[str, Any]]


def course_figures(
    rows: Rows, lines: Sequence[Line], plan: Plan, look: Look, scales: Mapping[str, str]
) -> list[Figure]:
    """A figure for each output of the table of bands.

    Arguments:
        rows: of the table of bands, with times in h.
        lines: predictions and observations; observed levels are drawn where their unit is the output's.
        plan: gives the dose times.
        look: colours of the arms.
        scales: "linear", "log" or "logit" by output; what is missing is linear.

    Returns:
        The figures, in the order in which the outputs first appear.
    """
    outputs = list(dict.fromkeys(str(r["output"]) for r in rows))
    figures = []
    for i, output in enumerate(outputs):
        here = [r for r in rows if str(r["output"]) == output]
        if any(is_number(r.get("p50")) for r in here):
            log = str(here[0].get("scale") or scales.get(output, "linear")) == "log"
            figures.append(_figure(f"course-{i + 1}", output, here, lines, plan, look, log))
    return figures


def time_axis(times_h: Sequence[float]) -> tuple[float, str, dict[str, Any]]:
    """Choose days or hours for a time axis.

    Arguments:
        times_h: h since enrolment.

    Returns:
        (h a unit, name of the unit, plotly axis).
    """
    longest = max(times_h, default=0.0)
    divisor, unit = (24.0, "d") if longest > 72 else (1.0, "h")
    ticks: dict[str, Any] = {"dtick": 7} if unit == "d" and 14 <= longest / 24 <= 60 else {}
    return divisor, unit, axis(f"time since enrolment ({unit})", **ticks)


def thinned(rows: Rows) -> tuple[list[Mapping[str, Any]], int]:
    """Take every k-th time, so that the page stays small.

    Arguments:
        rows: with ``time_h``.

    Returns:
        (rows kept, k); the first and last time are always kept.
    """
    times = sorted({float(r["time_h"]) for r in rows})
    step = -(-len(times) // MOST_TIMES) if len(times) > MOST_TIMES else 1
    kept = {*times[::step], *times[-1:]}
    return [r for r in rows if float(r["time_h"]) in kept], step


def dose_marks(
    plan: Plan, look: Look, divisor: float, longest_h: float
) -> tuple[list[dict[str, Any]], list[str]]:
    """Vertical lines at the doses of each arm.

    Arguments:
        plan: gives the dose times.
        look: colours of the arms.
        divisor: h a unit of the axis.
        longest_h: later doses are not drawn.

    Returns:
        (plotly shapes, words for the caption).
    """
    shapes, words = [], []
    for arm, times in plan.doses.items():
        shown = [t for t in times if t <= longest_h][:30]
        shapes += [
            {
                "type": "line",
                "xref": "x",
                "yref": "paper",
                "x0": t / divisor,
                "x1": t / divisor,
                "y0": 0,
                "y1": 1,
                "line": {"color": look.colour(arm), "width": 1.3, "dash": "dot"},
            }
            for t in shown
        ]
        if shown:
            words.append(f"{arm} at {', '.join(number(t / divisor) for t in shown)}")
    return shapes, words


def band_traces(
    x: list[float], columns: Mapping[str, list[Any]], arm: str, look: Look, arms: int = 2
) -> list[dict[str, Any]]:
    """Draw an arm's bands and median.

    Arguments:
        x: times.
        columns: values by quantile.
        arm: name.
        look: colours.
        arms: how many share the figure; bands of many are fainter.

    Returns:
        plotly traces, which the legend shows and hides together.
    """
    traces: list[dict[str, Any]] = []
    shared: dict[str, Any] = {
        "type": "scatter",
        "mode": "lines",
        "legendgroup": plot_text(arm),
        "hoverinfo": "skip",
    }
    for low, high, opacity in (("p05", "p95", 0.13), ("p25", "p75", 0.24)):
        if all(v is None for v in columns[low]):
            continue
        edge = {"width": 0.8, "color": look.shade(arm, 0.45), "dash": look.dash(arm)}
        traces.append(shared | {"x": x, "y": columns[low], "line": edge, "showlegend": False})
        traces.append(
            shared
            | {
                "x": x,
                "y": columns[high],
                "line": edge,
                "fill": "tonexty",
                "fillcolor": look.shade(arm, opacity * min(2 / arms, 1.0)),
                "showlegend": False,
            }
        )
    traces.append(
        {
            "type": "scatter",
            "mode": "lines",
            "legendgroup": plot_text(arm),
            "name": plot_text(arm, 30),
            "x": x,
            "y": columns["p50"],
            "line": {"color": look.colour(arm), "width": 2.4, "dash": look.dash(arm)},
            "hovertemplate": f"{plot_text(arm)}<br>%{{x:.3g}}: %{{y:.4g}}<extra></extra>",
        }
    )
    return traces


def _lowest_drawn(rows: Rows, factor: float) -> float | None:
    """Smallest value that a logarithmic axis shows: nine decades below the largest at most."""
    values = [float(r[q]) * factor for r in rows for q in _QUANTILES if is_number(r.get(q)) and r[q] > 0]
    return max(min(values), max(values) * 1e-9) if values else None


def _figure(
    place: str, output: str, rows: Rows, lines: Sequence[Line], plan: Plan, look: Look, log: bool
) -> Figure:
    unit = rows[0].get("unit")
    unit = unit if isinstance(unit, str) else None
    label = str(rows[0].get("label") or output.replace("_", " "))
    drawn, step = thinned(rows)
    longest = max(float(r["time_h"]) for r in rows)
    divisor, time_unit, x_axis = time_axis([longest])
    factor = 100.0 if unit == "fraction" else 1.0
    floor = _lowest_drawn(rows, factor) if log else None
    log = floor is not None

    def shown(value: Any) -> float | None:
        found = axis_value(value, unit)
        return max(found, floor) if found is not None and floor is not None else found

    traces: list[dict[str, Any]] = []
    cells = []
    arms = in_plan_order((str(r["arm"]) for r in rows), plan)
    for arm in arms:
        mine = sorted((r for r in drawn if str(r["arm"]) == arm), key=lambda r: float(r["time_h"]))
        x = [float(r["time_h"]) / divisor for r in mine]
        traces += band_traces(
            x, {q: [shown(r.get(q)) for r in mine] for q in _QUANTILES}, arm, look, len(arms)
        )
        cells += [
            (
                arm,
                number(float(r["time_h"]) / divisor),
                *(number(axis_value(r.get(q), unit)) for q in _QUANTILES),
            )
            for r in mine
        ]
    points, apart = _observed(output, unit, lines, look, divisor)
    traces += points
    shapes, doses = dose_marks(plan, look, divisor, longest)
    y_axis = axis(f"{plot_text(label)} ({unit_name(unit)})", log=log)
    if floor is not None:
        heights = [floor, *(v for trace in traces for v in trace["y"] if v is not None)]
        y_axis |= log_ticks(floor, max(heights))
    caption = "Median (line), 50 % band (darker), 90 % band (lighter) of simulated patients."
    if doses:
        caption += f" Dotted vertical lines: doses ({'; '.join(doses)} {time_unit})."
    if points:
        caption += " Diamonds: observed, with the printed spread."
    if apart:
        caption += f" Not drawn, since printed in another unit: {'; '.join(apart)}."
    if floor is not None and any(is_number(r.get("p05")) and float(r["p05"]) * factor < floor for r in rows):
        caption += f" Logarithmic axis; values below {number(floor)} are drawn there."
    if step > 1:
        caption += f" Every {step}th of the stored times is shown."
    header = ("Arm", f"Time ({time_unit})", *(f"{q.replace('p', '').lstrip('0')} %" for q in _QUANTILES))
    return Figure(
        id=place,
        title=label[:1].upper() + label[1:],
        alt=f"{label} ({unit_name(unit)}) over {number(longest / divisor)} {time_unit} by arm: "
        + _ends(arms, rows, unit),
        caption=caption,
        data=traces,
        layout=layout(xaxis=x_axis, yaxis=y_axis, shapes=shapes),
        table=table(
            f"{label} ({unit_name(unit)}): quantiles of simulated patients", header, cells, range(1, 7)
        ),
    )


def _ends(arms: Sequence[str], rows: Rows, unit: str | None) -> str:
    parts = []
    for arm in arms:
        mine = sorted((r for r in rows if str(r["arm"]) == arm), key=lambda r: float(r["time_h"]))
        first, last = (number(axis_value(mine[i].get("p50"), unit)) for i in (0, -1))
        parts.append(f"{arm}: median {first} at the start, {last} at the end")
    return "; ".join(parts) + "."


def _observed(
    output: str, unit: str | None, lines: Sequence[Line], look: Look, divisor: float
) -> tuple[list[dict[str, Any]], list[str]]:
    traces, apart = [], []
    for line in lines:
        observed = (line.observation or {}).get("observed")
        time = split_key(line.endpoint)[1]
        if not same_endpoint(line, output) or not is_number(observed) or time is None or line.counts:
            continue
        if unit_name(line.unit) != unit_name(unit):
            apart.append(f"{line.arm} {line.observed_text()} {line.unit_text()}".replace(UNKNOWN, "").strip())
            continue
        y, spread = line.on_axis(observed), spread_of(line)
        text = f"{plot_text(line.arm)}<br>observed {plot_text(line.observed_text())}"
        trace = observed_mark(time / divisor, y, look.colour(line.colour_arm), text)
        if spread and y is not None:
            trace["error_y"] = {
                "type": "data",
                "symmetric": False,
                "array": [spread[1] - y],
                "arrayminus": [y - spread[0]],
                "color": INK,
                "thickness": 1.2,
            }
        traces.append(trace)
    if traces:
        traces.append(observed_key())
    return traces, apart
