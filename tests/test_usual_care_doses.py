"""Drugs of usual care by dose and time: how much of what enters which state, and when."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from mesolung.biology.tables import backgrounds
from mesolung.engine import ADD_STATE
from mesolung.reading import Refusal
from mesolung.study import Study, read_study
from mesolung.study.solving import _drug

STATES = ("DEX", "TCZ", "HEP", "ABX")
MODEL = SimpleNamespace(states=STATES, parameters=())
WEIGHT = np.array([50.0, 80.0, 150.0])
EVERYBODY = np.arange(3)


@pytest.fixture(scope="module")
def text(root: Path) -> str:
    return (root / "examples" / "lanzoni-2021.toml").read_text(encoding="utf-8")


def read(folder: Path, text: str, line: str) -> Study:
    file = folder / "study.toml"
    file.write_text(text.replace("heparin = 1.0", line), encoding="utf-8")
    return read_study(file)


def given(folder: Path, text: str, line: str, name: str):
    """State, times (h) and amounts of the first subject, and the first amount of everybody."""
    background = read(folder, text, line).population.background[name]
    table = _drug(MODEL, name, background, EVERYBODY, WEIGHT, 28 * 24.0)  # pyright: ignore[reportArgumentType]
    assert set(table.kind.tolist()) == {ADD_STATE}
    own = table.subject == 0
    first = table.value[table.time == table.time.min()]
    return STATES[table.target[0]], table.time[own], table.value[own], first


def test_tocilizumab_is_one_dose_per_kg_up_to_its_most(text, tmp_path):
    state, times, amounts, everybody = given(tmp_path, text, "tocilizumab = 0.5", "tocilizumab")
    assert (state, times.tolist(), amounts.tolist()) == ("TCZ", [0.0], [400.0])
    assert everybody.tolist() == [400.0, 640.0, 800.0]


def test_a_dose_in_all_and_one_per_kg_are_both_served(text, tmp_path):
    line = 'tocilizumab = {{ share = 1, dose = "{}", start = "1 d" }}'
    _, times, _, everybody = given(tmp_path, text, line.format("400 mg"), "tocilizumab")
    assert times.tolist() == [24.0] and everybody.tolist() == [400.0, 400.0, 400.0]
    *_, everybody = given(tmp_path, text, line.format("4 mg/kg"), "tocilizumab")
    assert everybody.tolist() == [200.0, 320.0, 600.0]
    line = 'dexamethasone = { share = 0.1, dose = "0.1 mg/kg" }'
    *_, everybody = given(tmp_path, text.replace("dexamethasone", "#"), line, "dexamethasone")
    assert everybody == pytest.approx([5.0, 8.0, 15.0])


@pytest.mark.parametrize(
    ("name", "dose", "worth"),
    [
        ("prednisolone", "5 mg", 0.75),
        ("systemic_steroid", "5 mg", 0.75),
        ("methylprednisolone", "4 mg", 0.75),
        ("hydrocortisone", "20 mg", 0.75),
        ("hydrocortisone", "0.2 g", 7.5),
    ],
)
def test_other_steroids_are_given_as_what_they_are_worth_in_dexamethasone(text, tmp_path, name, dose, worth):
    state, _, amounts, _ = given(tmp_path, text, f'{name} = {{ share = 1, dose = "{dose}" }}', name)
    assert state == "DEX" and amounts == pytest.approx(worth)


def test_usual_doses_follow_their_interval_to_the_end_of_the_course(text, tmp_path):
    state, times, amounts, _ = given(tmp_path, text, "heparin = 1.0", "heparin")
    assert state == "HEP" and np.all(amounts == 5000.0)
    assert times.size == 56 and np.all(np.diff(times) == 12.0)
    line = 'antibiotic = { share = 1, dose = "2 g", duration = "3 d", every = "1 d" }'
    state, times, amounts, _ = given(tmp_path, text, line, "antibiotic")
    assert (state, times.tolist(), amounts.tolist()) == ("ABX", [0.0, 24.0, 48.0], [2000.0] * 3)


def test_steroids_of_one_name_are_worth_the_same():
    rows = backgrounds()
    assert rows["prednisolone"].factor == rows["systemic_steroid"].factor == pytest.approx(0.75 / 5)
    assert rows["methylprednisolone"].factor == pytest.approx(0.75 / 4)
    assert rows["hydrocortisone"].factor == pytest.approx(0.75 / 20)
    assert all(row.factor == 1.0 for row in rows.values() if row.target != "DEX" and row.how == "dose")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('heparin = { share = 1, dose = "5 mg" }', "dose: wrong unit"),
        ('heparin = { share = 1, dose = "5000" }', "not a number with a unit"),
        ('tocilizumab = { share = 1, dose = "8 %" }', "dose: wrong unit"),
        ('tocilizumab = { share = 1, dose = "8 mg/kg PBW" }', "dose: wrong unit"),
        ('tocilizumab = { share = 1, dose = "8 g/kg" }', "tocilizumab: impossible dose"),
        ('tocilizumab = { share = 1, dose = "80 g" }', "tocilizumab: impossible dose"),
        ('tocilizumab = { share = 1, dose = "-8 mg/kg" }', "negative or zero dose"),
        ('antibiotic = { share = 1, start = "-11 year" }', "too long before the origin"),
        ('vasopressor = { share = 0.5, dose = "1 mg" }', "vasopressor has no dose"),
        ("ecm = 0.1", "unknown background; did you mean ecmo"),
    ],
)
def test_what_cannot_be_given_is_refused(text, tmp_path, line, words):
    with pytest.raises(Refusal) as refused:
        read(tmp_path, text, line)
    assert words in str(refused.value)
