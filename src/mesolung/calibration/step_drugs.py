"""Fifth step: drugs. Deaths of COVID-19 with and without dexamethasone are fitted, tocilizumab is a check."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from mesolung.biology.parameters import Parameters
from mesolung.calibration import usual_care
from mesolung.calibration.compare_usual_care import Comparer
from mesolung.calibration.ladder_step import Evaluated, NotFitted, Outcome, Tell
from mesolung.calibration.moves import Move
from mesolung.calibration.patients import NotInTheModel, Patients
from mesolung.calibration.step_cohorts import keyed_draws
from mesolung.calibration.step_targets import Compared, log_residual
from mesolung.calibration.target_table import number, rows_of
from mesolung.calibration.verdict import NORMAL_95
from mesolung.calibration.written_values import Tables, with_cells
from mesolung.engine import CompiledModel
from mesolung.study.result import json_text

DEXAMETHASONE_SOURCE = "RECOVERY 2021 N Engl J Med doi 10.1056/NEJMoa2021436"
CONTROL_TOLERANCE = 0.05
TOCILIZUMAB = ("RECOVERY_TOCI", "risk ratio with tocilizumab")
# The check has paired courses of its own, whose number a fit's draws do not change.
CHECK_DRAWS, CHECK_COURSES = 24, 64


@dataclass(frozen=True)
class DrugStep:
    """RECOVERY through study files, and tocilizumab on paired courses.

    Attributes:
        model: the compiled biology.
        seed: of the runs.
        draws: parameter draws of a run.
        workers: threads.
        tell: called with a line before each of the runs, which take minutes.
    """

    model: CompiledModel
    seed: int
    draws: int
    workers: int
    tell: Tell = print
    title: str = "drugs"
    courses: int = 0

    def evaluate(self, tables: Tables) -> Evaluated:
        """Simulate RECOVERY's strata.

        Arguments:
            tables: of parameters; the diseases are the package's own.

        Returns:
            control mortality and risk ratios; a problem when a fitted one is outside its target; the record
            of the fit on RECOVERY.
        """
        table = tables.parameters
        found = self._found(table, usual_care.STRATA)
        compared = []
        for stratum in usual_care.STRATA:
            got, ratio_tolerance = found[stratum.study], _tolerance(stratum.low, stratum.high)
            compared += [
                _compared(
                    f"{stratum.study} mortality by day 28",
                    stratum.control, CONTROL_TOLERANCE, got.control, "share",
                    _source(stratum is usual_care.VENTILATED),
                ),
                _compared(
                    f"{stratum.study} risk ratio with dexamethasone",
                    stratum.risk_ratio, ratio_tolerance, got.risk_ratio, "ratio",
                    _source(stratum is not usual_care.OXYGEN),
                ),
            ]  # fmt: skip
        compared += self._tocilizumab(table)
        kept = usual_care.within_targets(found)
        problems = () if kept else ("mortality or a risk ratio of RECOVERY is outside its target",)
        record = json_text(usual_care.record(table, found, self.draws, self.seed))
        return Evaluated(compared, problems, {usual_care.RECORD: record})

    def fit(self, tables: Tables, moves: Sequence[Move], rounds: int, tell: Tell) -> Outcome:
        """Move the three parameters of RECOVERY's fit by its own chord steps.

        Arguments:
            tables: the start.
            moves: must name those three.
            rounds: not used: the fit has its own number.
            tell: called with lines of progress.

        Returns:
            the text with what moved.

        Raises:
            NotFitted: when other parameters are named, or the targets are not met.
        """
        names = tuple(m.name for m in moves)
        if set(names) != set(usual_care.FITTED):
            raise NotFitted(f"the step moves {', '.join(usual_care.FITTED)}")
        table = tables.parameters
        before = self._cost(table)
        try:
            values = usual_care.fit(table, self.draws, self.workers, tell)
        except RuntimeError as failed:
            raise NotFitted(str(failed)) from failed
        after = self._cost(usual_care.with_values(table, values))
        texts = dict(tables.texts)
        cells = {name: {"value": value} for name, value in values.items()}
        texts[tables.parameter_file] = with_cells(texts[tables.parameter_file], cells)
        return Outcome(texts, before, after, usual_care.ROUNDS)

    def _found(self, table: Parameters, strata: Sequence[usual_care.Stratum]) -> dict[str, usual_care.Found]:
        found = {}
        for stratum in strata:
            self.tell(f"{stratum.study}: {self.draws} draws")
            found |= usual_care.evaluate(table, (stratum,), self.draws, self.workers, self.seed)
        return found

    def _cost(self, table: Parameters) -> float:
        found = self._found(table, (usual_care.VENTILATED, usual_care.NO_OXYGEN))
        return float(((usual_care.residuals(found) / usual_care.TOLERANCE) ** 2).sum())

    def _tocilizumab(self, table: Parameters) -> list[Compared]:
        row = next(r for r in rows_of("usual-care.csv") if (r["key"], r["measure"]) == TOCILIZUMAB)
        draws = keyed_draws(table, CHECK_DRAWS, self.seed)
        try:
            value = Comparer(Patients(self.model, draws, CHECK_COURSES, self.workers)).value(row)
        except NotInTheModel:
            value = math.nan
        low, high = number(row["low"]), number(row["high"])
        return [
            _compared(
                "covid inflamed risk ratio with tocilizumab", number(row["value"]), _tolerance(low, high),
                value, "ratio", f"{row['source']}, a check",
            )
        ]  # fmt: skip


def _source(fitted: bool) -> str:
    return DEXAMETHASONE_SOURCE if fitted else f"{DEXAMETHASONE_SOURCE}, a check"


def _tolerance(low: float, high: float) -> float:
    return math.log(high / low) / (2.0 * NORMAL_95)


def _compared(
    name: str, published: float, tolerance: float, model: float, unit: str, source: str
) -> Compared:
    residual = log_residual(model, published, tolerance)
    return Compared(name, published, tolerance, float(model), residual, unit, source)
