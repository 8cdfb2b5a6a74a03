"""Whether private data are what the shipped evidence leads one to expect."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp, ndtri
from scipy.stats import binom, nbinom, poisson

from mesolung.calibration.validation.lines import Subject, lines_of, version_weights
from mesolung.streams import uniforms
from mesolung.study.asked import Asked, asked_of
from mesolung.study.basis import Basis, error_of
from mesolung.study.likelihoods import (
    contrast_log_likelihood,
    event_count_log_likelihood,
    events_log_likelihood,
    normal_log_likelihood,
    shares,
)
from mesolung.study.observation import Observation
from mesolung.trial.contrasts import is_ratio

Values = NDArray[np.float64]
SIMULATIONS = 400
# Data as strange as these come up in fewer than one of twenty trials that the model is right of.
STRANGE = 0.05


@dataclass(frozen=True)
class Conflict:
    """How strange data are.

    Attributes:
        p: share of simulated data sets that are no more probable than the real one; None where no result
            could be simulated.
        results: of how many results.
        observations: study, index and chance of as surprising a number, the most surprising first.
    """

    p: float | None
    results: int
    observations: tuple[tuple[str, int, str, float], ...]

    @property
    def told(self) -> bool:
        """Whether the data conflict: all together, or one of them, however many there are."""
        worst = self.observations[0][3] * len(self.observations) if self.observations else 1.0
        return (self.p is not None and self.p < STRANGE) or worst < STRANGE


def conflict_of(subjects: Sequence[Subject], draws: int, seed: int) -> Conflict:
    """Test data against the draws that they were predicted with.

    Arguments:
        subjects: studies and their predictions.
        draws: D.
        seed: of the simulated data.

    Returns:
        the test. Simulated data are drawn draw by draw as counts, means and comparisons scatter; what is
        compared is the probability of the whole set under the mixture of all draws. Medians, directions
        and orders are in the list alone.

    Source: prior predictive check of Box 1980 J R Stat Soc A 143:383, doi 10.2307/2982063; its use for a
        conflict of prior and data in Evans and Moshonov 2006 Bayesian Anal 1:893, doi 10.1214/06-BA129.
    """
    of = np.arange(SIMULATIONS) % draws
    real, simulated, count = np.zeros(draws), np.zeros((SIMULATIONS, draws)), 0
    for subject in subjects:
        weights = version_weights(subject.study)
        for one in subject.study.observations:
            bases = subject.predicted.bases.get(one.index)
            if bases is None:
                continue
            u = uniforms(seed, f"conflict:{subject.key}:{one.index}", 0, SIMULATIONS)
            found = _simulated(one, asked_of(subject.study, one), bases.own, of, u)
            if found is None:
                continue
            likelihood, observed, drawn = found
            share = weights[one.index]
            real += share * _known(likelihood(observed))
            simulated += share * np.stack([_known(likelihood(float(y))) for y in drawn])
            count += 1
    lines = [
        (line.key, line.one.index, line.asked.key, line.scored.tail)
        for subject in subjects
        for line in lines_of(subject, (), seed)
        if line.counts and line.scored.tail is not None
    ]
    ordered = tuple(sorted(lines, key=lambda line: (line[3], line[0], line[1])))
    if not count:
        return Conflict(None, 0, ordered)
    all_ = np.asarray(logsumexp(simulated, axis=1))
    p = (1.0 + float(np.sum(all_ <= float(np.asarray(logsumexp(real))) + 1e-12))) / (SIMULATIONS + 1.0)
    return Conflict(p, count, ordered)


def record_of(found: Conflict, most: int = 20) -> Mapping[str, object]:
    """A test as a record keeps it.

    Arguments:
        found: the test.
        most: observations to list.
    """
    return {
        "p": found.p,
        "results": found.results,
        "told": found.told,
        "observations": [
            {"study": key, "index": index, "endpoint": endpoint, "tail": tail}
            for key, index, endpoint, tail in found.observations[:most]
        ],
    }


def _known(terms: Values) -> Values:
    """Terms with those of draws that cannot answer at the mean of the others."""
    told = ~np.isnan(terms)
    if not told.any():
        return np.zeros(terms.size)
    return np.where(told, terms, logsumexp(terms[told]) - np.log(told.sum()))


def _simulated(
    one: Observation, asked: Asked, basis: Basis, of: NDArray[np.intp], u: Values
) -> tuple[Callable[[float], Values], float, Values] | None:
    """A result's likelihood by draw as a function of its number, the real number, and simulated ones."""
    expected = basis.expected
    if expected.size == 0 or np.isnan(expected).all():
        return None
    usable = np.where(np.isnan(expected), np.nanmean(expected), expected)[of]
    if one.form == "events" and one.n is not None and one.events is not None:
        n = int(one.n)
        share = shares(basis.expected, basis.least)
        drawn = _quantile_binomial(u, n, shares(usable, np.broadcast_to(basis.least, expected.shape)[of]))
        return lambda y: events_log_likelihood(round(y), n, share), float(one.events), drawn
    if one.form == "event_count" and one.event_count is not None:
        spread = np.where(np.isnan(basis.spread), np.nanmean(basis.spread), basis.spread)[of]
        drawn = _quantile_events(u, usable, spread)
        mean, variance = basis.expected, basis.spread
        return lambda y: event_count_log_likelihood(y, mean, variance), float(one.event_count), drawn
    error = error_of(one)
    if error is None:
        return None
    if one.form == "mean":
        return (
            lambda y: normal_log_likelihood(y, error, expected),
            float(one.mean or 0.0),
            usable + error * ndtri(u),
        )
    if one.form == "contrast" and one.value is not None:
        measure = str(one.contrast)
        if not is_ratio(measure):
            drawn = usable + error * ndtri(u)
        elif np.all(usable > 0.0):
            drawn = usable * np.exp(error * ndtri(u))
        else:
            return None
        return (lambda y: contrast_log_likelihood(y, error, measure, expected), float(one.value), drawn)
    return None


def _quantile_binomial(u: Values, n: int, share: Values) -> Values:
    return np.asarray(binom.ppf(u, n, share), np.float64)


def _quantile_events(u: Values, mean: Values, variance: Values) -> Values:
    over = variance > mean * (1.0 + 1e-9)
    chance = np.where(over, mean / np.where(over, variance, 1.0), 0.5)
    size = np.where(over, mean**2 / np.where(over, variance - mean, 1.0), 1.0)
    return np.asarray(np.where(over, nbinom.ppf(u, size, chance), poisson.ppf(u, mean)), np.float64)
