"""What table 1 may say beside what the model computes: traits, scores, and the history of support."""

from pathlib import Path

import numpy as np
import pytest

from mesolung.biology.disease import diseases, read_disease
from mesolung.biology.phenotypes import Phenotype, phenotypes, phenotypes_of
from mesolung.biology.tables import covariates
from mesolung.population.baseline import DAYS_VENTILATED, NEEDS, Seen, observables_for
from mesolung.population.library import Library
from mesolung.population.traits import (
    PHYSIOLOGY,
    SCORES,
    apache2,
    predicted_weight,
    traits,
    with_traits,
)

HOURS = np.arange(0.0, 121.0, 12.0)


def library(folder: Path, scales: dict[str, str] | None = None, **outputs: np.ndarray) -> Library:
    """One draw of two courses, with the outputs given."""
    for name, values in outputs.items():
        np.save(folder / f"{name}.npy", values.astype(np.float32))
    own = {"age": np.array([[40.0, 80.0]]), PHYSIOLOGY: np.array([[0.0, 0.0]])}
    return Library(folder, HOURS, np.zeros((1, 2), bool), own, tuple(outputs), scales or {}, ())


def test_predicted_weight_is_that_of_height_and_sex():
    people = {"height": np.array([152.4, 180.0, 180.0]), "female": np.array([0.0, 0.0, 1.0])}
    assert predicted_weight(people) == pytest.approx([50.0, 75.1, 70.6], abs=0.05)


def test_a_disease_s_own_trait_goes_before_the_common_one():
    z = {name: np.array([-3.0, 3.0]) for name in SCORES}
    found = with_traits({"smoker": np.array([0.0, 1.0])}, z)
    assert found["smoker"].tolist() == [0.0, 1.0] and "pbw" not in found
    # Who never smoked has no pack-years, whatever the number drawn.
    assert found["pack_years"][0] == 0.0 and found["pack_years"][1] > 100


def test_traits_are_assumed_and_say_so():
    for name, row in traits().items():
        assert row.source.startswith("assumed: ") and row.grade == "C", name


def test_apache_has_its_own_age_points():
    age = np.array([44.0, 45.0, 54.9, 55.0, 65.0, 75.0, 90.0])
    none = apache2(age, np.zeros(7), np.full(7, -9.0))
    assert none.tolist() == [0, 2, 2, 3, 5, 6, 6]
    assert apache2(np.array([90.0]), np.array([24.0]), np.array([9.0]))[0] == 71.0
    assert apache2(np.array([60.0]), np.array([7.0]), np.array([0.0]))[0] == pytest.approx(18.0, abs=1.0)


def test_days_ventilated_count_from_the_last_time_that_the_subject_breathed(tmp_path):
    ventilated = np.zeros((1, 2, HOURS.size))
    ventilated[0, 0, 2:5] = ventilated[0, 0, 7:] = 1.0
    seen = Seen(library(tmp_path, ventilated=ventilated))
    half = 0.25
    found = seen.value(DAYS_VENTILATED)[0]
    assert found[0] == pytest.approx([0, 0, half, 0.75, 1.25, 0, 0, half, 0.75, 1.25, 1.75])
    assert not found[1].any()
    places = (np.array([0, 0]), np.array([0, 1]), np.array([10, 10]))
    assert seen.value(DAYS_VENTILATED, *places) == pytest.approx([1.75, 0.0])


def test_scores_and_phenotypes_are_read_at_the_moment(tmp_path):
    sofa, score = np.full((1, 2, HOURS.size), 5.0), np.linspace(-1, 1, HOURS.size) * np.ones((1, 2, 1))
    row = Phenotype("hot", "hot", "score", 0.0, ("ards",), "", "")
    seen = Seen(library(tmp_path, sofa=sofa, score=score), (row,))
    assert seen.value("hot")[0, 0].tolist() == [0.0] * 6 + [1.0] * 5
    at = seen.value("apache2", np.array([0, 0]), np.array([0, 1]), np.array([3, 3]))
    assert at[1] - at[0] == pytest.approx(6.0)
    with pytest.raises(KeyError):
        seen.value("weather")


def test_every_baseline_name_that_is_derived_says_what_it_needs():
    assert set(NEEDS) <= set(covariates())
    assert observables_for(["age", "apache2", "days_ventilated"]) == ("sofa", "ventilated")


def test_every_covariate_is_drawn_derived_or_a_common_trait():
    for row in covariates().values():
        for name in row.diseases:
            drawn = set(read_disease(name).covariates)
            assert row.name in drawn | {"pbw", "bmi", "smoker", "current_smoker", "pack_years"} | set(
                NEEDS
            ), (
                row.name,
                name,
            )
    assert all(name in covariates() for name in ("smoker", "pack_years", "pbw"))


def test_phenotypes_are_of_diseases_that_there_are():
    for row in phenotypes().values():
        assert set(row.diseases) <= set(diseases())
    assert "hyperinflammatory" in phenotypes_of(["ards", "covid19-ards"])
    assert phenotypes_of(["ards", "healthy"]) == {}


def test_half_precision_is_kept_on_the_scale_of_the_quantity(tmp_path):
    from mesolung.population.library import _decoded, _encoded

    load = np.array([0.0, 3.0, 1e4, 1e10])
    kept = _encoded(load, "log")
    assert kept.dtype == np.float16
    assert _decoded(kept, "log") == pytest.approx(load, rel=0.01)
    points = np.linspace(0.0, 24.0, 500)
    assert _decoded(_encoded(points, "linear"), "linear") == pytest.approx(points, rel=5e-4, abs=1e-6)
    assert np.isnan(_decoded(_encoded(np.array([np.nan]), "log"), "log")).all()
