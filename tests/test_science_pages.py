"""The pages of docs/science are of this model: every law with its line, every number with its source."""

from __future__ import annotations

import importlib
import json
import re
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from mesolung.biology.assemble import MODULES
from mesolung.biology.disease import diseases
from mesolung.biology.laws import RATE, RULE, VALUE, Law, read_laws
from mesolung.biology.parameters import read_parameters

UNITS = "units"
NAMES = re.compile(r"`([A-Za-z]\w*)`")
LINK = re.compile(r"\]\(([^)\s#]*)(?:#([^)\s]+))?\)")
ANCHOR = re.compile(r'<a id="(\w+)"></a>')
# Words that stand in code letters without being names of the model.
WORDS = {"X_healthy", "src_X", "x_excess", "x_signal", "x_response", "MODULES", "ROWS", "assemble"}


@pytest.fixture(scope="module")
def tools(root: Path) -> Path:
    folder = root / "tools"
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    return folder


@pytest.fixture(scope="module")
def maker(tools: Path) -> ModuleType:
    return importlib.import_module("science_pages")


@pytest.fixture(scope="module")
def coverage(tools: Path) -> ModuleType:
    return importlib.import_module("science_coverage")


@pytest.fixture(scope="module")
def pages(root: Path) -> dict[str, str]:
    folder = root / "docs" / "science"
    return {page.name: page.read_text(encoding="utf-8") for page in sorted(folder.glob("*.md"))}


def test_the_pages_are_those_of_the_model(root: Path) -> None:
    """After a change of laws, numbers, diseases, tests or the record: python tools/science_pages.py."""
    tool = [sys.executable, str(root / "tools" / "science_pages.py"), "--check"]
    done = subprocess.run(tool, capture_output=True, text=True, cwd=root, check=False)
    assert done.returncode == 0, f"run python tools/science_pages.py\n{done.stdout}{done.stderr}"


def test_every_module_has_a_page(pages: dict[str, str]) -> None:
    assert {f"{module}.md" for module in MODULES if module != UNITS} < set(pages)
    assert {"diseases.md", "coverage.md", "known-misfits.md"} < set(pages)


def test_every_law_stands_once_on_its_page_with_its_line(root: Path, pages: dict[str, str]) -> None:
    text = read_laws()
    states = set(text.states)
    for law in text.laws:
        if law.kind == VALUE and law.name in states:
            continue
        page = pages[f"{law.module}.md"]
        assert page.count(f"**`{law.name}`** (") == 1
        place = rf"\*\*`{law.name}`\*\* \([^\n]*/modules/{law.module}\.ant#L(\d+)\)"
        found = re.search(place, page)
        assert found is not None, law.name
        source = (root / "src/mesolung/biology/modules" / f"{law.module}.ant").read_text(encoding="utf-8")
        assert re.search(rf"\b{law.name}\b", source.splitlines()[int(found[1]) - 1])


def test_every_number_stands_once_with_its_line_value_and_grade(root: Path, pages: dict[str, str]) -> None:
    rows = (root / "src/mesolung/biology/parameters.csv").read_text(encoding="utf-8").splitlines()
    everything = "\n".join(pages.values())
    for row in read_parameters():
        found = re.findall(rf'<a id="{row.id}"></a>\[`{row.id}`\]\([^)]*#L(\d+)\) (\|[^\n]*)', everything)
        assert len(found) == 1, row.id
        assert rows[int(found[0][0]) - 1].startswith(f"{row.id},")
        cells = [cell.strip() for cell in found[0][1].split(" | ")]
        assert cells[0].strip("| ") == f"{row.value:g}"
        assert cells[3] == row.grade


def test_a_number_is_one_click_from_each_law_that_takes_it(pages: dict[str, str]) -> None:
    text, table = read_laws(), read_parameters()
    for law in text.laws:
        if law.kind not in (RATE, RULE):
            continue
        block = pages[f"{law.module}.md"].split(f"**`{law.name}`** (", 1)[1].split("\n\n<a id=", 1)[0]
        for name in law.names:
            if name != law.name and not name.startswith("src_"):
                assert f"[`{name}`](" in block, f"{law.name}: {name}"
            if name in table:
                assert re.search(rf"\[`{name}`\]\([^)]*\) {table[name].grade}\b", block), (
                    f"{law.name}: {name}"
                )


def test_links_lead_somewhere(root: Path, pages: dict[str, str]) -> None:
    pages = {f"science/{name}": text for name, text in pages.items()}
    pages["biology.md"] = (root / "docs" / "biology.md").read_text(encoding="utf-8")
    for name, text in pages.items():
        own = (root / "docs" / name).parent
        for target, anchor in LINK.findall(text):
            if target.startswith("http"):
                continue
            file = (own / target).resolve() if target else root / "docs" / name
            assert file.exists(), f"{name}: {target}"
            if anchor.startswith("L") and anchor[1:].isdigit():
                assert int(anchor[1:]) <= len(file.read_text(encoding="utf-8").splitlines())
            elif anchor:
                assert anchor in ANCHOR.findall(file.read_text(encoding="utf-8")), (
                    f"{name}: {target}#{anchor}"
                )


def test_prose_names_nothing_that_the_model_has_not(root: Path, pages: dict[str, str]) -> None:
    text = read_laws()
    known = {law.name for law in text.laws} | set(read_parameters().ids) | WORDS
    prose = {
        name: re.sub(r"<!-- generated.*?<!-- end", "", page, flags=re.DOTALL) for name, page in pages.items()
    }
    prose["biology.md"] = (root / "docs" / "biology.md").read_text(encoding="utf-8")
    for name, page in prose.items():
        unknown = set(NAMES.findall(page)) - known
        assert not unknown, f"{name}: {sorted(unknown)}"


def test_the_overview_leads_to_every_page(root: Path, pages: dict[str, str]) -> None:
    overview = (root / "docs" / "biology.md").read_text(encoding="utf-8")
    assert all(f"(science/{page})" in overview for page in pages)


def test_diseases_show_every_driver_at_its_line(root: Path, pages: dict[str, str]) -> None:
    for disease in diseases():
        file = root / "src/mesolung/biology/diseases" / f"{disease}.toml"
        lines = file.read_text(encoding="utf-8").splitlines()
        shown = [
            int(n) for n in re.findall(rf"\| \[\d+\]\([^)]*/{disease}\.toml#L(\d+)\)", pages["diseases.md"])
        ]
        drivers = [i for i, line in enumerate(lines, 1) if line.startswith("[[driver]]")]
        assert [lines[n - 1].split("#")[0].strip() for n in shown] == ["[[driver]]"] * len(drivers)
        assert shown == drivers


def test_coverage_names_laws_files_and_tests_that_there_are(root: Path, coverage: ModuleType) -> None:
    text, table = read_laws(), read_parameters()
    for row in coverage.coverage_rows(root):
        assert row["status"] in coverage.STATUSES, row.line
        for name in coverage.listed(row, "names"):
            file, line = coverage.place(root, text, table, name)
            assert (root / file).is_file()
            assert line == 0 or name in (root / file).read_text(encoding="utf-8").splitlines()[line - 1]
        for test in coverage.listed(row, "tests"):
            source = coverage.found_test(root, test).read_text(encoding="utf-8")
            assert f"\ndef {test.partition('::')[2]}(" in source
    with pytest.raises(KeyError):
        coverage.place(root, text, table, "no_such_name")
    with pytest.raises(KeyError):
        coverage.found_test(root, "test_science_pages.py::test_that_nobody_wrote")


def test_what_is_said_to_be_there_has_a_place_and_a_test_and_what_is_not_has_neither(
    root: Path, coverage: ModuleType
) -> None:
    for row in coverage.coverage_rows(root):
        names, tests = coverage.listed(row, "names"), coverage.listed(row, "tests")
        if row["status"] == coverage.LATER:
            assert not names and not tests, row["item"]
        else:
            assert names and tests, row["item"]
        if row["status"] == coverage.PARTLY:
            assert row["what"], row["item"]


def test_every_state_is_on_a_line_of_the_coverage(root: Path, coverage: ModuleType) -> None:
    named = {name for row in coverage.coverage_rows(root) for name in coverage.listed(row, "names")}
    assert not set(read_laws().states) - named


def test_coverage_has_an_item_once(root: Path, coverage: ModuleType) -> None:
    items = Counter((row["part"], row["item"]) for row in coverage.coverage_rows(root))
    assert items.most_common(1)[0][1] == 1


LAWS = {
    "a * (b + c)": r"\mathrm{x} = \mathrm{a} \cdot \left(\mathrm{b} + \mathrm{c}\right)",
    "a - (b - c)": r"\mathrm{x} = \mathrm{a} - \left(\mathrm{b} - \mathrm{c}\right)",
    "a / b * c": r"\mathrm{x} = \frac{\mathrm{a}}{\mathrm{b}} \cdot \mathrm{c}",
    "a / (b * c)": r"\mathrm{x} = \frac{\mathrm{a}}{\mathrm{b} \cdot \mathrm{c}}",
    "(a + b)^2": r"\mathrm{x} = \left(\mathrm{a} + \mathrm{b}\right)^{2}",
    "a^n / (k_1^n + a^n)": (
        r"\mathrm{x} = \frac{\mathrm{a}^{\mathrm{n}}}{\mathrm{k\_1}^{\mathrm{n}} + \mathrm{a}^{\mathrm{n}}}"
    ),
    "(a / b)^1.5": r"\mathrm{x} = \left(\frac{\mathrm{a}}{\mathrm{b}}\right)^{1.5}",
    "exp(-k * t)": r"\mathrm{x} = \exp\left(-\mathrm{k} \cdot \mathrm{t}\right)",
    "max(0 pM, a - 5 pg_per_mL)": (
        r"\mathrm{x} = \max\left(0\ \mathrm{pM},\ \mathrm{a} - 5\ \mathrm{pg/mL}\right)"
    ),
    "1 dimensionless - a": r"\mathrm{x} = 1 - \mathrm{a}",
    "a * -b": r"\mathrm{x} = \mathrm{a} \cdot \left(-\mathrm{b}\right)",
}


@pytest.mark.parametrize("written", LAWS)
def test_maths_means_what_the_law_says(tools: Path, written: str) -> None:
    as_maths = importlib.import_module("science_maths").law_as_maths
    law = Law("x", RULE, written, "m", 1, 1, "", "", ())
    assert as_maths(law) == LAWS[written]
    assert as_maths(replace(law, kind=RATE)).startswith(r"\frac{d\,\mathrm{x}}{dt} = ")


def test_every_law_has_balanced_maths(pages: dict[str, str]) -> None:
    for name, page in pages.items():
        for block in re.findall(r"```math\n(.*?)\n```", page, re.DOTALL):
            assert block.count("{") == block.count("}"), name
            assert block.count(r"\left(") == block.count(r"\right)"), name
            assert block.count("&") == 0 or block.startswith(r"\begin{aligned}"), name


def test_prose_survives_and_a_page_without_a_place_is_told(maker: ModuleType) -> None:
    page = "# One\n\nProse.\n\n<!-- generated: a -->\nold\n<!-- end: a -->\n\nMore.\n"
    after = maker.filled(page, {"a": "new"}, "one.md")
    assert after == page.replace("\nold\n", "\n\nnew\n\n")
    assert maker.filled(after, {"a": "new"}, "one.md") == after
    with pytest.raises(ValueError, match=r"one\.md"):
        maker.filled(page, {"a": "new", "b": "lost"}, "one.md")


def test_identifiers_of_a_source_become_links(tools: Path) -> None:
    sources = importlib.import_module("science_sources")
    said = (
        "seen: one, doi 10.1016/S2213-2600(20)30404-5; two (PMID 26730186), PMC3219254, BIOMD0000000924 (x)"
    )
    assert sources.identifiers(said) == [
        "doi 10.1016/S2213-2600(20)30404-5", "PMID 26730186", "PMC3219254", "BIOMD0000000924",
    ]  # fmt: skip
    linked = sources.linked(said)
    assert linked.count("](https://") == 4
    assert re.sub(r"\[([^]]*)\]\(https://\S*?\)(?=[;,) ]|$)", r"\1", linked).replace("(x)", "(x)") == said


def test_misses_are_those_of_the_record(tools: Path, tmp_path: Path) -> None:
    misfits = importlib.import_module("science_misfits")
    table = read_parameters()
    assert "No comparison is recorded" in misfits.misfit_parts(tmp_path, table)["misses"]
    target = {
        "family": "endotoxin", "name": "tnf peak", "published": 4.0, "low": 2.0, "high": 8.0, "model": 1.0,
        "model_low": None, "model_high": None, "unit": "ratio", "use": "check", "verdict": "missed",
        "note": "a|b",
    }  # fmt: skip
    others = (
        {"name": "il6 peak", "verdict": "met"},
        {"name": "il8 peak", "use": "context"},
        {"name": "b IL-9 one", "verdict": "not in the model", "model": None},
        {"name": "b IL-9 two", "verdict": "not in the model", "model": None},
    )
    record = {
        "command": "c", "parameters_sha256": table.hash, "draws": 2, "courses": 3,
        "between_study_sd_of_logit_mortality": 0.2,
        "counts": {"all": {"met": 1, "missed": 1}, "endotoxin": {"met": 1, "missed": 1}},
        "targets": [target, *(target | other for other in others)],
    }  # fmt: skip
    file = tmp_path / misfits.RECORD
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps(record), encoding="utf-8")
    parts = misfits.misfit_parts(tmp_path, table)
    assert "of the parameters as they are" in parts["counts"]
    assert r"| tnf peak | check | 4 | 2 to 8 | 1 | ratio | a\|b |" in parts["misses"]
    assert "il6 peak" not in parts["misses"] and "il8 peak" not in parts["misses"]
    assert "endotoxin, b IL-9, 2 targets" in parts["misses"]
    file.write_text(json.dumps(record | {"parameters_sha256": "0"}), encoding="utf-8")
    assert "an older table" in misfits.misfit_parts(tmp_path, table)["counts"]
