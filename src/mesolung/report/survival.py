"""Kaplan-Meier curves of simulated trials, with their risk table and the observed deaths."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mesolung.report.comparison import Line, same_endpoint
from mesolung.report.courses import thinned, time_axis
from mesolung.report.numbers import is_number, number
from mesolung.report.observed import observed_key, observed_mark
from mesolung.report.plan import Plan, in_plan_order, split_key
from mesolung.report.style import Figure, Look, axis, layout, plot_text
from mesolung.report.tables import Table, table

Rows = Sequence[Mapping[str, Any]]
MARK = 12  # px


def survival_figure(rows: Rows, lines: Sequence[Line], plan: Plan, look: Look) -> Figure | None:
    """Draw survival by arm.

    Arguments:
        rows: of the table of survival, times in h, survival as a fraction.
        lines: observed deaths are drawn as survivors at their time.
        plan: gives the order of the arms.
        look: colours of the arms.

    Returns:
        The figure, or None without rows.
    """
    if not rows:
        return None
    drawn, _ = thinned(rows)
    longest = max(float(r["time_h"]) for r in rows)
    divisor, unit, x_axis = time_axis([longest])
    traces: list[dict[str, Any]] = []
    told, cells = [], []
    arms = in_plan_order((str(r["arm"]) for r in rows), plan)
    for arm in arms:
        mine = sorted((r for r in drawn if str(r["arm"]) == arm), key=lambda r: float(r["time_h"]))
        x = [float(r["time_h"]) / divisor for r in mine]
        low, middle, high = ([_percent(r.get(f"survival_{q}")) for r in mine] for q in ("p05", "p50", "p95"))
        step = {"shape": "hv", "color": look.colour(arm), "dash": look.dash(arm)}
        shared: dict[str, Any] = {"type": "scatter", "mode": "lines", "x": x, "legendgroup": plot_text(arm)}
        edge = step | {"width": 0.8, "color": look.shade(arm, 0.45)}
        traces += [
            shared | {"y": low, "line": edge, "hoverinfo": "skip", "showlegend": False},
            shared
            | {
                "y": high,
                "line": edge,
                "hoverinfo": "skip",
                "showlegend": False,
                "fill": "tonexty",
                "fillcolor": look.shade(arm, 0.14),
            },
            shared
            | {
                "y": middle,
                "line": step | {"width": 2.4},
                "name": plot_text(arm, 30),
                "hovertemplate": f"{plot_text(arm)}<br>%{{x:.3g}} {unit}: %{{y:.3g}} %<extra></extra>",
            },
        ]
        told.append(
            f"{arm}: {number(middle[-1])} % alive at the end ({number(low[-1])} to {number(high[-1])} %)"
        )
        cells += [
            (
                arm,
                number(x[i]),
                number(r.get("at_risk")),
                number(r.get("deaths")),
                number(low[i]),
                number(middle[i]),
                number(high[i]),
            )
            for i, r in enumerate(mine)
        ]
    observed = _observed(lines, look, divisor)
    header = (
        "Arm",
        f"Time ({unit})",
        "At risk (mean)",
        "Deaths so far (mean)",
        "Alive 5 % (%)",
        "Alive 50 % (%)",
        "Alive 95 % (%)",
    )
    return Figure(
        id="survival",
        title="Survival",
        alt="Kaplan-Meier curves of simulated trials. " + "; ".join(told) + ".",
        caption="Steps: median of the Kaplan-Meier curves of all simulated trials; band: 90 % of them."
        + (" Diamonds: survivors in the published trial." if observed else ""),
        data=traces + observed,
        layout=layout(
            xaxis=x_axis | {"range": [0, longest / divisor * 1.02]}, yaxis=axis("alive (%)", range=[0, 103])
        ),
        table=table("Survival: quantiles of simulated trials", header, cells, range(1, 7)),
        height=400,
    )


def _percent(value: Any) -> float | None:
    return 100.0 * float(value) if is_number(value) else None


def _observed(lines: Sequence[Line], look: Look, divisor: float) -> list[dict[str, Any]]:
    traces: list[dict[str, Any]] = []
    for line in lines:
        time = split_key(line.endpoint)[1]
        observed = (line.observation or {}).get("observed")
        if not line.counts or time is None or not same_endpoint(line, "mortality") or not is_number(observed):
            continue
        alive = 100.0 - (line.on_axis(observed) or 0.0)
        text = f"{plot_text(line.arm)}<br>observed deaths {line.observed_text()}"
        mark = observed_mark(time / divisor, alive, look.colour(line.colour_arm), text, MARK)
        traces.append(mark | {"cliponaxis": False})
    if traces:
        traces.append(observed_key(MARK))
    return traces


def risk_table(rows: Rows, plan: Plan, most: int = 6) -> Table | None:
    """Who is still at risk, at a few times.

    Arguments:
        rows: of the table of survival.
        plan: gives the order of the arms.
        most: columns of times.

    Returns:
        The table, or None without rows.
    """
    if not rows:
        return None
    times = sorted({float(r["time_h"]) for r in rows})
    divisor, unit, _ = time_axis(times)
    count = min(most, len(times))
    goals = [times[-1] * i / max(count - 1, 1) for i in range(count)]
    if unit == "d" and 28 <= times[-1] / 24 <= 35:
        goals = [24.0 * day for day in (0, 7, 14, 21, 28)]
    chosen = sorted({min(times, key=lambda t: abs(t - goal)) for goal in goals})
    body = []
    for arm in in_plan_order((str(r["arm"]) for r in rows), plan):
        found = {float(r["time_h"]): r for r in rows if str(r["arm"]) == arm}
        body.append([arm, *(_at(found.get(t)) for t in chosen)])
    header = ["Arm", *(f"{number(t / divisor)} {unit}" for t in chosen)]
    caption = "Patients at risk (deaths so far), mean of the simulated trials"
    return table(caption, header, body, range(1, len(header)))


def _at(row: Mapping[str, Any] | None) -> str:
    return f"{number((row or {}).get('at_risk'), 2)} ({number((row or {}).get('deaths'), 2)})"
