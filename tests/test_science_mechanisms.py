"""Every mechanism of given cells has a page: switch, laws, numbers, and evidence that may be used."""

from __future__ import annotations

import csv
import importlib
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest
from tests.test_law_switches import SWITCHES

from mesolung.biology.laws import read_laws
from mesolung.biology.mechanisms import mechanisms
from mesolung.biology.parameters import read_parameters
from mesolung.reading import Row

LINK = re.compile(r"\]\(([^)\s#]*)(?:#([^)\s]+))?\)")
NAMES = re.compile(r"`([A-Za-z]\w*)`")
# Parameters that set how much of a mechanism a product has are told with the product.
OF_CELLS = ("cells", "harm")
WORDS = {"on_"}


@pytest.fixture(scope="module")
def tool(root: Path) -> ModuleType:
    folder = str(root / "tools")
    if folder not in sys.path:
        sys.path.insert(0, folder)
    return importlib.import_module("science_mechanisms")


@pytest.fixture(scope="module")
def rows(root: Path, tool: ModuleType) -> list[Row]:
    return tool.mechanism_rows(root)


@pytest.fixture(scope="module")
def evidence(root: Path, tool: ModuleType) -> list[Row]:
    return tool.evidence_rows(root)


@pytest.fixture(scope="module")
def pages(root: Path) -> dict[str, str]:
    folder = root / "docs" / "science" / "mechanisms"
    return {page.stem: page.read_text(encoding="utf-8") for page in sorted(folder.glob("*.md"))}


def test_every_switch_has_one_page_and_every_page_one_switch(
    rows: list[Row], pages: dict[str, str], tool: ModuleType
) -> None:
    switches = [row.id for row in read_parameters() if row.id.startswith(tool.SWITCH)]
    assert sorted(row["switch"] for row in rows) == sorted(switches)
    assert sorted(row["page"] for row in rows) == sorted(set(pages) - {"README"})
    for row in rows:
        assert f"# {row['title']}\n" in pages[row["page"]]
        assert f"]({row['page']}.md)" in pages["README"]


def test_laws_and_numbers_are_those_of_the_model(rows: list[Row], tool: ModuleType) -> None:
    text, table = read_laws(), read_parameters()
    for row in rows:
        laws = [text.law(name) for name in tool.listed(row["laws"])]
        assert laws and None not in laws, row["page"]
        assert all(name in table for name in tool.listed(row["numbers"])), row["page"]
        named = {name for law in laws if law is not None for name in (law.name, *law.names)}
        assert row["switch"] in named, f"{row['page']}: no law that is named takes its switch"


def test_every_number_of_cells_and_harm_is_told(rows: list[Row], tool: ModuleType) -> None:
    told = {name for row in rows for name in tool.listed(row["numbers"])} | set(tool.SHARED)
    own = {row.id for row in read_parameters() if row.module in OF_CELLS}
    assert not {name for name in own - told if not name.startswith(tool.SWITCH)}


def test_a_page_says_what_its_switch_moves_at_once(rows: list[Row], tool: ModuleType) -> None:
    """Against the states that the test of switches finds to move."""
    text = read_laws()
    moved = {name: set(states.split()) for names, states in SWITCHES.items() for name in names.split()}
    for row in rows:
        assert set(tool.at_once(row["switch"], text)) == moved[row["switch"]], row["page"]


def test_a_finding_has_a_source_and_a_side_and_is_none_that_is_kept_back(
    root: Path, rows: list[Row], evidence: list[Row], tool: ModuleType
) -> None:
    with (root / "src/mesolung/study/evidence/split.csv").open(encoding="utf-8", newline="") as file:
        split = [(line["study"], line["relation"], line["group"]) for line in csv.DictReader(file)]
    fit = {(study, relation) for study, relation, group in split if group == "fit"}
    kept = {(study, relation) for study, relation, group in split if group != "fit"}
    pages = {row["page"] for row in rows}
    for fact in evidence:
        assert fact["mechanism"] in pages and fact["sign"] in tool.SIGNS, fact.line
        assert fact["status"] in tool.STATUSES and fact["finding"] and fact["system"], fact.line
        assert re.search(r"10\.\d{4}/|PMC\d+|(?:19|20)\d\d|DMD", fact["source"]), fact.line
        if fact["study"]:
            assert (fact["study"], fact["relation"]) in fit - kept, fact.line
    assert len({(f["mechanism"], f["finding"]) for f in evidence}) == len(evidence)


def test_evidence_that_speaks_against_is_told(evidence: list[Row]) -> None:
    carriers = ("niche", "vesicles", "mitochondria", "contact", "efferocytosis")
    against = {fact["mechanism"] for fact in evidence if fact["sign"] == "against"}
    assert against.issuperset(carriers)


def test_links_and_names_of_the_pages_are_there(root: Path, pages: dict[str, str]) -> None:
    known = {law.name for law in read_laws().laws} | set(read_parameters().ids) | WORDS
    folder = root / "docs" / "science" / "mechanisms"
    for name, page in pages.items():
        for target, anchor in LINK.findall(page):
            if target.startswith("http"):
                continue
            file = (folder / target).resolve() if target else folder / f"{name}.md"
            assert file.exists(), f"{name}: {target}"
            if anchor:
                assert f'<a id="{anchor}"></a>' in file.read_text(encoding="utf-8"), f"{name}: {anchor}"
        prose = re.sub(r"<!-- generated.*?<!-- end", "", page, flags=re.DOTALL)
        assert not set(NAMES.findall(prose)) - known, name


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("nothing,for,x,y,doi 10.1/a,,,seen", "no mechanism nothing"),
        ("pge2,for,x,y,doi 10.1/a,assay-duffy2011,th17_induction@unknown,seen", "no relation that may"),
        ("pge2,perhaps,x,y,doi 10.1/a,,,seen", "sign perhaps"),
        ("pge2,for,x,y,doi 10.1/a,,,memory", "status memory"),
    ],
)
def test_a_row_that_cannot_be_is_told_by_its_line(
    root: Path, tmp_path: Path, tool: ModuleType, line: str, told: str
) -> None:
    science = tmp_path / "docs" / "science"
    science.mkdir(parents=True)
    table = (root / "docs/science/mechanisms.csv").read_text(encoding="utf-8")
    (science / "mechanisms.csv").write_text(table, encoding="utf-8")
    head = ",".join(tool.EVIDENCE_COLUMNS)
    (science / "mechanisms-evidence.csv").write_text(f"{head}\n{line}\n", encoding="utf-8")
    split = tmp_path / "src/mesolung/study/evidence"
    split.mkdir(parents=True)
    text = (root / "src/mesolung/study/evidence/split.csv").read_text(encoding="utf-8")
    (split / "split.csv").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=rf"mechanisms-evidence\.csv:2: .*{told}"):
        tool.mechanism_parts(tmp_path, read_laws(), read_parameters(), str)


def test_what_can_be_knocked_out_has_the_switch_of_its_page(rows: list[Row]) -> None:
    pages = {row["switch"] for row in rows}
    registered = {one.switch for one in mechanisms().values()}
    # What is not known of living cells and killing has a gain and no switch of its own.
    assert registered - {"gain_clearance"} == pages
