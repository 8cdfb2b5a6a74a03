"""COVID-19 in hospital by day and outcome: ratios of medians, their direction and their order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mesolung.calibration.cohort import DAY, Cohort, by_draw
from mesolung.calibration.stays import Stays, stays_of
from mesolung.calibration.target_table import Row, number, rows_of
from mesolung.calibration.verdict import (
    ABSENT,
    MET,
    MISSED,
    TOO_FEW,
    Finding,
    over_draws,
    verdict_of,
    within_factor,
)
from mesolung.calibration.weighted import LEAST_EFFECTIVE, Values, effective, median

TABLE = "covid-courses.csv"
FAMILY = "covid"
OBSERVABLES = (
    "il6", "il8", "il10", "tnf", "il1b", "tnfr1", "srage", "crp", "neutrophil_count", "lymphocyte_count",
    "ddimer",
)  # fmt: skip
OUTPUTS = (*OBSERVABLES, "pf_ratio", "ventilated", "viral_load")
REFERENCE = "critical-survived"
# Standard error of a median of normal values, relative to that of their mean; quartile range of a normal.
MEDIAN_SE, QUARTILE_RANGE = 1.2533, 1.349
# A difference is clear when it is outside a 90 % interval.
CLEAR = 1.645


@dataclass(frozen=True)
class Pair:
    """A ratio of two published medians.

    Attributes:
        kind: "course" (to the group's own first bin) or "outcome" (to critical survivors in the same bin).
        row, base: numbers of the rows of the table.
        log_ratio, error: natural logarithm of the ratio of published medians, and its standard error.
    """

    kind: str
    row: int
    base: int
    log_ratio: float
    error: float

    @property
    def clear(self) -> bool:
        """Whether the published difference has a sign."""
        return abs(self.log_ratio) > CLEAR * self.error


def group_weights(group: Cohort, stays: Stays) -> dict[str, Values]:
    """Give each subject's chance of being seen in hospital as a member of an outcome group.

    Arguments:
        group: the cohort.
        stays: from `stays_of`.

    Returns:
        name of the group -> float64[N, T].
    """
    critical = stays.critical[:, None]
    return {
        "died": stays.dies,
        "critical-died": stays.dies,
        "critical-survived": stays.leaves * critical,
        "severe-survived": stays.leaves * ~critical,
    }


def medians(group: Cohort, stays: Stays, rows: Sequence[Row], who: NDArray[np.bool_] | None = None) -> Values:
    """Take the model's median for every row of the table.

    Arguments:
        group: COVID-19 courses with the observables of the rows.
        stays: of the same subjects.
        rows: of ``covid-courses.csv``.

    Returns:
        float64[rows], in the model's unit; nan where the model lacks the observable, or where subjects in
        that group and those days have an effective size below 5.
    """
    weights = group_weights(group, stays)
    day = (group.times[None, :] - stays.onset_h[:, None]) / DAY
    result = np.full(len(rows), np.nan)
    cells: dict[tuple[str, str, str], tuple[NDArray[np.intp], NDArray[np.intp], Values]] = {}
    for k, row in enumerate(rows):
        if row["observable"] not in group:
            continue
        key = (row["group"], row["low_d"], row["high_d"])
        if key not in cells:
            inside = (day >= float(row["low_d"])) & (day < float(row["high_d"]))
            weight = np.where(inside, weights[row["group"]], 0.0)
            subject, step = np.nonzero(weight > 0)
            cells[key] = (subject, step, weight[subject, step])
        subject, step, weight = cells[key]
        seen = np.bincount(subject, weight, group.size).astype(np.float64)
        if effective(seen) >= LEAST_EFFECTIVE:
            result[k] = median(group[row["observable"]][subject, step], weight)
    return result


def pairs_of(rows: Sequence[Row]) -> list[Pair]:
    """List the published ratios.

    Arguments:
        rows: of one or both cohorts.

    Returns:
        every bin against its group's first, and both other groups against critical survivors.
    """
    place = {_key(r): k for k, r in enumerate(rows)}
    first: dict[tuple[str, str, str], int] = {}
    for k, r in enumerate(rows):
        line = (r["cohort"], r["quantity"], r["group"])
        if line not in first or float(r["low_d"]) < float(rows[first[line]]["low_d"]):
            first[line] = k
    pairs = []
    for k, r in enumerate(rows):
        base = first[r["cohort"], r["quantity"], r["group"]]
        if base != k:
            pairs.append(_pair("course", k, base, rows))
        if r["group"] != REFERENCE:
            other = place.get(_key({**r, "group": REFERENCE}))
            if other is not None:
                pairs.append(_pair("outcome", k, other, rows))
    return pairs


def log_ratios(values: Values, pairs: Sequence[Pair]) -> Values:
    """Form the ratios of pairs from medians.

    Arguments:
        values: float64[rows], medians.
        pairs: from `pairs_of` of the same rows.

    Returns:
        float64[pairs], natural logarithms; nan where a median is missing.
    """
    logs = np.log(np.where(values > 0, values, np.nan))
    return np.array([logs[p.row] - logs[p.base] for p in pairs])


def residuals(group: Cohort, cohort_name: str = "brescia") -> dict[str, Values]:
    """Compare ratios with a cohort's, for a fit.

    Arguments:
        group: COVID-19 courses.
        cohort_name: which cohort of the table.

    Returns:
        observable -> float64[pairs], log(model's ratio / published ratio) divided by its standard error with
        a floor of ln 1.25; nan where the model has no value.
    """
    rows = [r for r in rows_of(TABLE) if r["cohort"] == cohort_name and r["observable"]]
    pairs = pairs_of(rows)
    model = log_ratios(medians(group, stays_of(group), rows), pairs)
    found: dict[str, list[float]] = {}
    for p, value in zip(pairs, model, strict=True):
        scale = float(np.hypot(p.error, np.log(1.25)))
        found.setdefault(rows[p.row]["observable"], []).append((value - p.log_ratio) / scale)
    return {name: np.array(v) for name, v in found.items()}


def findings(group: Cohort) -> list[Finding]:
    """Compare both cohorts of the table with virtual patients.

    Arguments:
        group: COVID-19 courses, long enough for the table's days.

    Returns:
        a finding for every ratio, and for the direction and the order of every quantity in every group.
    """
    out = []
    stays = stays_of(group)
    table = rows_of(TABLE)
    parts = [(g, stays_of(g)) for g in by_draw(group)]
    for name in dict.fromkeys(r["cohort"] for r in table):
        rows = [r for r in table if r["cohort"] == name]
        pairs = pairs_of(rows)
        values = medians(group, stays, rows)
        model = log_ratios(values, pairs)
        each = np.stack([log_ratios(medians(g, own, rows), pairs) for g, own in parts])
        for k, pair in enumerate(pairs):
            known = rows[pair.row]["observable"] in group
            out.append(_ratio(pair, rows, values, float(model[k]), each[:, k], known))
        out += _signs(pairs, rows, model, group)
    return out


def _ratio(
    pair: Pair, rows: Sequence[Row], values: Values, model: float, each: Values, known: bool
) -> Finding:
    row, base = rows[pair.row], rows[pair.base]
    to = f"day {base['low_d']}-{base['high_d']}" if pair.kind == "course" else REFERENCE
    days = f"day {row['low_d']}-{row['high_d']}"
    name = f"{row['cohort']} {row['quantity']} {row['group']} {days} relative to {to}"
    published = float(np.exp(pair.log_ratio))
    bounds = within_factor(published)
    detail = {
        "kind": pair.kind, "cohort": row["cohort"], "quantity": row["quantity"], "group": row["group"],
        "low_d": float(row["low_d"]), "high_d": float(row["high_d"]), "unit": row["unit"],
        "published": [number(row[c]) for c in ("q25", "median", "q75")], "n": int(row["n"]),
        "published_base": [number(base[c]) for c in ("q25", "median", "q75")],
        "base_low_d": float(base["low_d"]), "base_high_d": float(base["high_d"]),
        "model": _or_none(values[pair.row]),
        "model_base": _or_none(values[pair.base]), "error": pair.error,
    }  # fmt: skip
    return Finding(
        FAMILY, name, published, *bounds, float(np.exp(model)),
        *over_draws(np.exp(each[np.isfinite(each)]).tolist()), "ratio", "ratio of medians within 2x",
        row["use"], verdict_of(float(np.exp(model)), *bounds) if known else ABSENT,
        _missing(row, model, known), detail,
    )  # fmt: skip


def _signs(pairs: Sequence[Pair], rows: Sequence[Row], model: Values, group: Cohort) -> list[Finding]:
    """Direction over days and order of outcomes, wherever the published difference is clear."""
    groups: dict[tuple[str, str, str], list[int]] = {}
    for k, p in enumerate(pairs):
        if p.clear:
            row = rows[p.row]
            groups.setdefault((p.kind, row["quantity"], row["group"]), []).append(k)
    out = []
    for (kind, quantity, name), members in groups.items():
        row = rows[pairs[members[0]].row]
        against = f"against {REFERENCE}" if kind == "outcome" else "against its first days"
        what = {"course": "direction", "outcome": "order"}[kind]
        same = [
            bool(np.sign(model[k]) == np.sign(pairs[k].log_ratio)) for k in members if np.isfinite(model[k])
        ]
        share = float(np.mean(same)) if same else float("nan")
        known = row["observable"] in group
        verdict = ABSENT if not known else MET if same and all(same) else MISSED
        note = f"{sum(same)} of {len(same)} clear differences have the published sign" if same else ""
        out.append(
            Finding(
                FAMILY, f"{row['cohort']} {quantity} {name} {what} {against}", 1.0, 1.0, 1.0, share,
                float("nan"), float("nan"), "share of clear differences",
                "every published difference outside a 90 % interval has its sign", row["use"], verdict,
                note or _missing(row, float("nan"), known), {"kind": what},
            )
        )  # fmt: skip
    return out


def _missing(row: Row, model: float, known: bool) -> str:
    if not row["observable"]:
        return "no such quantity in plasma in the model"
    if not known:
        return f"the model has no {row['observable']}"
    return TOO_FEW if np.isnan(model) else ""


def _or_none(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _key(row: Row) -> tuple[str, ...]:
    return tuple(row[c] for c in ("cohort", "quantity", "group", "low_d", "high_d"))


def _pair(kind: str, k: int, base: int, rows: Sequence[Row]) -> Pair:
    ratio = np.log(number(rows[k]["median"]) / number(rows[base]["median"]))
    return Pair(kind, k, base, float(ratio), float(np.hypot(_error(rows[k]), _error(rows[base]))))


def _error(row: Row) -> float:
    low, high = number(row["q25"]), number(row["q75"])
    spread = np.log(high / max(low, 0.1 * number(row["median"]))) / QUARTILE_RANGE
    return float(MEDIAN_SE * spread / np.sqrt(float(row["n"])))
