"""The replicate trials of a study as arrays: who is in which arm, and what each endpoint recorded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mesolung.study.asked import Asked as Asked
from mesolung.trial.decline import progression
from mesolung.trial.endpoints import endpoint_values, expected_values
from mesolung.trial.follow_up import EVENTS, HOURS_PER_DAY
from mesolung.trial.outcomes import Outcomes
from mesolung.trial.recurrent import followed_until


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
        covariates: what subjects are at enrolment besides their outputs, name -> float64[S x M].
        paired_covariates: the same of the subjects of ``paired``.
    """

    name: str
    outcomes: Outcomes
    slots: int
    members: NDArray[np.intp]
    draws: int
    paired: Outcomes
    panel: int
    covariates: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    paired_covariates: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Number of subjects assigned to the arm in each replicate."""
        return self.members.shape[1]

    def recorded(self, asked: Asked) -> NDArray[np.float64]:
        """What the assigned subjects of each replicate recorded.

        Arguments:
            asked: the endpoint.

        Returns:
            float64[R, n], in the endpoint's unit; nan is not evaluable, or not asked for.
        """
        return self.assigned(self._values(asked))

    def of_interest(self, asked: Asked) -> NDArray[np.bool_]:
        """Which of the assigned subjects of each replicate an endpoint is asked of: bool[R, n].

        Arguments:
            asked: the endpoint.
        """
        if asked.where is None:
            return np.ones(self.members.shape, np.bool_)
        kept = asked.where.keeps(self.outcomes, self.covariates)
        return self.assigned(kept.astype(np.float64)) > 0.5

    def assigned(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Pick the assigned subjects out of all courses.

        Arguments:
            values: float64[S x M] or float64[S x M, T].

        Returns:
            float64[R, n] or float64[R, n, T].
        """
        table = self._replicates(values)
        index = self.members.reshape(*self.members.shape, *([1] * (table.ndim - 2)))
        return np.take_along_axis(table, index, axis=1)

    def everyone(self, asked: Asked) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """What all subjects of each replicate would have recorded under the arm, and who is assigned to it.

        Arguments:
            asked: the endpoint.

        Returns:
            float64[R, M] in the endpoint's unit, nan is not evaluable; bool[R, M].
        """
        table = self._replicates(self._values(asked))
        own = np.zeros(table.shape, dtype=np.bool_)
        np.put_along_axis(own, self.members, True, axis=1)
        return table, own

    def expected(self, asked: Asked, geometric: bool = False) -> NDArray[np.float64]:
        """Each draw's expected value of the arm, free of sampling noise.

        Arguments:
            asked: the endpoint.
            geometric: take the geometric mean, of which a ratio on the log scale is made.

        Returns:
            float64[D], in the endpoint's unit; nan where nobody is evaluable.
        """
        return _mean(*self.expected_parts(asked, geometric), geometric)

    def expected_parts(
        self, asked: Asked, geometric: bool = False
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Sums that the expected value of an arm, or of several together, is made of.

        Arguments:
            asked, geometric: as in `expected`.

        Returns:
            float64[D] sum over subjects of weight times value (its logarithm where geometric), and float64[D]
            sum of weights.
        """
        return self._expected(self.outcomes, self.covariates, asked, geometric)

    def expected_paired(self, asked: Asked, geometric: bool = False) -> NDArray[np.float64]:
        """As `expected`, on the population that the paired contrast uses.

        Arguments:
            asked, geometric: as in `expected`.

        Returns:
            float64[D].
        """
        parts = self._expected(self.paired, self.paired_covariates, asked, geometric)
        return _mean(*parts, geometric)

    def evaluable(self, asked: Asked) -> NDArray[np.float64]:
        """float64[D], subjects that each draw's expected value rests on.

        Arguments:
            asked: the endpoint.
        """
        values = self._panel(self._values(asked))
        return (~np.isnan(values)).sum(axis=1).astype(np.float64)

    def spread(self, asked: Asked) -> NDArray[np.float64]:
        """Each draw's variance between the subjects that expected values use.

        Arguments:
            asked: the endpoint.

        Returns:
            float64[D], in the endpoint's unit squared; nan when nobody is evaluable.
        """
        values = self._panel(self._values(asked))
        known = ~np.isnan(values)
        count = known.sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = np.where(known, values, 0.0).sum(axis=1) / count
            return np.where(known, (values - mean[:, None]) ** 2, 0.0).sum(axis=1) / count

    def survival(self, until_h: float) -> list[tuple[NDArray[np.float64], NDArray[np.bool_]]]:
        """Time to death of the assigned subjects of each replicate.

        Arguments:
            until_h: end of follow-up, hours.

        Returns:
            for each replicate (time float64[n], died bool[n]).
        """
        return self._followed(*self.outcomes.time_to_death(until_h))

    def follow_up(self, asked: Asked) -> list[tuple[NDArray[np.float64], NDArray[np.bool_]]]:
        """Time to what an endpoint's hazard is of, to its time: discharge alive for `discharged`, else death.

        Arguments:
            asked: the endpoint.

        Returns:
            for each replicate (hours since enrolment float64[n], happened bool[n]); nan for who is not asked
            of, or whose course failed.
        """
        return self._followed(*self._to_event(asked))

    def everyone_followed(self, asked: Asked) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """As `follow_up`, of all subjects of each replicate: float64[R, M] and bool[R, M].

        Arguments:
            asked: the endpoint.
        """
        time, happened = self._to_event(asked)
        return self._replicates(time), self._replicates(happened.astype(np.float64)) > 0.5

    def _to_event(self, asked: Asked) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        until = asked.moment(self.covariates)
        until = float(self.outcomes.times[-1]) if until is None else until
        if asked.row.rule in (*EVENTS, "progression_time"):
            return self._to_own_event(asked, until)
        of_discharge = asked.row.rule == "discharged"
        to_event = self.outcomes.time_to_discharge if of_discharge else self.outcomes.time_to_death
        time, happened = to_event(until)
        kept = self.outcomes.inside(until)
        if asked.where is not None:
            kept = kept & asked.where.keeps(self.outcomes, self.covariates)
        return np.where(kept, time, np.nan), happened & kept

    def _to_own_event(
        self, asked: Asked, until: float | NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Follow-up to the event that a time is of; of counts and rates the hours they were counted over."""
        end = followed_until(self.outcomes, until)
        time, came = end, np.zeros(end.size, np.bool_)
        if asked.row.rule == "time_to":
            time = endpoint_values(self.outcomes, asked.row, until) * HOURS_PER_DAY
            came = time < end
        elif asked.row.rule == "progression_time":
            time, progressed = progression(self.outcomes, asked.row, float(until))
            came = progressed == 1.0
        kept = self.outcomes.inside(until)
        if asked.where is not None:
            kept = kept & asked.where.keeps(self.outcomes, self.covariates)
        return np.where(kept, time, np.nan), came & kept

    def _followed(
        self, time: NDArray[np.float64], happened: NDArray[np.bool_]
    ) -> list[tuple[NDArray[np.float64], NDArray[np.bool_]]]:
        times, events = self.assigned(time), self.assigned(happened.astype(float)) > 0.5
        return list(zip(times, events, strict=True))

    def _values(self, asked: Asked) -> NDArray[np.float64]:
        moment = asked.moment(self.covariates)
        values = endpoint_values(self.outcomes, asked.row, moment, asked.as_, asked.deaths)
        if asked.where is None:
            return values
        return np.where(asked.where.keeps(self.outcomes, self.covariates), values, np.nan)

    def _expected(
        self,
        outcomes: Outcomes,
        covariates: Mapping[str, NDArray[np.float64]],
        asked: Asked,
        geometric: bool,
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        moment = asked.moment(covariates)
        values, weights = expected_values(
            outcomes, asked.row, moment, asked.as_, asked.deaths, logarithm=geometric
        )
        if asked.where is not None:
            weights = np.where(asked.where.keeps(outcomes, covariates), weights, 0.0)
        values, weights = self._panel(np.where(weights > 0, values, 0.0)), self._panel(weights)
        return (weights * values).sum(axis=1), weights.sum(axis=1)

    def _panel(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        return values.reshape(self.slots, -1)[: self.draws, : self.panel]

    def _replicates(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        return values.reshape(self.slots, -1, *values.shape[1:])[: self.members.shape[0]]


def _mean(total: NDArray[np.float64], weight: NDArray[np.float64], geometric: bool) -> NDArray[np.float64]:
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(weight > 0, total / weight, np.nan)
    return np.exp(mean) if geometric else mean


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
