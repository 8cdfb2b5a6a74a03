"""An endpoint as a run answers it: what, when, of whom, and counted from which moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mesolung.biology.states import STATE, state_row
from mesolung.biology.tables import endpoint_in, output_of
from mesolung.study.animal_endpoints import animal_endpoint
from mesolung.study.arm import UNKNOWN
from mesolung.study.endpoint import EndpointAsked
from mesolung.study.observation import Observation
from mesolung.study.possible import IN_VITRO, planned_endpoints
from mesolung.study.study import Study
from mesolung.study.where import SUPPORTS, Where
from mesolung.trial.endpoints import EndpointRow
from mesolung.trial.outcomes import Time

# Hours from the onset of symptoms to enrolment, among the covariates of enrolled subjects.
ONSET_H = "onset_h"
# Hours from the study's origin to a time that nobody told, even up to its end, one a replicate.
UNKNOWN_TIME_H = "unknown_time_h"


@dataclass(frozen=True)
class Asked:
    """An endpoint as a study asks for it.

    Attributes:
        row: its row of the endpoint table.
        time_h: hours since the study's origin; None where the endpoint has no time, or it is unknown.
        as_: "level", "change" or "percent_change".
        deaths: what the dead count as, or None for the table's rule.
        where: which subjects it is of; None for all.
        from_onset: whether its time counts from each subject's onset, not from enrolment.
        time_unknown: whether it is read at a time that is drawn for each replicate.
    """

    row: EndpointRow
    time_h: float | None
    as_: str = "level"
    deaths: str | None = None
    where: Where | None = None
    from_onset: bool = False
    time_unknown: bool = False

    @property
    def key(self) -> str:
        """Name in the result: ``mortality@28d``, ``pf_ratio@36h:change``, ``sofa@7d:where age < 65 year``."""
        name = self.plain_key
        if self.as_ != "level":
            name += f":{self.as_}"
        name += f":{self.deaths}" if self.deaths else ""
        return name + (f":where {self.where.text}" if self.where else "")

    def of_risk(self, measure: str) -> Asked:
        """The endpoint whose expected values a contrast is formed of: of hazards, the chance to have had it.

        Arguments:
            measure: the contrast.

        Returns:
            the endpoint itself, unless it is a time and the contrast a hazard ratio.
        """
        rules = {"time_to": "happened", "progression_time": "progressed"}
        if measure != "hazard_ratio" or self.row.rule not in rules:
            return self
        row = _of_type(self.row, rules[self.row.rule])
        return replace(self, row=row, deaths="zero")

    @property
    def plain_key(self) -> str:
        """Name and time alone: ``mortality@28d``."""
        return key_of(self.row.name, self.time_h, self.time_unknown)

    def moment(self, covariates: Mapping[str, NDArray[np.float64]]) -> Time | None:
        """When it is read, h since enrolment: one time for all, or with an origin of their own one a subject.

        Arguments:
            covariates: of the subjects, with `ONSET_H` where times count from onset, and `UNKNOWN_TIME_H`
                where the time is unknown.

        Raises:
            KeyError: where that is missing.
        """
        time = covariates[UNKNOWN_TIME_H] if self.time_unknown else self.time_h
        return time - covariates[ONSET_H] if self.from_onset and time is not None else time


def _of_type(row: Any, rule: str) -> Any:
    # A risk is better low, as the time to what it is of is better long.
    return replace(row, rule=rule, type="binary", better="lower", unit="fraction", lowest=0.0, highest=1.0)


def key_of(name: str, time_h: float | None, time_unknown: bool = False) -> str:
    """Name an endpoint and its time as results do: ``mortality@28d``.

    Arguments:
        name: of the endpoint.
        time_h: h since the study's origin, or None.
        time_unknown: whether it is read at a time that the study does not say.
    """
    if time_h is None:
        return f"{name}@{UNKNOWN}" if time_unknown else name
    days = time_h / 24.0
    return f"{name}@" + (f"{days:g}d" if float(days).is_integer() else f"{time_h:g}h")


def asked_of(study: Study, line: EndpointAsked | Observation) -> Asked:
    """Make an endpoint of the plan, or what an observation is of, ready to be answered.

    In a mixture of diseases an endpoint is defined as in the most frequent one.

    Arguments:
        study: gives the disease and the origin of times.
        line: of that study.
    """
    name = line.name if isinstance(line, EndpointAsked) else line.endpoint
    planned = planned_endpoints().get(name) if study.kind == IN_VITRO else None
    # A culture's reading, which no patient has.
    row = planned.row if planned else animal_endpoint(name, study.disease_names, study.species, study.kind)
    if row is None:
        row = row_of(name, min(study.diseases, key=lambda disease: (-study.diseases[disease], disease)))
    unknown = isinstance(line, Observation) and line.time_unknown
    return Asked(row, line.time_h, line.as_, line.deaths, line.where, study.origin == "onset", unknown)


def outputs_asked(study: Study) -> tuple[str, ...]:
    """List the model outputs that a study's endpoints, observations and filters are read from.

    Arguments:
        study: the validated study.

    Returns:
        names, each once; a name of a filter may be a covariate, which is no output.
    """
    lines = [*study.endpoints, *study.observations]
    rows = [asked_of(study, line).row for line in lines]
    names = [name for row in rows for name in row.outputs]
    # The error of a level in percent is that of what it is a percentage of.
    names += [row.error.per for row in rows if row.error is not None and row.error.per]
    filters = [
        SUPPORTS.get(name) or output_of(name) for line in lines if line.where for name in line.where.names
    ]
    return tuple(dict.fromkeys([*names, *filters]))


def row_of(name: str, disease: str) -> EndpointRow:
    """Find an endpoint by its name in a study file.

    Arguments:
        name: row of the endpoint table, or ``state:NAME``.
        disease: of the study.

    Raises:
        KeyError: for a name that has neither row nor state.
    """
    return state_row(name) if name.startswith(STATE) else endpoint_in(name, disease)
