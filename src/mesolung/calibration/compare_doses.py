"""Doses of endotoxin: peaks relative to 2 ng/kg in the same laboratory, and an infusion over 4 h."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from mesolung.calibration.cohort import Cohort, members_by_draw
from mesolung.calibration.target_table import Row, rows_of
from mesolung.calibration.verdict import ABSENT, FACTOR, Finding, over_draws, verdict_of, within_factor
from mesolung.calibration.volunteers import (
    CYTOKINES,
    FAMILY,
    TABLE,
    Challenge,
    Who,
    absent,
    challenge_of,
    challenges,
    column,
    mean_course,
    peak,
)


def dose_findings(groups: Mapping[Challenge, Cohort]) -> list[Finding]:
    """Compare peaks over doses, and the infusion's, with simulated volunteers.

    Arguments:
        groups: from `all_volunteers`.

    Returns:
        a finding a target.
    """
    rows = rows_of(TABLE)
    infusion = [r for r in rows if r["study"] == "infusion"]
    return [*_dose_findings(groups, rows), *_infusion_findings(groups, infusion)]


def dose_residuals(groups: Mapping[Challenge, Cohort]) -> dict[str, float]:
    """Compare peaks relative to 2 ng/kg, and the infusion's peaks, with the published ones, for a fit.

    Arguments:
        groups: from `all_volunteers`.

    Returns:
        name of the target -> log(model's / published), context left out.
    """
    counted = [f for f in dose_findings(groups) if f.use != "context" and f.verdict != ABSENT]
    return {f.name: float(np.log(f.model / f.published)) for f in counted}


def _dose_findings(groups: Mapping[Challenge, Cohort], rows: list[Row]) -> list[Finding]:
    """Peaks relative to the same study's 2 ng/kg: assays of two laboratories can differ twofold."""
    out = []
    full = Challenge(2.0, 0.0, 0.0)
    for study in ("dillingh2014", "kiers2017", "taudorf2007"):
        own = [r for r in rows if r["study"] == study]
        for observable in dict.fromkeys(r["observable"] for r in own):
            mine = [r for r in own if r["observable"] == observable]
            doses = [c for c in challenges(mine) if c != full]
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
    published = peak(column(rows, "mean")) / peak(column(reference, "mean"))
    given = f"{dose.bolus:g} ng/kg" + (f" + {dose.rate:g} ng/kg/h for {dose.length:g} h" if dose.rate else "")
    name = f"{observable} peak at {given} relative to 2 ng/kg ({study})"
    use = rows[0]["use"]
    note = "reference: mean of the 20 volunteers, another assay" if study == "taudorf2007" else ""
    # Kiers' IL-1b hardly leaves the assay's floor.
    if observable == "il1b":
        use, note = "context", "within 2 pg/mL of the assay's floor"
    groups_ = (groups.get(dose), groups.get(full))
    if any(g is None or observable not in g for g in groups_):
        return absent(name, published, "ratio", use)

    def ratio(who: Who | None) -> float:
        peaks = []
        for group, own in zip(groups_, (rows, reference), strict=True):
            assert group is not None
            peaks.append(peak(mean_course(group, observable, column(own, "time_h"), who)))
        return peaks[0] / peaks[1]

    group = groups_[0]
    assert group is not None
    model = ratio(None)
    bounds = within_factor(published)
    times = column(rows, "time_h")
    detail = {
        "time_h": times.tolist(),
        "mean": [None if np.isnan(v) else v for v in column(rows, "mean")],
        "model": mean_course(group, observable, times).tolist(),
        "fine_time_h": group.times.tolist(),
        "fine_mean": np.nanmean(group[observable], axis=0).tolist(),
    }
    return Finding(
        FAMILY, name, published, *bounds, model,
        *over_draws([ratio(members) for members in members_by_draw(group)]), "ratio",
        "ratio of peaks within 2x", use, verdict_of(model, *bounds), note, detail,
    )  # fmt: skip


def _infusion_findings(groups: Mapping[Challenge, Cohort], rows: list[Row]) -> list[Finding]:
    out = []
    for observable in CYTOKINES:
        mine = [r for r in rows if r["observable"] == observable]
        name = f"{observable} peak, 2 ng/kg over 4 h"
        times, mean = column(mine, "time_h"), column(mine, "mean")
        group = groups.get(challenge_of(mine[0]))
        if group is None or observable not in group:
            out.append(absent(name, peak(mean), "pg/mL", mine[0]["use"]))
            continue
        model = mean_course(group, observable, times)
        bounds = within_factor(peak(mean))
        draws = [peak(mean_course(group, observable, times, members)) for members in members_by_draw(group)]
        close = np.abs(np.log(model / mean)) <= np.log(FACTOR)
        out.append(
            Finding(
                FAMILY, name, peak(mean), *bounds, peak(model), *over_draws(draws), "pg/mL",
                "peak of the mean within 2x, same assay as the bolus", mine[0]["use"],
                verdict_of(peak(model), *bounds),
                f"{int(close.sum())} of {close.size} time points within 2x",
                {"time_h": times.tolist(), "mean": mean.tolist(), "model": model.tolist()},
            )
        )  # fmt: skip
    return out
