"""A module or a row that cannot be used is refused at assembly, by name, file and line."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

import libsbml
import pytest
from tests.refused import changed, points_at

from mesolung.biology.assemble import AssemblyError, assemble, consistency_problems, module_text
from mesolung.biology.parameters import COLUMNS, Parameters, read_parameters
from mesolung.reading import Refusal

UNITS = """\
unit time_unit = 3600 second;
unit substance = item;
unit extent = item;
unit volume = litre;
unit h = 3600 second;
unit pM = 1e-12 mole / litre;
unit per_h = 1 / (3600 second);
unit pM_per_h = 1e-12 mole / (litre * 3600 second);
"""
LUNG = """\
// A mediator that cells make and lose, and a dose.
TNF = TNF_healthy; TNF has pM; src_TNF has pM_per_h;
DRUG = 0; DRUG has pM;

block := share * DRUG / (DRUG + DRUG_half); block has dimensionless;
made := make * (1 dimensionless - block) \\
        * (1 dimensionless + TNF / TNF_half);
made has pM_per_h;
TNF' = src_TNF + made - k_TNF * TNF;
DRUG' = rate_DRUG - k_DRUG * DRUG;
strength = exp(share); strength has dimensionless;
gone: at (DRUG < DRUG_least): DRUG = 0 pM;
"""
ROWS = """\
TNF_healthy,lung,2,pM,fixed,,,,human,assumed: example,C,at health
TNF_half,lung,20,pM,lognormal,0.2,,,human,assumed: example,C,at half effect
share,lung,0.5,1,logit-normal,0.3,,,human,assumed: example,C,largest block
make,lung,1,pM/h,lognormal,0.2,,,human,assumed: example,C,made at health
k_TNF,lung,0.9,1/h,lognormal,0.2,,,human,assumed: example,C,loss
k_DRUG,lung,0.1,1/h,lognormal,0.2,,,human,assumed: example,C,loss of the drug
DRUG_half,lung,3,pM,lognormal,0.2,,,human,assumed: example,C,at half block
DRUG_least,lung,1e-6,pM,fixed,,,,human,assumed: example,C,below this it is gone
rate_DRUG,driver,0,pM/h,fixed,,,,human,assumed: set by doses,C,infusion
"""


def model_of(folder: Path, *, lung: str = LUNG, rows: str = ROWS, units: str = UNITS, more: str = "") -> str:
    table = folder / "parameters.csv"
    table.write_text(",".join(COLUMNS) + "\n" + rows, encoding="utf-8")
    modules = {"units": units, "lung": lung} | ({"more": more} if more else {})
    return assemble(read_parameters(table), modules).sbml


def test_the_example_is_sound(tmp_path: Path) -> None:
    assert consistency_problems(libsbml.readSBMLFromString(model_of(tmp_path))) == []


MODULE_SLIPS = {
    "state without unit": ("DRUG has pM;", "", 3, "DRUG has no unit"),
    "observable without unit": ("block has dimensionless;", "", 5, "block has no unit"),
    "constant without unit": ("strength has dimensionless;", "", 11, "strength has no unit"),
    "number without unit": (
        "(1 dimensionless - block)",
        "(1 - block)",
        6,
        "the law of made holds a number without unit",
    ),
    "number without unit on the second line of a law": (
        "* (1 dimensionless + TNF",
        "* (1 + TNF",
        7,
        "the law of made holds a number without unit",
    ),
    "number without unit in an event": (
        "DRUG = 0 pM;",
        "DRUG = 0;",
        12,
        "the event gone holds a number without unit",
    ),
    "unknown unit of a symbol": ("DRUG has pM;", "DRUG has nM;", 3, "DRUG has an unknown unit (found nM;"),
    "unknown unit of a number": (
        "(1 dimensionless - block)",
        "(1 none - block)",
        6,
        "the law of made holds a number with an unknown unit (found none;",
    ),
    "unknown symbol in a law": (
        "make * (1",
        "making * (1",
        6,
        "the law of made names making, which is neither state, observable, parameter nor time",
    ),
    "unknown symbol in a rate": (
        "rate_DRUG - k_DRUG",
        "rate_DRUG - k_DRUGS",
        10,
        "the rate of DRUG names k_DRUGS",
    ),
    "unknown symbol in an event": (
        "DRUG < DRUG_least",
        "DRUGS < DRUG_least",
        12,
        "the event gone names DRUGS",
    ),
    "unknown function": (
        "exp(share)",
        "expo(share)",
        11,
        "the law of strength uses an unknown function (found expo;",
    ),
    "rate of what is no state": (
        "DRUG = 0; DRUG has pM;",
        "DRUG has pM;",
        10,
        "the state DRUG is not declared: it has a rate of change and no value at health",
    ),
    "state without rate": (
        "DRUG' = rate_DRUG - k_DRUG * DRUG;",
        "",
        3,
        "the state DRUG has no rate of change",
    ),
    "start value that names a parameter, without rate": (
        "TNF' = src_TNF + made - k_TNF * TNF;",
        "",
        2,
        "the state TNF has no rate of change",
    ),
    "source of nothing": (
        "src_TNF has pM_per_h;",
        "src_TNG has pM_per_h;",
        2,
        "src_TNG is the source of no state",
    ),
    "two laws": (
        "block has dimensionless;",
        "block has dimensionless; block := share;",
        5,
        "block is given a law, and a law at lung.ant:5",
    ),
    "law of a state": (
        "strength = ",
        "TNF := 2 pM; strength = ",
        11,
        "TNF is given a law, and a rate of change at lung.ant:9",
    ),
    "law of a parameter": (
        "strength = ",
        "make := 2 pM_per_h; strength = ",
        11,
        "make is given a law, and a row at parameters.csv:5",
    ),
    "division by a state": ("(DRUG + DRUG_half)", "(DRUG * DRUG_half / DRUG_half)", 5, "block divides by"),
    "division by two states": (
        "/ (DRUG + DRUG_half)",
        "/ (DRUG + max(0 pM, DRUG - DRUG_half))",
        5,
        "block divides by what can be 0 (found DRUG + max(0, DRUG - DRUG_half);",
    ),
    "division by a state through an observable": (
        "strength = exp(share); strength has dimensionless;",
        "held := DRUG; held has pM; part := TNF / held; part has dimensionless;",
        11,
        "part divides by what can be 0 (found held;",
    ),
    "division by a difference": (
        "(DRUG + DRUG_half)",
        "(DRUG_half - DRUG)",
        5,
        "block divides by what can be 0 (found DRUG_half - DRUG;",
    ),
    "division in a rate": (
        "- k_DRUG * DRUG;",
        "- k_DRUG * TNF * DRUG / DRUG;",
        10,
        "DRUG divides by what can be 0",
    ),
    "logarithm of a state": (
        "exp(share)",
        "ln(1 dimensionless - share * 2 dimensionless)",
        11,
        "strength takes the logarithm of",
    ),
    "power of what can be negative": (
        "exp(share)",
        "(1 dimensionless - share * 2 dimensionless)^0.5",
        11,
        "strength raises to a power",
    ),
    "units that do not agree": (
        "+ made - k_TNF",
        "+ block - k_TNF",
        9,
        "TNF: ",
    ),
    "power of what has a unit": ("exp(share)", "exp(TNF_half)", 11, "strength: "),
    "what no model is made of": ("- k_DRUG * DRUG;", "- * k_DRUG * DRUG;", 10, "Antimony cannot read it"),
    "source below 0": (
        "src_TNF + made - k_TNF * TNF",
        "src_TNF + made * 9 dimensionless - k_TNF * TNF",
        9,
        "health needs a negative source of TNF (found src_TNF -",
    ),
}


@pytest.mark.parametrize("slip", MODULE_SLIPS)
def test_a_slip_in_a_module_is_refused_where_it_is(tmp_path: Path, slip: str) -> None:
    old, new, line, problem = MODULE_SLIPS[slip]
    with pytest.raises(AssemblyError) as caught:
        model_of(tmp_path, lung=changed(LUNG, old, new))
    points_at(caught.value, "lung.ant", line, problem)


def test_a_symbol_of_two_modules_is_refused_with_both_places(tmp_path: Path) -> None:
    with pytest.raises(AssemblyError, match=r"more\.ant:2: block is given a law, and a law at lung\.ant:5"):
        model_of(tmp_path, more="\nblock := share; other := share; other has dimensionless;")
    with pytest.raises(AssemblyError, match=r"more\.ant:1: DRUG is given a unit, and a unit at lung\.ant:3"):
        model_of(tmp_path, more="DRUG has pM;")
    with pytest.raises(
        AssemblyError, match=r"more\.ant:1: pM is given a meaning, and a meaning at units\.ant:6"
    ):
        model_of(tmp_path, more="unit pM = mole / litre;")


ROW_SLIPS = {
    "no grade": (
        "human,assumed: example,C,largest block",
        "human,assumed: example,,largest block",
        "share has no grade",
    ),
    "unknown grade": (
        "assumed: example,C,largest",
        "assumed: example,D,largest",
        "the grade of share is unknown",
    ),
    "no unit": ("share,lung,0.5,1,", "share,lung,0.5,,", "share has no unit"),
    "unknown unit": ("share,lung,0.5,1,", "share,lung,0.5,nM,", "share has an unknown unit (found nM;"),
    "no source": ("assumed: example,C,largest", ",C,largest", "share has no source"),
    "source that says nothing": (
        "assumed: example,C,largest",
        "a book,C,largest",
        "the source of share does not say",
    ),
    "no value": ("share,lung,0.5,", "share,lung,,", "share has no value"),
    "beyond its distribution": (
        "share,lung,0.5,",
        "share,lung,1.5,",
        "share cannot be logit-normal (found value 1.5;",
    ),
    "not a number": (
        "share,lung,0.5,",
        "share,lung,half,",
        "share has what is not a finite number (found half)",
    ),
    "negative spread": (
        "logit-normal,0.3,",
        "logit-normal,-0.3,",
        "a spread of share is negative (found -0.3)",
    ),
    "unknown distribution": (
        "logit-normal",
        "uniform",
        "the distribution of share is unknown (found uniform;",
    ),
    "a share that can leave 0 to 1": (
        "share,lung,0.5,1,logit-normal",
        "share,lung,0.5,1,lognormal",
        "share is taken from 1 in the law of",
    ),
    "there twice": ("share,lung", "TNF_half,lung", "stands twice, first on line 3 (found TNF_half)"),
}


@pytest.mark.parametrize("slip", ROW_SLIPS)
def test_a_slip_in_a_row_is_refused_where_it_is(tmp_path: Path, slip: str) -> None:
    old, new, problem = ROW_SLIPS[slip]
    # Here the law takes the share from 1 itself.
    lung = changed(
        LUNG, "share * DRUG / (DRUG + DRUG_half)", "1 dimensionless - share * DRUG / (DRUG + DRUG_half)"
    )
    lung = changed(
        lung,
        "1 dimensionless - share * DRUG / (DRUG + DRUG_half)",
        "1 dimensionless - share * held; held := DRUG / (DRUG + DRUG_half); held has dimensionless",
    )
    with pytest.raises(Refusal) as caught:
        model_of(tmp_path, lung=lung, rows=changed(ROWS, old, new))
    points_at(caught.value, "parameters.csv", 4, problem)


def test_a_row_that_nothing_uses_is_refused(tmp_path: Path) -> None:
    extra = "spare,lung,1,1,fixed,,,,human,assumed: example,C,nothing\n"
    with pytest.raises(AssemblyError, match=r"parameters\.csv:11: spare is used nowhere in the modules"):
        model_of(tmp_path, rows=ROWS + extra)


def test_a_name_without_row_is_refused_where_it_is_used(tmp_path: Path) -> None:
    rows = "".join(row for row in ROWS.splitlines(keepends=True) if not row.startswith("k_TNF"))
    with pytest.raises(AssemblyError, match=r"lung\.ant:9: the rate of TNF names k_TNF, which is neither"):
        model_of(tmp_path, rows=rows)


SOUND = {
    "a sum with a positive parameter": "TNF / (DRUG + TNF_half)",
    "a squared one": "TNF^2 / (DRUG^2 + TNF_half^2)",
    "the larger of it and a positive one": "TNF / max(DRUG, TNF_half)",
    "a state that its source keeps above 0": "DRUG / TNF",
    "one of them is": "DRUG / (DRUG + TNF)",
    "1 less a share of less than 1": "1 dimensionless / (1 dimensionless - DRUG / (DRUG + DRUG_half))",
    "a logarithm of 1 and more": "ln(1 dimensionless + DRUG / TNF_half)",
    "a logarithm of what its source keeps above 0": "ln(TNF / TNF_half)",
    "a root of what is never below 0": "(DRUG / TNF_half)^1.5",
    "a power to a share": "(DRUG / TNF_half)^share",
}


@pytest.mark.parametrize("law", SOUND)
def test_a_law_that_always_has_a_value_passes(tmp_path: Path, law: str) -> None:
    more = f"part := {SOUND[law]}; part has dimensionless;"
    model_of(tmp_path, more=more)


def test_a_state_that_may_run_dry_is_no_denominator_although_it_starts_above_0(tmp_path: Path) -> None:
    lung = changed(LUNG, "TNF' = src_TNF + made - k_TNF * TNF;", "TNF' = src_TNF + made - k_TNF * TNF_half;")
    with pytest.raises(AssemblyError, match="part divides by what can be 0"):
        model_of(tmp_path, lung=lung, more="part := DRUG / TNF; part has dimensionless;")


def package_modules() -> list[str]:
    folder = files("mesolung.biology") / "modules"
    return sorted(entry.name.removesuffix(".ant") for entry in folder.iterdir())


@pytest.mark.parametrize("name", package_modules())
def test_every_unit_of_the_package_is_missed_when_it_is_gone(name: str) -> None:
    """One declaration of each module is taken away."""
    from mesolung.biology.assemble import MODULES

    texts = {one: module_text(one) for one in MODULES}
    assert name in texts
    if name == "units":
        return
    declared = re.findall(r"^[^/\n]*?\b(\w+) has \w+;", texts[name], re.MULTILINE)
    gone = declared[len(declared) // 2]
    texts[name] = re.sub(rf"\b{gone} has \w+;", "", texts[name], count=1)
    with pytest.raises(AssemblyError, match=rf"^{name}\.ant:\d+: {gone} has no unit"):
        assemble(modules=texts)


def test_the_package_has_no_law_that_needs_pleading() -> None:
    """Every law passes the check that every assembly makes."""
    assert assemble().sbml


def test_a_table_without_file_is_checked_too() -> None:
    table = read_parameters()
    fewer = Parameters(tuple(row for row in table if row.id != "k_trap"), "fewer")
    with pytest.raises(AssemblyError, match=r"fate\.ant:\d+: .* names k_trap, which is neither"):
        assemble(fewer)
