"""The median subject of a disease: what happens to it and when, and what it brings along."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from mesolung.biology.disease import Disease
from mesolung.reading import Refusal


@dataclass(frozen=True)
class Happening:
    """One driver event of the median subject.

    Attributes:
        time: hours since the start of the course.
        target: a state, to which ``value`` is added, or a parameter, which is set to it.
        value: in the target's unit.
    """

    time: float
    target: str
    value: float


@dataclass(frozen=True)
class MedianSubject:
    """The subject whose every amount, time and covariate is the median of its disease.

    Attributes:
        group: the group of the disease that it belongs to, "" where the disease has none.
        happenings: driver events, by time; those at one time in the order of the disease's drivers.
        covariates: name -> value in the unit that the disease states.
    """

    group: str
    happenings: tuple[Happening, ...]
    covariates: dict[str, float]


class _Medians(dict[str, NDArray[np.float64]]):
    """Standard scores that are all 0, but for those that are set."""

    def __missing__(self, name: str) -> NDArray[np.float64]:
        return np.zeros(1)


def median_subject(disease: Disease, group: str | None = None) -> MedianSubject:
    """Take the median of everything that differs between the subjects of a disease.

    A driver that less than half of the subjects have does not happen to the median subject.

    Arguments:
        disease: the disease.
        group: one of its groups; None for the largest, the first of them where several are.

    Returns:
        the subject.

    Raises:
        Refusal: for a group that the disease does not have.
    """
    scores = _Medians()
    names = [name for name, _ in disease.groups]
    shares = [share for _, share in disease.groups]
    if group is None:
        group = names[int(np.argmax(shares))] if names else ""
    elif group not in names:
        allowed = ", ".join(names) or "none, the disease has no groups"
        raise Refusal(f"unknown group of {disease.name}", found=group, allowed=allowed)
    if group:
        k = names.index(group)
        scores["group"] = np.array([ndtri(sum(shares[:k]) + 0.5 * shares[k])])
    made: Any = disease.events(scores)
    rows = zip(made.time, made.target, made.value, strict=True)
    happenings = [Happening(float(t), made.names[k], float(v)) for t, k, v in rows]
    return MedianSubject(
        group=group,
        happenings=tuple(sorted(happenings, key=lambda h: h.time)),
        covariates={name: float(v[0]) for name, v in disease.covariate_values(scores).items()},
    )
