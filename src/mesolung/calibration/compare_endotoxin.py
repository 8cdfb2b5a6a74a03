"""Endotoxin given to volunteers: simulated as given, compared with courses, spread and dose-response."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mesolung.biology.disease import read_disease
from mesolung.calibration.cohort import Cohort, cohort
from mesolung.calibration.target_table import number, rows_of
from mesolung.calibration.verdict import (
    ABSENT,
    FACTOR,
    MET,
    MISSED,
    Finding,
    over_draws,
    verdict_of,
    within_factor,
)
from mesolung.engine import ADD_STATE, SET_PARAMETER, CompiledModel
from mesolung.population.draws import Draws
from mesolung.population.events import joined, same_events

Values = NDArray[np.float64]
Row = dict[str, str]

TABLE = "endotoxin.csv"
FAMILY = "endotoxin"
STATE, RATE = "LPS", "rate_LPS"
CYTOKINES = ("tnf", "il6", "il8", "il10")
EVERY_H, LENGTH_H = 0.25, 8.0
SHARE_INSIDE = 0.8
# Before the cytokine has left its resting level its spread is that of the assay's floor.
ABOVE_REST = 2.0


@dataclass(frozen=True)
class Challenge:
    """How endotoxin was given.

    Attributes:
        bolus: ng/kg at time 0.
        rate: ng/kg/h from time 0 on.
        length: hours of the infusion.
    """

    bolus: float
    rate: float
    length: float


def challenge_of(row: Row) -> Challenge:
    """Read how the endotoxin of a row was given.

    Arguments:
        row: of ``endotoxin.csv``.

    Returns:
        the challenge.
    """
    return Challenge(float(row["bolus_ng_per_kg"]), float(row["rate_ng_per_kg_h"]), float(row["length_h"]))


def volunteers(
    model: CompiledModel, draws: Draws, count: int, challenge: Challenge, *, workers: int = 2
) -> Cohort | None:
    """Give endotoxin to healthy subjects.

    Arguments:
        model: the compiled biology.
        draws: parameter draws.
        count: volunteers of each draw.
        challenge: what they receive.
        workers: threads.

    Returns:
        the cohort, outputs every quarter of an hour for 8 h in pg/mL; None when the model knows no endotoxin.
    """
    if STATE not in model.states:
        return None
    who = np.arange(draws.count * count)
    one = np.ones(who.size)
    given = []
    if challenge.bolus > 0:
        given.append(same_events(ADD_STATE, model.states.index(STATE), who, 0.0, challenge.bolus * one))
    if challenge.rate > 0:
        rate = model.parameters.index(RATE)
        given.append(same_events(SET_PARAMETER, rate, who, 0.0, challenge.rate * one))
        given.append(same_events(SET_PARAMETER, rate, who, challenge.length, 0.0 * one))
    return cohort(
        model,
        read_disease("healthy"),
        draws,
        count,
        (*CYTOKINES, "il1b"),
        doses=joined(given),
        times_h=np.arange(0.0, LENGTH_H + 1e-9, EVERY_H),
        workers=workers,
    )


def all_volunteers(
    model: CompiledModel, draws: Draws, count: int, *, workers: int = 2
) -> dict[Challenge, Cohort]:
    """Give every challenge of the table to the same healthy subjects.

    Arguments:
        model, draws, count, workers: as `volunteers`.

    Returns:
        challenge -> cohort; empty when the model knows no endotoxin.
    """
    made = {c: volunteers(model, draws, count, c, workers=workers) for c in _challenges(rows_of(TABLE))}
    return {c: group for c, group in made.items() if group is not None}


def median_course(group: Cohort, observable: str, times_h: Values, who: Values | None = None) -> Values:
    """Take the median over subjects at some times.

    Arguments:
        group: volunteers.
        observable: a cytokine in plasma.
        times_h: float64[k], hours.
        who: bool[N], which subjects; None for all.

    Returns:
        float64[k], pg/mL.
    """
    return np.nanmedian(_at(group, observable, times_h, who), axis=0)


def mean_course(group: Cohort, observable: str, times_h: Values, who: Values | None = None) -> Values:
    """Take the mean over subjects at some times.

    Arguments:
        group, observable, times_h, who: as `median_course`.

    Returns:
        float64[k], pg/mL.
    """
    return np.nanmean(_at(group, observable, times_h, who), axis=0)


def spread_course(group: Cohort, observable: str, times_h: Values) -> Values:
    """Take the standard deviation of the logarithm between the subjects of a draw, averaged over draws.

    Arguments:
        group, observable, times_h: as `median_course`.

    Returns:
        float64[k], of the natural logarithm. What draws differ by is uncertainty, not spread: left out.
    """
    logs = np.log(np.maximum(_at(group, observable, times_h, None), 1e-9))
    each = [np.nanvar(logs[group.draw == d], axis=0, ddof=1) for d in np.unique(group.draw)]
    return np.sqrt(np.mean(each, axis=0))


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
            low, middle, high = (_column(mine, c) for c in ("q25", "median", "q75"))
            model = median_course(group, observable, _column(mine, "time_h"))
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


def peak(course: Values) -> float:
    """Take the largest value of a course.

    Arguments:
        course: float64[k].

    Returns:
        its maximum.
    """
    return float(np.nanmax(course))


def findings(groups: Mapping[Challenge, Cohort]) -> list[Finding]:
    """Compare everything in the table with simulated volunteers.

    Arguments:
        groups: from `all_volunteers`.

    Returns:
        a finding a target: medians inside the quartiles, spreads, peaks over doses, the infusion's peaks.
    """
    rows = rows_of(TABLE)
    return [
        *_volunteer_findings(groups, _volunteer_rows(rows)),
        *_dose_findings(groups, rows),
        *_infusion_findings(groups, [r for r in rows if r["study"] == "infusion"]),
    ]


def _volunteer_findings(groups: Mapping[Challenge, Cohort], rows: Mapping[str, list[Row]]) -> list[Finding]:
    out = []
    for observable in CYTOKINES:
        mine = rows[observable]
        group = groups.get(challenge_of(mine[0]))
        times = _column(mine, "time_h")
        low, high = _column(mine, "q25"), _column(mine, "q75")
        if group is None or observable not in group:
            out.append(_absent(f"{observable} median course", SHARE_INSIDE, "share", "fit"))
            out.append(_absent(f"{observable} between-subject spread", float("nan"), "sd of ln", "fit"))
            continue
        model = median_course(group, observable, times)
        inside = (model >= low) & (model <= high)
        shares = [
            float(np.mean((m >= low) & (m <= high)))
            for m in (median_course(group, observable, times, group.draw == d) for d in np.unique(group.draw))
        ]
        detail = {
            "time_h": times.tolist(), "q25": low.tolist(), "median": _column(mine, "median").tolist(),
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


def _dose_findings(groups: Mapping[Challenge, Cohort], rows: list[Row]) -> list[Finding]:
    """Peaks relative to the same study's 2 ng/kg: assays of two laboratories can differ twofold."""
    out = []
    full = Challenge(2.0, 0.0, 0.0)
    for study in ("dillingh2014", "kiers2017", "taudorf2007"):
        own = [r for r in rows if r["study"] == study]
        for observable in dict.fromkeys(r["observable"] for r in own):
            mine = [r for r in own if r["observable"] == observable]
            doses = [c for c in _challenges(mine) if c != full]
            # Taudorf gave one dose only: its reference is the other volunteers' mean.
            reference = [r for r in mine if challenge_of(r) == full] or [
                r for r in rows if r["study"] == "volunteers" and r["observable"] == observable
            ]
            for dose in doses:
                at_dose = [r for r in mine if challenge_of(r) == dose]
                out.append(_dose_finding(groups, study, observable, dose, at_dose, full, reference))
    return out


def _dose_finding(
    groups: Mapping[Challenge, Cohort],
    study: str,
    observable: str,
    dose: Challenge,
    rows: list[Row],
    full: Challenge,
    reference: list[Row],
) -> Finding:
    published = peak(_column(rows, "mean")) / peak(_column(reference, "mean"))
    given = f"{dose.bolus:g} ng/kg" + (f" + {dose.rate:g} ng/kg/h for {dose.length:g} h" if dose.rate else "")
    name = f"{observable} peak at {given} relative to 2 ng/kg ({study})"
    use = rows[0]["use"]
    note = "reference: mean of the 20 volunteers, another assay" if study == "taudorf2007" else ""
    # Kiers' IL-1b hardly leaves the assay's floor.
    if observable == "il1b":
        use, note = "context", "within 2 pg/mL of the assay's floor"
    groups_ = (groups.get(dose), groups.get(full))
    if any(g is None or observable not in g for g in groups_):
        return _absent(name, published, "ratio", use)

    def ratio(who: Values | None) -> float:
        peaks = []
        for group, own in zip(groups_, (rows, reference), strict=True):
            assert group is not None
            peaks.append(peak(mean_course(group, observable, _column(own, "time_h"), who)))
        return peaks[0] / peaks[1]

    group = groups_[0]
    assert group is not None
    model = ratio(None)
    bounds = within_factor(published)
    times = _column(rows, "time_h")
    detail = {
        "time_h": times.tolist(),
        "mean": [None if np.isnan(v) else v for v in _column(rows, "mean")],
        "model": mean_course(group, observable, times).tolist(),
        "fine_time_h": group.times.tolist(),
        "fine_mean": np.nanmean(group[observable], axis=0).tolist(),
    }
    return Finding(
        FAMILY, name, published, *bounds, model,
        *over_draws([ratio(group.draw == d) for d in np.unique(group.draw)]), "ratio",
        "ratio of peaks within 2x", use, verdict_of(model, *bounds), note, detail,
    )  # fmt: skip


def _infusion_findings(groups: Mapping[Challenge, Cohort], rows: list[Row]) -> list[Finding]:
    out = []
    for observable in CYTOKINES:
        mine = [r for r in rows if r["observable"] == observable]
        name = f"{observable} peak, 2 ng/kg over 4 h"
        times, mean = _column(mine, "time_h"), _column(mine, "mean")
        group = groups.get(challenge_of(mine[0]))
        if group is None or observable not in group:
            out.append(_absent(name, peak(mean), "pg/mL", "check"))
            continue
        model = mean_course(group, observable, times)
        bounds = within_factor(peak(mean))
        draws = [peak(mean_course(group, observable, times, group.draw == d)) for d in np.unique(group.draw)]
        close = np.abs(np.log(model / mean)) <= np.log(FACTOR)
        out.append(
            Finding(
                FAMILY, name, peak(mean), *bounds, peak(model), *over_draws(draws), "pg/mL",
                "peak of the mean within 2x, same assay as the bolus", "check",
                MET if bounds[0] <= peak(model) <= bounds[1] else MISSED,
                f"{int(close.sum())} of {close.size} time points within 2x",
                {"time_h": times.tolist(), "mean": mean.tolist(), "model": model.tolist()},
            )
        )  # fmt: skip
    return out


def _spreads(group: Cohort, observable: str, rows: list[Row]) -> tuple[float, float]:
    """Root mean square of the sd of the logarithm, model's and published, where the cytokine has risen."""
    middle = _column(rows, "median")
    risen = middle > ABOVE_REST * middle[0]
    model = spread_course(group, observable, _column(rows, "time_h"))[risen]
    published = _column(rows, "sd_log")[risen]
    return float(np.sqrt(np.mean(model**2))), float(np.sqrt(np.mean(published**2)))


def _at(group: Cohort, observable: str, times_h: Values, who: Values | None) -> Values:
    columns = np.searchsorted(group.times, times_h - 1e-6)
    values = group[observable][:, columns]
    return values if who is None else values[np.flatnonzero(who)]


def _volunteer_rows(rows: list[Row]) -> dict[str, list[Row]]:
    return {o: [r for r in rows if r["study"] == "volunteers" and r["observable"] == o] for o in CYTOKINES}


def _challenges(rows: list[Row]) -> list[Challenge]:
    return list(dict.fromkeys(challenge_of(r) for r in rows))


def _column(rows: list[Row], name: str) -> Values:
    return np.array([number(r[name]) for r in rows])


def _outside(times: Values, inside: NDArray[np.bool_]) -> str:
    late = [f"{t:g}" for t in times[~inside]]
    return f"outside at {', '.join(late)} h" if late else ""


def _absent(name: str, published: float, unit: str, use: str) -> Finding:
    nan = float("nan")
    return Finding(FAMILY, name, published, nan, nan, nan, nan, nan, unit, "", use, ABSENT)
