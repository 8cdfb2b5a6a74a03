"""Endotoxin given to volunteers: courses and spread of four cytokines, then doses."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from mesolung.calibration.cohort import Cohort, members_by_draw
from mesolung.calibration.compare_doses import dose_findings
from mesolung.calibration.compare_doses import dose_residuals as dose_residuals
from mesolung.calibration.target_table import Row, rows_of
from mesolung.calibration.verdict import Finding, over_draws, verdict_of, within_factor
from mesolung.calibration.volunteers import (
    CYTOKINES,
    FAMILY,
    TABLE,
    Challenge,
    Values,
    absent,
    challenge_of,
    column,
    median_course,
    spread_course,
)
from mesolung.calibration.volunteers import all_volunteers as all_volunteers

SHARE_INSIDE = 0.8
# Before the cytokine has left its resting level its spread is that of the assay's floor.
ABOVE_REST = 2.0


def course_residuals(group: Cohort, rows: list[Row] | None = None) -> dict[str, Values]:
    """Compare the median courses with the volunteers', for a fit.

    Arguments:
        group: volunteers given 2 ng/kg at once.
        rows: of the table; None for the shipped one.

    Returns:
        cytokine -> float64[k], log(model / published median) in units of half the logarithmic quartile range:
        between -1 and 1 the model is about inside the quartiles.
    """
    result = {}
    for observable, mine in _volunteer_rows(rows or rows_of(TABLE)).items():
        if observable in group:
            low, middle, high = (column(mine, c) for c in ("q25", "median", "q75"))
            model = median_course(group, observable, column(mine, "time_h"))
            half = 0.5 * np.log(np.maximum(high, 1.02 * low) / low)
            result[observable] = np.log(np.maximum(model, 1e-6) / middle) / half
    return result


def spread_residuals(group: Cohort, rows: list[Row] | None = None) -> dict[str, float]:
    """Compare spreads between subjects with the volunteers', for a fit.

    Arguments:
        group, rows: as `course_residuals`.

    Returns:
        cytokine -> log(model's / published) root mean square over times of the sd of the logarithm.
    """
    found = {}
    for observable, mine in _volunteer_rows(rows or rows_of(TABLE)).items():
        if observable in group:
            model, published = _spreads(group, observable, mine)
            found[observable] = float(np.log(max(model, 1e-6) / published))
    return found


def findings(groups: Mapping[Challenge, Cohort]) -> list[Finding]:
    """Compare everything in the table with simulated volunteers.

    Arguments:
        groups: from `all_volunteers`.

    Returns:
        a finding a target: medians inside the quartiles, spreads, peaks over doses, the infusion's peaks.
    """
    return [*_volunteer_findings(groups, _volunteer_rows(rows_of(TABLE))), *dose_findings(groups)]


def _volunteer_findings(groups: Mapping[Challenge, Cohort], rows: Mapping[str, list[Row]]) -> list[Finding]:
    out = []
    for observable in CYTOKINES:
        mine = rows[observable]
        group = groups.get(challenge_of(mine[0]))
        times = column(mine, "time_h")
        low, high = column(mine, "q25"), column(mine, "q75")
        if group is None or observable not in group:
            out.append(absent(f"{observable} median course", 1.0, "share of time points", "fit"))
            out.append(absent(f"{observable} between-subject spread", float("nan"), "sd of ln", "fit"))
            continue
        model = median_course(group, observable, times)
        inside = (model >= low) & (model <= high)
        shares = [
            float(np.mean((m >= low) & (m <= high)))
            for m in (median_course(group, observable, times, members) for members in members_by_draw(group))
        ]
        detail = {
            "time_h": times.tolist(), "q25": low.tolist(), "median": column(mine, "median").tolist(),
            "q75": high.tolist(), "model": model.tolist(), "inside": inside.tolist(),
            "fine_time_h": group.times.tolist(),
            "fine_q25": np.nanquantile(group[observable], 0.25, axis=0).tolist(),
            "fine_median": np.nanmedian(group[observable], axis=0).tolist(),
            "fine_q75": np.nanquantile(group[observable], 0.75, axis=0).tolist(),
        }  # fmt: skip
        share = float(inside.mean())
        out.append(
            Finding(
                FAMILY, f"{observable} median course", 1.0, SHARE_INSIDE, 1.0, share, *over_draws(shares),
                "share of time points", "model's median inside the volunteers' quartiles at >= 80 % of times",
                "fit", verdict_of(share, SHARE_INSIDE, 1.0), _outside(times, inside), detail,
            )
        )  # fmt: skip
        spread, published = _spreads(group, observable, mine)
        bounds = within_factor(published)
        out.append(
            Finding(
                FAMILY, f"{observable} between-subject spread", published, *bounds, spread, *over_draws([]),
                "sd of ln", "spread within 2x", "fit", verdict_of(spread, *bounds),
                "root mean square over the times at which the median is above twice rest",
            )
        )  # fmt: skip
    return out


def _spreads(group: Cohort, observable: str, rows: list[Row]) -> tuple[float, float]:
    """Root mean square of the sd of the logarithm, model's and published, where the cytokine has risen."""
    middle = column(rows, "median")
    risen = middle > ABOVE_REST * middle[0]
    model = spread_course(group, observable, column(rows, "time_h"))[risen]
    published = column(rows, "sd_log")[risen]
    return float(np.sqrt(np.mean(model**2))), float(np.sqrt(np.mean(published**2)))


def _volunteer_rows(rows: list[Row]) -> dict[str, list[Row]]:
    return {o: [r for r in rows if r["study"] == "volunteers" and r["observable"] == o] for o in CYTOKINES}


def _outside(times: Values, inside: NDArray[np.bool_]) -> str:
    late = [f"{t:g}" for t in times[~inside]]
    return f"outside at {', '.join(late)} h" if late else ""
