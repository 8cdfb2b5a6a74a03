"""Drugs as treatments and as usual care of diseases that last for years."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from mesolung.biology.assemble import assemble
from mesolung.biology.tables import backgrounds
from mesolung.engine import ADD_STATE, compile_model
from mesolung.population.events import same_events
from mesolung.study import read_study
from mesolung.study.modelled import modelled_part, not_modelled
from mesolung.study.occupancy import Occupied, occupancy_events, occupied, share_of_effect
from mesolung.study.population import Background
from mesolung.study.study import Study

DRUGS = tuple(name for name, row in backgrounds().items() if row.how == "occupancy")
STUDY = """
schema = 1
name = "drugs"
disease = "copd"
duration = "3 year"
[population.background]
inhaled_steroid = 0.5
[[arm]]
name = "drug"
size = 10
[[arm.treatment]]
product = {{ type = "drug", name = "{name}" }}
dose = "{dose}"
route = "inhaled"
times = {times}
[[arm]]
name = "placebo"
size = 10
control = true
[[endpoint]]
name = "fev1"
time = "1 year"
[[observation]]
arm = "drug"
endpoint = "fev1"
time = "1 year"
mean = 1.3
sd = 0.5
n = 10
"""


@pytest.fixture
def study_of(tmp_path: Path):
    """Read the study with a drug."""

    def read(name: str = "tiotropium", dose: str = "unknown", times: str = '"unknown"') -> Study:
        path = tmp_path / "study.toml"
        path.write_text(STUDY.format(name=name, dose=dose, times=times), encoding="utf-8")
        return read_study(path)

    return read


def model(**places: int) -> Any:
    return SimpleNamespace(parameters=tuple(places), states=())


@pytest.mark.parametrize("name", DRUGS)
def test_the_usual_dose_has_the_full_effect_and_a_larger_one_no_more(name: str) -> None:
    usual = backgrounds()[name].dose or 0.0
    shares = share_of_effect(name, usual * np.array([0.0, 0.25, 1.0, 4.0]))
    np.testing.assert_allclose(shares, [0.0, 0.625, 1.0, 1.0])


def test_a_drug_as_treatment_is_care_of_its_whole_arm(study_of) -> None:
    part = modelled_part(study_of())
    assert part is not None
    drug, placebo = part.arms
    assert drug.treatments == () and drug.background["tiotropium"].share == 1.0
    assert drug.background["tiotropium"].duration_h is None, "to the end, as usual"
    assert "tiotropium" not in placebo.background
    assert drug.background["inhaled_steroid"] == placebo.background["inhaled_steroid"]
    assert drug.background["tiotropium"].start_h > 0.0, (
        "what is measured at enrolment is before the first dose"
    )


def test_doses_one_by_one_act_until_the_next_would_come(study_of) -> None:
    part = modelled_part(study_of("nintedanib", "100 mg", '{ start = "0 d", every = "1 d", count = 10 }'))
    assert part is not None
    line = part.arms[0].background["nintedanib"]
    assert (line.dose, line.every_h, line.duration_h) == (100.0, 24.0, 240.0)
    # 100 mg once a day are as 50 mg twice.
    made = occupied("nintedanib", line, np.array([True, False]), np.array([70.0, 70.0]), 1e6)
    np.testing.assert_allclose(made.level, [50.0 / 87.5 * 187.5 / 150.0, 0.0])
    assert made.end_h - made.start_h == 240.0


@pytest.mark.parametrize(
    ("name", "dose", "times", "words"),
    [
        ("azithromycin", "500 mg", '"unknown"', 'drug "azithromycin" waits for'),
        ("tiotropium", "18 mg/m2", '"unknown"', "no dose in ug"),
        ("tiotropium", "unknown", '["0 d", "1 d", "5 d"]', "at intervals that differ"),
    ],
)
def test_a_drug_that_cannot_be_given_says_why(study_of, name: str, dose: str, times: str, words: str) -> None:
    assert words in not_modelled(study_of(name, dose, times))[0]


def test_drugs_of_one_target_block_what_the_others_leave() -> None:
    rows = np.array([[0.0], [0.0], [0.7]])
    given = [
        Occupied("ics", np.array([0.5, 0.0, 0.5]), 10.0, 100.0),
        Occupied("ics", np.array([0.5, 0.8, 0.0]), 50.0, 200.0),
    ]
    events = occupancy_events(model(ics=0), rows, given)
    level = {
        (int(s), float(t)): float(v)
        for s, t, v in zip(events.subject, events.time, events.value, strict=True)
    }
    assert [level[0, t] for t in (10.0, 50.0, 100.0, 200.0)] == pytest.approx([0.5, 0.75, 0.5, 0.0])
    assert [level[1, t] for t in (10.0, 50.0, 200.0)] == pytest.approx([0.0, 0.8, 0.0])
    # Who takes more of it anyway keeps that.
    assert [level[2, t] for t in (10.0, 100.0, 200.0)] == pytest.approx([0.7, 0.7, 0.7])


def test_a_target_that_the_model_lacks_is_an_error() -> None:
    drug = occupied("fluticasone", Background(share=1.0), np.array([True]), np.array([70.0]), 1e5)
    with pytest.raises(KeyError):
        occupancy_events(model(other=0), np.zeros((1, 1)), [drug])


def test_a_steroid_has_its_price() -> None:
    biology = compile_model(assemble().sbml)
    names = ("HAZ_hyperglycaemia", "HAZ_myopathy")
    rows = np.tile(biology.default_parameters, (2, 1))
    doses = 24.0 * np.arange(10, dtype=np.float64)
    dex = biology.states.index("DEX")
    events = same_events(ADD_STATE, dex, np.zeros(10, np.intp), doses, np.full(10, 6.0))
    found = biology.solve(rows, np.array([0.0, 240.0]), events=events, outputs=names).values[:, -1]
    assert np.all(found[1] == 0.0), "nothing without the drug"
    assert 0.02 < found[0, 0] < 0.3 and 0.0 < found[0, 1] < found[0, 0]
