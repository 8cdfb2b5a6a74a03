"""Scores of planted models match what mathematics says of them, within their own Monte-Carlo error."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from scipy import stats

from mesolung.calibration.validation.mixtures import (
    binomial_each,
    counted,
    counts_crps,
    events_each,
    normal_crps,
    sample_crps,
)
from mesolung.calibration.validation.scoring import Scored, jackknife_error, score_observation
from mesolung.calibration.validation.validate import joint_errors
from mesolung.study.basis import Basis
from mesolung.study.observation import Observation
from mesolung.study.scores import joint_score

ASKED = SimpleNamespace(row=SimpleNamespace(scale="linear", better="lower"))
DRAWS = 200


def counted_deaths(events: int, n: int) -> Observation:
    return Observation(index=0, form="events", arm=("none",), endpoint="mortality", events=events, n=n)


def measured(mean: float, se: float) -> Observation:
    return Observation(index=0, form="mean", arm=("none",), endpoint="pf_ratio", mean=mean, se=se)


def scored(one: Observation, u: float = 0.5, **basis) -> Scored:
    return score_observation(one, ASKED, Basis(**basis), DRAWS, u)


@pytest.mark.parametrize(("events", "n"), [(0, 10), (3, 10), (9, 40), (25, 40)])
def test_counts_under_a_beta_prior_are_beta_binomial(events: int, n: int) -> None:
    a, b = 4.0, 8.0
    risks = stats.beta.rvs(a, b, size=DRAWS, random_state=3)
    found = scored(counted_deaths(events, n), expected=risks)
    exact = stats.betabinom(n, a, b)
    assert found.log_scores is not None and found.crps is not None and found.pit is not None
    error = jackknife_error(found.log_scores)
    assert abs(found.log_scores[0] - exact.logpmf(events)) < 4 * error + 1e-9  # pyright: ignore[reportAttributeAccessIssue]
    assert found.log_scores[0] == pytest.approx(found.score.log_score)
    k = np.arange(n + 1)
    crps = np.sum((exact.cdf(k) - (k >= events)) ** 2)
    assert abs(found.crps[0] - crps) < 4 * jackknife_error(found.crps) + 1e-9
    pit = exact.cdf(events - 1) + 0.5 * exact.pmf(events)  # pyright: ignore[reportAttributeAccessIssue]
    assert abs(found.pit - pit) < 4 * float(found.pit_error or 0) + 1e-9


@pytest.mark.parametrize("value", [80.0, 110.0, 150.0])
def test_a_mean_under_a_normal_prior_is_normal(value: float) -> None:
    """N(100, 12) known to 9: the prediction is N(100, 15)."""
    centres = np.random.default_rng(2).normal(100.0, 12.0, DRAWS)
    found = scored(measured(value, 9.0), expected=centres, simulated=centres, spread=np.ones(DRAWS))
    exact = stats.norm(100.0, 15.0)
    assert found.log_scores is not None and found.crps is not None and found.pit is not None
    assert abs(found.log_scores[0] - exact.logpdf(value)) < 4 * jackknife_error(found.log_scores)  # pyright: ignore[reportAttributeAccessIssue]
    z = (value - 100.0) / 15.0
    crps = 15.0 * (z * (2 * stats.norm.cdf(z) - 1) + 2 * stats.norm.pdf(z) - 1 / np.sqrt(np.pi))
    assert abs(found.crps[0] - crps) < 4 * jackknife_error(found.crps)
    assert abs(found.pit - exact.cdf(value)) < 4 * float(found.pit_error or 0)


def test_the_crps_of_mixtures_agrees_with_its_definition() -> None:
    centres = np.array([1.0, 3.0, 3.5])
    x = np.linspace(-20, 30, 400_001)
    below = stats.norm.cdf((x[:, None] - centres) / 0.8).mean(axis=1)
    direct = np.trapezoid((below - (x >= 2.2)) ** 2, x)
    assert normal_crps(2.2, centres, 0.8) == pytest.approx(direct, rel=1e-4)
    sample = np.random.default_rng(1).normal(size=4000)
    assert sample_crps(0.4, sample) == pytest.approx(normal_crps(0.4, np.zeros(1), 1.0), abs=0.01)
    k = counted(2000)
    each = events_each(np.array([20.0, 30.0]), np.array([20.0, 90.0]))(k)
    exact = np.mean([stats.poisson(20).cdf(k), stats.nbinom(15, 1 / 3).cdf(k)], axis=0)
    assert counts_crps(25, k, each.mean(axis=0)) == pytest.approx(np.sum((exact - (k >= 25)) ** 2), rel=1e-9)
    assert binomial_each(np.array([0.3]), 12)(np.array([-1.0, 0, 4, 12]))[0] == pytest.approx(
        stats.binom(12, 0.3).cdf([-1, 0, 4, 12])
    )


def many(spread: float, shift: float = 0.0, count: int = 250) -> list[Scored]:
    """Means of trials from N(100, 12), seen with an error of 9; the draws of the model have ``spread``."""
    rng = np.random.default_rng(5)
    found = []
    for _ in range(count):
        seen = rng.normal(rng.normal(100.0, 12.0), 9.0)
        centres = 100.0 + shift + spread * rng.standard_normal(DRAWS)
        shown = centres + 9.0 * rng.standard_normal(DRAWS)
        found.append(scored(measured(seen, 9.0), expected=centres, simulated=shown, spread=np.ones(DRAWS)))
    return found


def mean_log_score(found: list[Scored]) -> float:
    return float(np.mean([one.score.log_score for one in found]))  # pyright: ignore[reportCallIssue, reportArgumentType]


def test_a_right_model_covers_what_it_says_and_its_pit_is_flat() -> None:
    found = many(12.0)
    for name, share in (("50", 0.5), ("90", 0.9)):
        inside = np.mean([(one.inside or {})[name] for one in found])
        assert abs(inside - share) < 3.5 * np.sqrt(share * (1 - share) / len(found))
    assert stats.kstest([float(one.pit or 0) for one in found], "uniform").pvalue > 0.001
    assert mean_log_score(found) == pytest.approx(-np.log(15.0) - 0.5 * np.log(2 * np.pi * np.e), abs=0.15)


@pytest.mark.parametrize(("spread", "shift"), [(3.0, 0.0), (30.0, 0.0), (12.0, 15.0)])
def test_an_overconfident_a_vague_and_a_wrong_model_score_worse(spread: float, shift: float) -> None:
    right, other = many(12.0), many(spread, shift)
    gain = np.array(
        [
            float(a.score.log_score or 0) - float(b.score.log_score or 0)
            for a, b in zip(right, other, strict=True)
        ]
    )
    assert gain.mean() > 3 * gain.std() / np.sqrt(gain.size)
    assert np.mean([a.crps[0] for a in right if a.crps is not None]) < np.mean(
        [b.crps[0] for b in other if b.crps is not None]
    )
    if spread < 12.0:
        assert np.mean([(one.inside or {})["90"] for one in other]) < 0.85


def test_the_monte_carlo_error_tells_the_scatter_between_sets_of_draws() -> None:
    one, rng = counted_deaths(4, 30), np.random.default_rng(8)
    scores, errors = [], []
    for _ in range(60):
        found = scored(one, expected=rng.beta(4, 8, DRAWS))
        assert found.log_scores is not None
        scores.append(found.log_scores[0])
        errors.append(jackknife_error(found.log_scores))
    assert np.mean(errors) == pytest.approx(np.std(scores), rel=0.35)


def test_intervals_of_counts_say_how_much_they_should_cover() -> None:
    found = scored(counted_deaths(3, 10), expected=np.full(DRAWS, 0.3))
    low, high = (found.intervals or {})["90"]
    exact = stats.binom(10, 0.3)
    assert (found.nominal or {})["90"] == pytest.approx(exact.cdf(high) - exact.cdf(low - 1))
    assert (low, high) == (found.score.p05, found.score.p95)
    assert (found.inside or {})["90"] == found.score.inside_90


def test_a_direction_is_scored_by_its_class() -> None:
    one = Observation(index=0, form="direction", arm=("a",), endpoint="il6", versus="b", direction="lower")
    p = np.where(np.arange(DRAWS) % 4 == 0, 0.01, 0.5)
    found = scored(one, p_values=p, shifts=-np.ones(DRAWS))
    assert found.log_scores is not None and found.crps is not None
    assert found.log_scores[0] == pytest.approx(np.log(0.25), abs=0.01)
    assert found.crps[0] == pytest.approx(0.75**2, abs=0.01)
    assert found.tail == pytest.approx(0.25, abs=0.01)


def test_a_joint_score_has_the_error_that_sets_of_draws_scatter_by() -> None:
    rng = np.random.default_rng(5)

    def arms() -> dict[str, np.ndarray]:
        truth = rng.normal(0.0, 0.5, DRAWS)
        return {name: -0.5 * (shift - truth) ** 2 for name, shift in (("cells", 0.4), ("none", -0.2))}

    sets = [arms() for _ in range(60)]
    told = [joint_errors(one, "none", DRAWS) for one in sets]
    found = [joint_score(one, "none") for one in sets]
    for name in ("log_score", "treated_given_control"):
        scatter = float(np.std([getattr(one, name) for one in found]))
        errors = [float(getattr(one, name)) for one in told]
        assert sum(errors) / len(errors) == pytest.approx(scatter, rel=0.35)
    assert joint_errors({"cells": sets[0]["cells"]}, None, DRAWS).treated_given_control is None
