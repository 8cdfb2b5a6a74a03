"""The page of products prints its tables as the package has them."""

from __future__ import annotations

from pathlib import Path

import pytest

from mesolung.biology.tables import routes
from mesolung.product.kinds import CONVERSIONS, COUNTED, KINDS, conversion
from mesolung.product.priors import read_priors


@pytest.fixture(scope="module")
def lines(root: Path) -> set[str]:
    return set((root / "docs" / "product.md").read_text(encoding="utf-8").splitlines())


def test_the_page_has_every_conversion(lines: set[str]) -> None:
    for kind, units in CONVERSIONS.items():
        for unit, prior in units.items():
            found = conversion(kind, unit)
            assert found is not None
            value = f"{read_priors()[prior].value:g}"
            assert f"| {kind} | {unit} | {COUNTED[kind]} | `{prior}` | {value} | {found[1]:.2g} |" in lines


def test_the_page_has_every_route(lines: set[str]) -> None:
    for row in routes().values():
        entered = (row.live_cells_enter, row.apoptotic_cells_enter, row.particles_enter)
        cells = [f"`{state}`" if state else "–" for state in entered]
        blood = "yes" if row.through_blood else "no"
        line = [row.name, *cells, row.soluble_enter, f"{row.delivered:g}", blood]
        assert f"| {' | '.join(line)} |" in lines


def test_the_page_tells_of_every_kind(lines: set[str]) -> None:
    for kind in (*KINDS, "vehicle"):
        assert any(line.startswith(f"| `{kind}` |") for line in lines), kind
