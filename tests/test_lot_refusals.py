"""Whatever is wrong in a lot file is refused in one line: where, what was found and what is allowed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from mesolung.cli.main import main
from mesolung.reading import Refusal
from mesolung.study import read_lot
from mesolung.study.schema import lot_schema

GOOD = """schema = 1
lot = "A-1"
source = "umbilical cord"
passage = 4
viability = 0.93

[donor]
age = "29 year"

[hold]
time = "2 h"

[markers]
CD73 = 0.99
HLA-DR = 0.01

[[assay]]
name = "T-cell suppression"
value = 40
unit = "%"
"""

CASES = {
    "no schema": ("schema = 1\n", "", "schema is missing", 1),
    "schema of the future": ("schema = 1", "schema = 2", "unknown schema", 1),
    "passage 400": ("passage = 4", "passage = 400", "passage: impossible value", 4),
    "half a passage": ("passage = 4", "passage = 4.5", "passage: wrong type", 4),
    "negative viability": ("viability = 0.93", "viability = -0.1", "viability: impossible value", 5),
    "viability in percent": ("viability = 0.93", "viability = 93", "allowed: at most 1", 5),
    "decimal comma": ("viability = 0.93", "viability = 0,93", "not valid TOML", 5),
    "unit missing": ('age = "29 year"', "age = 29", "donor.age: wrong type", 8),
    "unit of another thing": ('age = "29 year"', 'age = "29 kg"', "not a number with a unit of year", 8),
    "an impossible age": (
        'age = "29 year"',
        'age = "290 year"',
        "impossible value, allowed from 0 to 120",
        8,
    ),
    "a date": ('age = "29 year"', "age = 2024-01-29", "donor.age: wrong type", 8),
    "a time before now": ('time = "2 h"', 'time = "-2 h"', "impossible value", 11),
    "a limit of quantification": ('time = "2 h"', 'time = "<LLOQ"', "not a number with a unit", 11),
    "a marker twice": ("HLA-DR = 0.01", "HLA-DR = 0.01\nCD73 = 0.98", "key stands twice", 16),
    "an unknown marker": ("HLA-DR", "HLA-DQ", 'unknown key (found "HLA-DQ"; allowed: CD105', 15),
    "a marker above 1": ("CD73 = 0.99", "CD73 = 99", "CD73: impossible value", 14),
    "a marker as text": ("CD73 = 0.99", 'CD73 = "99 %"', "a number or a table", 14),
    "an error of nothing": ("CD73 = 0.99", "CD73 = { value = 0.99, sd = 0 }", "more than 0", 14),
    "an unknown assay": (
        "T-cell suppression",
        "T cell suppression",
        "unknown assay T cell suppression",
        None,
    ),
    "an assay above its whole": ("value = 40", "value = 140", "is a share below 100 %", None),
    "an assay without unit": ('unit = "%"', "", "unit is missing", 17),
    "a share in moles": ('unit = "%"', 'unit = "uM"', "is a share, in % or fraction", None),
    "an unknown table": ("[hold]", "[holding]", "unknown key; did you mean hold", 10),
    "an unknown source": (
        "umbilical cord",
        "umbilical chord",
        "unknown source; did you mean umbilical cord",
        3,
    ),
    "vesicles of cells": (
        "[hold]",
        '[vesicles]\nisolation = "TFF"\n[hold]',
        "only a product of type ev",
        None,
    ),
    "frozen that never was": (
        "[hold]",
        '[freezing]\nthaw = "washed"\n[hold]',
        "never frozen has no freezing",
        None,
    ),
    "a bag of vesicles": ("passage = 4", 'passage = 4\ntype = "ev"', "holds no cells, so it has no", None),
    "an unknown priming": (
        "[hold]",
        '[[priming]]\nkind = "magic"\n[hold]',
        "unknown kind",
        11,
    ),
    "two endotoxins": (
        "[hold]",
        '[safety]\nendotoxin = "1 EU/mL"\nendotoxin_below = "0.1 EU/mL"\n[hold]',
        "not both",
        None,
    ),
    "too many parts": (
        "[hold]",
        '[[subpopulation]]\nname = "a"\nshare = 0.7\n[[subpopulation]]\nname = "b"\nshare = 0.7\n[hold]',
        "add up to more than 1",
        None,
    ),
}


@pytest.fixture
def lot(tmp_path: Path) -> Path:
    return tmp_path / "lot.toml"


@pytest.mark.parametrize("case", CASES)
def test_a_slip_is_refused_where_it_is(lot: Path, case: str) -> None:
    old, new, words, line = CASES[case]
    assert old in GOOD
    text = (
        GOOD
        if case != "frozen that never was"
        else GOOD.replace("passage = 4", "passage = 4\ncryopreserved = false")
    )
    lot.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(Refusal) as error:
        read_lot(lot)
    said = str(error.value)
    assert words in said and "\n" not in said, said
    assert said.startswith(f"{lot}:{line}: " if line else f"{lot}"), said


@pytest.mark.parametrize("encoding", ["utf-16", "cp1252"])
def test_another_encoding_is_refused(lot: Path, encoding: str) -> None:
    lot.write_text(GOOD.replace("A-1", "Ä-1"), encoding=encoding)
    with pytest.raises(Refusal, match=r"not UTF-8 text|not a text file"):
        read_lot(lot)


def test_the_command_says_it_in_one_line(lot: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lot.write_text(GOOD.replace("passage = 4", "passage = 400"), encoding="utf-8")
    with pytest.raises(SystemExit) as left:
        main(["lot", str(lot), "--out", str(lot.with_name("card"))])
    said = capsys.readouterr()
    assert left.value.code == 2 and said.out == "" and said.err.count("\n") == 1
    assert "allowed: at most 100" in said.err and not lot.with_name("card").exists()


def test_any_subset_will_do(lot: Path) -> None:
    lot.write_text("schema = 1\n", encoding="utf-8")
    found = read_lot(lot)
    assert found.lot == "lot" and found.unstated == ("source", "passage", "cryopreserved", "viability")
    lot.write_text(GOOD, encoding="utf-8")
    assert read_lot(lot).donor is not None


def test_the_schema_is_published_and_knows_the_examples(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import tomllib

    with pytest.raises(SystemExit) as left:
        main(["schema", "lot"])
    schema = json.loads(capsys.readouterr().out)
    assert left.value.code in (0, None) and schema == json.loads(json.dumps(lot_schema()))
    Draft202012Validator.check_schema(schema)
    for path in sorted((root / "examples" / "lots").glob("*.toml")):
        stated = tomllib.loads(path.read_text(encoding="utf-8"))
        assert list(Draft202012Validator(schema).iter_errors(stated)) == [], path.name
    assert list(Draft202012Validator(schema).iter_errors({"schema": 1, "passage": 400}))
