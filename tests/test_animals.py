"""Animals and perfused lungs: scaled once, at rest without injury, harmed by it as is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mesolung.biology.animal_disease import animal_diseases, read_animal_disease
from mesolung.biology.cross_reactivity import PARAMETER_OF, cross_reactivity
from mesolung.biology.species import HUMAN, all_changes, read_perfused, read_species, species_names
from mesolung.biology.symbols import package_symbols
from mesolung.reading import Refusal
from mesolung.study import read_study
from mesolung.study.animals import size_of
from mesolung.study.experiment import first_moment, output_times_of_experiment, simulate_experiment
from mesolung.study.modelled import modelled_part, not_modelled
from mesolung.study.run import prepare, run_study
from mesolung.study.setting import Setting
from mesolung.study.study import Study

# disease -> (agent, a little of it, much of it); of a mouse.
DOSES: Mapping[str, tuple[str, str, str]] = {
    "lps": ("lps", "0.5 mg/kg", "10 mg/kg"),
    "e-coli-pneumonia": ("e-coli", "1e7 CFU/kg", "1e9 CFU/kg"),
    "klebsiella-pneumonia": ("klebsiella", "1e4 CFU/kg", "1e6 CFU/kg"),
    "pseudomonas-pneumonia": ("pseudomonas", "4e6 CFU/kg", "4e8 CFU/kg"),
    "sepsis-clp": ("clp", "1 punctures", "3 punctures"),
    "vili": ("ventilation", "25 cmH2O", "40 cmH2O"),
    "hyperoxia": ("oxygen", "70 percent", "95 percent"),
    "acid-aspiration": ("acid", "1 mL/kg", "3 mL/kg"),
    "influenza": ("influenza", "10 PFU", "1000 PFU"),
}
HEAD = """
schema = 1
name = "experiment"
kind = "{kind}"
disease = "{disease}"
species = "{species}"
origin = "injury"
duration = "{duration}"
"""
SUBJECTS = 18  # of three arms of six
ENDPOINT = '[[endpoint]]\nname = "wet_dry"\ntime = "24 h"\n'
OUTPUTS = ("wet_dry", "bal_neutrophil_count", "bal_protein", "bal_il6", "pao2", "state:HAZ")


@pytest.fixture
def study_of(tmp_path: Path):
    """Read an experiment from the text of its arms."""

    def read(arms: str, **head: str) -> Study:
        words = {"kind": "animal", "disease": "lps", "species": "mouse", "duration": "48 h", **head}
        file = tmp_path / "study.toml"
        asked = "".join(f'[[endpoint]]\nname = "{name}"\ntime = "24 h"\n' for name in OUTPUTS)
        file.write_text(HEAD.format(**words) + arms + (ENDPOINT if words["kind"] == "ex-vivo" else asked))
        return read_study(file)

    return read


def arm(name: str, agent: str = "", amount: str = "", more: str = "") -> str:
    """An arm of six subjects with an injury of its own, or none."""
    injury = f'injury = {{ agent = "{agent}", amount = "{amount}"{more} }}' if agent else 'injury = "none"'
    return f'[[arm]]\nname = "{name}"\nsize = 6\n{injury}\n'


def few(setting: Setting) -> Setting:
    """The same run with no more subjects than three arms have, as expected values are not asked for."""
    return replace(setting, subjects=SUBJECTS, panel=SUBJECTS)


def courses(study: Study, **run) -> dict[str, dict[str, np.ndarray]]:
    """Every arm's outputs, subjects by times, of eight draws."""
    setting = few(prepare(study, replicates=4, seed=2, **run))
    trials, _ = simulate_experiment(setting)
    return {
        name: {**one.outcomes.outputs, "HAZ": one.outcomes.cumulative_hazard}
        for name, one in trials.arms.items()
    }


def test_every_species_and_injury_says_where_its_numbers_are_from() -> None:
    assert set(species_names()) == {HUMAN, "mouse", "rat", "rabbit", "pig", "sheep"}
    for changes in all_changes().values():
        assert all(change.source and change.grade in "ABC" for change in changes)
    for name in animal_diseases():
        disease = read_animal_disease(name)
        assert disease.drivers and all(d.source and d.grade in "ABC" for d in disease.drivers)
        assert {d.target for d in disease.drivers} <= set(package_symbols())
        assert disease.amount.unit in disease.units and disease.perfused.unit in disease.units


def test_amounts_are_scaled_by_lung_size_once_and_a_smaller_animal_gets_more_of_the_same_dose() -> None:
    mouse, human = read_species("mouse"), read_species(HUMAN)
    none = np.zeros(2)
    found = size_of(mouse, np.array([mouse.weight_kg, mouse.weight_kg / 2]), none)
    assert found[0] == pytest.approx(human.lung_g / mouse.lung_g)
    assert found[1] == pytest.approx(2 * found[0])
    assert size_of(human, np.array([human.weight_kg]), none[:1])[0] == pytest.approx(1.0)
    assert size_of(read_perfused(HUMAN), np.array([human.weight_kg]), none[:1])[0] == pytest.approx(2.0)


def test_a_dose_scaled_by_size_gives_the_same_course(study_of) -> None:
    """Twice the animal with twice the dose is the same animal at the human's size."""
    line = '[population.baseline]\nweight = { median = WEIGHT, iqr = [LOW, HIGH], unit = "g" }\n'

    def found(weight: float, dose: str) -> dict[str, np.ndarray]:
        numbers = {"WEIGHT": weight, "LOW": 0.9 * weight, "HIGH": 1.1 * weight}
        text = line
        for word, number in numbers.items():
            text = text.replace(word, f"{number:g}")
        return courses(study_of(arm("ill", "e-coli", dose, ', route = "intratracheal"') + text))["ill"]

    small, large = found(20.0, "1e6 CFU"), found(40.0, "2e6 CFU")
    assert small["bal_neutrophil_count"].max() > 5 * small["bal_neutrophil_count"][:, 0].max()
    for name in ("wet_dry", "bal_neutrophil_count", "bal_il6"):
        assert np.allclose(small[name], large[name], rtol=1e-3), name


@pytest.mark.parametrize("species", ["mouse", "rat", "rabbit", "pig", "sheep"])
def test_sham_animals_stay_at_rest(study_of, species: str) -> None:
    sham = courses(study_of(arm("sham"), species=species))["sham"]
    for name, values in sham.items():
        assert np.allclose(values, values[:, :1], rtol=1e-6, atol=1e-9), name


@pytest.mark.parametrize("disease", DOSES)
def test_an_injury_harms_against_sham_and_more_with_more(study_of, disease: str) -> None:
    agent, little, much = DOSES[disease]
    text = arm("sham") + arm("little", agent, little) + arm("much", agent, much)
    found = courses(study_of(text, disease=disease, duration="72 h"))

    def area(name: str, which: str) -> float:
        return float(np.mean(np.median(found[which][name], axis=0)))

    for name in ("wet_dry", "bal_neutrophil_count", "bal_protein", "bal_il6"):
        assert area(name, "sham") < area(name, "little") < area(name, "much"), name
    assert area("pao2", "sham") > area("pao2", "little") > area("pao2", "much")
    assert area("HAZ", "sham") < 1e-9 < area("HAZ", "little") <= area("HAZ", "much")


@pytest.mark.parametrize("species", ["rat", "rabbit", "pig", "sheep"])
def test_endotoxin_injures_every_species(study_of, species: str) -> None:
    found = courses(study_of(arm("sham") + arm("ill", "lps", "5 mg/kg"), species=species))
    for name in ("wet_dry", "bal_neutrophil_count", "bal_il6"):
        assert found["ill"][name].max(axis=1).min() > 1.02 * found["sham"][name].max(), name


def test_rabbits_answer_endotoxin_in_the_blood_that_mice_tolerate(study_of) -> None:
    text = arm("ill", "lps", "0.2 ug/kg", ', route = "intravenous"')
    peaks = {
        species: np.median(courses(study_of(text, species=species))["ill"]["HAZ"][:, -1])
        for species in ("mouse", "rabbit")
    }
    assert peaks["rabbit"] > 2 * peaks["mouse"]
    assert peaks["mouse"] < 0.005


def test_a_perfused_lung_is_injured_and_nobody_dies(study_of) -> None:
    text = arm("sham") + arm("ill", "lps", "5 mg")
    found = courses(study_of(text, kind="ex-vivo", species="human"))
    assert np.median(found["ill"]["wet_dry"][:, -1]) > np.median(found["sham"]["wet_dry"][:, -1])
    # What is left is the rounding of airways that the solver narrows by nothing.
    assert found["ill"]["HAZ"].max() < 1e-12
    # No blood: no neutrophils come; those that the lung holds live longer, that is all.
    assert np.all(found["ill"]["bal_neutrophil_count"] < found["sham"]["bal_neutrophil_count"] * 1.6)


def test_what_comes_before_the_injury_is_given_before_it(study_of) -> None:
    treated = (
        arm("cells", "lps", "5 mg/kg")
        + '[[arm.treatment]]\nproduct = { source = "bone marrow" }\ndose = "1e6 cells"\n'
        + 'route = "intravenous"\ntimes = ["-24 h"]\n'
    )
    study = study_of(arm("ill", "lps", "5 mg/kg") + treated)
    assert first_moment(study) == -24.0
    setting = prepare(study, replicates=2, seed=2)
    trials, _ = simulate_experiment(few(setting))
    outcomes = trials.arms["cells"].outcomes
    assert outcomes.times[0] == -24.0
    before = outcomes.times < 0.0
    cells = outcomes.outputs["viable_cells_lung"]
    assert cells[:, before].max() > 1e4
    # Counted in the animal's own cells, not at the human's size.
    assert cells.max() <= 1e6
    ill = trials.arms["ill"].outcomes
    neutrophils = ill.outputs["bal_neutrophil_count"]
    assert np.allclose(neutrophils[:, ill.times < 0.0], neutrophils[:, :1])
    assert neutrophils[:, ill.times > 6.0].max() > 5 * neutrophils[:, :1].max()
    times = output_times_of_experiment(-24.0, 48.0, (5.0,))
    assert times[0] == -24.0 and 6.0 in times and times[-1] == 48.0


def cells_arm(name: str, dose: str, route: str, species: str = "human") -> str:
    """An arm of four healthy subjects that are given cells."""
    product = f'{{ source = "bone marrow", species = "{species}" }}'
    return (
        f'[[arm]]\nname = "{name}"\nsize = 4\ninjury = "none"\n[[arm.treatment]]\nproduct = {product}\n'
        f'dose = "{dose}"\nroute = "{route}"\ntimes = ["0 h"]\n'
    )


def test_a_million_cells_in_the_vein_of_a_mouse_are_safe_and_ten_million_are_not(study_of) -> None:
    """Between them lies what killed (3e6, doi 10.4142/jvs.23300); into the airway neither blocks a vessel."""
    doses = (("safe", "1e6 cells", "intravenous"), ("lethal", "1e7 cells", "intravenous"))
    text = "".join(cells_arm(*one) for one in (*doses, ("airway", "1e7 cells", "intratracheal")))
    found = courses(study_of(text, disease="healthy", duration="24 h"))
    dead = {name: float(np.mean(-np.expm1(-one["HAZ"][:, -1]))) for name, one in found.items()}
    assert dead["safe"] < 0.2 < 0.8 < dead["lethal"] and dead["airway"] < 0.01


def test_cells_sense_their_host_as_the_table_says(study_of) -> None:
    text = cells_arm("human", "5e5 cells", "intratracheal") + cells_arm(
        "own", "5e5 cells", "intratracheal", "mouse"
    )
    setting = prepare(study_of(text, disease="healthy"), replicates=2, seed=2)
    trials, _ = simulate_experiment(few(setting))
    named = ("product_cross_ifng", "product_cross_tnf", "product_ido")
    given = {name: [float(one.parameters[n][0]) for n in named] for name, one in trials.given.items()}
    assert given == {"human": [0.0, 1.0, 1.0], "own": [1.0, 1.0, 0.0]}
    assert cross_reactivity("human", "human") == dict.fromkeys(PARAMETER_OF.values(), 1.0)
    for donor in species_names():
        for host in species_names():
            assert set(cross_reactivity(donor, host)) == set(PARAMETER_OF.values())


def test_the_same_seed_gives_the_same_answer_whatever_the_chunk_and_another_arm(study_of) -> None:
    two = arm("sham") + arm("ill", "lps", "5 mg/kg")
    one = courses(study_of(two))
    other = courses(study_of(two + arm("worse", "lps", "10 mg/kg")), chunk=7)
    for name in ("wet_dry", "HAZ"):
        assert np.array_equal(one["ill"][name], other["ill"][name]), name


def test_an_experiment_runs_to_a_result_like_a_trial(study_of) -> None:
    ill = '[[arm]]\nname = "ill"\nsize = 4\ncontrol = true\n[injury]\nagent = "lps"\n'
    study = study_of(arm("sham") + ill)
    result = run_study(study, replicates=3, seed=4)
    assert result.json["arms"]["ill"]["wet_dry@1d"]["p50"] > result.json["arms"]["sham"]["wet_dry@1d"]["p50"]
    assert result.json["failed_subjects"] == 0 and result.manifest["complete"]
    assert {"injury.lps.amount", "injury.lps.route", "weight"} <= set(result.json["assumed_inputs"])
    assert result.manifest["species"] == "mouse" and set(result.manifest["texts"]) == {"mouse", "lps"}


def test_what_an_experiment_cannot_have_waits_with_its_reason(study_of) -> None:
    waiting = study_of('[[arm]]\nname = "ill"\nsize = 4\n[injury]\nagent = "ischaemia"\n')
    assert modelled_part(waiting) is None
    seen = '[[observation]]\narm = "ill"\nendpoint = "{}"\ntime = "24 h"\nvalue = 1.0\n'
    text = arm("ill", "lps", "5 mg/kg") + seen.format("bal_elastase") + seen.format("bal_il6")
    assert list(not_modelled(study_of(text))) == [0]
    odd = arm("ill", "e-coli", "1e6 CFU/mL") + seen.format("bal_il6")
    assert "CFU/mL" in not_modelled(study_of(odd, disease="e-coli-pneumonia"))[0]


def test_a_name_that_is_none_is_refused() -> None:
    with pytest.raises(Refusal, match="unknown species"):
        read_species("cat")
    with pytest.raises(Refusal, match="unknown animal disease"):
        read_animal_disease("cold")
