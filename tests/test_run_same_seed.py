"""Same seed, same answer: on any number of workers, with any chunk, in any order of arms in the file."""

import json
from pathlib import Path

import pytest

from mesolung.population import library
from mesolung.study import read_study, run
from mesolung.study.result import json_text
from mesolung.study.run import run_study

REPLICATES = 12
EASED = {
    "median = 116, iqr = [68, 165]": "median = 200, iqr = [150, 245]",
    "median = 124, iqr = [68, 164]": "median = 205, iqr = [155, 245]",
    "median = 108.5, iqr = [68.5, 165.5]": "median = 195, iqr = [148, 240]",
}


@pytest.fixture(scope="module", autouse=True)
def small_library():
    """A library of as many draws as replicates: what is tested holds for any size."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(library, "COURSES_PER_DRAW", 300)
        patch.setattr(run, "DRAWS_AT_LEAST", REPLICATES)
        yield


@pytest.fixture(scope="module")
def example(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The published example on people who are not so ill, of whom a small library has enough."""
    text = (root / "examples" / "lanzoni-2021.toml").read_text(encoding="utf-8")
    for old, new in EASED.items():
        assert old in text
        text = text.replace(old, new)
    file = tmp_path_factory.mktemp("example") / "example.toml"
    file.write_text(text, encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def reference(example: Path) -> str:
    return json_text(run_study(read_study(example), replicates=REPLICATES, workers=1, chunk=64).json)


@pytest.mark.parametrize(("workers", "chunk"), [(2, 64), (2, 4096), (1, 4096)])
def test_workers_and_chunks_change_no_digit(example, reference, workers, chunk):
    again = run_study(read_study(example), replicates=REPLICATES, workers=workers, chunk=chunk)
    assert json_text(again.json) == reference


def test_another_seed_changes_the_trials_but_not_the_posterior(example, reference):
    other = run_study(read_study(example), replicates=REPLICATES, seed=2, workers=2).json
    first = json.loads(reference)
    assert other["posterior"] == first["posterior"]
    assert other["arms"] != first["arms"]


def reordered(text: str) -> str:
    """The study with its two arms the other way round."""
    start, second, rest = text.index("[[arm]]"), text.rindex("[[arm]]"), text.index("[[endpoint]]")
    return text[:start] + text[second:rest] + text[start:second] + text[rest:]


def test_the_order_of_arms_in_the_file_changes_nothing_but_indices(example, reference, tmp_path):
    file = tmp_path / "reordered.toml"
    file.write_text(reordered(example.read_text(encoding="utf-8")), encoding="utf-8")
    study = read_study(file)
    assert [a.name for a in study.arms] == [a.name for a in reversed(read_study(example).arms)]
    assert json_text(run_study(study, replicates=REPLICATES, workers=2).json) == reference


def test_one_more_endpoint_changes_no_other_number(example, reference, tmp_path):
    text = example.read_text(encoding="utf-8")
    place = text.index("[[observation]]")
    file = tmp_path / "more.toml"
    more = "".join(
        f'[[endpoint]]\nname = "{name}"\ntime = "{time}"\n\n'
        for name, time in (("pf_ratio", "30 h"), ("ventilator_free_days", "28 d"))
    )
    file.write_text(text[:place] + more + text[place:], encoding="utf-8")
    found = json.loads(json_text(run_study(read_study(file), replicates=REPLICATES, workers=2).json))
    first = json.loads(reference)
    for name, arm in first["arms"].items():
        assert found["arms"][name]["mortality@28d"] == arm["mortality@28d"]
        assert {"pf_ratio@30h", "ventilator_free_days@28d"} <= set(found["arms"][name])
    assert found["observations"] == first["observations"]
    key = "UC-MSC vs vehicle"
    assert found["effect"][key]["mortality@28d"] == first["effect"][key]["mortality@28d"]


@pytest.mark.parametrize("size", [12, 40])
def test_one_more_arm_changes_no_number_of_the_others_expected_values(example, tmp_path, size):
    # Forty an arm are more than the 64 subjects that expected values are taken from.
    text = example.read_text(encoding="utf-8").replace("size = 12", f"size = {size}")
    file = tmp_path / "two.toml"
    file.write_text(text.replace("size = 24", f"size = {2 * size}"), encoding="utf-8")
    first = run_study(read_study(file), replicates=REPLICATES, workers=2).json
    text = text.replace("size = 24", f"size = {3 * size}")
    place = text.index("[[endpoint]]")
    file = tmp_path / "arms.toml"
    more = (
        f'[[arm]]\nname = "low dose"\nsize = {size}\n[[arm.treatment]]\n'
        'product = { source = "umbilical cord", cryopreserved = true }\n'
        'dose = "1e6 cells/kg"\nroute = "intravenous"\ntimes = ["0 d"]\n\n'
    )
    file.write_text(text[:place] + more + text[place:], encoding="utf-8")
    found = run_study(read_study(file), replicates=REPLICATES, workers=2).json
    for name, arm in first["arms"].items():
        assert found["arms"][name]["mortality@28d"]["expected"] == arm["mortality@28d"]["expected"]
    key = "UC-MSC vs vehicle"
    assert found["effect"][key] == first["effect"][key]
