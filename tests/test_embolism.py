"""Cells block vessels: small animals by their vessels; clot starts above a threshold of cells at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.biology_subjects import course, subjects

from mesolung.biology.species import HUMAN, read_species, species_names
from mesolung.study import read_study
from mesolung.study.run import run_study

DRAWS = 12
HOUR = 1.0 / 24.0
HEAD = """schema = 1
name = "a bolus into a vein of healthy mice"
kind = "animal"
disease = "lps"
species = "mouse"
origin = "injury"
duration = "48 h"
[injury]
agent = "lps"
amount = "5 mg/kg"
route = "intratracheal"
[[arm]]
name = "sham"
size = 10
injury = "none"
[[endpoint]]
name = "mortality"
time = "48 h"
[[endpoint]]
name = "pao2"
time = "6 h"
"""
DOSES = ("5e5", "1e6", "3e6", "5e6")


def arm(name: str, dose: str, more: str = "") -> str:
    return (
        f'[[arm]]\nname = "{name}"\nsize = 10\ninjury = "none"\n[[arm.treatment]]\n'
        f'product = {{ source = "adipose" }}\ndose = "{dose} cells"\nroute = "intravenous"\n'
        f'times = ["0 h"]\n{more}'
    )


@pytest.fixture(scope="module")
def arms(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    file: Path = tmp_path_factory.mktemp("bolus") / "bolus.toml"
    slow = arm("slow", "5e6", 'infusion = "2 h"\n')
    file.write_text(HEAD + "".join(arm(dose, dose) for dose in DOSES) + slow, encoding="utf-8")
    return run_study(read_study(file), replicates=DRAWS, draws=DRAWS, workers=1).json["arms"]


def deaths(arms: dict[str, Any], name: str) -> float:
    """Share of deaths expected, the median draw."""
    return float(arms[name]["mortality@2d"]["expected"]["p50"])


def test_vessels_go_with_the_lung_by_one_exponent() -> None:
    """Two thirds: an animal has as many more vessels in a gram as its lung is smaller, to the power 1/3."""
    human = read_species(HUMAN).lung_g
    for name in species_names():
        one = read_species(name)
        assert one.factor_of("embolic_size") == pytest.approx((one.lung_g / human) ** (1.0 / 3.0), rel=0.01)


def test_mice_stand_the_doses_that_they_are_usually_given(arms: dict[str, Any]) -> None:
    """All survived 1e6 cells (doi 10.4142/jvs.23300); half a million is an ordinary treatment."""
    for dose in ("5e5", "1e6"):
        assert deaths(arms, dose) < 0.05
        assert arms[dose]["pao2@6h"]["expected"]["p50"] > 0.85 * arms["sham"]["pao2@6h"]["expected"]["p50"]


def test_many_more_cells_at_once_kill(arms: dict[str, Any]) -> None:
    """None survived 3e6 or 5e6 in five minutes or less (doi 10.4142/jvs.23300)."""
    assert deaths(arms, "3e6") > 20.0 * deaths(arms, "1e6") and deaths(arms, "3e6") > 0.3
    assert deaths(arms, "5e6") > 0.8


def test_the_same_cells_are_stood_when_they_come_slowly(arms: dict[str, Any]) -> None:
    assert deaths(arms, "slow") < 0.3 * deaths(arms, "5e6")


def test_an_infusion_into_a_patient_starts_no_clot_of_its_own() -> None:
    people = subjects("healthy", 10, seed=4, uncertain=False)
    infused = people.with_values(rate_MSC_blood=0.7)
    with_clot, without = (
        course(infused.with_values(on_clot=on), HOUR, every=HOUR / 4, outputs=("EMB",))["EMB"][:, -1]
        for on in (1.0, 0.0)
    )
    assert np.median(with_clot / without) < 1.1


def test_heparin_raises_the_threshold_of_clot_and_not_what_cells_block() -> None:
    people = subjects("healthy", 10, seed=4, uncertain=False).with_dose("MSC_blood", 0.7, 24.0)
    thin = people.with_values(rate_HEP=800.0)
    plain, thinned, none = (
        course(one, 1.5, every=HOUR / 4, outputs=("EMB",))["EMB"].max(1)
        for one in (people, thin, people.with_values(on_clot=0.0))
    )
    assert np.all(thinned < plain) and np.all(thinned >= 0.99 * none)
