"""Chronic models of mice and rats: each runs the course that is published of animals without cells."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from mesolung.biology.species import read_species
from mesolung.product.unstated import unstated
from mesolung.study import read_study
from mesolung.study.catalogue import entries
from mesolung.study.experiment import simulate_experiment
from mesolung.study.modelled import not_modelled
from mesolung.study.possible import CHRONIC_MODELS
from mesolung.study.run import prepare
from mesolung.study.ways import habits_of

Course = dict[str, np.ndarray]
# Medians over subjects of two draws; an amount is stated in every test, so that it is not drawn.
READ = (
    "mean_linear_intercept", "collagen", "fibrosis_score", "myofibroblasts", "hydroxyproline",
    "lung_weight_ratio", "bal_eosinophil_count", "bal_eosinophils", "bal_neutrophil_count", "bal_cells",
    "bal_il13", "bal_il5", "bal_il17", "ige", "mucus", "airway_resistance", "airway_inflammation",
    "lung_apoptosis", "lung_function", "body_weight_percent",
)  # fmt: skip
OUTPUT_OF = {"bal_cells": "bal_all_cells", "ige": "serum_ige"}
# disease -> length in days, a little of it and much of it, and what it does.
DOSES = {
    "bleomycin": (
        28,
        "0.1 U/kg",
        "0.5 U/kg",
        "collagen fibrosis_score myofibroblasts bal_il13 lung_weight_ratio",
    ),
    "silica": (
        28,
        "20 mg/kg",
        "200 mg/kg",
        "collagen fibrosis_score bal_neutrophil_count airway_inflammation",
    ),
    "elastase": (28, "12 U/kg", "24 U/kg", "mean_linear_intercept bal_neutrophil_count lung_apoptosis"),
    "smoke": (112, "100 mg/m3", "250 mg/m3", "mean_linear_intercept bal_neutrophil_count mucus bal_cells"),
    "ova": (28, "5 ug", "100 ug", "bal_eosinophil_count ige mucus airway_resistance bal_il5 bal_il17"),
    "hdm": (28, "5 ug", "50 ug", "bal_eosinophil_count ige mucus airway_resistance bal_neutrophil_count"),
}


@cache
def courses(
    disease: str, amounts: tuple[str, ...], days: int, folder: Path, species: str = "mouse", agent: str = ""
) -> dict[str, Course]:
    """Median courses of a sham arm ("") and of an arm for each amount, by output; "days" are theirs."""
    text = f'schema = 1\nname = "model"\nkind = "animal"\ndisease = "{disease}"\nspecies = "{species}"\n'
    text += f'origin = "injury"\nduration = "{days} d"\n'
    for amount in ("", *amounts):
        injury = f'{{ agent = "{agent or disease}", amount = "{amount}" }}' if amount else '"none"'
        text += f'[[arm]]\nname = "{amount or "sham"}"\nsize = 4\ninjury = {injury}\n'
    text += "".join(f'[[endpoint]]\nname = "{name}"\ntime = "{days} d"\n' for name in READ)
    file = folder / "model.toml"
    file.write_text(text)
    setting = replace(prepare(read_study(file), replicates=2, seed=2, workers=1), subjects=5, panel=5)
    trials, _ = simulate_experiment(setting)
    found = {}
    for name, one in trials.arms.items():
        outputs = one.outcomes.outputs
        course = {n: np.median(outputs[OUTPUT_OF.get(n, n)], axis=0) for n in READ}
        found["" if name == "sham" else name] = {**course, "days": one.outcomes.times / 24.0}
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


def at(course: Course, name: str, day: float) -> float:
    """The value at the kept time next to a day."""
    return float(course[name][np.argmin(np.abs(course["days"] - day))])


def peak_day(course: Course, name: str) -> float:
    return float(course["days"][np.argmax(course[name])])


@pytest.mark.parametrize("species", ["mouse", "rat"])
def test_a_sham_animal_stays_at_rest_for_months(folder: Path, species: str) -> None:
    sham = courses("smoke", (), 120, folder, species)[""]
    for name in READ:
        assert np.allclose(sham[name], sham[name][0], rtol=1e-6, atol=1e-9), name


@pytest.mark.parametrize("disease", DOSES)
def test_a_chronic_injury_harms_against_sham_and_more_with_more(folder: Path, disease: str) -> None:
    days, little, much, told = DOSES[disease]
    found = courses(disease, (little, much), days, folder)
    for name in told.split():
        sham, less, more = (float(found[arm][name].mean()) for arm in ("", little, much))
        assert sham < less < more, name


def test_bleomycin_scars_within_weeks_and_the_scar_of_a_young_mouse_partly_goes(folder: Path) -> None:
    """Fibrosis is partly reversible over time (doi 10.1016/j.biocel.2007.08.011)."""
    run = courses("bleomycin", ("0.05 U/kg", "0.5 U/kg"), 90, folder)
    usual, little = run["0.5 U/kg"], run["0.05 U/kg"]
    assert 14.0 <= peak_day(usual, "collagen") <= 28.0
    assert 1.3 < usual["collagen"].max() / usual["collagen"][0] < 2.5
    left = (usual["collagen"][-1] - usual["collagen"][0]) / (usual["collagen"].max() - usual["collagen"][0])
    assert 0.0 < left < 0.5
    assert at(usual, "myofibroblasts", 14) > 2.0 > at(usual, "myofibroblasts", 60)
    assert usual["hydroxyproline"] == pytest.approx(200.0 * usual["collagen"])
    assert little["fibrosis_score"].max() - little["fibrosis_score"][0] < 0.3
    assert 80.0 < usual["body_weight_percent"].min() < 95.0 and usual["body_weight_percent"][-1] > 99.0


def test_elastase_emphysema_stays(folder: Path) -> None:
    """Up by half after 28 d (PII S2173511512000358); elastin is made anew, walls are not."""
    run = courses("elastase", ("2 U/kg", "24 U/kg"), 90, folder)
    usual = run["24 U/kg"]["mean_linear_intercept"] / run["24 U/kg"]["mean_linear_intercept"][0]
    day = run["24 U/kg"]["days"]
    assert 1.3 < usual[np.argmin(np.abs(day - 28))] < 1.8
    assert usual[-1] >= usual[np.argmin(np.abs(day - 28))]
    assert (np.diff(usual) > -1e-3).all()
    # What the inhibitors of the lung bind does nothing to its walls.
    bound = run["2 U/kg"]["mean_linear_intercept"]
    assert bound.max() == pytest.approx(bound[0])


def test_smoke_inflames_at_once_and_widens_airspaces_after_months(folder: Path) -> None:
    """Emphysema within 10 to 16 weeks, which stays when the smoke is gone (doi 10.1093/toxsci/kfl016)."""
    mouse = courses("smoke", ("250 mg/m3",), 200, folder)["250 mg/m3"]
    spaces = mouse["mean_linear_intercept"] / mouse["mean_linear_intercept"][0]
    day = mouse["days"]
    assert at(mouse, "bal_neutrophil_count", 7) > 3.0 * mouse["bal_neutrophil_count"][0]
    assert spaces[np.argmin(np.abs(day - 28))] < 1.03 < 1.08 < spaces[np.argmin(np.abs(day - 112))] < 1.6
    assert spaces[-1] >= spaces[np.argmin(np.abs(day - 112))]
    assert at(mouse, "mucus", 60) > 1.3
    rat = courses("smoke", ("250 mg/m3",), 112, folder, "rat")["250 mg/m3"]["mean_linear_intercept"]
    assert rat[-1] / rat[0] < spaces[np.argmin(np.abs(day - 112))]


def test_silica_goes_on_as_its_particles_stay(folder: Path) -> None:
    run = courses("silica", ("100 mg/kg",), 90, folder)["100 mg/kg"]
    assert at(run, "collagen", 28) < at(run, "collagen", 60) < at(run, "collagen", 90)
    assert at(run, "bal_neutrophil_count", 90) > 2.0 * run["bal_neutrophil_count"][0]
    assert at(run, "lung_function", 90) < at(run, "lung_function", 14)


def test_ovalbumin_gives_eosinophils_after_the_challenge_and_endotoxin_none(folder: Path) -> None:
    run = courses("ova", ("50 ug",), 50, folder)["50 ug"]
    assert at(run, "bal_eosinophils", 17) < 1.0
    # The challenge ends on day 21.
    assert 21.0 < peak_day(run, "bal_eosinophil_count") < 28.0
    assert run["bal_eosinophils"].max() > 30.0 and run["bal_eosinophils"][-1] < 1.0
    for name, fold in (("ige", 3.0), ("mucus", 1.5), ("airway_resistance", 2.0), ("bal_il5", 10.0)):
        assert run[name].max() > fold * run[name][0] and run[name][-1] < 1.3 * run[name][0], name
    lps = courses("lps", ("5 mg/kg",), 28, folder)["5 mg/kg"]
    assert lps["bal_neutrophil_count"].max() > 20.0 * lps["bal_neutrophil_count"][0]
    assert lps["bal_eosinophil_count"].max() < 1.5 * lps["bal_eosinophil_count"][0]
    assert lps["airway_resistance"].max() < 1.1
    assert lps["mean_linear_intercept"].max() == pytest.approx(lps["mean_linear_intercept"][0])


def test_mite_sensitises_by_itself_and_draws_neutrophils_too(folder: Path) -> None:
    run = courses("hdm", ("25 ug",), 40, folder)["25 ug"]
    assert at(run, "bal_eosinophils", 21) > 30.0 and run["bal_eosinophils"][-1] < 5.0
    assert at(run, "bal_neutrophil_count", 14) > 1.5 * run["bal_neutrophil_count"][0]


def test_every_observation_of_the_shipped_chronic_experiments_is_answered() -> None:
    found = [read_study(e.path) for e in entries() if e.folder in ("animals", "fate")]
    chronic = [study for study in found if set(study.disease_names) & set(CHRONIC_MODELS)]
    assert len(chronic) > 15
    for study in chronic:
        assert not not_modelled(study), study.name
        assert habits_of(study) == "chronic animal" and unstated(habits_of(study))["times"]


def test_slow_laws_are_faster_in_small_animals_and_losses_are_as_deep() -> None:
    for name in ("mouse", "rat"):
        species = read_species(name)
        assert species.factor_of("k_elastolysis") == species.factor_of("k_ELAS") > 1.0
        assert species.factor_of("k_rupture") == species.factor_of("narrow_smoke") > 1.0
    assert read_species("mouse").factor_of("k_rupture") > read_species("rat").factor_of("k_rupture")
