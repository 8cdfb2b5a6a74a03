"""Studies of the same patients are solved once, and nothing is solved that no score needs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mesolung.calibration.validation.folder import predict_folder, read_folder, who_of
from mesolung.calibration.validation.predicted import base_setting, predict
from mesolung.engine import EventTable
from mesolung.population import library
from mesolung.study import run, simulating
from mesolung.study.memory import KEPT, Memory
from mesolung.study.simulating import POPULATION, tables_one

DRAWS = 4
HEALTHY = """schema = 1
name = "{name}"
disease = "healthy"
duration = "1 d"
{more}
[[arm]]
name = "{arm}"
size = {size}
[[observation]]
arm = "{arm}"
endpoint = "{endpoint}"
time = "1 d"
mean = 5.0
sd = 2.0
unit = "{unit}"
n = {size}
"""
OLD = '[population.baseline]\nage = { mean = 37, sd = 11, unit = "year" }'


@pytest.fixture(scope="module", autouse=True)
def small_library():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(library, "COURSES_PER_DRAW", 60)
        patch.setattr(run, "DRAWS_AT_LEAST", DRAWS)
        yield


def written(folder: Path, name: str, endpoint: str, unit: str, more: str = "", size: int = 12) -> None:
    text = HEALTHY.format(name=name, arm=name, endpoint=endpoint, unit=unit, more=more, size=size)
    (folder / f"{name}.toml").write_text(text, encoding="utf-8")


def test_the_same_patients_are_solved_once_and_predicted_as_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    studies = tmp_path / "studies"
    studies.mkdir()
    written(studies, "first", "il6", "pg/mL")
    written(studies, "old", "il6", "pg/mL", OLD)
    written(studies, "second", "crp", "mg/L", size=30)
    files = read_folder(studies)
    assert [who_of(f.study) == who_of(files[0].study) for f in files] == [True, False, True]
    solve, solved = simulating.solve_given, []

    def counting(*given, **options):
        solved.append(options["outputs"])
        return solve(*given, **options)

    monkeypatch.setattr(simulating, "solve_given", counting)
    together, _ = predict_folder(files, draws=DRAWS, place=tmp_path / "kept")
    assert [{"il6", "crp"} <= set(outputs) for outputs in solved].count(True) == 1 == len(solved) - 1
    base = base_setting(files[0].study, draws=DRAWS)
    for file, subject in zip(files, together, strict=True):
        alone = predict(file.study, base).bases[0].own
        assert np.array_equal(alone.expected, subject.predicted.bases[0].own.expected)
        assert np.array_equal(alone.simulated, subject.predicted.bases[0].own.simulated)


def test_a_memory_tells_inputs_apart_and_forgets_the_oldest() -> None:
    memory, made = Memory(), []

    def make(name: str):
        return lambda: made.append(name) or name

    events = EventTable.of([(0, 1.0, 0, 0, 2.0)])
    apart = [(np.arange(3.0),), (np.arange(3),), (np.arange(3.0), "a"), (events,), (EventTable.of([]),)]
    for inputs in apart:
        assert memory.of(inputs, make("one")) == "one"
    assert len(made) == 5
    assert memory.of((EventTable.of([(0, 1.0, 0, 0, 2.0)]),), make("two")) == "one" and len(made) == 5
    for k in range(KEPT):
        memory.of((k,), make("other"))
    assert len(memory.found) == KEPT
    assert memory.of((np.arange(3.0),), make("again")) == "again"


ARMS = """schema = 1
name = "two"
disease = "covid19-ards"
duration = "1 d"
[[endpoint]]
name = "mortality"
time = "1 d"
[[arm]]
name = "a"
size = 5
{a}
[[arm]]
name = "b"
size = 5
[arm.baseline]
age = {{ mean = 60, sd = 5, unit = "year" }}
"""


def test_the_population_is_enrolled_only_where_an_arm_or_a_contrast_needs_it(tmp_path: Path) -> None:
    own = '[arm.baseline]\nage = { mean = 50, sd = 5, unit = "year" }'
    for a, needed in (("", {POPULATION, "b"}), (own, {"a", "b"})):
        (tmp_path / "two.toml").write_text(ARMS.format(a=a), encoding="utf-8")
        study = read_folder(tmp_path / "two.toml")[0].study
        assert set(tables_one(study, paired=False)) == needed
        assert set(tables_one(study)) == needed | {POPULATION}
