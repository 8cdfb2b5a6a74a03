"""The enrolled of an arm as the manifest reports them: table 1, pool, diseases and phenotypes."""

from __future__ import annotations

from typing import Any

import numpy as np

from mesolung.biology.phenotypes import phenotypes_of
from mesolung.study.enrolling import Panel
from mesolung.study.replicates import ArmTrials
from mesolung.study.setting import Setting

# Days after enrolment at which the share of a phenotype is told.
PHENOTYPE_DAYS = (0, 3, 7)


def population_of(setting: Setting, arm: ArmTrials, panel: Panel) -> dict[str, Any]:
    """Report who was enrolled into an arm.

    Arguments:
        setting: of the run.
        arm: its trials.
        panel: its subjects.

    Returns:
        effective sizes, table 1 and correlations as requested and as achieved, the share of each disease of a
        mixture, and the share of each phenotype among those alive at some days.
    """
    found = panel.enrolment
    report: dict[str, Any] = {
        "effective_size": found.effective,
        "smallest_effective_size_of_a_draw": found.least,
        "pool": int((found.candidates.weight > 0).sum()),
        "borrowed": found.borrowed,
        "baseline": [
            {
                "name": m.name,
                "unit": m.unit,
                "requested": {"mean": m.requested_mean, "sd": m.requested_sd},
                "achieved": {"mean": m.achieved_mean, "sd": m.achieved_sd},
                "miss_sd": m.miss,
            }
            for m in found.marginals
        ],
    }
    if found.associations:
        report["correlation"] = [
            {"first": a.first, "second": a.second, "requested": a.requested, "achieved": a.achieved}
            for a in found.associations
        ]
    if len(setting.diseases) > 1:
        own = arm.assigned(panel.disease.astype(np.float64))
        report["diseases"] = {name: float(np.mean(own == k)) for k, name in enumerate(setting.diseases)}
    shares = phenotype_shares(setting, arm)
    if shares:
        report["phenotypes"] = shares
    return report


def phenotype_shares(setting: Setting, arm: ArmTrials) -> dict[str, dict[str, float]]:
    """Share of an arm's living subjects who are of each phenotype, over time.

    Arguments:
        setting: of the run.
        arm: its trials.

    Returns:
        phenotype -> day, as "3 d" -> share over all replicates; nan where nobody is alive.
    """
    outcomes = arm.outcomes
    dead = arm.assigned(outcomes.death_time)
    result: dict[str, dict[str, float]] = {}
    for name, row in phenotypes_of(setting.diseases).items():
        if row.observable not in outcomes.outputs:
            continue
        result[name] = {}
        for day in PHENOTYPE_DAYS:
            time = 24.0 * day
            if time > outcomes.times[-1]:
                continue
            level = arm.assigned(outcomes.output_at(row.observable, time))
            alive = ~(dead <= time) & ~np.isnan(level)
            result[name][f"{day} d"] = float(np.mean(level[alive] > row.threshold)) if alive.any() else np.nan
    return result
