"""Second step: how blood phagocytes answer endotoxin, in a typical volunteer and between volunteers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mesolung.biology.parameters import Parameters
from mesolung.calibration.compare_endotoxin import ABOVE_REST, spread_residuals
from mesolung.calibration.gauss_newton import Fitted, gauss_newton
from mesolung.calibration.ladder_step import Evaluated, NotFitted, Outcome, Tell
from mesolung.calibration.moves import Move
from mesolung.calibration.step_targets import Compared, log_residual, residuals_of
from mesolung.calibration.target_table import number, rows_of
from mesolung.calibration.volunteers import (
    CYTOKINES,
    EVERY_H,
    LENGTH_H,
    RATE,
    STATE,
    TABLE,
    Challenge,
    challenge_of,
    peak,
    volunteers,
)
from mesolung.calibration.written_values import Tables, moved_parameters, moved_texts
from mesolung.engine import ADD_STATE, SET_PARAMETER, CompiledModel
from mesolung.population.draws import Draws
from mesolung.population.events import in_order, joined, same_events

Values = NDArray[np.float64]
Row = dict[str, str]

FULL = Challenge(2.0, 0.0, 0.0)
QUARTILE_RANGE = 1.349
LEAST_SPREAD = 0.15
# The median of twenty is known better than one of them is.
OF_A_MEDIAN = 0.4
# Of a ratio of peaks within one laboratory; another laboratory's reference, and digitised figures, are worse.
PEAK_TOLERANCE = {"dillingh2014": 0.2, "kiers2017": 0.3, "taudorf2007": 0.4}
# Given slowly the stimulus is another one: infusions hardly pull.
INFUSION_TOLERANCE = 3.0
SPREAD_TOLERANCE = 0.15


@dataclass(frozen=True)
class EndotoxinStep:
    """Volunteers given endotoxin.

    Attributes:
        model: the compiled biology; its own parameter values are not used.
        seed: keys the volunteers' numbers.
        courses: volunteers for the spread between them.
        workers: threads; no result depends on them.
    """

    model: CompiledModel
    seed: int
    courses: int
    workers: int
    title: str = "endotoxin"
    draws: int = 1

    def evaluate(self, tables: Tables) -> Evaluated:
        """Put the model beside the volunteers.

        Arguments:
            tables: of parameters.

        Returns:
            medians by time, peaks over doses, the infusion, and spreads between volunteers.
        """
        return Evaluated([*self.courses_of(tables.parameters), *self.spreads_of(tables.parameters)])

    def fit(self, tables: Tables, moves: Sequence[Move], rounds: int, tell: Tell) -> Outcome:
        """Fit the typical volunteer, and then the spreads.

        Arguments:
            tables: the start.
            moves: parameters, and spreads between subjects.
            rounds: of each fit, at most.
            tell: called with lines of progress.

        Returns:
            the texts with what moved.

        Raises:
            NotFitted: when the step has nothing to move.
        """
        typical = [m for m in moves if not m.spread]
        spread = [m for m in moves if m.spread]
        if not moves or any(m.disease for m in moves):
            raise NotFitted("the step moves parameters and their spreads")
        start = tables.parameters
        first = _fitted(lambda x: self.courses_of(moved_parameters(start, typical, x)), typical, rounds, tell)
        middle = moved_parameters(start, typical, first.x.tolist())
        second = _fitted(lambda x: self.spreads_of(moved_parameters(middle, spread, x)), spread, rounds, tell)
        x = [*first.x.tolist(), *second.x.tolist()]
        texts = moved_texts(tables, [*typical, *spread], x)
        return Outcome(
            texts, first.before + second.before, first.after + second.after, first.rounds + second.rounds
        )

    def courses_of(self, parameters: Parameters) -> list[Compared]:
        """Put the typical volunteer beside medians, peaks and the infusion.

        Arguments:
            parameters: a table.

        Returns:
            every target.
        """
        values = self.model.default_parameters.copy()
        for k, name in enumerate(self.model.parameters):
            row = parameters.find(name)
            if row is not None:
                values[k] = row.value
        return courses_compared(typical_courses(self.model, values[None, :], self.workers)[0])

    def spreads_of(self, parameters: Parameters) -> list[Compared]:
        """Put the spread between subjects beside that between volunteers.

        Arguments:
            parameters: a table.

        Returns:
            a target a cytokine: root mean square over times of the standard deviation of the logarithm.
        """
        rows = {row.id: row for row in parameters.rows}
        typical = {i: np.array([row.value]) for i, row in rows.items()}
        draws = Draws(f"ladder-{self.seed}", rows, typical)
        group = volunteers(self.model, draws, self.courses, FULL, workers=self.workers)
        if group is None:
            return []
        table = rows_of(TABLE)
        found = spread_residuals(group, table)
        out = []
        for name in CYTOKINES:
            mine = [r for r in table if r["study"] == "volunteers" and r["observable"] == name]
            middle = np.array([float(r["median"]) for r in mine])
            logs = np.array([float(r["sd_log"]) for r in mine])[middle > ABOVE_REST * middle[0]]
            published = float(np.sqrt(np.mean(logs**2)))
            model = published * float(np.exp(found[name]))
            label = f"{name} spread between volunteers after 2 ng/kg"
            out.append(_compared(label, published, SPREAD_TOLERANCE, model, "sd of ln", mine[0]["source"]))
        return out


def typical_courses(
    model: CompiledModel, values: Values, workers: int
) -> list[dict[tuple[Challenge, str], Values]]:
    """Give every challenge of the table to typical subjects.

    Arguments:
        model: the compiled biology.
        values: float64[n, P], parameters of n subjects, none of whom differs from its own typical values.
        workers: threads.

    Returns:
        of each subject (challenge, cytokine) -> float64[times], pg/mL every quarter of an hour for 8 h; nan
        where the solver failed.
    """
    given = list(dict.fromkeys(challenge_of(r) for r in _rows()))
    state, rate = model.states.index(STATE), model.parameters.index(RATE)
    events = []
    for k, challenge in enumerate(given):
        who = np.arange(len(values)) * len(given) + k
        one = np.ones(who.size)
        if challenge.bolus > 0.0:
            events.append(same_events(ADD_STATE, state, who, 0.0, challenge.bolus * one))
        if challenge.rate > 0.0:
            events.append(same_events(SET_PARAMETER, rate, who, 0.0, challenge.rate * one))
            events.append(same_events(SET_PARAMETER, rate, who, challenge.length, 0.0 * one))
    found = model.solve(
        np.repeat(values, len(given), axis=0),
        np.arange(0.0, LENGTH_H + 1e-9, EVERY_H),
        events=in_order(joined(events)),
        outputs=CYTOKINES,
        workers=workers,
    )
    shown = found.values.reshape(len(values), len(given), *found.values.shape[1:])
    return [
        {(c, name): one[k, :, j] for k, c in enumerate(given) for j, name in enumerate(CYTOKINES)}
        for one in shown
    ]


def courses_compared(course: dict[tuple[Challenge, str], Values]) -> list[Compared]:
    """Put a typical volunteer beside medians, peaks and the infusion.

    Arguments:
        course: (challenge, cytokine) -> float64[times].

    Returns:
        every target but the spreads.
    """
    rows, out = _rows(), []
    for study in dict.fromkeys(r["study"] for r in rows):
        mine = [r for r in rows if r["study"] == study]
        if study == "volunteers":
            out += [_median(r, course) for r in mine if float(r["time_h"]) > 0.0]
        elif study == "infusion":
            out += [_point(r, course) for r in mine]
        else:
            out += _peaks(study, mine, rows, course)
    return out


def _rows() -> list[Row]:
    return [r for r in rows_of(TABLE) if r["observable"] in CYTOKINES]


def _fitted(compare, moves: Sequence[Move], rounds: int, tell: Tell) -> Fitted:
    sd = np.array([m.sd for m in moves])
    return gauss_newton(lambda x: residuals_of(compare(x.tolist())), sd, rounds, tell)


def _median(row: Row, course: dict[tuple[Challenge, str], Values]) -> Compared:
    spread = np.log(float(row["q75"]) / float(row["q25"])) / QUARTILE_RANGE
    tolerance = OF_A_MEDIAN * max(float(spread), LEAST_SPREAD)
    name = f"{row['observable']} median {row['time_h']} h after 2 ng/kg"
    return _compared(name, float(row["median"]), tolerance, _at([row], course)[0], row["unit"], row["source"])


def _point(row: Row, course: dict[tuple[Challenge, str], Values]) -> Compared:
    name = f"{row['observable']} {row['time_h']} h after the start of 2 ng/kg over 4 h"
    return _compared(
        name, float(row["mean"]), INFUSION_TOLERANCE, _at([row], course)[0], row["unit"], row["source"]
    )


def _peaks(
    study: str, mine: list[Row], rows: list[Row], course: dict[tuple[Challenge, str], Values]
) -> list[Compared]:
    """Peaks relative to the study's own 2 ng/kg; Taudorf gave one dose, its reference is the volunteers."""
    out = []
    for observable in dict.fromkeys(r["observable"] for r in mine):
        own = [r for r in mine if r["observable"] == observable]
        base = [r for r in own if challenge_of(r) == FULL] or [
            r for r in rows if r["study"] == "volunteers" and r["observable"] == observable
        ]
        for given in dict.fromkeys(challenge_of(r) for r in own):
            if given == FULL:
                continue
            at_dose = [r for r in own if challenge_of(r) == given]
            dose = f"{given.bolus:g} ng/kg" + (f" and {given.rate:g} ng/kg/h" if given.rate else "")
            name = f"{observable} peak at {dose} relative to 2 ng/kg ({study})"
            published = peak(_means(at_dose)) / peak(_means(base))
            model = peak(_at(at_dose, course)) / peak(_at(base, course))
            tolerance = INFUSION_TOLERANCE if given.rate else PEAK_TOLERANCE[study]
            out.append(_compared(name, published, tolerance, model, "ratio", own[0]["source"]))
    return out


def _at(rows: list[Row], course: dict[tuple[Challenge, str], Values]) -> Values:
    return np.array(
        [course[challenge_of(r), r["observable"]][round(float(r["time_h"]) / EVERY_H)] for r in rows]
    )


def _means(rows: list[Row]) -> Values:
    return np.array([number(r["mean"]) for r in rows])


def _compared(
    name: str, published: float, tolerance: float, model: float, unit: str, source: str
) -> Compared:
    residual = log_residual(model, published, tolerance)
    return Compared(name, published, tolerance, float(model), residual, unit, source)
