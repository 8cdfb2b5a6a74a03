"""Forward model of chronic disease: each member's patients against the published numbers of a disease."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from mesolung.calibration.chronic import TABLE, effect, strata, untreated
from mesolung.calibration.chronic_patients import COHORTS, Followed, enrolled, treated
from mesolung.calibration.posterior.datum import Datum, admitted
from mesolung.calibration.posterior.ensemble import Ensemble
from mesolung.calibration.posterior.forward import Values, Work, members_at_a_time
from mesolung.calibration.target_table import Row, number, rows_of
from mesolung.calibration.verdict import NORMAL_95
from mesolung.population.draws import Draws

# Outputs of decades are kept by the quarter: fewer subjects at a time than of an acute course.
AT_A_TIME = 1024
LEAST_PATIENTS = 5
# The bounds of a range are taken for its 95 % interval.
OF_A_RANGE = NORMAL_95


@dataclass(frozen=True)
class Chronic:
    """Published numbers of one chronic disease, without and with its drugs; none of cells.

    Attributes:
        disease: its name.
    """

    disease: str

    @cached_property
    def rows(self) -> list[Row]:
        """Of ``targets/chronic.csv``."""
        return [row for row in rows_of(TABLE) if row["disease"] == self.disease]

    @cached_property
    def data(self) -> tuple[Datum, ...]:
        """On the log scale where bounds are above 0, else plain; the bounds are taken for 95 % intervals.

        A series is one measure of one arm over its strata.
        """
        return admitted([_datum(row) for row in self.rows], self.disease)

    def predict(self, ensemble: Ensemble, work: Work) -> Values:
        """As `mesolung.calibration.posterior.forward.Forward`."""
        draws = ensemble.draws(self.disease)
        out = np.full((ensemble.count, len(self.rows)), np.nan)
        step = members_at_a_time(work.subjects, AT_A_TIME)
        for start in range(0, ensemble.count, step):
            work.progress(f"{self.disease}", start, ensemble.count)
            end = min(start + step, ensemble.count)
            out[start:end] = self._block(draws, start, end, work)
        return out

    def _block(self, draws: Draws, start: int, end: int, work: Work) -> Values:
        # Members keep their own numbers within a block through their keyed draws.
        own = Draws(
            draws.posterior,
            draws.parameters,
            {name: v[start:end] for name, v in draws.values.items()},
            f"{draws.key}:{start}",
        )
        groups: dict[str, Followed] = {}
        arms: dict[tuple[str, str], dict[str, Values]] = {}
        out = np.full((end - start, len(self.rows)), np.nan)
        for k, row in enumerate(self.rows):
            cohort = COHORTS[row["cohort"]]
            if row["cohort"] not in groups:
                groups[row["cohort"]] = enrolled(work.model, own, cohort, work.subjects, work.workers)
            patients = groups[row["cohort"]]
            key = (row["cohort"], row["arm"])
            if row["arm"] and key not in arms:
                switch, value = ("ics", 0.0) if row["arm"] == "no_ics" else (row["arm"], 1.0)
                arms[key] = dict(treated(work.model, cohort, patients, switch, value, work.workers))
            member = patients.chosen // work.subjects
            stratum = strata({n: v[:, 0] for n, v in patients.values.items()})[row["stratum"]]
            for d in range(end - start):
                mine = np.flatnonzero((member == d) & stratum)
                if mine.size < LEAST_PATIENTS:
                    continue
                out[d, k] = _scaled(row, _measured(row, patients, arms.get(key), mine))
        return out


def _measured(row: Row, patients: Followed, arm: dict[str, Values] | None, mine: NDArray[np.intp]) -> float:
    """A measure of some of the patients; nan where it is a ratio to nothing."""
    values, w = {n: v[mine] for n, v in patients.values.items()}, patients.weight[mine]
    try:
        if arm is None:
            return untreated(row["measure"], values, w)
        return effect(row["measure"], values, {n: v[mine] for n, v in arm.items()}, w)
    except ZeroDivisionError:
        return math.nan


def _is_log(row: Row) -> bool:
    return number(row["low"]) > 0.0 and number(row["value"]) > 0.0


def _scaled(row: Row, value: float) -> float:
    if not _is_log(row):
        return value
    return math.log(max(value, 0.01 * number(row["value"]))) if math.isfinite(value) else math.nan


def _datum(row: Row) -> Datum:
    value, low, high = (number(row[name]) for name in ("value", "low", "high"))
    words = [row["cohort"], row["arm"], row["measure"], row["stratum"]]
    log = _is_log(row)
    width = math.log(high / low) if log else high - low
    return Datum(
        " ".join(w for w in words if w),
        value,
        math.log(value) if log else value,
        width / (2.0 * OF_A_RANGE),
        " ".join(w for w in (row["cohort"], row["arm"], row["measure"]) if w),
        row["unit"],
        row["source"],
        "assumed" if "assumed" in row["source"] else "derived",
    )
