"""Forward model of the drugs: RECOVERY's strata, with and without dexamethasone."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from pathlib import Path

import numpy as np

from mesolung.biology.tables import endpoints
from mesolung.calibration.posterior.datum import Datum, admitted
from mesolung.calibration.posterior.ensemble import Ensemble
from mesolung.calibration.posterior.forward import Values, Work
from mesolung.calibration.posterior.trials import arms_of, scratch, setting_of
from mesolung.calibration.step_drugs import CONTROL_TOLERANCE, DEXAMETHASONE_SOURCE
from mesolung.calibration.usual_care import HORIZON_H, NO_OXYGEN, VENTILATED, Stratum
from mesolung.calibration.verdict import NORMAL_95
from mesolung.population.library import Library
from mesolung.study import read_study
from mesolung.study.memory import Memory
from mesolung.study.replicates import Asked

LEAST_SHARE = 1e-4


@dataclass(frozen=True)
class Drugs:
    """Deaths of ventilated patients, and risk ratios with dexamethasone: the ladder's three fitted numbers.

    The stratum with oxygen and no ventilator stays a check, as in the ladder.
    """

    @cached_property
    def data(self) -> tuple[Datum, ...]:
        """Control mortality when ventilated, and the risk ratios of the ventilated and of the mildest."""
        found = [
            _datum(f"{VENTILATED.study} mortality by day 28", VENTILATED.control, CONTROL_TOLERANCE, "share"),
            *(
                _datum(f"{s.study} risk ratio with dexamethasone", s.risk_ratio, _error(s), "ratio")
                for s in (VENTILATED, NO_OXYGEN)
            ),
        ]
        return admitted(found, "drugs")

    def predict(self, ensemble: Ensemble, work: Work) -> Values:
        """As `mesolung.calibration.posterior.forward.Forward`."""
        libraries: dict[str, Library] = {}
        memory, asked = Memory(), Asked(endpoints()["mortality"], HORIZON_H)
        shares = {}
        with scratch() as cache:
            for stratum in (VENTILATED, NO_OXYGEN):
                path = Path(str(files("mesolung.calibration") / "studies" / f"{stratum.study}.toml"))
                arms = arms_of(setting_of(read_study(path), ensemble, work), libraries, cache, memory)
                control, treated = (
                    np.log(np.maximum(arms[name].expected(asked), LEAST_SHARE))
                    for name in ("usual care", "dexamethasone")
                )
                shares[stratum.study] = control, treated - control
        control, ratio = shares[VENTILATED.study]
        return np.stack([control, ratio, shares[NO_OXYGEN.study][1]], axis=1)


def _error(stratum: Stratum) -> float:
    return math.log(stratum.high / stratum.low) / (2.0 * NORMAL_95)


def _datum(name: str, value: float, error: float, unit: str) -> Datum:
    return Datum(name, value, math.log(value), error, name, unit, DEXAMETHASONE_SOURCE, "seen")
