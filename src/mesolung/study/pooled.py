"""Arms that a publication reports together, and the subjects of a trial of another size than the study's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mesolung.streams import uniforms
from mesolung.study.replicates import ArmTrials, Asked, arm_sizes
from mesolung.study.scores import resampled_places

FollowUp = list[tuple[NDArray[np.float64], NDArray[np.bool_]]]


@dataclass(frozen=True)
class Pool:
    """One arm, or several that are reported together, with the number of subjects of each.

    Attributes:
        arms: at least one.
        sizes: arm -> subjects of a simulated trial; None for those that are assigned to it.
        reserve: arm -> its part of 0 to 1. Beyond those assigned to them, arms that are compared take
            different subjects: those whose own uniform number falls into their part.
        compared: all arms of the comparison, with these; whom one is assigned to, no other takes before the
            rest.
        seed: keys who is among the subjects of a trial of another size.
    """

    arms: tuple[ArmTrials, ...]
    sizes: Mapping[str, int] | None
    reserve: Mapping[str, tuple[float, float]]
    compared: tuple[ArmTrials, ...]
    seed: int

    def recorded(self, asked: Asked) -> NDArray[np.float64]:
        """What the subjects of each replicate recorded: float64[R, n], nan is not evaluable.

        Arguments:
            asked: the endpoint.
        """
        if self.sizes is None:
            return np.concatenate([arm.recorded(asked) for arm in self.arms], axis=1)
        parts = []
        for arm in self.arms:
            values, _ = arm.everyone(asked)
            parts.append(_taken(values, self._places(arm, asked)))
        return np.concatenate(parts, axis=1)

    def follow_up(self, asked: Asked) -> FollowUp:
        """Follow-up of the same subjects, as `ArmTrials.follow_up`.

        Arguments:
            asked: the endpoint.
        """
        if self.sizes is None:
            parts = [arm.follow_up(asked) for arm in self.arms]
            return [
                (np.concatenate([t for t, _ in one]), np.concatenate([e for _, e in one]))
                for one in zip(*parts, strict=True)
            ]
        times, events = [], []
        for arm in self.arms:
            time, happened = arm.everyone_followed(asked)
            places = self._places(arm, asked)
            times.append(_taken(time, places))
            events.append(_taken(happened.astype(np.float64), places) > 0.5)
        return list(zip(np.concatenate(times, axis=1), np.concatenate(events, axis=1), strict=True))

    def expected(self, asked: Asked, geometric: bool = False) -> NDArray[np.float64]:
        """Each draw's expected value of all arms together, each weighted by its subjects: float64[D].

        Arguments:
            asked, geometric: as in `ArmTrials.expected`.
        """
        parts = [arm.expected_parts(asked, geometric) for arm in self.arms]
        total = np.sum([arm.size * top for arm, (top, _) in zip(self.arms, parts, strict=True)], axis=0)
        weight = np.sum([arm.size * below for arm, (_, below) in zip(self.arms, parts, strict=True)], axis=0)
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = np.where(weight > 0, total / weight, np.nan)
        return np.exp(mean) if geometric else mean

    def spread(self, asked: Asked) -> NDArray[np.float64]:
        """Each draw's variance between subjects of one arm, averaged over the arms: float64[D].

        So many of each arm are pooled, so what differs between the arms' means adds no variance.

        Arguments:
            asked: the endpoint.
        """
        spreads = np.stack([arm.spread(asked) for arm in self.arms])
        return np.average(spreads, axis=0, weights=[arm.size for arm in self.arms])

    def evaluable(self, asked: Asked) -> NDArray[np.float64]:
        """float64[D], subjects that each draw's expected value rests on.

        Arguments:
            asked: the endpoint.
        """
        return np.sum([arm.evaluable(asked) for arm in self.arms], axis=0)

    @property
    def size(self) -> int:
        """Subjects assigned to the arms in each replicate."""
        return sum(arm.size for arm in self.arms)

    def _places(self, arm: ArmTrials, asked: Asked) -> NDArray[np.intp]:
        """intp[R, n], subjects of each replicate that a trial of the wanted size has in an arm; -1: none."""
        values, assigned = arm.everyone(asked)
        low, high = self.reserve.get(arm.name, (0.0, 1.0))
        solved, wanted = values.shape[1], (self.sizes or {})[arm.name]
        free = np.ones(values.shape, np.bool_)
        for other in self.compared:
            np.put_along_axis(free, other.members, False, axis=1)
        found = []
        for r, (row, own) in enumerate(zip(values, assigned, strict=True)):
            u = uniforms(self.seed, f"resample:{arm.name}", r, solved)
            v = uniforms(self.seed, "reserve", r, solved) if self.reserve else np.zeros(solved)
            found.append(resampled_places(row, own, wanted, u, free[r] & (v >= low) & (v < high)))
        return np.stack(found)


def pool(arms: Sequence[ArmTrials], n: int | None, seed: int) -> Pool:
    """Put arms together, of their own size or of n subjects in all.

    Arguments:
        arms: at least one.
        n: subjects; the arms share them as they share the trial's. None for the trial's own.
        seed: of the run.
    """
    return pools([arms], n, seed)[0]


def pools(groups: Sequence[Sequence[ArmTrials]], n: int | None, seed: int) -> list[Pool]:
    """Make groups of arms to compare, of their own sizes or of n subjects in all of them together.

    Arguments:
        groups: arms of each group; no arm stands in two.
        n: subjects; all arms share them as they share the trial's. None for the trial's own.
        seed: of the run.
    """
    arms = [arm for group in groups for arm in group]
    ratios = {arm.name: float(arm.size) for arm in arms}
    sizes = None if n is None else arm_sizes(dict.fromkeys(ratios), ratios, n)
    reserve: dict[str, tuple[float, float]] = {}
    if sizes is not None and len(groups) > 1:
        total, start = sum(ratios.values()), 0.0
        for name in sorted(ratios):
            reserve[name] = (start, start + ratios[name] / total)
            start = reserve[name][1]
    compared = tuple(arms) if reserve else ()
    return [Pool(tuple(group), sizes, reserve, compared, seed) for group in groups]


def _taken(values: NDArray[np.float64], places: NDArray[np.intp]) -> NDArray[np.float64]:
    """float64[R, n] of float64[R, M]; nan where there is no place."""
    found = np.take_along_axis(values, np.maximum(places, 0), axis=1)
    return np.where(places < 0, np.nan, found)
