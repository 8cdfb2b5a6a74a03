"""A disease file that cannot be used is refused by name, file and line."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.refused import changed, points_at

from mesolung.biology.disease import read_disease
from mesolung.reading import Refusal

DISEASE = """\
name = "example"
label = "an example"

[course]
length = "30 d"
sampled_every = "12 h"

[onset]
observable = "IFN"
above = 3.0

[[group]]
name = "direct"
share = 0.6
[[group]]
name = "indirect"
share = 0.4

[[driver]]
group = "direct"
target = "BAC"
amount = { distribution = "lognormal", value = 10.0, sd = 1.0, unit = "MCFU" }
share = 0.9
[[driver]]
target = "insult_epithelium"
amount = { value = 0.2, unit = "1", correlation = { inflammation_gain = 0.4 } }
time = { distribution = "normal", value = 2.0, sd = 0.5, unit = "d", min = 0.0 }
duration = { distribution = "lognormal", value = 12.0, sd = 0.3, unit = "h" }

[criteria]
pf_ratio = { min = 50.0, max = 300.0 }
age = { max = 80.0 }

[delay]
value = 1.0
unit = "d"

[covariates]
age = { distribution = "normal", value = 60.0, sd = 10.0, unit = "year", min = 18.0 }
female = { distribution = "share", value = 0.4 }
"""

SLIPS = {
    "unknown key at the top": (
        'label = "an example"',
        'label = "an example"\nphase = 2',
        3,
        "unknown key of the file",
    ),
    "unknown key of the course": ('length = "30 d"', 'length = "30 d"\nspan = 3', 6, "unknown key of course"),
    "unknown key of the onset": ("above = 3.0", "above = 3.0\nbelow = 9.0", 11, "unknown key of onset"),
    "unknown key of a group": ("share = 0.6", "share = 0.6\npart = 1", 15, "unknown key of group"),
    "unknown key of a driver": ("share = 0.9", "shares = 0.9", 23, "unknown key of driver"),
    "unknown key of a repeat": (
        "duration = {",
        'repeat = { often = 3, every = "1 d", until = "9 d" }\nduration = {',
        28,
        "unknown key of driver.repeat",
    ),
    "a repeat without how often": (
        "duration = {",
        'repeat = { until = "9 d" }\nduration = {',
        28,
        "repeat needs one of every and rate",
    ),
    "a repeat without end": (
        "duration = {",
        'repeat = { every = "1 d" }\nduration = {',
        28,
        "driver.repeat lacks until",
    ),
    "a repeat that ends before it begins": (
        "duration = {",
        'repeat = { every = "1 d", from = "9 d", until = "3 d" }\nduration = {',
        28,
        "until is not after from",
    ),
    "a repeat at every moment": (
        "duration = {",
        'repeat = { every = "0 d", until = "3 d" }\nduration = {',
        28,
        "every is no time",
    ),
    "a repeat that comes too often": (
        "duration = {",
        'repeat = { every = "1 min", until = "30 d" }\nduration = {',
        28,
        "it comes too often (found up to 43201; allowed: up to 1000 times)",
    ),
    "chance with a time": (
        "duration = {",
        'repeat = { rate = { value = 2.0, unit = "1/d" }, until = "9 d" }\nduration = {',
        27,
        "what comes by chance has no time of its own",
    ),
    "a rate in no unit of a rate": (
        "duration = {",
        'repeat = { rate = { value = 2.0, unit = "d" }, until = "9 d" }\nduration = {',
        28,
        "not a unit of a rate",
    ),
    "a rate without a largest one": (
        "duration = {",
        'repeat = { until = "9 d", rate = { distribution = "lognormal", value = 2, sd = 1, unit = "1/d" } }'
        "\nduration = {",
        28,
        "a rate that differs between subjects needs a largest one",
    ),
    "unknown key of an amount": ("sd = 1.0, unit", "spread = 1.0, unit", 22, "unknown key of driver.amount"),
    "unknown key of a criterion": ("{ max = 80.0 }", "{ most = 80.0 }", 32, "unknown key of criteria.age"),
    "unknown key of a covariate": (
        "value = 0.4 }",
        "value = 0.4, of = 1 }",
        40,
        "unknown key of covariates.female",
    ),
    "no name": ('name = "example"\n', "", 1, "the file lacks name"),
    "no label": ('label = "an example"\n', "", 1, "the file lacks label"),
    "no course": ('[course]\nlength = "30 d"\nsampled_every = "12 h"\n', "", 1, "the file lacks course"),
    "no length": ('length = "30 d"\n', "", 4, "course lacks length"),
    "no target": ('target = "BAC"\n', "", 19, "driver lacks target"),
    "no amount": ("amount = { value = 0.2", "share = 0.2\n# { value = 0.2", 24, "driver lacks amount"),
    "no value": ("{ value = 0.2, unit", "{ unit", 26, "driver.amount lacks value"),
    "no sd": ("value = 10.0, sd = 1.0,", "value = 10.0,", 22, "driver.amount lacks sd"),
    "no threshold of the onset": ("above = 3.0\n", "", 8, "onset lacks above"),
    "no unit of a time": ("value = 1.0\nunit", "value = 1.0\n# unit", 34, "delay lacks unit"),
    "unknown target": (
        'target = "BAC"',
        'target = "BUG"',
        21,
        "names what is no state or parameter of the model",
    ),
    "an observable as target": (
        'target = "BAC"',
        'target = "pf_ratio"',
        21,
        "names what is no state or parameter of the model (found pf_ratio",
    ),
    "unknown observable of the onset": (
        '"IFN"',
        '"IFM"',
        9,
        "names what is no state or observable of the model",
    ),
    "unknown observable of a criterion": (
        "pf_ratio = {",
        "pf_ration = {",
        31,
        "names what is no state or observable of the model (found pf_ration; allowed: pf_ratio",
    ),
    "a criterion on a parameter": (
        "pf_ratio = {",
        "inflammation_gain = {",
        31,
        "names what is no state or observable of the model",
    ),
    "unknown parameter of a correlation": (
        "inflammation_gain = 0.4",
        "inflammation_grain = 0.4",
        26,
        "correlated with what does not differ between subjects (found inflammation_grain;",
    ),
    "correlation with what does not differ": (
        "inflammation_gain = 0.4",
        "VIR_extinct = 0.4",
        26,
        "correlated with what does not differ between subjects (found VIR_extinct;",
    ),
    "correlations above 1": (
        "inflammation_gain = 0.4",
        "inflammation_gain = 1.4",
        26,
        "the squares of the correlations add up to more than 1",
    ),
    "unknown covariate": ("female = {", "shoe_size = {", 40, "unknown covariate (found shoe_size;"),
    "unknown group": ('group = "direct"', 'group = "other"', 20, "unknown group (found other;"),
    "a group twice": ('name = "indirect"', 'name = "direct"', 16, "a group stands twice (found direct)"),
    "shares that do not add up": (
        "share = 0.4",
        "share = 0.5",
        14,
        "the shares of the groups do not add up to 1",
    ),
    "a share above 1": ("share = 0.9", "share = 1.9", 23, "share is no share (found 1.9;"),
    "unit of a state": (
        'unit = "MCFU"',
        'unit = "CFU"',
        22,
        "the unit of the amount does not fit BAC (found CFU;",
    ),
    "unknown unit": (
        'unit = "MCFU"',
        'unit = "bugs"',
        22,
        "the unit of the amount does not fit BAC (found bugs;",
    ),
    "unit of a total": (
        'value = 0.2, unit = "1"',
        'value = 0.2, unit = "1/h"',
        26,
        "the unit of the amount does not fit insult_epithelium (found 1/h; allowed: per_h times h",
    ),
    "unit of a rate": (
        "duration = {",
        "# {",
        26,
        "the unit of the amount does not fit insult_epithelium (found 1; allowed: per_h",
    ),
    "unit of a covariate": (
        'unit = "year"',
        'unit = "month"',
        39,
        "the unit of age does not fit (found month;",
    ),
    "unit of a time": ('unit = "d"\n\n', 'unit = "kg"\n\n', 36, "not a unit of time (found kg;"),
    "a state over time": (
        "share = 0.9",
        'duration = { value = 2.0, unit = "h" }',
        23,
        "the state BAC is given at once (allowed: the target rate_BAC)",
    ),
    "unknown distribution": (
        '"lognormal", value = 10.0',
        '"gamma", value = 10.0',
        22,
        "unknown distribution",
    ),
    "negative sd": ("sd = 1.0, unit", "sd = -1.0, unit", 22, "sd is negative (found -1;"),
    "sd of a fixed number": ("{ value = 0.2,", "{ value = 0.2, sd = 1.0,", 26, "what is fixed has no sd"),
    "median of 0 on the log scale": ("value = 10.0", "value = 0.0", 22, "a lognormal median must be above 0"),
    "min above max of a spread": (
        "sd = 1.0, unit",
        "sd = 1.0, min = 20.0, max = 15.0, unit",
        22,
        "min is above max (found 20;",
    ),
    "median beyond the bounds": (
        "min = 18.0",
        "min = 65.0",
        39,
        "the median lies beyond min or max (found 60;",
    ),
    "min above max of a criterion": (
        "min = 50.0",
        "min = 500.0",
        31,
        "min of pf_ratio is above max (found 500;",
    ),
    "a criterion that bounds nothing": ("{ max = 80.0 }", "{}", 32, "the criterion age bounds nothing"),
    "an amount below 0": ("{ value = 0.2,", "{ value = -0.2,", 26, "some subjects would have too little"),
    "an amount that may be below 0": (
        '"lognormal", value = 10.0',
        '"normal", value = 10.0',
        22,
        "some subjects would have too little",
    ),
    "a time before the course": (", min = 0.0 }", " }", 27, "some subjects would have too little"),
    "a duration of nothing": (
        'duration = { distribution = "lognormal", value = 12.0, sd = 0.3,',
        "duration = { value = 0.0,",
        28,
        "some subjects would have too little",
    ),
    "text for a number": ("above = 3.0", 'above = "3"', 10, "above is no finite number"),
    "yes for a number": ("above = 3.0", "above = true", 10, "above is no finite number"),
    "not finite": ("above = 3.0", "above = inf", 10, "above is no finite number"),
    "a number for a table": ("{ max = 80.0 }", "80.0", 32, "age is no table"),
    "a number for text": ('"an example"', "7", 2, "label is no text"),
    "a number for a length": ('"30 d"', '"30"', 5, "length is no length of time (found 30;"),
    "a negative length": ('"30 d"', '"-30 d"', 5, "length is no length of time (found -30 d;"),
    "unknown parent": (
        'label = "an example"',
        'extends = "flu"\nlabel = "an example"',
        2,
        "extends an unknown disease",
    ),
    "a path as name": ('"example"', '"../example"', 1, "the name is no name of a disease (found ../example;"),
    "a length of nothing": ('"30 d"', '"0 d"', 5, "length is impossible (found 0 h; allowed: more than 0 h)"),
    "samples at no interval": ('"12 h"', '"0 h"', 6, "sampled_every is impossible (found 0 h;"),
    "samples beyond the course": ('"12 h"', '"31 d"', 6, "sampled_every is impossible (found 744 h;"),
    "an onset at a time too": (
        "above = 3.0",
        'above = 3.0\ntime = "3 d"',
        11,
        "onset has an observable and a",
    ),
    "a negative delay": (
        "value = 1.0\nunit",
        "value = -1.0\nunit",
        35,
        "some subjects would have too little",
    ),
    "one group": (
        '[[group]]\nname = "indirect"\nshare = 0.4\n',
        "",
        14,
        "the shares of the groups do not add up to 1 (found 0.6)",
    ),
    "itself as parent": (
        'label = "an example"',
        'extends = "example"\nlabel = "an example"',
        2,
        "extends itself",
    ),
}


def written(folder: Path, text: str, name: str = "example") -> Path:
    file = folder / f"{name}.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_the_example_is_read_from_its_path(tmp_path: Path) -> None:
    disease = read_disease(written(tmp_path, DISEASE))
    assert disease.groups == (("direct", 0.6), ("indirect", 0.4))
    assert [d.target for d in disease.drivers] == ["BAC", "insult_epithelium"]
    assert (disease.drivers[1].time.value, disease.drivers[1].time.sd) == (48.0, 12.0)
    assert (disease.drivers[1].duration is not None, disease.delay.value) == (True, 24.0)
    assert disease.delay_from_onset == disease.delay
    assert [c.name for c in disease.criteria] == ["pf_ratio", "age"]


@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_is_refused_where_it_is(tmp_path: Path, slip: str) -> None:
    old, new, line, problem = SLIPS[slip]
    file = written(tmp_path, changed(DISEASE, old, new))
    with pytest.raises(Refusal) as caught:
        read_disease(file)
    points_at(caught.value, file, line, problem)


def test_what_a_disease_inherits_is_refused_where_it_stands(tmp_path: Path) -> None:
    parent = written(tmp_path, DISEASE.replace('"IFN"', '"IFM"'), "parent")
    child = written(tmp_path, 'extends = "parent"\nname = "child"\n', "child")
    with pytest.raises(Refusal) as caught:
        read_disease(child)
    points_at(caught.value, parent, 9, "names what is no state or observable")


def test_a_child_takes_what_it_does_not_say_itself(tmp_path: Path) -> None:
    written(tmp_path, DISEASE, "parent")
    text = 'extends = "parent"\nname = "child"\n[covariates]\nage = { value = 40.0, unit = "year" }\n'
    child, parent = read_disease(written(tmp_path, text, "child")), read_disease(tmp_path / "parent.toml")
    assert (child.name, child.label) == ("child", "an example")
    assert child.drivers == parent.drivers
    assert (child.covariates["age"].value, child.covariates["female"]) == (40.0, parent.covariates["female"])
    assert child.hash != parent.hash


def test_text_that_is_no_toml_is_refused_with_its_line(tmp_path: Path) -> None:
    file = written(tmp_path, DISEASE.replace("above = 3.0", "above = "))
    with pytest.raises(Refusal, match=r"example\.toml:10: "):
        read_disease(file)
    with pytest.raises(Refusal, match="no such file"):
        read_disease(tmp_path / "nothing.toml")
