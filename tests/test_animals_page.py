"""The page of animals says what the species and injury files say."""

from __future__ import annotations

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

from mesolung.biology.animal_disease import animal_diseases
from mesolung.biology.species import species_names
from mesolung.study.animal_endpoints import readings


def test_the_page_is_current_and_names_every_species_injury_and_endpoint(root: Path) -> None:
    spec = spec_from_file_location("animals_page", root / "tools" / "animals_page.py")
    assert spec is not None and spec.loader is not None
    tool = module_from_spec(spec)
    spec.loader.exec_module(tool)
    text = (root / "docs" / "animals.md").read_text(encoding="utf-8")
    assert tool.current(text) == text, "python tools/animals_page.py"
    assert all(f"| {name} |" in text for name in species_names())
    assert all(f"| `{name}` |" in text for name in (*animal_diseases(), *readings()))
