"""`mesolung explain` traces every name to its law, number, unit, source and grade, and finds every name."""

from __future__ import annotations

import json
import re
from importlib.resources import files

import pytest

from mesolung.biology.disease import diseases, read_disease
from mesolung.biology.laws import ModelText, read_laws
from mesolung.biology.parameters import read_parameters
from mesolung.biology.tables import backgrounds, covariates, endpoints, reserved, routes
from mesolung.cli import main
from mesolung.cli.entry import Entry
from mesolung.cli.explain import LISTS, UNLISTED, explain_name, meanings
from mesolung.cli.explain_parameters import graded, uncertainty_in_words
from mesolung.product.priors import read_priors, read_sources
from mesolung.reading import Refusal

MODULES = files("mesolung.biology") / "modules"


@pytest.fixture(scope="module")
def text() -> ModelText:
    return read_laws()


@pytest.fixture(scope="module")
def entries() -> list[Entry]:
    return [entry for source in (*LISTS.values(), *UNLISTED) for entry in source()]


def of(entries: list[Entry], name: str, kind: str) -> Entry:
    (found,) = [entry for entry in entries if (entry.name, entry.kind) == (name, kind)]
    return found


def lines(fact: object) -> str:
    return fact if isinstance(fact, str) else "\n".join(fact)  # type: ignore[arg-type]


def names(listed: str) -> set[str]:
    return {re.split(r"\s{2,}", line)[0] for line in listed.splitlines()}


def test_every_name_is_in_its_list(text: ModelText, capsys: pytest.CaptureFixture[str]) -> None:
    expected = {
        "states": set(text.states),
        "observables": set(text.observables),
        "parameters": {*read_parameters().ids, *read_priors()},
        "endpoints": set(endpoints()),
        "covariates": set(covariates()),
        "backgrounds": set(backgrounds()),
        "routes": set(routes()),
        "sources": set(read_sources()),
        "diseases": set(diseases()),
        "modules": set(text.headers),
        "reserved": {name for _, name in reserved()},
    }
    assert expected.keys() == LISTS.keys()
    for kind, known in expected.items():
        explain_name(kind)
        assert known == names(capsys.readouterr().out), kind


def test_every_name_of_the_model_has_a_meaning_to_tell(entries: list[Entry], text: ModelText) -> None:
    known = {entry.name for entry in entries}
    for law in text.laws:
        assert {law.name, *law.names} <= known, law.place
    assert [entry.name for entry in entries if entry.kind == "state" and not entry.meaning] == []


def test_a_parameter_is_traced_to_its_source_and_its_laws(entries: list[Entry], text: ModelText) -> None:
    for row in read_parameters():
        entry = of(entries, row.id, "parameter")
        assert entry.meaning == row.meaning and entry.facts["value"] == f"{row.value:g} {row.unit}"
        assert (entry.facts["source"], entry.facts["grade"]) == (row.source, graded(row.grade))
        for law in text.uses(row.id):
            assert law.place in lines(entry.facts["used in"]), row.id


def test_a_law_stands_on_the_lines_that_are_told(entries: list[Entry], text: ModelText) -> None:
    """Against the file itself, whatever reads it."""
    for entry in entries:
        if entry.kind not in ("state", "observable"):
            continue
        place, law = entry.facts["rate law" if entry.kind == "state" else "rule"]
        module, first, last = re.fullmatch(r"modules/(\w+)\.ant:(\d+)(?:-(\d+))?", place).groups()  # type: ignore[union-attr]
        written = (MODULES / f"{module}.ant").read_text(encoding="utf-8").splitlines()
        block = "".join(
            line.split("//")[0].rstrip().rstrip("\\") for line in written[int(first) - 1 : int(last or first)]
        )
        assert re.sub(r"\s", "", law) in re.sub(r"\s", "", block), entry.name


def test_a_state_tells_unit_health_law_neighbours_and_annotation(capsys: pytest.CaptureFixture[str]) -> None:
    explain_name("IL8p")
    said = capsys.readouterr().out
    row = read_parameters()["IL8p_healthy"]
    for fact in (
        "IL8p (state): ",
        f"{row.value:g} {row.unit} (IL8p_healthy, modules/mediators.ant:",
        "IL8p' = src_IL8p + ",
        "src_IL8p, solved at assembly",
        "is uniprot:P10145",
        "occursIn UBERON:0001969",
        "docs/science/mediators.md",
    ):
        assert fact in said, fact
    assert re.search(r"raised by .*\bIL8\b", said) and re.search(r"lowered by .*\bENDO\b", said)


def test_a_state_tells_who_sets_it(entries: list[Entry]) -> None:
    assert "route intravenous" in of(entries, "MSC_blood", "state").facts["set by"]
    assert "background dexamethasone" in of(entries, "DEX", "state").facts["set by"]
    assert any(line.startswith("disease ards") for line in of(entries, "BAC", "state").facts["set by"])
    assert "virus_extinct" in {e.name for e in entries if e.kind == "event of the model"}


def test_an_endpoint_tells_its_row_and_its_law(entries: list[Entry]) -> None:
    for name, row in endpoints().items():
        facts = of(entries, name, "endpoint").facts
        assert (facts["unit"], facts["matrix"], facts["better"]) == (row.unit, row.matrix, row.better)
        death = row.value_at_death
        assert facts["value at death"] == (
            f"{death:g}" if death is not None else f"none; the rule for the dead is: {row.deaths}"
        )
    assert lines(of(entries, "pf_ratio", "endpoint").facts["rule"]).count("pf_ratio := ") == 1


def test_a_disease_tells_its_drivers(entries: list[Entry]) -> None:
    for name in diseases():
        disease, facts = read_disease(name), of(entries, name, "disease").facts
        told = lines(facts["drivers"])
        for driver in disease.drivers:
            assert f"{driver.target} {driver.amount.value:g}" in told
        assert ("in a mixture" in facts) is (name != "healthy")
        for group, share in disease.groups:
            assert f"{group} {share:g}" in facts["groups"]
            assert of(entries, group, f"group of the disease {name}").facts["share"] == f"{share:g}"
        for covariate in disease.covariates:
            assert f"{covariate} " in lines(facts["covariates"])


def test_a_module_tells_its_comment_and_what_it_holds(entries: list[Entry], text: ModelText) -> None:
    for module, header in text.headers.items():
        entry = of(entries, module, "module")
        assert entry.meaning == header and header
        assert set(lines(entry.facts["states"]).split()) == {
            s for s in text.states if text.module_of(s) == module
        }
        assert set(read_parameters().of_module(module)) == set(lines(entry.facts["parameters"]).split())


def test_what_waits_is_said_to_wait(entries: list[Entry]) -> None:
    for (kind, name), waits_for in reserved().items():
        assert any(
            e.facts["names"] == kind and e.facts["waits for"] == waits_for
            for e in entries
            if (e.name, e.kind) == (name, "reserved name")
        )


def test_a_tissue_tells_its_traits(capsys: pytest.CaptureFixture[str]) -> None:
    explain_name("bone marrow")
    said = capsys.readouterr().out
    assert f"{read_sources()['bone marrow'].procoagulant:g}" in said and "product/sources.csv" in said


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
    assert (
        uncertainty_in_words(distribution, "0.3;0.4" if distribution.startswith("spike") else "0.4") == words
    )


def test_a_name_of_several_kinds_is_told_as_each(capsys: pytest.CaptureFixture[str]) -> None:
    explain_name("age")
    assert "age (parameter)" in (said := capsys.readouterr().out) and "age (covariate)" in said
    explain_name("il6")
    said = capsys.readouterr().out
    heads = [line for line in said.splitlines() if line and not line.startswith(" ")]
    assert [head.split(":")[0] for head in heads] == ["il6 (observable)", "il6 (endpoint)", "IL6 (state)"]


def test_json_says_the_same(entries: list[Entry], capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("IL6", "pf_ratio", "ards", "innate", "k_trap", "intravenous"):
        explain_name(name, as_json=True)
        told = json.loads(capsys.readouterr().out)
        assert told["name"] == name
        assert [(m["name"], m["kind"]) for m in told["meanings"]] == [
            (e.name, e.kind) for e in meanings(name, entries)
        ]
        explain_name(name)
        plain = capsys.readouterr().out
        for meaning in told["meanings"]:
            for fact in meaning["facts"].values():
                for line in [fact] if isinstance(fact, str) else fact:
                    assert line in plain
    explain_name("routes", as_json=True)
    assert {row["name"] for row in json.loads(capsys.readouterr().out)["entries"]} == set(routes())


@pytest.mark.parametrize(
    ("wrong", "near"), [("pf_ration", "pf_ratio"), ("dexametasone", "dexamethasone"), ("IL66", "IL6")]
)
def test_an_unknown_name_is_refused_with_the_nearest(wrong: str, near: str) -> None:
    with pytest.raises(Refusal, match=rf"perhaps .*\b{near}\b"):
        explain_name(wrong)


def test_an_unknown_name_leaves_one_line_and_status_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["explain", "zzzzzz"])
    said = capsys.readouterr()
    assert left.value.code == 2 and said.out == "" and said.err.count("\n") == 1 and "the lists" in said.err
