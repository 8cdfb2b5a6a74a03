"""The replicate trials of a study as arrays: who is in which arm, and what each endpoint recorded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mesolung.trial.endpoints import EndpointRow, endpoint_values, expected_values
from mesolung.trial.outcomes import Outcomes


@dataclass(frozen=True)
class Asked:
    """An endpoint as a study asks for it.

    Attributes:
        row: its row of the endpoint table.
        time_h: hours since enrolment; None where the endpoint has no time.
        as_: "level", "change" or "percent_change".
        deaths: what the dead count as, or None for the table's rule.
    """

    row: EndpointRow
    time_h: float | None
    as_: str = "level"
    deaths: str | None = None

    @property
    def key(self) -> str:
        """Name in the result: ``mortality@28d``, ``pf_ratio@36h:change``."""
        name = self.row.name
        if self.time_h is not None:
            days = self.time_h / 24.0
            name += f"@{days:g}d" if float(days).is_integer() else f"@{self.time_h:g}h"
        if self.as_ != "level":
            name += f":{self.as_}"
        return name + (f":{self.deaths}" if self.deaths else "")


@dataclass(frozen=True)
class ArmTrials:
    """One arm over all replicates.

    Attributes:
        name: of the arm.
        outcomes: courses of S x M subjects, replicate after replicate.
        slots: S, replicates and draws together; the first ``draws`` of them score.
        members: intp[R, n], which of a replicate's M subjects are assigned to the arm.
        draws: D, number of parameter draws.
        paired: courses of the same shape on the population's own table 1, for the paired contrast.
        panel: how many subjects of a slot expected values use, the first ones. It does not follow the trial's
            size: an arm more, or a larger one, leaves the expected values of the others as they are.
    """

    name: str
    outcomes: Outcomes
    slots: int
    members: NDArray[np.intp]
    draws: int
    paired: Outcomes
    panel: int

    def recorded(self, asked: Asked) -> NDArray[np.float64]:
        """What the assigned subjects of each replicate recorded.

        Arguments:
            asked: the endpoint.

        Returns:
            float64[R, n], in the endpoint's unit; nan is not evaluable.
        """
        return self.assigned(endpoint_values(self.outcomes, asked.row, asked.time_h, asked.as_, asked.deaths))

    def assigned(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Pick the assigned subjects out of all courses.

        Arguments:
            values: float64[S x M] or float64[S x M, T].

        Returns:
            float64[R, n] or float64[R, n, T].
        """
        replicates = self.members.shape[0]
        table = values.reshape(self.slots, -1, *values.shape[1:])[:replicates]
        index = self.members.reshape(*self.members.shape, *([1] * (table.ndim - 2)))
        return np.take_along_axis(table, index, axis=1)

    def everyone(self, asked: Asked) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """What all subjects of each replicate would have recorded under the arm, and who is assigned to it.

        Arguments:
            asked: the endpoint.

        Returns:
            float64[R, M] in the endpoint's unit, nan is not evaluable; bool[R, M].
        """
        values = endpoint_values(self.outcomes, asked.row, asked.time_h, asked.as_, asked.deaths)
        table = values.reshape(self.slots, -1)[: self.members.shape[0]]
        own = np.zeros(table.shape, dtype=np.bool_)
        np.put_along_axis(own, self.members, True, axis=1)
        return table, own

    def expected(self, asked: Asked, geometric: bool = False) -> NDArray[np.float64]:
        """Each draw's expected value of the arm, free of sampling noise.

        Arguments:
            asked: the endpoint.
            geometric: take the geometric mean, of which a ratio on the log scale is made.

        Returns:
            float64[D], in the endpoint's unit.
        """
        return self._expected(self.outcomes, asked, geometric)

    def expected_paired(self, asked: Asked, geometric: bool = False) -> NDArray[np.float64]:
        """As `expected`, on the population that the paired contrast uses.

        Arguments:
            asked, geometric: as in `expected`.

        Returns:
            float64[D].
        """
        return self._expected(self.paired, asked, geometric)

    def spread(self, asked: Asked) -> NDArray[np.float64]:
        """Each draw's variance between the subjects that expected values use.

        Arguments:
            asked: the endpoint.

        Returns:
            float64[D], in the endpoint's unit squared; nan when nobody is evaluable.
        """
        values = self._panel(endpoint_values(self.outcomes, asked.row, asked.time_h, asked.as_, asked.deaths))
        known = ~np.isnan(values)
        count = known.sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = np.where(known, values, 0.0).sum(axis=1) / count
            return np.where(known, (values - mean[:, None]) ** 2, 0.0).sum(axis=1) / count

    def _expected(self, outcomes: Outcomes, asked: Asked, geometric: bool) -> NDArray[np.float64]:
        values, weights = expected_values(
            outcomes, asked.row, asked.time_h, asked.as_, asked.deaths, logarithm=geometric
        )
        values, weights = self._panel(np.where(weights > 0, values, 0.0)), self._panel(weights)
        total = weights.sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = np.where(total > 0, (weights * values).sum(axis=1) / total, np.nan)
        return np.exp(mean) if geometric else mean

    def _panel(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        return values.reshape(self.slots, -1)[: self.draws, : self.panel]

    def survival(self, until_h: float) -> list[tuple[NDArray[np.float64], NDArray[np.bool_]]]:
        """Time to death of the assigned subjects of each replicate.

        Arguments:
            until_h: end of follow-up, hours.

        Returns:
            for each replicate (time float64[n], died bool[n]).
        """
        time, died = self.outcomes.time_to_death(until_h)
        times, deaths = self.assigned(time), self.assigned(died.astype(float)) > 0.5
        return list(zip(times, deaths, strict=True))


def arm_sizes(
    sizes: Mapping[str, int | None], ratios: Mapping[str, float | None], total: int | None
) -> dict[str, int]:
    """Number of subjects in each arm, from sizes or from a ratio.

    Arguments:
        sizes: arm -> size, or None where the study gives ratios.
        ratios: arm -> ratio.
        total: size of the trial, needed with ratios.

    Returns:
        arm -> size, in the order given; with ratios by largest remainder, ties by name.
    """
    if all(s is not None for s in sizes.values()):
        return {name: int(s or 0) for name, s in sizes.items()}
    weight = {name: float(ratios[name] or 1.0) for name in sizes}
    share = {name: (total or 0) * w / sum(weight.values()) for name, w in weight.items()}
    result = {name: int(s) for name, s in share.items()}
    left = (total or 0) - sum(result.values())
    for name in sorted(share, key=lambda k: (result[k] - share[k], k))[:left]:
        result[name] += 1
    return result
