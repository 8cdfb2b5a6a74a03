"""The page of endpoints says what the table says."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from mesolung.biology.tables import RULES, endpoints


@pytest.fixture
def tool(tool_module: Callable[[str], ModuleType]) -> ModuleType:
    """The tool that writes the page."""
    return tool_module("endpoint_table")


def test_the_page_is_current(root: Path, tool: ModuleType) -> None:
    text = (root / "docs" / "endpoints.md").read_text(encoding="utf-8")
    assert tool.PAGE.current(text) == text, "python tools/endpoint_table.py"


def test_every_endpoint_and_rule_is_on_it(root: Path, tool: ModuleType) -> None:
    text = (root / "docs" / "endpoints.md").read_text(encoding="utf-8")
    assert set(tool.READ) == set(RULES)
    rows = re.findall(r"^\| `(\w+)` \|", tool.endpoint_table(), re.MULTILINE)
    assert rows == list(endpoints())
    assert all(f"`{name}`" in text for name in rows)


def test_only_what_stands_between_the_marks_is_written(root: Path, tool: ModuleType) -> None:
    text = (root / "docs" / "endpoints.md").read_text(encoding="utf-8")
    spoilt = text.replace("| `mortality` |", "| `mortalitee` |")
    assert spoilt != text and tool.PAGE.current(spoilt) == text
    with pytest.raises(ValueError, match="no marks of the table definitions"):
        tool.PAGE.current(text.replace("<!-- end of definitions -->", ""))
