"""Every row of the evidence is an observation or is named with a reason; what ships is what the rows say."""

import importlib.util
import json
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "src" / "mesolung" / "study" / "evidence"


@pytest.fixture(scope="module")
def tool():
    """The script that makes the files, with its folder on the path as a script has it."""
    sys.path.insert(0, str(ROOT / "tools"))
    try:
        spec = importlib.util.spec_from_file_location("evidence_files", ROOT / "tools/evidence_files.py")
        assert spec and spec.loader
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        yield module
    finally:
        sys.path.remove(str(ROOT / "tools"))


@pytest.fixture(scope="module")
def gathered(tool):
    if not tool.evidence().is_dir():
        pytest.skip(f"no evidence files at {tool.evidence()}; name their parent in MESOLUNG_SHARED")
    return tool.gather(tool.evidence())


@pytest.fixture(scope="module")
def texts(tool, gathered):
    return tool.texts_of(*gathered)


@pytest.fixture(scope="module")
def rows(gathered):
    """The account of every row, as the script keeps it."""
    return gathered[0]


def stored():
    return json.loads((FOLDER / "evidence.json").read_text(encoding="utf-8"))


def observations(name):
    (file,) = FOLDER.rglob(f"{name}.toml")
    return tomllib.loads(file.read_text(encoding="utf-8"))["observation"]


def test_the_files_are_what_the_evidence_gives(tool, texts):
    assert tool.differences(texts) == [], f"run {tool.__file__}"


def test_every_row_is_observed_or_named_with_a_reason(rows):
    rows.check()
    assert all(len(reason) > 10 for reason in rows.left.values())


def test_counts_and_checksums_are_stored():
    files = stored()["evidence"]
    assert len(files) == 35
    for file, counts in files.items():
        assert counts["observed"] + counts["excluded"] == counts["rows"], file
        assert len(counts["sha256"]) == 64


@pytest.mark.parametrize("kind", ["results", "individuals"])
def test_three_in_five_rows_with_a_number_and_an_n_are_observations(kind):
    counts = stored()["totals"][kind]
    assert counts["of these observed"] >= 0.6 * counts["with number and n"]


def test_recalled_and_pooled_rows_are_never_observations(rows):
    for (file, i), reason in rows.left.items():
        row = rows.files[file][i - 2]
        if "pooled" in row.get("use", ""):
            assert "pooled" in reason
    for file, i in rows.used:
        row = rows.files[file][i - 2]
        assert row.get("status", "seen") in ("seen", "derived"), (file, i)
        assert "pooled" not in row.get("use", ""), (file, i)
        assert "meta-analysis" not in row.get("source_study", "").lower(), (file, i)


def test_design_facts_stand_in_the_rows(tool, rows):
    assert tool.unprinted(rows) == []


def test_known_traps():
    deaths = {o["arm"]: o for o in observations("must-ards-2022") if o["endpoint"] == "mortality"}
    assert (deaths["placebo"]["events"], deaths["placebo"]["n"]) == (4, 10)
    assert list(FOLDER.rglob("*mensc*secretome*")) == []
    # One-year rows of one trial stand in two files of the evidence.
    assert sum(o["endpoint"] == "ct_normal" for o in observations("shi-2021")) == 1
    # A trial's n is not a stratum's: shares are answered, ratios with their intervals are scored.
    for stratum in ("", "-ventilated", "-oxygen", "-no-oxygen"):
        found = observations(f"recovery-dexamethasone{stratum}")
        assert [o for o in found if "events" in o] == []
        assert [o["contrast"] for o in found if "ci95" in o] == ["risk_ratio"]
    assert {o["n"] for o in observations("endotoxin-bolus")} == {20}
    assert min(float(o["time"].split()[0]) for o in observations("endotoxin-infusion")) > 0


def test_no_single_patient_ships(rows, tool):
    individual = {
        key: list(of) for (file, _), of in rows.used.items() if file in tool.INDIVIDUALS for key in of
    }
    assert individual
    for study in {study for study, _ in individual}:
        for one in observations(study):
            assert one["n"] >= 5, (study, one)


def test_a_row_without_a_place_is_refused(tool, tmp_path):
    (tmp_path / "some.csv").write_text("value,n\n1,2\n3,4\n", encoding="utf-8")
    ledger = tool.Ledger(tmp_path)
    ledger.rows("some.csv")
    ledger.leave("some.csv", 2, "first", "of no use to anybody")
    with pytest.raises(ValueError, match=r"without a place: \[\('some.csv', 3\)\]"):
        ledger.check()
    with pytest.raises(ValueError, match=r"some\.csv row 2"):
        ledger.leave("some.csv", 2, "first", "again")


def test_the_split_changes_only_with_a_reason_that_is_logged(tool, tmp_path, monkeypatch):
    monkeypatch.setattr(tool, "PLACE", tmp_path / "evidence")
    texts = {"split.csv": "study\na\n"}
    with pytest.raises(ValueError, match="the split changes"):
        tool.write(texts, "")
    assert not (tmp_path / "evidence").exists()
    tool.write(texts, "a first draw")
    tool.write(texts, "")
    tool.write({"split.csv": "study\na\nb\n"}, "b was added")
    log = (tmp_path / "evidence" / "split-log.csv").read_text(encoding="utf-8").splitlines()
    assert [line.split(",")[3] for line in log] == ["reason", "a first draw", "b was added"]
