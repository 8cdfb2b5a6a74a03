"""Enrolment from several diseases, with correlations, and from values that pile up at a bound."""

import numpy as np
import pytest

from mesolung.population.candidates import Candidates, pooled, with_disease_shares
from mesolung.population.enrolment import LARGEST_MISS, LEAST_EFFECTIVE_SIZE, CannotEnrol, enrol
from mesolung.population.table_one import RankCorrelation, target_from_moments, target_from_quantiles

DRAWS, COURSES = 8, 300
DISTANCES = np.abs(np.subtract.outer(np.arange(DRAWS), np.arange(DRAWS))).astype(float)


def people(seed: int, pf: float, courses: int = COURSES) -> Candidates:
    rng = np.random.default_rng(seed)
    n = DRAWS * courses
    z = rng.normal(size=n)
    draw = np.repeat(np.arange(DRAWS), courses)
    values = {
        "age": rng.normal(60, 15, n),
        "pf_ratio": pf * np.exp(0.4 * z),
        "sofa": np.clip(7 - 1.0 * z + 2.5 * rng.normal(size=n), 0, 24),
        "days_ventilated": np.maximum(rng.normal(0.5, 1.5, n), 0.0).round(1),
    }
    zeros = np.zeros(n, np.intp)
    course = np.tile(np.arange(courses), DRAWS)
    return Candidates(zeros, draw, course, zeros, np.ones(n), values)


@pytest.fixture(scope="module")
def mixed():
    return with_disease_shares(pooled([people(1, 140.0), people(2, 220.0, 200)]), {"ards": 0.7, "other": 0.3})


TARGETS = [
    target_from_moments("age", 58.0, 12.0),
    target_from_quantiles("pf_ratio", 150.0, (110.0, 200.0), scale="log"),
]


def test_candidates_of_several_diseases_stand_draw_by_draw_and_keep_their_number(mixed):
    candidates, shares = mixed
    assert np.all(np.diff(candidates.draw) >= 0)
    assert np.bincount(candidates.disease).tolist() == [DRAWS * COURSES, DRAWS * 200]
    assert np.unique(candidates.identity).size == candidates.draw.size
    assert [line.name for line in shares] == ["disease ards", "disease other"]


def test_a_single_disease_has_no_share_to_meet():
    candidates, shares = with_disease_shares(pooled([people(1, 140.0)]), {"ards": 1.0})
    assert shares == [] and "disease ards" not in candidates.values


def test_a_mixture_is_met_over_the_pool_and_in_each_draw(mixed):
    candidates, shares = mixed
    found = enrol(candidates, [*TARGETS, *shares], DISTANCES)
    told = {m.name: m for m in found.marginals}
    assert told["disease ards"].achieved_mean == pytest.approx(0.7, abs=0.01)
    assert all(m.miss < LARGEST_MISS for m in found.marginals)
    assert found.least >= LEAST_EFFECTIVE_SIZE
    for d in range(DRAWS):
        weights = np.diff(found.cumulative[d], prepend=0.0)
        kinds = candidates.disease[found.members[d]]
        assert weights[kinds == 0].sum() == pytest.approx(0.7, abs=0.02)


def test_a_subject_follows_a_course_of_its_own_disease(mixed):
    candidates, shares = mixed
    found = enrol(candidates, [*TARGETS, *shares], DISTANCES)
    rng = np.random.default_rng(0)
    u, kind = rng.uniform(size=4000), (rng.uniform(size=4000) > 0.7).astype(np.intp)
    picked = found.pick(3, u, kind)
    assert np.array_equal(candidates.disease[picked], kind)
    # Together they are like the table, whichever disease each of them has.
    assert candidates.values["age"][picked].mean() == pytest.approx(58.0, abs=1.5)
    edge = found.pick(3, np.array([0.0, 1.0 - 1e-12, 0.0, 1.0 - 1e-12]), np.array([0, 0, 1, 1]))
    assert candidates.disease[edge].tolist() == [0, 0, 1, 1]


def test_a_disease_that_nobody_has_is_refused():
    someone = people(2, 220.0, 1)
    none = someone.draw[:0]
    values = {name: v[:0] for name, v in someone.values.items()}
    empty = Candidates(none, none, none, none, someone.weight[:0], values)
    candidates, shares = with_disease_shares(pooled([people(1, 140.0), empty]), {"ards": 0.9, "other": 0.1})
    with pytest.raises(CannotEnrol, match="disease"):
        enrol(candidates, shares, DISTANCES)


@pytest.mark.parametrize("rho", [-0.6, -0.2, 0.3])
def test_correlations_are_met_together_with_the_marginals(rho):
    candidates = people(4, 150.0, 1500)
    targets = [*TARGETS, target_from_moments("sofa", 7.5, 2.5, lowest=0.0, highest=24.0)]
    pair = RankCorrelation("pf_ratio", "sofa", rho)
    found = enrol(candidates, targets, DISTANCES, correlations=[pair])
    assert found.associations[0].achieved == pytest.approx(rho, abs=0.05)
    assert all(m.miss < LARGEST_MISS for m in found.marginals)
    assert found.effective >= LEAST_EFFECTIVE_SIZE and found.least >= LEAST_EFFECTIVE_SIZE


def test_two_correlations_are_met_at_once():
    candidates = people(5, 150.0, 1500)
    pairs = [RankCorrelation("pf_ratio", "sofa", -0.5), RankCorrelation("age", "pf_ratio", 0.2)]
    found = enrol(candidates, TARGETS, DISTANCES, correlations=pairs)
    assert [a.achieved for a in found.associations] == pytest.approx([-0.5, 0.2], abs=0.06)


def test_a_correlation_that_nobody_shows_is_refused():
    candidates = people(6, 150.0)
    same = {**candidates.values, "sofa": 20.0 - candidates.values["pf_ratio"] / 50.0}
    tied = Candidates(candidates.disease, candidates.draw, candidates.course, candidates.step,
                      candidates.weight, same)  # fmt: skip
    with pytest.raises(CannotEnrol, match=r"rank correlation 0\.50 asked for, but .* have -1\.00"):
        enrol(tied, TARGETS, DISTANCES, correlations=[RankCorrelation("pf_ratio", "sofa", 0.5)])


def test_values_that_pile_up_at_a_bound_belong_to_the_line():
    candidates = people(7, 150.0)
    line = target_from_moments("days_ventilated", 1.0, 1.0, lowest=0.0)
    found = enrol(candidates, [line], DISTANCES)
    assert found.marginals[0].miss < LARGEST_MISS
    picked = found.pick(2, np.random.default_rng(1).uniform(size=2000))
    assert (candidates.values["days_ventilated"][picked] == 0.0).mean() > 0.04
