"""What a cohort cannot use is refused with file, row and column, and nothing is written."""

from __future__ import annotations

import math
import os
import tempfile
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.cohort_models import ONE, read, say, to_sbml, write

from mesolung.cohort import run_cohort
from mesolung.cohort.staging import stage, staging
from mesolung.cohort.subjects import check_subjects, read_subjects
from mesolung.engine import CompiledModel, compile_model
from mesolung.reading import Refusal

# Tables that are tried; more by MESOLUNG_FUZZ=5000, say.
FUZZ = int(os.environ.get("MESOLUNG_FUZZ", "30"))
TWO = pd.DataFrame({"id": [1, 2], "k": [0.1, 0.2], "y": [1.0, 3.0]})


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a model and a good table, in which commands run."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.xml").write_text(to_sbml(ONE), encoding="utf-8")
    write(tmp_path / "good.csv", TWO)
    return tmp_path


def refused(place: Path, capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """The one line that says why, once it is certain that nothing else was left or printed."""
    before = {path.name for path in place.iterdir()}
    said = say(capsys, "cohort", *arguments)
    assert said.status == 2 and said.out == ""
    assert said.complaint.startswith("mesolung: ") and "Traceback" not in said.err
    assert {path.name for path in place.iterdir()} == before
    return said.complaint


def solve(*more: object) -> tuple[object, ...]:
    return ("model.xml", "good.csv", "--end", 4, "--step", 1, "-o", "out.csv", *more)


@pytest.mark.parametrize("form", [".csv", ".parquet"])
@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"kk": [1.0, 1.0]}, "column 'kk': the model has no parameter or state of that name (allowed: k"),
        ({"both": [1.0, 1.0]}, "column 'both'"),
        ({"k": [0.1, None]}, "row 2, column 'k': the value is missing"),
        ({"k": [math.inf, 0.1]}, "row 1, column 'k': the value is not a finite number (found inf"),
        ({"k": ["0.1", "fast"]}, "column 'k'"),
        ({"id": [1, 1]}, "row 2, column 'id': the id stands there already, in row 1 (found 1)"),
        ({"id": ["a", None]}, "row 2, column 'id': the value is missing"),
    ],
)
def test_a_table_of_subjects_is_refused_with_row_and_column(
    place: Path, capsys: pytest.CaptureFixture[str], form: str, change: dict, said: str
) -> None:
    path = write(place / f"bad{form}", TWO.assign(**change).astype(dict.fromkeys(change, object)))
    complaint = refused(place, capsys, "model.xml", path.name, "--end", 4, "--step", 1, "-o", "out.csv")
    assert said in complaint and path.name in complaint


def test_wrong_types_of_parquet_are_refused_by_column(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value, said in (
        ("id", 1.5, "an id is text or a whole number (found DOUBLE)"),
        ("k", True, "the values are not numbers (found BOOLEAN"),
        ("k", pd.Timestamp("2020-01-01"), "the values are not numbers (found TIMESTAMP"),
    ):
        path = write(place / "types.parquet", TWO.assign(**{name: value}))
        complaint = refused(place, capsys, "model.xml", path.name, "--end", 4, "--step", 1, "-o", "out.csv")
        assert f"column '{name}': {said}" in complaint
    duckdb.execute("copy (select 1 as id, [1.0] as k) to 'list.parquet'")
    complaint = refused(place, capsys, "model.xml", "list.parquet", "--end", 4, "--step", 1, "-o", "out.csv")
    assert "column 'k' holds lists" in complaint


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "has no columns"),
        ("k,y\n0.1,1\n", "one column 'id'"),
        ("id,k\n", "has no rows"),
        ("id,ID,k\n1,2,3\n", "one column 'id'"),
        ("id,K\n1,2\n", "column 'K': the model has no parameter"),
        ("id,k,k\n1,2,3\n", "column 'k' stands there twice"),
        ("id,,k\n1,2,3\n", "column 2 has no name"),
        ("id,k\n1,0.1\n2,0.1,7\n", "bad.csv:3: cannot be read: Expected Number of Columns: 2 Found: 3"),
        ("id,k\n1,0.1\n2\n", "bad.csv:3: cannot be read: Expected Number of Columns: 2 Found: 1"),
        ('id,k\n1,"0.1\n', "bad.csv:2: cannot be read"),
        ("id;k\n1;0.1\n", "one column 'id' (found id;k)"),
        ("id,k\n1,.\n", "row 1, column 'k': the value is missing"),
        (b"id,k\n1,\xff\n", "bad.csv:2: cannot be read"),
        (b"\xff\xfe\x00", "the header cannot be read"),
    ],
)
def test_a_broken_csv_file_is_refused_with_its_line(
    place: Path, capsys: pytest.CaptureFixture[str], text: str | bytes, said: str
) -> None:
    (place / "bad.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
    assert said in refused(place, capsys, "model.xml", "bad.csv", "--end", 4, "--step", 1, "-o", "out.csv")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("model.xml", "none.csv", "--end", 4, "--step", 1, "-o", "out.csv"), "none.csv: cannot be read"),
        (("none.xml", "good.csv", "--end", 4, "--step", 1, "-o", "out.csv"), "none.xml"),
        (("model.xml", "model.xml", "--end", 4, "--step", 1, "-o", "out.csv"), "found .xml; allowed: .csv"),
        (("model.xml", "good.csv", "--end", 4, "--step", 1, "-o", "out.txt"), "found .txt; allowed: .csv"),
        (("model.xml", "good.csv", "--end", 4, "--step", 1, "-o", "good.csv"), "exists already"),
        (("model.xml", "good.csv", "--end", 4, "-o", "out.csv"), "output times are missing"),
        (solve("--times", "1,2"), "--times stands instead of"),
        (("model.xml", "good.csv", "--times", "1,soon", "-o", "out.csv"), "not a number (found soon"),
        (("model.xml", "good.csv", "--times", "2,1", "-o", "out.csv"), "ascending"),
        (("model.xml", "good.csv", "--end", 4, "--step", 0, "-o", "out.csv"), "step above 0"),
        (("model.xml", "good.csv", "--end", 4, "--step", "nan", "-o", "out.csv"), "step above 0"),
        (("model.xml", "good.csv", "--end", 1e9, "--step", 1e-9, "-o", "out.csv"), "too many output times"),
        (solve("--outputs", "x,z"), "no state or observable 'z'"),
        (solve("--outputs", "x,,y"), "--outputs: an empty name"),
        (solve("--outputs", "x,x"), "named twice (found x)"),
        (solve("--rtol", 0), "rtol must be positive"),
        (solve("--atol", -1), "atol must be positive"),
        (solve("--quantiles", "0.5"), "--quantiles goes with --bands"),
        (solve("--bands", "--quantiles", "0.5,2"), "a quantile is a part (found 2"),
        (solve("--bands", "--quantiles", "half"), "--quantiles: not a number (found half"),
        (solve("--failures", "out.csv"), "cannot be the table of results"),
        (solve("--failures", "out.txt"), "found .txt"),
        (solve("--workers", 0), "workers"),
        (solve("--chunk", 0), "chunk"),
    ],
    ids=lambda value: " ".join(map(str, value)) if isinstance(value, tuple) else "",
)
def test_options_that_cannot_be_meant_are_refused(
    place: Path, capsys: pytest.CaptureFixture[str], arguments: tuple, said: str
) -> None:
    assert said in refused(place, capsys, *arguments)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "ID,TIME,AMT,CMT\n1,0,1,x\n3,0,1,x\n",
            "doses.csv: row 2, column 'ID': no subject has that id (found 3)",
        ),
        ("ID,TIME,AMT,CMT\n,0,1,x\n", "row 1, column 'ID': no subject has that id (found nothing)"),
        ("ID,TIME,AMT,CMT\n1,0,1,x\n2,0,1,z\n", "doses.csv: row 2, column 'CMT': the model has no state"),
        (
            "ID,TIME,AMT,CMT,DUR\n1,0,1,x,0\n2,0,1,z,3\n",
            "doses.csv: row 2, column 'CMT': the model has no state",
        ),
        ("ID,TIME,AMT,CMT\n1,late,1,x\n", "row 1, column 'TIME': not a number (found late)"),
        ("ID,TIME,AMT\n1,0,1\n", "row 1, column 'CMT': a dose needs a state"),
        ("ID,TIME,AMT,CMT,WEIGHT\n1,0,1,x,70\n", "column 'WEIGHT': neither"),
        ("ID,TIME,AMT,CMT\n1,0,1\n", "doses.csv:2: cannot be read"),
    ],
)
def test_a_dose_table_is_refused_with_row_and_column(
    place: Path, capsys: pytest.CaptureFixture[str], text: str, said: str
) -> None:
    (place / "doses.csv").write_text(text, encoding="utf-8")
    assert said in refused(place, capsys, *solve("--doses", "doses.csv"))


def test_a_model_that_is_not_served_is_refused_by_name(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (place / "wrong.ant").write_text("model m\n x = 1; x' = -\nend", encoding="utf-8")
    assert "wrong.ant: not Antimony" in refused(place, capsys, "wrong.ant", *solve()[1:])
    (place / "wrong.xml").write_text("<sbml", encoding="utf-8")
    assert "wrong.xml" in refused(place, capsys, "wrong.xml", *solve()[1:])


def test_columns_that_parquet_would_confuse_are_refused(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (place / "case.ant").write_text("model m\n a = 1; A = 2; a' = -a; A' = -A\nend", encoding="utf-8")
    (place / "ids.csv").write_text("id\n1\n", encoding="utf-8")
    arguments = ("case.ant", "ids.csv", "--times", "0", "-o")
    assert "found a and A" in refused(place, capsys, *arguments, "out.parquet")
    assert say(capsys, "cohort", *arguments, "out.csv").status == 0
    assert list(read(place / "out.csv").columns) == ["id", "time", "a", "A", "failure"]
    assert say(capsys, "cohort", *arguments, "out.parquet", "--outputs", "A").status == 0


def test_names_that_differ_in_case_only_are_told_apart_in_parquet(place: Path) -> None:
    """The database itself would take K for k."""
    (place / "case.ant").write_text("model m\n x = 1; k = 1; K = 2; x' = -k*x\nend", encoding="utf-8")
    path = place / "subjects.parquet"
    duckdb.execute(f"""copy (select 1 as id, 5.0 as "K") to '{path}'""")
    run_cohort("case.ant", path, "out.csv", [0.0, 1.0])
    assert read(place / "out.csv")["x"].iloc[1] == pytest.approx(math.exp(-1), rel=1e-4)


# ---- whatever stands in a table, it is an answer or a refusal ----
cells = st.one_of(
    st.sampled_from(
        ["id", "k", "y", "1", "2", "0.5", "", ".", "nan", "1e999", "-1", '"', "a\nb", "\x00", "é", " 3 "]
    ),
    st.text(max_size=4),
)
grids = st.lists(st.lists(cells, min_size=1, max_size=4), max_size=5)


@pytest.fixture(scope="module")
def model() -> CompiledModel:
    return compile_model(to_sbml(ONE))


@settings(max_examples=FUZZ, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(grid=grids, headed=st.booleans(), raw=st.binary(max_size=20))
def test_no_table_breaks_the_reader(
    place: Path, model: CompiledModel, grid: list[list[str]], headed: bool, raw: bytes
) -> None:
    lines = [["id", "k", "y"], *grid] if headed else grid
    text = "\n".join(",".join(row) for row in lines).encode("utf-8", "surrogatepass") + raw
    for name in ("any.csv", "any.parquet"):
        (place / name).write_bytes(text)
        with tempfile.TemporaryDirectory(dir=place) as scratch, staging(Path(scratch)) as connection:
            try:
                subjects = check_subjects(connection, stage(connection, place / name, "subjects"), model)
            except Refusal as refusal:
                assert name in str(refusal) and "\n" not in str(refusal)
                continue
            rows = read_subjects(connection, subjects, model, 1, len(subjects))
            assert len(set(rows.ids)) == len(rows.ids) == len(subjects) >= 1
            assert np.isfinite(rows.parameters).all()
            assert rows.initial is None or np.isfinite(rows.initial).all()
