"""What the model does not have yet is read, answered as such with the reason, and never a refused file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from mesolung.biology.tables import reserved
from mesolung.report import report_html, terminal_table
from mesolung.study import Study, inputs_sha256, read_study
from mesolung.study.modelled import left_out, modelled_part, not_modelled
from mesolung.study.result import json_text, write_run_folder
from mesolung.study.run import run_study
from mesolung.study.schema import result_schema
from mesolung.study.unanswered import NOT_MODELLED, unanswered

ACUTE = """
schema = 1
name = "some of it"
disease = "covid19-ards"
duration = "2 year"
[population]
size = 90
[population.baseline]
age = { mean = 58, sd = 11, unit = "year" }
bmi = "28 kg/m2"
[population.correlation]
"age, bmi" = 0.2
[population.background]
dexamethasone = { share = 0.8, start = "-2 d" }
ecmo = 0.1
[[arm]]
name = "cells"
ratio = 1
[[arm.treatment]]
product = { source = "umbilical cord" }
dose = "100e6 cells"
route = "intravenous"
times = ["0 d", "3 d"]
[[arm]]
name = "drug"
ratio = 1
[[arm.treatment]]
product = { type = "drug", name = "azithromycin" }
dose = "500 mg"
route = "oral"
times = ["0 d"]
[[arm]]
name = "none"
ratio = 1
[[endpoint]]
name = "mortality"
time = "28 d"
[[endpoint]]
name = "ferritin"
time = "7 d"
"""
SEEN = """
[[observation]]
arm = "{arm}"
endpoint = "{endpoint}"
time = "{time}"
{said}
"""
EVENTS = "events = 3\nn = 12"
MOUSE = """
schema = 1
name = "mice"
kind = "animal"
disease = "lps"
species = "mouse"
origin = "injury"
duration = "48 h"
[injury]
agent = "lps"
amount = "5 mg/kg"
route = "intratracheal"
[[arm]]
name = "sham"
size = 6
injury = "none"
[[arm]]
name = "lps"
size = 6
[[arm]]
name = "cells"
size = 6
[[arm.treatment]]
product = { source = "bone marrow" }
dose = "7.5e5 cells"
route = "intratracheal"
times = ["4 h"]
[[observation]]
arm = "cells"
endpoint = "bal_tnf"
time = "48 h"
mean = 0.174
sd = 0.092
unit = "ng/mL"
n = 6
[[observation]]
arm = "cells"
endpoint = "survival"
time = "48 h"
events = 5
n = 6
[[observation]]
arm = "cells"
endpoint = "wet_dry"
time = "unknown"
direction = "lower"
versus = "lps"
[[observation]]
endpoint = "wet_dry"
time = "48 h"
order = ["sham", "cells", "lps"]
"""


@pytest.fixture
def study_of(tmp_path: Path):
    """Read a study from text."""

    def read(content: str) -> Study:
        path = tmp_path / "study.toml"
        path.write_text(content, encoding="utf-8")
        return read_study(path)

    return read


def seen(arm: str, endpoint: str, time: str, said: str = EVENTS) -> str:
    """An observation as TOML."""
    return SEEN.format(arm=arm, endpoint=endpoint, time=time, said=said)


def test_each_observation_has_its_own_reason(study_of) -> None:
    study = study_of(
        ACUTE
        + seen("cells", "mortality", "28 d")
        + seen("drug", "mortality", "28 d")
        + seen("cells", "mortality", "2 year")
        + seen("none", "ferritin", "7 d", 'median = 800\niqr = [500, 1500]\nunit = "ug/L"')
        + seen("none", "il6", "7 d", 'direction = "lower"\nversus = "drug"')
        + seen("none", "il6", "-1 d", "value = 40")
        + seen("cells", "mortality", "14 d", EVENTS + '\nwhere = "bmi >= 30 kg/m2"')
    )
    reasons = not_modelled(study)
    assert list(reasons) == [1, 2, 3, 4, 5, 6]
    for index, words in {1: "drug", 2: "366 d", 3: "ferritin", 4: "arm drug", 5: "before", 6: "bmi"}.items():
        assert words in reasons[index]
    assert reserved()["background", "azithromycin"] in reasons[1]


def test_the_rest_is_simulated_as_if_it_were_all(study_of) -> None:
    study = study_of(ACUTE + seen("drug", "mortality", "28 d") + seen("cells", "mortality", "14 d"))
    part = modelled_part(study)
    assert part is not None
    assert [arm.name for arm in part.arms] == ["cells", "none"] and part.population.size == 60
    assert [o.index for o in part.observations] == [1] and [e.name for e in part.endpoints] == ["mortality"]
    assert part.duration_h == 28 * 24.0, "a long study is followed as far as something is asked"
    for table in (part.population.baseline, *(arm.baseline for arm in part.arms)):
        assert set(table) == {"age"}
    assert part.population.correlation == ()
    for care in (part.population.background, *(arm.background for arm in part.arms)):
        assert set(care) == {"dexamethasone"}
        assert (care["dexamethasone"].start_h, care["dexamethasone"].duration_h) == (0.0, 8 * 24.0)
    said = " ".join(left_out(study))
    for words in ("arm drug", "ferritin", "bmi", "dexamethasone before enrolment", "ecmo", "366 d"):
        assert words in said


def test_a_study_that_is_all_modelled_is_the_part(root: Path) -> None:
    study = read_study(root / "examples" / "lanzoni-2021.toml")
    assert modelled_part(study) is study and not_modelled(study) == {} and left_out(study) == []


def test_a_drug_that_arms_differ_in_is_not_left_out_of_them(study_of) -> None:
    own = '[arm.background]\nazithromycin = 1.0\n[[arm]]\nname = "drug"'
    study = study_of(ACUTE.replace('[[arm]]\nname = "drug"', own) + seen("cells", "mortality", "28 d"))
    assert "azithromycin" in not_modelled(study)[0]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('"covid19-ards"', '"covid19-ards"\ninjury = { agent = "lps" }', 'injury by "lps" waits for'),
        ('"covid19-ards"', '"covid19-ards"\norigin = "injury"', 'origin "injury" waits for'),
    ],
)
def test_nothing_of_what_is_wholly_unknown_is_simulated(study_of, old: str, new: str, words: str) -> None:
    study = study_of(ACUTE.replace(old, new) + seen("cells", "mortality", "28 d"))
    assert words in not_modelled(study)[0]
    assert modelled_part(study) is None and len(left_out(study)) == 1


def test_a_run_of_what_is_not_modelled_says_so_everywhere(study_of, tmp_path: Path) -> None:
    study = study_of(MOUSE.replace('origin = "injury"', 'origin = "onset"'))
    result = run_study(study, replicates=7, seed=3)
    json: dict[str, Any] = dict(result.json)
    assert list(Draft202012Validator(result_schema()).iter_errors(json)) == []
    assert (json["replicates"], json["seed"], json["inputs_sha256"]) == (7, 3, inputs_sha256(study))
    assert [o["index"] for o in json["observations"]] == [0, 1, 2, 3]
    assert [o["observed"] for o in json["observations"]] == [
        pytest.approx(0.174),
        5,
        "lower",
        ["sham", "cells", "lps"],
    ]
    for one in json["observations"]:
        assert one["status"] == NOT_MODELLED and "onset" in one["reason"]
        assert one["log_score"] is None and one["p50"] is None and one["inside_90"] is None
    assert json["observations"][0]["unit"] == "ng/mL"
    assert json["arms"] == {} and len(json["warnings"]) == 1
    assert result.manifest["complete"] and json_text(json)
    folder = tmp_path / "folder"
    folder.mkdir()
    write_run_folder(result, folder)
    assert len(list(folder.glob("*.parquet"))) == 5
    page = report_html(result)
    assert "Nothing was simulated" in page and "not modelled yet" in page and "in an experiment" in page
    from rich.console import Console

    console = Console(width=100, file=(tmp_path / "table.txt").open("w", encoding="utf-8"))
    console.print(terminal_table(result))
    console.file.close()
    table = (tmp_path / "table.txt").read_text(encoding="utf-8")
    assert "not modelled yet, 4 observations" in table


def test_entries_keep_what_was_printed(study_of) -> None:
    study = study_of(
        ACUTE
        + seen("drug", "mortality", "28 d", 'contrast = "risk_ratio"\nvalue = 0.5\nversus = "none"\nn = 40')
        + seen(
            "drug", "pf_ratio", "7 d", 'as = "percent_change"\nmean = 30\nse = 10\nsource = { version = "a" }'
        )
    )
    ratio, change = unanswered(study)
    assert (ratio["statistic"], ratio["observed"], ratio["versus"], ratio["unit"]) == (
        "contrast",
        0.5,
        "none",
        None,
    )
    assert (change["observed"], change["unit"], change["as"], change["version"]) == (
        30,
        "percent",
        "percent_change",
        "a",
    )
    assert change["endpoint"] == "pf_ratio@7d"
