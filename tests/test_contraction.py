"""Contraction: what data told, and that nothing is recommended as a point where they told nothing."""

from __future__ import annotations

import numpy as np
import pytest

from mesolung.biology.parameters import read_parameters
from mesolung.calibration.contraction import (
    LEAST,
    contraction,
    parameter_contractions,
    recommend,
)
from mesolung.population.draws import Draws, draw_prior
from mesolung.product.priors import priors_hash
from mesolung.streams import normals, typical

PRIOR = 2.0 * normals(1, "toy prior", 0, 500)


def test_a_contracted_slope_is_recommended_as_a_point() -> None:
    posterior = 3.0 + 0.5 * normals(1, "toy posterior", 0, 500)
    found = recommend(PRIOR, posterior)
    assert found.contraction.value == pytest.approx(1.0 - 0.25 / 4.0, abs=0.03)
    assert found.contraction.low < found.contraction.value < found.contraction.high
    assert not found.refused and found.point == pytest.approx(3.0, abs=0.1)
    assert found.second_better == 1.0


def test_an_uncontracted_slope_is_given_as_a_range() -> None:
    posterior = 0.2 + 1.9 * normals(2, "toy posterior", 0, 500)
    found = recommend(PRIOR, posterior)
    assert found.contraction.value < LEAST
    assert found.refused and found.point is None
    assert found.low < 0.0 < found.high
    assert found.record()["point"] is None


def test_a_sure_direction_without_learning_is_still_no_point() -> None:
    """All draws may agree because the prior says so: that is an assumption, not a finding."""
    prior = 5.0 + 0.1 * normals(1, "sure", 0, 400)
    found = recommend(prior, prior)
    assert found.contraction.value == 0.0 and found.refused and found.second_better == 1.0


def test_exactly_a_fifth_is_enough() -> None:
    prior = np.array([-1.0, 1.0] * 50)
    inside, outside = np.sqrt(0.79) * prior, np.sqrt(0.81) * prior
    assert not recommend(prior, inside).refused
    assert recommend(prior, outside).refused


def test_what_cannot_be_answered_recommends_nothing() -> None:
    nothing = np.full(10, np.nan)
    assert recommend(PRIOR, nothing).refused
    assert contraction(np.zeros(20), PRIOR).value == 0.0


def test_the_prior_has_not_contracted() -> None:
    assert parameter_contractions(draw_prior(8, priors_hash())) == {}


def test_parameters_contract_on_a_scale_that_spikes_and_logarithms_do_not_change() -> None:
    prior = draw_prior(200, priors_hash())
    table = read_parameters()
    values = dict(prior.values)
    told = ("k_license", "gain_niche")
    for name in told:
        row = table[name]
        u = 0.9 + 0.05 * (np.arange(200) + 0.5) / 200
        values[name] = typical(row.distribution, row.value, row.uncertainty, u)
    found = parameter_contractions(Draws("posterior-00000000", prior.parameters, values, prior.key))
    for name in told:
        assert found[name].value > 0.95
    assert found["k_trap"].value == 0.0 and found["human_effect"].value == 0.0
