"""The tables of a run: subjects, bands over time, survival, the effective dose, and a few whole courses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mesolung.biology.states import STATE, state_row, states
from mesolung.biology.tables import Endpoint, endpoint_of_output, endpoints
from mesolung.product.received import CELLS_PER_GCELL
from mesolung.study.possible import planned_endpoints
from mesolung.study.replicates import ArmTrials, Asked
from mesolung.study.solving import AFTER_DOSE_H
from mesolung.trial.survival import kaplan_meier, survival_bands

if TYPE_CHECKING:
    import pandas as pd

LEVELS = {"p05": 0.05, "p25": 0.25, "p50": 0.5, "p75": 0.75, "p95": 0.95}
TRACED_REPLICATES = 3
TRACED_SUBJECTS = 4
STAGES = ("counted", "viable", "delivered alive", "retained in lung", "licensed")


def subjects_table(
    arms: Mapping[str, ArmTrials],
    asked: Sequence[Asked],
    covariates: Mapping[str, Mapping[str, NDArray]],
) -> pd.DataFrame:
    """One row for each assigned subject of each replicate.

    Arguments:
        arms: by name.
        asked: endpoints to list.
        covariates: arm -> disease (text) or covariate (float64) -> [S x M].

    Returns:
        replicate, subject, arm, covariates, an endpoint a column, and the times of death and of discharge
        alive (h, inf where it does not come).
    """
    import pandas as pd

    parts = []
    for name in sorted(arms):
        arm = arms[name]
        replicates, size = arm.members.shape
        columns: dict[str, NDArray | str] = {
            "replicate": np.repeat(np.arange(replicates), size),
            "subject": arm.members.reshape(-1),
            "arm": name,
        }
        for key, values in covariates[name].items():
            columns[key] = arm.assigned(values).reshape(-1)
        for one in asked:
            columns[one.key] = arm.recorded(one).reshape(-1)
        columns["death_time_h"] = arm.assigned(arm.outcomes.death_time).reshape(-1)
        if arm.outcomes.followed_to_discharge:
            columns["discharge_time_h"] = arm.assigned(arm.outcomes.discharge_time).reshape(-1)
        parts.append(pd.DataFrame(columns))
    return pd.concat(parts, ignore_index=True)


def bands_table(arms: Mapping[str, ArmTrials], outputs: Sequence[str]) -> pd.DataFrame:
    """Quantiles over the living subjects of all replicates, output by output and time by time.

    Arguments:
        arms: by name.
        outputs: endpoint names that have a course.

    Returns:
        arm, output, label, unit, scale, time_h, p05, p25, p50, p75, p95.
    """
    import pandas as pd

    rows = []
    for name in sorted(arms):
        arm = arms[name]
        dead = arm.assigned(arm.outcomes.death_time)[:, :, None] <= arm.outcomes.times
        for output in outputs:
            values = np.where(dead, np.nan, arm.assigned(arm.outcomes.outputs[output]))
            row = _row_of(output)
            label, unit, scale = (row.label, row.unit, row.scale) if row else (output, "", "linear")
            flat = values.reshape(-1, values.shape[-1])
            for k, time in enumerate(arm.outcomes.times):
                column = flat[:, k][~np.isnan(flat[:, k])]
                found = np.quantile(column, list(LEVELS.values())) if column.size else [np.nan] * len(LEVELS)
                rows.append((name, output, label, unit, scale, time, *found))
    return pd.DataFrame(rows, columns=["arm", "output", "label", "unit", "scale", "time_h", *LEVELS])


def _row_of(output: str) -> Endpoint | None:
    """The row that says what an output is called and counted in, of endpoints, planned ones and states."""
    output = endpoint_of_output().get(output, output)
    if output in endpoints():
        return endpoints()[output]
    if output in planned_endpoints():
        return planned_endpoints()[output].row
    return state_row(f"{STATE}{output}") if output in states() else None


def survival_table(arms: Mapping[str, ArmTrials], duration_h: float) -> pd.DataFrame:
    """Kaplan-Meier of the replicate trials.

    Arguments:
        arms: by name.
        duration_h: end of follow-up.

    Returns:
        arm, time_h, at_risk, deaths, survival_p05, survival_p50, survival_p95.
    """
    import pandas as pd

    grid = np.unique(np.append(np.arange(0.0, duration_h, 24.0), duration_h))
    parts = []
    for name in sorted(arms):
        followed = arms[name].survival(duration_h)
        found = survival_bands([kaplan_meier(time, died, grid) for time, died in followed])
        parts.append(
            pd.DataFrame(
                {
                    "arm": name,
                    "time_h": found.time_h,
                    "at_risk": found.at_risk,
                    "deaths": found.deaths,
                    "survival_p05": found.survival_p05,
                    "survival_p50": found.survival_p50,
                    "survival_p95": found.survival_p95,
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def waterfall_table(
    arms: Mapping[str, ArmTrials],
    doses: Mapping[str, Mapping[str, NDArray[np.float64]]],
    ends_h: Mapping[str, Sequence[float]],
    products: Mapping[str, str],
) -> pd.DataFrame:
    """Where the cells of a course of treatment went.

    Retained: living cells in the lung an hour after each administration less those there before it, summed
    over administrations. Licensed: the largest number of licensed cells at any time after each, likewise.

    Arguments:
        arms: by name.
        doses: arm -> stage -> float64[S x M], cells.
        ends_h: arm -> ends of administrations.
        products: arm -> name of the product.

    Returns:
        arm, product, stage, p05, p50, p95 over assigned subjects.
    """
    import pandas as pd

    rows = []
    for name in sorted(doses):
        arm = arms[name]
        outputs, times = arm.outcomes.outputs, arm.outcomes.times
        stages = dict(doses[name])
        stages["retained in lung"] = _after_doses(
            outputs["viable_cells_lung"], times, ends_h[name], peak=False
        )
        licensed = outputs["MSC_licensed"] * CELLS_PER_GCELL
        stages["licensed"] = _after_doses(licensed, times, ends_h[name], peak=True)
        for stage in STAGES:
            values = arm.assigned(stages[stage]).reshape(-1)
            values = values[~np.isnan(values)]
            found = np.quantile(values, [0.05, 0.5, 0.95]) if values.size else [np.nan] * 3
            rows.append((name, products[name], stage, *found))
    return pd.DataFrame(rows, columns=["arm", "product", "stage", "p05", "p50", "p95"])


def _after_doses(
    cells: NDArray[np.float64], times: NDArray[np.float64], ends_h: Sequence[float], *, peak: bool
) -> NDArray[np.float64]:
    total = np.zeros(cells.shape[0])
    left_before = np.zeros(cells.shape[0])
    bounds = [*ends_h[1:], np.inf]
    for end, following in zip(ends_h, bounds, strict=True):
        after = np.flatnonzero((times > end) & (times <= following))
        if after.size == 0:
            continue
        hour = after[np.abs(times[after] - end - AFTER_DOSE_H).argmin()]
        reached = cells[:, after].max(axis=1) if peak else cells[:, hour]
        total += np.maximum(reached - left_before, 0.0)
        left_before = cells[:, after[-1]]
    return total


def traces_table(arms: Mapping[str, ArmTrials], outputs: Sequence[str]) -> pd.DataFrame:
    """Whole courses of the first subjects of the first replicates.

    Arguments:
        arms: by name.
        outputs: names to keep.

    Returns:
        arm, replicate, subject, time_h, an output a column; all subjects are shown past their death.
    """
    import pandas as pd

    parts = []
    for name in sorted(arms):
        arm = arms[name]
        times = arm.outcomes.times
        values = {o: arm.assigned(arm.outcomes.outputs[o]) for o in outputs}
        for replicate in range(min(TRACED_REPLICATES, arm.members.shape[0])):
            for k in range(min(TRACED_SUBJECTS, arm.members.shape[1])):
                parts.append(
                    pd.DataFrame(
                        {
                            "arm": name,
                            "replicate": replicate,
                            "subject": arm.members[replicate, k],
                            "time_h": times,
                            **{o: v[replicate, k] for o, v in values.items()},
                        }
                    )
                )
    return pd.concat(parts, ignore_index=True)


def empty_tables() -> dict[str, pd.DataFrame]:
    """The tables of a run that follows no subjects, so that its folder has the same files as every other.

    Returns:
        name -> table with its columns and no row, each a table of its own.
    """
    import pandas as pd

    empty = {
        "subjects": ("replicate", "subject", "arm"),
        "bands": ("arm", "output", "label", "unit", "scale", "time_h", *LEVELS),
        "survival": ("arm", "time_h", "at_risk", "deaths", "survival_p05", "survival_p50", "survival_p95"),
        "waterfall": ("arm", "product", "stage", "p05", "p50", "p95"),
        "traces": ("arm", "replicate", "subject", "time_h"),
    }
    return {name: pd.DataFrame(columns=list(columns)) for name, columns in empty.items()}
