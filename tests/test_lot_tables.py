"""`mesolung lot TABLE.csv`: medians, definitions and a lot file of each lot, or one line of refusal."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from mesolung.cli import main
from mesolung.product.product import Product
from mesolung.product.published_table import published_table
from mesolung.product.quality.lot_markers import read_lot_markers
from mesolung.product.specs import specs_for
from mesolung.study import read_lot

ROOT = Path(__file__).resolve().parent.parent
TABLE = ROOT / "examples" / "lots" / "files" / "earlier-lots.csv"


def call(*words: str) -> int:
    with pytest.raises(SystemExit) as left:
        main(list(words))
    return int(left.value.code or 0)


def test_a_table_gives_medians_outcomes_and_a_lot_file_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert call("lot", str(TABLE), "--spec", "clinical-70", "--out", "kept", "--json") == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert found == json.loads((tmp_path / "kept" / "lots.json").read_text(encoding="utf-8"))
    assert [one["marker"] for one in found["medians"]] == [
        "Viability",
        "CD73",
        "CD90",
        "CD105",
        "CD45",
        "CD34",
    ]
    (spec,) = found["release"]
    assert spec["pass"] + spec["fail"] + spec["not tested"] == len(found["lots"]) == 6
    rows = (tmp_path / "kept" / "lots.csv").read_text(encoding="utf-8").splitlines()
    assert rows[0].startswith("lot,viability (%),") and rows[0].endswith(",clinical-70") and len(rows) == 7
    files = sorted((tmp_path / "kept" / "lots").glob("*.toml"))
    assert [read_lot(file).lot for file in files] == [lot["lot"] for lot in found["lots"]]


def test_the_terminal_shows_the_medians(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("lot", str(TABLE), "--out", str(tmp_path / "kept")) == 0
    text = capsys.readouterr().out
    assert "Median (%)" in text and "Definitions side by side" in text and "1/lot 6" in text


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--fcs", "a.fcs"), "--fcs beside a table of lots"),
        (("--in", "study.toml"), "--in beside a table of lots"),
        (("--spec", "nothing"), "unknown specification"),
    ],
)
def test_what_needs_one_lot_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], said: str
) -> None:
    assert call("lot", str(TABLE), *words, "--out", str(tmp_path / "kept")) == 2
    assert said in capsys.readouterr().err and not (tmp_path / "kept").exists()


def test_another_table_is_refused_at_its_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = tmp_path / "other.csv"
    shutil.copyfile(TABLE, other)
    other.write_text(other.read_text(encoding="utf-8").replace("CD105,9", "CD105,1009", 1), encoding="utf-8")
    assert call("lot", str(other), "--out", str(tmp_path / "kept")) == 2
    said = capsys.readouterr().err
    assert "percentage outside its range" in said and "other.csv:" in said
    other.write_text("a,b\n1,2\n", encoding="utf-8")
    assert call("lot", str(other), "--out", str(tmp_path / "kept")) == 2
    assert "no table of lots' markers" in capsys.readouterr().err


def test_the_published_lots_have_the_medians_of_the_samples(shared: Path) -> None:
    file = shared / "samples" / "CIDMap_lot_markers" / "cd_values_single_processed.csv"
    found = published_table(read_lot_markers(file), specs_for(Product()))
    medians = {one["marker"]: one for one in found["medians"]}
    wanted = {"Viability": 97.8, "CD73": 99.0, "CD90": 97.8, "CD105": 99.8, "CD45": 0.11, "CD34": 0.30}
    for marker, value in wanted.items():
        assert medians[marker]["median"] == pytest.approx(value, abs=0.06), marker
    assert (medians["Viability"]["p05"], medians["Viability"]["p95"]) == pytest.approx((90.3, 99.7), abs=0.06)
