"""Who is studied: mixtures of diseases, phenotypes and correlations, read or refused with their line."""

from __future__ import annotations

from pathlib import Path

import pytest

from mesolung.reading import Refusal
from mesolung.study import Study, inputs_sha256, read_study
from mesolung.study.assumed import assumed_inputs

USUAL = "[population.background]"


@pytest.fixture(scope="module")
def text(root: Path) -> str:
    return (root / "examples" / "lanzoni-2021.toml").read_text(encoding="utf-8")


def read(folder: Path, text: str, *changes: tuple[str, str]) -> Study:
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    file = folder / "study.toml"
    file.write_text(text, encoding="utf-8")
    return read_study(file)


def test_a_mixture_has_its_diseases_by_name(text, tmp_path):
    study = read(tmp_path, text, ('"covid19-ards"', "{ covid19-ards = 0.3, ards = 0.7 }"))
    assert dict(study.diseases) == {"ards": 0.7, "covid19-ards": 0.3}
    assert study.disease_names == ("ards", "covid19-ards")


def test_a_mixture_is_the_same_in_any_order_and_another_study_than_its_parts(text, tmp_path):
    one, other, pure = (
        inputs_sha256(read(tmp_path, text, ('"covid19-ards"', disease)))
        for disease in ("{ covid19-ards = 0.3, ards = 0.7 }", "{ ards = 0.7, covid19-ards = 0.3 }", '"ards"')
    )
    assert one == other != pure
    alone = inputs_sha256(read(tmp_path, text, ('"covid19-ards"', "{ covid19-ards = 1.0 }")))
    assert alone == inputs_sha256(read(tmp_path, text))


def test_what_a_mixture_leaves_unsaid_is_assumed_from_all_its_diseases(text, tmp_path):
    study = read(tmp_path, text, ('"covid19-ards"', "{ covid19-ards = 0.3, ards = 0.7 }"))
    lines = {line["name"]: line for line in assumed_inputs(study)}
    assert " and " in lines["weight"]["why"] and lines["weight"]["value"] is None
    assert lines["female"]["value"] == 0.38


def test_a_phenotype_is_a_share(text, tmp_path):
    table = f"[population.phenotype]\nhyperinflammatory = 0.3\n{USUAL}"
    study = read(tmp_path, text, (USUAL, table))
    assert dict(study.population.phenotype) == {"hyperinflammatory": 0.3}
    table = "[population.baseline]\nhyperinflammatory = 0.3"
    in_table_one = read(tmp_path, text, ("[population.baseline]", table))
    assert in_table_one.population.baseline["hyperinflammatory"].share == 0.3


def test_correlations_are_pairs_in_the_order_of_the_alphabet(text, tmp_path):
    table = f'[population.correlation]\n"sofa, pf_ratio" = -0.4\n"age,sofa" = 0.1\n{USUAL}'
    found = read(tmp_path, text, (USUAL, table)).population.correlation
    assert [(c.first, c.second, c.rho) for c in found] == [("age", "sofa", 0.1), ("pf_ratio", "sofa", -0.4)]


def test_onset_to_enrolment_may_be_bounded(text, tmp_path):
    line = 'onset_to_enrolment = { median = 2, iqr = [1, 4], min = 0.5, max = 7, unit = "d" }'
    delay = read(tmp_path, text, ("size = 24", f"size = 24\n{line}")).population.onset_to_enrolment
    assert delay is not None and (delay.min, delay.max) == (12.0, 168.0)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('"covid19-ards"', "{ ards = 0.7, covid19-ards = 0.2 }", "do not add up (found 0.9; allowed: 1)"),
        ('"covid19-ards"', "{ ards = 0.999, covid19-ards = 0.001 }", "covid19-ards: impossible share"),
        ('"covid19-ards"', "{ ards = 0.5, covid = 0.5 }", "unknown disease"),
        ('"covid19-ards"', "{ ards = 0.5, ova = 0.5 }", "ova is an animal model"),
        ('"covid19-ards"', "{ }", "do not add up"),
        ('"covid19-ards"', '{ ards = "half" }', "wrong type"),
        (USUAL, '[population.correlation]\n"age, sofa" = 1.0\n' + USUAL, "less than 1"),
        (USUAL, '[population.correlation]\n"age" = 0.5\n' + USUAL, "not two names"),
        (USUAL, '[population.correlation]\n"age, age" = 0.5\n' + USUAL, "not two names"),
        (USUAL, '[population.correlation]\n"age, happiness" = 0.5\n' + USUAL, "unknown baseline"),
        (USUAL, '[population.correlation]\n"age, female" = 0.5\n' + USUAL, "female is a yes or no"),
        (
            USUAL,
            '[population.correlation]\n"age, sofa" = 0.5\n"sofa, age" = 0.4\n' + USUAL,
            "the same pair twice",
        ),
        (
            USUAL,
            '[population.correlation]\n"age, sofa" = 0.9\n"age, il6" = 0.9\n"il6, sofa" = -0.9\n' + USUAL,
            "correlations that no three quantities have",
        ),
        (USUAL, "[population.phenotype]\nhyperinflammatory = 1.2\n" + USUAL, "at most 1"),
        (USUAL, "[population.phenotype]\nhypo = 0.2\n" + USUAL, "unknown phenotype"),
        ("size = 24", 'size = 24\nonset_to_enrolment = { mean = 5, max = 3, unit = "d" }', "not below max"),
    ],
)
def test_what_cannot_be_is_refused(text, tmp_path, old, new, words):
    with pytest.raises(Refusal) as refused:
        read(tmp_path, text, (old, new))
    assert words in str(refused.value)
    assert refused.value.line is not None


HEALTHY = """schema = 1
name = "volunteers"
disease = "healthy"
duration = "1 d"
[population.phenotype]
hyperinflammatory = 0.5
[[arm]]
name = "all"
size = 4
[[endpoint]]
name = "pf_ratio"
time = "1 d"
"""


def test_a_phenotype_that_a_disease_has_not_is_refused(tmp_path):
    with pytest.raises(Refusal, match=r":6: hyperinflammatory is no phenotype of healthy"):
        read(tmp_path, HEALTHY)
