"""Courses that last for decades: what is kept of them, and what is known of the year before a moment."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mesolung.biology.disease import read_disease
from mesolung.population.baseline import Seen
from mesolung.population.candidates import find_candidates
from mesolung.population.library import Library
from mesolung.population.past import YEAR_H, Past, past_of, value_before
from mesolung.population.smoking import FROM_H, PACKS, UNTIL_H, smoked, smoking_at
from mesolung.reading import Refusal

DRAWS, COURSES = 2, 400
TIMES = (20.0 + np.arange(0.0, 6.01, 0.25)) * YEAR_H
RATE = 1.5


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Library:
    """Courses with 1.5 exacerbations a year and an FVC that falls by a tenth each year."""
    folder = tmp_path_factory.mktemp("library")
    shape = (DRAWS, COURSES, TIMES.size)
    years = TIMES / YEAR_H
    for name, course in {
        "HAZ_exacerbation": RATE * years,
        "fvc": 3.0 * 0.9 ** (years - 20.0),
        "fev1": np.full(TIMES.size, 2.0),
        "age_now": 40.0 + years,
        "HAZ": np.zeros(TIMES.size),
    }.items():
        np.save(folder / f"{name}.npy", np.broadcast_to(course, shape).astype(np.float32))
    own = {
        "age": np.full(shape[:2], 40.0),
        "weight": np.full(shape[:2], 81.0),
        "height": np.full(shape[:2], 180.0),
        PACKS: np.full(shape[:2], 1.5),
        FROM_H: np.full(shape[:2], 2.0 * YEAR_H),
        UNTIL_H: np.tile([22.0 * YEAR_H, np.inf], (DRAWS, COURSES // 2)),
    }
    names = ("HAZ_exacerbation", "fvc", "fev1", "age_now", "HAZ")
    return Library(folder, TIMES, np.zeros(shape[:2], bool), own, names, {}, ())


def test_events_of_the_year_before_have_its_hazard(kept: Library) -> None:
    counts = value_before(kept, Past("HAZ_exacerbation", counted=True), "key", None, None, None)
    assert np.isnan(counts[:, :, :4]).all(), "less than a year after the first moment nothing is known"
    known = counts[:, :, 4:]
    assert known.mean() == pytest.approx(RATE, rel=0.05)
    assert known[:, :, 0].var() == pytest.approx(RATE, rel=0.15)
    assert np.array_equal(known, np.rint(known)) and known.min() == 0.0
    # A course's moments agree on when events came: years that do not overlap add up to the whole.
    whole = known[:, :, 0] + known[:, :, 4] + known[:, :, 8]
    assert whole.mean() == pytest.approx(3 * RATE, rel=0.05) and whole.var() == pytest.approx(
        3 * RATE, rel=0.2
    )
    hospital = past_of(0.2)["hospitalisations_12_months"]
    some = value_before(kept, hospital, "key", None, None, None)[:, :, 4:]
    assert np.all(some <= known) and some.mean() == pytest.approx(0.2 * RATE, rel=0.15)


def test_places_are_read_as_the_whole_is(kept: Library) -> None:
    past = past_of(1.0)["exacerbations_12_months"]
    whole = value_before(kept, past, "key", None, None, None)
    draw, course, step = (np.array(v) for v in ([0, 1, 1], [3, 0, 77], [5, 20, 11]))
    assert np.array_equal(value_before(kept, past, "key", draw, course, step), whole[draw, course, step])


def test_a_fall_is_of_the_level_a_year_before(kept: Library) -> None:
    fall = value_before(kept, past_of(1.0)["fvc_fall_12_months"], "key", None, None, None)
    np.testing.assert_allclose(fall[:, :, 4:], 10.0, rtol=1e-5)
    stable = value_before(kept, past_of(1.0)["fev1_fall_12_months"], "key", None, None, None)
    np.testing.assert_allclose(stable[:, :, 4:], 0.0, atol=1e-6)


def test_age_and_smoking_are_those_of_the_moment(kept: Library) -> None:
    seen = Seen(kept, (), past_of(1.0))
    place = tuple(np.array(v) for v in ([0, 0], [0, 1], [24, 24]))
    np.testing.assert_allclose(seen.value("age", *place), 66.0)
    np.testing.assert_allclose(seen.value("bmi", *place), 25.0)
    np.testing.assert_allclose(seen.value("pack_years", *place), [30.0, 36.0])
    np.testing.assert_array_equal(seen.value("current_smoker", *place), [0.0, 1.0])
    assert seen.value("pack_years").shape == (DRAWS, COURSES, TIMES.size)


def test_nobody_is_enrolled_of_whose_year_before_nothing_is_known(kept: Library) -> None:
    disease = read_disease("copd")
    seen = Seen(kept, (), past_of(1.0))
    delay = np.zeros((DRAWS, COURSES, 2))
    found = find_candidates(seen, [], ["exacerbation_rate"], delay, disease.onset.__class__(None, 0.0, 0.0))
    assert found.draw.size == 0
    later = find_candidates(
        seen, [], ["exacerbation_rate"], delay + YEAR_H, disease.onset.__class__(None, 0.0, 0.0)
    )
    assert later.draw.size == DRAWS * COURSES * 2 and not np.isnan(later.values["exacerbation_rate"]).any()


def test_smoking_follows_the_drivers_of_the_disease() -> None:
    disease = read_disease("copd")
    rng = np.random.default_rng(1)
    z = {name: rng.standard_normal(500) for name in disease.normals}
    kept = smoked(disease, z)
    assert kept["smoker"].mean() == 1.0
    stopped = np.isfinite(kept[UNTIL_H])
    assert 0.5 < stopped.mean() < 0.9
    late = smoking_at("pack_years", kept, np.full(500, 50.0 * YEAR_H))
    assert 30.0 < np.median(late) < 65.0
    assert smoking_at("current_smoker", kept, np.full(500, 50.0 * YEAR_H)).mean() == pytest.approx(
        1.0 - (kept[UNTIL_H] <= 50.0 * YEAR_H).mean()
    )
    assert smoked(read_disease("ards"), z) == {}


def test_only_the_years_near_enrolment_are_sampled(tmp_path: Path) -> None:
    text = 'extends = "ipf"\nname = "x"\nlabel = "x"\n[course]\nlength = "24 y"\nsampled_every = "0.25 y"\n'
    path = tmp_path / "x.toml"
    path.write_text(text + 'sampled_from = "20 y"\n', encoding="utf-8")
    assert read_disease(path).sampled_from_h == 20.0 * YEAR_H
    path.write_text(text + 'sampled_from = "24 y"\n', encoding="utf-8")
    with pytest.raises(Refusal, match="sampled_from leaves no two samples"):
        read_disease(path)
