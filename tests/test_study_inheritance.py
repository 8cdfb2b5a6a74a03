"""An arm states what differs from the population, in whatever unit, and nothing else of it changes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from mesolung.reading import Refusal
from mesolung.study import Study, read_study
from mesolung.units import convert

TEXT = """
schema = 1
name = "inheritance"
disease = "ards"
duration = "28 d"
[population]
size = 20
[population.baseline]
{population}
[population.background]
{usual}
[[arm]]
name = "a"
size = 10
[arm.baseline]
{arm}
[[arm]]
name = "b"
size = 10
control = true
[[endpoint]]
name = "mortality"
time = "28 d"
"""


def study(folder: Path, population: str, arm: str, usual: str = "") -> Study:
    """Read a study whose first arm restates part of table 1."""
    path = folder / "study.toml"
    path.write_text(TEXT.format(population=population, arm=arm, usual=usual), encoding="utf-8")
    return read_study(path)


@pytest.mark.parametrize(
    "population, arm, expected",
    [
        (
            "m2_fraction = { mean = 0.4, sd = 0.1 }",
            'm2_fraction = { max = 60, unit = "percent" }',
            {"mean": 0.4, "sd": 0.1, "max": 0.6, "unit": "fraction"},
        ),
        (
            'age = { mean = 58, sd = 11, unit = "year", min = 18 }',
            'age = { min = 240, unit = "month" }',
            {"mean": 58.0, "sd": 11.0, "min": 20.0, "unit": "year"},
        ),
        (
            'age = { mean = 696, sd = 132, unit = "month", min = 216 }',
            "age = { mean = 720 }",
            {"mean": 60.0, "sd": 11.0, "min": 18.0, "unit": "year"},
        ),
        (
            'weight = "80 kg"',
            'weight = { max = 120000, unit = "g" }',
            {"mean": 80.0, "max": 120.0, "unit": "kg"},
        ),
        ("sofa = 7", "sofa = { max = 12 }", {"mean": 7.0, "max": 12.0, "unit": "points"}),
        ("female = 0.3", "female = 0.4", {"share": 0.4, "unit": "fraction"}),
    ],
)
def test_an_arm_may_use_another_unit(
    tmp_path: Path, population: str, arm: str, expected: dict[str, Any]
) -> None:
    name = population.split()[0]
    a, b = study(tmp_path, population, arm).arms
    stated = {k: v for k, v in a.baseline[name].model_dump().items() if v is not None}
    assert stated == pytest.approx(expected)
    assert b.baseline == study(tmp_path, population, arm).population.baseline


@given(
    unit=st.sampled_from(["mmHg", "kPa"]),
    other=st.sampled_from(["mmHg", "kPa"]),
    lowest=st.floats(40, 60),
    highest=st.floats(300, 600),
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_bounds_in_any_unit_leave_the_inherited_numbers_alone(
    tmp_path: Path, unit: str, other: str, lowest: float, highest: float
) -> None:
    def written(value: float, to: str) -> str:
        return repr(convert(value, "mmHg", to))

    assume(convert(convert(lowest, "mmHg", other), other, "mmHg") >= 40)
    quartiles = ", ".join(written(q, unit) for q in (80.0, 160.0))
    population = f'pf_ratio = {{ median = {written(116.0, unit)}, iqr = [{quartiles}], unit = "{unit}" }}'
    arm = (
        f'pf_ratio = {{ min = {written(lowest, other)}, max = {written(highest, other)}, unit = "{other}" }}'
    )
    found = study(tmp_path, population, arm)
    own, above = found.arms[0].baseline["pf_ratio"], found.population.baseline["pf_ratio"]
    assert (own.median, own.iqr, own.unit) == (above.median, above.iqr, "mmHg")
    assert (own.min, own.max) == pytest.approx((lowest, highest))


@pytest.mark.parametrize(
    "usual, words",
    [
        ('heparin = { share = 1, start = "29 d" }', "beyond the duration"),
        ('heparin = { share = 1, start = "-11 year" }', "too long before the origin"),
        ('dexamethasone = { share = 1, every = "1 s" }', "too many doses"),
        ('dexamethasone = { share = 1, every = "0.001 s" }', "impossible interval"),
        ('dexamethasone = { share = 1, dose = "6 g" }', "impossible dose"),
    ],
)
def test_usual_care_is_given_within_the_study_and_in_usual_amounts(
    tmp_path: Path, usual: str, words: str
) -> None:
    with pytest.raises(Refusal, match=words) as caught:
        study(tmp_path, "", "", usual)
    assert caught.value.line == 11
