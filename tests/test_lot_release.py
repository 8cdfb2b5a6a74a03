"""Release: pass, fail or not tested against several definitions, and the odds of truly meeting each limit."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from scipy.special import ndtr

from mesolung.product.attributes import ATTRIBUTES, Attribute, attribute, share_error
from mesolung.product.product import Product
from mesolung.product.quantities import MeasuredShare
from mesolung.product.release import decide, of_other_tissues, probability
from mesolung.product.specs import Limit, bundled, read_spec, specs_for
from mesolung.reading import Refusal

SPEC = 'schema = 1\nname = "own"\nsource = "a batch record"\n[[limit]]\n'


def made(**stated: Any) -> Product:
    return Product.model_validate({"source": "umbilical cord", **stated})


def own(tmp_path: Path, limits: str, name: str = "own.toml") -> Path:
    path = tmp_path / name
    path.write_text(limits if name.endswith(".csv") else SPEC + limits, encoding="utf-8")
    return path


def outcome(tmp_path: Path, limits: str, **stated: Any) -> tuple[str, float | None]:
    (one,) = decide(made(**stated), [read_spec(own(tmp_path, limits))])
    (line,) = one.lines
    return line.outcome, line.probability


def test_the_odds_of_a_share_are_those_of_a_normal_error_between_0_and_1() -> None:
    found, limit = Attribute(0.82, "fraction", "share", 0.05), Limit(("viability",), at_least=0.8)
    inside = ndtr((1 - 0.82) / 0.05) - ndtr((0 - 0.82) / 0.05)
    assert probability(found, limit) == pytest.approx((ndtr(0.18 / 0.05) - ndtr(-0.02 / 0.05)) / inside)
    assert probability(found, Limit(("viability",), at_least=0.0)) == pytest.approx(1.0)
    at_limit = Attribute(0.8, "fraction", "share", 0.02)
    assert probability(at_limit, limit) == pytest.approx(0.5, abs=1e-6)


def test_the_odds_of_an_amount_are_those_of_its_logarithm() -> None:
    found = Attribute(0.5, "EU/mL", "positive", 0.25)
    expected = ndtr(math.log(1.0 / 0.5) / 0.25)
    assert probability(found, Limit(("endotoxin",), at_most=1.0)) == pytest.approx(expected)
    assert probability(Attribute(4, "passage", "count"), Limit(("passage",), at_most=5)) is None


def test_few_cells_looked_at_make_a_share_less_sure() -> None:
    few, many = (MeasuredShare(value=0.96, sd=0.001, events=n) for n in (100, 100_000))
    assert share_error(few, "marker_sd") == pytest.approx(math.sqrt(0.96 * 0.04 / 100), rel=0.01)
    assert share_error(many, "marker_sd") < share_error(few, "marker_sd") / 10


@pytest.mark.parametrize(
    ("limits", "stated", "expected"),
    [
        ('what = "viability"\nat_least = 0.7', {"viability": 0.9}, "pass"),
        ('what = "viability"\nat_least = 0.7', {"viability": 0.6}, "fail"),
        ('what = "viability"\nat_least = 0.7', {}, "not tested"),
        ('what = "CD45"\nat_most = 0.02', {"markers": {"CD45": 0.03}}, "fail"),
        ('what = ["CD14", "CD11b"]\nat_most = 0.02', {"markers": {"CD11b": 0.01}}, "pass"),
        ('what = "sterility"\nis = "negative"', {"safety": {"sterility": "positive"}}, "fail"),
        ('what = "plastic_adherent"\nis = true', {"safety": {"plastic_adherent": True}}, "pass"),
        ('what = "endotoxin"\nat_most = 0.5', {"safety": {"endotoxin_below": "0.05 EU/mL"}}, "pass"),
        ('what = "endotoxin"\nat_most = 0.01', {"safety": {"endotoxin_below": "0.05 EU/mL"}}, "not tested"),
        ('what = "passage"\nat_most = 5', {"passage": 8}, "fail"),
        (
            'what = "TNFR1"\nat_least = 13\nunit = "pg/1e6 cells"',
            {"assay": [{"name": "TNFR1", "value": 20, "unit": "ng/mL"}]},
            "not tested",
        ),
        (
            'what = "T-cell suppression"\nat_least = 0.2',
            {"assay": [{"name": "T-cell suppression", "value": 40, "unit": "%"}]},
            "pass",
        ),
    ],
    ids=str,
)
def test_a_limit_is_met_missed_or_not_tested(
    tmp_path: Path, limits: str, stated: dict[str, Any], expected: str
) -> None:
    assert outcome(tmp_path, limits, **stated)[0] == expected


def test_a_specification_fails_for_one_limit_and_passes_for_all(tmp_path: Path) -> None:
    limits = 'what = "viability"\nat_least = 0.7\n[[limit]]\nwhat = "CD73"\nat_least = 0.95'
    spec = read_spec(own(tmp_path, limits))
    (both,) = decide(made(viability=0.9, markers={"CD73": 0.99}), [spec])
    (one,) = decide(made(viability=0.9, markers={"CD73": 0.9}), [spec])
    (less,) = decide(made(viability=0.9), [spec])
    assert (both.outcome, one.outcome, less.outcome) == ("pass", "fail", "not tested")
    product = math.prod(line.probability or 0.0 for line in both.lines)
    assert both.probability == pytest.approx(product)


def test_several_definitions_stand_side_by_side() -> None:
    lot = made(viability=0.75, markers={"CD73": 0.97, "CD90": 0.96, "CD105": 0.96})
    found = {one.spec.id: one for one in decide(lot, specs_for(lot, ["clinical-70", "clinical-80"]))}
    by = {name: {line.name: line.outcome for line in one.lines} for name, one in found.items()}
    assert by["clinical-70"]["viability"] == "pass" and by["clinical-80"]["viability"] == "fail"


def test_every_bundled_specification_names_its_source_and_applies_to_its_products() -> None:
    assert {"isct-2006", "misev2023", "clinical-70", "clinical-80"} <= set(bundled())
    for spec in bundled().values():
        assert "doi" in spec.source and spec.limits
        assert {name for limit in spec.limits for name in limit.what} <= set(ATTRIBUTES)
    assert {spec.about for spec in specs_for(made(type="ev"))} == {"ev"}
    assert {spec.about for spec in specs_for(made())} == {"cells"}


def test_the_isct_criteria_are_the_published_ones() -> None:
    limits = {limit.what[0]: limit for limit in bundled()["isct-2006"].limits}
    assert all(limits[name].at_least == 0.95 for name in ("CD73", "CD90", "CD105"))
    assert all(limits[name].at_most == 0.02 for name in ("CD34", "CD45", "CD14", "CD19", "HLA-DR"))


def test_a_table_is_a_specification_too(tmp_path: Path) -> None:
    text = "what,at_least,at_most,is,unit\nviability,0.8,,,\nCD14; CD11b,,0.02,,\nsterility,,,negative,\n"
    spec = read_spec(own(tmp_path, text, "own.csv"))
    assert spec.id == "own" and [limit.what for limit in spec.limits][1] == ("CD14", "CD11b")


@pytest.mark.parametrize(
    ("limits", "line", "words"),
    [
        ('what = "CD999"\nat_least = 0.9', 5, "unknown attribute"),
        ('what = "viability"\nat_least = "0.9"', 6, "at_least is not a number"),
        ('what = "viability"\natleast = 0.9', 6, "unknown key of a limit"),
        ('what = "viability"', 4, "a limit has a bound"),
        ('what = "viability"\nat_least = 0.9\nat_most = 0.8', 6, "bounds out of order"),
        ('what = "sterility"\nis = 3', 6, "is: neither text"),
        ("at_least = 0.9", 4, "what is missing"),
    ],
)
def test_a_wrong_specification_is_refused_at_its_line(
    tmp_path: Path, limits: str, line: int, words: str
) -> None:
    path = own(tmp_path, limits)
    with pytest.raises(Refusal) as error:
        read_spec(path)
    assert str(error.value).startswith(f"{path}:{line}: ") and words in str(error.value)


def test_a_wrong_table_or_name_is_refused(tmp_path: Path) -> None:
    path = own(tmp_path, 'what,at_least,at_most,is,unit\nviability,"0,8",,,\n', "own.csv")
    with pytest.raises(Refusal, match="at_least is not a number"):
        read_spec(path)
    with pytest.raises(Refusal, match="unknown specification"):
        specs_for(made(), ["isct"])
    with pytest.raises(Refusal, match="no such file"):
        specs_for(made(), [str(tmp_path / "gone.toml")])


def test_a_tetraspanin_counts_from_a_share_on() -> None:
    ev = made(type="ev", vesicles={"CD9": 0.4, "CD63": 0.01, "CD81": 0.6})
    found = attribute(ev, "tetraspanins")
    assert found is not None and found.value == 2
    assert attribute(made(type="ev"), "tetraspanins") is None


def test_a_definition_for_one_tissue_is_not_put_to_another(tmp_path: Path) -> None:
    def ids(source: str) -> set[str]:
        return {spec.id for spec in specs_for(made(source=source))}

    assert ids("bone marrow") == {"isct-2006", "clinical-70"}
    assert ids("umbilical cord") == {"isct-2006", "clinical-80", "clinical-cord"} == ids("Wharton's jelly")
    assert ids("adipose") == {"isct-2006"}
    anything = {spec.id for spec in bundled().values() if spec.about == "cells"}
    assert {spec.id for spec in specs_for(Product())} == anything, "a tissue that is not stated may be any"
    # One that is asked for is held all the same, and both are told.
    cord = made(source="umbilical cord", viability=0.75)
    asked = decide(cord, specs_for(cord, ["clinical-70"]))
    said = " ".join(of_other_tissues(cord, asked))
    assert (
        asked[0].lines[0].outcome == "pass" and "is for bone marrow, and was asked for all the same" in said
    )
    usual = decide(cord, specs_for(cord))
    assert "not held against it: clinical-70 (bone marrow)" in " ".join(of_other_tissues(cord, usual))


def test_a_limit_for_one_tissue_is_left_aside_for_another(tmp_path: Path) -> None:
    limits = (
        'what = "CD34"\nat_most = 0.02\ntissues = ["bone marrow"]\n[[limit]]\nwhat = "CD73"\nat_least = 0.9'
    )
    spec = read_spec(own(tmp_path, limits))
    marked = {"markers": {"CD34": 0.1, "CD73": 0.95}}
    fat, marrow = made(source="adipose", **marked), made(source="bone marrow", **marked)
    assert [decide(one, [spec])[0].outcome for one in (fat, marrow)] == ["pass", "fail"]
    assert "Limits of own that are for other tissues are left aside: CD34" in " ".join(
        of_other_tissues(fat, decide(fat, [spec]))
    )


@pytest.mark.parametrize("tissues", ['["liver"]', '"bone marrow"', "[]"])
def test_a_tissue_that_is_not_known_is_refused(tmp_path: Path, tissues: str) -> None:
    with pytest.raises(Refusal) as refusal:
        read_spec(own(tmp_path, f'what = "CD34"\nat_most = 0.02\ntissues = {tissues}'))
    assert refusal.value.line == 7
