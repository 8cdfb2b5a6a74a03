"""A made-up result with everything a report can show."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pandas as pd

STUDY = """\
schema = 1
name = "UC-MSC in COVID-19 ARDS (made up)"
registry = "NCT00000000"
disease = "covid19-ards"
duration = "28 d"

[[arm]]
name = "UC-MSC"
size = 12
[[arm.treatment]]
product = { type = "cells", source = "umbilical cord" }
dose = "100e6 cells"
times = ["0 d", "3 d"]

[[arm]]
name = "vehicle"
size = 12
control = true

[[endpoint]]
name = "mortality"
time = "28 d"
contrast = "risk_ratio"

[[endpoint]]
name = "pf_ratio"
time = "7 d"

[[observation]]
arm = "UC-MSC"
endpoint = "mortality"
time = "28 d"
events = 1
n = 12

[[observation]]
arm = "vehicle"
endpoint = "mortality"
time = "28 d"
events = 7
n = 12

[[observation]]
arm = "UC-MSC"
endpoint = "pf_ratio"
time = "7 d"
mean = 203
sd = 61
n = 11
unit = "mmHg"

[[observation]]
arm = "UC-MSC"
endpoint = "il6"
time = "6 d"
direction = "lower"
versus = "vehicle"
"""


@dataclasses.dataclass(frozen=True)
class Made:
    json: dict[str, Any]
    manifest: dict[str, Any]
    bands: pd.DataFrame | None
    survival: pd.DataFrame | None
    waterfall: pd.DataFrame | None


def made_json() -> dict[str, Any]:
    def line(
        index: int, arm: str, endpoint: str, statistic: str, observed: Any, n: int | None, **more: Any
    ) -> dict[str, Any]:
        base = {
            "index": index,
            "arm": arm,
            "endpoint": endpoint,
            "as": "level",
            "where": None,
            "versus": None,
            "version": None,
            "statistic": statistic,
            "observed": observed,
            "n": n,
        }
        return {**base, **more}

    def cell(unit: str, n: int, p05: float, p50: float, p95: float) -> dict[str, Any]:
        middle = {"p05": (p05 + p50) / 2, "p50": p50, "p95": (p95 + p50) / 2}
        return {"unit": unit, "n": n, "mean": p50, "p05": p05, "p50": p50, "p95": p95, "expected": middle}

    return {
        "schema": 1,
        "study": "UC-MSC in COVID-19 ARDS (made up)",
        "replicates": 200,
        "seed": 1,
        "version": "0.1.0",
        "posterior": "prior-3f2a91c0",
        "inputs_sha256": "ab" * 32,
        "failed_subjects": 2,
        "failed_replicates": 1,
        "assumed_inputs": ["weight", "product.passage"],
        "warnings": ["risk_ratio of mortality@28d: 3 replicates had a zero cell; 0.5 was added to all cells"],
        "arms": {
            "UC-MSC": {
                "mortality@28d": cell("fraction", 12, 0.0833, 0.3333, 0.5833),
                "pf_ratio@7d": cell("mmHg", 12, 142.7, 187.4, 241.9),
            },
            "vehicle": {
                "mortality@28d": cell("fraction", 12, 0.1667, 0.4167, 0.6667),
                "pf_ratio@7d": cell("mmHg", 12, 133.1, 176.2, 228.8),
            },
        },
        "contrasts": {
            "UC-MSC vs vehicle": {
                "mortality@28d": {
                    "measure": "risk_ratio",
                    "p05": 0.327,
                    "p50": 0.861,
                    "p95": 2.03,
                    "p_success": 0.065,
                },
                "pf_ratio@7d": {
                    "measure": "difference",
                    "p05": -47.3,
                    "p50": 11.2,
                    "p95": 68.9,
                    "p_success": 0.085,
                },
            }
        },
        "effect": {
            "UC-MSC vs vehicle": {
                "mortality@28d": {
                    "measure": "risk_ratio",
                    "p05": 0.714,
                    "p50": 0.934,
                    "p95": 1.046,
                    "p_benefit": 0.585,
                },
                "pf_ratio@7d": {
                    "measure": "difference",
                    "p05": -1.4,
                    "p50": 9.1,
                    "p95": 31.7,
                    "p_benefit": 0.6,
                },
            }
        },
        "observations": [
            line(
                0,
                "UC-MSC",
                "mortality@28d",
                "events",
                1,
                12,
                p05=1,
                p50=4,
                p95=7,
                inside_90=True,
                log_score=-2.912,
            ),
            line(
                1,
                "vehicle",
                "mortality@28d",
                "events",
                7,
                12,
                p05=2,
                p50=5,
                p95=8,
                inside_90=True,
                log_score=-2.231,
            ),
            line(
                2,
                "UC-MSC",
                "pf_ratio@7d",
                "mean",
                203,
                11,
                p05=140.2,
                p50=187.9,
                p95=243.6,
                inside_90=True,
                log_score=-4.47,
            ),
            line(
                3,
                "UC-MSC",
                "il6@6d",
                "direction",
                "lower",
                None,
                versus="vehicle",
                p_lower=0.11,
                p_none=0.87,
                p_higher=0.02,
                p05=None,
                p50=None,
                p95=None,
                inside_90=None,
                log_score=-2.207,
            ),
        ],
        "joint": [{"endpoint": "mortality@28d", "log_score": -5.138, "treated_given_control": -2.407}],
    }


def made_bands() -> pd.DataFrame:
    rows = []
    times = np.arange(0, 28 * 24 + 1, 6.0)
    days = times / 24
    outputs = {
        "pf_ratio": ("P/F ratio", "mmHg", 116 + 150 * (1 - np.exp(-days / 9)), 0.32, "linear"),
        "sofa": ("SOFA score", "dimensionless", 2 + 6 * np.exp(-days / 8), 0.4, "linear"),
        "il6": ("IL-6 in plasma", "pg/mL", 4 + 220 * np.exp(-days / 4), 0.9, "log"),
        "evlw": ("extravascular lung water", "mL/kg PBW", 8 + 8 * np.exp(-days / 7), 0.25, "linear"),
        "viable_cells_lung": ("viable cells in lung", "cells", 6e7 * np.exp(-days / 1.1), 1.0, "log"),
        "m2_fraction": (
            "M2 share of macrophages",
            "fraction",
            0.2 + 0.3 * (1 - np.exp(-days / 9)),
            0.2,
            "linear",
        ),
    }
    for arm, gain in (("UC-MSC", 1.04), ("vehicle", 1.0)):
        for name, (label, unit, middle, spread, scale) in outputs.items():
            if name == "viable_cells_lung" and arm == "vehicle":
                continue
            for t, value in zip(times, middle * gain, strict=True):
                q = {
                    p: value * float(np.exp(spread * z))
                    for p, z in (("p05", -1.64), ("p25", -0.67), ("p50", 0), ("p75", 0.67), ("p95", 1.64))
                }
                if name == "viable_cells_lung" and t > 400:
                    q["p05"] = 0.0
                rows.append(
                    {
                        "arm": arm,
                        "output": name,
                        "label": label,
                        "unit": unit,
                        "time_h": t,
                        "scale": scale,
                        **q,
                    }
                )
    return pd.DataFrame(rows)


def made_survival() -> pd.DataFrame:
    rows = []
    for arm, risk in (("UC-MSC", 0.34), ("vehicle", 0.42)):
        for t in np.arange(0, 28 * 24 + 1, 24.0):
            alive = 1 - risk * (1 - np.exp(-t / 24 / 10)) / (1 - np.exp(-2.8))
            rows.append(
                {
                    "arm": arm,
                    "time_h": t,
                    "at_risk": 12 * alive,
                    "deaths": 12 * (1 - alive),
                    "survival_p05": max(np.floor(12 * alive - 3), 0) / 12,
                    "survival_p50": np.round(12 * alive) / 12,
                    "survival_p95": min(np.ceil(12 * alive + 2), 12) / 12,
                }
            )
    return pd.DataFrame(rows)


def made_waterfall() -> pd.DataFrame:
    stages = ("counted", "viable", "delivered alive", "retained in lung", "licensed")
    middle = (2.0e8, 1.83e8, 1.56e8, 1.21e8, 8.7e6)
    return pd.DataFrame(
        {
            "arm": "UC-MSC",
            "product": "cells, umbilical cord",
            "stage": stage,
            "p05": m * (1 if i == 0 else 0.6 - 0.1 * i),
            "p50": m,
            "p95": m * (1 if i == 0 else 1.05 + 0.5 * i),
        }
        for i, (stage, m) in enumerate(zip(stages, middle, strict=True))
    )


def made_manifest() -> dict[str, Any]:
    def baseline(arm: str, age: float) -> dict[str, Any]:
        return {
            "effective_size": 213.4,
            "pool": 8400,
            "borrowed": 0.031,
            "baseline": [
                {
                    "name": "age",
                    "unit": "year",
                    "requested": {"mean": age, "sd": 15.9},
                    "achieved": {"mean": age + 0.1, "sd": 15.7},
                },
                {
                    "name": "pf_ratio",
                    "unit": "mmHg",
                    "requested": {"median": 124, "iqr": [68, 164]},
                    "achieved": {"median": 121.7, "iqr": [69.2, 166]},
                },
            ],
        }

    return {
        "study_text": STUDY,
        "seed": 1,
        "draws": 200,
        "posterior": "prior-3f2a91c0",
        "model_sha256": "cd" * 32,
        "versions": {"mesolung": "0.1.0", "numpy": "2.4.6", "python": "3.11.7"},
        "assumed_inputs": [
            {
                "name": "weight",
                "value": "mean 82, SD 17",
                "unit": "kg",
                "why": "not stated; the disease's population",
            },
            {
                "name": "product.passage",
                "value": 4,
                "unit": None,
                "why": "not stated; prior given the source",
            },
        ],
        "parameter_grades": {"A": 41, "B": 37, "C": 22},
        "timings": {"library": 12.3, "solve": 4.56},
        "population": {"UC-MSC": baseline("UC-MSC", 58.6), "vehicle": baseline("vehicle", 58.8)},
        "failures": [
            {"replicate": 17, "subject": 3, "arm": "UC-MSC", "time_h": 412.6, "reason": "step below limit"}
        ],
        "library": {"courses": 12800, "failed": 3},
        "folder": "runs/lanzoni-2021-0a1b2c3d-1",
        "command": "mesolung run study.toml --replicates 200 --seed 1",
    }


def made(**changes: Any) -> Made:
    whole = Made(made_json(), made_manifest(), made_bands(), made_survival(), made_waterfall())
    return dataclasses.replace(whole, **changes)
