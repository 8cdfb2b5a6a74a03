"""`mesolung lot`: the card, quality files, a lot in a study, and what the tutorial tells to type."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from tests import quality_texts as texts

from mesolung.cli.main import main
from mesolung.population import library
from mesolung.product import apply_gates, read_fcs, read_gates
from mesolung.reading import Refusal
from mesolung.report.lot import lot_html, lot_table
from mesolung.study import inputs_sha256, read_lot, read_study, run
from mesolung.study.lot_in_study import lot_in_study
from mesolung.study.lots import lot_text
from mesolung.study.result import write_run_folder
from mesolung.study.run import run_study

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "lots.md").read_text(encoding="utf-8")
DRAWS = 6


@pytest.fixture(scope="module", autouse=True)
def small_library() -> Iterator[None]:
    """A library of few courses: what is looked at here does not depend on how many."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(library, "COURSES_PER_DRAW", 100)
        patch.setattr(run, "DRAWS_AT_LEAST", DRAWS)
        yield


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder as a reader has it before them."""
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def call(*words: str) -> int:
    with pytest.raises(SystemExit) as left:
        main(list(words))
    return int(left.value.code or 0)


def card_of(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    assert call("lot", *words, "--json") == 0
    return json.loads(capsys.readouterr().out)


def commands() -> list[str]:
    blocks = re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line.strip()]


def test_the_tutorial_works_as_written(clone: Path) -> None:
    assert len(commands()) >= 10
    for line in commands():
        words = shlex.split(re.sub(r"--draws \d+", f"--draws {DRAWS}", line))
        if words[0] == "python":
            pytest.importorskip("flowio")
            subprocess.run(
                [sys.executable, str(ROOT / words[1]), *words[2:]], check=True, capture_output=True
            )
        else:
            assert call(*words[1:]) == 0, line
            folder = Path(words[words.index("--out") + 1])
            if words[2].endswith(".csv"):
                assert {"lots.json", "lots.csv", "lots"} == {p.name for p in folder.iterdir()}
                continue
            assert {"card.html", "card.json", "lot.toml"} <= {p.name for p in folder.iterdir()}
            assert read_lot(folder / "lot.toml").lot


def test_the_tutorial_links_what_exists() -> None:
    links = re.findall(r"\]\((?!http|#)([^)#]+)", PAGE)
    assert [link for link in links if not (ROOT / "docs" / link).exists()] == []


def test_the_cards_tell_their_stories(clone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cards = {path.stem: card_of(capsys, str(path)) for path in sorted(Path("examples/lots").glob("*.toml"))}
    assert len(cards) == 5

    def worth(name: str) -> float:
        dose = cards[name]["dose"]
        return dose[-1]["p50"] / dose[0]["p50"]

    young, old, thawed = cards["UC-24-017"], cards["BM-23-101"], cards["UC-24-017-thawed"]
    assert {one["outcome"] for one in young["release"]} == {"pass"} and young["growth"]["in_window"]
    # Identity passes an old lot past its doublings, which is worth little.
    assert {one["outcome"] for one in old["release"]} == {"pass"} and not old["growth"]["in_window"]
    assert old["growth"]["doublings"]["p50"] > old["growth"]["doublings_to_senescence"]["p50"]
    assert worth("BM-23-101") < 0.25 * worth("UC-24-017")
    # A donor's cells lose alike in the dish; the bag and the blood make the difference.
    assert worth("UC-24-017-thawed") < 0.6 * worth("UC-24-017")
    ratio = thawed["properties"]["potency"]["prior"]["p50"] / young["properties"]["potency"]["prior"]["p50"]
    assert 0.7 < ratio < 1.4
    primed = cards["AD-24-005-primed"]["properties"]["potency"]["now"]
    fresh = young["properties"]["potency"]["now"]
    assert primed["p95"] / primed["p05"] > 2 * fresh["p95"] / fresh["p05"]
    assert any("has not been measured" in line for line in cards["AD-24-005-primed"]["said"])
    (misev,) = cards["EV-24-002"]["release"]
    assert misev["outcome"] == "fail"
    assert set(old["radar"]["lots"]) == {"BM-23-101", "UC-24-017", "UC-24-017-thawed", "AD-24-005-primed"}


def test_a_card_is_the_same_again_and_another_for_another_seed(
    clone: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lot = "examples/lots/BM-23-101.toml"
    first, again = card_of(capsys, lot), card_of(capsys, lot)
    assert first == again and first != card_of(capsys, lot, "--seed", "2")


def test_the_page_and_the_terminal_hold_the_card(clone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    card = card_of(capsys, "examples/lots/BM-23-101.toml")
    page = lot_html(card, "mesolung lot")
    for words in (
        "Lot BM-23-101",
        "ISCT minimal criteria, 2006",
        "Among earlier lots",
        "narrows the 90 % interval",
    ):
        assert words in page
    from rich.console import Console

    console = Console(width=100, record=True, file=StringIO())
    console.print(lot_table(card))
    text = console.export_text()
    assert "alive past complement" in text and max(map(len, text.splitlines())) <= 100


def test_quality_files_say_what_they_gave(clone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lot = Path("examples/lots/open.toml")
    lot.write_text(
        'schema = 1\nlot = "UC-24-017"\nsource = "umbilical cord"\nviability = 0.9\n'
        '[[assay]]\nname = "kynurenine"\nunit = "uM"\n',
        encoding="utf-8",
    )
    files = "examples/lots/files/UC-24-017"
    card = card_of(capsys, str(lot), "--counts", f"{files}-counts.csv", "--plate", f"{files}-kynurenine.csv")
    assert card["product"]["viability"] == pytest.approx(np.mean([0.959, 0.966, 0.952]))
    (assay,) = card["assays"]
    assert assay["used"] and assay["value"] == pytest.approx(29.2, rel=0.05)
    assert assay["reference"] == pytest.approx(24.3, rel=0.05)
    assert any("instead of 90 %" in row[3] for row in card["quality"]["taken"])
    with pytest.raises(Refusal):
        read_lot(lot.with_name("gone.toml"))


@pytest.fixture
def gated(clone: Path, tool_module: Callable[[str], ModuleType]) -> list[str]:
    """A lot with its events and its own gates."""
    tool = tool_module("synthetic_lots")
    Path("lot.fcs").write_bytes(tool.fcs_bytes(tool.draw(tool.LOTS[0], 500)))
    Path("gates.xml").write_text(texts.GATES, encoding="utf-8")
    return ["examples/lots/UC-24-017.toml", "--fcs", "lot.fcs", "--gates", "gates.xml"]


def test_a_laboratorys_own_gates_tell_of_markers(
    gated: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    counted = apply_gates(read_fcs("lot.fcs"), read_gates("gates.xml"))
    card = card_of(capsys, *gated, "--out", "by-name")
    one = counted.population("CD73")
    assert card["product"]["markers"]["CD73"]["value"] == pytest.approx(one.count / one.of)
    assert card["product"]["markers"]["CD73"]["events"] == one.of
    assert [plot["name"] for plot in card["quality"]["gates"]] == ["CD73"]
    assert card["quality"]["gates"][0]["x_label"].startswith("PE-A")
    aside = [row[1] for row in card["quality"]["taken"] if "left aside" in row[3]]
    assert aside == ["large", "shape", "round", "neither", "both"]

    Path("names.csv").write_text("gate,marker\nshape,viable\nboth,CD90\n", encoding="utf-8")
    card = card_of(capsys, *gated, "--gate-markers", "names.csv", "--out", "by-table")
    shape, both = counted.population("shape"), counted.population("both")
    assert card["product"]["viability"] == pytest.approx(shape.count / shape.of)
    assert card["product"]["markers"]["CD90"]["value"] == pytest.approx(both.count / both.of)
    assert "CD73" not in [row[1] for row in card["quality"]["taken"] if "left aside" not in row[3]]


@pytest.mark.parametrize(
    ("options", "table", "words"),
    [
        ("--gate-markers names.csv", "gate,marker\nshapes,CD90\n", "no such gate"),
        ("--gate-markers names.csv", "gate,marker\nshape,CD90\nlarge,CD90\n", "stands twice"),
        ("--gate-markers names.csv", "one,two\n1,2\n", "no table of gates and markers"),
        ("--control lot.fcs", "", "a control beside gates"),
    ],
)
def test_gates_that_do_not_fit_are_refused(
    gated: list[str], capsys: pytest.CaptureFixture[str], options: str, table: str, words: str
) -> None:
    Path("names.csv").write_text(table, encoding="utf-8")
    assert call("lot", *gated, *options.split(), "--out", "card") == 2
    said = capsys.readouterr().err
    assert words in said and said.count("\n") == 1 and not Path("card").exists()


def test_gates_need_events_and_names(gated: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    lot, gates = gated[0], Path("gates.xml")
    assert call("lot", lot, "--gates", "gates.xml") == 2
    assert "gates without events" in capsys.readouterr().err
    assert call("lot", lot, "--fcs", "lot.fcs", "--gate-markers", "gates.xml") == 2
    assert "a table of gates without gates" in capsys.readouterr().err
    for name, words in (("P4", "no gate that tells of a marker"), ("CD73-", "no gate that tells")):
        gates.write_text(texts.GATES.replace('"CD73"', f'"{name}"'), encoding="utf-8")
        assert call("lot", *gated) == 2
        assert words in capsys.readouterr().err
    gates.write_text(texts.GATES.replace('"round"', '"CD73+"'), encoding="utf-8")
    assert call("lot", *gated) == 2
    assert "two gates of CD73" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "file", "words"),
    [
        ("--nta", "EV-24-002-nta.csv", "particle tracking of a product that is no vesicles"),
        ("--plate", "UC-24-017-kynurenine.csv", "a plate of no assay or of several"),
        ("--counts", "gone.csv", "gone.csv"),
        ("--control", "UC-24-017-counts.csv", "a control without the sample"),
        ("--spec", "nonsense", "unknown specification"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_and_nothing_is_kept(
    clone: Path, capsys: pytest.CaptureFixture[str], option: str, file: str, words: str
) -> None:
    where = file if option == "--spec" else f"examples/lots/files/{file}"
    assert call("lot", "examples/lots/UC-24-017.toml", option, where, "--out", "card") == 2
    said = capsys.readouterr().err
    assert words in said and said.count("\n") == 1 and not Path("card").exists()


def test_an_existing_folder_is_refused(clone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("card").mkdir()
    assert call("lot", "examples/lots/UC-24-017.toml", "--out", "card") == 2
    assert "exists already" in capsys.readouterr().err


@pytest.mark.parametrize(
    "name", ["UC-24-017", "BM-23-101", "UC-24-017-thawed", "AD-24-005-primed", "EV-24-002"]
)
def test_a_lot_written_and_read_again_is_the_same(tmp_path: Path, name: str) -> None:
    lot = read_lot(ROOT / "examples" / "lots" / f"{name}.toml")
    path = tmp_path / "again.toml"
    path.write_text(lot_text(lot), encoding="utf-8")
    assert read_lot(path) == lot


def test_a_study_takes_a_lot_file_and_its_folder_keeps_it(tmp_path: Path) -> None:
    text = (ROOT / "examples" / "cord-cells-in-ards.toml").read_text(encoding="utf-8")
    inline = '{ source = "umbilical cord", passage = 4, cryopreserved = true }'
    (tmp_path / "mine").mkdir()
    shutil.copy(ROOT / "examples" / "lots" / "BM-23-101.toml", tmp_path / "mine" / "lot.toml")
    path = tmp_path / "study.toml"
    path.write_text(text.replace(inline, '"mine/lot.toml"'), encoding="utf-8")
    study = read_study(path)
    assert study.arms[0].treatments[0].product == read_lot(tmp_path / "mine" / "lot.toml")
    result = run_study(study, replicates=2, workers=1)
    assert "product.hold_time" in result.json["assumed_inputs"]
    assert result.manifest["lot_tables"]
    (tmp_path / "run").mkdir()
    write_run_folder(result, tmp_path / "run")
    again = read_study(tmp_path / "run" / "study.toml")
    assert inputs_sha256(again) == inputs_sha256(study) == result.json["inputs_sha256"]


def test_a_worse_lot_does_less_in_a_study_and_the_reference_is_common(tmp_path: Path) -> None:
    study = read_study(ROOT / "examples" / "cord-cells-in-ards.toml")
    cards = {
        name: lot_in_study(
            read_lot(ROOT / "examples" / "lots" / f"{name}.toml"), study, draws=DRAWS, subjects=8
        )
        for name in ("UC-24-017", "BM-23-101")
    }
    first = {name: card["effects"][0] for name, card in cards.items()}
    assert first["BM-23-101"]["lot"]["mean"] < first["UC-24-017"]["lot"]["mean"]
    for card in cards.values():
        for lines in card["limits"].values():
            lost = [line["lost"] for line in lines]
            assert lost == sorted(lost) and lost[0] >= 0.0 and lost[-1] <= 1.0
            assert lines[0]["gained"] is not None


def test_a_lot_equal_to_the_reference_differs_by_nothing() -> None:
    study = read_study(ROOT / "examples" / "cord-cells-in-ards.toml")
    same = study.arms[0].treatments[0].product.model_copy(update={"lot": "as the study's"})
    for effect in lot_in_study(same, study, draws=3, subjects=4)["effects"]:
        assert effect["difference"]["mean"] == 0.0


def test_a_lot_that_nobody_is_given_is_refused() -> None:
    study = read_study(ROOT / "examples" / "cord-cells-in-ards.toml")
    ev = read_lot(ROOT / "examples" / "lots" / "EV-24-002.toml")
    with pytest.raises(Refusal, match="no arm is given a product of the lot's type, ev"):
        lot_in_study(ev, study, draws=2, subjects=4)
