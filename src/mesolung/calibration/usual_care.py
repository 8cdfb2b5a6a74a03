"""Coarse calibration of usual care: deaths of COVID-19 with and without dexamethasone, no cells.

python -m mesolung.calibration.usual_care    checks the bundled table and prints what it gives

It is fitted and recorded as the ladder's fifth step (`mesolung.calibration.ladder --step 5`).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mesolung.biology.parameters import Parameters
from mesolung.biology.tables import endpoints
from mesolung.calibration.options import at_least_one
from mesolung.execution import worker_count
from mesolung.study import read_study
from mesolung.study.enrolling import enrol_panels
from mesolung.study.replicates import Asked
from mesolung.study.run import library_for, prepare
from mesolung.study.simulating import simulate, tables_one

RECORD = Path(str(files("mesolung.calibration") / "usual-care.json"))
HORIZON_H = 28 * 24.0
DRAWS = 200
ROUNDS = 8


@dataclass(frozen=True)
class Stratum:
    """A published comparison.

    Attributes:
        study: name of its study file.
        control: published mortality under usual care, fraction.
        risk_ratio, low, high: published, with its 95 % interval.
    """

    study: str
    control: float
    risk_ratio: float
    low: float
    high: float


# RECOVERY, doi 10.1056/NEJMoa2021436, as in usual-care-acute.csv.
VENTILATED = Stratum("recovery-ventilated", 0.414, 0.64, 0.51, 0.81)
OXYGEN = Stratum("recovery-oxygen-needed", 0.262, 0.82, 0.72, 0.94)
NO_OXYGEN = Stratum("recovery-no-oxygen-needed", 0.140, 1.19, 0.92, 1.55)
STRATA = (VENTILATED, OXYGEN, NO_OXYGEN)
FITTED = ("hazard_scale", "dex_shock", "dex_side_effect")
# Rough slopes of the residuals in (log hazard_scale, dex_shock, dex_side_effect): more hazard, more deaths;
# more shock reversal, a lower risk ratio when ventilated; side effects, a higher one without oxygen need.
SLOPE = np.array([[0.6, 0.0, 0.0], [0.1, -0.02, 0.03], [0.0, -0.004, 0.1]])
# Of the log residuals: deaths, and two ratios that 200 draws know to a few per cent only.
TOLERANCE = (0.03, 0.06, 0.06)


@dataclass(frozen=True)
class Found:
    """What the model gives for a stratum, over draws.

    Attributes:
        control, treated: mean mortality by day 28, fractions.
        risk_ratio: of the two means.
        low, high: 5 and 95 % quantiles of the draws' own risk ratios.
        control_low, control_high: 5 and 95 % quantiles of the draws' control mortality.
    """

    control: float
    treated: float
    risk_ratio: float
    low: float
    high: float
    control_low: float
    control_high: float


def evaluate(
    parameters: Parameters | None, strata: Sequence[Stratum], draws: int, workers: int, seed: int = 1
) -> dict[str, Found]:
    """Simulate strata under every draw.

    Arguments:
        parameters: a table, or None for the bundled one.
        strata: which.
        draws: number of parameter draws.
        workers: threads.
        seed: of the run.

    Returns:
        results by study name.
    """
    found = {}
    for stratum in strata:
        study = read_study(Path(str(files("mesolung.calibration") / "studies" / f"{stratum.study}.toml")))
        setting = prepare(study, replicates=draws, seed=seed, workers=workers, parameters=parameters)
        panels, _ = enrol_panels(setting, tables_one(study), library_for(setting))
        arms = simulate(setting, panels).arms
        asked = Asked(endpoints()["mortality"], HORIZON_H)
        control, treated = arms["usual care"].expected(asked), arms["dexamethasone"].expected(asked)
        found[stratum.study] = _found(control, treated)
    return found


def _found(control: NDArray[np.float64], treated: NDArray[np.float64]) -> Found:
    low, high = np.quantile(treated / control, [0.05, 0.95])
    control_low, control_high = np.quantile(control, [0.05, 0.95])
    a, b = float(treated.mean()), float(control.mean())
    return Found(b, a, a / b, float(low), float(high), float(control_low), float(control_high))


def residuals(found: Mapping[str, Found]) -> NDArray[np.float64]:
    """How far the model is from the three targets that are fitted.

    Arguments:
        found: from `evaluate`, the strata with and without need of oxygen among them.

    Returns:
        float64[3]: log of control mortality and of the risk ratio when ventilated, and of the risk ratio
        without oxygen, each against the published one.
    """
    ventilated, mild = found[VENTILATED.study], found[NO_OXYGEN.study]
    return np.log(
        [
            ventilated.control / VENTILATED.control,
            ventilated.risk_ratio / VENTILATED.risk_ratio,
            mild.risk_ratio / NO_OXYGEN.risk_ratio,
        ]
    )


def with_values(parameters: Parameters, values: Mapping[str, float]) -> Parameters:
    """Change typical values of a table.

    Arguments:
        parameters: a table.
        values: id -> typical value.

    Returns:
        a new table with the old one's hash, so that a fit compares the same draws throughout.
    """
    rows = tuple(replace(r, value=values[r.id]) if r.id in values else r for r in parameters.rows)
    return replace(parameters, rows=rows)


def fit(parameters: Parameters, draws: int, workers: int, tell: Any = print) -> dict[str, float]:
    """Move the fitted parameters until the targets are met to within `TOLERANCE`.

    Arguments:
        parameters: where to start.
        draws: number of draws.
        workers: threads.
        tell: called with a line of progress.

    Returns:
        id -> value, four significant digits.

    Raises:
        RuntimeError: when the targets are not met within the rounds.

    Source: chord steps (Newton's with one slope throughout), in log hazard_scale, dex_shock and
    dex_side_effect.
    """
    x = np.array([np.log(parameters["hazard_scale"].value), *(parameters[i].value for i in FITTED[1:])])
    r = np.zeros(3)
    for k in range(ROUNDS):
        values = {i: float(f"{v:.4g}") for i, v in zip(FITTED, [np.exp(x[0]), *x[1:]], strict=True)}
        r = residuals(evaluate(with_values(parameters, values), (VENTILATED, NO_OXYGEN), draws, workers))
        tell(f"round {k + 1}: {values} log residuals {np.round(r, 3).tolist()}")
        if np.all(np.abs(r) < TOLERANCE):
            return values
        # What is within its tolerance is noise between draws, and is not chased.
        x = x - np.linalg.solve(SLOPE, np.where(np.abs(r) < TOLERANCE, 0.0, r))
    raise RuntimeError(f"targets not met in {ROUNDS} rounds; last residuals {r}")


def record(table: Parameters, found: Mapping[str, Found], draws: int, seed: int) -> dict[str, Any]:
    """Put a calibration's result beside its targets.

    Arguments:
        table: the parameters.
        found: from `evaluate`.
        draws, seed: of the evaluation.

    Returns:
        what ``usual-care.json`` holds.
    """
    return {
        "command": "python -m mesolung.calibration.ladder --step 5 --record",
        "parameters_sha256": table.hash,
        "seed": seed,
        "draws": draws,
        "fitted": {i: table[i].value for i in FITTED},
        "strata": {s.study: {"published": vars(s), "model": vars(found[s.study])} for s in STRATA},
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Arguments:
        arguments: of the command line.

    Returns:
        0; 1 when a bundled value is outside its target.
    """
    parser = argparse.ArgumentParser(prog="python -m mesolung.calibration.usual_care", description=__doc__)
    parser.add_argument("--draws", type=at_least_one, default=DRAWS)
    parser.add_argument("--workers", type=at_least_one, default=None)
    options = parser.parse_args(arguments)
    workers = worker_count(options.workers)
    found = evaluate(None, STRATA, options.draws, workers)
    for stratum in STRATA:
        got = found[stratum.study]
        print(
            f"{stratum.study}: control {got.control:.3f} (published {stratum.control:.3f}), "
            f"risk ratio {got.risk_ratio:.2f}, draws {got.low:.2f} to {got.high:.2f} "
            f"(published {stratum.risk_ratio:.2f}, {stratum.low:.2f} to {stratum.high:.2f})"
        )
    return 0 if within_targets(found) else 1


def within_targets(found: Mapping[str, Found], slack: float = 0.0) -> bool:
    """Say whether control mortality and both risk ratios are where they were published to be.

    Arguments:
        found: from `evaluate`.
        slack: widens the targets by so much, for a short run.

    Returns:
        whether control mortality when ventilated is 0.414 +- 0.04 and the risk ratios are in their intervals.
    """
    ventilated, mild = found[VENTILATED.study], found[NO_OXYGEN.study]
    return (
        abs(ventilated.control - VENTILATED.control) <= 0.04 + slack
        and VENTILATED.low - slack <= ventilated.risk_ratio <= VENTILATED.high + slack
        and NO_OXYGEN.low - slack <= mild.risk_ratio <= NO_OXYGEN.high + slack
    )


if __name__ == "__main__":
    sys.exit(main())
