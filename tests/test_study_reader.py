"""A study file becomes the study that it says, in base units, whatever its order and formatting."""

from __future__ import annotations

import copy
import random
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from mesolung.reading import Refusal
from mesolung.study import Study, canonical, inputs_sha256, read_study


@pytest.fixture(scope="module")
def text(root: Path) -> str:
    """The text of the example study."""
    return (root / "examples" / "lanzoni-2021.toml").read_text(encoding="utf-8")


@pytest.fixture
def study_of(tmp_path: Path):
    """Read a study from text."""

    def read(content: str) -> Study:
        path = tmp_path / "study.toml"
        path.write_text(content, encoding="utf-8")
        return read_study(path)

    return read


def changed(text: str, *swaps: tuple[str, str]) -> str:
    """The text with some parts exchanged, each of which must be there."""
    for old, new in swaps:
        assert old in text
        text = text.replace(old, new, 1)
    return text


def test_the_example_is_read_as_it_stands(root: Path) -> None:
    study = read_study(root / "examples" / "lanzoni-2021.toml")
    assert (study.kind, study.species, study.origin, study.disease) == (
        "trial",
        "human",
        "enrolment",
        "covid19-ards",
    )
    assert study.registry == "NCT04355728" and study.randomised and study.blinded
    assert study.duration_h == 672.0 and study.population.size == 24
    cells, vehicle = study.arms
    assert (cells.name, cells.size, cells.control) == ("UC-MSC", 12, False)
    assert (vehicle.name, vehicle.size, vehicle.control) == ("vehicle", 12, True)
    assert study.control is vehicle and vehicle.treatments == ()
    (dose,) = cells.treatments
    assert (dose.dose, dose.dose_unit, dose.dose_basis) == (100e6, "cells", "counted")
    assert (dose.route, dose.times_h, dose.infusion_h) == ("intravenous", (0.0, 72.0), None)
    assert (dose.product.source, dose.product.cryopreserved, dose.product.passage) == (
        "umbilical cord",
        True,
        None,
    )
    (primary,) = study.endpoints
    assert (primary.name, primary.time_h, primary.contrast) == ("mortality", 672.0, "risk_ratio")
    first, second = study.observations
    assert (first.index, first.form, first.arm, first.events, first.n) == (0, "events", ("UC-MSC",), 1, 12)
    assert (second.index, second.arm, second.events, second.source.status) == (1, ("vehicle",), 7, "derived")


def test_usual_care_is_in_base_units_and_every_arm_has_it(text: str, study_of) -> None:
    study = study_of(text)
    drug = study.population.background["dexamethasone"]
    assert (drug.share, drug.dose, drug.start_h, drug.duration_h, drug.every_h) == (
        0.8,
        6.0,
        0.0,
        240.0,
        None,
    )
    assert study.population.background["heparin"].share == 1.0
    for arm in study.arms:
        assert arm.background == study.population.background and not arm.has_own_background


def test_an_arm_inherits_what_it_does_not_restate(text: str, study_of) -> None:
    study = study_of(text)
    for arm, mean, median in zip(study.arms, (58.6, 58.8), (124.0, 108.5), strict=True):
        assert arm.has_own_baseline
        assert (arm.baseline["age"].mean, arm.baseline["age"].min) == (mean, 18.0)
        assert (arm.baseline["pf_ratio"].median, arm.baseline["pf_ratio"].max) == (median, 300.0)


def test_an_arm_replaces_location_and_spread_together(text: str, study_of) -> None:
    arm = study_of(
        changed(text, ("pf_ratio = { median = 124, iqr = [68, 164]", "pf_ratio = { mean = 130, sd = 50"))
    ).arms[0]
    line = arm.baseline["pf_ratio"]
    assert (line.mean, line.sd, line.median, line.iqr, line.max) == (130.0, 50.0, None, None, 300.0)


def test_an_arm_that_restates_one_thing_of_a_drug_keeps_the_rest(text: str, study_of) -> None:
    own = '[arm.background]\ndexamethasone = 0.5\nheparin = { start = "1 d" }\n'
    arm = study_of(changed(text, ("control = true\n", "control = true\n" + own))).arms[1]
    drug, switch = arm.background["dexamethasone"], arm.background["heparin"]
    assert arm.has_own_background
    assert (drug.share, drug.dose, drug.duration_h) == (0.5, 6.0, 240.0)
    assert (switch.share, switch.start_h) == (1.0, 24.0)


def test_a_unit_not_restated_is_the_population_s(text: str, study_of) -> None:
    swaps = (
        (
            'median = 116, iqr = [68, 165], unit = "mmHg", max = 300',
            'median = 15.5, iqr = [9, 22], unit = "kPa", max = 40',
        ),
        ('median = 124, iqr = [68, 164], unit = "mmHg"', "median = 16.5, iqr = [9, 22]"),
    )
    study = study_of(changed(text, *swaps))
    assert study.population.baseline["pf_ratio"].median == pytest.approx(15.5 * 7.50062, rel=1e-5)
    assert study.arms[0].baseline["pf_ratio"].median == pytest.approx(16.5 * 7.50062, rel=1e-5)
    line = study.arms[1].baseline["pf_ratio"]
    assert line.unit == "mmHg" and line.median == 108.5
    assert line.max == pytest.approx(40 * 7.50062, rel=1e-5), "a bound keeps its meaning under another unit"


@pytest.mark.parametrize(
    ("line", "name", "expected"),
    [
        ("female = 0.3", "female", {"share": 0.3}),
        ('female = "30 %"', "female", {"share": 0.3}),
        ("female = { share = 0.3 }", "female", {"share": 0.3}),
        ('weight = "82 kg"', "weight", {"mean": 82.0}),
        ('weight = { mean = 82000, sd = 17000, unit = "g" }', "weight", {"mean": 82.0, "sd": 17.0}),
        ("sofa = { median = 7, iqr = [5, 9] }", "sofa", {"median": 7.0, "iqr": (5.0, 9.0)}),
        ("sofa = 7", "sofa", {"mean": 7.0}),
        ('il6 = { min = 0.08, unit = "ng/mL" }', "il6", {"min": 80.0}),
        ("m2_fraction = { mean = 0.3 }", "m2_fraction", {"mean": 0.3}),
    ],
)
def test_a_line_of_table_1_may_be_written_in_many_ways(
    text: str, study_of, line: str, name: str, expected: dict[str, Any]
) -> None:
    study = study_of(changed(text, ("[population.background]", f"{line}\n[population.background]")))
    found = study.population.baseline[name].model_dump(exclude_none=True, exclude={"unit"})
    assert found.keys() == expected.keys()
    for key, value in expected.items():
        assert found[key] == pytest.approx(value)
    assert study.arms[1].baseline[name] == study.population.baseline[name]


@pytest.mark.parametrize(
    ("dose", "value", "unit"),
    [
        ("100e6 cells", 100e6, "cells"),
        ("1e6 cells/kg", 1e6, "cells/kg"),
        ("1000 cells/g", 1e6, "cells/kg"),
        ("10e6 cells/kg PBW", 10e6, "cells/kg PBW"),
    ],
)
def test_a_dose_per_predicted_weight_is_not_one_per_weight(text, study_of, dose, value, unit) -> None:
    (treatment,) = study_of(changed(text, ("100e6 cells", dose))).arms[0].treatments
    assert treatment.dose == pytest.approx(value) and treatment.dose_unit == unit


@pytest.mark.parametrize(
    ("times", "hours"),
    [
        ('["3 d", "0 d"]', (0.0, 72.0)),
        ('["90 min"]', (1.5,)),
        ('{ start = "1 d", every = "48 h", count = 3 }', (24.0, 72.0, 120.0)),
    ],
)
def test_times_are_hours_since_enrolment(text: str, study_of, times: str, hours: tuple[float, ...]) -> None:
    (treatment,) = study_of(changed(text, ('["0 d", "3 d"]', times))).arms[0].treatments
    assert treatment.times_h == pytest.approx(hours)


def test_the_control_is_the_only_untreated_arm_unless_the_file_says_so(text: str, study_of) -> None:
    assert study_of(changed(text, ("control = true\n", ""))).arms[1].control
    assert not study_of(changed(text, ("control = true\n", "control = false\n"))).arms[1].control
    third = '\n[[arm]]\nname = "usual care"\nsize = 1\n'
    two = changed(text, ("size = 24", "size = 25"), ("control = true\n", third))
    # The lines of the vehicle's table 1 now belong to the third arm, which does not matter here.
    assert study_of(two).control is None


def test_an_active_control_may_be_treated(text: str, study_of) -> None:
    swaps = (
        ("control = true\n", ""),
        ('name = "UC-MSC"\nsize = 12', 'name = "UC-MSC"\nsize = 12\ncontrol = true'),
    )
    assert [arm.control for arm in study_of(changed(text, *swaps)).arms] == [True, False]


FORMS = {
    'mean = 20\nsd = 5\nn = 12\nunit = "kPa"': {"form": "mean", "mean": 150.012, "sd": 37.503, "n": 12},
    "mean = 150\nci95 = [120, 180]": {"form": "mean", "mean": 150.0, "ci95": (120.0, 180.0)},
    "median = 150\niqr = [100, 200]": {"form": "median", "median": 150.0, "iqr": (100.0, 200.0)},
    "value = 150": {"form": "value", "value": 150.0},
    'contrast = "difference"\nvalue = 4\nci95 = [1, 7]\nunit = "kPa"\nversus = "UC-MSC"': {
        "form": "contrast",
        "value": 30.0025,
        "ci95": (7.50062, 52.5043),
    },
    'contrast = "ratio"\nvalue = 1.2\np = 0.04\nversus = "UC-MSC"': {
        "form": "contrast",
        "value": 1.2,
        "p": 0.04,
    },
    'direction = "higher"\nversus = "baseline"\nalpha = 0.1': {"form": "direction", "alpha": 0.1},
    'as = "percent_change"\nmean = 30\nse = 10': {"form": "mean", "mean": 30.0, "as_": "percent_change"},
}


@pytest.mark.parametrize(("written", "expected"), FORMS.items())
def test_every_form_of_observation_is_read_in_the_endpoint_s_unit(
    text: str, study_of, written: str, expected: dict[str, Any]
) -> None:
    old = 'endpoint = "mortality"\ntime = "28 d"\nevents = 7\nn = 12'
    found = study_of(changed(text, (old, f'endpoint = "pf_ratio"\ntime = "7 d"\n{written}'))).observations[1]
    for key, value in expected.items():
        assert getattr(found, key) == (
            pytest.approx(value, rel=1e-5) if not isinstance(value, str) else value
        )


VERSION = """
[[observation]]
arm = "vehicle"
endpoint = "mortality"
time = "28 d"
events = {events}
n = 12
source = {{ version = "{version}" }}
"""


def test_versions_of_one_result_may_stand_side_by_side(text: str, study_of) -> None:
    old = 'arm = "vehicle"\nendpoint = "mortality"'
    preprint = VERSION.format(events=6, version="preprint")
    final = VERSION.format(events=7, version="final")
    other = changed(text, (old, 'arm = ["vehicle", "UC-MSC"]\nendpoint = "mortality"'))
    assert len(study_of(other + preprint + final).observations) == 4
    with pytest.raises(Refusal, match="the same observation twice"):
        study_of(other + preprint + preprint)
    with pytest.raises(Refusal, match=r"toml:\d+: the same observation twice \(found also on line \d+"):
        study_of(text + final)


def test_orders_and_pooled_arms_are_read(text: str, study_of) -> None:
    old = 'arm = "vehicle"\nendpoint = "mortality"\ntime = "28 d"\nevents = 7\nn = 12'
    plan = 'endpoint = "mortality"\ntime = "28 d"\n'
    ordered = study_of(changed(text, (old, plan + 'order = ["UC-MSC", "vehicle"]'))).observations[1]
    assert (ordered.form, ordered.arm, ordered.order) == ("order", (), ("UC-MSC", "vehicle"))
    pooled = study_of(
        changed(text, (old, plan + 'arm = ["UC-MSC", "vehicle"]\nevents = 8\nn = 24'))
    ).observations[1]
    assert pooled.arm == ("UC-MSC", "vehicle")


def test_a_study_never_changes(text: str, study_of) -> None:
    study = study_of(text)
    with pytest.raises(ValidationError):
        study.name = "another"
    with pytest.raises(TypeError):
        study.population.baseline["age"] = study.population.baseline["pf_ratio"]


def test_a_study_knows_its_text_and_lines(text: str, study_of) -> None:
    study = study_of(text)
    assert study.text == text and str(study.file).endswith("study.toml")
    assert text.splitlines()[study.line("arm", 0, "treatment", 0, "dose") - 1].startswith("dose")
    assert text.splitlines()[study.line("population", "baseline", "age", "sd") - 1].startswith("age")


# One study, however it is written

SAME = {
    "comments": (("schema   = 1", "# a comment\n\nschema = 1 # another"),),
    "units of time": (('duration = "28 d"', 'duration = "672 h"'), ('["0 d", "3 d"]', '["72 h", "0 min"]')),
    "number formats": (("100e6 cells", "100000000.0 cells"), ("mean = 58.7", "mean = 5.870e1")),
    "unit of a dose": (('dose = "6 mg"', 'dose = "6000 ug"'),),
    "quotes": (('name = "vehicle"', "name = 'vehicle'"),),
    "defaults": (('species  = "human"\n', ""), ('kind     = "trial"\n', ""), ("control = true\n", "")),
    "sums": (("size = 24\n", "size = 24 # as the arms\n"),),
    "long form": (("heparin = 1.0", "heparin = { share = 1 }"),),
    "restated": (
        (
            'unit = "year" }\npf_ratio = { median = 124',
            'unit = "year", min = 18 }\npf_ratio = { median = 124',
        ),
    ),
}


@pytest.mark.parametrize("swaps", SAME.values(), ids=SAME)
def test_formatting_does_not_change_the_hash(text: str, study_of, swaps: tuple[tuple[str, str], ...]) -> None:
    first, second = study_of(text), study_of(changed(text, *swaps))
    assert canonical(first) == canonical(second)
    assert inputs_sha256(first) == inputs_sha256(second)
    assert first == second


OTHER = {
    "dose": (("100e6 cells", "101e6 cells"),),
    "time": (('"3 d"]', '"4 d"]'),),
    "product": (("cryopreserved = true", "cryopreserved = false"),),
    "what is known of the product": (("cryopreserved = true", "cryopreserved = true, passage = 4"),),
    "name": (('name = "vehicle"', 'name = "placebo"'), ('arm = "vehicle"', 'arm = "placebo"')),
    "table 1": (("mean = 58.8", "mean = 58.9"),),
    "observation": (("events = 7", "events = 8"),),
    "control": (("control = true", "control = false"),),
}


@pytest.mark.parametrize("swaps", OTHER.values(), ids=OTHER)
def test_what_is_said_changes_the_hash(text: str, study_of, swaps: tuple[tuple[str, str], ...]) -> None:
    assert inputs_sha256(study_of(text)) != inputs_sha256(study_of(changed(text, *swaps)))


def test_a_stated_value_is_not_an_assumed_one(text: str, study_of) -> None:
    unstated = study_of(changed(text, ('source = "umbilical cord", ', "")))
    stated = study_of(changed(text, ('source = "umbilical cord"', 'source = "other"')))
    assert inputs_sha256(unstated) != inputs_sha256(stated)


@given(seed=st.integers(0, 10_000))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_order_of_arms_observations_and_keys_does_not_change_the_hash(
    text: str, study_of, seed: int
) -> None:
    shuffle = random.Random(seed)
    head, *parts = re.split(r"\n(?=\[\[(?:arm|endpoint|observation)\]\])", text)
    shuffle.shuffle(parts)
    blocks = [
        re.sub(r"(?m)(?:^\w+ *=.*\n?)+", lambda m: _shuffled(m.group(), shuffle), part)
        for part in (head, *parts)
    ]
    assert inputs_sha256(study_of("\n".join(blocks))) == inputs_sha256(study_of(text))


def _shuffled(lines: str, shuffle: random.Random) -> str:
    parts = lines.splitlines()
    shuffle.shuffle(parts)
    return "\n".join(parts) + "\n"


# Whatever stands in the file

LEAVES: list[Any] = [
    0,
    -1,
    1,
    2,
    0.5,
    -0.5,
    1e308,
    10**30,
    True,
    False,
    "",
    " ",
    "unknown",
    "28 d",
    "-3 d",
    "1e999 d",
    "1 kg",
    "%",
    "vehicle",
    "mortality",
    "pf_ratio",
    "baseline",
    "1e6 cells/kg PBW",
    "\t",
    "é" * 400,
    [],
    [1, 2],
    ["0 d"],
    [[]],
    {},
    {"mean": 1},
    {"share": 0.5},
    {"unit": "mmHg", "max": 3},
    {"start": "0 d", "every": "1 s", "count": 3},
    float("nan"),
    float("inf"),
    10**400,
]
KEYS = [
    *("mean", "sd", "median", "iqr", "unit", "min", "max", "share"),
    *("name", "time", "as", "deaths", "value", "ci95", "versus", "contrast"),
    *("direction", "order", "arm", "n", "size", "ratio", "table", "number"),
    *("text", "baseline", "treatment", "weight", "female", "where", "é", "test"),
    *("event_count", "p", "every", "antibiotic", "infusion"),
]


def written(value: Any) -> str:
    """A value as inline TOML."""
    if isinstance(value, dict):
        return "{" + ", ".join(f'"{k}" = {written(v)}' for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(written, value)) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t") + '"'
    return str(value)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Paths of everything in a nested value."""
    found = [path] if path else []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return found + [p for key, below in items for p in places(below, (*path, key))]


def mutated(values: dict[str, Any], shuffle: random.Random) -> None:
    """Change one thing: another value, another key, one thing less or one twice."""
    path = shuffle.choice(places(values))
    place: Any = values
    for key in path[:-1]:
        place = place[key]
    what, leaf = shuffle.randrange(5), copy.deepcopy(shuffle.choice(LEAVES))
    if what <= 1:
        place[path[-1]] = leaf
    elif what == 2:
        del place[path[-1]]
    elif isinstance(place, dict):
        place[shuffle.choice(KEYS)] = leaf if what == 3 else copy.deepcopy(place[path[-1]])
    else:
        place.append(copy.deepcopy(place[path[-1]]))


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_nothing_but_a_refusal_comes_of_a_damaged_file(text: str, tmp_path: Path, seed: int) -> None:
    shuffle = random.Random(seed)
    values = tomllib.loads(text)
    for _ in range(shuffle.choice((1, 1, 1, 2, 3))):
        mutated(values, shuffle)
    path = tmp_path / "study.toml"
    path.write_text(
        "\n".join(f'"{key}" = {written(value)}' for key, value in values.items()), encoding="utf-8"
    )
    try:
        study = read_study(path)
    except Refusal as refusal:
        message = str(refusal)
        assert message.startswith(f"{path}:") and "\n" not in message and len(message) < 1000
    else:
        assert re.fullmatch("[0-9a-f]{64}", inputs_sha256(study))


SHARE = 'arm = "vehicle"\nendpoint = "mortality"\ntime = "28 d"\nvalue = 0.5'


def test_a_result_told_in_two_forms_is_two_versions_of_it(text: str, study_of) -> None:
    bare = f"\n[[observation]]\n{SHARE}\n"
    with pytest.raises(Refusal, match=r"toml:\d+: two versions of one result \(found also on line \d+, as"):
        study_of(text + bare)
    late = bare.replace("28 d", "14 d")
    assert len(study_of(text + late).observations) == 3
    # A bare number beside a mean may be its median, unless it is the same number.
    level = '\n[[observation]]\narm = "vehicle"\nendpoint = "pf_ratio"\ntime = "7 d"\n'
    mean = level + "mean = 180\nse = 20\n"
    assert len(study_of(text + mean + level + "value = 175\n").observations) == 4
    with pytest.raises(Refusal, match="two versions of one result"):
        study_of(text + mean + level + "value = 180\n")


def test_one_comparison_in_two_measures_is_two_versions_of_it(text: str, study_of) -> None:
    ratio = '\n[[observation]]\narm = "UC-MSC"\nversus = "vehicle"\nendpoint = "mortality"\ntime = "28 d"\n'
    ratio += 'contrast = "risk_ratio"\nvalue = 0.5\nci95 = [0.2, 1.3]\n'
    odds = ratio.replace("risk_ratio", "odds_ratio")
    with pytest.raises(Refusal, match=r"two versions of one result \(found also on line \d+, as risk_ratio"):
        study_of(text + ratio + odds)
    sources = [f'source = {{ version = "{name}" }}\n' for name in ("crude", "adjusted")]
    assert len(study_of(text + ratio + sources[0] + odds + sources[1]).observations) == 4


def test_two_forms_with_a_version_each_are_read(text: str, study_of) -> None:
    told = "\n[[observation]]\n" + SHARE.replace("28 d", "14 d") + '\nsource = { version = "abstract" }\n'
    counted = told.replace("value = 0.5", "events = 6\nn = 12").replace("abstract", "paper")
    assert [o.form for o in study_of(text + told + counted).observations][2:] == ["value", "events"]
    with pytest.raises(Refusal, match="two versions of one result"):
        study_of(text + told + counted.replace("paper", "abstract"))
