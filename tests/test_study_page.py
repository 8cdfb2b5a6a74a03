"""The page of the study file says what is read: its tables are current, its examples are studies."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from jsonschema import Draft202012Validator

from mesolung.reading import Refusal
from mesolung.study import inputs_sha256, keys, read_study, study_text
from mesolung.study.schema import study_schema


@pytest.fixture(scope="module")
def page(root: Path) -> str:
    """The text of the page."""
    return (root / "docs" / "study-file.md").read_text(encoding="utf-8")


@pytest.fixture
def tool(tool_module: Callable[[str], ModuleType]) -> ModuleType:
    """The tool that writes the page."""
    return tool_module("study_file_page")


def test_the_page_is_current(page: str, tool: ModuleType) -> None:
    assert tool.PAGE.current(page) == page, "python tools/study_file_page.py"


def test_every_key_of_the_schema_is_on_it_with_an_example(page: str, tool: ModuleType) -> None:
    schema = study_schema()
    tables = {"StudyFile": schema, **schema["$defs"]}
    known = {(name, key) for name, table in tables.items() for key in table.get("properties", ())}
    assert set(keys.keys()) == known and set(tool.OF_KEYS.values()) == {name for name, _ in known}
    for (name, key), row in keys.keys().items():
        assert f"`{row.example}`" in page and row.meaning in page
        rule = {**tables[name]["properties"][key], "$defs": schema["$defs"]}
        assert list(Draft202012Validator(rule).iter_errors(row.value)) == [], (name, key)
        assert tables[name]["properties"][key]["description"] == row.meaning


def test_its_examples_are_studies(page: str, tmp_path: Path) -> None:
    examples = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    kinds = []
    for text in examples:
        path = tmp_path / "study.toml"
        path.write_text(text, encoding="utf-8")
        study = read_study(path)
        kinds.append((study.kind, study.disease))
        path.write_text(study_text(study), encoding="utf-8")
        assert inputs_sha256(read_study(path)) == inputs_sha256(study)
    assert [kind for kind, _ in kinds] == ["trial", "animal", "ex-vivo", "in-vitro", "trial"]


def test_a_damaged_table_of_keys_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "keys.csv").write_text("table,key,meaning,example\nA,b,c,d\nA,b,c,d\n", encoding="utf-8")
    monkeypatch.setattr(keys, "files", lambda package: tmp_path)
    with pytest.raises(Refusal, match="stands twice"):
        keys.keys.__wrapped__()
