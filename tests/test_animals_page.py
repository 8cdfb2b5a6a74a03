"""The page of animals says what the species and injury files say."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

from mesolung.biology.animal_disease import animal_diseases
from mesolung.biology.species import species_names
from mesolung.study.animal_endpoints import readings


def test_the_page_is_current_and_names_every_species_injury_and_endpoint(
    root: Path, tool_module: Callable[[str], ModuleType]
) -> None:
    tool = tool_module("animals_page")
    text = (root / "docs" / "animals.md").read_text(encoding="utf-8")
    assert tool.PAGE.current(text) == text, "python tools/animals_page.py"
    assert all(f"| {name} |" in text for name in species_names())
    assert all(f"| `{name}` |" in text for name in (*animal_diseases(), *readings()))
