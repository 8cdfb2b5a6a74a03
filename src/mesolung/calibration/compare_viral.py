"""SARS-CoV-2 in the airways: level in sputum, decline in every study, how long it is found."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mesolung.biology.tables import definitions
from mesolung.calibration.cohort import DAY, Cohort, by_draw
from mesolung.calibration.stays import onset_of
from mesolung.calibration.target_table import Row, number, rows_of
from mesolung.calibration.verdict import (
    ABSENT,
    TOO_FEW,
    Finding,
    over_draws,
    verdict_of,
    within_factor,
)
from mesolung.calibration.weighted import LEAST_EFFECTIVE, Values, effective, median

TABLE = "viral.csv"
FAMILY = "viral"
OBSERVABLE = "viral_load"
CENSORED = "censored"
# The model's samples are sputum; a swab picks up a share of its own.
COMPARED_SAMPLE = "sputum"
# Whose definition says from how many copies per mL virus is found.
FOUND = ("virus_found_sputum", "covid19-ards")
LEAST_BINS = 3
# Who is sampled for the first time later than this is sampled because virus is still there.
EARLY_D = 4.0
FOLLOWED = "over the days from onset whose median was not below detection"
LATE = "first sampled in the second week: those who still shed are sampled on"


def median_loads(group: Cohort, rows: Sequence[Row]) -> Values:
    """Take the model's median load in the days of rows.

    Arguments:
        group: COVID-19 courses.
        rows: of ``viral.csv`` with days.

    Returns:
        float64[rows], log10 copies/mL of those still alive; nan without subjects.
    """
    day = (group.times[None, :] - onset_of(group)[:, None]) / DAY
    alive = np.exp(-np.nan_to_num(group.hazard)) * group.solved[:, None]
    load = np.log10(np.maximum(group[OBSERVABLE], 1e-9))
    result = np.full(len(rows), np.nan)
    for k, row in enumerate(rows):
        weight = np.where((day >= float(row["low_d"])) & (day < float(row["high_d"])), alive, 0.0)
        if effective(weight.sum(axis=1)) >= LEAST_EFFECTIVE:
            result[k] = median(load.ravel(), weight.ravel())
    return result


def decline(rows: Sequence[Row], loads: Values) -> float:
    """Fit a line through loads.

    Arguments:
        rows: with days.
        loads: float64[rows], log10 copies/mL; nan is left out.

    Returns:
        log10 copies/mL a day; nan below three points.
    """
    day = np.array([0.5 * (float(r["low_d"]) + float(r["high_d"])) for r in rows])
    use = np.isfinite(loads)
    return float(np.polyfit(day[use], loads[use], 1)[0]) if use.sum() >= LEAST_BINS else float("nan")


def last_day_found(group: Cohort) -> float:
    """Take the median of the last day on which virus is found.

    Arguments:
        group: COVID-19 courses.

    Returns:
        days from onset.
    """
    onset = onset_of(group)
    found = group[OBSERVABLE] > 10.0 ** found_log10()
    last = group.times[found.shape[1] - 1 - found[:, ::-1].argmax(axis=1)]
    days = np.where(found.any(axis=1), (last - onset) / DAY, np.nan)
    return median(days, group.solved.astype(np.float64))


def residuals(group: Cohort) -> dict[str, Values]:
    """Compare sputum loads and declines with the fitted study, for a fit.

    Arguments:
        group: COVID-19 courses.

    Returns:
        "load" -> float64[bins], difference in log10 copies/mL over half the quartile range; "decline" ->
        float64[1], logarithm of the ratio of declines.
    """
    rows = [r for r in rows_of(TABLE) if r["use"] == "fit" and r["measure"] == "log10 load"]
    published = np.array([_load(r["value"]) for r in rows])
    model = median_loads(group, rows)
    half = 0.5 * np.array([_load(r["q75"]) - max(_load(r["q25"]), found_log10()) for r in rows])
    use = np.isfinite(published)
    ratio = decline(rows, np.where(use, model, np.nan)) / decline(rows, np.where(use, published, np.nan))
    load = (model - published)[use] / np.maximum(half[use], 0.25)
    return {"load": load, "decline": np.array([np.log(max(ratio, 1e-3))])}


def findings(group: Cohort) -> list[Finding]:
    """Compare the table with virtual patients.

    Arguments:
        group: COVID-19 courses.

    Returns:
        a finding for every bin in sputum, every study's decline and every study's last day found.
    """
    out = []
    table = rows_of(TABLE)
    draws = by_draw(group)
    for key in dict.fromkeys((r["study"], r["sample"], r["group"]) for r in table):
        mine = [r for r in table if (r["study"], r["sample"], r["group"]) == key]
        bins = [r for r in mine if r["measure"] == "log10 load"]
        name = f"{key[0]} {key[1].replace('_', ' ')}" + ("" if key[2] == "all" else f" {key[2]}")
        known = OBSERVABLE in group
        each = [median_loads(g, bins) for g in draws] if known else []
        model = median_loads(group, bins) if known else np.full(len(bins), np.nan)
        if key[1] == COMPARED_SAMPLE:
            out += [
                _load_finding(r, name, float(model[k]), [float(v[k]) for v in each], known)
                for k, r in enumerate(bins)
            ]
        published = np.array([_load(r["value"]) for r in bins])
        seen = np.isfinite(published) & np.array([float(r["low_d"]) >= 0.0 for r in bins])
        if seen.sum() >= LEAST_BINS:
            early = min(float(r["low_d"]) for r, s in zip(bins, seen, strict=True) if s) <= EARLY_D
            slope = decline(bins, np.where(seen, published, np.nan))
            slopes = [decline(bins, np.where(seen, v, np.nan)) for v in each]
            own = decline(bins, np.where(seen, model, np.nan))
            bounds = sorted(within_factor(slope))
            out.append(
                _finding(
                    f"{name} decline", slope, bounds, own, slopes, "log10/d", "decline within 2x",
                    bins[0]["use"] if early else "context", known, FOLLOWED if early else LATE,
                )
            )  # fmt: skip
        for r in mine:
            if r["measure"] == "last day found":
                value = number(r["value"])
                last = last_day_found(group) if known else float("nan")
                lasts = [last_day_found(g) for g in draws] if known else []
                out.append(
                    _finding(
                        f"{name} last day found", value, within_factor(value), last, lasts, "d from onset",
                        "within 2x", "context", known, "the model's limit of 100 copies/mL is assumed",
                    )
                )  # fmt: skip
    return out


def found_log10() -> float:
    """The load from which most assays find virus, log10 copies/mL."""
    return float(np.log10(definitions()[FOUND][0].above))


def _load_finding(row: Row, name: str, model: float, each: list[float], known: bool) -> Finding:
    low, middle, high = (_load(row[c]) for c in ("q25", "value", "q75"))
    return _finding(
        f"{name} load day {row['low_d']} to {row['high_d']}", middle, (low, high), model, each,
        "log10 copies/mL", "model's median inside the quartiles", row["use"], known, f"n {row['n']}",
    )  # fmt: skip


def _finding(
    name: str,
    published: float,
    bounds: Sequence[float],
    model: float,
    each: list[float],
    unit: str,
    rule: str,
    use: str,
    known: bool,
    note: str,
) -> Finding:
    if known and np.isnan(model):
        note = f"{TOO_FEW}; {note}"
    low, high = bounds
    verdict = verdict_of(model, low, high) if known else ABSENT
    return Finding(
        FAMILY, name, published, low, high, model, *over_draws(each), unit, rule, use, verdict,
        note if known else f"the model has no {OBSERVABLE}",
    )  # fmt: skip


def _load(text: str) -> float:
    """-inf below detection."""
    return -np.inf if text == CENSORED else number(text)
