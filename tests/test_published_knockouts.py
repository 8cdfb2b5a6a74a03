"""Published knock-outs: read with their refusals, judged by stated rules, five that must persist."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mesolung.calibration.knockouts import (
    ABSENT,
    COLUMNS,
    LOST,
    MET,
    MISSED,
    NUMBER,
    PERSISTS,
    REDUCED,
    judge,
    judged,
    published,
    record_of,
)
from mesolung.population import library
from mesolung.reading import Refusal
from mesolung.study import run


@pytest.fixture(scope="module", autouse=True)
def few_draws():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "DRAWS_AT_LEAST", 8)
        patch.setattr(library, "COURSES_PER_DRAW", 50)
        yield


def test_five_cases_must_persist_and_every_row_has_a_source():
    rows = published()
    assert sum(row.finding == PERSISTS for row in rows) >= 5
    assert all(row.source and row.note and row.off.switches for row in rows)


@pytest.mark.parametrize(
    ("finding", "left", "verdict"),
    [
        (LOST, 0.2, MET),
        (LOST, 0.5, MISSED),
        (LOST, -0.3, MET),
        (REDUCED, 0.7, MET),
        (REDUCED, 0.9, MISSED),
        (PERSISTS, 0.6, MET),
        (PERSISTS, 0.4, MISSED),
        (PERSISTS, -0.6, MISSED),
    ],
)
def test_rules(finding, left, verdict):
    row = replace(published()[0], finding=finding, value=None)
    assert judged(row, np.array([-1.0, -1.0]), np.array([-left, -left])).verdict == verdict


def test_nothing_can_lose_nothing_and_numbers_are_within_two_fold():
    row = published()[0]
    assert judged(replace(row, finding=LOST), np.zeros(2), np.zeros(2)).verdict == MISSED
    number = replace(row, finding=NUMBER, value=2.0)
    assert judged(number, np.zeros(1), np.log([1.9])).verdict == MET
    assert judged(number, np.zeros(1), np.log([1.1])).verdict == MISSED
    assert judged(number, np.zeros(1), np.log([0.5])).verdict == MISSED
    assert judged(row, np.array([np.nan]), np.array([0.0])).verdict == ABSENT


def test_cultures_are_run_and_animals_answered_or_told_why():
    rows = [row for row in published() if row.id in ("krampera-contact", "spaggiari-dc-pge2", "lee-kgf")]
    found = {one.published.id: one for one in judge(rows, draws=8)}
    assert found["krampera-contact"].left is not None
    left = found["spaggiari-dc-pge2"].left
    assert left is not None and 0.0 <= left < 1.0
    assert found["lee-kgf"].verdict != ABSENT or found["lee-kgf"].reason
    record = record_of(list(found.values()), {})
    assert sum(sum(c.values()) for c in record["counts"].values()) == 3


USUAL = {
    "id": "one",
    "study": "assay-english2009",
    "arm": "MSC BM, contact",
    "endpoint": "treg_induction",
    "off": "PGE2",
    "finding": LOST,
    "value": "",
    "source": "a source",
    "status": "seen",
    "note": "a note",
}


def changed(folder: Path, **cells) -> Path:
    row = {**USUAL, **cells}
    path = folder / "knockouts.csv"
    path.write_text(",".join(COLUMNS) + "\n" + ",".join(f'"{row[c]}"' for c in COLUMNS) + "\n", "utf-8")
    return path


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ({"arm": "nobody"}, "no arm of the study"),
        ({"off": "PGE3"}, "no such mechanism"),
        ({"finding": "gone"}, "unknown finding"),
        ({"finding": "number"}, "goes with a finding"),
        ({"study": "nothing"}, "no such study"),
    ],
)
def test_rows_that_cannot_be_used_are_refused(tmp_path, cells, said):
    with pytest.raises(Refusal, match=said):
        published(changed(tmp_path, **cells))


def test_the_stored_record_is_of_the_table(root: Path):
    record = json.loads((root / "src/mesolung/calibration/knockouts.json").read_text(encoding="utf-8"))
    assert [line["id"] for line in record["lines"]] == [row.id for row in published()]
