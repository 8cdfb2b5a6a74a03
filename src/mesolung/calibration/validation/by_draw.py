"""How likely a trial's results are under each draw, its bias integrated out: what weights rest on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product

import numpy as np
from numpy.polynomial.hermite_e import hermegauss
from numpy.typing import NDArray
from scipy.special import logsumexp

from mesolung.calibration.validation.bias import IN_ERRORS, Bias
from mesolung.calibration.validation.effect import Effect, moved
from mesolung.calibration.validation.lines import Subject, version_weights
from mesolung.calibration.validation.treatment import side_of, trial_of
from mesolung.study.asked import Asked, asked_of
from mesolung.study.basis import Basis, score_of
from mesolung.study.observation import Observation
from mesolung.study.unscored import why_not_scored

Values = NDArray[np.float64]
# assumed: results of one trial are of the same patients; however many, they count as so many. As the stage of
# human trials takes them.
A_TRIAL_COUNTS = 2.0
NODES = 5
SIMULATED_ONLY = "a class or an order of simulated trials tells no draw from another"


@dataclass(frozen=True, eq=False)
class ByDraw:
    """What a trial says of each draw.

    Attributes:
        values: float64[D], natural log of the likelihood, up to a constant.
        used: (study, index) of the observations in it.
        power: that their likelihood was raised to: below 1 where a trial has many results.
        left: reason -> observations that are not in it.
    """

    values: Values
    used: tuple[tuple[str, int], ...]
    power: float
    left: Mapping[str, int] = field(default_factory=dict)


def trials_of(subjects: Sequence[Subject]) -> dict[str, list[Subject]]:
    """Files of one trial together.

    Arguments:
        subjects: studies and their predictions.

    Returns:
        trial -> its studies, trials in the order of their first file.
    """
    found: dict[str, list[Subject]] = {}
    for subject in subjects:
        found.setdefault(trial_of(subject.study), []).append(subject)
    return found


def by_draw(subjects: Sequence[Subject], terms: Sequence[Bias], draws: int) -> ByDraw:
    """How likely a trial is under each draw.

    Arguments:
        subjects: the files of one trial, with their predictions.
        terms: of bias; each has one value for all results of the trial, which is integrated out.
        draws: D.

    Returns:
        the likelihood. Results of a form that simulated trials alone answer are left out. A draw that
        cannot answer a result stands there as the mean of those that can.
    """
    results: list[tuple[Subject, Observation, Asked, float]] = []
    left: Counter[str] = Counter()
    for subject in subjects:
        weights = version_weights(subject.study)
        for one in subject.study.observations:
            bases = subject.predicted.bases.get(one.index)
            if bases is None:
                continue
            asked = asked_of(subject.study, one)
            if one.form in ("direction", "order"):
                left[SIMULATED_ONLY] += 1
            elif reason := why_not_scored(one, score_of(one, asked, bases.own)):
                left[reason] += 1
            else:
                results.append((subject, one, asked, weights[one.index]))
    used = tuple((subject.key, one.index) for subject, one, _, _ in results)
    if not results:
        return ByDraw(np.zeros(draws), (), 1.0, dict(left))
    kinds = {(asked.key, one.form) for _, one, asked, _ in results}
    own = [t for t in terms if any(t.of(s.study, True) and side_of(s.study, o) for s, o, _, _ in results)]
    parts, logs = [], []
    for log_weight, values in _nodes(own):
        parts.append(np.sum([w * _terms(s, o, a, values, draws) for s, o, a, w in results], axis=0))
        logs.append(log_weight)
    power = min(1.0, A_TRIAL_COUNTS / len(kinds))
    return ByDraw(
        power * np.asarray(logsumexp(np.array(parts) + np.array(logs)[:, None], axis=0)),
        used,
        power,
        dict(left),
    )


def _nodes(terms: Sequence[Bias]) -> Iterator[tuple[float, dict[Bias, float]]]:
    """Values of the terms of bias, with the log of their weight, for a sum over their distribution."""
    nodes, weights = hermegauss(NODES)
    logs = np.log(weights / weights.sum())
    for place in product(range(NODES), repeat=len(terms)):
        chosen = {term: term.mean + term.sd * float(nodes[k]) for term, k in zip(terms, place, strict=True)}
        yield float(sum(logs[k] for k in place)), chosen


def _terms(
    subject: Subject, one: Observation, asked: Asked, bias: Mapping[Bias, float], draws: int
) -> Values:
    """Log-likelihood of one observation in each draw, with a given bias: float64[D]."""
    bases = subject.predicted.bases[one.index]
    basis: Basis = bases.own
    side = side_of(subject.study, one)
    subjective = bool(getattr(asked.row, "subjective", False))
    felt = {t: v for t, v in bias.items() if side and v and t.of(subject.study, subjective)}
    if felt:
        ratio = side * sum(v for t, v in felt.items() if t.unit != IN_ERRORS)
        errors = side * sum(v for t, v in felt.items() if t.unit == IN_ERRORS)
        effect = Effect(np.full(draws, float(ratio)), np.full(draws, float(errors)))
        basis = moved(bases, basis, one, asked.row, effect)
    found = score_of(one, asked, basis).log_likelihoods
    known = np.full(draws, np.nan) if found is None else np.asarray(found, np.float64)[:draws]
    told = ~np.isnan(known)
    if not told.any():
        return np.zeros(draws)
    return np.where(told, known, logsumexp(known[told]) - np.log(told.sum()))
