"""Every shipped study file is read, the catalogue is of the files, the split is the one that was drawn."""

import csv
import hashlib
import json
import tomllib
from collections import Counter
from pathlib import Path

import pytest

from mesolung.cli.evidence import print_evidence
from mesolung.reading import Refusal
from mesolung.study import catalogue
from mesolung.study.reader import read_study

ROOT = Path(__file__).resolve().parent.parent
FOLDER = catalogue.place()
FILES = sorted(FOLDER.rglob("*.toml"))
GROUPS = ("fit", "unseen")


@pytest.mark.parametrize("folder", catalogue.FOLDERS)
def test_every_file_is_accepted(folder):
    files = sorted((FOLDER / folder).glob("*.toml"))
    assert files
    for file in files:
        study = read_study(file)
        assert study.observations, file
        assert all(one.source.status in ("seen", "derived") for one in study.observations), file


def test_the_catalogue_is_of_the_files():
    assert [one.path for one in sorted(catalogue.entries(), key=lambda e: str(e.path))] == FILES
    for one in catalogue.entries():
        written = tomllib.loads(one.path.read_text(encoding="utf-8"))
        assert one.title == written["name"]
        assert one.observations == len(written["observation"]) == len(catalogue.groups(one.name))
        assert one.kind == written["kind"]
        assert one.sources


def test_every_observation_says_where_it_was_read():
    for file in FILES:
        for one in tomllib.loads(file.read_text(encoding="utf-8"))["observation"]:
            assert {"doi", "url", "where"} & set(one["source"]), file


def test_filters():
    chosen = catalogue.selected("covid19-ards", "trials")
    assert {one.disease for one in chosen} == {"covid19-ards"}
    assert {one.folder for one in chosen} == {"trials"}
    assert {one.kind for one in catalogue.selected(kind="animal")} == {"animal"}
    with pytest.raises(Refusal, match="no evidence of this disease"):
        catalogue.selected("plague")
    with pytest.raises(Refusal, match="no such study"):
        catalogue.entry("lanzoni")


def test_the_split_is_the_one_that_was_drawn():
    stored = json.loads((FOLDER / "split.json").read_text(encoding="utf-8"))["sha256"]
    assert hashlib.sha256((FOLDER / "split.csv").read_bytes()).hexdigest() == stored
    assert catalogue.split_sha256() == stored
    with (FOLDER / "split-log.csv").open(encoding="utf-8", newline="") as stream:
        log = list(csv.DictReader(stream))
    assert log[-1]["sha256"] == stored
    assert all(line["date"] and len(line["reason"]) > 10 for line in log)


def test_what_the_split_says():
    with (FOLDER / "split.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    folders = {one.name: one.folder for one in catalogue.entries()}
    relations: dict[tuple[str, str], set[str]] = {}
    for row in rows:
        relations.setdefault((row["study"], row["relation"]), set()).add(row["group"])
        if folders[row["study"]] == "trials":
            assert row["group"].startswith("loo:")
        else:
            assert row["group"] in GROUPS
            assert row["group"] == "fit" or row["kind"] in ("animal", "ex-vivo", "in-vitro")
    # Treated and control of one relation are never parted.
    assert all(len(groups) == 1 for groups in relations.values())
    kinds = {row["study"]: row["kind"] for row in rows}
    drawn = Counter(
        next(iter(groups))
        for (study, _), groups in relations.items()
        if kinds[study] in ("animal", "ex-vivo", "in-vitro")
    )
    assert 0.25 < drawn["unseen"] / sum(drawn.values()) < 0.42
    # A follow-up is left out together with its trial.
    assert set(catalogue.groups("huangshi-one-year-2022")) == set(catalogue.groups("shu-2020"))


def test_the_page_is_current(tool_module):
    page = tool_module("evidence_page").PAGE
    text = page.path.read_text(encoding="utf-8")
    assert page.current(text) == text, "run tools/evidence_page.py"


def test_exclusions_are_specific():
    with (FOLDER / "exclusions.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert {"file", "rows", "count", "key", "reason"} == set(rows[0])
    assert all(row["rows"] and row["key"] and len(row["reason"]) > 10 for row in rows)
    reasons = {row["reason"] for row in rows}
    assert len(reasons) > 60


def test_the_list_and_one_study(capsys):
    print_evidence(None, "covid19-ards", "trials")
    out = capsys.readouterr().out
    assert "lanzoni-2021" in out
    assert out.splitlines()[-1].startswith(f"{len(catalogue.selected('covid19-ards', 'trials'))} studies")
    print_evidence("lanzoni-2021", None, None)
    out = capsys.readouterr().out
    assert "mortality at 31 d: 7 of 12" in out
    assert "10.1002/sctm.20-0472" in out
    assert "[loo:lanzoni-2021]" in out


def test_json_is_one_object(capsys):
    print_evidence(None, None, "fate", as_json=True)
    listed = json.loads(capsys.readouterr().out)
    assert {one["folder"] for one in listed["studies"]} == {"fate"}
    assert listed["observations"] == sum(one["observations"] for one in listed["studies"])
    print_evidence("lanzoni-2021", None, None, as_json=True)
    one = json.loads(capsys.readouterr().out)
    assert one["sources"] == ["10.1002/sctm.20-0472"]
    assert {o["group"] for o in one["observed"]} == {"loo:lanzoni-2021"}
    assert Path(one["file"]).name == "lanzoni-2021.toml"


def test_a_filter_beside_a_name_is_refused():
    with pytest.raises(Refusal, match="a filter beside the name"):
        print_evidence("lanzoni-2021", "ards", None)
