"""`mesolung explain` traces a number to its unit, uncertainty, source and grade, and finds every name."""

from __future__ import annotations

import pytest

from mesolung.biology.disease import diseases
from mesolung.biology.parameters import read_parameters
from mesolung.biology.tables import backgrounds, covariates, endpoints
from mesolung.cli.explain import GRADES, LISTS, explain_name
from mesolung.reading import Refusal


def names(listed: str) -> set[str]:
    return {line.split("  ")[0] for line in listed.splitlines()}


def test_every_name_is_in_its_list(capsys: pytest.CaptureFixture[str]) -> None:
    expected = {
        "parameters": set(read_parameters().ids),
        "endpoints": set(endpoints()),
        "covariates": set(covariates()),
        "backgrounds": set(backgrounds()),
        "diseases": set(diseases()),
    }
    assert expected.keys() == LISTS.keys()
    for kind, known in expected.items():
        explain_name(kind)
        assert known <= names(capsys.readouterr().out)


def test_a_parameter_is_traced_to_its_source(capsys: pytest.CaptureFixture[str]) -> None:
    for row in read_parameters():
        explain_name(row.id)
        said = capsys.readouterr().out
        for fact in (f"{row.value:g} {row.unit}", row.source, GRADES[row.grade], row.meaning, row.module):
            assert fact in said, row.id


@pytest.mark.parametrize(
    ("distribution", "words"),
    [
        ("fixed", "none, fixed"),
        ("lognormal", "lognormal, SD 0.4 of its natural logarithm"),
        ("logit-normal", "logit-normal, SD 0.4 of its logit"),
        ("spike-normal", "exactly 0 with probability 0.3, else normal, SD 0.4 of the value"),
    ],
)
def test_uncertainty_is_told_in_words(distribution: str, words: str) -> None:
    from mesolung.cli.explain import _uncertainty

    assert _uncertainty(distribution, "0.3;0.4" if distribution.startswith("spike") else "0.4") == words


def test_an_endpoint_tells_unit_and_direction(capsys: pytest.CaptureFixture[str]) -> None:
    explain_name("pf_ratio")
    said = capsys.readouterr().out
    assert said.startswith("pf_ratio (endpoint): ") and "mmHg" in said and "higher" in said


def test_a_name_of_two_kinds_is_told_twice(capsys: pytest.CaptureFixture[str]) -> None:
    explain_name("age")
    assert "age (parameter)" in (said := capsys.readouterr().out) and "age (covariate)" in said


@pytest.mark.parametrize(("wrong", "near"), [("pf_ration", "pf_ratio"), ("dexametasone", "dexamethasone")])
def test_an_unknown_name_is_refused_with_the_nearest(wrong: str, near: str) -> None:
    with pytest.raises(Refusal, match=near):
        explain_name(wrong)
